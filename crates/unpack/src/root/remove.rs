//! Removing trees by descriptors: no link is followed, no mount entered, no depth is too deep.

use std::ffi::OsStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Dir, FileType, IFlags, Mode, OFlags, StatxFlags};
use rustix::io::Errno;

use super::small::rename_noreplace;
use crate::error::Error;
use crate::staging::random_suffix;
use crate::sys;

/// Directories deeper than this are moved up before they are emptied, so that the descriptors and the stack suffice for
/// any depth.
const DEEPEST: usize = 48;

/// How often a name that changes while it is removed is tried again.
const MOST_RACES: usize = 64;

/// Which file system, and which mount of it: a bind mount has the device of what it shows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mount {
    device: (u32, u32),
    id: Option<u64>,
}

impl Mount {
    /// The mount that `fd` is on.
    pub(crate) fn of(fd: BorrowedFd<'_>) -> rustix::io::Result<Self> {
        Self::at(fd, b"")
    }

    /// The mount that `name` in `dir` is on, itself, should it be a link; with an empty name, `dir`'s.
    pub(crate) fn at(dir: BorrowedFd<'_>, name: &[u8]) -> rustix::io::Result<Self> {
        // statx(2) does not trigger automounts by this; a plain stat never does.
        let flags = AtFlags::EMPTY_PATH | AtFlags::SYMLINK_NOFOLLOW | AtFlags::NO_AUTOMOUNT;
        match rustix::fs::statx(dir, name, flags, StatxFlags::TYPE | StatxFlags::MNT_ID) {
            Ok(stat) => {
                let id = (stat.stx_mask & StatxFlags::MNT_ID.bits() != 0).then_some(stat.stx_mnt_id);
                Ok(Mount {
                    device: (stat.stx_dev_major, stat.stx_dev_minor),
                    id,
                })
            }
            // A seccomp filter or a kernel before 4.11.
            Err(Errno::NOSYS | Errno::PERM) => {
                let stat = rustix::fs::statat(dir, name, flags)?;
                let device = (
                    rustix::fs::major(stat.st_dev as _),
                    rustix::fs::minor(stat.st_dev as _),
                );
                Ok(Mount { device, id: None })
            }
            Err(error) => Err(error),
        }
    }
}

/// Removes `name` in `dir` with everything below it; nothing there is fine. `host` is its path for messages.
pub(crate) fn remove_tree(dir: BorrowedFd<'_>, name: &[u8], host: &Path) -> Result<(), Error> {
    let mut removal = match Removal::start(dir) {
        Ok(removal) => removal,
        Err(error) => return Err(Error::io("remove", host, error)),
    };
    removal.entry(dir, name, host, 0);
    removal.end(dir, host)
}

struct Removal<'d> {
    mount: Mount,
    /// Where directories that are too deep are moved to.
    top: BorrowedFd<'d>,
    moved: Vec<Vec<u8>>,
    failed: Option<(PathBuf, Errno)>,
}

impl<'d> Removal<'d> {
    fn start(top: BorrowedFd<'d>) -> rustix::io::Result<Self> {
        Ok(Removal {
            mount: Mount::of(top)?,
            top,
            moved: Vec::new(),
            failed: None,
        })
    }

    fn end(mut self, dir: BorrowedFd<'_>, host: &Path) -> Result<(), Error> {
        while let Some(name) = self.moved.pop() {
            self.entry(dir, &name, host, 0);
        }
        match self.failed {
            None => Ok(()),
            Some((path, error)) => Err(Error::io("remove", path, error)),
        }
    }

    fn note(&mut self, host: &Path, error: Errno) {
        if self.failed.is_none() {
            self.failed = Some((host.to_path_buf(), error));
        }
    }

    /// What another process turns into something else, or fills again, is tried again, but not for ever.
    fn entry(&mut self, dir: BorrowedFd<'_>, name: &[u8], host: &Path, depth: usize) {
        for tries in 1.. {
            let removed = match unlink(dir, name, AtFlags::empty(), depth > 0) {
                Err(Errno::ISDIR | Errno::PERM) if is_directory(dir, name) => {
                    self.directory(dir, name, host, depth)
                }
                removed => removed,
            };
            match removed {
                Ok(()) | Err(Errno::NOENT) => return,
                Err(Errno::NOTDIR | Errno::ISDIR | Errno::LOOP | Errno::NOTEMPTY)
                    if tries < MOST_RACES && self.failed.is_none() => {}
                Err(error) => return self.note(host, error),
            }
        }
    }

