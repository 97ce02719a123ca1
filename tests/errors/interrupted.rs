use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use bareroot_testkit::cases;
use bareroot_testkit::door::{Going, Signal};
use bareroot_testkit::harness::Case;

use crate::phases::{Hold, door, held};

pub const CASES: &[Case] = cases![
    Nothing: while_the_mirror_is_silent, while_an_index_stalls;
    Root: in_every_phase, by_other_signals, at_any_moment;
];

/// How long a run may take to clean up.
const SOON: Duration = Duration::from_secs(10);

#[track_caller]
fn interrupted(hold: Hold, stop: impl Fn(&Going)) {
    let door = door();
    let going = held(&door, hold);
    let begin = Instant::now();
    stop(&going);
    let run = going.end();
    assert!(begin.elapsed() < SOON, "{hold:?}: it took {:?}", begin.elapsed());
    assert_eq!(run.code, Some(130), "{hold:?}: {}", run.stderr);
    let errors = run
        .stderr
        .lines()
        .filter(|line| line.starts_with("error: "))
        .count();
    assert_eq!(errors, 1, "{hold:?}: {}", run.stderr);
    door.assert_nothing_left();
}

/// A terminal sends it to the whole group: to whatever runs in the root, too.
fn ctrl_c(going: &Going) {
    going.signal_group(Signal::INT);
}

fn while_the_mirror_is_silent() {
    interrupted(Hold::Release, ctrl_c);
}

fn while_an_index_stalls() {
    interrupted(Hold::Index, ctrl_c);
}

fn in_every_phase() {
    for hold in Hold::ALL {
        interrupted(hold, ctrl_c);
    }
}

fn by_other_signals() {
    for (signal, hold) in [
        (Signal::TERM, Hold::Fetch),
        (Signal::TERM, Hold::CustomizeHook),
        (Signal::HUP, Hold::Postinst),
        (Signal::INT, Hold::Preinst),
    ] {
        interrupted(hold, |going| going.signal(signal));
    }
}

/// Moments that nothing can hold: the beginning, solving, recording, moving into place.
fn at_any_moment() {
    let door = door();
    let begin = Instant::now();
    door.bootstrap(&[]).succeeded();
    let whole = begin.elapsed();
    fs::remove_dir_all(door.target()).unwrap();
    for moment in 0..12 {
        let going = Going::start(door.bootstrap_command(&["--verbose"]));
        thread::sleep(whole * moment / 11);
        ctrl_c(&going);
        let run = going.end();
        match run.code {
            Some(130) => door.assert_nothing_left(),
            // It was over, or as good as.
            Some(0) => {
                assert_eq!(door.beside(), ["root"]);
                assert!(door.target().join("usr/bin/dpkg").exists());
                door.assert_no_mount_and_no_process();
                fs::remove_dir_all(door.target()).unwrap();
            }
            // Before the signals are caught, its own action ends the process: nothing has been made then.
            None => {
                assert_eq!(run.stderr, "");
                door.assert_nothing_left();
            }
            code => panic!("{moment}: ended with {code:?}: {}", run.stderr),
        }
    }
}
