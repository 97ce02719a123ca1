//! Databases in the making.

use bareroot_rpm::{Header, Tag, blob};

use crate::bdb::{ByteOrder, Hash, Indexes};
use crate::cookie::Names;
use crate::ndb::{INDEX, Index, Packages};
use crate::rows;
use crate::sqlite::Sqlite;
use crate::{Backend, Blob, Error};

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
        let header: Header = blob::parse(&format!("record {number}"), stored)?;
        if number <= self.last {
            return Err(Error::Number { number });
        }
        let rows = rows::of_all(&header, self.order);
        match &mut self.inner {
            Inner::Sqlite(database) => database.add(number, stored, &rows),
            Inner::Ndb(packages, index) => {
                packages.add(number, &Blob::from(stored))?;
                index.add(number, &rows);
            }
            Inner::Bdb(database, indexes) => {
                database.add(number, stored)?;
                indexes.add(number, &rows);
            }
        }
        self.last = number;
        self.names
            .add(header.string(Tag::NAME).unwrap_or_default(), number);
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