    fn directory(
        &mut self,
        dir: BorrowedFd<'_>,
        name: &[u8],
        host: &Path,
        depth: usize,
    ) -> rustix::io::Result<()> {
        if depth > DEEPEST {
            return self.move_up(dir, name);
        }
        let opened = open_to_empty(dir, name)?;
        if Mount::of(opened.as_fd())? != self.mount {
            return Err(Errno::XDEV);
        }
        for below in list(opened.as_fd())? {
            self.entry(
                opened.as_fd(),
                &below,
                &host.join(OsStr::from_bytes(&below)),
                depth + 1,
            );
        }
        unlink(dir, name, AtFlags::REMOVEDIR, depth > 0)
    }

    fn move_up(&mut self, dir: BorrowedFd<'_>, name: &[u8]) -> rustix::io::Result<()> {
        let (from, to) = (dir.try_clone_to_owned(), self.top.try_clone_to_owned());
        let (Ok(from), Ok(to)) = (from, to) else {
            return Err(Errno::MFILE);
        };
        let new = format!(".bareroot-deep-{}", random_suffix()).into_bytes();
        rename_noreplace(&from, name, &to, &new)?;
        self.moved.push(new);
        Ok(())
    }
}

fn is_directory(dir: BorrowedFd<'_>, name: &[u8]) -> bool {
    rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW)
        .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Directory)
}

/// Unlinks, taking an immutable or append-only flag, or a mode, out of the way where that is what hinders; on `dir` only
/// where it is part of what is removed.
fn unlink(dir: BorrowedFd<'_>, name: &[u8], flags: AtFlags, dir_is_ours: bool) -> rustix::io::Result<()> {
    match rustix::fs::unlinkat(dir, name, flags) {
        Err(Errno::PERM) => {
            let open =
                OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
            if let Ok(fd) = rustix::fs::openat(dir, name, open, Mode::empty()) {
                make_mutable(fd.as_fd());
            }
            if dir_is_ours {
                make_mutable(dir);
            }
            rustix::fs::unlinkat(dir, name, flags)
        }
        // A directory without w or x for us, its owner.
        Err(Errno::ACCESS) if dir_is_ours => {
            if rustix::fs::fchmod(dir, Mode::RWXU).is_err() {
                return Err(Errno::ACCESS);
            }
            rustix::fs::unlinkat(dir, name, flags)
        }
        result => result,
    }
}

fn make_mutable(fd: BorrowedFd<'_>) {
    if let Ok(flags) = rustix::fs::ioctl_getflags(fd) {
        let locked = IFlags::IMMUTABLE | IFlags::APPEND;
        if flags.intersects(locked) {
            // Best effort: the unlink that follows says what it could not.
            let _ = rustix::fs::ioctl_setflags(fd, flags.difference(locked));
        }
    }
}

/// Opens a directory to list it and to unlink in it, whatever its mode.
fn open_to_empty(dir: BorrowedFd<'_>, name: &[u8]) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match rustix::fs::openat(dir, name, flags, Mode::empty()) {
        Err(Errno::ACCESS) => {
            sys::chmod_nofollow(dir, name, 0o700).map_err(|_| Errno::ACCESS)?;
            rustix::fs::openat(dir, name, flags, Mode::empty())
        }
        result => result,
    }
}

/// The names in a directory, without `.` and `..`, in the order that the file system has them.
pub(crate) fn list(dir: BorrowedFd<'_>) -> rustix::io::Result<Vec<Vec<u8>>> {
    let mut names = Vec::new();
    for entry in Dir::read_from(dir)? {
        let name = entry?.file_name().to_bytes().to_vec();
        if name != b"." && name != b".." {
            names.push(name);
        }
    }
    Ok(names)
}
