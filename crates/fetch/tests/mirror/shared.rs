//! Caches that are asked after the own one, and what is said where nothing has a file.

use std::path::Path;
use std::time::{Duration, SystemTime};

use bareroot_fetch::{Cache, Error, Location};
use bareroot_model::{Class, Classified, Event};
use bareroot_testkit::mirror::Fault;

use crate::setting::{PATH, Setting, bytes, content, expected};

/// A setting whose cache is empty, beside a shared one that has the content.
fn beside_a_shared_one(content: &[u8]) -> Setting {
    let mut setting = Setting::with(content);
    setting.fetch(content).unwrap();
    let shared = setting.directory.path().join("shared");
    std::fs::rename(setting.directory.path().join("cache"), &shared).unwrap();
    let own = Cache::open(setting.directory.path().join("cache")).unwrap();
    setting.settings.cache = Some(own.and_from(shared).unwrap());
    setting.recorder.take();
    setting
}

fn in_shared(setting: &Setting, content: &[u8]) -> std::path::PathBuf {
    let own = setting.cached(content, "");
    let below = own.strip_prefix(setting.directory.path().join("cache")).unwrap();
    setting.directory.path().join("shared").join(below)
}

fn warnings(setting: &Setting) -> Vec<String> {
    let events = setting.recorder.take();
    let text = |event| match event {
        Event::Warning { text } => Some(text),
        _ => None,
    };
    events.into_iter().filter_map(text).collect()
}

fn modified(path: &Path) -> SystemTime {
    path.metadata().unwrap().modified().unwrap()
}

#[test]
fn what_a_shared_cache_has_is_used_there_and_never_written() {
    let content = content(100_000);
    let setting = beside_a_shared_one(&content);
    let path = in_shared(&setting, &content);
    let long_ago = SystemTime::now() - Duration::from_secs(1_000_000);
    let file = std::fs::File::options().write(true).open(&path).unwrap();
    file.set_modified(long_ago).unwrap();
    assert_eq!(bytes(&setting.fetch(&content).unwrap()), content);
    assert_eq!(setting.mirror.count(PATH), 1);
    setting.assert_nothing_is_kept(&content);
    assert_eq!(modified(&path), long_ago);

    std::fs::write(&path, "something else").unwrap();
    setting.recorder.take();
    assert_eq!(bytes(&setting.fetch(&content).unwrap()), content);
    let told = warnings(&setting);
    assert!(
        told.len() == 1 && told[0].contains(path.to_str().unwrap()),
        "{told:?}"
    );
    assert_eq!(setting.mirror.count(PATH), 2);
    assert_eq!(std::fs::read(&path).unwrap(), b"something else");
    assert_eq!(std::fs::read(setting.cached(&content, "")).unwrap(), content);
}

#[test]
fn the_own_cache_comes_first_and_its_use_is_noted() {
    let content = content(1000);
    let setting = beside_a_shared_one(&content);
    std::fs::remove_file(in_shared(&setting, &content)).unwrap();
    setting.fetch(&content).unwrap();
    let own = setting.cached(&content, "");
    let long_ago = SystemTime::now() - Duration::from_secs(1_000_000);
    let file = std::fs::File::options().write(true).open(&own).unwrap();
    file.set_modified(long_ago).unwrap();
    std::fs::write(in_shared(&setting, &content), "damaged, and not asked").unwrap();
    setting.fetch(&content).unwrap();
    assert_eq!(warnings(&setting), Vec::<String>::new());
    assert!(modified(&own) > long_ago + Duration::from_secs(900_000));
}

#[test]
fn a_shared_cache_must_be_one() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("thesis"), "").unwrap();
    let cache = || Cache::read_only();
    for place in [directory.path().to_owned(), directory.path().join("missing")] {
        let error = cache().and_from(&place).unwrap_err();
        assert!(
            matches!(error, Error::NoCache { .. }) && error.class() == Class::Usage,
            "{error}"
        );
        assert!(error.to_string().contains(place.to_str().unwrap()), "{error}");
    }
}

#[test]
fn without_an_own_cache_nothing_is_kept() {
    let content = content(1000);
    let mut setting = beside_a_shared_one(&content);
    let shared = setting.directory.path().join("shared");
    setting.settings.cache = Some(Cache::read_only().and_from(shared).unwrap());
    setting.fetch(&content).unwrap();
    assert_eq!(setting.mirror.count(PATH), 1);
    let path = in_shared(&setting, &content);
    std::fs::remove_file(&path).unwrap();
    assert_eq!(bytes(&setting.fetch(&content).unwrap()), content);
    assert_eq!(setting.mirror.count(PATH), 2);
    assert!(!path.exists());
    setting.assert_nothing_is_kept(&content);
}

#[test]
fn what_is_missing_offline_is_named_and_no_connection_is_made() {
    let content = content(1000);
    let mut setting = Setting::with(&content);
    setting.settings.offline = true;
    let mirrors = [setting.mirror.url(), format!("{}/other", setting.mirror.url())];
    let error = setting.fetch_from(&mirrors, &content).unwrap_err();
    let url = format!("{}/{PATH}", setting.mirror.url());
    assert_eq!(
        error.to_string(),
        format!(
            "hello is not in the cache, and the network is not to be used: it is at `{url}` and has one more address"
        )
    );
    assert!(error.is_offline() && error.class() == Class::Network);
    let error = setting
        .fetcher()
        .index(&Location::new(mirrors, "dists/s/InRelease"), 100)
        .unwrap_err();
    assert!(
        error.is_offline()
            && error
                .to_string()
                .contains("/dists/s/InRelease` is not in the cache"),
        "{error}"
    );
    // A local mirror that lacks the file is named beside what was not asked.
    let local = format!("file:{}", setting.directory.path().display());
    let error = setting
        .fetch_from(&[local.clone(), setting.mirror.url()], &content)
        .unwrap_err();
    assert!(
        error.is_offline() && error.to_string().contains(&local),
        "{error}"
    );
    assert!(error.hint().unwrap().contains("--offline"));
    assert_eq!(setting.mirror.connections(), 0);
}

#[test]
fn a_directory_in_the_place_of_a_file_is_named_and_nothing_is_left_beside_it() {
    let content = content(100_000);
    let setting = Setting::with(&content);
    let path = setting.cached(&content, "");
    std::fs::create_dir_all(path.join("in the way")).unwrap();
    setting.mirror.fault(PATH, 1, Fault::Truncate(50_000));
    assert_eq!(bytes(&setting.fetch(&content).unwrap()), content);
    let told = warnings(&setting);
    assert!(
        told.iter().all(|text| text.contains(path.to_str().unwrap())) && told.len() == 2,
        "{told:?}"
    );
    assert!(!setting.cached(&content, ".part").exists());
    assert_eq!(
        bytes(
            &setting
                .fetcher()
                .verified(&setting.location(), expected(&content), "hello")
                .unwrap()
        ),
        content
    );
}
