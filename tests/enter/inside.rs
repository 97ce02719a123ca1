//! What a program finds, and what passes between it and this host.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::Path;
use std::process::Stdio;

use bareroot_testkit::cases;
use bareroot_testkit::door::run;
use bareroot_testkit::harness::Case;

use crate::place::{Place, run_with_input};

pub const CASES: &[Case] = cases![
    Root: a_shell_where_no_program_is_named, processes_and_mounts_are_the_session_s, the_root_is_the_root_s_inode,
        the_environment_is_a_login_s, a_program_opens_a_terminal, streams_are_passed_through,
        exit_codes_are_the_program_s, the_host_s_names_are_shown_and_nothing_stays, orphans_are_reaped,
        what_was_left_running_is_gone, the_working_directory,
];

fn a_shell_where_no_program_is_named() {
    let place = Place::new();
    let run = run_with_input(place.command(&[], &[]), b"say hello\nids\nexit 7\n").ended_with(7);
    assert_eq!(run.stdout, "shell [\"-sh\"] in /root\nhello\n0 0 [0, 9]\n");
    assert_eq!(run.stderr, "");
    let run = run_with_input(place.command(&["-u", "seven"], &[]), b"cwd\n").succeeded();
    assert_eq!(run.stdout, "shell [\"-sh\"] in /home/seven\n/home/seven\n");
    // A home that is not there.
    fs::remove_dir(place.root().join("root")).unwrap();
    let run = run_with_input(place.command(&[], &[]), b"").succeeded();
    assert_eq!(run.stdout, "shell [\"-sh\"] in /\n");
    place.assert_nothing_left();
}

fn processes_and_mounts_are_the_session_s() {
    let place = Place::new();
    assert_eq!(place.says(&[], &["processes"]), "bareroot-init\nprobe\n");
    let mounts = place.says(&[], &["mounts"]);
    let expected = [
        "/ rw",
        "/proc rw",
        "/sys ro",
        "/dev rw",
        "/dev/pts rw",
        "/dev/shm rw",
        "/run rw",
        "/proc/sys ro",
    ];
    for line in expected {
        assert_eq!(
            mounts.lines().filter(|found| *found == line).count(),
            1,
            "{line} in {mounts}"
        );
    }
    // All the rest lies in one of these.
    let covers = ["/proc/", "/dev/", "/etc/resolv.conf ro", "/etc/hosts ro"];
    for line in mounts.lines().filter(|line| !expected.contains(line)) {
        assert!(covers.iter().any(|cover| line.starts_with(cover)), "{line}");
    }
    assert_eq!(
        place.says(&[], &["list", "/dev"]),
        "console\nfd\nfull\nnull\nptmx\npts\nrandom\nshm\nstderr\nstdin\nstdout\ntty\nurandom\nzero\n"
    );
    assert_eq!(place.says(&[], &["list", "/run"]), "lock\n");
}

fn the_root_is_the_root_s_inode() {
    let place = Place::new();
    let inode = fs::metadata(place.root()).unwrap().ino();
    for options in [&[][..], &["--privileged"], &["--read-only"]] {
        assert_eq!(
            place.says(options, &["inode", "/"]),
            format!("{inode}\n"),
            "{options:?}"
        );
        assert_eq!(
            place.says(options, &["inode", "/../.."]),
            format!("{inode}\n"),
            "{options:?}"
        );
    }
}

fn the_environment_is_a_login_s() {
    let place = Place::new();
    let path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n";
    assert_eq!(
        place.says(&[], &["env"]),
        format!("HOME=/root\nLOGNAME=root\n{path}SHELL=/bin/sh\nTERM=vt100\nUSER=root\n")
    );
    assert_eq!(
        place.says(
            &[
                "-u", "seven", "--env", "A=b=c", "--env", "HOME=/x", "--env", "PLACE"
            ],
            &["env"]
        ),
        format!(
            "A=b=c\nHOME=/x\nLOGNAME=seven\n{path}PLACE={}\nSHELL=/bin/sh\nTERM=vt100\nUSER=seven\n",
            place.beside("").to_string_lossy().trim_end_matches('/')
        )
    );
    // Found by that PATH.
    let run = run(place.command(&[], &["probe", "args", "-x", "", "a b"])).succeeded();
    assert_eq!(run.stdout, "[\"-x\", \"\", \"a b\"]\n");
}

fn a_program_opens_a_terminal() {
    assert_eq!(Place::new().says(&[], &["open-terminal"]), "/dev/pts/0 true\n");
}

