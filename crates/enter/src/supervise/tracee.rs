//! A program that waits for an answer: its memory, and its files as it names them.

use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{BorrowedFd, OwnedFd};

use nix::sys::uio::{RemoteIoVec, process_vm_readv, process_vm_writev};
use nix::unistd::Pid;
use rustix::fs::{Mode, OFlags, openat};
use rustix::io::Errno;
use rustix::process::{chroot, fchdir};

use super::calls::File;

/// AT_FDCWD, as it stands in a register.
const WORKING_DIRECTORY: i32 = -100;

/// PATH_MAX of Linux, with its zero.
const LONGEST: usize = 4096;

/// Memory is read up to such a boundary at a time: the next page may not be there.
const PAGE: usize = 4096;

const AT_SYMLINK_NOFOLLOW: u64 = 0x100;
const AT_SYMLINK_FOLLOW: u64 = 0x400;
const AT_EMPTY_PATH: u64 = 0x1000;

/// A waiting program.
pub(super) struct Tracee<'a> {
    /// A /proc in which its number is `pid`.
    proc: BorrowedFd<'a>,
    pid: u32,
    args: [u64; 6],
}

impl<'a> Tracee<'a> {
    pub(super) fn new(proc: BorrowedFd<'a>, pid: u32, args: [u64; 6]) -> Self {
        Tracee { proc, pid, args }
    }

    /// An argument; 0 where there is none of that number.
    pub(super) fn arg(&self, at: usize) -> u64 {
        self.args.get(at).copied().unwrap_or(0)
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(self.pid as i32)
    }

    /// Opens something below its directory of /proc; `O_PATH`, so that nothing is read, and nothing waited for.
    fn own(&self, name: &str) -> Result<OwnedFd, Errno> {
        openat(
            self.proc,
            format!("{}/{name}", self.pid),
            OFlags::PATH | OFlags::CLOEXEC,
            Mode::empty(),
        )
    }

    /// A path in its memory, without the zero.
    fn text(&self, address: u64) -> Result<Vec<u8>, Errno> {
        let mut text = Vec::new();
        let mut at = usize::try_from(address).map_err(|_| Errno::FAULT)?;
        while text.len() < LONGEST {
            let piece = (PAGE - at % PAGE).min(LONGEST - text.len());
            let mut buffer = [0_u8; PAGE];
            let buffer = buffer.get_mut(..piece).ok_or(Errno::FAULT)?;
            let remote = [RemoteIoVec { base: at, len: piece }];
            let got = process_vm_readv(self.pid(), &mut [IoSliceMut::new(buffer)], &remote)
                .map_err(|error| Errno::from_raw_os_error(error as i32))?;
            let got = buffer.get(..got).unwrap_or_default();
            match got.iter().position(|byte| *byte == 0) {
                Some(end) => {
                    text.extend_from_slice(got.get(..end).unwrap_or_default());
                    return Ok(text);
                }
                None if got.is_empty() => return Err(Errno::FAULT),
                None => text.extend_from_slice(got),
            }
            at = at.checked_add(got.len()).ok_or(Errno::FAULT)?;
        }
        Err(Errno::NAMETOOLONG)
    }

    /// Writes into its memory.
    pub(super) fn write(&self, address: u64, bytes: &[u8]) -> Result<(), Errno> {
        let remote = [RemoteIoVec {
            base: usize::try_from(address).map_err(|_| Errno::FAULT)?,
            len: bytes.len(),
        }];
        match process_vm_writev(self.pid(), &[IoSlice::new(bytes)], &remote) {
            Ok(written) if written == bytes.len() => Ok(()),
            Ok(_) => Err(Errno::FAULT),
            Err(error) => Err(Errno::from_raw_os_error(error as i32)),
        }
    }

