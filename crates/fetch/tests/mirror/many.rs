//! Many files at once, one of them for many, and a stop in the middle.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bareroot_fetch::{Error, Location, Request};
use bareroot_model::{Class, Classified};
use bareroot_testkit::mirror::Fault;

use crate::setting::{PATH, Setting, bytes, content, expected};

fn requests(setting: &Setting, count: usize) -> Vec<Request> {
    (0..count)
        .map(|number| {
            let (path, content) = (
                format!("pool/f{number}"),
                format!("file {number} ").repeat(number * 10 + 1),
            );
            setting.mirror.put(&path, content.clone());
            Request {
                location: Location::new([setting.mirror.url()], path),
                expected: expected(content.as_bytes()),
                label: format!("f{number}"),
            }
        })
        .collect()
}

#[test]
fn all_arrive_over_as_many_connections_as_there_are_jobs() {
    for jobs in [1, 8] {
        let mut setting = Setting::new();
        setting.settings.jobs = jobs;
        let requests = requests(&setting, 78);
        let seen = Mutex::new(BTreeSet::new());
        let fetcher = setting.fetcher();
        fetcher
            .all(&requests, |number, result| {
                assert_eq!(
                    bytes(&result.unwrap()),
                    format!("file {number} ").repeat(number * 10 + 1).as_bytes()
                );
                seen.lock().unwrap().insert(number);
                ControlFlow::Continue(())
            })
            .unwrap();
        assert_eq!(seen.into_inner().unwrap().len(), 78);
        assert!(
            setting.mirror.connections() <= jobs,
            "{}",
            setting.mirror.connections()
        );
        assert_eq!(setting.mirror.requests().len(), 78);
        if jobs == 1 {
            let order: Vec<String> = setting
                .mirror
                .requests()
                .into_iter()
                .map(|request| request.path)
                .collect();
            assert_eq!(order[..3], ["pool/f0", "pool/f1", "pool/f2"]);
        }
        assert!(fetcher.throughput().is_some());
    }
}

#[test]
fn a_sink_that_breaks_ends_it() {
    let mut setting = Setting::new();
    setting.settings.jobs = 2;
    let requests = requests(&setting, 78);
    setting.mirror.remove("pool/f3");
    let failures = AtomicUsize::new(0);
    setting
        .fetcher()
        .all(&requests, |_, result| match result {
            Ok(_) => ControlFlow::Continue(()),
            Err(error) => {
                assert!(error.is_not_found(), "{error}");
                failures.fetch_add(1, Ordering::SeqCst);
                ControlFlow::Break(())
            }
        })
        .unwrap();
    assert_eq!(failures.into_inner(), 1);
    assert!(setting.mirror.requests().len() < 20);
}

#[test]
fn one_digest_is_fetched_once_by_one_thread() {
    let content = content(400_000);
    for setting in [Setting::with(&content), Setting::with(&content).without_cache()] {
        setting
            .mirror
            .always(PATH, Fault::Slow(50_000, Duration::from_millis(10)));
        let fetcher = setting.fetcher();
        let begun = std::sync::Barrier::new(4);
        std::thread::scope(|scope| {
            let fetch = || {
                begun.wait();
                fetcher
                    .verified(&setting.location(), expected(&content), "hello")
                    .unwrap()
            };
            let all: Vec<_> = (0..4).map(|_| scope.spawn(fetch)).collect();
            for one in all {
                assert_eq!(bytes(&one.join().unwrap()), content);
            }
        });
        assert_eq!(setting.mirror.count(PATH), 1);
    }
}

#[test]
fn who_waited_for_one_that_failed_tries_by_itself() {
    let content = content(1000);
    let mut setting = Setting::with(&content);
    setting.settings.retries = 0;
    setting.mirror.always(PATH, Fault::Status(404));
    let fetcher = setting.fetcher();
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let error = fetcher
                    .verified(&setting.location(), expected(&content), "hello")
                    .unwrap_err();
                assert!(error.is_not_found());
            });
        }
    });
}

#[test]
fn a_stop_ends_a_transfer_at_once_and_keeps_its_part() {
    let content = content(400_000);
    for fault in [
        Fault::Stall(100_000),
        Fault::Silence,
        Fault::RetryAfter(503, 3600),
    ] {
        let setting = Setting::with(&content).patience(Duration::from_secs(3600));
        setting.mirror.always(PATH, fault.clone());
        let began = Instant::now();
        std::thread::scope(|scope| {
            let transfer = scope.spawn(|| setting.fetch(&content));
            while setting.mirror.count(PATH) == 0 {
                std::thread::yield_now();
            }
            if fault == Fault::Stall(100_000) {
                let part = setting.cached(&content, ".part");
                while std::fs::metadata(&part).map_or(0, |metadata| metadata.len()) < 100_000 {
                    std::thread::yield_now();
                }
            }
            setting.settings.cancel.set();
            let error = transfer.join().unwrap().unwrap_err();
            assert!(
                matches!(error, Error::Cancelled(_)) && error.class() == Class::Interrupted,
                "{error}"
            );
        });
        assert!(began.elapsed() < Duration::from_secs(60));
        assert!(!setting.cached(&content, "").exists());
        assert_eq!(
            setting.cached(&content, ".part").exists(),
            fault == Fault::Stall(100_000)
        );
    }
}

#[test]
fn a_stop_ends_all() {
    let setting = Setting::new();
    let requests = requests(&setting, 78);
    let result = setting.fetcher().all(&requests, |_, _| {
        setting.settings.cancel.set();
        ControlFlow::Continue(())
    });
    assert!(matches!(result, Err(Error::Cancelled(_))));
    assert!(setting.mirror.requests().len() < 40);
}

#[test]
fn connections_that_a_server_has_closed_are_not_used_again() {
    let setting = Setting::new();
    let fetcher = setting.fetcher();
    for number in 0..10 {
        let path = format!("f{number}");
        setting.mirror.put(&path, path.clone());
        // The answer is whole, and the connection closes after it without a word.
        setting.mirror.fault(&path, 1, Fault::LieLength(0));
        let location = Location::new([setting.mirror.url()], path.clone());
        let blob = fetcher
            .verified(&location, expected(path.as_bytes()), "f")
            .unwrap();
        assert_eq!(bytes(&blob), path.as_bytes());
    }
    assert_eq!(setting.mirror.requests().len(), 10);
}
