//! A terminal here is a terminal of the session's own there.

use std::fs;

use bareroot_testkit::cases;
use bareroot_testkit::door::{Signal, Terminal};
use bareroot_testkit::harness::Case;
use rustix::termios::{LocalModes, OutputModes, Termios};

use crate::place::Place;

pub const CASES: &[Case] = cases![
    Root: a_terminal_of_the_session_s_own, keys_become_signals_inside, a_size_is_followed, all_of_it_arrives,
        modes_are_set_back_at_any_end, errors_may_go_elsewhere, a_stop_gives_the_terminal_back,
        what_is_no_terminal_gets_none,
];

/// What tells raw modes from others.
fn modes(modes: &Termios) -> (LocalModes, OutputModes) {
    (modes.local_modes, modes.output_modes)
}

fn start(place: &Place, options: &[&str], words: &[&str]) -> Terminal {
    Terminal::start(place.command(options, words))
}

fn a_terminal_of_the_session_s_own() {
    let place = Place::new();
    let mut terminal = start(&place, &["-u", "seven"], &[]);
    let before = modes(&terminal.modes());
    terminal.until_shown("in /home/seven");
    assert_ne!(modes(&terminal.modes()), before);
    terminal.press("terminal\n");
    terminal.until_shown("/dev/pts/0 24x80 7 own true\r\nconsole true\r\n");
    terminal.press("exit 5\n");
    assert_eq!(terminal.end(), Some(5));
    assert_eq!(modes(&terminal.modes()), before);
    place.assert_nothing_left();
}

fn keys_become_signals_inside() {
    let place = Place::new();
    let mut terminal = start(&place, &[], &["/bin/probe", "trap"]);
    terminal.until_shown("ready");
    terminal.press("\x03");
    terminal.until_shown("got 2");
    terminal.press("\x1c");
    terminal.until_shown("got 3");
    terminal.signal(Signal::TERM);
    terminal.until_shown("got 15");
    assert_eq!(terminal.end(), Some(15));
    // The end of input.
    let mut terminal = start(&place, &[], &["/bin/probe", "echo"]);
    terminal.press("one\n");
    terminal.until_shown("got one");
    terminal.press("\x04");
    assert_eq!(terminal.end(), Some(0));
}

fn a_size_is_followed() {
    let place = Place::new();
    let mut terminal = start(&place, &[], &["/bin/probe", "size-on-change"]);
    terminal.until_shown("ready");
    terminal.resize(33, 99);
    terminal.until_shown("size 33 99");
    assert_eq!(terminal.end(), Some(0));
}

fn all_of_it_arrives() {
    let place = Place::new();
    let mut terminal = start(&place, &[], &["/bin/probe", "flood", "1048576"]);
    assert_eq!(terminal.end(), Some(0));
    terminal.until("all of it", |terminal| terminal.screen().len() == 1 << 20);
}

fn modes_are_set_back_at_any_end() {
    let place = Place::new();
    for signal in [Signal::TERM, Signal::HUP, Signal::KILL] {
        let mut terminal = start(&place, &[], &["/bin/probe", "ready-and-sleep"]);
        let before = modes(&terminal.modes());
        terminal.until_shown("ready");
        assert_ne!(modes(&terminal.modes()), before);
        terminal.signal(signal);
        terminal.end();
        // After SIGKILL by the warden.
        terminal.until("the modes from before", |terminal| {
            modes(&terminal.modes()) == before
        });
        place.assert_nothing_left();
    }
    let mut terminal = start(&place, &[], &["/bin/none"]);
    let before = modes(&terminal.modes());
    assert_eq!(terminal.end(), Some(127));
    assert_eq!(modes(&terminal.modes()), before);
    terminal.until_shown("error: cannot run `/bin/none`: no such file");
}

fn errors_may_go_elsewhere() {
    let place = Place::new();
    let log = place.beside("log");
    let inner = place.command(&[], &["/bin/sh"]);
    let mut command = std::process::Command::new("/bin/sh");
    command
        .args(["-c", "exec \"$@\" 2>log", "sh"])
        .current_dir(place.beside(""));
    command.arg(inner.get_program()).args(inner.get_args());
    let mut terminal = Terminal::start(command);
    terminal.until_shown("shell");
    terminal.press("complain of this\nsay done\n");
    terminal.until_shown("done\r\n");
    terminal.press("exit 0\n");
    assert_eq!(terminal.end(), Some(0));
    assert_eq!(fs::read_to_string(log).unwrap(), "of this\n");
}

fn a_stop_gives_the_terminal_back() {
    let place = Place::new();
    let mut terminal = start(&place, &[], &[]);
    let before = modes(&terminal.modes());
    terminal.until_shown("shell");
    let raw = modes(&terminal.modes());
    terminal.signal(Signal::TSTP);
    let stat = format!("/proc/{}/stat", terminal.id());
    terminal.until("it is stopped", |_| {
        fs::read_to_string(&stat).unwrap().contains(") T ")
    });
    assert_eq!(modes(&terminal.modes()), before);
    terminal.signal(Signal::CONT);
    terminal.until("it is raw again", |terminal| modes(&terminal.modes()) == raw);
    terminal.press("say again\n");
    terminal.until_shown("again\r\n");
    terminal.press("exit 0\n");
    assert_eq!(terminal.end(), Some(0));
}

fn what_is_no_terminal_gets_none() {
    let place = Place::new();
    let run = place.probe(&[], &["terminal"]).ended_with(99);
    assert!(run.stdout.contains("Inappropriate ioctl"), "{}", run.stdout);
}