    /// The file that a call names.
    pub(super) fn file(&self, file: File) -> Result<OwnedFd, Errno> {
        match file {
            File::Descriptor => self.descriptor(self.arg(0)),
            File::Path { follow } => {
                let text = self.text(self.arg(0))?;
                self.lookup(WORKING_DIRECTORY, &text, follow)
            }
            File::At { flags } => {
                let flags = self.arg(flags);
                let (directory, address) = (self.arg(0), self.arg(1));
                // statx(2): since Linux 6.11 no path is as good as an empty one.
                let text = match address {
                    0 if flags & AT_EMPTY_PATH != 0 => Vec::new(),
                    _ => self.text(address)?,
                };
                if text.is_empty() && flags & AT_EMPTY_PATH != 0 {
                    return match directory as i32 {
                        WORKING_DIRECTORY => self.own("cwd"),
                        _ => self.descriptor(directory),
                    };
                }
                let follow = flags & AT_SYMLINK_NOFOLLOW == 0 || flags & AT_SYMLINK_FOLLOW != 0;
                self.lookup(directory as i32, &text, follow)
            }
        }
    }

    fn descriptor(&self, number: u64) -> Result<OwnedFd, Errno> {
        match number as i32 {
            number @ 0.. => self.own(&format!("fd/{number}")).map_err(|error| match error {
                Errno::NOENT => Errno::BADF,
                other => other,
            }),
            _ => Err(Errno::BADF),
        }
    }

    /// Looks a path up as the program would: in its root, from its working directory. The calling thread's own root and
    /// directory are moved for that, which it must share with no other.
    fn lookup(&self, directory: i32, text: &[u8], follow: bool) -> Result<OwnedFd, Errno> {
        if text.is_empty() {
            return Err(Errno::NOENT);
        }
        let start = self.stand(directory, text)?;
        let links = if follow { OFlags::empty() } else { OFlags::NOFOLLOW };
        let flags = OFlags::PATH | OFlags::CLOEXEC | links;
        // `self` is whoever asks, and this thread is not in the session's process namespace: its own /proc knows the program.
        let own = [&b"/proc/self/"[..], b"/proc/thread-self/"];
        if let Some(rest) = own.iter().find_map(|prefix| text.strip_prefix(*prefix)) {
            let mut path = format!("{}/", self.pid).into_bytes();
            path.extend_from_slice(rest);
            return openat(self.proc, path, flags, Mode::empty());
        }
        openat(start, text, flags, Mode::empty())
    }

    /// Takes the program's root as this thread's own, and opens where a path begins.
    fn stand(&self, directory: i32, text: &[u8]) -> Result<OwnedFd, Errno> {
        let root = self.own("root")?;
        fchdir(&root)?;
        chroot(".")?;
        match (text.starts_with(b"/"), directory) {
            (true, _) => Ok(root),
            (false, WORKING_DIRECTORY) => self.own("cwd"),
            (false, directory) => self.descriptor(directory as u64),
        }
    }

    /// Makes an empty file where the program wants a device.
    pub(super) fn create(&self, file: File, mode: u32) -> Result<OwnedFd, Errno> {
        let (directory, address) = match file {
            File::At { .. } => (self.arg(0) as i32, self.arg(1)),
            File::Path { .. } | File::Descriptor => (WORKING_DIRECTORY, self.arg(0)),
        };
        let text = self.text(address)?;
        if text.is_empty() {
            return Err(Errno::NOENT);
        }
        let start = self.stand(directory, &text)?;
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::WRONLY | OFlags::CLOEXEC;
        let made = openat(start, text.as_slice(), flags, Mode::from_raw_mode(0o600))?;
        rustix::fs::fchmod(&made, Mode::from_raw_mode(mode & 0o7777 & !self.umask()))?;
        Ok(made)
    }

    /// Its umask, from its status (proc_pid_status(5)).
    fn umask(&self) -> u32 {
        let umask = || -> io::Result<u32> {
            let path = format!("{}/status", self.pid);
            let file = openat(self.proc, path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
            let status = io::read_to_string(std::fs::File::from(file))?;
            let line = status.lines().find_map(|line| line.strip_prefix("Umask:"));
            let octal = line.and_then(|text| u32::from_str_radix(text.trim(), 8).ok());
            octal.ok_or_else(|| io::ErrorKind::InvalidData.into())
        };
        // Before Linux 4.7 it is not told.
        umask().unwrap_or(0o022)
    }
}
