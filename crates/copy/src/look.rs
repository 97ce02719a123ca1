//! What a path of the source is, by statx(2).

use std::ffi::CStr;
use std::os::fd::{AsFd, BorrowedFd};

use bareroot_ledger::{Device, Owned};
use bareroot_unpack::FileKind;
use rustix::fs::{AtFlags, FileType, Statx, StatxFlags, Timespec, Timestamps};
use rustix::io::Errno;

/// Seconds and nanoseconds since 1970.
pub(crate) type Time = (i64, u32);

/// What is known of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Meta {
    pub kind: FileKind,
    /// Permission bits with setuid, setgid and sticky.
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    pub size: u64,
    /// Bytes that it takes on its file system.
    pub taken: u64,
    pub links: u32,
    pub rdev: (u32, u32),
    pub accessed: Time,
    pub modified: Time,
    pub changed: Time,
    pub id: Id,
    pub mount: Mount,
}

/// An inode, told apart also from a later one of the same number, where the file system knows when it was born.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Id {
    pub device: u64,
    pub inode: u64,
    born: Time,
}

/// Which file system, and which mount of it: a bind mount has the device of what it shows. The number of the mount is 0
/// where the kernel (before 5.8) does not tell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mount {
    device: u64,
    id: u64,
}

impl Meta {
    /// An open file's.
    pub(crate) fn of(fd: impl AsFd) -> rustix::io::Result<Self> {
        Self::look(fd.as_fd(), c"")
    }

    /// That of a name in a directory, itself, should it be a link.
    pub(crate) fn at(directory: impl AsFd, name: &CStr) -> rustix::io::Result<Self> {
        Self::look(directory.as_fd(), name)
    }

    fn look(directory: BorrowedFd<'_>, name: &CStr) -> rustix::io::Result<Self> {
        let flags = AtFlags::EMPTY_PATH | AtFlags::SYMLINK_NOFOLLOW | AtFlags::NO_AUTOMOUNT;
        let wanted = StatxFlags::BASIC_STATS | StatxFlags::BTIME | StatxFlags::MNT_ID;
        match rustix::fs::statx(directory, name, flags, wanted) {
            Ok(stat) => Ok(Self::new(&stat)),
            // A seccomp filter or a kernel before 4.11.
            Err(Errno::NOSYS) => Ok(Self::old(&rustix::fs::statat(directory, name, flags)?)),
            Err(error) => Err(error),
        }
    }

    fn new(stat: &Statx) -> Self {
        let has = |flag: StatxFlags| stat.stx_mask & flag.bits() != 0;
        let device = rustix::fs::makedev(stat.stx_dev_major, stat.stx_dev_minor);
        let time = |time: rustix::fs::StatxTimestamp| (time.tv_sec, time.tv_nsec);
        Meta {
            kind: kind_of(FileType::from_raw_mode(u32::from(stat.stx_mode))),
            mode: u32::from(stat.stx_mode) & 0o7777,
            uid: stat.stx_uid,
            gid: stat.stx_gid,
            size: stat.stx_size,
            taken: stat.stx_blocks.saturating_mul(512),
            links: stat.stx_nlink,
            rdev: (stat.stx_rdev_major, stat.stx_rdev_minor),
            accessed: time(stat.stx_atime),
            modified: time(stat.stx_mtime),
            changed: time(stat.stx_ctime),
            id: Id {
                device,
                inode: stat.stx_ino,
                born: if has(StatxFlags::BTIME) {
                    time(stat.stx_btime)
                } else {
                    (0, 0)
                },
            },
            mount: Mount {
                device,
                id: if has(StatxFlags::MNT_ID) {
                    stat.stx_mnt_id
                } else {
                    0
                },
            },
        }
    }

