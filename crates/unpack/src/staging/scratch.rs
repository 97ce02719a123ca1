//! A root that is only ever removed: what becomes of it, an archive, is written elsewhere.

use std::ffi::OsStr;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

use bareroot_ledger::Ledger;
use rustix::fs::{CWD, Mode, OFlags};
use rustix::io::Errno;

use super::name::Naming;
use super::stale::{self, Sweep};
use super::{Place, Staging, lock};
use crate::error::Error;
use crate::root::Root;

/// A root in the making that does not become a target. It is locked and removed as a [`Staging`] is.
#[derive(Debug)]
pub struct Scratch(Staging);

impl Scratch {
    /// Begins one in a directory for temporary files, as `.bareroot-XXXXXXXXXX`. What killed runs of the same user left
    /// there is removed.
    ///
    /// # Errors
    /// [`Error::Io`] when the file system refuses.
    pub fn create(directory: &Path) -> Result<Self, Error> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd = rustix::fs::openat(CWD, directory, flags, Mode::empty())
            .map_err(|e| Error::io("open", directory, e))?;
        let path = directory
            .canonicalize()
            .map_err(|e| Error::io("open", directory, e))?;
        stale::remove(&fd, &path, &Naming::inside(), directory, Sweep::Scratch)?;
        Self::begin(fd, &path, &Naming::inside())
    }

    /// Begins one in `parent`, called as `naming` has it.
    pub(super) fn begin(parent: OwnedFd, path: &Path, naming: &Naming) -> Result<Self, Error> {
        loop {
            let name = naming.new_name();
            let host = path.join(OsStr::from_bytes(&name));
            let fail = |error| Error::io("create", &host, error);
            match rustix::fs::mkdirat(&parent, name.as_slice(), Mode::RWXU) {
                Ok(()) => {}
                Err(Errno::EXIST) => continue,
                Err(error) => return Err(fail(error)),
            }
            let open = || {
                let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                rustix::fs::openat(&parent, name.as_slice(), flags, Mode::empty()).map_err(fail)
            };
            let locked = open()?;
            if !lock(&parent, &name, &locked) {
                continue;
            }
            let root = Root::from_fd(open()?, &host);
            let staging = Staging {
                root,
                lock: locked,
                place: Place::Scratch { parent },
                name,
                target: host.clone(),
                made_parents: Vec::new(),
                finished: false,
            };
            // Programs in the root run as other users, too.
            rustix::fs::fchmod(&staging.lock, Mode::from_raw_mode(0o755))
                .map_err(|e| Error::io("create", &host, e))?;
            return Ok(Scratch(staging));
        }
    }

    /// The root.
    pub fn root(&self) -> &Root {
        self.0.root()
    }

    /// Gives the root a ledger for what the file system cannot hold.
    pub fn keep_ledger(&mut self, ledger: Arc<Ledger>) {
        self.0.keep_ledger(ledger);
    }

    /// Removes the root, as dropping it does, and says what could not be removed.
    ///
    /// # Errors
    /// [`Error::Io`] for the first thing that could not be removed.
    pub fn discard(self) -> Result<(), Error> {
        self.0.discard()
    }
}
