//! All of a tree, and nothing else.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::MetadataExt;
use std::process::Command;

use bareroot_testkit::cases;
use bareroot_testkit::disk::Disk;
use bareroot_testkit::door::{Door, run};
use bareroot_testkit::harness::Case;
use rustix::fs::{AtFlags, Mode, OFlags};

use crate::made::{self, DEPTH, NAMES};
use crate::{assert_same, clone, door, paths, tree};

pub const CASES: &[Case] = cases![
    Nothing: what_anybody_has, holes_stay_holes, a_path_longer_than_a_path, a_target_in_its_source, a_target_that_is_there,
        one_thread_and_many;
    Root: everything, mounts_are_left_empty, mounts_that_are_asked_for, blocks_are_shared;
];

const SOCKETS: &dyn Fn(&std::path::Path) -> bool = &|path| path.ends_with("socket");

fn what_anybody_has() {
    let door = door();
    made::plain(&door.path("source"));
    // This user's files, which is what the copy's are then too.
    let made = run(clone(&door, "out/root", &["--mode", mode()])).succeeded();
    let last = made.stderr.lines().last().unwrap();
    for words in ["entries, ", "copied", "5000 hard links", "1 sockets passed over"] {
        assert!(last.contains(words), "{last}");
    }
    assert_same(&door.path("source"), &door.target(), &|path| {
        SOCKETS(path) || path.ends_with(".bareroot-ledger")
    });
    assert_eq!(
        fs::metadata(door.target().join("usr/also")).unwrap().nlink(),
        NAMES as u64 + 1
    );
}

/// Root where that can be, else what needs nothing.
fn mode() -> &'static str {
    match rustix::process::geteuid().is_root() {
        true => "root",
        false => "single",
    }
}

fn everything() {
    let door = door();
    let source = door.path("source");
    made::everything(&source);
    let before = tree(&source);
    run(clone(&door, "out/root", &[])).succeeded();
    assert_same(&source, &door.target(), SOCKETS);
    // Reading left nothing behind, not even access times where they can be left alone.
    assert_eq!(before, tree(&source));
    // GNU tar's own copy.
    fs::create_dir(door.path("peer")).unwrap();
    let words = "tar -cpf - --xattrs --xattrs-include='*' --one-file-system -C source . | \
                 tar -xpf - --xattrs --xattrs-include='*' --numeric-owner -C peer";
    let status = Command::new("sh")
        .args(["-ec", words])
        .current_dir(door.path(""))
        .stderr(std::process::Stdio::null())
        .status();
    assert!(status.unwrap().success(), "{words}");
    // Of a device GNU tar keeps no other names.
    assert_same(&door.path("peer"), &door.target(), &|path| {
        SOCKETS(path) || path.starts_with("null") || path.starts_with("null-too")
    });
}

fn holes_stay_holes() {
    let door = door();
    made::plain(&door.path("source"));
    run(clone(&door, "out/root", &[])).succeeded();
    for name in ["holes", "all-hole"] {
        let taken = |root: std::path::PathBuf| fs::metadata(root.join(name)).unwrap().blocks();
        let (source, copy) = (taken(door.path("source")), taken(door.target()));
        assert!(copy <= source.max(64), "{name}: {source} blocks are {copy}");
    }
}

fn a_path_longer_than_a_path() {
    let door = door();
    let fd = made::deep(&door.path("source"), true).unwrap();
    let make = OFlags::WRONLY | OFlags::CREATE | OFlags::CLOEXEC;
    let file = rustix::fs::openat(&fd, "file", make, Mode::RUSR | Mode::WUSR).unwrap();
    fs::File::from(file).write_all(b"deep").unwrap();
    rustix::fs::linkat(&fd, "file", &fd, "twin", AtFlags::empty()).unwrap();
    rustix::fs::symlinkat("file", &fd, "link").unwrap();
    run(clone(&door, "out/root", &[])).succeeded();
    let copy = made::deep(&door.target(), false).unwrap();
    let mut text = String::new();
    let file = rustix::fs::openat(&copy, "twin", OFlags::RDONLY, Mode::empty()).unwrap();
    fs::File::from(file).read_to_string(&mut text).unwrap();
    assert_eq!(text, "deep");
    let stat = |fd, name| rustix::fs::statat(fd, name, AtFlags::SYMLINK_NOFOLLOW).unwrap();
    assert_eq!(stat(&copy, "twin").st_ino, stat(&copy, "file").st_ino);
    assert_eq!(stat(&copy, "link").st_mtime, stat(&fd, "link").st_mtime);
    // As an archive.
    run(clone(&door, "out/a.tar", &[])).succeeded();
    let bytes = fs::read(door.path("out/a.tar")).unwrap();
    let longest = tar::Archive::new(bytes.as_slice())
        .entries()
        .unwrap()
        .map(|entry| entry.unwrap().path_bytes().len())
        .max();
    assert_eq!(longest, Some("./".len() + DEPTH * 201 + "file".len()));
}

fn a_target_in_its_source() {
    let door = door();
    fs::write(door.path("source/file"), "f").unwrap();
    fs::create_dir(door.path("source/empty")).unwrap();
    for target in ["source/chroot", "source/new/parents/chroot", "source/empty"] {
        run(clone(&door, target, &[])).succeeded();
        assert!(paths(&door.path(target)).contains(&"file".to_owned()));
        assert!(!door.path(target).join("chroot/chroot").exists());
        assert!(!door.path(target).join("new").exists(), "{target}");
        run(door.command(["remove", target])).succeeded();
        let _ = fs::remove_dir_all(door.path("source/new"));
    }
}

