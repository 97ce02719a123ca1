//! What a program gets, and what is heard of it.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use bareroot_enter::{Error, ExecFailure, Identity, Program, Status, Warden};
use bareroot_model::Cancel;

use crate::place::{Place, life_line, probe, put_probe, run, say, wait_for_death};
use crate::{Case, case};

pub const CASES: &[Case] = &[
    case("programs::a_status_is_a_code_or_a_signal", statuses),
    case("programs::output_is_one_stream_in_order", output_order),
    case("programs::output_comes_while_the_program_runs", output_streams),
    case("programs::much_output_arrives_whole", much_output),
    case("programs::the_environment_is_what_was_given", environment),
    case("programs::descriptors_are_what_was_given", descriptors),
    case("programs::input_is_at_its_end", input),
    case("programs::there_is_no_terminal", no_terminal),
    case("programs::signals_and_umask_are_the_defaults", defaults),
    case("programs::whom_it_runs_as", identities),
    case("programs::where_it_runs", directories),
    case("programs::a_name_is_searched_in_its_own_path", search),
    case("programs::refusals_are_told_apart", refusals),
    case("programs::long_command_lines", long_command_lines),
    case("programs::a_helper_answers_while_others_run", helper),
    case("programs::several_threads_run_programs_at_once", threads),
    case("programs::what_is_left_running_holds_nobody_up", leftovers),
];

fn statuses() {
    let (warden, place) = (Warden::start().unwrap(), Place::new());
    let session = place.enter(&warden);
    for code in [0, 1, 127, 255] {
        assert_eq!(
            run(&session, &probe(&["exit", &code.to_string()])).unwrap().0,
            Status::Exited(code)
        );
    }
    for signal in [1, 2, 9, 13, 15] {
        assert_eq!(
            run(&session, &probe(&["raise", &signal.to_string()])).unwrap().0,
            status_of(signal)
        );
    }
}

/// Rust's runtime ignores SIGPIPE, so that the probe survives it.
fn status_of(signal: i32) -> Status {
    if signal == 13 {
        Status::Exited(0)
    } else {
        Status::Signaled(signal)
    }
}

fn output_order() {
    let (warden, place) = (Warden::start().unwrap(), Place::new());
    let session = place.enter(&warden);
    let expected: String = (0..500)
        .map(|number| format!("out {number}\nerr {number}\n"))
        .collect();
    assert_eq!(say(&session, &["interleave", "500"]), expected);
}

fn output_streams() {
    let (warden, place) = (Warden::start().unwrap(), Place::new());
    let session = place.enter(&warden);
    let (reader, writer) = std::io::pipe().unwrap();
    let mut program = probe(&["say-then-read", "/proc/self/fd/3"]);
    program.fds.push((3, reader.into()));
    let (mut writer, mut heard) = (Some(writer), String::new());
    // It ends only when its first word was heard and answered.
    let status = session.run(&program, &Cancel::default(), &mut |piece| {
        heard.push_str(std::str::from_utf8(piece).unwrap());
        if let Some(mut writer) = writer.take() {
            writer.write_all(b"second").unwrap();
        }
    });
    assert_eq!(
        (status.unwrap(), heard.as_str()),
        (Status::Exited(0), "first second")
    );
}

fn much_output() {
    let (warden, place) = (Warden::start().unwrap(), Place::new());
    let session = place.enter(&warden);
    assert_eq!(say(&session, &["flood", "20000000"]).len(), 20_000_000);
}

fn environment() {
    let (warden, place) = (Warden::start().unwrap(), Place::new());
    let session = place.enter(&warden);
    assert_eq!(say(&session, &["env"]), "");
    let program = probe(&["env"]).env("B", "2 x").env("A", "").env("PATH", "/bin");
    assert_eq!(run(&session, &program).unwrap().1, "B=2 x\nA=\nPATH=/bin\n");
    assert_eq!(
        say(&session, &["args", "", "a b", "c"]),
        "[\"\", \"a b\", \"c\"]\n"
    );
}

fn descriptors() {
    let (warden, place) = (Warden::start().unwrap(), Place::new());
    // Descriptors of ours, also ones that an exec would pass on, reach nobody.
    let _file = fs::File::open("/").unwrap();
    let leaky = fs::File::open("/").unwrap();
    rustix::io::fcntl_setfd(&leaky, rustix::io::FdFlags::empty()).unwrap();
    let session = place.enter(&warden);
    assert_eq!(say(&session, &["fds"]), "0\n1\n2\n");

    // Numbers that collide with those that the descriptors have on the way.
    let mut program = probe(&["fds"]);
    for number in [3, 4, 5, 6, 7, 8, 10, 11, 12, 200] {
        program.fds.push((number, leaky.try_clone().unwrap().into()));
    }
    assert_eq!(
        sorted(&run(&session, &program).unwrap().1),
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 200]
    );

    // Each is the one that was meant.
    let files: Vec<_> = (0..8)
        .map(|number| place.root.join(format!("tmp/{number}")))
        .collect();
    let mut program = probe(&["args"]);
    for (number, file) in (3..).zip(&files) {
        fs::write(file, format!("file {number}")).unwrap();
        program.fds.push((number, fs::File::open(file).unwrap().into()));
    }
    for number in 3..11 {
        program.args = vec!["read".into(), format!("/proc/self/fd/{number}").into()];
        assert_eq!(run(&session, &program).unwrap().1, format!("file {number}"));
    }

    // The standard ones may be given too.
    let (mut reader, writer) = std::io::pipe().unwrap();
    let mut program = probe(&["interleave", "1"]);
    program.fds.push((2, writer.into()));
    assert_eq!(run(&session, &program).unwrap().1, "out 0\n");
    drop(program);
    let mut told = String::new();
    reader.read_to_string(&mut told).unwrap();
    assert_eq!(told, "err 0\n");
}

