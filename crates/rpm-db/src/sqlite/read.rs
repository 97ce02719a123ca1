//! `rpmdb.sqlite`, read from memory. The file is hostile: nothing of its schema but one plain table is ever run.

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, MAIN_DB, OpenFlags};

use super::log;
use crate::bdb::ByteOrder;
use crate::contents::{Contents, Record};
use crate::{Backend, Error};

/// Everything in the file and its log, in the order of the headers' numbers.
pub fn read(name: &str, bytes: &[u8], log: Option<&[u8]>) -> Result<Contents, Error> {
    let connection = open(name, bytes, log)?;
    let bad = |place: String, expected: &str, found: String| Error::malformed(name, place, expected, found);
    let failed = |source| Error::sqlite(name, "read", source);
    // Each blob has pages of its own; more bytes than the file has are pages that are linked twice.
    let mut left = bytes.len() + log.map_or(0, <[u8]>::len);
    let mut stored = Vec::new();
    let mut statement = connection
        .prepare("SELECT hnum, blob FROM Packages")
        .map_err(failed)?;
    let mut rows = statement.query([]).map_err(failed)?;
    while let Some(row) = rows.next().map_err(failed)? {
        let (number, blob) = match (row.get_ref(0), row.get_ref(1)) {
            (Ok(ValueRef::Integer(number)), Ok(ValueRef::Blob(blob))) => (number, blob),
            (number, blob) => {
                let kind = |value: Result<ValueRef<'_>, _>| {
                    value.map_or_else(|_| "nothing".into(), |value| value.data_type().to_string())
                };
                let found = format!("{} and {}", kind(number), kind(blob));
                return Err(bad(
                    format!("row {} of Packages", stored.len() + 1),
                    "a number and a blob",
                    found,
                ));
            }
        };
        let Some(number) = u32::try_from(number).ok().filter(|number| *number > 0) else {
            let place = format!("row {} of Packages: its number", stored.len() + 1);
            return Err(bad(place, "1 to 4294967295", number.to_string()));
        };
        left = left.checked_sub(blob.len()).ok_or_else(|| {
            bad(
                format!("record {number}"),
                "no more bytes than the file has",
                format!("{} bytes too many", blob.len()),
            )
        })?;
        stored.push(Record {
            number,
            blob: blob.to_vec(),
        });
    }
    let last = stored
        .iter()
        .map(|record| record.number)
        .max()
        .unwrap_or_default();
    Ok(Contents {
        backend: Backend::Sqlite,
        order: ByteOrder::NATIVE,
        page_size: 4096,
        highest: given(&connection).unwrap_or_default().max(last),
        stored,
    })
}

/// The highest number that sqlite has given.
fn given(connection: &Connection) -> Option<u32> {
    let query = "SELECT seq FROM sqlite_sequence WHERE name = 'Packages'";
    let number: i64 = connection.query_row(query, [], |row| row.get(0)).ok()?;
    u32::try_from(number).ok()
}

/// The database, of which `Packages` is known to be a table of its own bytes.
pub fn open(name: &str, bytes: &[u8], log: Option<&[u8]>) -> Result<Connection, Error> {
    let failed = |source| Error::sqlite(name, "read", source);
    let merged = log::merged(name, bytes, log)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_in_memory_with_flags(flags).map_err(failed)?;
    connection
        .deserialize_read_exact(MAIN_DB, merged.as_slice(), merged.len(), true)
        .map_err(failed)?;
    for (config, on) in [
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false),
    ] {
        connection.set_db_config(config, on).map_err(failed)?;
    }
    let most = i32::try_from(merged.len()).unwrap_or(i32::MAX).max(1 << 20);
    connection
        .set_limit(Limit::SQLITE_LIMIT_LENGTH, most)
        .map_err(failed)?;
    connection
        .execute_batch("PRAGMA cell_size_check = ON")
        .map_err(failed)?;
    let query = "SELECT type, rootpage FROM sqlite_schema WHERE name = 'Packages'";
    let mut statement = connection.prepare(query).map_err(failed)?;
    let found = statement
        .query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?)))
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(failed)?;
    drop(statement);
    // Neither a view nor a virtual table, which could run for ever.
    match found.as_slice() {
        [(kind, page)] if kind == "table" && *page > 0 => {}
        other => {
            let found = match other {
                [] => "none".to_owned(),
                [(kind, page)] => format!("a {kind} whose first page is {page}"),
                more => format!("{} of them", more.len()),
            };
            return Err(Error::malformed(
                name,
                "sqlite_schema: Packages",
                "one table",
                found,
            ));
        }
    }
    // Columns that are computed would run what the file says.
    let query =
        "SELECT count(*) FROM pragma_table_xinfo('Packages') WHERE hidden = 0 AND name IN ('hnum', 'blob')";
    let plain: i64 = connection
        .query_row(query, [], |row| row.get(0))
        .map_err(failed)?;
    if plain != 2 {
        let found = format!("{plain} such columns");
        return Err(Error::malformed(
            name,
            "sqlite_schema: Packages",
            "the plain columns hnum and blob",
            found,
        ));
    }
    Ok(connection)
}

/// Whether that is the name of a table of the file's own bytes.
pub fn is_table(connection: &Connection, name: &str) -> Result<bool, rusqlite::Error> {
    let query = "SELECT count(*) FROM sqlite_schema WHERE name = ?1 AND type = 'table' AND rootpage > 0";
    let count: i64 = connection.query_row(query, [name], |row| row.get(0))?;
    Ok(count == 1)
}
