//! A file's content from one file to another: shared, or copied by the kernel, or read and written.

use std::collections::HashMap;
use std::os::fd::BorrowedFd;
use std::sync::{Mutex, PoisonError};

use rustix::fs::SeekFrom;
use rustix::io::Errno;

use crate::look::Meta;

/// Up to this size a read and a write are cheaper than the set-up of copy_file_range(2).
const SMALL: u64 = 64 * 1024;
/// Memory for reading and writing: large enough that the calls do not count, small enough for a processor's cache.
pub(crate) const BUFFER: usize = 256 * 1024;
/// How much is copied by one call of copy_file_range(2): often enough that a run can be stopped.
const RANGE: usize = 16 * 1024 * 1024;

/// How contents go from one file system to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Method {
    /// FICLONE (ioctl_ficlone(2)): both files share their blocks until one is written to.
    Share,
    /// copy_file_range(2).
    Range,
    /// read(2) and write(2).
    Read,
}

/// The way of each pair of file systems: the best that worked, or the best that was not refused yet. All targets are on one.
#[derive(Debug, Default)]
pub(crate) struct Methods(Mutex<HashMap<u64, Method>>);

/// What was done with a file's content.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Moved {
    /// Bytes that were copied.
    pub copied: u64,
    /// Bytes that are shared.
    pub shared: u64,
}

/// Which side failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The source could not be read.
    Source(Errno),
    /// The copy could not be written.
    Target(Errno),
    /// The run was stopped.
    Stopped,
}

impl Methods {
    fn of(&self, device: u64) -> Method {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&device).copied().unwrap_or(Method::Share)
    }

    fn refuse(&self, device: u64, method: Method) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(device, method);
    }

    /// Fills the empty file `to` with what `from` has, as far as it had it when `meta` was taken. Holes stay holes.
    pub(crate) fn fill(
        &self,
        from: BorrowedFd<'_>,
        to: BorrowedFd<'_>,
        meta: &Meta,
        buffer: &mut [u8],
        stopped: &dyn Fn() -> bool,
    ) -> Result<Moved, Fault> {
        if meta.size == 0 {
            return Ok(Moved::default());
        }
        let mut method = self.of(meta.id.device);
        if method == Method::Share {
            match rustix::fs::ioctl_ficlone(to, from) {
                Ok(()) => {
                    return Ok(Moved {
                        shared: meta.size,
                        copied: 0,
                    });
                }
                Err(Errno::NOSPC | Errno::DQUOT) => return Err(Fault::Target(Errno::NOSPC)),
                // What this file alone is refused (one that is swapped to, one without checksums) says nothing of others.
                Err(Errno::INVAL | Errno::TXTBSY | Errno::PERM | Errno::IO) => {}
                Err(_) => self.refuse(meta.id.device, Method::Range),
            }
            method = Method::Range;
        }
        let mut work = Work {
            from,
            to,
            buffer,
            stopped,
            method,
            refused: false,
            copied: 0,
        };
        match meta.may_have_holes() {
            true => work.with_holes(meta.size)?,
            false => work.piece(0, meta.size)?,
        }
        if work.refused {
            self.refuse(meta.id.device, Method::Read);
        }
        Ok(Moved {
            copied: work.copied,
            shared: 0,
        })
    }
}

/// One file's content on its way.
struct Work<'w> {
    from: BorrowedFd<'w>,
    to: BorrowedFd<'w>,
    buffer: &'w mut [u8],
    stopped: &'w dyn Fn() -> bool,
    method: Method,
    refused: bool,
    copied: u64,
}

impl Work<'_> {
    /// Data up to `size`, and nothing where the source has holes.
    fn with_holes(&mut self, size: u64) -> Result<(), Fault> {
        let mut at = 0;
        while at < size {
            let begin = match rustix::fs::seek(self.from, SeekFrom::Data(at)) {
                Ok(begin) => begin,
                // There is no more data.
                Err(Errno::NXIO) => break,
                // The file system does not tell.
                Err(Errno::INVAL | Errno::NOTSUP) => {
                    self.piece(at, size)?;
                    return Ok(());
                }
                Err(error) => return Err(Fault::Source(error)),
            };
            if begin >= size {
                break;
            }
            let end = match rustix::fs::seek(self.from, SeekFrom::Hole(begin)) {
                Ok(end) => end.min(size),
                Err(Errno::NXIO) => break,
                Err(error) => return Err(Fault::Source(error)),
            };
            self.piece(begin, end)?;
            at = end;
        }
        rustix::fs::ftruncate(self.to, size).map_err(Fault::Target)
    }

    /// What is between two offsets; it ends early where the source does.
    fn piece(&mut self, begin: u64, end: u64) -> Result<(), Fault> {
        let mut at = begin;
        if self.method == Method::Range && end - begin > SMALL {
            at = self.by_range(at, end)?;
        }
        self.by_reading(at, end)
    }

    /// As far as copy_file_range(2) came.
    fn by_range(&mut self, begin: u64, end: u64) -> Result<u64, Fault> {
        let mut at = begin;
        while at < end && self.method == Method::Range {
            if (self.stopped)() {
                return Err(Fault::Stopped);
            }
            let (mut from, mut to) = (at, at);
            let most = usize::try_from(end - at).unwrap_or(RANGE).min(RANGE);
            match rustix::fs::copy_file_range(self.from, Some(&mut from), self.to, Some(&mut to), most) {
                // Some file systems say so of files whose content they make up as it is read.
                Ok(0) => break,
                Ok(count) => {
                    at += count as u64;
                    self.copied += count as u64;
                }
                Err(Errno::INTR) => {}
                Err(Errno::NOSPC | Errno::DQUOT) => return Err(Fault::Target(Errno::NOSPC)),
                // Reading and writing will say which side it is, where it is the disk.
                Err(Errno::IO) => break,
                Err(_) => {
                    self.method = Method::Read;
                    self.refused = true;
                }
            }
        }
        Ok(at)
    }

    fn by_reading(&mut self, begin: u64, end: u64) -> Result<(), Fault> {
        let mut at = begin;
        while at < end {
            if (self.stopped)() {
                return Err(Fault::Stopped);
            }
            let most = usize::try_from(end - at)
                .unwrap_or(usize::MAX)
                .min(self.buffer.len());
            let room = self.buffer.get_mut(..most).unwrap_or_default();
            let count = match rustix::io::pread(self.from, &mut *room, at) {
                Ok(0) => break,
                Ok(count) => count,
                Err(Errno::INTR) => continue,
                Err(error) => return Err(Fault::Source(error)),
            };
            let mut left = room.get(..count).unwrap_or_default();
            while !left.is_empty() {
                match rustix::io::pwrite(self.to, left, at) {
                    Ok(written) => {
                        at += written as u64;
                        self.copied += written as u64;
                        left = left.get(written..).unwrap_or_default();
                    }
                    Err(Errno::INTR) => {}
                    Err(error) => return Err(Fault::Target(error)),
                }
            }
        }
        Ok(())
    }
}
