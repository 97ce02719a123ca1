//! Transfers that break, lie or never end.

use std::time::Duration;

use bareroot_fetch::Error;
use bareroot_model::{Class, Classified, Event};
use bareroot_testkit::mirror::Fault;
use bareroot_trust::{Expected, Trusted, Waiver};

use crate::setting::{PATH, Setting, bytes, content, digest};

#[test]
fn a_file_arrives_and_is_told_of() {
    let content = content(300_000);
    let setting = Setting::with(&content);
    let blob = setting.fetch(&content).unwrap();
    assert_eq!(bytes(&blob), content);
    assert_eq!((blob.size(), blob.sha256()), (300_000, digest(&content)));
    let url = format!("{}/{PATH}", setting.mirror.url());
    assert_eq!(blob.name(), url);
    let events = setting.recorder.take();
    assert_eq!(
        events.first(),
        Some(&Event::FetchStarted {
            url: url.clone(),
            bytes: Some(300_000)
        })
    );
    assert_eq!(
        events.last(),
        Some(&Event::Fetched {
            url,
            bytes: 300_000,
            cached: false
        })
    );
    let progress: Vec<u64> = events[1..events.len() - 1]
        .iter()
        .map(|event| {
            if let Event::FetchProgress { bytes } = event {
                *bytes
            } else {
                panic!("{event:?}")
            }
        })
        .collect();
    assert_eq!(progress.iter().sum::<u64>(), 300_000);
    assert!(
        progress[..progress.len() - 1]
            .iter()
            .all(|&bytes| bytes >= 64 << 10)
    );
}

#[test]
fn a_truncated_transfer_is_resumed_where_it_broke_off() {
    let content = content(200_000);
    for setting in [Setting::with(&content), Setting::with(&content).without_cache()] {
        setting.mirror.fault(PATH, 1, Fault::Truncate(70_000));
        setting.mirror.fault(PATH, 1, Fault::Truncate(50_000));
        let blob = setting.fetch(&content).unwrap();
        assert_eq!(bytes(&blob), content);
        assert_eq!(
            setting.ranges(),
            [None, Some("bytes=70000-".into()), Some("bytes=120000-".into())]
        );
        assert!(setting.mirror.requests()[1].header("if-range").is_some());
        assert_eq!(setting.progress(), 200_000);
    }
}

#[test]
fn a_chunked_body_and_one_without_a_length_are_whole_or_are_resumed() {
    let content = content(200_000);
    let setting = Setting::with(&content);
    setting.mirror.fault(PATH, 1, Fault::Chunked(true));
    setting.mirror.fault(PATH, 1, Fault::NoLength(Some(30_000)));
    setting.mirror.fault(PATH, 1, Fault::NoLength(None));
    assert_eq!(bytes(&setting.fetch(&content).unwrap()), content);
    let setting = Setting::with(&content);
    setting.mirror.fault(PATH, 1, Fault::Chunked(false));
    assert_eq!(bytes(&setting.fetch(&content).unwrap()), content);
    assert_eq!(setting.mirror.count(PATH), 1);
}

#[test]
fn a_server_without_ranges_sends_it_all_again() {
    let content = content(200_000);
    let setting = Setting::with(&content);
    setting.mirror.fault(PATH, 1, Fault::Truncate(70_000));
    setting.mirror.fault(PATH, 1, Fault::NoRange);
    assert_eq!(bytes(&setting.fetch(&content).unwrap()), content);
    assert_eq!(setting.progress(), 200_000);
}

#[test]
fn a_range_that_is_refused_or_is_another_one_is_given_up() {
    let content = content(200_000);
    for fault in [
        Fault::Status(416),
        Fault::LieRange("bytes 0-1/200000".into()),
        Fault::LieRange("bytes 70000-1/3".into()),
    ] {
        let setting = Setting::with(&content);
        setting.mirror.fault(PATH, 1, Fault::Truncate(70_000));
        setting.mirror.fault(PATH, 1, fault);
        assert_eq!(bytes(&setting.fetch(&content).unwrap()), content);
        assert_eq!(setting.ranges(), [None, Some("bytes=70000-".into()), None]);
    }
}