fn sorted(lines: &str) -> Vec<i32> {
    let mut numbers: Vec<i32> = lines.lines().map(|line| line.parse().unwrap()).collect();
    numbers.sort_unstable();
    numbers
}

fn input() {
    let (warden, place) = (Warden::start().unwrap(), Place::new());
    assert_eq!(say(&place.enter(&warden), &["stdin"]), "0\n");
}

fn no_terminal() {
    let (warden, place) = (Warden::start().unwrap(), Place::new());
    assert_eq!(say(&place.enter(&warden), &["session"]), "true true true\n");
}

fn defaults() {
    let (warden, place) = (Warden::start().unwrap(), Place::new());
    let session = place.enter(&warden);
    assert_eq!(say(&session, &["umask"]), "22\n");
    let status = say(&session, &["read", "/proc/self/status"]);
    let field = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        u64::from_str_radix(line.split_whitespace().nth(1).unwrap(), 16).unwrap()
    };
    assert_eq!(field("SigBlk:"), 0);
    // What Rust's runtime does in the probe itself: SIGPIPE is signal 13.
    assert_eq!(field("SigIgn:"), 1 << 12);
    assert!(status.contains("NoNewPrivs:\t0"), "{status}");
}

fn identities() {
    let (warden, place) = (Warden::start().unwrap(), Place::new());
    let session = place.enter(&warden);
    assert_eq!(say(&session, &["ids"]), "0 0 []\n");
    let mut program = probe(&["ids"]);
    program.identity = Identity::Ids {
        uid: 12,
        gid: 34,
        groups: vec![56, 78],
    };
    assert_eq!(run(&session, &program).unwrap().1, "12 34 [56, 78]\n");
}

fn directories() {
    let (warden, place) = (Warden::start().unwrap(), Place::new());
    let session = place.enter(&warden);
    assert_eq!(say(&session, &["cwd"]), "/\n");
    assert_eq!(say(&session, &["list", "/"]), "bin\ndev\netc\nproc\nsys\ntmp\n");
    let mut program = probe(&["cwd"]);
    program.cwd = "/tmp".into();
    assert_eq!(run(&session, &program).unwrap().1, "/tmp\n");
    // A link to outside leads nowhere from inside.
    std::os::unix::fs::symlink(place.dir.path(), place.root.join("out")).unwrap();
    program.cwd = "/out".into();
    assert!(matches!(
        run(&session, &program),
        Err(Error::Exec {
            why: ExecFailure::Directory,
            ..
        })
    ));

    let hook = place.dir.path().join("host/probe");
    put_probe(&hook);
    let mut program = Program::on_host(&hook).arg("cwd");
    program.cwd = place.dir.path().into();
    assert_eq!(
        run(&session, &program).unwrap().1,
        format!("{}\n", place.dir.path().display())
    );
    // It sees what is mounted in the root, as the process that it is in there.
    let inside = place.root.join("proc/1/comm");
    let program = Program::on_host(&hook).arg("read").arg(inside.as_os_str());
    assert_eq!(run(&session, &program).unwrap().1, "bareroot-init\n");
    assert!(!inside.exists());
}

fn search() {
    let (warden, place) = (Warden::start().unwrap(), Place::new());
    let session = place.enter(&warden);
    let named = |path: &str| {
        Program {
            path: "probe".into(),
            ..probe(&["exit", "7"])
        }
        .env("PATH", path)
    };
    assert_eq!(run(&session, &named("/sbin:/bin")).unwrap().0, Status::Exited(7));
    assert!(matches!(
        run(&session, &named("/sbin")),
        Err(Error::Exec {
            why: ExecFailure::NotFound,
            ..
        })
    ));
    let bare = Program {
        path: "probe".into(),
        ..probe(&["exit", "8"])
    };
    assert_eq!(run(&session, &bare).unwrap().0, Status::Exited(8));
}

