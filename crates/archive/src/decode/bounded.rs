use std::io::{self, ErrorKind, Read};

use super::Limits;
use super::source::unmarked;
use crate::{Compression, Error};

/// Stops at the output limit, and turns each decoder's errors into ours.
pub struct Bounded<'r> {
    /// `None` after an error: what a decoder does when it is read on then, its library does not say.
    reader: Option<Box<dyn Read + Send + 'r>>,
    compression: Compression,
    limits: Limits,
    left: u64,
}

impl<'r> Bounded<'r> {
    pub fn new(reader: Box<dyn Read + Send + 'r>, compression: Compression, limits: Limits) -> Self {
        Bounded {
            reader: Some(reader),
            compression,
            limits,
            left: limits.output,
        }
    }

    fn fail(&mut self, error: impl Into<io::Error>) -> io::Result<usize> {
        self.reader = None;
        Err(error.into())
    }

    fn translated(&self, error: io::Error) -> io::Error {
        let error = match unmarked(error) {
            Ok(input) => return input,
            Err(error) => error,
        };
        let format = self.compression.word();
        let error = match error.downcast::<Error>() {
            Ok(ours) => ours,
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => Error::Truncated {
                within: format!("its {format} data"),
            },
            Err(error) => match error.to_string() {
                // zstd's binding keeps the text of its error and drops the code.
                reason if self.compression == Compression::Zstd && reason.contains("too much memory") => {
                    Error::Memory {
                        format,
                        limit: self.limits.memory,
                    }
                }
                reason => Error::Decode { format, reason },
            },
        };
        error.into()
    }
}

impl Read for Bounded<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let Some(reader) = &mut self.reader else {
            let reason = "reading went on after an error".to_owned();
            return Err(Error::Decode {
                format: self.compression.word(),
                reason,
            }
            .into());
        };
        // One byte more than is left tells an archive of just that size from one that goes on.
        let room = usize::try_from(self.left.saturating_add(1))
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        let count = match reader.read(&mut buffer[..room]) {
            Ok(count) => count,
            Err(error) => {
                let error = self.translated(error);
                return self.fail(error);
            }
        };
        match self.left.checked_sub(count as u64) {
            Some(left) => self.left = left,
            None => {
                return self.fail(Error::TooLarge {
                    limit: self.limits.output,
                });
            }
        }
        Ok(count)
    }
}
