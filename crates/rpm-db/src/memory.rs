//! Databases are made in memory and written by the caller: no path inside a root is ever handed to sqlite.

use rusqlite::{Connection, MAIN_DB, OpenFlags};

use crate::error::Error;

/// An empty database with a transaction begun. `name` is for messages.
pub fn create(name: &'static str) -> Result<Connection, Error> {
    let failed = |source| Error::sqlite(name, "made", source);
    // sqlite's own memory file, which unlike ":memory:" has the layout of a file and is handed out without a copy.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_URI
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags("file:bareroot?vfs=memdb", flags).map_err(failed)?;
    connection
        .execute_batch(
            "PRAGMA page_size = 4096; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; \
             PRAGMA locking_mode = EXCLUSIVE; PRAGMA foreign_keys = OFF; BEGIN",
        )
        .map_err(failed)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

/// Ends the transaction; the file's bytes.
pub fn finish(mut connection: Connection, name: &'static str) -> Result<Vec<u8>, Error> {
    let failed = |source| Error::sqlite(name, "written", source);
    connection.execute_batch("COMMIT").map_err(failed)?;
    connection.flush_prepared_statement_cache();
    let bytes = connection.serialize(MAIN_DB).map_err(failed)?;
    Ok(bytes.to_vec())
}
