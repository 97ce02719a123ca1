//! What rpm and dnf record: the rpm database, imported keys, dnf's history and state.

mod error;
mod rows;
mod sqlite;

use std::path::Path;

use bareroot_rpm::{Header, blob};

pub use error::Error;
pub use rows::{Row, TABLES, Table, rows};
use sqlite::Sqlite;

/// Which of rpm's databases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Backend {
    /// What Fedora, CentOS Stream, Amazon Linux 2023, Mageia and Azure Linux have.
    #[default]
    Sqlite,
}

impl Backend {
    /// The file that holds the headers, within the database's directory.
    pub fn file(self) -> &'static str {
        match self {
            Backend::Sqlite => sqlite::FILE,
        }
    }
}

/// A database that is being written. One that is dropped before [`Database::finish`] is of no use.
#[derive(Debug)]
pub struct Database(Inner);

#[derive(Debug)]
enum Inner {
    Sqlite(Sqlite),
}

impl Database {
    /// A new database in a directory, which must be there.
    ///
    /// # Errors
    /// When there is one already, or the file system refuses.
    pub fn create(directory: &Path, backend: Backend) -> Result<Database, Error> {
        let path = directory.join(backend.file());
        match backend {
            Backend::Sqlite => Ok(Database(Inner::Sqlite(Sqlite::create(&path)?))),
        }
    }

    /// The database of a directory, to add to.
    ///
    /// # Errors
    /// When there is none, or it is damaged.
    pub fn open(directory: &Path, backend: Backend) -> Result<Database, Error> {
        let path = directory.join(backend.file());
        match backend {
            Backend::Sqlite => Ok(Database(Inner::Sqlite(Sqlite::open_existing(&path)?))),
        }
    }

    /// Adds a header in its stored form ([`blob::stored`]); gives its number.
    ///
    /// # Errors
    /// When the form is none, or the file system refuses.
    pub fn add(&mut self, stored: &[u8]) -> Result<u32, Error> {
        let header: Header = blob::parse("a package to be recorded", stored)?;
        match &mut self.0 {
            Inner::Sqlite(database) => database.add(stored, &header),
        }
    }

    /// Writes what is still to be written.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn finish(self) -> Result<(), Error> {
        match self.0 {
            Inner::Sqlite(database) => database.finish(),
        }
    }
}
