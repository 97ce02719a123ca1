//! Files of the host that a root shows for the time of a session, such as resolv.conf(5).
//!
//! A mount can cover a symbolic link itself, dangling or not, so no link of the root is followed and nothing of it is
//! changed. Only where a root has nothing at the path must there be something to mount on: a [`Placeholder`], which the
//! warden takes away again (`will.rs`).

use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{
    AtFlags, CWD, FileType, FlockOperation, Mode, OFlags, Stat, flock, fstat, openat, statat, unlinkat,
};
use rustix::io::Errno;
use rustix::mount::{MountFlags, MoveMountFlags, OpenTreeFlags, mount_remount, move_mount, open_tree};
use rustix::process::{chdir, fchdir};

use crate::message::Failure;
use crate::mounts::{self, INERT};
use crate::sys::{self, MountAttributes};

/// An empty file without any permission, which nobody else makes: what was left by a warden that was killed is known by
/// it, and is taken up by the next session. Each session that uses one has a shared lock on it.
#[derive(Debug)]
pub(crate) struct Placeholder {
    pub(crate) directory: OwnedFd,
    pub(crate) file: OwnedFd,
    pub(crate) name: OsString,
}

impl Placeholder {
    /// Makes one where the root has nothing at this path, or takes up the one that is there. `None` where neither is to be
    /// done or can be, as in a root that cannot be written.
    pub(crate) fn at(root: BorrowedFd<'_>, path: &Path) -> Option<Placeholder> {
        let (parent, name) = (path.parent()?, path.file_name()?);
        let directory = mounts::walk(&root.try_clone_to_owned().ok()?, parent, true).ok()?;
        // The last one that used it may take it away between two of these steps.
        (0..8)
            .find_map(|_| Self::take(&directory, name).transpose())?
            .ok()
    }

    fn take(directory: &OwnedFd, name: &OsStr) -> Result<Option<Placeholder>, Errno> {
        match statat(directory, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(found) if is_placeholder(&found) => {}
            Ok(_) => return Err(Errno::EXIST),
            Err(Errno::NOENT) => {}
            Err(error) => return Err(error),
        }
        let flags = OFlags::RDONLY | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = openat(directory, name, flags, Mode::empty())?;
        flock(&file, FlockOperation::LockShared)?;
        let placeholder = Placeholder {
            directory: directory.as_fd().try_clone_to_owned().map_err(|_| Errno::MFILE)?,
            file,
            name: name.to_owned(),
        };
        Ok(placeholder.is_there().then_some(placeholder))
    }

    /// Whether the name still means this file, and it is still nothing but a placeholder.
    fn is_there(&self) -> bool {
        let named = statat(&self.directory, &self.name, AtFlags::SYMLINK_NOFOLLOW);
        match (named, fstat(&self.file)) {
            (Ok(named), Ok(own)) => {
                (named.st_dev, named.st_ino) == (own.st_dev, own.st_ino) && is_placeholder(&named)
            }
            _ => false,
        }
    }

    /// Takes it away, unless another session uses it still.
    pub(crate) fn remove(self) {
        if flock(&self.file, FlockOperation::NonBlockingLockExclusive).is_ok() && self.is_there() {
            let _ = unlinkat(&self.directory, &self.name, AtFlags::empty());
        }
    }
}

fn is_placeholder(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile
        && stat.st_mode & 0o7777 == 0
        && stat.st_size == 0
}

/// Shows a file of the host at its path in the root; notes what cannot be shown.
pub(crate) fn show(root: &OwnedFd, path: &Path, notes: &mut Vec<String>) -> Result<(), Failure> {
    let doing = || format!("show the host's `{}`", path.display());
    if rustix::fs::stat(path).is_err() {
        // This host has none either: nothing is missing.
        return Ok(());
    }
    match cover(root, path) {
        Ok(()) => Ok(()),
        Err(Refusal::Place(why)) => {
            notes.push(format!("the host's `{}` is not shown: {why}", path.display()));
            Ok(())
        }
        Err(Refusal::Step(Errno::NOSYS)) => {
            notes.push(format!(
                "the host's `{}` is not shown: that needs Linux 5.2",
                path.display()
            ));
            Ok(())
        }
        Err(Refusal::Step(error)) => Err(Failure::step(doing(), error)),
    }
}