fn refusals() {
    let (warden, place) = (Warden::start().unwrap(), Place::new());
    let file = |name: &str, mode: u32, text: &str| {
        fs::write(place.root.join(name), text).unwrap();
        fs::set_permissions(place.root.join(name), fs::Permissions::from_mode(mode)).unwrap();
    };
    file("bin/script", 0o755, "#!/bin/probe exit\n");
    file("bin/plain", 0o644, "#!/bin/probe exit\n");
    file("bin/orphan", 0o755, "#!/bin/none\n");
    file("bin/text", 0o755, "hello\n");
    std::os::unix::fs::symlink("/bin/none", place.root.join("bin/dangling")).unwrap();
    let session = place.enter(&warden);

    let why = |path: &str| match run(&session, &Program::in_root(path)) {
        Err(error @ Error::Exec { why, .. }) => {
            assert!(error.to_string().contains(path), "{error}");
            (why, error.chroot_code())
        }
        other => panic!("{path}: {other:?}"),
    };
    assert_eq!(why("/bin/none"), (ExecFailure::NotFound, 127));
    assert_eq!(why("/bin/dangling"), (ExecFailure::NotFound, 127));
    assert_eq!(why("/bin/probe/x"), (ExecFailure::NotFound, 127));
    assert_eq!(why("/bin/plain"), (ExecFailure::NotExecutable, 126));
    assert_eq!(why("/bin"), (ExecFailure::NotExecutable, 126));
    assert_eq!(why("/bin/orphan"), (ExecFailure::NoInterpreter, 126));
    assert_eq!(why("/bin/text"), (ExecFailure::Format, 126));
    // A program's own 127 is not one of bareroot's.
    assert_eq!(
        run(&session, &probe(&["exit", "127"])).unwrap().0,
        Status::Exited(127)
    );
    // And the session has survived it all.
    let script = Program::in_root("/bin/script");
    assert!(run(&session, &script).is_ok());
}

fn long_command_lines() {
    let (warden, place) = (Warden::start().unwrap(), Place::new());
    let session = place.enter(&warden);
    let words: Vec<String> = (0..20_000).map(|number| format!("word-{number:030}")).collect();
    let mut program = probe(&["args"]);
    program.args.extend(words.iter().map(Into::into));
    let (status, printed) = run(&session, &program).unwrap();
    assert!(status.success());
    assert_eq!(printed.matches("word-").count(), 20_000);
    for length in [200 << 10, 20 << 20] {
        let program = probe(&["args", &"x".repeat(length)]);
        let refused = run(&session, &program).unwrap_err();
        assert!(
            matches!(
                refused,
                Error::Exec {
                    why: ExecFailure::Other,
                    ..
                }
            ),
            "{length}: {refused}"
        );
    }
    assert_eq!(say(&session, &["args"]), "[]\n");
}

fn helper() {
    let (warden, place) = (Warden::start().unwrap(), Place::new());
    let session = place.enter(&warden);
    let mut helper = session.spawn(&probe(&["echo"])).unwrap();
    let (mut stdin, mut stdout) = (helper.stdin.take().unwrap(), helper.stdout.take().unwrap());
    for number in 0..3 {
        writeln!(stdin, "{number}").unwrap();
        let expected = format!("got {number}\n");
        let mut answer = vec![0; expected.len()];
        stdout.read_exact(&mut answer).unwrap();
        assert_eq!(String::from_utf8(answer).unwrap(), expected);
        assert_eq!(say(&session, &["args"]), "[]\n");
    }
    drop(stdin);
    assert_eq!(helper.wait(&Cancel::default()).unwrap(), Status::Exited(0));

    let sleeper = session.spawn(&probe(&["sleep"])).unwrap();
    sleeper.kill(15).unwrap();
    assert_eq!(sleeper.wait(&Cancel::default()).unwrap(), Status::Signaled(15));
    let missing = session.spawn(&Program::in_root("/bin/none")).unwrap();
    assert!(matches!(
        missing.wait(&Cancel::default()),
        Err(Error::Exec {
            why: ExecFailure::NotFound,
            ..
        })
    ));
    assert!(Path::new("/proc/self").exists());
}

fn threads() {
    let (warden, place) = (Warden::start().unwrap(), Place::new());
    let session = place.enter(&warden);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let session = &session;
            scope.spawn(move || {
                for number in 0..25 {
                    let word = format!("{thread}-{number}");
                    assert_eq!(say(session, &["args", &word]), format!("[\"{word}\"]\n"));
                }
            });
        }
    });
}

fn leftovers() {
    let (warden, place) = (Warden::start().unwrap(), Place::new());
    let session = place.enter(&warden);
    let begin = Instant::now();
    let mut daemon = probe(&["daemon"]);
    let line = life_line(&mut daemon);
    let (status, printed) = run(&session, &daemon).unwrap();
    assert!(
        status.success() && printed.contains("left "),
        "{status} {printed}"
    );
    drop(daemon);
    // One that writes for ever does not either.
    assert!(
        run(&session, &probe(&["daemon-that-chatters"]))
            .unwrap()
            .0
            .success()
    );
    assert!(begin.elapsed() < Duration::from_secs(60));
    session.close().unwrap();
    assert_eq!(wait_for_death(line), b"");
}