fn streams_are_passed_through() {
    let place = Place::new();
    let mut command = place.command(&[], &["/bin/probe", "count"]);
    command.stdin(Stdio::null());
    assert_eq!(run(command).succeeded().stdout, "0\n");
    let run_count = run_with_input(place.command(&[], &["/bin/probe", "count"]), &vec![7; 1 << 20]);
    assert_eq!(run_count.succeeded().stdout, "1048576\n");
    let flood = place.probe(&[], &["flood", "1048576"]).succeeded();
    assert!(flood.stdout.len() == 1 << 20 && flood.stdout.bytes().all(|byte| byte == b'x'));
    let both = run_with_input(
        place.command(&[], &[]),
        b"complain one\nsay two\ncomplain three\n",
    )
    .succeeded();
    assert_eq!(both.stderr, "one\nthree\n");
    // The descriptor itself, not a copy of what goes through it: its file is the host's.
    let log = place.beside("log");
    let file = fs::File::create(&log).unwrap();
    let mut command = place.command(&[], &["/bin/probe", "inode", "/proc/self/fd/1"]);
    assert!(command.stdout(file).status().unwrap().success());
    let inode = fs::metadata(&log).unwrap().ino();
    assert_eq!(fs::read_to_string(&log).unwrap(), format!("{inode}\n"));
}

fn exit_codes_are_the_program_s() {
    let place = Place::new();
    for (words, code) in [
        (["exit", "0"], 0),
        (["exit", "1"], 1),
        (["exit", "125"], 125),
        (["exit", "255"], 255),
        (["raise", "9"], 137),
        (["raise", "15"], 143),
        (["raise", "6"], 134),
    ] {
        let run = place.probe(&[], &words).ended_with(code);
        assert_eq!(run.stderr, "", "{words:?}");
    }
    place.assert_nothing_left();
}

fn the_host_s_names_are_shown_and_nothing_stays() {
    let place = Place::new();
    let at = |name: &str| place.root().join("etc").join(name);
    let host = |name: &str| fs::read_to_string(Path::new("/etc").join(name)).ok();
    fs::create_dir(place.root().join("run/systemd")).unwrap();
    fs::write(place.root().join("run/systemd/resolved"), "the root's\n").unwrap();
    for name in ["resolv.conf", "hosts"] {
        let Some(expected) = host(name) else {
            continue;
        };
        let path = format!("/etc/{name}");
        let check = |what: &str| {
            let before = place.listing();
            assert_eq!(place.says(&[], &["read", &path]), expected, "{name}: {what}");
            assert_eq!(
                place.says(&["--read-only"], &["read", &path]),
                expected,
                "{name}: {what}"
            );
            // What is shown is the host's own file, and cannot be written.
            let refused = place.probe(&[], &["append", &path, "x"]).ended_with(99);
            assert!(refused.stdout.contains("Read-only"), "{}", refused.stdout);
            place.assert_nothing_left();
            assert_eq!(place.listing(), before, "{name}: {what}");
        };
        check("nothing");
        fs::write(at(name), "the root's\n").unwrap();
        check("a file");
        for text in [
            "/run/systemd/resolved",
            "../run/nothing/there",
            "/etc/passwd",
            "loop",
            name,
        ] {
            fs::remove_file(at(name)).unwrap();
            symlink(text, at(name)).unwrap();
            check(text);
        }
        fs::remove_file(at(name)).unwrap();
        fs::create_dir(at(name)).unwrap();
        let run = place.probe(&[], &["list", &path]).succeeded();
        assert!(
            run.stderr
                .starts_with(&format!("note: the host's `{path}` is not shown")),
            "{}",
            run.stderr
        );
        fs::remove_dir(at(name)).unwrap();
    }
    assert_eq!(host("hosts"), fs::read_to_string("/etc/hosts").ok());
    // A directory on the way that is a link.
    fs::rename(place.root().join("etc"), place.root().join("conf")).unwrap();
    symlink("/conf", place.root().join("etc")).unwrap();
    let before = place.listing();
    let run = place.probe(&[], &["ids"]).succeeded();
    assert_eq!(run.stdout, "0 0 [0, 9]\n");
    assert_eq!(place.listing(), before);
}

fn orphans_are_reaped() {
    assert_eq!(Place::new().says(&[], &["orphans", "20"]), "0 zombies\n");
}

fn what_was_left_running_is_gone() {
    let place = Place::new();
    assert_eq!(place.says(&[], &["leave-behind"]), "left\n");
    place.assert_nothing_left();
}

fn the_working_directory() {
    let place = Place::new();
    assert_eq!(place.says(&[], &["cwd"]), "/\n");
    assert_eq!(place.says(&["-u", "seven"], &["cwd"]), "/\n");
    assert_eq!(
        place.says(&["--workdir", "/home/seven"], &["cwd"]),
        "/home/seven\n"
    );
    symlink("/home", place.root().join("way")).unwrap();
    assert_eq!(place.says(&["-w", "/way/seven"], &["cwd"]), "/home/seven\n");
}
