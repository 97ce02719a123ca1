use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;

use bareroot_model::Digest;

/// An open file and what it is. Reads carry their own position, so that many threads can share one.
#[derive(Debug)]
pub struct Blob {
    file: File,
    size: u64,
    sha256: Digest,
    name: String,
}

impl Blob {
    /// `file` is open for reading and holds `size` bytes with this digest; `name` is for messages.
    pub fn new(file: File, size: u64, sha256: Digest, name: impl Into<String>) -> Blob {
        Blob {
            file,
            size,
            sha256,
            name: name.into(),
        }
    }

    /// The open file.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Size in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// SHA-256 of the whole.
    pub fn sha256(&self) -> Digest {
        self.sha256
    }

    /// What to call it in messages: a URL or a path.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Reads at `offset`, as pread(2) does: 0 bytes mean the end.
    pub fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let left = usize::try_from(self.size.saturating_sub(offset)).unwrap_or(usize::MAX);
        let buffer = match buffer.get_mut(..left) {
            Some(part) => part,
            None => buffer,
        };
        self.file.read_at(buffer, offset)
    }

    /// A reader of its own, from the start.
    pub fn reader(&self) -> BlobReader<'_> {
        BlobReader {
            blob: self,
            position: 0,
        }
    }
}

/// Reads a [`Blob`] from front to back, or from wherever it is sought to. Unbuffered.
#[derive(Clone, Debug)]
pub struct BlobReader<'b> {
    blob: &'b Blob,
    position: u64,
}

impl Read for BlobReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = self.blob.read_at(buffer, self.position)?;
        self.position = self.position.saturating_add(got as u64);
        Ok(got)
    }
}

impl Seek for BlobReader<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(offset) => Some(offset),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
            SeekFrom::End(by) => self.blob.size.checked_add_signed(by),
        };
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn readers_do_not_disturb_each_other_and_stop_at_the_size() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"0123456789beyond").unwrap();
        let blob = Blob::new(file, 10, Digest::new([0; 32]), "it");
        let (mut a, mut b) = (blob.reader(), blob.reader());
        let mut two = [0; 2];
        a.read_exact(&mut two).unwrap();
        assert_eq!(&two, b"01");
        b.seek(SeekFrom::End(-3)).unwrap();
        let mut rest = String::new();
        b.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "789");
        a.read_exact(&mut two).unwrap();
        assert_eq!(&two, b"23");
        assert_eq!(blob.read_at(&mut two, 10).unwrap(), 0);
        assert!(a.seek(SeekFrom::Current(-5)).is_err());
    }
}
