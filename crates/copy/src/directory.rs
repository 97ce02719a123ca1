//! A directory that is being copied.

use std::ffi::{CStr, CString, OsStr};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rustix::fs::{Mode, OFlags};

use crate::error::Error;
use crate::look::Meta;
use crate::select::Above;
use crate::source::OwnersMap;

/// A directory of the source, the one of the copy, and how much of it is not done yet.
#[derive(Debug)]
pub(crate) struct Directory {
    pub parent: Option<Arc<Directory>>,
    /// In its parent.
    pub name: CString,
    /// Relative to the source's top, which is empty.
    pub path: Vec<u8>,
    pub source: OwnedFd,
    pub meta: Meta,
    /// What a glob says to all that is in it.
    pub above: Above,
    /// Whom what is in it belongs to, where that must be asked for.
    pub owners: OnceLock<OwnersMap>,
    /// Open when it was made: one that may come back is made when something in it does.
    target: OnceLock<OwnedFd>,
    making: Mutex<()>,
    /// What must be done before it gets its times, itself included.
    pending: AtomicUsize,
}

/// The bits that a directory has as long as it grows, whatever it is to have: its owner's.
const GROWING: u32 = 0o700;

/// For a directory that is read.
pub(crate) const READ: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

impl Directory {
    pub(crate) fn new(
        parent: Option<Arc<Directory>>,
        name: CString,
        source: OwnedFd,
        meta: Meta,
        above: Above,
        target: Option<OwnedFd>,
    ) -> Self {
        let path = parent
            .as_ref()
            .map(|parent| parent.path_of(&name))
            .unwrap_or_default();
        Directory {
            parent,
            name,
            path,
            source,
            meta,
            above,
            owners: OnceLock::new(),
            target: target.map(OnceLock::from).unwrap_or_default(),
            making: Mutex::default(),
            pending: AtomicUsize::new(1),
        }
    }

    /// The path of a name in it, relative to the source.
    pub(crate) fn path_of(&self, name: &CStr) -> Vec<u8> {
        let name = name.to_bytes();
        let mut path = Vec::with_capacity(self.path.len() + 1 + name.len());
        path.extend_from_slice(&self.path);
        if !path.is_empty() {
            path.push(b'/');
        }
        path.extend_from_slice(name);
        path
    }

    /// The mode that it is made with.
    pub(crate) fn mode_while_growing(&self) -> u32 {
        match self.parent {
            Some(_) => self.meta.mode & 0o777 | GROWING,
            // The top is closed to others until it is whole.
            None => GROWING,
        }
    }

    /// The directory of the copy, where there is one yet.
    pub(crate) fn made(&self) -> Option<BorrowedFd<'_>> {
        self.target.get().map(AsFd::as_fd)
    }

    /// The directory of the copy, which is made where it is not there yet, with all that it is in; `made` is told of each.
    ///
    /// # Errors
    /// When the file system refuses.
    pub(crate) fn target(&self, made: &mut dyn FnMut()) -> Result<BorrowedFd<'_>, Error> {
        if let Some(fd) = self.target.get() {
            return Ok(fd.as_fd());
        }
        let _making = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(fd) = self.target.get() {
            return Ok(fd.as_fd());
        }
        let Some(parent) = &self.parent else {
            // The top is there from the beginning.
            return Err(Error::Died);
        };
        let directory = parent.target(made)?;
        let fail = |action, error: rustix::io::Errno| Error::write(action, host(&self.path), error);
        let mode = Mode::from_raw_mode(self.mode_while_growing());
        rustix::fs::mkdirat(directory, &*self.name, mode).map_err(|error| fail("create", error))?;
        let fd = rustix::fs::openat(directory, &*self.name, READ, Mode::empty())
            .map_err(|error| fail("open", error))?;
        made();
        Ok(self.target.get_or_init(|| fd).as_fd())
    }

    /// One more thing must be done before it is.
    pub(crate) fn hold(&self) {
        self.pending.fetch_add(1, Ordering::Relaxed);
    }

    /// One thing is done; whether it was the last.
    pub(crate) fn release(&self) -> bool {
        self.pending.fetch_sub(1, Ordering::AcqRel) == 1
    }
}

/// A path of the copy for messages.
pub(crate) fn host(path: &[u8]) -> PathBuf {
    Path::new("/").join(OsStr::from_bytes(path))
}
