//! The source as it is read.

use std::collections::HashMap;
use std::ffi::CStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};

use bareroot_ledger::{FILE, FileId, Ledger, Owned};
use bareroot_unpack::is_staging_name;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use crate::copy::Source;
use crate::directory::Directory;
use crate::look::Meta;

/// Who knows whom files belong to, where this process cannot see it: in a user namespace all who have no number are nobody.
pub trait Owners: std::fmt::Debug + Send + Sync {
    /// Whom a directory, and what is in it, belongs to: by device and inode the owner and the group.
    ///
    /// # Errors
    /// When it cannot be told.
    fn of(&self, directory: BorrowedFd<'_>) -> std::io::Result<OwnersMap>;
}

/// Owner and group of files by the numbers of their device and inode.
pub type OwnersMap = HashMap<(u64, u64), (u32, u32)>;

/// Opens and looks, always from an open directory, and never through a link.
#[derive(Debug)]
pub(crate) struct Reader<'r> {
    /// The source's own ledger, where it is a root that was made without root's rights.
    ledger: Option<&'r Ledger>,
    owners: Option<&'r dyn Owners>,
    /// Whether files can be read without setting their access times, which only their owner and root may.
    leaves_times: AtomicBool,
}

impl<'r> Reader<'r> {
    pub(crate) fn new(source: &'r Source) -> Self {
        Reader {
            ledger: source.ledger.as_deref(),
            owners: source.owners.as_deref(),
            leaves_times: AtomicBool::new(true),
        }
    }

    pub(crate) fn has_ledger(&self) -> bool {
        self.ledger.is_some()
    }

    pub(crate) fn open(
        &self,
        directory: BorrowedFd<'_>,
        name: &CStr,
        flags: OFlags,
    ) -> rustix::io::Result<OwnedFd> {
        let open =
            |flags| rustix::io::retry_on_intr(|| rustix::fs::openat(directory, name, flags, Mode::empty()));
        if self.leaves_times.load(Ordering::Relaxed) {
            match open(flags | OFlags::NOATIME) {
                // Of others' files; as an ordinary user nearly all are.
                Err(Errno::PERM) => {
                    if !rustix::process::geteuid().is_root() {
                        self.leaves_times.store(false, Ordering::Relaxed);
                    }
                }
                result => return result,
            }
        }
        open(flags)
    }

    /// What a name is, as the source's ledger has it, where it has one.
    pub(crate) fn look(&self, directory: &Directory, name: &CStr) -> rustix::io::Result<Meta> {
        let meta = self.told(Meta::at(&directory.source, name)?, directory);
        let Some(ledger) = self.ledger else {
            return Ok(meta);
        };
        let id = FileId::at(&directory.source, name.to_bytes());
        Ok(overlaid(ledger, meta, id, directory))
    }

    /// What an open file is, as the source's ledger has it, where it has one.
    pub(crate) fn meta(&self, meta: Meta, parent: &Directory, _: &CStr, fd: BorrowedFd<'_>) -> Meta {
        let meta = self.told(meta, parent);
        match self.ledger {
            Some(ledger) => overlaid(ledger, meta, FileId::of(fd), parent),
            None => meta,
        }
    }

    /// With the owner that those know who can see it.
    fn told(&self, meta: Meta, parent: &Directory) -> Meta {
        let Some(owners) = self.owners else {
            return meta;
        };
        let known = parent
            .owners
            .get_or_init(|| owners.of(parent.source.as_fd()).unwrap_or_default());
        meta.owned_by(known.get(&(meta.id.device, meta.id.inode)))
    }

    /// The same of the top, which is in nothing.
    pub(crate) fn top(&self, meta: Meta, fd: impl AsFd) -> Meta {
        let known = self
            .owners
            .map(|owners| owners.of(fd.as_fd()).unwrap_or_default());
        let meta = meta.owned_by(
            known
                .as_ref()
                .and_then(|known| known.get(&(meta.id.device, meta.id.inode))),
        );
        let Some(ledger) = self.ledger else {
            return meta;
        };
        match FileId::of(fd).ok().and_then(|id| ledger.get(id)) {
            Some(owned) => meta.overlaid(owned),
            None if ledger.keeps_owners() => meta.overlaid(Owned::default()),
            None => meta,
        }
    }

    /// Whether it is what bareroot itself keeps at the top of a root, or has left there.
    pub(crate) fn is_own(&self, directory: &Directory, name: &CStr) -> bool {
        let name = name.to_bytes();
        directory.parent.is_none() && (name == FILE.as_bytes() || is_staging_name(name))
    }
}

fn overlaid(ledger: &Ledger, meta: Meta, id: std::io::Result<FileId>, parent: &Directory) -> Meta {
    const SETGID: u32 = 0o2000;
    match id.ok().and_then(|id| ledger.get(id)) {
        Some(owned) => meta.overlaid(owned),
        None if ledger.keeps_owners() => {
            let gid = if parent.meta.mode & SETGID == 0 {
                0
            } else {
                parent.meta.gid
            };
            meta.overlaid(Owned {
                uid: 0,
                gid,
                device: None,
            })
        }
        None => meta,
    }
}
