//! What runs that were killed left behind.

use std::ffi::OsStr;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{AtFlags, FlockOperation, Mode, OFlags};
use rustix::io::Errno;

use super::commit::Journal;
use super::name::Naming;
use super::same_file;
use crate::error::Error;
use crate::root::{FileKind, Root, Stat, list, remove_tree};

/// Who cleans up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sweep {
    /// Who makes a directory, beside it: of what has such a name, directories are ours.
    Beside,
    /// Who makes a directory, inside it: what was on its way up into it is ours too.
    Inside,
    /// Who makes a file: files are, and the directories that their roots grew in.
    File,
    /// Who makes a root that others do not know of: directories, and those who are alive make others.
    Scratch,
}

/// Removes what has a name of `naming` in `directory` and whose makers are dead.
///
/// # Errors
/// [`Error::TargetBusy`] when one is alive and makes the same; [`Error::Io`] when a dead one cannot be removed.
pub(super) fn remove(
    directory: &OwnedFd,
    path: &Path,
    naming: &Naming,
    target: &Path,
    sweep: Sweep,
) -> Result<(), Error> {
    // The parent may be open for lookups only, or not be readable at all.
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let listed = rustix::fs::openat(directory, ".", flags, Mode::empty()).and_then(|fd| list(fd.as_fd()));
    let names = match listed {
        Err(Errno::ACCESS) => return Ok(()),
        names => names.map_err(|e| Error::io("read", path, e))?,
    };
    for name in names.iter().filter(|name| naming.is_ours(name)) {
        let host = path.join(OsStr::from_bytes(name));
        let fail = |e| Error::io("open", &host, e);
        let any = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let stale = match rustix::fs::openat(directory, name.as_slice(), any, Mode::empty()) {
            // Gone, nothing that we make, or somebody else's.
            Err(Errno::NOENT | Errno::NXIO | Errno::LOOP | Errno::ACCESS) => continue,
            opened => opened.map_err(fail)?,
        };
        let stat = rustix::fs::fstat(&stale).map_err(fail)?;
        let kind = Stat::of(&stat).kind;
        let ours = kind == FileKind::Directory || kind == FileKind::File && sweep == Sweep::File;
        if !ours || stat.st_uid != rustix::process::geteuid().as_raw() {
            continue;
        }
        match rustix::fs::flock(&stale, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) if sweep == Sweep::Scratch => continue,
            Err(Errno::WOULDBLOCK) => {
                return Err(Error::TargetBusy {
                    target: target.to_path_buf(),
                    staging: host,
                });
            }
            // Without locks nobody can tell the dead from the living.
            Err(_) => continue,
        }
        // It may have become the target between the listing and the lock.
        if same_file(directory, name, &stale) {
            // Scripts of packages can write in a staging directory. What one says of others is heeded in its own target alone.
            if sweep == Sweep::Inside {
                undo_move(directory, path, &stale, &host)?;
            }
            remove_tree(directory.as_fd(), name, &host)?;
        }
    }
    Ok(())
}

/// A run that was killed while it moved its entries up into the target left a list of them.
fn undo_move(directory: &OwnedFd, path: &Path, stale: &OwnedFd, host: &Path) -> Result<(), Error> {
    let fd = stale.try_clone().map_err(|e| Error::io("open", host, e))?;
    for (inode, name) in Journal::read(&Root::from_fd(fd, host))? {
        let moved = rustix::fs::statat(directory, name.as_slice(), AtFlags::SYMLINK_NOFOLLOW);
        if moved.is_ok_and(|stat| Stat::of(&stat).ino == inode) {
            remove_tree(directory.as_fd(), &name, &path.join(OsStr::from_bytes(&name)))?;
        }
    }
    Ok(())
}
