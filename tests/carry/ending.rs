//! Runs that end early, roots in unusual places, and an ordinary user.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Instant;

use bareroot_testkit::cases;
use bareroot_testkit::disk::Disk;
use bareroot_testkit::harness::Case;

use crate::{Elf, Ran, Setting, listing, with_loader};

pub const CASES: &[Case] = cases![
    Nothing: killed_at_any_moment, a_root_inside_its_source, a_root_that_is_its_source;
    Root: no_space, an_ordinary_user
];

const ALL: [&str; 4] = ["tool", "--no-data", "--file", "/srv"];

/// A program, and files below /srv that take a while.
fn with_files(count: usize, size: usize) -> Setting {
    let setting = with_loader(&["liba.so"]);
    let program = Elf {
        needed: &["liba.so"],
        ..Elf::default()
    };
    setting.program("usr/bin/tool", &program);
    for number in 0..count {
        setting.file(&format!("srv/{number}"), 0o644, vec![1; size]);
    }
    setting
}

/// What is beside the source.
fn beside(setting: &Setting) -> Vec<String> {
    let parent = setting.root().parent().unwrap().to_owned();
    let mut names: Vec<String> = fs::read_dir(parent)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "from")
        .collect();
    names.sort();
    names
}

fn killed_at_any_moment() {
    let setting = with_files(1_000, 8_192);
    let begin = Instant::now();
    setting.carry(&ALL).ok();
    let took = begin.elapsed();
    let whole = listing(&setting.root());
    assert!(whole.iter().any(|path| path == "srv/999"));
    fs::remove_dir_all(setting.root()).unwrap();
    for moment in 0..10 {
        let mut command = setting.command(&ALL);
        let mut child = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        thread::sleep(took * moment / 10);
        child.kill().unwrap();
        child.wait().unwrap();
        // The kernel ends the rest of its processes at its own pace.
        thread::sleep(std::time::Duration::from_millis(100));
        let mut left = beside(&setting);
        if setting.root().exists() {
            assert_eq!(listing(&setting.root()), whole, "moment {moment}");
            fs::remove_dir_all(setting.root()).unwrap();
            left.retain(|name| name != "root");
        }
        assert!(
            left.len() <= 1 && left.iter().all(|name| name.starts_with(".root.bareroot-")),
            "moment {moment}: {left:?}"
        );
    }
    setting.carry(&ALL).ok();
    assert_eq!(
        beside(&setting),
        ["root"],
        "the rest of a killed run goes with the next"
    );
    assert_eq!(listing(&setting.root()), whole);
}

fn no_space() {
    let setting = with_files(3, 1 << 20);
    let disk = Disk::mount(&setting.root().with_file_name("disk"), 1 << 20);
    let target = setting.root().with_file_name("disk").join("root");
    let mut command = Command::new(env!("CARGO_BIN_EXE_bareroot"));
    command
        .arg("carry")
        .arg(&target)
        .args(ALL)
        .arg("--from")
        .arg(setting.from());
    Ran::of(command).failed(6, &["no space left", "srv/", "hint: free some space"]);
    let left = fs::read_dir(target.parent().unwrap()).unwrap().count();
    assert_eq!(left, 0, "nothing is left on the disk");
    drop(disk);
}

fn a_root_inside_its_source() {
    let setting = with_files(1, 10);
    let target = setting.from().join("srv/jail");
    let carry = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bareroot"));
        command.arg("carry").arg(&target).args(ALL);
        Ran::of({
            command.arg("--from").arg(setting.from());
            command
        })
    };
    carry().ok();
    let first = listing(&target);
    assert!(first.iter().any(|path| path == "srv/0"), "{first:?}");
    // What it is made of has it below /srv by now, and it is not put into itself.
    carry().ok();
    assert_eq!(listing(&target), first);
}

fn a_root_that_is_its_source() {
    let setting = with_files(1, 10);
    for directory in ["etc", "tmp", "var/tmp", "dev", "proc", "sys", "run", "root"] {
        fs::create_dir_all(setting.from().join(directory)).unwrap();
    }
    let before = listing(&setting.from());
    let mut command = Command::new(env!("CARGO_BIN_EXE_bareroot"));
    command.arg("carry").arg(setting.from()).args(ALL);
    command.arg("--from").arg(setting.from());
    let ran = Ran::of(command).ok();
    assert!(ran.stderr.contains("0 files, 0 links"), "{ran:?}");
    let after: Vec<String> = listing(&setting.from())
        .into_iter()
        .filter(|path| !path.starts_with(".bareroot"))
        .collect();
    assert_eq!(after, before);
}

fn an_ordinary_user() {
    const NOBODY: u32 = 65534;
    let setting = with_files(2, 10);
    let scratch = setting.root().parent().unwrap().to_owned();
    chown(setting.from().join("srv/1"), Some(7), Some(8)).unwrap();
    let home = scratch.join("home");
    fs::create_dir(&home).unwrap();
    chown(&home, Some(NOBODY), Some(NOBODY)).unwrap();
    fs::set_permissions(&scratch, fs::Permissions::from_mode(0o755)).unwrap();
    // The binary may lie where this user cannot go. A process of its own copies it: a test that forks meanwhile would keep the
    // file open for writing, and so from being run.
    let binary = scratch.join("bareroot");
    let copied = Command::new("cp")
        .args([Path::new(env!("CARGO_BIN_EXE_bareroot")), &binary])
        .status();
    assert!(copied.unwrap().success());
    let target = home.join("root");
    let as_nobody = |words: &[&str]| {
        let mut command = Command::new(&binary);
        command.arg("carry").arg(&target).args(words);
        command.arg("--from").arg(setting.from());
        command.args(["--mode", "single"]).current_dir(&home);
        command.env_clear().uid(NOBODY).gid(NOBODY);
        Ran::of(command)
    };
    as_nobody(&ALL).ok();
    // Nothing but its own owner can be on the disk; the others are in the ledger.
    let file = target.join("srv/1");
    assert_eq!(fs::metadata(&file).unwrap().uid(), NOBODY);
    let ledger = fs::read_to_string(target.join(".bareroot-ledger")).unwrap();
    assert!(ledger.contains("\n7 8 - srv/1\n"), "{ledger}");
    assert!(!ledger.contains("srv/0"), "root owns it, as by default: {ledger}");
    // A file that this user may not read ends the run, and nothing is left.
    fs::remove_dir_all(&target).unwrap();
    fs::set_permissions(setting.from().join("srv/0"), fs::Permissions::from_mode(0o600)).unwrap();
    as_nobody(&ALL).failed(6, &["srv/0", "Permission denied"]);
    assert_eq!(fs::read_dir(&home).unwrap().count(), 0);
}
