//! What a database holds.

use crate::bdb::{self, ByteOrder};
use crate::{Backend, Error, ndb, sqlite};

/// One header, in its stored form, under its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The header's number, from 1. In a Berkeley DB the record 0 holds the highest number that was ever given.
    pub number: u32,
    /// Its bytes: the header without its magic, with what the installation added.
    pub blob: Vec<u8>,
}

/// All that a database holds, as it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contents {
    /// The kind of database.
    pub backend: Backend,
    /// The byte order of a Berkeley DB's numbers; the others have one each.
    pub order: ByteOrder,
    /// Bytes of a page.
    pub page_size: u32,
    /// All records in the order of the file, a Berkeley DB's record 0 included.
    pub stored: Vec<Record>,
    /// The highest number that was ever given.
    pub highest: u32,
}

/// The bytes of a database.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The file's name, for messages.
    pub name: &'a str,
    /// The file that holds the headers.
    pub bytes: &'a [u8],
    /// Sqlite's write-ahead log beside it, where there is one.
    pub log: Option<&'a [u8]>,
}

impl Source<'_> {
    /// Reads a database, of the kind that its bytes say it is.
    ///
    /// What is read takes a small multiple of the file's size in memory, whatever the file says.
    ///
    /// # Errors
    /// [`Error::NoDatabase`] for another kind of file, [`Error::Malformed`] naming the place of the first thing that is wrong.
    pub fn read(&self) -> Result<Contents, Error> {
        match Backend::recognise(self.bytes) {
            Some(Backend::Sqlite) => sqlite::read(self.name, self.bytes, self.log),
            Some(Backend::Ndb) => ndb::read(self.name, self.bytes),
            Some(Backend::Bdb) => bdb::read(self.name, self.bytes),
            None => Err(Error::NoDatabase {
                file: self.name.to_owned(),
            }),
        }
    }

    /// The file as it is when all that its log has committed is in it, and the log is empty.
    ///
    /// # Errors
    /// [`Error::Malformed`] for a log that is not this file's.
    pub fn settled(&self) -> Result<Vec<u8>, Error> {
        Ok(sqlite::alone(sqlite::merged(self.name, self.bytes, self.log)?))
    }
}

impl Contents {
    /// Headers that are in no database yet, under their numbers.
    pub fn new(stored: Vec<Record>) -> Contents {
        Contents {
            backend: Backend::default(),
            order: ByteOrder::NATIVE,
            page_size: 4096,
            highest: stored
                .iter()
                .map(|record| record.number)
                .max()
                .unwrap_or_default(),
            stored,
        }
    }

    /// The headers in the order of their numbers.
    pub fn records(&self) -> Vec<&Record> {
        let mut records: Vec<&Record> = self.stored.iter().filter(|record| record.number != 0).collect();
        records.sort_by_key(|record| record.number);
        records
    }
}
