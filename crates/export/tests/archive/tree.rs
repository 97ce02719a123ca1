//! A tree with everything that a header can have trouble with.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use rustix::fs::{
    AtFlags, CWD, FileType, Gid, Mode, Timespec, Timestamps, Uid, XattrFlags, lsetxattr, makedev, mknodat,
    setxattr, utimensat,
};
use tempfile::TempDir;

/// The tree; what needs root is in it where we are root.
pub fn make() -> TempDir {
    let temp = tempfile::tempdir().unwrap();
    let top = temp.path();
    fs::set_permissions(top, PermissionsExt::from_mode(0o755)).unwrap();
    fs::create_dir_all(top.join("usr/bin")).unwrap();
    // Between `usr/` and `usr-x` byte order and path order part.
    for name in ["usr-x", "usr.x", "usr/bin/sh", "usr/bin/sh-", "usr/bin/sh.d"] {
        fs::write(top.join(name), name.repeat(300)).unwrap();
    }
    fs::create_dir(top.join("usr/bin/sh_")).unwrap();
    fs::write(top.join("usr/bin/sh_/x"), b"").unwrap();
    fs::hard_link(top.join("usr/bin/sh"), top.join("hard")).unwrap();
    fs::hard_link(top.join("usr/bin/sh"), top.join("usr/bin/again")).unwrap();
    symlink("usr/bin/sh", top.join("link")).unwrap();
    fs::hard_link(top.join("link"), top.join("link-again")).unwrap();
    symlink("/outside/../nowhere", top.join("dangling")).unwrap();
    for (name, mode) in [("su", 0o4755), ("sg", 0o2755), ("none", 0o000), ("all", 0o7777)] {
        fs::write(top.join(name), b"").unwrap();
        fs::set_permissions(top.join(name), PermissionsExt::from_mode(mode)).unwrap();
    }
    fs::create_dir(top.join("tmp")).unwrap();
    fs::set_permissions(top.join("tmp"), PermissionsExt::from_mode(0o1777)).unwrap();
    sizes(top);
    names(top);
    nodes(top);
    times(top);
    temp
}

fn sizes(top: &Path) {
    for size in [0_usize, 1, 511, 512, 513, 10_240, 262_143, 262_144, 1_000_003] {
        let bytes: Vec<u8> = (0..size).map(|i| (i % 251) as u8).collect();
        fs::write(top.join(format!("size-{size}")), bytes).unwrap();
    }
}

fn names(top: &Path) {
    // With `./` in front: 99, 100, 101, 155, 156, 255, 256, 257 bytes and far more.
    let long = top.join("n".repeat(50));
    fs::create_dir(&long).unwrap();
    for length in [46, 47, 48, 102, 103, 202, 203, 204] {
        fs::write(long.join("f".repeat(length)), b"x").unwrap();
    }
    fs::create_dir(long.join("d".repeat(46))).unwrap();
    fs::create_dir(long.join("d".repeat(47))).unwrap();
    fs::create_dir(long.join("d".repeat(255))).unwrap();
    let deep = top.join("deep").join("d/".repeat(700));
    fs::create_dir_all(&deep).unwrap();
    fs::write(deep.join("f"), b"deep").unwrap();
    fs::hard_link(deep.join("f"), top.join("to-deep")).unwrap();
    fs::hard_link(long.join("f".repeat(203)), top.join("zz-to-long")).unwrap();
    for length in [99, 100, 101, 256, 4000] {
        symlink("t".repeat(length), top.join(format!("long-link-{length}"))).unwrap();
    }
    fs::write(top.join("Grüße"), b"utf-8").unwrap();
    fs::write(top.join(OsStr::from_bytes(b"\xff\xfe\x80")), b"no utf-8").unwrap();
    fs::write(top.join("line\nbreak"), b"").unwrap();
    fs::write(top.join(" space = percent%"), b"").unwrap();
    symlink("ziel-ü", top.join("link-ü")).unwrap();
    symlink(OsStr::from_bytes(b"\xff"), top.join("link-ff")).unwrap();
}

fn nodes(top: &Path) {
    let mode = Mode::from_raw_mode(0o644);
    mknodat(CWD, top.join("fifo"), FileType::Fifo, mode, 0).unwrap();
    // Some file systems have none. No line end in a value: the tar crate takes every one for a record's.
    let user = setxattr(top.join("size-1"), "user.a=b%c", b"v\0w", XattrFlags::empty());
    if user.is_ok() {
        setxattr(top.join("tmp"), "user.of.a.directory", b"", XattrFlags::empty()).unwrap();
    }
    if !crate::is_root() {
        return;
    }
    let node = |name: &str, kind, device| mknodat(CWD, top.join(name), kind, mode, device).unwrap();
    node("null", FileType::CharacterDevice, makedev(1, 3));
    node("sda", FileType::BlockDevice, makedev(8, 1_048_575));
    for (name, uid, gid) in [
        ("size-511", 1000, 42),
        ("size-512", 3_000_000, 2_097_151),
        ("link", 4_000_000_000, 2_097_152),
    ] {
        rustix::fs::chownat(
            CWD,
            top.join(name),
            Some(Uid::from_raw(uid)),
            Some(Gid::from_raw(gid)),
            AtFlags::SYMLINK_NOFOLLOW,
        )
        .unwrap();
    }
    let ping = b"\x01\0\0\x02\0\x20\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    let acl = b"\x02\0\0\0\x01\0\x06\0\xff\xff\xff\xff\x02\0\x07\0\xe8\x03\0\0\x04\0\x04\0\xff\xff\xff\xff\x10\0\x07\0\xff\xff\xff\xff\x20\0\x04\0\xff\xff\xff\xff";
    let set = |name: &str, attribute: &str, value: &[u8]| {
        let set = lsetxattr(top.join(name), attribute, value, XattrFlags::empty());
        if let Err(error) = set {
            eprintln!("skipped: {attribute} of {name}: {error}");
        }
    };
    set("size-513", "security.capability", ping);
    set("size-10240", "system.posix_acl_access", acl);
    set("usr", "system.posix_acl_default", acl);
    set("link", "trusted.of-a-link", b"l");
    set("null", "trusted.of-a-device", b"d");
    set("fifo", "trusted.of-a-pipe", b"p");
}

fn times(top: &Path) {
    for (name, seconds, nanoseconds) in [
        ("before", -5, 0),
        ("before-f", -2, 500_000_000),
        ("barely-before", -1, 999_999_999),
        ("fraction", 1, 1),
        ("fraction-long", 1_600_000_000, 123_456_789),
        ("far", 8_589_934_592, 0),
        ("nearly-far", 8_589_934_591, 0),
    ] {
        let path = top.join(name);
        File::create(&path).unwrap();
        set_time(&path, seconds, nanoseconds);
    }
    // Everything else at one time, with a fraction.
    let mut waiting = vec![top.to_path_buf()];
    while let Some(path) = waiting.pop() {
        let is_dir = fs::symlink_metadata(&path).unwrap().is_dir();
        if is_dir {
            waiting.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
        let modified = fs::symlink_metadata(&path).unwrap().modified().unwrap();
        if modified.elapsed().is_ok_and(|ago| ago.as_secs() < 3600) {
            set_time(&path, 1_700_000_000, 250_000_000);
        }
    }
}

pub fn set_time(path: &Path, seconds: i64, nanoseconds: i64) {
    let time = Timespec {
        tv_sec: seconds,
        tv_nsec: nanoseconds as _,
    };
    let times = Timestamps {
        last_access: time,
        last_modification: time,
    };
    utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW).unwrap();
}
