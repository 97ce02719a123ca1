//! Caches that are shared, that cannot be written, that are full, that are somebody else's.

use std::fs;
use std::os::unix::fs::chown;
use std::path::Path;
use std::time::SystemTime;

use bareroot_testkit::cases;
use bareroot_testkit::disk::Disk;
use bareroot_testkit::door::Door;
use bareroot_testkit::harness::Case;
use rustix::mount::{MountFlags, mount_remount};

use crate::{copy, door, extract, files, remove, repository, tree, warm};

pub const CASES: &[Case] = cases![
    Root: a_shared_cache_is_used_where_it_is, damage_in_a_shared_cache_is_named, without_an_own_cache,
        what_somebody_else_derived_is_not_believed, a_cache_that_cannot_be_written, a_cache_with_no_room_left,
        payloads_within_their_limit;
    Nothing: a_shared_cache_that_is_none;
];

fn downloads(door: &Door) -> usize {
    let requests = door.mirror.requests();
    requests
        .iter()
        .filter(|request| request.path.ends_with(".deb"))
        .count()
}

/// Each file with its length and times.
fn state(directory: &Path) -> Vec<(std::path::PathBuf, u64, SystemTime)> {
    let of = |path: std::path::PathBuf| {
        let metadata = fs::metadata(&path).unwrap();
        (path, metadata.len(), metadata.modified().unwrap())
    };
    files(directory).into_iter().map(of).collect()
}

fn on_shelf(cache: &Path, shelf: &str) -> Vec<std::path::PathBuf> {
    let shelf = format!("/v1/{shelf}/");
    let all = files(cache).into_iter();
    all.filter(|path| path.to_str().unwrap().contains(&shelf))
        .collect()
}

fn a_shared_cache_is_used_where_it_is() {
    let door = door(&repository());
    warm(&door, "shared");
    let shared = door.path("shared");
    let long_ago = SystemTime::now() - std::time::Duration::from_secs(1_000_000);
    for path in files(&shared) {
        fs::File::options()
            .write(true)
            .open(path)
            .unwrap()
            .set_modified(long_ago)
            .unwrap();
    }
    let (before, requests) = (state(&shared), downloads(&door));
    let from = ["--cache-from", shared.to_str().unwrap()];
    extract(&door, "root", "cache", &from).succeeded();
    assert_eq!(downloads(&door), requests);
    assert_eq!(state(&shared), before);
    let own = door.path("cache");
    for shelf in ["archives", "indexes", "parsed", "payloads"] {
        assert!(on_shelf(&own, shelf).is_empty(), "{shelf}");
    }
    extract(&door, "other", "fresh", &[]).succeeded();
    assert!(tree(&door, "root") == tree(&door, "other"));
}

fn damage_in_a_shared_cache_is_named() {
    let door = door(&repository());
    warm(&door, "shared");
    let shared = door.path("shared");
    let damaged = on_shelf(&shared, "archives").remove(1);
    fs::write(&damaged, "not the package").unwrap();
    let (before, requests) = (state(&shared), downloads(&door));
    let from = ["--cache-from", shared.to_str().unwrap()];
    extract(&door, "root", "cache", &from)
        .succeeded()
        .says(&[damaged.to_str().unwrap(), "of a shared cache is damaged"]);
    assert_eq!(downloads(&door), requests + 1);
    assert_eq!(state(&shared), before);
    assert_eq!(on_shelf(&door.path("cache"), "archives").len(), 1);
    // From now on the own cache has it.
    remove(&door, "root");
    let run = extract(&door, "root", "cache", &from).succeeded();
    assert!(!run.stderr.contains("damaged"), "{}", run.stderr);
    assert_eq!(downloads(&door), requests + 1);
}

fn without_an_own_cache() {
    let door = door(&repository());
    warm(&door, "shared");
    let requests = downloads(&door);
    let shared = door.path("shared");
    let words = [
        &crate::EXTRACT[..],
        &["--no-cache", "--cache-from", shared.to_str().unwrap()],
    ]
    .concat();
    bareroot_testkit::door::run(crate::into(&door, "root", &words)).succeeded();
    assert_eq!(downloads(&door), requests);
    assert!(!door.path("xdg/bareroot").exists());
}

