//! A `/dev` of the session's own: nothing that happens in it stays in the root.

use std::os::fd::OwnedFd;

use rustix::fs::{FileType, Mode, OFlags, makedev, mkdirat, mknodat, openat, symlinkat};
use rustix::io::Errno;
use rustix::mount::{MountFlags, mount_bind};
use rustix::process::{chdir, fchdir};
use rustix::pty::{ptsname, unlockpt};

use crate::message::Failure;
use crate::mounts::{INERT, on};

/// Name, mode, major and minor number (Linux' devices.txt).
const NODES: [(&str, u32, u32, u32); 7] = [
    ("null", 0o666, 1, 3),
    ("zero", 0o666, 1, 5),
    ("full", 0o666, 1, 7),
    ("random", 0o666, 1, 8),
    ("urandom", 0o666, 1, 9),
    ("tty", 0o666, 5, 0),
    ("console", 0o600, 5, 1),
];

const LINKS: [(&str, &str); 5] = [
    ("fd", "/proc/self/fd"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"),
    ("ptmx", "pts/ptmx"),
];

/// Mounts and fills `/dev`; `dev` is the root's own directory. The host's console is left out on request.
pub(crate) fn mount(
    root: &OwnedFd,
    dev: &OwnedFd,
    console: bool,
    notes: &mut Vec<String>,
) -> Result<(), Failure> {
    // Room for nodes, a copy of this program and a few stray files, not for what belongs on a disk.
    let options = c"mode=0755,size=256m,nr_inodes=4096";
    on(dev, "tmpfs", MountFlags::NOSUID, Some(options))
        .map_err(|error| Failure::step("mount tmpfs on `/dev`", error))?;
    let step = |what: &str, error: Errno| Failure::step(format!("make `/dev/{what}`"), error);
    let dev = open(root, "dev").map_err(|error| step("", error))?;

    let nodes = NODES.iter().filter(|(name, ..)| console || *name != "console");
    for &(name, mode, major, minor) in nodes {
        match node(&dev, name, mode, major, minor) {
            Ok(()) => {}
            Err(error) if name == "null" => return Err(step(name, error)),
            Err(error) => notes.push(format!("`/dev/{name}` is left out: {error}")),
        }
    }
    for (name, text) in LINKS {
        symlinkat(text, &dev, name).map_err(|error| step(name, error))?;
    }
    // tty's group is 5 in Debian's and in Fedora's family; where that id is not mapped, grantpt(3) has to do.
    let terminals = |options| {
        let pts = open(&dev, "pts")?;
        on(
            &pts,
            "devpts",
            MountFlags::NOSUID | MountFlags::NOEXEC,
            Some(options),
        )
    };
    mkdirat(&dev, "pts", Mode::from_raw_mode(0o755)).map_err(|error| step("pts", error))?;
    let mounted = match terminals(c"newinstance,ptmxmode=0666,mode=0620,gid=5") {
        Err(Errno::INVAL) => terminals(c"newinstance,ptmxmode=0666,mode=0620"),
        other => other,
    };
    if let Err(error) = mounted {
        notes.push(format!("`/dev/pts` is left empty: {error}"));
    }
    mkdirat(&dev, "shm", Mode::from_raw_mode(0o1777)).map_err(|error| step("shm", error))?;
    let shared = open(&dev, "shm").and_then(|shm| on(&shm, "tmpfs", INERT, Some(c"mode=1777")));
    if let Err(error) = shared {
        notes.push(format!("`/dev/shm` is a plain directory: {error}"));
    }
    Ok(())
}

/// Makes a terminal of the session's own (pts(4)): its two ends, the programs' one second. `/dev/console` is the same.
pub(crate) fn terminal(root: &OwnedFd) -> Result<(OwnedFd, OwnedFd), Failure> {
    let step = |error: Errno| Failure::step("make a terminal", error);
    let dev = open(root, "dev").map_err(step)?;
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let main = openat(&dev, "pts/ptmx", flags, Mode::empty()).map_err(step)?;
    unlockpt(&main).map_err(step)?;
    let name = ptsname(&main, Vec::new()).map_err(step)?;
    let name = name.to_string_lossy();
    let name = name.strip_prefix("/dev/").unwrap_or(&name);
    let side = openat(&dev, name, flags, Mode::empty()).map_err(step)?;
    console(&dev, name)?;
    Ok((main, side))
}

/// A console that leads nowhere.
pub(crate) fn no_console(root: &OwnedFd) -> Result<(), Failure> {
    match open(root, "dev") {
        Ok(dev) => console(&dev, "null"),
        Err(error) => Err(Failure::step("open `/dev`", error)),
    }
}

/// Shows a device of the session's `/dev` as its console.
fn console(dev: &OwnedFd, source: &str) -> Result<(), Failure> {
    let make = || {
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC;
        openat(dev, "console", flags, Mode::from_raw_mode(0o600))?;
        fchdir(dev)?;
        let bound = mount_bind(source, "console");
        chdir("/")?;
        bound
    };
    make().map_err(|error| Failure::step("make `/dev/console`", error))
}

fn open(parent: &OwnedFd, name: &str) -> Result<OwnedFd, Errno> {
    openat(
        parent,
        name,
        OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC,
        Mode::empty(),
    )
}

/// Makes a device, or shows the host's where making one is not allowed.
fn node(dev: &OwnedFd, name: &str, mode: u32, major: u32, minor: u32) -> Result<(), Errno> {
    match mknodat(
        dev,
        name,
        FileType::CharacterDevice,
        Mode::from_raw_mode(mode),
        makedev(major, minor),
    ) {
        Err(Errno::PERM) => {}
        other => return other,
    }
    let source = format!("/dev/{name}");
    let stat = rustix::fs::stat(&source)?;
    let right = FileType::from_raw_mode(stat.st_mode) == FileType::CharacterDevice
        && stat.st_rdev == makedev(major, minor);
    if !right {
        return Err(Errno::NODEV);
    }
    openat(
        dev,
        name,
        OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC,
        Mode::from_raw_mode(mode),
    )?;
    // The directory is ours alone, so the name means what was just made.
    fchdir(dev)?;
    let bound = mount_bind(&source, name);
    chdir("/")?;
    bound
}
