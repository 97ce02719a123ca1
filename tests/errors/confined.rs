//! What threads that work on packages may not do.

use std::collections::BTreeMap;
use std::fs;
use std::thread;

use bareroot_testkit::cases;
use bareroot_testkit::door::{Going, Signal};
use bareroot_testkit::harness::Case;
use landlock::{AccessNet, Ruleset, RulesetAttr, RulesetCreatedAttr};

use crate::phases::{Hold, door, held};

pub const CASES: &[Case] = cases![Root: threads_that_unpack, without_landlock];

/// The fields of each thread's status, by the thread's name; several threads of a name are told by their numbers.
fn threads(process: i32) -> Vec<BTreeMap<String, String>> {
    let tasks = fs::read_dir(format!("/proc/{process}/task")).unwrap();
    tasks
        .filter_map(|task| fs::read_to_string(task.unwrap().path().join("status")).ok())
        .map(|text| {
            let fields = text.lines().filter_map(|line| line.split_once(":\t"));
            fields
                .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
                .collect()
        })
        .collect()
}

fn threads_that_unpack() {
    // chown, dac_override, fowner, fsetid, mknod, sys_resource, setfcap (linux/capability.h).
    let kept: u64 = [0, 1, 3, 4, 27, 24, 31].iter().map(|bit| 1 << bit).sum();
    let door = door();
    let going = held(&door, Hold::Fetch);
    let (mut confined, mut others) = (0, 0);
    let threads = threads(going.pid().as_raw_nonzero().get());
    for thread in &threads {
        let capabilities = u64::from_str_radix(&thread["CapEff"], 16).unwrap();
        let how = (thread["NoNewPrivs"].as_str(), thread["Seccomp"].as_str());
        if thread["Name"] == "unpack" {
            assert_eq!(how, ("1", "2"), "{thread:?}");
            assert_eq!(capabilities & !kept, 0, "{thread:?}");
            assert_eq!(thread["CapPrm"], thread["CapEff"], "{thread:?}");
            confined += 1;
        } else {
            // These fetch, and will mount and start programs: what they have is not taken from them by mistake.
            assert_eq!(how.0, "0", "{thread:?}");
            assert_ne!(capabilities & !kept, 0, "{thread:?}");
            others += 1;
        }
    }
    assert!(confined > 0 && others > 0, "{threads:?}");
    going.signal(Signal::INT);
    assert_eq!(going.end().code, Some(130));
    door.assert_nothing_left();
}

/// No thread may have more than sixteen sets of rules (landlock(7)): what comes of a process that has them gets no more.
fn without_landlock() {
    let door = door();
    let run = thread::scope(|scope| {
        let work = || {
            for _ in 0..16 {
                let rules = Ruleset::default().handle_access(AccessNet::BindTcp).unwrap();
                rules
                    .create()
                    .unwrap()
                    .no_new_privs(false)
                    .restrict_self()
                    .unwrap();
            }
            Going::start(door.bootstrap_command(&["--include", "large"])).end()
        };
        scope.spawn(work).join().unwrap()
    });
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert!(!run.stderr.contains("landlock"), "{}", run.stderr);
    assert_eq!(fs::metadata(door.target().join("large")).unwrap().len(), 4 << 20);
}
