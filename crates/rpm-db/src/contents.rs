//! What a database holds.

use crate::bdb::{self, ByteOrder};
use crate::{Backend, Blob, Error, ndb, sqlite};

/// One header, in its stored form, under its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// The header's number, from 1. In a Berkeley DB the record 0 holds the highest number that was ever given.
    pub number: u32,
    /// Its bytes: the header without its magic, with what the installation added.
    pub blob: Blob<'a>,
}

impl Record<'_> {
    fn into_owned(self) -> Record<'static> {
        Record {
            number: self.number,
            blob: self.blob.into_owned(),
        }
    }
}

/// All that a database holds, as it was found; headers are where the file has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contents<'a> {
    /// The kind of database.
    pub backend: Backend,
    /// The byte order of a Berkeley DB's numbers; the others have one each.
    pub order: ByteOrder,
    /// Bytes of a page.
    pub page_size: u32,
    /// All records in the order of the file, a Berkeley DB's record 0 included.
    pub stored: Vec<Record<'a>>,
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

impl<'a> Source<'a> {
    /// Reads a database, of the kind that its bytes say it is.
    ///
    /// What is read takes a small part of the file's size in memory beside it, whatever the file says; for a file of sqlite's that
    /// is not laid out as rpm does, a small multiple of it.
    ///
    /// # Errors
    /// [`Error::NoDatabase`] for another kind of file, [`Error::Malformed`] naming the place of the first thing that is wrong.
    pub fn read(&self) -> Result<Contents<'a>, Error> {
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

impl<'a> Contents<'a> {
    /// Headers that are in no database yet, under their numbers.
    pub fn new(stored: Vec<Record<'a>>) -> Contents<'a> {
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

    /// The same, without the file.
    pub fn into_owned(self) -> Contents<'static> {
        let Contents {
            backend,
            order,
            page_size,
            stored,
            highest,
        } = self;
        Contents {
            backend,
            order,
            page_size,
            stored: stored.into_iter().map(Record::into_owned).collect(),
            highest,
        }
    }

    /// The headers in the order of their numbers.
    pub fn records(&self) -> Vec<&Record<'a>> {
        let mut records: Vec<&Record<'a>> = self.stored.iter().filter(|record| record.number != 0).collect();
        records.sort_by_key(|record| record.number);
        records
    }
}
