//! The heads of cpio records: newc, its variant with a checksum, and rpm's stripped form.

use std::io::{self, Read};

/// Names are paths; Linux allows 4096 bytes.
const LONGEST_NAME: usize = 4096;

/// What the last record is called.
const TRAILER: &[u8] = b"TRAILER!!!";

/// The head of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// A record of the ordinary form: a name and the bytes that follow.
    Named {
        /// The path as it is written.
        name: Vec<u8>,
        /// Bytes of content.
        size: u64,
    },
    /// A record of the stripped form: the place of the file in the header, which knows everything else.
    Numbered(u32),
    /// The end.
    End,
}

/// Why a record cannot be read.
#[derive(Debug)]
pub enum Fault {
    /// It is none.
    Malformed(String),
    /// The bytes before it cannot be had.
    Io(io::Error),
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Fault::Io(error)
    }
}

/// Reads records; keeps count of the position, to which padding is relative.
#[derive(Debug)]
pub struct Cpio<R> {
    reader: R,
    position: u64,
    /// Bytes of the current record's content that are still to be read.
    left: u64,
}

impl<R: Read> Cpio<R> {
    /// Records from the start of an archive.
    pub fn new(reader: R) -> Self {
        Cpio {
            reader,
            position: 0,
            left: 0,
        }
    }

    /// Says how much content follows a numbered record.
    pub fn expect(&mut self, size: u64) {
        self.left = size;
    }

    /// The next head; what is left of the content before it is skipped.
    pub fn next(&mut self) -> Result<Record, Fault> {
        self.skip_content()?;
        self.pad()?;
        let mut magic = [0; 6];
        self.exact(&mut magic)?;
        match &magic {
            b"070701" | b"070702" => self.named(),
            b"07070X" => {
                let mut digits = [0; 8];
                self.exact(&mut digits)?;
                let place = hexadecimal(&digits)?;
                self.pad()?;
                match place {
                    u32::MAX => Ok(Record::End),
                    place => Ok(Record::Numbered(place)),
                }
            }
            other => Err(Fault::Malformed(format!(
                "a record begins with `{}`; expected 070701, 070702 or 07070X",
                other.escape_ascii()
            ))),
        }
    }

    fn named(&mut self) -> Result<Record, Fault> {
        let mut fields = [0; 104];
        self.exact(&mut fields)?;
        let field = |number: usize| hexadecimal(fields.get(number * 8..).unwrap_or_default());
        let (size, length) = (field(6)?, field(11)? as usize);
        if length == 0 || length > LONGEST_NAME {
            return Err(Fault::Malformed(format!(
                "a name has {length} bytes; expected 1 to {LONGEST_NAME}"
            )));
        }
        let mut name = vec![0; length];
        self.exact(&mut name)?;
        if name.pop() != Some(0) || name.contains(&0) {
            return Err(Fault::Malformed("a name does not end with its only NUL".into()));
        }
        self.pad()?;
        if name == TRAILER {
            return Ok(Record::End);
        }
        self.left = u64::from(size);
        Ok(Record::Named {
            name,
            size: u64::from(size),
        })
    }

    /// Content of the current record; 0 at its end.
    pub fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).map_or(buffer.len(), |left| left.min(buffer.len()));
        if most == 0 {
            return Ok(0);
        }
        let count = self.reader.read(buffer.get_mut(..most).unwrap_or_default())?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.position = self.position.saturating_add(count as u64);
        self.left -= count as u64;
        Ok(count)
    }

    fn skip_content(&mut self) -> Result<(), Fault> {
        let mut buffer = [0; 16 << 10];
        while self.left > 0 {
            self.read(&mut buffer)?;
        }
        Ok(())
    }

    /// Records and contents begin at multiples of four.
    fn pad(&mut self) -> Result<(), Fault> {
        let mut padding = [0; 3];
        let missing = (self.position.next_multiple_of(4) - self.position) as usize;
        self.exact(padding.get_mut(..missing).unwrap_or_default())
    }

    fn exact(&mut self, buffer: &mut [u8]) -> Result<(), Fault> {
        self.reader.read_exact(buffer)?;
        self.position = self.position.saturating_add(buffer.len() as u64);
        Ok(())
    }
}

fn hexadecimal(digits: &[u8]) -> Result<u32, Fault> {
    digits
        .get(..8)
        .filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))
        .and_then(|digits| std::str::from_utf8(digits).ok())
        .and_then(|digits| u32::from_str_radix(digits, 16).ok())
        .ok_or_else(|| Fault::Malformed("a record's number is not of eight hexadecimal digits".into()))
}
