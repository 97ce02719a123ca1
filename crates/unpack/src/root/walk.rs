//! Everything in a root, parents first, in byte order.

use std::ffi::OsStr;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use bareroot_ledger::FileId;
use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;

use super::node::{FileKind, Stat};
use super::remove::{Mount, list};
use super::small::mtime;
use super::{Error, Root};

/// Whether a walk goes into a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Walk {
    /// On, and down.
    On,
    /// On, but not into this directory.
    Skip,
}

/// One path of a walk.
#[derive(Debug)]
pub struct WalkEntry<'w> {
    root: &'w Root,
    parent: &'w OwnedFd,
    path: &'w Path,
    name: &'w [u8],
    stat: Stat,
    above: &'w Stat,
}

impl WalkEntry<'_> {
    /// The path inside the root (`/usr/bin/x`).
    pub fn path(&self) -> &Path {
        self.path
    }

    /// What it is, itself, should it be a link: as the root's ledger has it, where it has one.
    pub fn stat(&self) -> &Stat {
        &self.stat
    }

    /// The directory that it is in.
    pub(crate) fn parent(&self) -> &Stat {
        self.above
    }

    /// What tells its file apart from all others.
    pub(crate) fn id(&self) -> std::io::Result<FileId> {
        FileId::at(self.parent, self.name)
    }

    /// The text of a symbolic link.
    ///
    /// # Errors
    /// [`Error::Io`], also when it is no link.
    pub fn read_link(&self) -> Result<Vec<u8>, Error> {
        let text = rustix::fs::readlinkat(self.parent, self.name, Vec::new());
        Ok(text
            .map_err(|e| Error::io("read", self.root.host(self.path), e))?
            .into_bytes())
    }

    /// The mount that it is on: another than its directory's when something is mounted on it.
    pub(crate) fn mount(&self) -> rustix::io::Result<Mount> {
        Mount::at(self.parent.as_fd(), self.name)
    }

    /// Sets its modification time, its own should it be a link; seconds since 1970.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn set_mtime(&self, seconds: i64) -> Result<(), Error> {
        rustix::fs::utimensat(self.parent, self.name, &mtime(seconds), AtFlags::SYMLINK_NOFOLLOW)
            .map_err(|e| Error::io("set the time of", self.root.host(self.path), e))
    }
}

impl Root {
    /// Visits everything below the root (not the root itself), directories before what is in them, names in byte order.
    /// Links are not followed and mounts not entered; a mount point is visited. What vanishes meanwhile is left out.
    ///
    /// # Errors
    /// [`Error::Io`], and whatever `visit` returns.
    pub fn walk(&self, mut visit: impl FnMut(&WalkEntry<'_>) -> Result<Walk, Error>) -> Result<(), Error> {
        let here = Mount::of(self.as_fd()).map_err(|e| Error::io("read", self.path(), e))?;
        let mut left = vec![PathBuf::from("/")];
        while let Some(path) = left.pop() {
            let fail = |e: Errno| Error::io("read", self.host(&path), e);
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW;
            let bytes = path.as_os_str().as_bytes();
            let dir = match self.resolver.open(self.as_fd(), bytes, flags, Mode::empty()) {
                // Replaced by something else since it was seen.
                Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => continue,
                result => result.map_err(fail)?,
            };
            if Mount::of(dir.as_fd()).map_err(fail)? != here {
                continue;
            }
            let mut names = list(dir.as_fd()).map_err(fail)?;
            names.sort_unstable();
            let first = left.len();
            let parent = self.directory_stat(&dir).map_err(fail)?;
            for name in names {
                let stat = match rustix::fs::statat(&dir, name.as_slice(), AtFlags::SYMLINK_NOFOLLOW) {
                    Err(Errno::NOENT) => continue,
                    result => Stat::of(&result.map_err(fail)?),
                };
                let mut stat = stat;
                let overlaid = self
                    .owners
                    .overlay_in(&parent, &mut stat, || FileId::at(&dir, &name));
                match overlaid {
                    Err(error) if error.raw_os_error() == Some(libc::ENOENT) => continue,
                    result => result.map_err(|e| Error::io("read", self.host(&path), e))?,
                }
                let below = path.join(OsStr::from_bytes(&name));
                let entry = WalkEntry {
                    root: self,
                    parent: &dir,
                    path: &below,
                    name: &name,
                    stat,
                    above: &parent,
                };
                if visit(&entry)? == Walk::On && stat.kind == FileKind::Directory {
                    left.push(below);
                }
            }
            if let Some(new) = left.get_mut(first..) {
                new.reverse();
            }
        }
        Ok(())
    }

    /// A directory as the ledger has it.
    fn directory_stat(&self, dir: &OwnedFd) -> Result<Stat, Errno> {
        let mut stat = Stat::of(&rustix::fs::fstat(dir)?);
        self.owners
            .overlay(&mut stat, || FileId::of(dir))
            .map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))?;
        Ok(stat)
    }

    /// Turns every modification time after `epoch` (seconds since 1970) back to it, as `SOURCE_DATE_EPOCH` asks; links'
    /// own times too, and the root's.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn clamp_mtimes(&self, epoch: i64) -> Result<(), Error> {
        let after = |stat: &Stat| (stat.mtime, stat.mtime_nsec) > (epoch, 0);
        self.walk(|entry| {
            if after(entry.stat()) {
                entry.set_mtime(epoch)?;
            }
            Ok(Walk::On)
        })?;
        let own = rustix::fs::fstat(self).map_err(|e| Error::io("look at", self.path(), e))?;
        if after(&Stat::of(&own)) {
            self.set_mtime("/", epoch)
        } else {
            Ok(())
        }
    }
}
