//! `remove`: a root is removed, and nothing else.

use std::fs;
use std::os::unix::fs::symlink;

use bareroot_testkit::cases;
use bareroot_testkit::disk::Disk;
use bareroot_testkit::door::run;
use bareroot_testkit::harness::Case;

use crate::{bootstrap, door};

pub const CASES: &[Case] = cases![
    Nothing: what_is_no_root;
    Root: a_root, a_root_with_a_mount;
];

fn a_root() {
    let door = door();
    run(bootstrap(&door, door.target(), &[])).succeeded();
    fs::write(door.path("out/kept"), "").unwrap();
    symlink(door.path("out/kept"), door.target().join("outward")).unwrap();
    let run = run(door.command(["remove", "out/root"])).succeeded();
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", ""));
    door.assert_beside_is(&["kept"]);
}

fn a_root_with_a_mount() {
    let door = door();
    fs::create_dir_all(door.target().join("etc")).unwrap();
    fs::write(door.target().join("etc/passwd"), "").unwrap();
    let inner = door.target().join("proc");
    let disk = Disk::mount(&inner, 1 << 20);
    fs::write(inner.join("host"), "").unwrap();
    run(door.command(["remove", "out/root"])).failed(
        6,
        &["something is mounted on `", "out/root/proc`", "hint: unmount"],
    );
    run(door.command(["remove", "out/root/proc"])).failed(6, &["out/root/proc`"]);
    assert!(inner.join("host").exists() && door.target().join("etc/passwd").exists());
    drop(disk);
    run(door.command(["remove", "out/root/"])).succeeded();
    door.assert_nothing_left();
}

fn what_is_no_root() {
    let door = door();
    fs::write(door.target(), "precious").unwrap();
    symlink(".", door.path("out/link")).unwrap();
    for (path, words) in [
        ("/", "is the root directory of this system"),
        ("/tmp/..", "is the root directory of this system"),
        ("out/root", "out/root` is a file"),
        ("out/link", "out/link` is a symbolic link"),
        ("out/none", "out/none"),
    ] {
        run(door.command(["remove", path])).failed(6, &[words]);
    }
    run(door.command(["remove"])).ended_with(2);
    door.assert_beside_is(&["link", "root"]);
}