#[test]
fn the_next_run_goes_on_where_this_one_was_killed() {
    let content = content(200_000);
    let mut setting = Setting::with(&content);
    setting.settings.retries = 0;
    setting.mirror.fault(PATH, 1, Fault::Truncate(90_000));
    setting.mirror.fault(PATH, 1, Fault::Hangup);
    setting.mirror.fault(PATH, 1, Fault::Hangup);
    let error = setting.fetch(&content).unwrap_err();
    assert_eq!(error.class(), Class::Network);
    assert!(!setting.cached(&content, "").exists());
    assert_eq!(
        std::fs::metadata(setting.cached(&content, ".part"))
            .unwrap()
            .len(),
        90_000
    );
    setting.recorder.take();
    assert_eq!(bytes(&setting.fetch(&content).unwrap()), content);
    assert_eq!(setting.ranges().last(), Some(&Some("bytes=90000-".into())));
    assert!(!setting.cached(&content, ".part").exists());
    assert_eq!(setting.progress(), 200_000);
}

#[test]
fn parts_that_an_earlier_run_has_left_are_not_believed() {
    let content = content(200_000);
    let mut wrong = content.clone();
    wrong[10] ^= 1;
    let mut long = content.clone();
    long.push(0);
    // Wrong and short, wrong and full, too long, right and full: the last needs no request at all.
    for (left, requests) in [
        (&wrong[..70_000], 2),
        (&wrong[..], 1),
        (&long[..], 1),
        (&content[..], 0),
    ] {
        let setting = Setting::with(&content);
        let part = setting.cached(&content, ".part");
        std::fs::create_dir_all(part.parent().unwrap()).unwrap();
        std::fs::write(&part, left).unwrap();
        assert_eq!(bytes(&setting.fetch(&content).unwrap()), content);
        assert_eq!(setting.mirror.count(PATH), requests, "{}", left.len());
        assert_eq!(std::fs::read(setting.cached(&content, "")).unwrap(), content);
    }
}

#[test]
fn a_file_that_stays_cut_off_is_an_error() {
    let content = content(200_000);
    let setting = Setting::with(&content);
    setting.mirror.always(PATH, Fault::NoLength(Some(1000)));
    let error = setting.fetch(&content).unwrap_err();
    assert_eq!(error.class(), Class::Network);
    let text = error.to_string();
    assert!(text.contains("expected 200000 bytes, found"), "{text}");
    assert!(!setting.cached(&content, "").exists());
}

#[test]
fn a_transfer_that_stalls_ends() {
    let content = content(200_000);
    for fault in [
        Fault::Stall(50_000),
        Fault::Silence,
        Fault::Slow(1, Duration::from_millis(20)),
    ] {
        let mut setting = Setting::with(&content).patience(Duration::from_millis(200));
        setting.settings.retries = 0;
        setting.mirror.always(PATH, fault);
        let error = setting.fetch(&content).unwrap_err();
        assert!(matches!(error, Error::Stalled { .. }), "{error}");
        assert_eq!(error.class(), Class::Network);
    }
}

#[test]
fn a_stall_is_resumed_after_it() {
    let content = content(200_000);
    let setting = Setting::with(&content).patience(Duration::from_millis(800));
    setting.mirror.fault(PATH, 1, Fault::Stall(50_000));
    assert_eq!(bytes(&setting.fetch(&content).unwrap()), content);
    assert_eq!(setting.ranges(), [None, Some("bytes=50000-".into())]);
}

#[test]
fn a_length_that_lies_is_caught() {
    let content = content(50_000);
    for (by, text) in [(-7, "found 49993"), (7, "more arrived")] {
        let setting = Setting::with(&content);
        setting.mirror.always(PATH, Fault::LieLength(by));
        let error = setting.fetch(&content).unwrap_err();
        assert!(error.is_mismatch() && error.to_string().contains(text), "{error}");
        assert_eq!(error.class(), Class::Trust);
        setting.assert_nothing_is_kept(&content);
        // Where no size is expected, a body that is longer than its length is cut there, and a shorter one breaks off.
        let of_any_size = Expected::new(None, Some(digest(&content)), None).unwrap();
        let of_any_size = Trusted::waived(of_any_size, Waiver::new("a test"));
        let error = setting
            .fetcher()
            .verified(&setting.location(), of_any_size, "hello")
            .unwrap_err();
        assert_eq!(error.is_mismatch(), by < 0, "{error}");
    }
}

