//! `rpmdb.sqlite`, read from memory. The file is hostile: nothing of its schema but one plain table is ever run.

use std::borrow::Cow;

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, MAIN_DB, OpenFlags};

use super::{log, plain};
use crate::bdb::ByteOrder;
use crate::contents::{Contents, Record};
use crate::{Backend, Error};

/// Everything in the file and its log, in the order of the headers' numbers.
pub fn read<'a>(name: &str, bytes: &'a [u8], log: Option<&[u8]>) -> Result<Contents<'a>, Error> {
    let merged = log::merged(name, bytes, log)?;
    let plain = match &merged {
        Cow::Borrowed(file) => plain(file),
        Cow::Owned(file) => plain(file).map(Contents::into_owned),
    };
    match plain {
        Some(contents) => Ok(contents),
        None => by_sqlite(name, merged),
    }
}

/// The same, where the file is laid out as rpm does.
fn plain(file: &[u8]) -> Option<Contents<'_>> {
    plain::read(file).map(|(stored, given)| contents(stored, given))
}

/// The same, whatever the file's layout.
fn by_sqlite(name: &str, file: Cow<'_, [u8]>) -> Result<Contents<'static>, Error> {
    // Each blob has pages of its own; more bytes than the file has are pages that are linked twice.
    let mut left = file.len();
    let connection = connect(name, file)?;
    let bad = |place: String, expected: &str, found: String| Error::malformed(name, place, expected, found);
    let failed = |source| Error::sqlite(name, "read", source);
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
            blob: blob.to_vec().into(),
        });
    }
    Ok(contents(stored, given(&connection)))
}

fn contents(stored: Vec<Record<'_>>, given: Option<u32>) -> Contents<'_> {
    let numbers = stored.iter().map(|record| record.number);
    Contents {
        backend: Backend::Sqlite,
        order: ByteOrder::NATIVE,
        page_size: 4096,
        highest: numbers.chain(given).max().unwrap_or_default(),
        stored,
    }
}

/// The highest number that sqlite has given.
fn given(connection: &Connection) -> Option<u32> {
    let query = "SELECT seq FROM sqlite_sequence WHERE name = 'Packages'";
    let number: i64 = connection.query_row(query, [], |row| row.get(0)).ok()?;
    u32::try_from(number).ok()
}

/// The database, of which `Packages` is known to be a table of its own bytes.
pub fn open(name: &str, bytes: &[u8], log: Option<&[u8]>) -> Result<Connection, Error> {
    connect(name, log::merged(name, bytes, log)?)
}

fn connect(name: &str, file: Cow<'_, [u8]>) -> Result<Connection, Error> {
    let file = log::alone(file);
    let failed = |source| Error::sqlite(name, "read", source);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_in_memory_with_flags(flags).map_err(failed)?;
    connection
        .deserialize_read_exact(MAIN_DB, file.as_slice(), file.len(), true)
        .map_err(failed)?;
    for (config, on) in [
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false),
    ] {
        connection.set_db_config(config, on).map_err(failed)?;
    }
    let most = i32::try_from(file.len()).unwrap_or(i32::MAX).max(1 << 20);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Database;

    /// A file with what rpm's own tools leave: rows of all lengths, numbers with holes.
    fn file(random: &mut impl FnMut(usize) -> usize) -> Vec<u8> {
        let mut database = Database::create(Backend::Sqlite).unwrap();
        let mut number = 0;
        for package in 0..40 {
            number += 1 + random(3) as u32;
            let mut builder = bareroot_testkit::headers::Builder::new(&format!("p{package}"));
            builder.text(1005, &"x".repeat(random(9000)));
            let header = builder.bytes();
            // Behind the magic of the list's form.
            database.add_numbered(number, &header[8..]).unwrap();
        }
        database.given(number + 7).unwrap();
        database.finish().unwrap().remove(0).bytes
    }

    fn seeded(mut state: u64) -> impl FnMut(usize) -> usize {
        move |end| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) as usize % end.max(1)
        }
    }

    #[test]
    fn both_ways_read_the_same() {
        let mut random = seeded(1);
        let whole = file(&mut random);
        let (stored, given) = plain::read(&whole).expect("it is laid out as rpm does");
        assert_eq!(
            by_sqlite("d", Cow::Borrowed(&whole)).unwrap(),
            contents(stored, given)
        );
        let (mut both, mut left) = (0, 0);
        for _ in 0..3000 {
            let mut damaged = whole.clone();
            // Mostly where the structure is: the first page, and the heads of others.
            let page = random(whole.len() / 4096) * 4096;
            let at = match random(3) {
                0 => random(4096),
                _ => page + random(64),
            };
            damaged[at] ^= 1 << random(8);
            match (plain::read(&damaged), by_sqlite("d", Cow::Borrowed(&damaged))) {
                (Some((stored, given)), Ok(by_sqlite)) => {
                    assert_eq!(contents(stored, given), by_sqlite, "byte {at}");
                    both += 1;
                }
                (None, _) => left += 1,
                // Sqlite looks at more of the file than its headers.
                (Some(_), Err(_)) => {}
            }
        }
        assert!(both > 100 && left > 100, "{both} {left}");
    }
}
