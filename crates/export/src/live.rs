//! An archive of what its caller shows, path by path.

use std::io::Write;
use std::os::fd::BorrowedFd;

use bareroot_model::Cancel;
use rustix::io::Errno;
use tar::EntryType;

use crate::out::Out;
use crate::pax::{BLOCK, Member};
use crate::stream::RECORD;
use crate::{Compression, Error, Settings, Summary, write_with};

/// How an archive is made.
#[derive(Clone, Copy)]
pub struct StreamSettings<'a> {
    /// How it is compressed.
    pub compression: Compression,
    /// Threads that compress; at least one is used. They change the time it takes, not the bytes.
    pub threads: usize,
    /// Seconds since 1970: later modification times become this one, as `SOURCE_DATE_EPOCH` asks.
    pub clamp: Option<i64>,
    /// Stops the work.
    pub cancel: &'a Cancel,
}

/// What a path of an archive is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EntryKind {
    /// A regular file, whose content follows.
    File,
    /// Another name of a file that went before.
    Link,
    /// A directory.
    Directory,
    /// A symbolic link.
    Symlink,
    /// A character device.
    Char,
    /// A block device.
    Block,
    /// A named pipe.
    Fifo,
}

/// A path of an archive.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// `./usr/bin/sh`; a directory's ends in a slash.
    pub name: &'a [u8],
    /// What it is.
    pub kind: EntryKind,
    /// Permission bits with setuid, setgid and sticky.
    pub mode: u32,
    /// Numeric owner.
    pub uid: u32,
    /// Numeric group.
    pub gid: u32,
    /// Bytes of content that follow.
    pub size: u64,
    /// Seconds since 1970 and nanoseconds.
    pub mtime: (i64, u32),
    /// A symbolic link's text, or the name that a link is the same file as.
    pub link: &'a [u8],
    /// Major and minor number of a device.
    pub device: Option<(u32, u32)>,
    /// Extended attributes, in the order of their names.
    pub xattrs: &'a [(Vec<u8>, Vec<u8>)],
}

/// How much of a file could be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Read {
    /// Bytes; where there are fewer than were announced, zeros follow.
    pub bytes: u64,
    /// Why there are fewer, where it is not that the file has ended.
    pub failed: Option<Errno>,
}

/// An archive in the making.
pub struct Stream<'s> {
    out: &'s mut dyn Out,
    clamp: Option<i64>,
    cancel: &'s Cancel,
    summary: Summary,
}

impl Stream<'_> {
    /// Adds a path.
    ///
    /// # Errors
    /// [`Error::Closed`] when the archive cannot be written.
    pub fn entry(&mut self, entry: &Entry<'_>) -> Result<(), Error> {
        self.cancel.check()?;
        let mtime = self
            .clamp
            .map_or(entry.mtime, |clamp| entry.mtime.min((clamp, 0)));
        let member = Member {
            name: entry.name,
            kind: match entry.kind {
                EntryKind::File => EntryType::Regular,
                EntryKind::Link => EntryType::Link,
                EntryKind::Directory => EntryType::Directory,
                EntryKind::Symlink => EntryType::Symlink,
                EntryKind::Char => EntryType::Char,
                EntryKind::Block => EntryType::Block,
                EntryKind::Fifo => EntryType::Fifo,
            },
            mode: entry.mode,
            uid: entry.uid,
            gid: entry.gid,
            size: entry.size,
            mtime,
            link: entry.link,
            device: entry.device,
            xattrs: entry.xattrs,
            header_mtime: self.clamp.unwrap_or(mtime.0),
        };
        let headers = member.headers();
        self.summary.entries += 1;
        self.summary.bytes += headers.len() as u64;
        self.out.send(&headers)
    }

    /// Adds the content of the file that was added last: so many bytes, zeros where it has fewer.
    ///
    /// # Errors
    /// As [`Stream::entry`]; what cannot be read is no error.
    pub fn content(&mut self, file: BorrowedFd<'_>, size: u64) -> Result<Read, Error> {
        let mut read = Read {
            bytes: 0,
            failed: None,
        };
        while read.bytes < size {
            self.cancel.check()?;
            let room = self.out.room(size - read.bytes)?;
            match rustix::io::retry_on_intr(|| rustix::io::read(file, &mut *room)) {
                Ok(0) => break,
                Ok(count) => {
                    self.out.advance(count);
                    read.bytes += count as u64;
                }
                Err(error) => {
                    read.failed = Some(error);
                    break;
                }
            }
        }
        self.out.send_zeros(size - read.bytes)?;
        self.summary.bytes += size;
        self.pad(BLOCK)?;
        Ok(read)
    }

    fn pad(&mut self, unit: u64) -> Result<(), Error> {
        let zeros = self.summary.bytes.next_multiple_of(unit) - self.summary.bytes;
        self.summary.bytes += zeros;
        self.out.send_zeros(zeros)
    }

    fn finish(mut self) -> Result<Summary, Error> {
        self.out.send_zeros(2 * BLOCK)?;
        self.summary.bytes += 2 * BLOCK;
        self.pad(RECORD)?;
        Ok(self.summary)
    }
}

/// Writes an archive of what `show` adds to it to `out`. Where it fails, a part of it may have been written.
///
/// # Errors
/// Those of `show`; [`Error::Write`] for `out`, [`Error::Cancelled`].
pub fn stream<E: From<Error> + Send>(
    out: impl Write,
    settings: &StreamSettings<'_>,
    show: impl FnOnce(&mut Stream<'_>) -> Result<(), E> + Send,
) -> Result<Summary, E> {
    let settings = Settings {
        compression: settings.compression,
        threads: settings.threads,
        clamp: settings.clamp,
        leave_out: &[],
        cancel: settings.cancel,
        observer: &bareroot_model::Null,
    };
    let mut failed = None;
    let written = write_with(out, &settings, |sender| {
        let mut stream = Stream {
            out: sender,
            clamp: settings.clamp,
            cancel: settings.cancel,
            summary: Summary { entries: 0, bytes: 0 },
        };
        match show(&mut stream) {
            Ok(()) => stream.finish(),
            Err(error) => {
                failed = Some(error);
                Err(Error::Closed)
            }
        }
    });
    match (written, failed) {
        (Ok(summary), _) => Ok(summary),
        // The receiver's error comes first: it is why the stream was closed.
        (Err(Error::Closed), Some(error)) => Err(error),
        (Err(error), _) => Err(error.into()),
    }
}
