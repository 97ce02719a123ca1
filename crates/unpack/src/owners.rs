//! Owners and devices: on the files themselves, or in the ledger where the file system cannot hold them.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

use bareroot_ledger::{Device, FileId, Ledger, Owned};
use rustix::fs::{AtFlags, FileType, Gid, Mode, OFlags, Uid};

use crate::root::{FileKind, Node, Stat};
use crate::sys;

/// Who is told that a file belongs to somebody.
#[derive(Clone, Debug, Default)]
pub(crate) struct Owners {
    ledger: Option<Arc<Ledger>>,
}

impl Owners {
    pub(crate) fn new(ledger: Option<Arc<Ledger>>) -> Self {
        Owners { ledger }
    }

    pub(crate) fn ledger(&self) -> Option<&Arc<Ledger>> {
        self.ledger.as_ref()
    }

    /// The ledger, where owners go there.
    pub(crate) fn kept(&self) -> Option<&Ledger> {
        self.ledger.as_deref().filter(|ledger| ledger.keeps_owners())
    }

    /// fchown(2). Set the mode afterwards: it may take the setuid and setgid bits away.
    pub(crate) fn set(&self, fd: impl AsFd, uid: u32, gid: u32) -> io::Result<()> {
        match self.kept() {
            Some(ledger) => ledger.chown(FileId::of(fd)?, Some(uid), Some(gid)),
            None => rustix::fs::fchown(fd, Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)))?,
        }
        Ok(())
    }

    /// lchown(2), of a name in a directory.
    pub(crate) fn set_at(&self, dir: impl AsFd, name: &[u8], uid: u32, gid: u32) -> io::Result<()> {
        match self.kept() {
            Some(ledger) => ledger.chown(FileId::at(dir, name)?, Some(uid), Some(gid)),
            None => {
                let (uid, gid) = (Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)));
                rustix::fs::chownat(dir, name, uid, gid, AtFlags::SYMLINK_NOFOLLOW)?;
            }
        }
        Ok(())
    }

    /// mknod(2) with a mode that the umask does not touch. With a ledger a device is an empty file, and recorded.
    pub(crate) fn node(&self, dir: BorrowedFd<'_>, name: &[u8], node: Node, mode: u32) -> io::Result<()> {
        let device = match node {
            Node::Char(major, minor) => Some(Device::Char(major, minor)),
            Node::Block(major, minor) => Some(Device::Block(major, minor)),
            Node::Fifo => None,
        };
        if let (Some(ledger), Some(_)) = (&self.ledger, device) {
            let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let file = rustix::fs::openat(dir, name, flags, Mode::from_raw_mode(0o600))?;
            rustix::fs::fchmod(&file, Mode::from_raw_mode(mode))?;
            let owned = Owned {
                device,
                ..Owned::default()
            };
            ledger.set(FileId::of(&file)?, owned);
            return Ok(());
        }
        let (kind, device) = node.parts();
        rustix::fs::mknodat(dir, name, kind, Mode::from_raw_mode(0o600), device)?;
        sys::chmod_nofollow(dir, name, mode)
    }

    /// What a file is by the ledger, where that says anything else than its `stat`.
    pub(crate) fn overlay(
        &self,
        stat: &mut Stat,
        file: impl FnOnce() -> io::Result<FileId>,
    ) -> io::Result<()> {
        let Some(ledger) = &self.ledger else {
            return Ok(());
        };
        if let Some(owned) = ledger.get(file()?) {
            apply(stat, owned, ledger.keeps_owners());
        }
        Ok(())
    }

    /// As [`overlay`](Self::overlay), for a file in a directory that was looked at; one that is not recorded is of its
    /// directory's group where that has the set-group-id bit, as the kernel makes files (inode(7)).
    pub(crate) fn overlay_in(
        &self,
        parent: &Stat,
        stat: &mut Stat,
        file: impl FnOnce() -> io::Result<FileId>,
    ) -> io::Result<()> {
        let Some(ledger) = &self.ledger else {
            return Ok(());
        };
        match ledger.get(file()?) {
            Some(owned) => apply(stat, owned, ledger.keeps_owners()),
            None if ledger.keeps_owners() => stat.gid = inherited(parent),
            None => {}
        }
        Ok(())
    }
}

/// The group of a file that nobody gave to anybody.
pub(crate) fn inherited(parent: &Stat) -> u32 {
    if parent.mode & 0o2000 != 0 { parent.gid } else { 0 }
}

fn apply(stat: &mut Stat, owned: Owned, owners: bool) {
    if owners {
        (stat.uid, stat.gid) = (owned.uid, owned.gid);
    }
    // A name that something else has taken since stands for itself.
    if stat.kind != FileKind::File {
        return;
    }
    let (kind, rdev) = match owned.device {
        None => return,
        Some(Device::Char(major, minor)) => (FileType::CharacterDevice, (major, minor)),
        Some(Device::Block(major, minor)) => (FileType::BlockDevice, (major, minor)),
    };
    stat.kind = FileKind::of(kind);
    stat.rdev = rdev;
}
