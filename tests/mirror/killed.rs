use std::fs;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use bareroot_testkit::cases;
use bareroot_testkit::door::{Going, Signal};
use bareroot_testkit::harness::Case;
use bareroot_testkit::launch::{self, Limits};
use bareroot_testkit::tracer::{self, Call, Task};
use bareroot_testkit::tree::{Tree, TreeOptions, diff};

use crate::check::Seeded;
use crate::{Ground, files, packages, repository, served};

pub const CASES: &[Case] = cases![Nothing: twenty_times_and_then_to_the_end, an_update_that_is_killed_leaves_the_old_or_the_new,
        after_any_change_of_a_name_and_then_once_more];

/// How long a run may take.
const SOON: Duration = Duration::from_secs(60);

fn twenty_times_and_then_to_the_end() {
    let ground = Ground::new(&repository(&packages("1.0")));
    let begin = Instant::now();
    ground.mirror(&["--quiet"]).succeeded();
    let whole = begin.elapsed();
    let wanted = files(&ground.dir());
    fs::remove_dir_all(ground.dir()).unwrap();
    fs::remove_dir_all(ground.door.path("cache")).unwrap();
    let mut random = Seeded(42);
    for _ in 0..20 {
        let going = Going::start(ground.command(&["--quiet"]));
        thread::sleep(whole * random.below(1000) as u32 / 1000);
        going.signal(Signal::KILL);
        going.end();
    }
    ground.mirror(&[]).succeeded();
    assert_eq!(names(&files(&ground.dir())), names(&wanted));
    assert_eq!(files(&ground.dir()), wanted);
    ground.check().succeeded();
}

/// Killed between two calls, wherever that is, it leaves nothing that the next run does not set right: neither files that are not
/// whole, nor directories that are not finished.
fn after_any_change_of_a_name_and_then_once_more() {
    if !tracer::AVAILABLE {
        return skipped("there is no tracer for this architecture");
    }
    let ground = Ground::new(&repository(&packages("1.0")));
    let traced = |task| {
        for directory in [ground.dir(), ground.door.path("cache")] {
            let _ = fs::remove_dir_all(directory);
        }
        let limits = Limits {
            traced: true,
            ..Limits::default()
        };
        let mut command = launch::wrap(&ground.command(&["--quiet"]), &limits);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        tracer::trace(&mut command, task, SOON).expect("a traced run")
    };
    let quiet = traced(Task::Count);
    assert_eq!(quiet.code, Some(0));
    let wanted = Tree::read(&ground.dir(), &TreeOptions::default()).unwrap();
    for call in [Call::Name, Call::Open] {
        let all = quiet.calls[&call];
        // Opening is common: a few of all.
        let step = (all / 30).max(1);
        for nth in (1..=all).step_by(usize::try_from(step).unwrap()) {
            let ended = traced(Task::KillAfter { call, nth });
            assert!(ended.struck && !ended.late, "{call:?} {nth}: {ended:?}");
            ground.mirror(&["--quiet"]).succeeded();
            let found = Tree::read(&ground.dir(), &TreeOptions::default()).unwrap();
            // When it was made is another matter.
            let differences = diff(&wanted, &found, &|_| false);
            assert!(differences.is_empty(), "{call:?} {nth}: {differences:#?}");
        }
    }
}

#[allow(clippy::print_stderr, reason = "what is skipped says so")]
fn skipped(words: &str) {
    eprintln!("skipped: {words}");
}

fn names(files: &std::collections::BTreeMap<String, Vec<u8>>) -> Vec<&String> {
    files.keys().collect()
}

fn an_update_that_is_killed_leaves_the_old_or_the_new() {
    let ground = Ground::new(&repository(&packages("1.0")));
    let begin = Instant::now();
    ground.mirror(&[]).succeeded();
    let whole = begin.elapsed();
    let mut random = Seeded(11);
    for version in 2..8 {
        ground.publish(&repository(&packages(&format!("{version}.0"))));
        let going = Going::start(ground.command(&["--quiet", "--prune"]));
        thread::sleep(whole * random.below(1000) as u32 / 1000);
        going.signal(Signal::KILL);
        going.end();
        // Old or new: a root can be resolved, and every package of it is there.
        let run =
            bareroot_testkit::door::run(ground.alone("resolve", &["--mirror", &ground.shown(), "--json"]))
                .succeeded();
        let there = served(&ground.dir());
        for part in run.stdout.split("\"url\":\"").skip(1) {
            let url = part.split('"').next().unwrap();
            let path = url.strip_prefix(&format!("file:{}/", ground.shown())).unwrap();
            assert!(there.contains_key(path), "{version}: {path}");
        }
    }
    ground.mirror(&["--prune"]).succeeded();
    ground.check().succeeded();
    assert!(!ground.dir().join(".bareroot-mirror/parts").exists());
}
