//! The root as a value: a directory out of which no path leads.

mod ledger;
mod node;
mod ready;
mod remove;
mod resolve;
mod small;
mod stream;
mod walk;

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Mode, OFlags};

use crate::error::Error;
use crate::owners::Owners;
pub use node::{DirEntry, FileKind, Node, Stat};
pub use ready::Ready;
pub(crate) use remove::{Mount, list, remove_tree};
use resolve::Resolver;
pub(crate) use small::{mtime, rename_noreplace};
pub use walk::{Walk, WalkEntry};

/// A directory that is, or becomes, a root filesystem.
///
/// Paths given to its methods are paths inside it: `/etc/passwd` and `etc/passwd` are the same file, and links in it,
/// absolute or climbing, are looked up as a process that is chrooted there would see them. It is hostile ground: packages
/// and their scripts wrote it.
#[derive(Debug)]
pub struct Root {
    fd: OwnedFd,
    path: PathBuf,
    resolver: Resolver,
    owners: Owners,
}

impl Root {
    /// Opens a directory as a root.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be opened or is no directory.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd =
            rustix::fs::openat(CWD, path, flags, Mode::empty()).map_err(|e| Error::io("open", path, e))?;
        Ok(Self::from_fd(fd, path))
    }

    /// A root from a descriptor of a directory; `path` is for messages and for programs of the host.
    pub fn from_fd(fd: OwnedFd, path: impl Into<PathBuf>) -> Self {
        let resolver = Resolver::choose(fd.as_fd());
        Root {
            fd,
            path: path.into(),
            resolver,
            owners: Owners::default(),
        }
    }

    /// Where the root is on the host: for messages, and for hooks. Nothing may be written by joining to it.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Another handle on the same directory.
    ///
    /// # Errors
    /// [`Error::Io`] when there are no descriptors left.
    pub fn try_clone(&self) -> Result<Self, Error> {
        let fd = self
            .fd
            .try_clone()
            .map_err(|e| Error::io("open", &self.path, e))?;
        Ok(Root {
            fd,
            path: self.path.clone(),
            resolver: self.resolver,
            owners: self.owners.clone(),
        })
    }

    /// Opens a file for reading, following links inside the root. It does not block on a pipe or a device.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn open_file(&self, path: impl AsRef<Path>) -> Result<File, Error> {
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY;
        Ok(File::from(self.lookup("open", path.as_ref(), flags)?))
    }

    /// Opens a directory for reading, following links inside the root.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn open_dir(&self, path: impl AsRef<Path>) -> Result<OwnedFd, Error> {
        self.lookup("open", path.as_ref(), OFlags::RDONLY | OFlags::DIRECTORY)
    }

    /// `path` as it is on the host, for messages only.
    pub(crate) fn host(&self, path: &Path) -> PathBuf {
        self.path.join(path.strip_prefix("/").unwrap_or(path))
    }

    fn lookup(&self, action: &'static str, path: &Path, flags: OFlags) -> Result<OwnedFd, Error> {
        let bytes = path.as_os_str().as_bytes();
        let found = self.resolver.open(self.fd.as_fd(), bytes, flags, Mode::empty());
        found.map_err(|e| Error::io(action, self.host(path), e))
    }

    /// The directory that holds `path`'s last component, and that component.
    fn parent<'p>(&self, action: &'static str, path: &'p Path) -> Result<(OwnedFd, &'p [u8]), Error> {
        let bytes = path.as_os_str().as_bytes();
        let end = bytes.iter().rposition(|&b| b != b'/').map_or(0, |last| last + 1);
        let trimmed = bytes.get(..end).unwrap_or_default();
        let slash = trimmed.iter().rposition(|&b| b == b'/').map_or(0, |at| at + 1);
        let (directory, name) = trimmed.split_at_checked(slash).unwrap_or_default();
        let reason = match name {
            b"" | b"." => Some("it is the root itself"),
            b".." => Some("it ends in `..`"),
            _ if bytes.contains(&0) => Some("it has a NUL byte"),
            _ => None,
        };
        if let Some(reason) = reason {
            return Err(Error::BadPath {
                root: self.path.clone(),
                path: path.display().to_string(),
                reason,
            });
        }
        let flags = OFlags::PATH | OFlags::DIRECTORY;
        let found = self
            .resolver
            .open(self.fd.as_fd(), directory, flags, Mode::empty());
        Ok((found.map_err(|e| Error::io(action, self.host(path), e))?, name))
    }

    #[cfg(test)]
    pub(crate) fn without_openat2(mut self) -> Self {
        self.resolver = Resolver::Walk;
        self
    }
}

impl AsFd for Root {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

#[cfg(test)]
mod tests;
