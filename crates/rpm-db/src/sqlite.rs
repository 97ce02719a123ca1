//! rpm's sqlite database (rpm's lib/backend/sqlite.c).

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use bareroot_rpm::Header;
use rusqlite::{Connection, params};

use crate::error::Error;
use crate::rows::{self, TABLES};

/// The file's name within the database's directory.
pub const FILE: &str = "rpmdb.sqlite";

/// A database that is being written.
#[derive(Debug)]
pub struct Sqlite {
    connection: Connection,
    path: PathBuf,
    next: u32,
}

impl Sqlite {
    /// A new database at a path at which nothing is.
    pub fn create(path: &Path) -> Result<Sqlite, Error> {
        // Made here, so that its mode does not depend on the caller's umask.
        let made: Result<File, _> = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o644)
            .open(path);
        let file = made.map_err(|source| Error::Io {
            path: path.to_owned(),
            doing: "made",
            source,
        })?;
        use std::os::unix::fs::PermissionsExt as _;
        file.set_permissions(std::fs::Permissions::from_mode(0o644))
            .map_err(|source| Error::Io {
                path: path.to_owned(),
                doing: "made",
                source,
            })?;
        drop(file);
        let mut database = Sqlite::open(path)?;
        database
            .tables()
            .map_err(|source| database.error("made", source))?;
        Ok(database)
    }

    /// A database that is there.
    pub fn open_existing(path: &Path) -> Result<Sqlite, Error> {
        let mut database = Sqlite::open(path)?;
        let last: Result<Option<u32>, _> =
            database
                .connection
                .query_row("SELECT MAX(hnum) FROM 'Packages'", [], |row| row.get(0));
        database.next = last
            .map_err(|source| database.error("read", source))?
            .unwrap_or_default()
            .saturating_add(1);
        database.begin()?;
        Ok(database)
    }

    fn open(path: &Path) -> Result<Sqlite, Error> {
        let failed = |source| Error::Sqlite {
            path: path.to_owned(),
            doing: "opened",
            source,
        };
        let connection = Connection::open(path).map_err(failed)?;
        // Nobody else uses it, and a run that fails leaves no root: neither journal nor sync.
        connection
            .execute_batch(
                "PRAGMA page_size = 4096; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; \
                 PRAGMA locking_mode = EXCLUSIVE; PRAGMA cache_size = -16384;",
            )
            .map_err(failed)?;
        Ok(Sqlite {
            connection,
            path: path.to_owned(),
            next: 1,
        })
    }

    fn error(&self, doing: &'static str, source: rusqlite::Error) -> Error {
        Error::Sqlite {
            path: self.path.clone(),
            doing,
            source,
        }
    }

    fn begin(&self) -> Result<(), Error> {
        self.connection
            .execute_batch("BEGIN")
            .map_err(|source| self.error("written", source))
    }

    /// The tables and their indexes, by rpm's own statements.
    fn tables(&mut self) -> Result<(), rusqlite::Error> {
        self.connection.execute_batch("BEGIN")?;
        self.connection.execute_batch(
            "CREATE TABLE IF NOT EXISTS 'Packages' (hnum INTEGER PRIMARY KEY AUTOINCREMENT,blob BLOB NOT NULL)",
        )?;
        for table in &TABLES {
            let (name, kind) = (table.name, if table.binary { "BLOB" } else { "TEXT" });
            self.connection.execute_batch(&format!(
                "CREATE TABLE IF NOT EXISTS '{name}' (key '{kind}' NOT NULL, hnum INTEGER NOT NULL, idx INTEGER \
                 NOT NULL, FOREIGN KEY (hnum) REFERENCES 'Packages'(hnum))"
            ))?;
            if !table.binary {
                self.connection.execute_batch(&format!(
                    "CREATE INDEX IF NOT EXISTS '{name}_key_idx' ON '{name}'(key ASC)"
                ))?;
            }
            if table.list {
                self.connection.execute_batch(&format!(
                    "CREATE INDEX IF NOT EXISTS '{name}_hnum_idx' ON '{name}'(hnum ASC)"
                ))?;
            }
        }
        Ok(())
    }

    /// Adds a header in its stored form; gives its number.
    pub fn add(&mut self, blob: &[u8], header: &Header) -> Result<u32, Error> {
        let number = self.next;
        self.insert(number, blob, header)
            .map_err(|source| self.error("written", source))?;
        self.next = self.next.saturating_add(1);
        Ok(number)
    }

    fn insert(&self, number: u32, blob: &[u8], header: &Header) -> Result<(), rusqlite::Error> {
        self.connection
            .prepare_cached("INSERT INTO 'Packages' VALUES (?1, ?2)")?
            .execute(params![number, blob])?;
        for table in &TABLES {
            let statement = format!("INSERT INTO '{}' VALUES (?1, ?2, ?3)", table.name);
            let mut statement = self.connection.prepare_cached(&statement)?;
            for (key, place) in rows::rows(header, table) {
                match std::str::from_utf8(&key) {
                    Ok(text) if !table.binary => statement.execute(params![text, number, place])?,
                    _ => statement.execute(params![key, number, place])?,
                };
            }
        }
        Ok(())
    }

    /// Writes everything that is still to be written.
    pub fn finish(self) -> Result<(), Error> {
        self.connection
            .execute_batch("COMMIT")
            .map_err(|source| self.error("written", source))?;
        let path = self.path.clone();
        self.connection.close().map_err(|(_, source)| Error::Sqlite {
            path,
            doing: "closed",
            source,
        })
    }
}
