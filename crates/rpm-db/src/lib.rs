//! What rpm and dnf record: the rpm database, imported keys, dnf's history and state.

mod error;
mod memory;
mod rows;
mod sqlite;

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

/// A database that is being written, in memory.
#[derive(Debug)]
pub struct Database(Inner);

#[derive(Debug)]
enum Inner {
    Sqlite(Sqlite),
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
    /// A new database.
    ///
    /// # Errors
    /// When the database engine refuses, for want of memory.
    pub fn create(backend: Backend) -> Result<Database, Error> {
        match backend {
            Backend::Sqlite => Ok(Database(Inner::Sqlite(Sqlite::create()?))),
        }
    }

    /// Adds a header in its stored form ([`blob::stored`], [`bareroot_rpm::Pubkey::stored`]); gives its number, counted
    /// from 1.
    ///
    /// # Errors
    /// When the form is none, or the database engine refuses.
    pub fn add(&mut self, stored: &[u8]) -> Result<u32, Error> {
        let header: Header = blob::parse("a package to be recorded", stored)?;
        match &mut self.0 {
            Inner::Sqlite(database) => database.add(stored, &header),
        }
    }

    /// The files of the database, for its directory. rpm gives them the mode 0644.
    ///
    /// # Errors
    /// When the database engine refuses.
    pub fn finish(self) -> Result<Vec<DatabaseFile>, Error> {
        match self.0 {
            Inner::Sqlite(database) => Ok(vec![DatabaseFile {
                name: sqlite::FILE,
                bytes: database.finish()?,
            }]),
        }
    }
}
