//! What runs that were killed left behind.

use std::ffi::OsStr;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{AtFlags, FlockOperation, Mode, OFlags};
use rustix::io::Errno;

use super::commit::Journal;
use super::name::Naming;
use super::same_directory;
use crate::error::Error;
use crate::root::{Root, Stat, list, remove_tree};

/// Removes the staging directories of `naming` in `directory` whose makers are dead.
///
/// # Errors
/// [`Error::TargetBusy`] when one is alive; [`Error::Io`] when a dead one cannot be removed.
pub(super) fn remove(directory: &OwnedFd, path: &Path, naming: &Naming, target: &Path) -> Result<(), Error> {
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
        let stale = match rustix::fs::openat(
            directory,
            name.as_slice(),
            flags | OFlags::NOFOLLOW,
            Mode::empty(),
        ) {
            // Gone, no directory, or somebody else's.
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::ACCESS) => continue,
            opened => opened.map_err(fail)?,
        };
        if rustix::fs::fstat(&stale).map_err(fail)?.st_uid != rustix::process::geteuid().as_raw() {
            continue;
        }
        match rustix::fs::flock(&stale, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
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
        if same_directory(directory, name, &stale) {
            undo_move(directory, path, &stale, &host)?;
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
