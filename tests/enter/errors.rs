//! What cannot be entered or run, with the exit codes of chroot(1).

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use bareroot_testkit::cases;
use bareroot_testkit::door::run;
use bareroot_testkit::harness::Case;
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};

use crate::place::Place;

pub const CASES: &[Case] = cases![
    Nothing: words_that_make_no_sense;
    Root: what_is_no_root, users_that_are_not_there, binds_that_cannot_be, programs_that_cannot_run,
        file_systems_without_programs_or_devices, without_rights,
];

fn words_that_make_no_sense() {
    let bareroot = |words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bareroot"));
        command.arg("enter").args(words);
        run(command)
    };
    for words in [
        &[][..],
        &["/nowhere", "--none"],
        &["/nowhere", "--mode", "none"],
        &["/nowhere", "--bind", "/a:b"],
        &["/nowhere", "--bind", "/a:/b:x"],
        &["/nowhere", "--env", "=x"],
        &["/nowhere", "--user", ":"],
    ] {
        bareroot(words).failed(125, &["error: "]);
    }
    let help = bareroot(&["--help"]).succeeded();
    for word in ["--read-only", "USER[:GROUP]", "125", "126", "127"] {
        assert!(help.stdout.contains(word), "{word} in {}", help.stdout);
    }
}

fn what_is_no_root() {
    let place = Place::empty();
    fs::write(place.beside("file"), "").unwrap();
    let enter = |root: &Path, words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bareroot"));
        command.arg("enter").arg(root).args(words);
        run(command)
    };
    enter(&place.beside("none"), &[]).failed(125, &["none`: No such file"]);
    enter(&place.beside("file"), &[]).failed(125, &["file`: Not a directory", "hint: "]);
    enter(&place.root(), &[]).failed(127, &["it is no root, or has no shell", "`/bin/sh`", "hint: "]);
    enter(&place.root(), &["true"]).failed(127, &["cannot run `true`: no such file"]);
    assert_eq!(place.listing(), Vec::<String>::new());
    place.assert_nothing_left();
}

fn users_that_are_not_there() {
    let place = Place::new();
    for (user, words) in [
        ("nobody", ["`/etc/passwd`", "no user `nobody`", "hint: "]),
        ("seven:none", ["`/etc/group`", "no group `none`", "hint: "]),
        (
            "500",
            ["`/etc/passwd`", "no user with the id 500", "`--user 500:500`"],
        ),
    ] {
        place.probe(&["-u", user], &["ids"]).failed(125, &words);
    }
    // Her shell is not there.
    run(place.command(&["-u", "far"], &[])).failed(127, &["cannot run `/bin/none`"]);
    place.assert_nothing_left();
}

fn binds_that_cannot_be() {
    let place = Place::new();
    fs::create_dir(place.beside("host")).unwrap();
    symlink("/etc", place.root().join("way")).unwrap();
    let before = place.listing();
    for (bind, words) in [
        ("none:/etc", ["none` in the root: No such file", ""]),
        ("host:/none", ["`/none`", "it is missing, expected a directory"]),
        ("host:/way", ["`/way`", "it is a symbolic link"]),
        ("host:/etc/passwd", ["`/etc/passwd`", "it is not a directory"]),
        ("host:/etc/../etc", ["/etc/../etc", "Invalid argument"]),
    ] {
        place.probe(&["--bind", bind], &["ids"]).failed(125, &words);
    }
    place.assert_nothing_left();
    assert_eq!(place.listing(), before);
}

fn programs_that_cannot_run() {
    let place = Place::new();
    let put = |name: &str, text: &str, mode| {
        let path = place.root().join("bin").join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    put("plain", "#!/bin/sh\n", 0o644);
    put("orphan", "#!/bin/none\n", 0o755);
    put("words", "words\n", 0o755);
    for (program, code, words) in [
        ("/bin/none", 127, ["no such file", ""]),
        ("none", 127, ["no such file", ""]),
        ("/bin/plain", 126, ["cannot be executed", "hint: "]),
        ("/bin", 126, ["cannot be executed", "hint: "]),
        (
            "/bin/orphan",
            126,
            ["the interpreter that it names is not there", "hint: "],
        ),
        (
            "/bin/words",
            126,
            ["neither a program for this machine nor a script", "hint: "],
        ),
    ] {
        run(place.command(&[], &[program])).failed(code, &words);
    }
    place
        .probe(&["-w", "/none"], &["ids"])
        .failed(125, &["working directory cannot be entered"]);
    place.assert_nothing_left();
}

/// A file system in memory, taken away in the end.
struct Mounted<'a>(&'a Path);

impl Drop for Mounted<'_> {
    fn drop(&mut self) {
        unmount(self.0, UnmountFlags::DETACH).unwrap();
    }
}

fn file_systems_without_programs_or_devices() {
    for (flag, code) in [(MountFlags::NOEXEC, 126), (MountFlags::NODEV, 0)] {
        let (place, whole) = (Place::empty(), Place::new());
        let root = place.root();
        mount("tmpfs", &root, "tmpfs", flag, Some(c"mode=755")).unwrap();
        let mounted = Mounted(&root);
        for directory in ["bin", "dev", "etc", "proc", "run", "sys"] {
            fs::create_dir(root.join(directory)).unwrap();
        }
        for name in ["bin/probe", "bin/sh"] {
            fs::copy(whole.root().join(name), root.join(name)).unwrap();
        }
        let run = place.probe(&[], &["read", "/dev/null"]);
        match code {
            126 => drop(run.failed(126, &["its file system is mounted `noexec`", "hint: "])),
            code => assert_eq!(run.ended_with(code).stderr, ""),
        }
        drop(mounted);
        place.assert_nothing_left();
    }
}

fn without_rights() {
    let place = Place::new();
    let mut command = place.command(&["--mode", "root"], &["/bin/probe", "ids"]);
    command.uid(65_534).gid(65_534);
    run(command).failed(125, &["root's rights", "hint: "]);
}
