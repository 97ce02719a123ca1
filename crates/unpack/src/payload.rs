use std::error::Error as StdError;
use std::fmt;
use std::io::{self, Read};

use bareroot_archive::TarReader;
use bareroot_model::{Class, Classified, Entry};

/// The entries of an archive, one after the other, with their content.
///
/// `bareroot_archive::TarReader` is one.
pub trait Payload {
    /// The next entry, `None` after the last. Content of the entry before that was not read is skipped.
    ///
    /// # Errors
    /// What the archive's reader says of a broken archive.
    fn next_entry(&mut self) -> Result<Option<Entry>, PayloadError>;

    /// Content of the current entry; 0 at its end.
    ///
    /// # Errors
    /// What the decoder says.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize>;
}

impl<P: Payload + ?Sized> Payload for &mut P {
    fn next_entry(&mut self) -> Result<Option<Entry>, PayloadError> {
        (**self).next_entry()
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        (**self).read(buffer)
    }
}

/// Why an archive could not be read on: its own error, with its class and hint.
#[derive(Debug)]
pub struct PayloadError {
    inner: Box<dyn StdError + Send + Sync>,
    class: Class,
    hint: Option<String>,
}

impl PayloadError {
    /// An error whose class is known.
    pub fn new(error: impl Classified + Send + Sync + 'static) -> Self {
        PayloadError {
            class: error.class(),
            hint: error.hint(),
            inner: Box::new(error),
        }
    }
}

/// An error while content was read: one that travelled in it, that of the archive inside it, or else of the file that the
/// archive is in.
impl From<io::Error> for PayloadError {
    fn from(error: io::Error) -> Self {
        error
            .downcast::<PayloadError>()
            .unwrap_or_else(|error| PayloadError::new(bareroot_archive::Error::from_io(error)))
    }
}

/// [`Payload::read`] can only say `io::Error`: a payload's own error travels inside, its class with it.
impl From<PayloadError> for io::Error {
    fn from(error: PayloadError) -> Self {
        io::Error::other(error)
    }
}

impl fmt::Display for PayloadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl StdError for PayloadError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.inner.source()
    }
}

impl Classified for PayloadError {
    fn class(&self) -> Class {
        self.class
    }

    fn hint(&self) -> Option<String> {
        self.hint.clone()
    }
}

impl<R: Read> Payload for TarReader<R> {
    fn next_entry(&mut self) -> Result<Option<Entry>, PayloadError> {
        TarReader::next_entry(self).map_err(PayloadError::new)
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        Read::read(self, buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_keep_their_class_on_the_way() {
        let error = PayloadError::new(bareroot_archive::Error::Truncated { within: "x".into() });
        let (class, text) = (error.class(), error.to_string());
        let arrived = PayloadError::from(io::Error::from(error));
        assert_eq!((arrived.class(), arrived.to_string()), (class, text));
        assert_eq!(PayloadError::from(io::Error::other("no")).class(), Class::Target);
    }
}
