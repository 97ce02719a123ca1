//! Signals to bareroot are signals to the program.

use std::fs;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use bareroot_testkit::cases;
use bareroot_testkit::door::{Going, Signal};
use bareroot_testkit::harness::Case;

use crate::place::Place;

pub const CASES: &[Case] = cases![
    Root: signals_are_passed_on, their_default_effect_is_the_program_s, what_was_ignored_stays_ignored,
        a_stop_stops_the_program,
];

fn signals_are_passed_on() {
    let place = Place::new();
    let mut going = Going::start(place.command(&[], &["/bin/probe", "trap"]));
    going.until_said("ready");
    for signal in [
        Signal::HUP,
        Signal::INT,
        Signal::QUIT,
        Signal::USR1,
        Signal::USR2,
        Signal::ALARM,
        Signal::WINCH,
    ] {
        going.signal(signal);
        going.until_said(&format!("got {}\n", signal.as_raw()));
    }
    going.signal(Signal::TERM);
    going.end().ended_with(15);
    place.assert_nothing_left();
}

fn their_default_effect_is_the_program_s() {
    for (signal, code) in [
        (Signal::TERM, 143),
        (Signal::HUP, 129),
        (Signal::INT, 130),
        (Signal::USR1, 138),
    ] {
        let place = Place::new();
        let mut going = Going::start(place.command(&[], &["/bin/probe", "ready-and-sleep"]));
        going.until_said("ready");
        going.signal(signal);
        let run = going.end().ended_with(code);
        assert_eq!(run.stderr, "");
        place.assert_nothing_left();
    }
}

fn what_was_ignored_stays_ignored() {
    let place = Place::new();
    let inner = place.command(&[], &["/bin/probe", "trap"]);
    // As nohup(1) starts a program.
    let mut command = Command::new("/bin/sh");
    command.args(["-c", "trap '' HUP; exec \"$@\"", "sh"]);
    command.arg(inner.get_program()).args(inner.get_args());
    let mut going = Going::start(command);
    going.until_said("ready");
    going.signal(Signal::HUP);
    going.signal(Signal::USR1);
    going.until_said("got 10");
    going.signal(Signal::TERM);
    let run = going.end().ended_with(15);
    assert_eq!(run.stdout, "ready\ngot 10\ngot 15\n");
}

/// The state of the process, and of all that it started: `T` is stopped (proc(5)).
fn states(place: &Place) -> Vec<char> {
    let mut states = Vec::new();
    let mark = format!("PLACE={}", place.beside("").display());
    let mark = mark.trim_end_matches('/');
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let read = |name: &str| fs::read(entry.path().join(name)).unwrap_or_default();
        let environ = String::from_utf8_lossy(&read("environ")).into_owned();
        let comm = String::from_utf8_lossy(&read("comm")).into_owned();
        if environ.contains(mark) && comm == "bareroot\n"
            || comm == "probe\n" && in_root(&entry.path(), place)
        {
            let stat = String::from_utf8_lossy(&read("stat")).into_owned();
            states.extend(stat.rsplit(") ").next().and_then(|rest| rest.chars().next()));
        }
    }
    states
}

/// Whether a process' root is the place's: by its inode, as its path is another.
fn in_root(process: &std::path::Path, place: &Place) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let inode = |path: std::path::PathBuf| fs::metadata(path).map(|about| about.ino()).ok();
    inode(process.join("root")) == inode(place.root())
}

fn a_stop_stops_the_program() {
    let place = Place::new();
    let mut going = Going::start(place.command(&[], &["/bin/probe", "tick"]));
    going.until_said("tick");
    assert_eq!(states(&place).len(), 2);
    going.signal(Signal::TSTP);
    going.until_so("both are stopped", || states(&place) == ['T', 'T']);
    going.signal(Signal::CONT);
    going.until_so("both go on", || states(&place).iter().all(|state| *state != 'T'));
    sleep(Duration::from_millis(20));
    going.signal(Signal::TERM);
    going.end().ended_with(143);
    place.assert_nothing_left();
}
