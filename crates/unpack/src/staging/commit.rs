//! From staging directory to target.

use std::ffi::OsStr;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;

use rustix::fs::{AtFlags, Gid, Mode, Uid};
use rustix::io::Errno;

use super::{Place, Staging, same_file};
use crate::error::{Error, lossy};
use crate::root::{Root, Stat, list, mtime, rename_noreplace};

impl Staging {
    /// Makes the root the target: everything is synced to disk once, then it takes the target's name. A target that
    /// existed as an empty directory is replaced: the root has the mode and owner that it grew up with (0755, ours), not
    /// the old directory's. A mount point stays and gets them.
    ///
    /// # Errors
    /// [`Error::TargetNotEmpty`] when something has taken the target's name or place meanwhile, [`Error::StagingReplaced`] when
    /// something has taken the root's own, [`Error::Io`] when the file system refuses. The root is removed then.
    pub fn commit(self) -> Result<(), Error> {
        rustix::fs::syncfs(&self.lock).map_err(|e| Error::io("sync", self.root.path(), e))?;
        self.commit_unsynced()
    }

    /// The same, but what was written reaches the disk when the kernel writes it: after a power failure the target may have
    /// its name and lack contents, as what cp(1) and tar(1) make.
    ///
    /// # Errors
    /// As [`Staging::commit`].
    pub fn commit_unsynced(mut self) -> Result<(), Error> {
        match &self.place {
            Place::Beside {
                parent,
                target,
                exists,
            } => self.rename(parent, target, *exists)?,
            Place::Inside { target } => self.move_up(target)?,
            // `Scratch` has no way here.
            Place::Scratch { .. } => return Ok(()),
        }
        self.finished = true;
        Ok(())
    }

    fn rename(&self, parent: &OwnedFd, target: &[u8], exists: bool) -> Result<(), Error> {
        // Whoever can write in the parent could have put something else in its place.
        if !same_file(parent, &self.name, &self.lock) {
            return Err(self.replaced());
        }
        let renamed = match exists {
            true => rustix::fs::renameat(parent, self.name.as_slice(), parent, target),
            false => rename_noreplace(parent, &self.name, parent, target),
        };
        renamed.map_err(|error| match error {
            Errno::EXIST | Errno::NOTEMPTY | Errno::NOTDIR => self.taken(target),
            error => Error::io("rename", self.root.path(), error),
        })?;
        match same_file(parent, target, &self.lock) {
            true => Ok(()),
            false => Err(self.replaced()),
        }
    }

    fn replaced(&self) -> Error {
        Error::StagingReplaced {
            staging: self.root.path().to_path_buf(),
        }
    }

    fn move_up(&self, target: &OwnedFd) -> Result<(), Error> {
        let fail = |error: Errno| Error::io("move up", self.root.path(), error);
        let dress = Stat::of(&rustix::fs::fstat(&self.lock).map_err(fail)?);
        let mut names = list(self.lock.as_fd()).map_err(fail)?;
        names.sort_unstable();
        Journal::write(&self.root, &self.lock, &names)?;
        let moved = names.iter().try_for_each(|name| {
            rename_noreplace(&self.lock, name, target, name).map_err(|error| match error {
                Errno::EXIST => self.taken(name),
                error => Error::io("move up", self.root.path().join(OsStr::from_bytes(name)), error),
            })
        });
        // As long as the journal is there, the next run takes the move back.
        if let Err(error) = moved.and_then(|()| Journal::remove(&self.root)) {
            for name in &names {
                // Only what was moved is missing below; the rest fails with EEXIST, as it should.
                let _ = rename_noreplace(target, name, &self.lock, name);
            }
            return Err(error);
        }
        rustix::fs::unlinkat(target, self.name.as_slice(), AtFlags::REMOVEDIR).map_err(fail)?;
        self.dress(target, &dress)
    }

    /// Gives the mount point the root's own mode, owner and time.
    fn dress(&self, target: &OwnedFd, want: &Stat) -> Result<(), Error> {
        let fail = |error: Errno| Error::io("set the mode of", &self.target, error);
        let is = Stat::of(&rustix::fs::fstat(target).map_err(fail)?);
        if (is.uid, is.gid) != (want.uid, want.gid) {
            rustix::fs::fchown(
                target,
                Some(Uid::from_raw(want.uid)),
                Some(Gid::from_raw(want.gid)),
            )
            .map_err(fail)?;
        }
        if is.mode != want.mode {
            rustix::fs::fchmod(target, Mode::from_raw_mode(want.mode)).map_err(fail)?;
        }
        let mut times = mtime(want.mtime);
        times.last_modification.tv_nsec = want.mtime_nsec as _;
        rustix::fs::futimens(target, &times).map_err(fail)
    }

    fn taken(&self, name: &[u8]) -> Error {
        Error::TargetNotEmpty {
            target: self.target.clone(),
            found: lossy(name),
        }
    }
}

/// What is being moved up into a target: inode and name of each entry, in a file of the staging directory. A run that is
/// killed in the middle of it leaves half a root in the target; with this list the next run knows which half is ours.
pub(super) struct Journal;

impl Journal {
    const NAME: &'static str = ".bareroot-moving";

    /// `INODE NAME NUL`, for each.
    fn write(root: &Root, dir: &OwnedFd, names: &[Vec<u8>]) -> Result<(), Error> {
        let mut text = Vec::new();
        for name in names {
            let stat = rustix::fs::statat(dir, name.as_slice(), AtFlags::SYMLINK_NOFOLLOW);
            let inode = stat
                .map_err(|e| Error::io("look at", root.path().join(OsStr::from_bytes(name)), e))?
                .st_ino;
            text.extend_from_slice(format!("{inode} ").as_bytes());
            text.extend_from_slice(name);
            text.push(0);
        }
        root.write(Self::NAME, 0o600, &text)
    }

    fn remove(root: &Root) -> Result<(), Error> {
        root.remove(Self::NAME)
    }

    /// The entries of a dead run's list; none when it has no list, or none that can be read.
    pub(super) fn read(root: &Root) -> Result<Vec<(u64, Vec<u8>)>, Error> {
        let is_file = root
            .lstat(Self::NAME)?
            .is_some_and(|stat| stat.kind == crate::root::FileKind::File);
        let text = if is_file {
            root.read_if_exists(Self::NAME)?.unwrap_or_default()
        } else {
            Vec::new()
        };
        Ok(text.split(|&b| b == 0).filter_map(Self::record).collect())
    }

    fn record(record: &[u8]) -> Option<(u64, Vec<u8>)> {
        let space = record.iter().position(|&b| b == b' ')?;
        let inode = std::str::from_utf8(record.get(..space)?).ok()?.parse().ok()?;
        let name = record.get(space + 1..)?;
        let plain = !name.is_empty() && name != b"." && name != b".." && !name.contains(&b'/');
        plain.then(|| (inode, name.to_vec()))
    }
}
