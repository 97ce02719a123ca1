//! `rpmdb.sqlite`, written by rpm's own statements.

use bareroot_rpm::Header;
use rusqlite::{Connection, params};

use super::FILE;
use crate::ByteOrder;
use crate::error::Error;
use crate::memory;
use crate::rows::{self, TABLES};

/// A database that is being written.
#[derive(Debug)]
pub struct Sqlite {
    connection: Connection,
}

impl Sqlite {
    /// A new database.
    pub fn create() -> Result<Sqlite, Error> {
        let mut database = Sqlite {
            connection: memory::create(FILE)?,
        };
        database
            .tables()
            .map_err(|source| Error::sqlite(FILE, "made", source))?;
        Ok(database)
    }

    /// The tables and their indexes, by rpm's own statements.
    fn tables(&mut self) -> Result<(), rusqlite::Error> {
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

    /// Adds a header in its stored form under a number that no other has.
    pub fn add(&mut self, number: u32, blob: &[u8], header: &Header, order: ByteOrder) -> Result<(), Error> {
        self.insert(number, blob, header, order)
            .map_err(|source| Error::sqlite(FILE, "written", source))
    }

    fn insert(
        &self,
        number: u32,
        blob: &[u8],
        header: &Header,
        order: ByteOrder,
    ) -> Result<(), rusqlite::Error> {
        self.connection
            .prepare_cached("INSERT INTO 'Packages' VALUES (?1, ?2)")?
            .execute(params![number, blob])?;
        for table in &TABLES {
            let statement = format!("INSERT INTO '{}' VALUES (?1, ?2, ?3)", table.name);
            let mut statement = self.connection.prepare_cached(&statement)?;
            for (key, place) in rows::rows(header, table, order) {
                match std::str::from_utf8(&key) {
                    Ok(text) if !table.binary => statement.execute(params![text, number, place])?,
                    _ => statement.execute(params![key, number, place])?,
                };
            }
        }
        Ok(())
    }

    /// Says that numbers up to this one have been given.
    pub fn given(&mut self, number: u32) -> Result<(), Error> {
        let failed = |source| Error::sqlite(FILE, "written", source);
        let changed = self
            .connection
            .execute(
                "UPDATE sqlite_sequence SET seq = ?1 WHERE name = 'Packages'",
                params![number],
            )
            .map_err(failed)?;
        if changed == 0 {
            let insert = "INSERT INTO sqlite_sequence VALUES ('Packages', ?1)";
            self.connection.execute(insert, params![number]).map_err(failed)?;
        }
        Ok(())
    }

    /// The whole file.
    pub fn finish(self) -> Result<Vec<u8>, Error> {
        memory::finish(self.connection, FILE)
    }
}
