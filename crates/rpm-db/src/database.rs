//! Databases in the making.

use std::sync::{Mutex, PoisonError};
use std::thread;

use bareroot_rpm::{Header, Tag, blob};

use crate::bdb::{ByteOrder, Hash, Indexes};
use crate::contents::Record;
use crate::cookie::Names;
use crate::ndb::{INDEX, Index, Packages};
use crate::rows::{self, Row};
use crate::sqlite::Sqlite;
use crate::{Backend, Blob, Contents, Error};

/// A database that is being written, in memory.
#[derive(Debug)]
pub struct Database {
    inner: Inner,
    order: ByteOrder,
    names: Names,
    last: u32,
}

#[derive(Debug)]
enum Inner {
    Sqlite(Sqlite),
    Ndb(Packages, Index),
    Bdb(Hash, Indexes),
}

/// A file that belongs into a directory of the root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabaseFile {
    /// Its name.
    pub name: &'static str,
    /// Its content.
    pub bytes: Vec<u8>,
}

impl Database {
    /// A new database for machines like this one.
    ///
    /// # Errors
    /// When the database engine refuses, for want of memory.
    pub fn create(backend: Backend) -> Result<Database, Error> {
        Database::create_for(backend, ByteOrder::NATIVE)
    }

    /// A new database for machines of that byte order, in which rpm keeps some of its numbers.
    ///
    /// # Errors
    /// As [`Database::create`].
    pub fn create_for(backend: Backend, order: ByteOrder) -> Result<Database, Error> {
        let inner = match backend {
            Backend::Sqlite => Inner::Sqlite(Sqlite::create()),
            Backend::Ndb => Inner::Ndb(Packages::create(0), Index::create()),
            Backend::Bdb => Inner::Bdb(Hash::create(order, 0), Indexes::create(order)),
        };
        Ok(Database {
            inner,
            order,
            names: Names::default(),
            last: 0,
        })
    }

    /// A database with the headers of another, under their numbers.
    ///
    /// # Errors
    /// As [`Database::add_numbered`].
    pub fn of(contents: &Contents<'_>, backend: Backend, order: ByteOrder) -> Result<Database, Error> {
        let records = contents.records();
        let mut database = match backend {
            Backend::Sqlite => {
                let mut database = Database::create_for(backend, order)?;
                records
                    .iter()
                    .try_for_each(|record| database.insert(record.number, &record.blob))?;
                database
            }
            Backend::Ndb => {
                let mut packages = Packages::create(records.len());
                let mut index = Index::create();
                let (names, last) = halves(
                    &records,
                    order,
                    |record| packages.add(record.number, &record.blob),
                    |number, rows| index.add(number, rows),
                )?;
                let inner = Inner::Ndb(packages, index);
                Database {
                    inner,
                    order,
                    names,
                    last,
                }
            }
            Backend::Bdb => {
                let mut hash = Hash::create(order, records.len());
                let mut indexes = Indexes::create(order);
                let (names, last) = halves(
                    &records,
                    order,
                    |record| hash.add(record.number, &record.blob.bytes()),
                    |number, rows| indexes.add(number, rows),
                )?;
                let inner = Inner::Bdb(hash, indexes);
                Database {
                    inner,
                    order,
                    names,
                    last,
                }
            }
        };
        database.given(contents.highest)?;
        Ok(database)
    }

    /// Adds a header in its stored form ([`blob::stored`], [`bareroot_rpm::Pubkey::stored`]); gives its number, the next
    /// one from 1.
    ///
    /// # Errors
    /// When the form is none, or the database engine refuses.
    pub fn add(&mut self, stored: &[u8]) -> Result<u32, Error> {
        let number = self.last.saturating_add(1);
        self.add_numbered(number, stored)?;
        Ok(number)
    }

    /// Adds a header under a number, which must be above that of the one before it.
    ///
    /// # Errors
    /// As [`Database::add`]; [`Error::Number`].
    pub fn add_numbered(&mut self, number: u32, stored: &[u8]) -> Result<(), Error> {
        self.insert(number, &Blob::from(stored))
    }