fn a_target_that_is_there() {
    let door = door();
    fs::write(door.path("source/file"), "f").unwrap();
    fs::create_dir(door.target()).unwrap();
    run(clone(&door, "out/root", &[])).succeeded();
    run(clone(&door, "out/root", &[])).failed(6, &["out/root", "not empty", "hint: "]);
    run(clone(&door, "source", &[])).failed(6, &["`source` is the source itself", "hint: "]);
    run(clone(&door, ".", &[])).failed(6, &["`source` is inside the target `.`", "hint: "]);
    run(door.command(["clone", "out/other", "--from", "nowhere"])).failed(6, &["`nowhere`", "No such file"]);
    run(door.command(["clone", "out/other", "--from", "source/file"])).failed(6, &["`source/file`"]);
    door.assert_beside_is(&["root"]);
}

fn one_thread_and_many() {
    let door = door();
    made::plain(&door.path("source"));
    for jobs in ["1", "16"] {
        run(clone(&door, &format!("out/{jobs}"), &["--jobs", jobs])).succeeded();
    }
    assert_same(&door.path("out/1"), &door.path("out/16"), &|path| {
        path.ends_with(".bareroot-ledger")
    });
}

/// A disk mounted at `source/mounted` with a file, and `source/plain` bound to `source/bound`.
fn mounted(door: &Door) -> (Disk, Bound) {
    fs::create_dir(door.path("source/mounted")).unwrap();
    let disk = Disk::mount(&door.path("source/mounted"), 1 << 20);
    fs::write(door.path("source/mounted/file"), "on it").unwrap();
    for name in ["plain", "bound"] {
        fs::create_dir(door.path("source").join(name)).unwrap();
    }
    fs::write(door.path("source/plain/file"), "plain").unwrap();
    let bound = Bound::mount(&door.path("source/plain"), &door.path("source/bound"));
    (disk, bound)
}

fn mounts_are_left_empty() {
    let door = door();
    let (disk, bound) = mounted(&door);
    let made = run(clone(&door, "out/root", &[])).succeeded();
    assert!(
        made.stderr.contains("2 mount points left empty"),
        "{}",
        made.stderr
    );
    assert_eq!(paths(&door.target()), ["bound", "mounted", "plain", "plain/file"]);
    drop((disk, bound));
}

fn mounts_that_are_asked_for() {
    let door = door();
    let (disk, bound) = mounted(&door);
    // The source shows itself in itself, and the target too.
    fs::create_dir(door.path("source/whole")).unwrap();
    let whole = Bound::mount(&door.path(""), &door.path("source/whole"));
    run(clone(&door, "out/root", &["--across-file-systems"])).succeeded();
    let found = paths(&door.target());
    for path in ["bound/file", "mounted/file", "plain/file", "whole/keyring.pgp"] {
        assert!(found.contains(&path.to_owned()), "{path} of {found:?}");
    }
    let again = |path: &&String| path.starts_with("whole/source/") || path.starts_with("whole/out/");
    assert_eq!(found.iter().find(again), None);
    drop((whole, bound, disk));
}

fn blocks_are_shared() {
    let door = door();
    let Some(disk) = Image::btrfs(&door) else {
        #[allow(clippy::print_stdout, reason = "a test that is skipped says so")]
        {
            println!("skipped: no btrfs can be made here, so that nothing can be shared");
        }
        return;
    };
    fs::create_dir(disk.path.join("source")).unwrap();
    made::everything(&disk.path.join("source"));
    fs::write(disk.path.join("source/content"), vec![7; 8 << 20]).unwrap();
    let mut command = door.command(["clone", "disk/copy", "--from", "disk/source"]);
    command.arg("--json");
    let made = run(command).succeeded();
    let copied = made
        .stdout
        .lines()
        .find(|line| line.contains("\"copied\""))
        .unwrap();
    assert!(copied.contains("\"bytes\":0,"), "{copied}");
    assert_same(&disk.path.join("source"), &disk.path.join("copy"), SOCKETS);
}

/// A bind mount.
struct Bound(std::path::PathBuf);

impl Bound {
    fn mount(from: &std::path::Path, at: &std::path::Path) -> Self {
        rustix::mount::mount_bind(from, at).unwrap();
        Bound(at.to_path_buf())
    }
}

impl Drop for Bound {
    fn drop(&mut self) {
        let _ = rustix::mount::unmount(&self.0, rustix::mount::UnmountFlags::DETACH);
    }
}

/// A file system in a file, mounted at `disk`.
struct Image {
    path: std::path::PathBuf,
}

impl Image {
    fn btrfs(door: &Door) -> Option<Self> {
        let path = door.path("disk");
        fs::create_dir(&path).unwrap();
        let words = "truncate -s 256M disk.img && mkfs.btrfs -q disk.img && mount -o loop disk.img disk";
        let status = Command::new("sh")
            .args(["-ec", words])
            .current_dir(door.path(""))
            .stderr(std::process::Stdio::null())
            .status();
        status
            .is_ok_and(|status| status.success())
            .then_some(Image { path })
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        // The loop device goes with the mount.
        let _ = Command::new("umount").arg(&self.path).status();
    }
}
