//! A tree with everything that a file system can hold.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;

use rustix::fs::{CWD, FileType, Mode, OFlags, XattrFlags, makedev, mknodat, setxattr};

/// How many names one file has.
pub const NAMES: usize = 5000;

/// cap_net_raw=ep, as capabilities(7) stores it.
const CAPABILITY: &[u8] = &[1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

/// An ACL of version 2: owner, user 1000, group, mask and others, each tag, rights and id (acl(5)).
fn acl() -> Vec<u8> {
    let mut bytes = 2_u32.to_le_bytes().to_vec();
    for (tag, rights, id) in [
        (1_u16, 6_u16, u32::MAX),
        (2, 7, 1000),
        (4, 4, u32::MAX),
        (16, 7, u32::MAX),
        (32, 0, u32::MAX),
    ] {
        bytes.extend_from_slice(&tag.to_le_bytes());
        bytes.extend_from_slice(&rights.to_le_bytes());
        bytes.extend_from_slice(&id.to_le_bytes());
    }
    bytes
}

fn set(path: &Path, name: &str, value: &[u8]) {
    setxattr(path, name, value, XattrFlags::empty()).unwrap_or_else(|e| panic!("{name}: {e}"));
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
}

/// Makes what an ordinary user can.
pub fn plain(top: &Path) {
    fs::create_dir_all(top.join("usr/share/doc")).unwrap();
    fs::write(top.join("usr/share/doc/readme"), "read me\n".repeat(1000)).unwrap();
    fs::write(top.join("empty"), "").unwrap();
    fs::write(top.join("large"), "a line of a large file\n".repeat(200_000)).unwrap();
    fs::write(top.join(OsStr::from_bytes(b"not \xff UTF-8 \xc3")), "bytes").unwrap();
    fs::write(top.join("new\nline \\ and space"), "odd").unwrap();
    symlink(OsStr::from_bytes(b"to \xfe nowhere"), top.join("link")).unwrap();
    symlink("/etc/passwd", top.join("outward")).unwrap();
    for name in ["read-only", "program"] {
        fs::write(top.join(name), name).unwrap();
    }
    mode(&top.join("read-only"), 0o400);
    mode(&top.join("program"), 0o755);
    mknodat(
        CWD,
        top.join("pipe"),
        FileType::Fifo,
        Mode::from_raw_mode(0o640),
        0,
    )
    .unwrap();
    drop(UnixListener::bind(top.join("socket")).unwrap());
    holes(&top.join("holes"));
    File::create(top.join("all-hole"))
        .unwrap()
        .set_len(3 << 20)
        .unwrap();
    fs::create_dir(top.join("links")).unwrap();
    let first = top.join("links/name-0");
    fs::write(&first, "one file").unwrap();
    for number in 1..NAMES {
        fs::hard_link(&first, top.join(format!("links/name-{number}"))).unwrap();
    }
    fs::hard_link(&first, top.join("usr/also")).unwrap();
    mode(&top.join("usr/share"), 0o500);
}

/// Data at the beginning, in the middle and at the end, and holes between.
fn holes(path: &Path) {
    let mut file = File::create(path).unwrap();
    for at in [0, 5 << 20, (40 << 20) - 4] {
        file.seek(SeekFrom::Start(at)).unwrap();
        file.write_all(b"data").unwrap();
    }
    file.set_len(64 << 20).unwrap();
}

/// Makes everything.
pub fn everything(top: &Path) {
    plain(top);
    mknodat(
        CWD,
        top.join("null"),
        FileType::CharacterDevice,
        Mode::from_raw_mode(0o666),
        makedev(1, 3),
    )
    .unwrap();
    mknodat(
        CWD,
        top.join("disk"),
        FileType::BlockDevice,
        Mode::from_raw_mode(0o660),
        makedev(8, 1),
    )
    .unwrap();
    fs::hard_link(top.join("null"), top.join("null-too")).unwrap();
    fs::hard_link(top.join("link"), top.join("link-too")).unwrap();
    for (name, uid, gid, bits) in [
        ("setuid", 0, 0, 0o4755),
        ("setgid", 1, 999, 0o2750),
        ("others", 12345, 54321, 0o604),
        ("huge", 4_000_000_000, 4_000_000_001, 0o600),
    ] {
        let path = top.join(name);
        fs::write(&path, name).unwrap();
        chown(&path, Some(uid), Some(gid)).unwrap();
        mode(&path, bits);
    }
    for (name, bits) in [("sticky", 0o1777), ("shared", 0o2775), ("closed", 0)] {
        let path = top.join(name);
        fs::create_dir(&path).unwrap();
        fs::write(path.join("within"), "").unwrap();
        chown(&path, Some(7), Some(8)).unwrap();
        mode(&path, bits);
    }
    rustix::fs::chownat(
        CWD,
        top.join("link"),
        Some(rustix::fs::Uid::from_raw(5)),
        Some(rustix::fs::Gid::from_raw(6)),
        rustix::fs::AtFlags::SYMLINK_NOFOLLOW,
    )
    .unwrap();
    fs::write(top.join("capable"), "c").unwrap();
    chown(top.join("capable"), Some(1), Some(1)).unwrap();
    set(&top.join("capable"), "security.capability", CAPABILITY);
    fs::write(top.join("listed"), "l").unwrap();
    chown(top.join("listed"), Some(3), Some(4)).unwrap();
    set(&top.join("listed"), "system.posix_acl_access", &acl());
    fs::create_dir(top.join("inheriting")).unwrap();
    set(&top.join("inheriting"), "system.posix_acl_default", &acl());
    fs::write(top.join("inheriting/heir"), "h").unwrap();
    set(&top.join("usr/also"), "user.note", b"a note\0with a NUL");
    set(&top.join("usr"), "trusted.mark", b"");
    // Times before 1970, and with nanoseconds.
    let old = rustix::fs::Timestamps {
        last_access: rustix::fs::Timespec {
            tv_sec: 1,
            tv_nsec: 2,
        },
        last_modification: rustix::fs::Timespec {
            tv_sec: -1234,
            tv_nsec: 123_456_789,
        },
    };
    rustix::fs::utimensat(CWD, top.join("empty"), &old, rustix::fs::AtFlags::empty()).unwrap();
    rustix::fs::utimensat(CWD, top.join("link"), &old, rustix::fs::AtFlags::SYMLINK_NOFOLLOW).unwrap();
}

/// How many directories the path of [`deep`] has, with names of 200 bytes: 6,000 bytes in all.
pub const DEPTH: usize = 30;

/// Goes down, making what is missing where `make` says so, and gives the last directory.
pub fn deep(top: &Path, make: bool) -> rustix::io::Result<rustix::fd::OwnedFd> {
    let name = "d".repeat(200);
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let mut fd = rustix::fs::openat(CWD, top, flags, Mode::empty())?;
    for _ in 0..DEPTH {
        if make {
            rustix::fs::mkdirat(&fd, &name, Mode::RWXU)?;
        }
        fd = rustix::fs::openat(&fd, &name, flags, Mode::empty())?;
    }
    Ok(fd)
}
