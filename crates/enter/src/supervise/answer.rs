//! The answers: what root would have been told.

use std::os::fd::OwnedFd;

use bareroot_ledger::{Device, FileId, Ledger, Owned};
use rustix::fs::{AtFlags, FileType, chownat};
use rustix::io::Errno;

use super::calls::{Call, File, Ids, Shape};
use super::tracee::Tracee;
use crate::sys;

/// What a waiting program is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// That it succeeded.
    Done,
    /// That it failed.
    Failed(Errno),
    /// Nothing: the kernel does what was asked.
    Kernel,
}

/// Answers a call.
pub(super) fn answer(call: Call, tracee: &Tracee<'_>, ledger: &Ledger) -> Answer {
    let outcome = match call {
        Call::Chown { file, uid, ids } => change_owner(tracee, ledger, file, uid, ids),
        Call::Stat { file, to, shape } => look(tracee, ledger, file, to, shape),
        Call::Mknod { file, mode } => make_node(tracee, ledger, file, mode),
    };
    outcome.unwrap_or_else(Answer::Failed)
}

/// An id of an argument; -1 leaves what is (chown(2)).
fn id(value: u64, ids: Ids) -> Option<u32> {
    match ids {
        Ids::Wide => Some(value as u32).filter(|id| *id != u32::MAX),
        Ids::Narrow => Some(value as u16).filter(|id| *id != u16::MAX).map(u32::from),
    }
}

/// chown(2) for real, to nobody else, so that what it does beside (errors, setuid bits that go) is done; and the ids asked
/// for into the ledger.
fn change_owner(
    tracee: &Tracee<'_>,
    ledger: &Ledger,
    file: File,
    at: usize,
    ids: Ids,
) -> Result<Answer, Errno> {
    let (uid, gid) = (id(tracee.arg(at), ids), id(tracee.arg(at + 1), ids));
    let file = tracee.file(file)?;
    chownat(
        &file,
        "",
        None,
        None,
        AtFlags::EMPTY_PATH | AtFlags::SYMLINK_NOFOLLOW,
    )?;
    if uid.is_some() || gid.is_some() {
        ledger.chown(id_of(&file)?, uid, gid);
    }
    Ok(Answer::Done)
}

fn id_of(file: &OwnedFd) -> Result<FileId, Errno> {
    FileId::of(file).map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))
}

/// stat(2) of a file that is in the ledger. For every other, and for every error, the kernel's own answer is right.
fn look(tracee: &Tracee<'_>, ledger: &Ledger, file: File, to: usize, shape: Shape) -> Result<Answer, Errno> {
    let recorded = tracee.file(file).ok().and_then(|file| {
        let owned = ledger.get(id_of(&file).ok()?)?;
        Some((file, owned))
    });
    let Some((file, owned)) = recorded else {
        return Ok(Answer::Kernel);
    };
    let bytes = match shape {
        Shape::Native => sys::stat_bytes(&file, |stat| dress_stat(stat, owned)),
        Shape::Statx => {
            let (flags, mask) = (tracee.arg(2) as i32, tracee.arg(3) as u32);
            sys::statx_bytes(&file, flags, mask, |stat| dress_statx(stat, owned))
        }
        Shape::Stat64 => sys::stat64_bytes(&file, |stat| dress_stat(stat, owned)),
    };
    let bytes = bytes.map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))?;
    tracee.write(tracee.arg(to), &bytes)?;
    Ok(Answer::Done)
}

/// Type bits of a mode, and the device's numbers.
fn node(device: Device) -> (u32, u32, u32) {
    match device {
        Device::Char(major, minor) => (FileType::CharacterDevice.as_raw_mode(), major, minor),
        Device::Block(major, minor) => (FileType::BlockDevice.as_raw_mode(), major, minor),
    }
}

// The fields' types differ between architectures.
#[allow(clippy::unnecessary_cast)]
fn dress_stat(stat: &mut libc::stat, owned: Owned) {
    (stat.st_uid, stat.st_gid) = (owned.uid, owned.gid);
    if let Some(device) = owned.device {
        let (kind, major, minor) = node(device);
        stat.st_mode = kind | (stat.st_mode & 0o7777);
        stat.st_rdev = rustix::fs::makedev(major, minor) as _;
    }
}

fn dress_statx(stat: &mut libc::statx, owned: Owned) {
    (stat.stx_uid, stat.stx_gid) = (owned.uid, owned.gid);
    if let Some(device) = owned.device {
        let (kind, major, minor) = node(device);
        stat.stx_mode = kind as u16 | (stat.stx_mode & 0o7777);
        (stat.stx_rdev_major, stat.stx_rdev_minor) = (major, minor);
    }
}

/// mknod(2) of a device: an empty file, and what it stands for into the ledger. The device 0:0, an overlay's mark for what
/// is not there, every user may make.
fn make_node(tracee: &Tracee<'_>, ledger: &Ledger, file: File, at: usize) -> Result<Answer, Errno> {
    let (mode, device) = (tracee.arg(at) as u32, u64::from(tracee.arg(at + 1) as u32));
    let (major, minor) = (rustix::fs::major(device), rustix::fs::minor(device));
    let device = match FileType::from_raw_mode(mode) {
        FileType::CharacterDevice if device == 0 => return Ok(Answer::Kernel),
        FileType::CharacterDevice => Device::Char(major, minor),
        FileType::BlockDevice => Device::Block(major, minor),
        _ => return Ok(Answer::Kernel),
    };
    let made = tracee.create(file, mode)?;
    let owned = Owned {
        device: Some(device),
        ..Owned::default()
    };
    ledger.set(id_of(&made)?, owned);
    Ok(Answer::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minus_one_leaves_what_is() {
        assert_eq!(id(u64::MAX, Ids::Wide), None);
        assert_eq!(id(0xffff_ffff, Ids::Wide), None);
        assert_eq!(id(65_535, Ids::Wide), Some(65_535));
        assert_eq!(id(65_535, Ids::Narrow), None);
        assert_eq!(id(0x1_0000_002a, Ids::Narrow), Some(42));
        assert_eq!(id(0xffff_ffff_0000_0000, Ids::Wide), Some(0));
    }
}