#[test]
fn an_endless_body_is_cut_at_the_expected_size() {
    let content = content(50_000);
    let setting = Setting::with(&content);
    setting.mirror.always(PATH, Fault::Endless);
    let error = setting.fetch(&content).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "`{}/{PATH}` is not what its index promises: too long: expected 50000 bytes and more arrived",
            setting.mirror.url()
        )
    );
    assert_eq!(error.class(), Class::Trust);
    setting.assert_nothing_is_kept(&content);
}

#[test]
fn without_an_expected_size_there_is_still_a_limit() {
    let content = content(50_000);
    let mut setting = Setting::with(&content);
    setting.settings.limit = 80_000;
    let of_any_size = Expected::new(None, Some(digest(&content)), None).unwrap();
    let of_any_size = Trusted::waived(of_any_size, Waiver::new("a test"));
    setting.mirror.fault(PATH, 1, Fault::Endless);
    let error = setting
        .fetcher()
        .verified(&setting.location(), of_any_size.clone(), "hello")
        .unwrap_err();
    assert!(matches!(error, Error::TooLarge { limit: 80_000, .. }), "{error}");
    setting.assert_nothing_is_kept(&content);
    let blob = setting
        .fetcher()
        .verified(&setting.location(), of_any_size, "hello")
        .unwrap();
    assert_eq!(bytes(&blob), content);
}

#[test]
fn only_a_sha512_will_do() {
    let content = content(50_000);
    let setting = Setting::with(&content);
    let sha512: [u8; 64] = <sha2::Sha512 as sha2::Digest>::digest(&content).into();
    let expected = Trusted::waived(
        Expected::new(None, None, Some(sha512)).unwrap(),
        Waiver::new("a test"),
    );
    assert_eq!(
        bytes(
            &setting
                .fetcher()
                .verified(&setting.location(), expected, "hello")
                .unwrap()
        ),
        content
    );
}

#[test]
fn an_answer_that_is_no_http_is_an_error() {
    let content = content(100);
    let headers = format!("HTTP/1.1 200 OK\r\n{}", "a: b\r\n".repeat(100_000));
    for raw in ["SSH-2.0-server\r\n", "HTTP/1.1 abc\r\n\r\n", "", &headers] {
        let setting = Setting::with(&content);
        setting.mirror.always(PATH, Fault::Raw(raw.into()));
        let error = setting.fetch(&content).unwrap_err();
        assert!(matches!(error, Error::Transfer { .. }), "{error}");
    }
}

#[test]
fn a_connection_that_is_closed_at_once_is_tried_again_without_a_pause() {
    let content = content(100);
    let mut setting = Setting::with(&content);
    setting.settings.pause = Duration::from_secs(3600);
    setting.mirror.fault(PATH, 1, Fault::Hangup);
    assert_eq!(bytes(&setting.fetch(&content).unwrap()), content);
}

#[test]
fn an_empty_file_is_a_file() {
    let setting = Setting::with(b"");
    assert_eq!(bytes(&setting.fetch(b"").unwrap()), b"");
}

#[test]
fn a_small_file_is_bounded_and_missing_is_told_apart() {
    let setting = Setting::new();
    let location = |path: &str| bareroot_fetch::Location::new([setting.mirror.url()], path);
    setting.mirror.put("dists/s/InRelease", content(1000));
    let fetcher = setting.fetcher();
    assert_eq!(
        fetcher.index(&location("dists/s/InRelease"), 1000).unwrap(),
        content(1000)
    );
    for fault in [None, Some(Fault::Endless), Some(Fault::NoLength(None))] {
        if let Some(fault) = fault {
            setting.mirror.fault("dists/s/InRelease", 1, fault);
        }
        let error = fetcher.index(&location("dists/s/InRelease"), 999).unwrap_err();
        assert!(matches!(error, Error::TooLarge { limit: 999, .. }), "{error}");
        assert_eq!(error.class(), Class::Trust);
    }
    let error = fetcher.index(&location("dists/s/Release"), 1000).unwrap_err();
    assert!(error.is_not_found() && error.class() == Class::Network, "{error}");
    setting.mirror.fault("dists/s/InRelease", 2, Fault::Truncate(10));
    assert_eq!(
        fetcher.index(&location("dists/s/InRelease"), 1000).unwrap(),
        content(1000)
    );
    assert!(matches!(
        fetcher.index(&location("../InRelease"), 1000),
        Err(Error::Path { .. })
    ));
}
