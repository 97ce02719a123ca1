//! Runs that end early, and what is not this user's to read.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::thread;
use std::time::Instant;

use bareroot_testkit::cases;
use bareroot_testkit::disk::Disk;
use bareroot_testkit::door::{Going, Signal, run};
use bareroot_testkit::harness::Case;

use crate::{assert_same, clone, door, made};

pub const CASES: &[Case] = cases![
    Nothing: killed_at_any_moment, interrupted;
    Root: no_space, an_ordinary_user;
];

fn killed_at_any_moment() {
    let door = door();
    made::plain(&door.path("source"));
    let begin = Instant::now();
    run(clone(&door, "out/root", &[])).succeeded();
    let whole = begin.elapsed();
    run(door.command(["remove", "out/root"])).succeeded();
    for moment in 0..10 {
        let going = Going::start(clone(&door, "out/root", &[]));
        thread::sleep(whole * moment / 10);
        going.signal(Signal::KILL);
        going.end();
        let mut left = door.beside();
        if left.contains(&"root".to_owned()) {
            assert_same(&door.path("source"), &door.target(), &|path| {
                path.ends_with("socket") || path.ends_with(".bareroot-ledger")
            });
            run(door.command(["remove", "out/root"])).succeeded();
            left.retain(|name| name != "root");
        }
        assert!(
            left.len() <= 1 && left.iter().all(|name| name.starts_with(".root.bareroot-")),
            "moment {moment}: {left:?}"
        );
    }
    run(clone(&door, "out/root", &[])).succeeded();
    door.assert_beside_is(&["root"]);
}

fn interrupted() {
    let door = door();
    made::plain(&door.path("source"));
    let large = fs::File::create(door.path("source/very-large")).unwrap();
    // Data, not a hole: it takes a while.
    for _ in 0..400 {
        std::io::Write::write_all(&mut &large, &vec![1; 1 << 20]).unwrap();
    }
    let mut going = Going::start(clone(&door, "out/root", &["--jobs", "1"]));
    going.until_so("a staging directory", || !door.beside().is_empty());
    going.signal(Signal::INT);
    let run = going.end();
    assert!(matches!(run.code, Some(130)), "{:?} {}", run.code, run.stderr);
    door.assert_beside_is(&[]);
}

fn no_space() {
    let door = door();
    fs::write(door.path("source/large"), vec![1; 3 << 20]).unwrap();
    let disk = Disk::mount(&door.path("out"), 1 << 20);
    run(clone(&door, "out/root", &[])).failed(
        6,
        &[
            "no space left to write",
            "root.bareroot-",
            "large",
            "hint: free some space",
        ],
    );
    assert_eq!(door.beside(), Vec::<String>::new());
    run(clone(&door, "out/a.tar", &[])).failed(6, &["No space left", "hint: free some space"]);
    assert_eq!(door.beside(), Vec::<String>::new());
    drop(disk);
}

fn an_ordinary_user() {
    const NOBODY: u32 = 65534;
    let door = door();
    let source = door.path("source");
    for (name, uid, mode) in [
        ("mine", NOBODY, 0o600),
        ("roots", 0, 0o644),
        ("daemons", 1, 0o644),
        ("secret", 0, 0o600),
    ] {
        let path = source.join(name);
        fs::write(&path, name).unwrap();
        std::os::unix::fs::chown(&path, Some(uid), Some(uid)).unwrap();
        fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
    }
    fs::create_dir(source.join("closed")).unwrap();
    fs::set_permissions(source.join("closed"), PermissionsExt::from_mode(0o700)).unwrap();
    for name in ["", "out", "home", "xdg", "tmp"] {
        let path = door.path(name);
        fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
        std::os::unix::fs::chown(&path, Some(NOBODY), Some(NOBODY)).unwrap();
    }
    // The binary may lie where this user cannot go.
    let binary = door.path("bareroot");
    // By a process of its own: a test that forks meanwhile would keep the file open for writing, and so from being run.
    let copied = std::process::Command::new("cp")
        .args([env!("CARGO_BIN_EXE_bareroot").as_ref(), binary.as_os_str()])
        .status();
    assert!(copied.unwrap().success());
    let mut command = std::process::Command::new(&binary);
    command
        .args(["clone", "out/root", "--from", "source", "--mode", "single"])
        .current_dir(door.path(""))
        .env_clear()
        .uid(NOBODY)
        .gid(NOBODY);
    let run = run(command).ended_with(9).says(&[
        "`/secret` cannot be read: Permission denied",
        "`/closed` cannot be read: Permission denied",
        "error: the clone is made, but 0 paths changed while they were read, and 2 could not be read",
        "hint: ",
    ]);
    assert!(!run.stderr.contains("`/roots`"), "{}", run.stderr);
    let ledger = fs::read_to_string(door.target().join(".bareroot-ledger")).unwrap();
    assert!(
        ledger.contains("\n1 1 - daemons\n")
            && ledger.contains("\n65534 65534 - mine\n")
            && !ledger.contains("roots"),
        "{ledger}"
    );
    assert!(!door.target().join("secret").exists() && door.target().join("closed").is_dir());
}
