use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use bareroot_testkit::disk::Disk;
use bareroot_testkit::door::{Door, Run, run};
use bareroot_testkit::harness::Case;
use bareroot_testkit::programs::script;
use bareroot_testkit::{base, cases};

use crate::{door, repository};

pub const CASES: &[Case] = cases![
    Nothing: not_empty, a_file, the_root_of_this_system, nowhere, a_dangling_link, a_read_only_place;
    Root: a_disk_that_fills, a_disk_that_fills_at_a_mount_point, a_disk_that_fills_under_a_script, a_cache_on_a_full_disk,
        a_busy_target;
];

fn bootstrap_into(door: &Door, target: &Path) -> Run {
    let mut command = door.command([
        "bootstrap",
        "debian:tiny",
        "--mirror",
        &door.mirror.url(),
        "--keyring",
    ]);
    command
        .arg(door.keyring())
        .arg("--cache-dir")
        .arg(door.path("cache"))
        .arg(target);
    run(command)
}

fn not_empty() {
    let door = door(&repository(&[]));
    fs::create_dir(door.target()).unwrap();
    fs::write(door.target().join("mine"), "precious").unwrap();
    door.bootstrap(&[]).failed(6, &["out/root` is not empty"]);
    assert_eq!(door.beside(), ["root"]);
    assert_eq!(
        fs::read_to_string(door.target().join("mine")).unwrap(),
        "precious"
    );
    assert_eq!(
        door.mirror.fetches().len(),
        0,
        "it is told before anything is fetched"
    );
}

fn a_file() {
    let door = door(&repository(&[]));
    fs::write(door.target(), "precious").unwrap();
    door.bootstrap(&[]).failed(6, &["out/root", "not a directory"]);
    assert_eq!(fs::read_to_string(door.target()).unwrap(), "precious");
    assert_eq!(door.beside(), ["root"]);
}

fn the_root_of_this_system() {
    let door = door(&repository(&[]));
    for target in ["/", "//", "/tmp/..", "/proc/self/root"] {
        bootstrap_into(&door, Path::new(target)).failed(6, &["/"]);
    }
    assert_eq!(door.mirror.fetches().len(), 0);
}

/// Directories above the target are made, and go again with a run that fails.
fn nowhere() {
    let door = door(&repository(&[]));
    door.mirror.remove("dists/tiny/InRelease");
    door.mirror.remove("dists/tiny/Release");
    bootstrap_into(&door, &door.path("out/missing/too/root")).ended_with(4);
    door.assert_nothing_left();
}

fn a_dangling_link() {
    let door = door(&repository(&[]));
    symlink("gone", door.target()).unwrap();
    bootstrap_into(&door, &door.target()).failed(6, &["out/root"]);
    assert_eq!(door.beside(), ["root"]);
    assert_eq!(fs::read_link(door.target()).unwrap(), Path::new("gone"));
}

fn a_read_only_place() {
    let door = door(&repository(&[]));
    bootstrap_into(&door, Path::new("/proc/bareroot-test")).failed(6, &["/proc"]);
}

fn a_disk_that_fills() {
    let door = door(&repository(&[]));
    let disk = Disk::mount(&door.path("out"), 4 << 20);
    door.bootstrap(&[])
        .failed(6, &["no space left to write", "hint: free some space"]);
    assert_eq!(door.beside(), Vec::<String>::new());
    drop(disk);
    door.assert_nothing_left();
}

fn a_disk_that_fills_at_a_mount_point() {
    let door = door(&repository(&[]));
    let disk = Disk::mount(&door.target(), 4 << 20);
    door.bootstrap(&[]).failed(6, &["no space left to write"]);
    assert_eq!(fs::read_dir(door.target()).unwrap().count(), 0);
    drop(disk);
    door.assert_no_mount_and_no_process();
}

fn a_disk_that_fills_under_a_script() {
    let greedy = base::package("greedy", "1").script("postinst", script("fill /filler"));
    let door = door(&repository(&[greedy]));
    let disk = Disk::mount(&door.path("out"), 32 << 20);
    door.bootstrap(&["--include", "greedy"])
        .failed(7, &["`greedy`", "No space left on device"]);
    assert_eq!(door.beside(), Vec::<String>::new());
    drop(disk);
    door.assert_nothing_left();
}

fn a_cache_on_a_full_disk() {
    let door = door(&repository(&[]));
    let _disk = Disk::mount(&door.path("cache"), 2 << 20);
    let run = door.bootstrap(&[]);
    // Either it goes on without, or it says what is full; never a broken root.
    match run.code {
        Some(0) => {
            run.says(&["warning: "]);
            assert!(door.target().join("usr/bin/dpkg").exists());
        }
        _ => {
            run.failed(6, &["cache", "No space left on device", "--no-cache"]);
            door.assert_beside_is(&[]);
        }
    }
}

fn a_busy_target() {
    let door = door(&repository(&[]));
    // Two runs on one target: the second is refused or waits its turn at the end; one root comes out.
    let hold = format!(
        "touch {0}; while test -e {0}; do sleep 0.05; done",
        door.path("held").display()
    );
    let mut first =
        bareroot_testkit::door::Going::start(door.bootstrap_command(&["--customize-hook", &hold]));
    first.until_so("the hook", || door.path("held").exists());
    let second = door.bootstrap(&["--cache-dir", "other-cache"]);
    fs::remove_file(door.path("held")).unwrap();
    let first = first.end();
    let codes = [first.code, second.code];
    assert!(
        codes.contains(&Some(0)) && codes.iter().all(|code| matches!(code, Some(0 | 6))),
        "{first:?} {second:?}"
    );
    assert_eq!(
        codes.iter().filter(|code| **code == Some(0)).count(),
        1,
        "{first:?} {second:?}"
    );
    door.assert_beside_is(&["root"]);
    assert!(door.target().join("usr/bin/dpkg").exists());
    door.assert_no_mount_and_no_process();
}