/// Archives are held against the index's digest, whoever owns them; a seal can be made by anybody.
fn what_somebody_else_derived_is_not_believed() {
    let door = door(&repository());
    warm(&door, "shared");
    let shared = door.path("shared");
    for path in files(&shared) {
        chown(path, Some(54321), None).unwrap();
    }
    let requests = downloads(&door);
    let from = ["--verbose", "--cache-from", shared.to_str().unwrap()];
    extract(&door, "root", "cache", &from)
        .succeeded()
        .says(&[shared.to_str().unwrap(), "somebody else owns it"]);
    assert_eq!(downloads(&door), requests);
    let own = door.path("cache");
    assert_eq!(on_shelf(&own, "archives").len(), 0);
    assert_eq!(on_shelf(&own, "payloads").len(), 3);
}

fn a_cache_that_cannot_be_written() {
    let door = door(&repository());
    warm(&door, "warm");
    let place = door.path("cache");
    let disk = Disk::mount(&place, 64 << 20);
    copy(&door.path("warm"), &place);
    fs::remove_file(on_shelf(&place, "archives").remove(0)).unwrap();
    mount_remount(&place, MountFlags::RDONLY, c"").unwrap();
    let (before, requests) = (state(&place), downloads(&door));
    let run = extract(&door, "root", "cache", &[])
        .succeeded()
        .says(&["cannot be written: it is read, and nothing is kept"]);
    assert_eq!(run.stderr.matches("warning: ").count(), 1, "{}", run.stderr);
    assert_eq!(downloads(&door), requests + 1);
    assert_eq!(state(&place), before);
    let sound = bareroot_testkit::door::run(door.command(["cache", "verify", "--cache-dir", "cache"]));
    sound.succeeded();
    drop(disk);
}

/// What does not fit is said, with the file; and what came is there for the next run.
fn a_cache_with_no_room_left() {
    let door = door(&repository());
    let place = door.path("cache");
    let disk = Disk::mount(&place, 1 << 20);
    let full = |run: bareroot_testkit::door::Run| {
        run.failed(
            6,
            &["cache/v1/archives", "No space left on device", "hint: make room"],
        );
        door.assert_beside_is(&[]);
    };
    full(extract(&door, "root", "cache", &[]));
    mount_remount(&place, MountFlags::empty(), c"size=64m").unwrap();
    extract(&door, "root", "cache", &[]).succeeded();
    let large = door.mirror.requests();
    let ranges = large.iter().filter(|request| request.header("range").is_some());
    assert!(ranges.count() > 0, "nothing was resumed");
    remove(&door, "root");
    // Payloads that do not fit are not kept; the root is made all the same.
    mount_remount(&place, MountFlags::empty(), c"size=3500k").unwrap();
    extract(&door, "root", "cache", &[])
        .succeeded()
        .says(&["not everything can be kept", "No space left on device"]);
    drop(disk);
}

fn payloads_within_their_limit() {
    let door = door(&repository());
    let limit = ["--payload-limit", "1M"];
    for name in ["first", "second", "third"] {
        extract(&door, name, "cache", &limit).succeeded();
    }
    let kept = on_shelf(&door.path("cache"), "payloads");
    let bytes: u64 = kept.iter().map(|path| fs::metadata(path).unwrap().len()).sum();
    assert!(!kept.is_empty() && bytes <= 1_000_000, "{bytes} in {kept:?}");
    assert!(tree(&door, "first") == tree(&door, "third"));
    extract(&door, "fourth", "none", &["--payload-limit", "0"]).succeeded();
    extract(&door, "fifth", "none", &["--payload-limit", "0"]).succeeded();
    assert!(on_shelf(&door.path("none"), "payloads").is_empty());
    extract(&door, "sixth", "cache", &["--payload-limit", "much"]).ended_with(2);
}

fn a_shared_cache_that_is_none() {
    let door = door(&repository());
    fs::write(door.path("home/thesis"), "precious").unwrap();
    for (place, words) in [("missing", "No such file"), ("home", "CACHEDIR.TAG")] {
        let place = door.path(place);
        let place = place.to_str().unwrap();
        door.resolve(&["--cache-from", place])
            .failed(2, &[place, "is no cache of bareroot", words]);
    }
    assert_eq!(door.mirror.fetches().len(), 0);
}
