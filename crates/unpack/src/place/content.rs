//! The bytes of a file, from the archive to the disk.

use std::os::fd::BorrowedFd;

use md5::{Digest, Md5};

use super::Shared;
use super::path::CleanPath;
use crate::error::{Error, lossy};
use crate::payload::Payload;

/// What is read at once: large files need few calls, and it fits the caches of a core.
const CHUNK: usize = 256 << 10;

/// A file that is being written.
pub(super) struct Content<'c> {
    pub(super) shared: &'c Shared,
    pub(super) package: &'c str,
    pub(super) path: &'c CleanPath,
    pub(super) goes_to: &'c CleanPath,
}

impl Content<'_> {
    /// Writes exactly `size` bytes, and gives their MD5 sum if it is wanted.
    pub(super) fn write(
        &self,
        fd: BorrowedFd<'_>,
        size: u64,
        hash: bool,
        buffer: &mut Vec<u8>,
        payload: &mut impl Payload,
    ) -> Result<Option<[u8; 16]>, Error> {
        buffer.resize(CHUNK, 0);
        let mut md5 = hash.then(Md5::new);
        let mut left = size;
        while left > 0 {
            let want = usize::try_from(left).unwrap_or(CHUNK).min(CHUNK);
            let chunk = buffer.get_mut(..want).unwrap_or_default();
            let got = self.read(payload, chunk)?.min(want);
            if got == 0 {
                return Err(self.lies(size, size - left, false));
            }
            let chunk = chunk.get(..got).unwrap_or_default();
            self.write_all(fd, chunk)?;
            if let Some(md5) = &mut md5 {
                md5.update(chunk);
            }
            left -= got as u64;
            self.shared.settings.cancel.check()?;
        }
        if self.read(payload, &mut [0])? != 0 {
            return Err(self.lies(size, size, true));
        }
        Ok(md5.map(|md5| md5.finalize().into()))
    }

    fn read(&self, payload: &mut impl Payload, chunk: &mut [u8]) -> Result<usize, Error> {
        loop {
            match payload.read(chunk) {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                result => {
                    return result.map_err(|error| Error::Payload {
                        package: self.package.to_owned(),
                        source: error.into(),
                    });
                }
            }
        }
    }

    fn write_all(&self, fd: BorrowedFd<'_>, mut chunk: &[u8]) -> Result<(), Error> {
        while !chunk.is_empty() {
            match rustix::io::write(fd, chunk) {
                Ok(written) => chunk = chunk.get(written..).unwrap_or_default(),
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => {
                    return Err(Error::io(
                        "write",
                        self.shared.fds.host(self.goes_to.as_bytes()),
                        error,
                    ));
                }
            }
        }
        Ok(())
    }

    fn lies(&self, expected: u64, found: u64, more: bool) -> Error {
        let (package, path) = (self.package.to_owned(), lossy(self.path.as_bytes()));
        Error::Size {
            package,
            path,
            expected,
            found,
            more,
        }
    }
}
