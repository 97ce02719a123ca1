use std::fs;
use std::thread;
use std::time::Instant;

use bareroot_testkit::cases;
use bareroot_testkit::door::{Going, Signal};
use bareroot_testkit::harness::Case;

use crate::check::Seeded;
use crate::{Ground, files, packages, repository, served};

pub const CASES: &[Case] =
    cases![Nothing: twenty_times_and_then_to_the_end, an_update_that_is_killed_leaves_the_old_or_the_new];

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
