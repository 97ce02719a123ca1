//! Statuses, and what one mirror does not have another may.

use std::time::{Duration, Instant};

use bareroot_fetch::{Error, Location};
use bareroot_model::{Class, Classified, Event};
use bareroot_testkit::mirror::{Fault, Mirror};

use crate::setting::{PATH, Setting, bytes, content, expected};

/// An address at which nobody listens.
fn dead() -> String {
    "http://127.0.0.1:1".to_owned()
}

#[test]
fn a_server_error_passes() {
    let content = content(1000);
    for status in [500, 502, 503, 408, 429] {
        let setting = Setting::with(&content);
        setting.mirror.fault(PATH, 2, Fault::Status(status));
        assert_eq!(bytes(&setting.fetch(&content).unwrap()), content);
        assert_eq!(setting.mirror.count(PATH), 3);
        let notes = setting.recorder.take();
        let note = format!(
            "`{}/{PATH}` cannot be had: the server says {status} ",
            setting.mirror.url()
        );
        assert!(
            notes
                .iter()
                .any(|event| matches!(event, Event::Note { text } if text.starts_with(&note))),
            "{notes:?}"
        );
    }
}

#[test]
fn or_stays() {
    let content = content(1000);
    let setting = Setting::with(&content);
    setting.mirror.always(PATH, Fault::Status(503));
    let error = setting.fetch(&content).unwrap_err();
    assert!(matches!(error, Error::Status { code: 503, .. }), "{error}");
    assert_eq!(error.class(), Class::Network);
    assert_eq!(setting.mirror.count(PATH), 4);
    setting.assert_nothing_is_kept(&content);
}

#[test]
fn what_is_refused_for_good_is_asked_for_once() {
    let content = content(1000);
    for status in [401, 403, 404, 410, 416, 204, 304] {
        let setting = Setting::with(&content);
        setting.mirror.always(PATH, Fault::Status(status));
        let error = setting.fetch(&content).unwrap_err();
        assert_eq!(error.is_not_found(), matches!(status, 404 | 410), "{error}");
        assert_eq!(setting.mirror.count(PATH), 1);
    }
}

#[test]
fn a_server_may_say_when_to_come_again_within_reason() {
    let content = content(1000);
    let setting = Setting::with(&content).patience(Duration::from_millis(400));
    setting.mirror.fault(PATH, 1, Fault::RetryAfter(429, 86_400));
    let began = Instant::now();
    assert_eq!(bytes(&setting.fetch(&content).unwrap()), content);
    assert!(began.elapsed() >= Duration::from_millis(400) && began.elapsed() < Duration::from_secs(60));
}

#[test]
fn the_next_mirror_is_asked() {
    let content = content(100_000);
    let good = Setting::with(&content);
    let wrong_bytes = Mirror::serve([(PATH, vec![0; 100_000])]).unwrap();
    let wrong_size = Mirror::serve([(PATH, vec![0; 100])]).unwrap();
    let endless = Mirror::serve([(PATH, vec![0; 100])]).unwrap();
    endless.always(PATH, Fault::Endless);
    let empty = Mirror::start().unwrap();
    let forbidden = Mirror::start().unwrap();
    forbidden.always(PATH, Fault::Status(403));
    for first in [&wrong_bytes, &wrong_size, &endless, &empty, &forbidden] {
        std::fs::remove_dir_all(good.directory.path().join("cache/v1/archives")).ok();
        let blob = good
            .fetch_from(&[first.url(), good.mirror.url()], &content)
            .unwrap();
        assert_eq!(bytes(&blob), content);
        assert_eq!(blob.name(), format!("{}/{PATH}", good.mirror.url()));
        assert_eq!(first.count(PATH), 1);
        let told = good.recorder.take();
        let next = |event: &Event| matches!(event, Event::Note { text } if text.ends_with("; trying the next mirror"));
        assert_eq!(told.iter().any(next), first.address() != empty.address());
    }
    // The other way round, the first one does.
    let count = wrong_bytes.count(PATH);
    std::fs::remove_dir_all(good.directory.path().join("cache/v1/archives")).unwrap();
    good.fetch_from(&[good.mirror.url(), wrong_bytes.url()], &content)
        .unwrap();
    assert_eq!(wrong_bytes.count(PATH), count);
}

#[test]
fn a_part_of_one_mirror_is_completed_by_another() {
    let content = content(100_000);
    let good = Setting::with(&content);
    let cut = Mirror::serve([(PATH, content.clone())]).unwrap();
    cut.fault(PATH, 1, Fault::Truncate(40_000));
    cut.always(PATH, Fault::Status(404));
    assert_eq!(
        bytes(
            &good
                .fetch_from(&[cut.url(), good.mirror.url()], &content)
                .unwrap()
        ),
        content
    );
    assert_eq!(good.ranges(), [Some("bytes=40000-".into())]);
    // What the first has sent may be wrong: then the second sends it all.
    let good = Setting::with(&content);
    let cut = Mirror::serve([(PATH, vec![0; 100_000])]).unwrap();
    cut.fault(PATH, 1, Fault::Truncate(40_000));
    cut.always(PATH, Fault::Status(404));
    assert_eq!(
        bytes(
            &good
                .fetch_from(&[cut.url(), good.mirror.url()], &content)
                .unwrap()
        ),
        content
    );
    assert_eq!(good.ranges(), [Some("bytes=40000-".into()), None]);
}

