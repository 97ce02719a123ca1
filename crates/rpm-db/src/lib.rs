//! What rpm and dnf record: the rpm database, imported keys, dnf's history and state.

mod cookie;
pub mod dnf4;
pub mod dnf5;
mod error;
mod memory;
mod rows;
mod sqlite;
pub mod state;
pub mod zypp;

use bareroot_rpm::{Header, Tag, blob};

use cookie::Names;
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
pub struct Database {
    inner: Inner,
    names: Names,
}

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
        let inner = match backend {
            Backend::Sqlite => Inner::Sqlite(Sqlite::create()?),
        };
        Ok(Database {
            inner,
            names: Names::default(),
        })
    }

    /// Adds a header in its stored form ([`blob::stored`], [`bareroot_rpm::Pubkey::stored`]); gives its number, counted
    /// from 1.
    ///
    /// # Errors
    /// When the form is none, or the database engine refuses.
    pub fn add(&mut self, stored: &[u8]) -> Result<u32, Error> {
        let header: Header = blob::parse("a package to be recorded", stored)?;
        let number = match &mut self.inner {
            Inner::Sqlite(database) => database.add(stored, &header)?,
        };
        self.names
            .add(header.string(Tag::NAME).unwrap_or_default(), number);
        Ok(number)
    }

    /// What rpm says of the database as it is now (`rpmdbCookie`): package managers that remember it notice when somebody
    /// else has changed the database.
    pub fn cookie(&self) -> String {
        self.names.cookie()
    }

    /// The files of the database, for its directory. rpm gives them the mode 0644.
    ///
    /// # Errors
    /// When the database engine refuses.
    pub fn finish(self) -> Result<Vec<DatabaseFile>, Error> {
        match self.inner {
            Inner::Sqlite(database) => Ok(vec![DatabaseFile {
                name: sqlite::FILE,
                bytes: database.finish()?,
            }]),
        }
    }
}
