//! Functions of this binary as programs of a root that has none.

use std::fs;

use bareroot_enter::{Builtin, Error, ExecFailure, Program, Status, Warden};
use bareroot_model::Cancel;

use crate::place::{Place, run};
use crate::{Case, case, probe};

pub const CASES: &[Case] = &[
    case("builtins::it_runs_in_the_root_and_sees_what_it_was_given", given),
    case("builtins::its_status_is_what_it_returns", statuses),
    case("builtins::a_panic_is_reported", panics),
    case("builtins::a_name_that_nobody_registered_is_not_found", unknown),
    case("builtins::its_own_process_can_be_changed", process),
    case("builtins::it_can_be_spawned_and_killed", spawned),
];

static BUILTINS: &[Builtin] = &[("probe", probe::builtin)];

/// A session in a root without any program.
fn place() -> (Warden, Place) {
    let (warden, place) = (Warden::start_with(BUILTINS).unwrap(), Place::new());
    fs::remove_dir_all(place.root.join("bin")).unwrap();
    (warden, place)
}

fn builtin(words: &[&str]) -> Program {
    words
        .iter()
        .fold(Program::builtin("probe"), |program, word| program.arg(*word))
}

fn given() {
    let (warden, place) = place();
    let session = place.enter(&warden);
    let say = |program: &Program| {
        let (status, printed) = run(&session, program).unwrap();
        assert!(status.success(), "{program:?}: {status}: {printed}");
        printed
    };
    assert_eq!(say(&builtin(&["args", "a", ""])), "[\"a\", \"\"]\n");
    assert_eq!(say(&builtin(&["env"])), "");
    assert_eq!(say(&builtin(&["env"]).env("A", "b=c")), "A=b=c\n");
    assert_eq!(say(&builtin(&["umask"])), "22\n");
    assert_eq!(say(&builtin(&["stdin"])), "0\n");
    assert_eq!(say(&builtin(&["list", "/"])), "dev\netc\nproc\nsys\ntmp\n");
    assert_eq!(say(&builtin(&["session"])), "true true true\n");
    let mut elsewhere = builtin(&["cwd"]);
    elsewhere.cwd = "/etc".into();
    assert_eq!(say(&elsewhere), "/etc\n");
    // Its own three, what it was given, and the pipe for its end.
    let mut with = builtin(&["fds"]);
    with.fds.push((9, fs::File::open("/dev/null").unwrap().into()));
    assert_eq!(say(&with).lines().count(), 5);
    let expected: String = (0..500)
        .map(|number| format!("out {number}\nerr {number}\n"))
        .collect();
    assert_eq!(say(&builtin(&["interleave", "500"])), expected);
}

fn statuses() {
    let (warden, place) = place();
    let session = place.enter(&warden);
    for code in [0, 1, 127, 255] {
        let status = run(&session, &builtin(&["exit", &code.to_string()])).unwrap().0;
        assert_eq!(status, Status::Exited(code));
    }
    let status = run(&session, &builtin(&["raise", "15"])).unwrap().0;
    assert_eq!(status, Status::Signaled(15));
}

fn panics() {
    let (warden, place) = place();
    let session = place.enter(&warden);
    let error = run(&session, &builtin(&["panic"])).unwrap_err();
    assert!(matches!(
        error,
        Error::Exec {
            why: ExecFailure::Panicked,
            ..
        }
    ));
    assert_eq!(error.chroot_code(), 125);
    // The session is as good as before.
    assert!(run(&session, &builtin(&["exit", "0"])).unwrap().0.success());
}

fn unknown() {
    let (warden, place) = place();
    let session = place.enter(&warden);
    let error = run(&session, &Program::builtin("none")).unwrap_err();
    assert!(matches!(
        error,
        Error::Exec {
            why: ExecFailure::NotFound,
            ..
        }
    ));
}

fn process() {
    let (warden, place) = place();
    let session = place.enter(&warden);
    assert_eq!(
        run(&session, &builtin(&["fork"])).unwrap(),
        (Status::Exited(0), "child Some(7)\n".to_owned())
    );
    assert_eq!(
        run(&session, &builtin(&["variables"]).env("GIVEN", "1"))
            .unwrap()
            .1,
        "ADDED=1\n"
    );
    assert_eq!(run(&session, &builtin(&["redirect"])).unwrap().1, "heard\n");
}

fn spawned() {
    let (warden, place) = place();
    let session = place.enter(&warden);
    let sleeper = session.spawn(&builtin(&["sleep"])).unwrap();
    sleeper.kill(15).unwrap();
    assert_eq!(sleeper.wait(&Cancel::default()).unwrap(), Status::Signaled(15));
}
