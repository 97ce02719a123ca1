//! Many processes on one cache.

use std::collections::BTreeMap;
use std::time::Duration;

use bareroot_testkit::cases;
use bareroot_testkit::door::{Door, Going, Signal};
use bareroot_testkit::harness::Case;
use bareroot_testkit::mirror::Fault;

use crate::{EXTRACT, door, files, into, repository, tree};

pub const CASES: &[Case] = cases![Root: eight_at_once, eight_at_once_and_one_is_killed];

/// How often each file was asked for, but for what every run must ask for anew.
fn downloads(door: &Door) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for request in door.mirror.fetches() {
        if !request.path.ends_with("InRelease") {
            *counts.entry(request.path).or_default() += 1;
        }
    }
    counts
}

fn eight_at_once() {
    let door = door(&repository());
    let archives: Vec<String> = repository()
        .files(None)
        .into_keys()
        .filter(|path| path.ends_with(".deb"))
        .collect();
    for path in &archives {
        let slow = Fault::Slow(500_000, Duration::from_millis(20));
        door.mirror.always(path, slow);
    }
    let cache = door.path("cache");
    let all = [
        "--include",
        "one,two,three",
        "--cache-dir",
        cache.to_str().unwrap(),
    ];
    let names: Vec<String> = (0..8).map(|number| format!("root{number}")).collect();
    let going: Vec<Going> = names
        .iter()
        .map(|name| Going::start(into(&door, name, &all)))
        .collect();
    for one in going {
        one.end().succeeded();
    }
    let counts = downloads(&door);
    let fetched = archives.iter().filter(|path| counts.contains_key(*path)).count();
    assert_eq!(fetched, 7, "{counts:?}");
    assert!(counts.values().all(|&count| count == 1), "{counts:?}");
    let first = tree(&door, "root0");
    for name in &names {
        assert!(tree(&door, name) == first, "{name} differs");
    }
    let parts: Vec<_> = files(&cache)
        .into_iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "part"))
        .collect();
    assert_eq!(parts, Vec::<std::path::PathBuf>::new());
    door.assert_no_mount_and_no_process();
}

/// Another process takes over where the dead one was.
fn eight_at_once_and_one_is_killed() {
    let door = door(&repository());
    let large = repository()
        .files(None)
        .into_keys()
        .find(|path| path.contains("/three_"))
        .unwrap();
    door.mirror.fault(&large, 1, Fault::Stall(1_500_000));
    let cache = door.path("cache");
    let all = [&EXTRACT[..], &["--cache-dir", cache.to_str().unwrap()]].concat();
    let mut first = Going::start(into(&door, "first", &all));
    let part = || {
        files(&cache)
            .into_iter()
            .find(|path| path.extension().is_some_and(|extension| extension == "part"))
    };
    first.until_so("half of the package", || {
        cache.join("v1").exists()
            && part().is_some_and(|path| std::fs::metadata(path).is_ok_and(|part| part.len() >= 1_500_000))
    });
    let others: Vec<Going> = (0..7)
        .map(|number| Going::start(into(&door, &format!("root{number}"), &all)))
        .collect();
    first.signal(Signal::KILL);
    first.end();
    for one in others {
        one.end().succeeded();
    }
    let own: Vec<Option<String>> = (door.mirror.requests().iter())
        .filter(|request| request.path == large)
        .map(|request| request.header("range").map(str::to_owned))
        .collect();
    assert_eq!(own, [None, Some("bytes=1500000-".to_owned())]);
    let counts = downloads(&door);
    assert!(
        counts.iter().all(|(path, &count)| count == 1 || *path == large),
        "{counts:?}"
    );
    let right = tree(&door, "root0");
    for number in 1..7 {
        assert!(
            tree(&door, &format!("root{number}")) == right,
            "root{number} differs"
        );
    }
    assert_eq!(part(), None);
}