#[test]
fn where_all_mirrors_fail_each_is_named() {
    let content = content(1000);
    let setting = Setting::new();
    let wrong = Mirror::serve([(PATH, vec![0; 1000])]).unwrap();
    let error = setting
        .fetch_from(&[setting.mirror.url(), wrong.url()], &content)
        .unwrap_err();
    let text = error.to_string();
    assert!(
        text.starts_with("no mirror has `hello`: ") && text.contains("wrong SHA-256: expected "),
        "{text}"
    );
    assert!(
        text.contains(&setting.mirror.url()) && text.contains(&wrong.url()),
        "{text}"
    );
    assert_eq!(error.class(), Class::Trust);
    assert!(error.is_mismatch() && error.hint().is_some());
    setting.assert_nothing_is_kept(&content);
    assert!(matches!(
        setting.fetch_from(&[], &content),
        Err(Error::NoMirror { .. })
    ));
}

#[test]
fn a_dead_mirror_is_asked_last_from_then_on() {
    let content = content(1000);
    let setting = Setting::new();
    for number in 0..20 {
        setting.mirror.put(format!("f{number}"), format!("{number}"));
    }
    setting.mirror.put(PATH, content.clone());
    let mirrors = [dead(), setting.mirror.url()];
    let fetcher = setting.fetcher();
    for number in 0..20 {
        let wanted = format!("{number}").into_bytes();
        let location = Location::new(&mirrors, format!("f{number}"));
        assert_eq!(
            bytes(&fetcher.verified(&location, expected(&wanted), "f").unwrap()),
            wanted
        );
    }
    let error = fetcher
        .index(&Location::new(&mirrors, "InRelease"), 100)
        .unwrap_err();
    assert!(error.is_not_found(), "{error}");
    assert_eq!(setting.mirror.count("InRelease"), 1);
}

#[test]
fn a_dead_mirror_alone_is_said_to_be_dead() {
    let setting = Setting::new();
    let error = setting.fetch_from(&[dead()], b"x").unwrap_err();
    assert!(
        matches!(error, Error::Connect { .. }) && error.to_string().contains("refused"),
        "{error}"
    );
    assert!(error.hint().unwrap().contains("--mirror"));
}

#[test]
fn a_name_without_a_server_to_ask_is_said() {
    let setting = Setting::new();
    let error = setting
        .fetch_from(&["http://deb.example/debian".into()], b"x")
        .unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("the name `deb.example` does not resolve: there is no `/nonexistent`"),
        "{text}"
    );
    assert_eq!(error.class(), Class::Network);
}

#[test]
fn localhost_and_hosts_need_no_server() {
    let content = content(1000);
    let mut setting = Setting::with(&content);
    let hosts = setting.directory.path().join("hosts");
    std::fs::write(&hosts, "127.0.0.1 deb.example\n").unwrap();
    setting.settings.names.hosts = hosts;
    let port = setting.mirror.address().port();
    for host in ["localhost", "deb.example"] {
        let fetcher = setting.fetcher();
        let location = Location::new([format!("http://{host}:{port}")], PATH);
        std::fs::remove_dir_all(setting.directory.path().join("cache/v1/archives")).ok();
        assert_eq!(
            bytes(&fetcher.verified(&location, expected(&content), "hello").unwrap()),
            content
        );
    }
    assert_eq!(
        setting.mirror.requests()[1].header("host"),
        Some(&*format!("deb.example:{port}"))
    );
}

#[test]
fn by_hash_comes_first_and_the_plain_name_is_the_fallback_at_each_mirror() {
    let content = content(1000);
    let setting = Setting::new();
    let other = Mirror::start().unwrap();
    other.put("dists/s/Packages", content.clone());
    let locations = ["dists/s/by-hash/SHA256/aa", "dists/s/Packages"]
        .map(|path| Location::new([setting.mirror.url(), other.url()], path));
    let blob = setting
        .fetcher()
        .verified_at_any(&locations, &expected(&content), "Packages")
        .unwrap();
    assert_eq!(bytes(&blob), content);
    let asked = |mirror: &Mirror| {
        mirror
            .requests()
            .into_iter()
            .map(|request| request.path)
            .collect::<Vec<_>>()
    };
    let both = ["dists/s/by-hash/SHA256/aa", "dists/s/Packages"];
    assert_eq!(asked(&setting.mirror), both);
    assert_eq!(asked(&other), both);
}

#[test]
fn paths_reach_the_server_as_apt_sends_them() {
    let path = "pool/main/g/g++/g++_1%3a2~rc1 (x).deb";
    let setting = Setting::new();
    setting.mirror.put(path, "it");
    let location = Location::new([setting.mirror.url()], path);
    setting
        .fetcher()
        .verified(&location, expected(b"it"), "g++")
        .unwrap();
    assert_eq!(
        setting.mirror.requests()[0].target,
        "/pool/main/g/g%2b%2b/g%2b%2b_1%253a2%7erc1%20(x).deb"
    );
}