enum Refusal {
    /// Something about the root, in words.
    Place(String),
    Step(Errno),
}

impl From<Errno> for Refusal {
    fn from(error: Errno) -> Self {
        Refusal::Step(error)
    }
}

fn cover(root: &OwnedFd, path: &Path) -> Result<(), Refusal> {
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(Errno::INVAL.into());
    };
    let directory = mounts::walk(root, parent, true)
        .map_err(|_| Refusal::Place(format!("the root's `{}` is no directory", parent.display())))?;
    let anything = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let target = match openat(&directory, name, anything, Mode::empty()) {
        Ok(target) => target,
        Err(Errno::NOENT) => {
            return Err(Refusal::Place(
                "the root has no such file, and none can be made".into(),
            ));
        }
        Err(error) => return Err(error.into()),
    };
    let kind = FileType::from_raw_mode(fstat(&target)?.st_mode);
    if !matches!(kind, FileType::RegularFile | FileType::Symlink) {
        return Err(Refusal::Place("the root's is no file".into()));
    }
    let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    let tree = open_tree(CWD, path, flags)?;
    let both = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    match move_mount(&tree, "", &target, "", both) {
        // A kernel that does not mount on links.
        Err(Errno::INVAL | Errno::LOOP) if kind == FileType::Symlink => {
            return Err(Refusal::Place("the root's is a symbolic link".into()));
        }
        other => other?,
    }
    let inert =
        MountAttributes::RDONLY | MountAttributes::NOSUID | MountAttributes::NODEV | MountAttributes::NOEXEC;
    match sys::mount_setattr(&tree, false, inert) {
        Err(error) if error.raw_os_error() == Some(libc::ENOSYS) => {
            // The name finds what was just mounted.
            fchdir(&directory)?;
            let kept = mounts::flags_of(name)?;
            mount_remount(name, MountFlags::BIND | MountFlags::RDONLY | INERT | kept, "")?;
            chdir("/")?;
            Ok(())
        }
        Err(error) => Err(Errno::from_io_error(&error).unwrap_or(Errno::IO).into()),
        Ok(()) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_placeholder_is_there_as_long_as_somebody_uses_it() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("etc")).unwrap();
        let root: OwnedFd = fs::File::open(dir.path()).unwrap().into();
        let place = || Placeholder::at(root.as_fd(), Path::new("/etc/hosts"));
        let there = || fs::symlink_metadata(dir.path().join("etc/hosts")).is_ok();

        let (first, second) = (place().unwrap(), place().unwrap());
        assert!(there());
        first.remove();
        assert!(there());
        second.remove();
        assert!(!there());

        // One that a killed warden left.
        std::mem::forget(place().unwrap());
        place().unwrap();
        assert!(there());
    }

    #[test]
    fn what_a_root_has_is_no_placeholder() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("etc")).unwrap();
        let root: OwnedFd = fs::File::open(dir.path()).unwrap().into();
        let at = |name: &str| dir.path().join("etc").join(name);
        fs::write(at("full"), "x").unwrap();
        fs::write(at("empty"), "").unwrap();
        symlink("/nowhere", at("link")).unwrap();
        symlink("etc", dir.path().join("way")).unwrap();
        for path in [
            "/etc/full",
            "/etc/empty",
            "/etc/link",
            "/way/new",
            "/none/new",
            "/etc/../new",
            "/",
        ] {
            assert!(Placeholder::at(root.as_fd(), Path::new(path)).is_none(), "{path}");
        }
        // A file that was made of a placeholder meanwhile stays.
        let placeholder = Placeholder::at(root.as_fd(), Path::new("/etc/new")).unwrap();
        fs::remove_file(at("new")).unwrap();
        fs::write(at("new"), "").unwrap();
        placeholder.remove();
        assert!(at("new").exists());
    }
}
