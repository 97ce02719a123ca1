//! What the cache gives, and when it does not.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use bareroot_fetch::{Cache, Error, Fetcher, Location, Settings};
use bareroot_model::{Class, Classified, Event};
use bareroot_testkit::mirror::Fault;

use crate::setting::{PATH, Setting, bytes, content, expected};

#[test]
fn a_hit_makes_no_request() {
    let content = content(100_000);
    let setting = Setting::with(&content);
    setting.fetch(&content).unwrap();
    setting.recorder.take();
    assert_eq!(bytes(&setting.fetch(&content).unwrap()), content);
    assert_eq!(setting.mirror.count(PATH), 1);
    let url = format!("{}/{PATH}", setting.mirror.url());
    assert_eq!(
        setting.recorder.take(),
        [Event::Fetched {
            url,
            bytes: 100_000,
            cached: true
        }]
    );
}

#[test]
fn a_damaged_entry_is_dropped_and_fetched_again() {
    let content = content(100_000);
    let setting = Setting::with(&content);
    setting.fetch(&content).unwrap();
    let path = setting.cached(&content, "");
    for damaged in [
        vec![],
        content[1..].to_vec(),
        [&content[..], b"x"].concat(),
        vec![0; 100_000],
    ] {
        std::fs::write(&path, damaged).unwrap();
        setting.recorder.take();
        assert_eq!(bytes(&setting.fetch(&content).unwrap()), content);
        assert_eq!(std::fs::read(&path).unwrap(), content);
        let events = setting.recorder.take();
        assert!(
            matches!(events.first(), Some(Event::Warning { text })
                if text.contains("damaged") && text.contains(path.to_str().unwrap())),
            "{events:?}"
        );
    }
    assert_eq!(setting.mirror.count(PATH), 5);
    // A link, a directory or a device in its place is not read either.
    std::fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink("/dev/zero", &path).unwrap();
    assert_eq!(bytes(&setting.fetch(&content).unwrap()), content);
}

#[test]
fn two_fetchers_share_a_cache_and_one_transfer() {
    let content = content(400_000);
    let setting = Setting::with(&content);
    setting
        .mirror
        .always(PATH, Fault::Slow(50_000, Duration::from_millis(10)));
    std::thread::scope(|scope| {
        let all: Vec<_> = (0..3)
            .map(|_| scope.spawn(|| bytes(&setting.fetch(&content).unwrap())))
            .collect();
        for one in all {
            assert_eq!(one.join().unwrap(), content);
        }
    });
    assert_eq!(setting.mirror.count(PATH), 1);
    assert!(!setting.cached(&content, ".part").exists());
}

/// The part that another process plays in the tests below, which start this binary again for it.
#[test]
#[ignore = "started by other tests"]
fn another_process() {
    let variable = |name| std::env::var(name).unwrap();
    let content = content(variable("LENGTH").parse().unwrap());
    let settings = Settings {
        cache: Some(Cache::open(variable("CACHE")).unwrap()),
        ..Settings::default()
    };
    let location = Location::new([variable("MIRROR")], PATH);
    let blob = Fetcher::new(settings)
        .unwrap()
        .verified(&location, expected(&content), "hello")
        .unwrap();
    assert_eq!(bytes(&blob), content);
}

fn start_another(setting: &Setting, length: usize) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "cache::another_process", "--ignored"])
        .env("LENGTH", length.to_string())
        .env("MIRROR", setting.mirror.url())
        .env("CACHE", setting.directory.path().join("cache"))
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn two_processes_share_a_cache_and_one_transfer() {
    let content = content(400_000);
    let setting = Setting::with(&content);
    setting
        .mirror
        .always(PATH, Fault::Slow(50_000, Duration::from_millis(20)));
    let mut others = [start_another(&setting, 400_000), start_another(&setting, 400_000)];
    assert_eq!(bytes(&setting.fetch(&content).unwrap()), content);
    for other in &mut others {
        assert!(other.wait().unwrap().success());
    }
    assert_eq!(setting.mirror.count(PATH), 1);
}

#[test]
fn what_a_killed_process_has_left_is_gone_on_with() {
    let content = content(400_000);
    let setting = Setting::with(&content);
    setting.mirror.fault(PATH, 1, Fault::Stall(150_000));
    let mut other = start_another(&setting, 400_000);
    let part = setting.cached(&content, ".part");
    while std::fs::metadata(&part).map_or(0, |metadata| metadata.len()) < 150_000 {
        assert!(other.try_wait().unwrap().is_none(), "it has ended");
        std::thread::yield_now();
    }
    other.kill().unwrap();
    other.wait().unwrap();
    assert!(!setting.cached(&content, "").exists());
    assert_eq!(bytes(&setting.fetch(&content).unwrap()), content);
    assert_eq!(setting.ranges(), [None, Some("bytes=150000-".into())]);
    assert!(!part.exists());
}

#[test]
fn a_cache_that_cannot_be_written_is_done_without() {
    let content = content(1000);
    let setting = Setting::with(&content);
    // Root may write anywhere, but not below a file.
    let archives = setting.directory.path().join("cache/v1/archives");
    std::fs::write(&archives, "in the way").unwrap();
    let fetcher = setting.fetcher();
    for _ in 0..2 {
        assert_eq!(
            bytes(
                &fetcher
                    .verified(&setting.location(), expected(&content), "hello")
                    .unwrap()
            ),
            content
        );
    }
    let events = setting.recorder.take();
    let warnings: Vec<_> = events
        .iter()
        .filter(|event| matches!(event, Event::Warning { .. }))
        .collect();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    let below = archives.join("cache");
    assert_eq!(Cache::open(below).unwrap_err().class(), Class::Target);
}

#[test]
fn offline_there_is_only_the_cache() {
    let content = content(1000);
    let mut setting = Setting::with(&content);
    setting.mirror.put("dists/s/InRelease", "signed");
    let release = Location::new(
        [setting.mirror.url().replace("//", "//u:p@")],
        "dists/s/InRelease",
    );
    let error = {
        setting.settings.offline = true;
        setting.fetch(&content).unwrap_err()
    };
    assert!(
        matches!(error, Error::Offline { .. }) && error.class() == Class::Network,
        "{error}"
    );
    let error = setting.fetcher().index(&release, 100).unwrap_err();
    assert!(error.is_not_found(), "{error}");
    setting.settings.offline = false;
    setting.fetch(&content).unwrap();
    setting.fetcher().index(&release, 100).unwrap();
    let before = setting.mirror.requests().len();
    setting.settings.offline = true;
    assert_eq!(bytes(&setting.fetch(&content).unwrap()), content);
    assert_eq!(setting.fetcher().index(&release, 100).unwrap(), b"signed");
    assert!(matches!(
        setting.fetcher().index(&release, 5),
        Err(Error::TooLarge { .. })
    ));
    assert_eq!(setting.mirror.requests().len(), before);
}

#[test]
fn without_a_cache_nothing_is_left_behind() {
    let content = content(100_000);
    let setting = Setting::with(&content).without_cache();
    std::fs::remove_dir_all(setting.directory.path().join("cache")).unwrap();
    let blob = setting.fetch(&content).unwrap();
    assert_eq!(std::fs::read_dir(setting.directory.path()).unwrap().count(), 0);
    assert_eq!(bytes(&blob), content);
}