    fn insert(&mut self, number: u32, stored: &Blob<'_>) -> Result<(), Error> {
        let bytes = stored.bytes();
        let header = header(number, &bytes)?;
        let rows = rows::of_all(&header, self.order);
        self.names.above(&mut self.last, number, &header)?;
        match &mut self.inner {
            Inner::Sqlite(database) => database.add(number, &bytes, &rows),
            Inner::Ndb(packages, index) => {
                packages.add(number, stored)?;
                index.add(number, &rows);
            }
            Inner::Bdb(database, indexes) => {
                database.add(number, &bytes)?;
                indexes.add(number, &rows);
            }
        }
        Ok(())
    }

    /// Says that numbers up to this one have been given: rpm gives none twice.
    ///
    /// # Errors
    /// When the database engine refuses.
    pub fn given(&mut self, number: u32) -> Result<(), Error> {
        if number <= self.last {
            return Ok(());
        }
        match &mut self.inner {
            Inner::Sqlite(database) => database.given(number),
            Inner::Ndb(packages, _) => packages.given(number),
            Inner::Bdb(database, _) => database.given(number),
        }
        Ok(())
    }

    /// What rpm says of the database as it is now (`rpmdbCookie`): package managers that remember it notice when somebody
    /// else has changed the database.
    pub fn cookie(&self) -> String {
        self.names.cookie(self.order)
    }

    /// The files of the database, for its directory. rpm gives them the mode 0644. The one with the headers is the first.
    ///
    /// # Errors
    /// When the database engine refuses, or [`Error::TooLarge`].
    pub fn finish(self) -> Result<Vec<DatabaseFile>, Error> {
        let file = |name, bytes| DatabaseFile { name, bytes };
        Ok(match self.inner {
            Inner::Sqlite(database) => vec![file(Backend::Sqlite.file(), database.finish()?)],
            Inner::Ndb(packages, index) => {
                let index = index.finish(packages.generation())?;
                vec![file(Backend::Ndb.file(), packages.finish()?), file(INDEX, index)]
            }
            Inner::Bdb(database, indexes) => {
                let mut files = vec![file(Backend::Bdb.file(), database.finish()?)];
                files.append(&mut indexes.finish()?);
                files
            }
        })
    }
}

/// Writes the headers as they are in a thread of its own, and here what of each is in the indexes: neither needs the other.
/// Gives the index of names and the last number.
fn halves(
    records: &[&Record<'_>],
    order: ByteOrder,
    write: impl FnMut(&Record<'_>) -> Result<(), Error> + Send,
    mut index: impl FnMut(u32, &[Vec<Row<'_>>]),
) -> Result<(Names, u32), Error> {
    let write = Mutex::new(write);
    let write_all = || {
        let mut write = write.lock().unwrap_or_else(PoisonError::into_inner);
        records.iter().try_for_each(|record| write(record))
    };
    let mut index_all = || {
        let (mut names, mut last) = (Names::default(), 0);
        for record in records {
            let bytes = record.blob.bytes();
            let header = header(record.number, &bytes)?;
            names.above(&mut last, record.number, &header)?;
            index(record.number, &rows::of_all(&header, order));
        }
        Ok((names, last))
    };
    thread::scope(|scope| {
        let writer = thread::Builder::new().spawn_scoped(scope, &write_all);
        let indexed = index_all();
        let written = match writer {
            Ok(writer) => writer
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            // No more threads are to be had.
            Err(_) => write_all(),
        };
        indexed.and_then(|indexed| written.map(|()| indexed))
    })
}

fn header(number: u32, stored: &[u8]) -> Result<Header, Error> {
    Ok(blob::parse(&format!("record {number}"), stored)?)
}

impl Names {
    /// Adds a header's name, whose number must be above the last.
    fn above(&mut self, last: &mut u32, number: u32, header: &Header) -> Result<(), Error> {
        if number <= *last {
            return Err(Error::Number { number });
        }
        *last = number;
        self.add(header.string(Tag::NAME).unwrap_or_default(), number);
        Ok(())
    }
}
