use std::io::{self, BufReader, Read};

use bareroot_archive::{Compression, Error, Limits, Member, TarLimits, TarReader, decoder};
use bareroot_model::Entry;
use bareroot_trust::Blob;

use super::ArchiveError;

/// How much is read from a file at once: larger gains nothing, smaller costs system calls.
const CHUNK: usize = 128 << 10;

/// How large a payload may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PayloadLimits {
    /// Of the decompressed archive, and of the memory that its decoder takes.
    pub decoder: Limits,
    /// Of its entries.
    pub tar: TarLimits,
}

/// The payload of a package, entry by entry, each followed by its content.
///
/// It reads its file by position, so any number of payloads of one file can be read at once.
pub struct Payload<'b> {
    tar: TarReader<Box<dyn Read + Send + 'b>>,
    archive: String,
}

impl std::fmt::Debug for Payload<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Payload({})", self.archive)
    }
}

impl<'b> Payload<'b> {
    /// The entries of a member of a file.
    pub(super) fn new(blob: &'b Blob, member: &Member, limits: PayloadLimits) -> Result<Self, ArchiveError> {
        let archive = blob.name().to_owned();
        match open(blob, member, limits.decoder) {
            Ok(reader) => Ok(Payload {
                tar: TarReader::new(reader, limits.tar),
                archive,
            }),
            Err(error) => Err(ArchiveError::Read {
                archive,
                member: MEMBER,
                error,
            }),
        }
    }

    /// The next entry, or `None` after the last one. Content of the entry before that was not read is skipped.
    ///
    /// # Errors
    ///
    /// [`ArchiveError::Read`] when the archive is damaged, truncated, larger than it may be or of a kind that dpkg
    /// refuses.
    pub fn next_entry(&mut self) -> Result<Option<Entry>, ArchiveError> {
        self.tar.next_entry().map_err(|error| ArchiveError::Read {
            archive: self.archive.clone(),
            member: MEMBER,
            error,
        })
    }

    /// What an error of [`Read::read`] means.
    pub fn content_error(&self, error: io::Error) -> ArchiveError {
        ArchiveError::Read {
            archive: self.archive.clone(),
            member: MEMBER,
            error: Error::from_io(error),
        }
    }
}

const MEMBER: &str = "its data archive";

/// The content of the current entry.
impl Read for Payload<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.tar.read(buffer)
    }
}

/// A reader of a member's decompressed bytes.
pub(super) fn open<'b>(
    blob: &'b Blob,
    member: &Member,
    limits: Limits,
) -> Result<Box<dyn Read + Send + 'b>, Error> {
    let part = Part {
        blob,
        at: member.offset,
        left: member.size,
    };
    let plain = decoder(member.compression, BufReader::with_capacity(CHUNK, part), limits)?;
    Ok(match member.compression {
        Compression::None => plain,
        // Headers are read 512 bytes at a time, and a decoder does not like to be asked for so little.
        _ => Box::new(BufReader::with_capacity(CHUNK, plain)),
    })
}

/// A part of a file, read by position.
struct Part<'b> {
    blob: &'b Blob,
    at: u64,
    left: u64,
}

impl Read for Part<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).map_or(buffer.len(), |left| left.min(buffer.len()));
        let count = self
            .blob
            .read_at(buffer.get_mut(..most).unwrap_or_default(), self.at)?;
        self.at = self.at.saturating_add(count as u64);
        self.left = self.left.saturating_sub(count as u64);
        Ok(count)
    }
}