    // The fields' types differ between architectures.
    #[allow(clippy::unnecessary_cast)]
    fn old(stat: &rustix::fs::Stat) -> Self {
        let nanoseconds = |value| u32::try_from(value).unwrap_or(0);
        let device = stat.st_dev as u64;
        Meta {
            kind: kind_of(FileType::from_raw_mode(stat.st_mode)),
            mode: stat.st_mode & 0o7777,
            uid: stat.st_uid,
            gid: stat.st_gid,
            size: u64::try_from(stat.st_size).unwrap_or(0),
            taken: u64::try_from(stat.st_blocks).unwrap_or(0).saturating_mul(512),
            links: u32::try_from(stat.st_nlink).unwrap_or(u32::MAX),
            rdev: (
                rustix::fs::major(stat.st_rdev as _),
                rustix::fs::minor(stat.st_rdev as _),
            ),
            accessed: (stat.st_atime as i64, nanoseconds(stat.st_atime_nsec)),
            modified: (stat.st_mtime as i64, nanoseconds(stat.st_mtime_nsec)),
            changed: (stat.st_ctime as i64, nanoseconds(stat.st_ctime_nsec)),
            id: Id {
                device,
                inode: stat.st_ino as u64,
                born: (0, 0),
            },
            mount: Mount { device, id: 0 },
        }
    }

    /// Whether nothing of it changed between two looks.
    pub(crate) fn is_still(&self, later: &Meta) -> bool {
        (self.id, self.size, self.modified, self.changed)
            == (later.id, later.size, later.modified, later.changed)
    }

    /// The same of a directory: whether what it lists is. Its own attributes may be others by now.
    pub(crate) fn is_still_listed(&self, later: &Meta) -> bool {
        (self.id, self.modified) == (later.id, later.modified)
    }

    /// Whether a part of it may be a hole. A block is not cut.
    pub(crate) fn may_have_holes(&self) -> bool {
        const BLOCK: u64 = 4096;
        self.taken < self.size && self.size > BLOCK
    }

    /// What utimensat(2) takes.
    pub(crate) fn times(&self) -> Timestamps {
        let time = |(seconds, nanoseconds): Time| Timespec {
            tv_sec: seconds as _,
            tv_nsec: nanoseconds as _,
        };
        Timestamps {
            last_access: time(self.accessed),
            last_modification: time(self.modified),
        }
    }

    /// With another owner and group, where they are known.
    pub(crate) fn owned_by(mut self, owner: Option<&(u32, u32)>) -> Self {
        if let Some(owner) = owner {
            (self.uid, self.gid) = *owner;
        }
        self
    }

    /// As a ledger has it.
    pub(crate) fn owned(&self) -> Owned {
        let (major, minor) = self.rdev;
        Owned {
            uid: self.uid,
            gid: self.gid,
            device: match self.kind {
                FileKind::Char => Some(Device::Char(major, minor)),
                FileKind::Block => Some(Device::Block(major, minor)),
                _ => None,
            },
        }
    }

    /// This, as a ledger that knows better has it.
    pub(crate) fn overlaid(mut self, owned: Owned) -> Self {
        (self.uid, self.gid) = (owned.uid, owned.gid);
        match owned.device {
            Some(Device::Char(major, minor)) => (self.kind, self.rdev) = (FileKind::Char, (major, minor)),
            Some(Device::Block(major, minor)) => (self.kind, self.rdev) = (FileKind::Block, (major, minor)),
            None => {}
        }
        self
    }
}

/// The kind of an entry that getdents64(2) gave; none where the file system does not say.
pub(crate) fn kind_of_entry(kind: FileType) -> Option<FileKind> {
    (kind != FileType::Unknown).then(|| kind_of(kind))
}

fn kind_of(kind: FileType) -> FileKind {
    match kind {
        FileType::Directory => FileKind::Directory,
        FileType::Symlink => FileKind::Symlink,
        FileType::CharacterDevice => FileKind::Char,
        FileType::BlockDevice => FileKind::Block,
        FileType::Fifo => FileKind::Fifo,
        FileType::Socket => FileKind::Socket,
        FileType::RegularFile | FileType::Unknown => FileKind::File,
    }
}
