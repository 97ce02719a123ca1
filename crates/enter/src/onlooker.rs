//! A process that stays outside of the user namespace and tells whom files belong to there: inside, every owner that has no number
//! looks like nobody (user_namespaces(7)).

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Mutex, PoisonError};

use nix::sys::wait::waitpid;
use nix::unistd::Pid;
use rustix::fs::{AtFlags, Mode, OFlags, RawDir, StatxFlags};
use rustix::net::{AddressFamily, SocketFlags, SocketType};

use crate::{Error, sys, wire};

/// Whom a file belongs to, by the numbers of the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The file: the number of its device, and of its inode.
    pub file: (u64, u64),
    /// Its owner.
    pub uid: u32,
    /// Its group.
    pub gid: u32,
}

/// How many bytes one takes on its way.
const RECORD: usize = 24;

/// The process.
#[derive(Debug)]
pub struct Onlooker {
    pid: Pid,
    /// Taken when it is to end.
    socket: Option<Mutex<OwnedFd>>,
}

impl Onlooker {
    /// Starts it. The caller must be the only thread, and still be outside.
    ///
    /// # Errors
    /// [`Error::Threads`], and [`Error::UserNamespace`] when there can be no more processes.
    pub fn start() -> Result<Self, Error> {
        if !sys::alone() {
            return Err(Error::Threads);
        }
        let fail = |source: io::Error| Error::UserNamespace {
            doing: "start a process that stays outside",
            source,
        };
        let (ours, theirs) = rustix::net::socketpair(
            AddressFamily::UNIX,
            SocketType::STREAM,
            SocketFlags::CLOEXEC,
            None,
        )
        .map_err(|error| fail(error.into()))?;
        match sys::fork().map_err(fail)? {
            sys::Side::Parent(pid) => Ok(Onlooker {
                pid,
                socket: Some(Mutex::new(ours)),
            }),
            sys::Side::Child => {
                drop(ours);
                // It ends with whoever asks.
                while let Ok(Some(frame)) = wire::receive(&theirs) {
                    let found = frame.fds.first().map(look).unwrap_or_default();
                    if wire::send(&theirs, &found, &[]).is_err() {
                        break;
                    }
                }
                sys::exit(0)
            }
        }
    }

    /// Whom a directory belongs to, and all that is in it. What cannot be looked at is not told.
    ///
    /// # Errors
    /// When the process is gone.
    pub fn owners(&self, directory: BorrowedFd<'_>) -> io::Result<Vec<Owner>> {
        let Some(socket) = &self.socket else {
            return Err(io::ErrorKind::NotConnected.into());
        };
        let socket = socket.lock().unwrap_or_else(PoisonError::into_inner);
        wire::send(&*socket, &[], &[directory])?;
        let frame = wire::receive(&*socket)?.ok_or(io::ErrorKind::UnexpectedEof)?;
        Ok(frame.bytes.chunks_exact(RECORD).filter_map(read).collect())
    }
}

impl Drop for Onlooker {
    fn drop(&mut self) {
        drop(self.socket.take());
        let _ = waitpid(self.pid, None);
    }
}

/// The records of a directory and of what is in it; as many as a frame holds.
fn look(directory: &OwnedFd) -> Vec<u8> {
    let mut found = Vec::new();
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    note(&mut found, directory.as_fd(), c"");
    // A descriptor of its own: the other's place in the directory is its owner's.
    let Ok(own) = rustix::fs::openat(directory, c".", flags, Mode::empty()) else {
        return found;
    };
    let mut memory = [MaybeUninit::uninit(); 32 * 1024];
    let mut entries = RawDir::new(&own, &mut memory);
    while let Some(Ok(entry)) = entries.next() {
        if found.len() + RECORD > wire::LIMIT {
            break;
        }
        if !matches!(entry.file_name().to_bytes(), b"." | b"..") {
            note(&mut found, own.as_fd(), entry.file_name());
        }
    }
    found
}

fn note(found: &mut Vec<u8>, directory: BorrowedFd<'_>, name: &std::ffi::CStr) {
    let flags = AtFlags::EMPTY_PATH | AtFlags::SYMLINK_NOFOLLOW | AtFlags::NO_AUTOMOUNT;
    let wanted = StatxFlags::INO | StatxFlags::UID | StatxFlags::GID;
    if let Ok(stat) = rustix::fs::statx(directory, name, flags, wanted) {
        let device = rustix::fs::makedev(stat.stx_dev_major, stat.stx_dev_minor);
        found.extend_from_slice(&device.to_ne_bytes());
        found.extend_from_slice(&stat.stx_ino.to_ne_bytes());
        found.extend_from_slice(&stat.stx_uid.to_ne_bytes());
        found.extend_from_slice(&stat.stx_gid.to_ne_bytes());
    }
}

fn read(record: &[u8]) -> Option<Owner> {
    let (device, rest) = record.split_first_chunk()?;
    let (inode, rest) = rest.split_first_chunk()?;
    let (uid, rest) = rest.split_first_chunk()?;
    let (gid, _) = rest.split_first_chunk()?;
    Some(Owner {
        file: (u64::from_ne_bytes(*device), u64::from_ne_bytes(*inode)),
        uid: u32::from_ne_bytes(*uid),
        gid: u32::from_ne_bytes(*gid),
    })
}
