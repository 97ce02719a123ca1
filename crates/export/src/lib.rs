//! A finished root as an archive: the same root gives the same bytes, on every host and with any number of threads.
//!
//! The archive is pax (POSIX.1-2001) as GNU tar writes it with `--sort=name --numeric-owner --one-file-system --format=pax
//! --xattrs`, to the byte: names begin with `./`, come in byte order and depth first; owners are numbers; extended
//! attributes are `SCHILY.xattr.` records; there are no access and no change times. The first name of a file is the file,
//! its other names are links to that one. [`export`] writes it from a [`Root`](bareroot_unpack::Root), through one of the
//! [`Compression`]s.
//!
//! What the root's ledger says of owners and devices is what the archive says; the ledger itself, and what runs that
//! were killed have left at the top of the root, are left out.

mod compress;
mod error;
mod format;
mod list;
mod live;
mod out;
mod pax;
mod pipe;
mod stream;

use std::io::Write;

use bareroot_model::{Cancel, Event, Observer};
use bareroot_unpack::Root;

use compress::Encoder;
pub use error::Error;
pub use format::{Compression, Format};
pub use live::{Entry, EntryKind, Read, Stream, StreamSettings, stream};
use out::{Direct, Out};
use stream::Archiver;

/// How an archive is made.
#[derive(Clone, Copy)]
pub struct Settings<'a> {
    /// How it is compressed.
    pub compression: Compression,
    /// Threads that compress; at least one is used. They change the time it takes, not the bytes.
    pub threads: usize,
    /// Seconds since 1970: later modification times become this one, as `SOURCE_DATE_EPOCH` asks.
    pub clamp: Option<i64>,
    /// Files that are left out with a warning, by device and inode number: the archive itself, should it be in the root.
    pub leave_out: &'a [(u64, u64)],
    /// Stops the work.
    pub cancel: &'a Cancel,
    /// Who is warned of what is left out.
    pub observer: &'a dyn Observer,
}

/// What was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Paths in the archive.
    pub entries: u64,
    /// Bytes of the archive before it was compressed.
    pub bytes: u64,
}

/// Writes a root to `out` as an archive. Where it fails, a part of it may have been written. Sockets, and files on which
/// another file system's are mounted, are left out with a warning; a directory on which something is mounted is empty.
///
/// # Errors
/// [`Error::Read`] and [`Error::Changed`] for the root, [`Error::Write`] for `out`, [`Error::Cancelled`].
pub fn export(root: &Root, out: impl Write, settings: &Settings<'_>) -> Result<Summary, Error> {
    let listing = list::list(root, settings.leave_out, settings.cancel)?;
    for (path, why) in &listing.left_out {
        let text = format!("`{}` is left out of the archive: {why}", path.display());
        settings.observer.on(Event::Warning { text });
    }
    let (clamp, cancel) = (settings.clamp, settings.cancel);
    write_with(out, settings, |sender| {
        let mut archiver = Archiver::new(root, sender, clamp, cancel);
        listing.paths.iter().try_for_each(|path| archiver.add(path))?;
        archiver.finish()
    })
}

/// Writes what `lay_out` reads and lays out: where it is compressed, a thread does that ahead of this one, which compresses and
/// writes.
fn write_with(
    out: impl Write,
    settings: &Settings<'_>,
    lay_out: impl FnOnce(&mut dyn Out) -> Result<Summary, Error> + Send,
) -> Result<Summary, Error> {
    if settings.compression == Compression::None {
        let mut direct = Direct::new(out);
        let summary = lay_out(&mut direct)?;
        return direct.finish().map(|()| summary);
    }
    let (mut sender, receiver) = pipe::pipe();
    std::thread::scope(|scope| {
        let reader = std::thread::Builder::new()
            .name("export".to_owned())
            .spawn_scoped(scope, move || {
                let summary = lay_out(&mut sender)?;
                sender.finish()?;
                Ok::<_, Error>(summary)
            })
            .map_err(Error::Thread)?;
        let written = compress(receiver, out, settings);
        // The receiver is gone by now, so a reader that is not done ends with the error that its pipe is closed.
        let read = reader.join().map_err(|_| Error::Died)?;
        match (read, written) {
            (Err(Error::Closed), Err(error)) => Err(error),
            (Err(error), _) => Err(error),
            (Ok(_), Err(error)) => Err(error),
            (Ok(summary), Ok(())) => Ok(summary),
        }
    })
}

/// Compresses what comes until it ends whole; what a reader that failed has sent is not finished.
fn compress(receiver: pipe::Receiver, out: impl Write, settings: &Settings<'_>) -> Result<(), Error> {
    let mut encoder = Encoder::new(out, settings.compression, settings.threads).map_err(Error::Write)?;
    while let Some(part) = receiver.next() {
        settings.cancel.check()?;
        match part {
            pipe::Part::Bytes(bytes) => {
                encoder.write_all(&bytes).map_err(Error::Write)?;
                receiver.give_back(bytes);
            }
            pipe::Part::End => return encoder.finish().map_err(Error::Write),
        }
    }
    Err(Error::Closed)
}
