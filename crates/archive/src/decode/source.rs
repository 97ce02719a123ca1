//! The compressed bytes on their way into a decoder. A decoder's `io::Error` does not tell whether the data is damaged
//! or could not be read; the mark that is put on errors here does.

use std::fmt;
use std::io::{self, BufRead, ErrorKind, Read};

/// A reader whose errors are marked as its own. It retries what a signal interrupted.
pub struct Source<R>(R);

impl<R> Source<R> {
    pub fn new(input: R) -> Self {
        Source(input)
    }
}

impl<R: BufRead> BufRead for Source<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        // The filled buffer cannot be returned from inside the loop; asking again for it costs nothing.
        while let Err(error) = self.0.fill_buf() {
            if error.kind() != ErrorKind::Interrupted {
                return Err(marked(error));
            }
        }
        self.0.fill_buf().map_err(marked)
    }

    fn consume(&mut self, amount: usize) {
        self.0.consume(amount);
    }
}

impl<R: BufRead> Read for Source<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.0.read(buffer) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                result => return result.map_err(marked),
            }
        }
    }
}

/// The mark.
#[derive(Debug)]
struct Unread(io::Error);

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Unread {}

fn marked(error: io::Error) -> io::Error {
    io::Error::new(error.kind(), Unread(error))
}

/// `Ok` with the input's own error where `error` has the mark; else `Err` with what the decoder says.
pub fn unmarked(error: io::Error) -> Result<io::Error, io::Error> {
    error.downcast::<Unread>().map(|unread| unread.0)
}
