use std::fs;
use std::thread;
use std::time::Instant;

use bareroot_testkit::cases;
use bareroot_testkit::door::{Door, Going, Signal};
use bareroot_testkit::harness::Case;

use crate::phases::{Hold, door, held};

pub const CASES: &[Case] = cases![Root: in_every_phase, at_any_moment];

/// What HOUSE.md allows after SIGKILL: a staging directory that the next run removes; no target, no mount, no process.
#[track_caller]
fn assert_only_staging(door: &Door, when: &str) {
    door.assert_no_mount_and_no_process();
    let left = door.beside();
    assert!(
        left.len() <= 1 && left.iter().all(|name| name.starts_with(".root.bareroot-")),
        "{when}: {left:?}"
    );
}

#[track_caller]
fn assert_next_run_succeeds(door: &Door) {
    door.mirror.behave();
    door.bootstrap(&[]).succeeded();
    assert_eq!(door.beside(), ["root"]);
    door.assert_no_mount_and_no_process();
}

fn in_every_phase() {
    for hold in Hold::ALL {
        let door = door();
        let going = held(&door, hold);
        going.signal(Signal::KILL);
        assert_eq!(going.end().code, None);
        assert_only_staging(&door, &format!("{hold:?}"));
        assert_next_run_succeeds(&door);
    }
}

fn at_any_moment() {
    let door = door();
    let begin = Instant::now();
    door.bootstrap(&[]).succeeded();
    let whole = begin.elapsed();
    fs::remove_dir_all(door.target()).unwrap();
    for moment in 0..12 {
        let going = Going::start(door.bootstrap_command(&["--verbose"]));
        thread::sleep(whole * moment / 11);
        going.signal(Signal::KILL);
        let run = going.end();
        door.assert_no_mount_and_no_process();
        // Moving into place is one step: a target that is there is whole.
        if door.beside() == ["root"] {
            assert!(run.stderr.contains("finish took"), "{moment}: {}", run.stderr);
            assert!(door.target().join("var/lib/dpkg/status").exists());
            fs::remove_dir_all(door.target()).unwrap();
            continue;
        }
        assert_only_staging(&door, &format!("moment {moment}"));
    }
    assert_next_run_succeeds(&door);
}
