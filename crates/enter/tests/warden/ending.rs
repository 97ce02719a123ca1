//! How sessions end, by whatever end.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use bareroot_enter::{Error, Status, Warden};
use bareroot_model::{Cancel, Class, Classified};
use rustix::process::{Pid, Signal, getpid, kill_process};

use crate::place::{Place, host_mounts, life_line, probe, run, say, wait_for_death};
use crate::{Case, case};

pub const CASES: &[Case] = &[
    case("ending::closing_and_dropping_kill_what_is_left", close),
    case("ending::a_cancelled_run_kills_everything", cancel),
    case("ending::a_cancelled_wait_kills_everything", cancel_wait),
    case("ending::cancel_reaches_every_thread", cancel_threads),
    case("ending::a_killed_caller_leaves_nothing", caller_killed),
    case("ending::a_killed_warden_leaves_nothing", warden_killed),
    case("ending::dropping_the_warden_ends_its_sessions", warden_dropped),
    case("ending::the_first_process_is_not_killed_from_inside", kill_init),
    case("ending::no_process_is_left_of_a_warden", no_zombie),
];

fn close() {
    let (warden, place) = (Warden::start().unwrap(), Place::new());
    for dropped in [false, true] {
        let session = place.enter(&warden);
        let mut daemon = probe(&["daemon"]);
        let line = life_line(&mut daemon);
        assert!(run(&session, &daemon).unwrap().0.success());
        let mut sleeper = probe(&["sleep"]);
        sleeper.fds.push((9, daemon.fds.remove(0).1));
        let running = session.spawn(&sleeper).unwrap();
        drop((daemon, sleeper));
        if dropped {
            drop(session)
        } else {
            session.close().unwrap()
        }
        assert_eq!(wait_for_death(line), b"");
        assert!(matches!(
            running.wait(&Cancel::default()),
            Err(Error::Gone { .. })
        ));
    }
}

fn cancel() {
    let (warden, place) = (Warden::start().unwrap(), Place::new());
    let session = place.enter(&warden);
    let mut daemon = probe(&["daemon"]);
    let line = life_line(&mut daemon);
    run(&session, &daemon).unwrap();
    drop(daemon);
    let cancel = Cancel::default();
    let result = session.run(&probe(&["say-and-sleep"]), &cancel, &mut |_| cancel.set());
    let error = result.unwrap_err();
    assert!(matches!(error, Error::Cancelled), "{error}");
    assert_eq!(error.class(), Class::Interrupted);
    assert_eq!(wait_for_death(line), b"");
    assert!(run(&session, &probe(&["args"])).is_err());
    session.close().unwrap();
    // The warden goes on.
    assert_eq!(say(&place.enter(&warden), &["args"]), "[]\n");
}

fn cancel_wait() {
    let (warden, place) = (Warden::start().unwrap(), Place::new());
    let session = place.enter(&warden);
    let mut sleeper = probe(&["sleep"]);
    let line = life_line(&mut sleeper);
    let running = session.spawn(&sleeper).unwrap();
    drop(sleeper);
    let cancel = Cancel::default();
    cancel.set();
    assert!(matches!(running.wait(&cancel), Err(Error::Cancelled)));
    assert_eq!(wait_for_death(line), b"");
}

fn cancel_threads() {
    let (warden, place) = (Warden::start().unwrap(), Place::new());
    let session = place.enter(&warden);
    let cancel = Cancel::default();
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let result = session.run(&probe(&["say-and-sleep"]), &cancel, &mut |_| cancel.set());
                // Who comes too late finds no session any more.
                assert!(
                    matches!(result, Err(Error::Cancelled | Error::Gone { .. })),
                    "{result:?}"
                );
            });
        }
    });
}

fn caller_killed() {
    let place = Place::new();
    let mounts = host_mounts();
    let fifo = place.dir.path().join("line");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &fifo,
        rustix::fs::FileType::Fifo,
        0o600.into(),
        0,
    )
    .unwrap();
    let mut victim = Command::new(place.root.join("bin/probe"))
        .arg0("probe")
        .arg("victim")
        .args([&place.root, &fifo])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // Opening it waits for the victim's program to have it.
    let line = fs::File::open(&fifo).unwrap();
    let mut told = String::new();
    BufReader::new(victim.stdout.take().unwrap())
        .read_line(&mut told)
        .unwrap();
    assert_eq!(told, "ready\n");
    victim.kill().unwrap();
    victim.wait().unwrap();
    let mut left = Vec::new();
    std::io::Read::read_to_end(&mut { line }, &mut left).unwrap();
    assert_eq!(left, b"");
    assert_eq!(host_mounts(), mounts);
}

/// The process ids of this process' children.
fn children() -> Vec<(Pid, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().map(Result::unwrap) {
        let Ok(number) = entry.file_name().to_string_lossy().parse::<i32>() else {
            continue;
        };
        let Ok(stat) = fs::read_to_string(entry.path().join("stat")) else {
            continue;
        };
        let (name, rest) = stat.rsplit_once(')').unwrap();
        if rest.split_whitespace().nth(1) == Some(&getpid().as_raw_nonzero().to_string()) {
            found.push((
                Pid::from_raw(number).unwrap(),
                name.split_once('(').unwrap().1.to_owned(),
            ));
        }
    }
    found
}

fn warden_killed() {
    let (warden, place) = (Warden::start().unwrap(), Place::new());
    let session = place.enter(&warden);
    let mut daemon = probe(&["daemon"]);
    let line = life_line(&mut daemon);
    run(&session, &daemon).unwrap();
    drop(daemon);
    let found = children();
    let [(pid, name)] = found.as_slice() else {
        panic!("{found:?}")
    };
    assert_eq!(name, "bareroot-warden");
    // Nothing but SIGKILL reaches it.
    for signal in [Signal::INT, Signal::TERM, Signal::HUP, Signal::QUIT] {
        kill_process(*pid, signal).unwrap();
    }
    assert_eq!(say(&session, &["args"]), "[]\n");
    kill_process(*pid, Signal::KILL).unwrap();
    assert_eq!(wait_for_death(line), b"");
    let error = run(&session, &probe(&["args"])).unwrap_err();
    assert!(
        matches!(error, Error::Gone { .. } | Error::Talk { .. }),
        "{error}"
    );
    session.close().unwrap();
    assert!(place.enter_with(&warden, |_| {}).is_err());
}

fn warden_dropped() {
    let (warden, place) = (Warden::start().unwrap(), Place::new());
    let session = place.enter(&warden);
    let mut daemon = probe(&["daemon"]);
    let line = life_line(&mut daemon);
    run(&session, &daemon).unwrap();
    drop(daemon);
    drop(warden);
    assert_eq!(wait_for_death(line), b"");
    let error = run(&session, &probe(&["args"])).unwrap_err();
    assert!(matches!(error, Error::Gone { .. }), "{error}");
}

fn kill_init() {
    let (warden, place) = (Warden::start().unwrap(), Place::new());
    let session = place.enter(&warden);
    // From inside, the first process cannot be killed (pid_namespaces(7)).
    assert_eq!(
        run(&session, &probe(&["kill-init"])).unwrap().0,
        Status::Exited(0)
    );
    assert_eq!(say(&session, &["args"]), "[]\n");
}

fn no_zombie() {
    let (warden, place) = (Warden::start().unwrap(), Place::new());
    place.enter(&warden).close().unwrap();
    drop(warden);
    assert_eq!(children(), []);
}
