//! What can be said of a database that was read: that its headers are what they were.

use std::collections::BTreeSet;

use bareroot_rpm::{Header, Tag, blob};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use crate::contents::{Contents, Source};
use crate::{Backend, ByteOrder, Error, TABLES, rows, sqlite};

/// Everything that is wrong with a database's headers and, in sqlite's, with its tables: nothing for a sound one. The file's
/// own structure and checksums have been verified by reading it.
pub fn findings(source: &Source<'_>, contents: &Contents<'_>) -> Vec<Error> {
    let mut found = Vec::new();
    let mut headers = Vec::new();
    for record in contents.records() {
        let name = format!("{}: record {}", source.name, record.number);
        let bytes = record.blob.bytes();
        match blob::parse(&name, &bytes) {
            Ok(header) => {
                found.extend(digests(source.name, record.number, &bytes, &header));
                headers.push((record.number, header));
            }
            Err(error) => found.push(error.into()),
        }
    }
    if contents.backend == Backend::Sqlite
        && let Err(error) = tables(source, &headers, &mut found)
    {
        found.push(error);
    }
    found
}

/// The digests that the package's builder made of the header, which rpm checks as well.
fn digests(file: &str, number: u32, blob: &[u8], header: &Header) -> Option<Error> {
    let region = header.region();
    // Of a header without a region nobody knows what its builder made.
    if region.entries == 0 {
        return None;
    }
    let entries = region.entries as usize * 16;
    let word = |at: usize| {
        blob.get(at..at + 4)
            .and_then(|word| word.try_into().ok())
            .map(u32::from_be_bytes)
    };
    let data = 8 + word(0)? as usize * 16;
    let parts = [
        bareroot_rpm::MAGIC.as_slice(),
        &region.entries.to_be_bytes(),
        &region.length.to_be_bytes(),
        blob.get(8..8 + entries)?,
        blob.get(data..data + region.length as usize)?,
    ];
    let bad = |what: Tag, expected: &str, found: String| {
        Error::malformed(
            file,
            format!("record {number} ({}): {what}", header.nevra()),
            expected,
            found,
        )
    };
    if let Some(expected) = header.text(Tag::SHA256HEADER) {
        let mut hasher = Sha256::new();
        parts.iter().for_each(|part| hasher.update(part));
        let found = hex(&hasher.finalize());
        if !found.eq_ignore_ascii_case(expected) {
            return Some(bad(Tag::SHA256HEADER, expected, found));
        }
    }
    if let Some(expected) = header.text(Tag::SHA1HEADER) {
        let mut hasher = Sha1::new();
        parts.iter().for_each(|part| hasher.update(part));
        let found = hex(&hasher.finalize());
        if !found.eq_ignore_ascii_case(expected) {
            return Some(bad(Tag::SHA1HEADER, expected, found));
        }
    }
    None
}

fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Sqlite's own check, and whether the indexes hold each header's rows and no others.
fn tables(source: &Source<'_>, headers: &[(u32, Header)], found: &mut Vec<Error>) -> Result<(), Error> {
    let connection = sqlite::open(source.name, source.bytes, source.log)?;
    let failed = |source_error| Error::sqlite(source.name, "read", source_error);
    let mut check = connection.prepare("PRAGMA integrity_check(20)").map_err(failed)?;
    let mut rows_of = check.query([]).map_err(failed)?;
    while let Some(row) = rows_of.next().map_err(failed)? {
        let words: String = row.get(0).map_err(failed)?;
        if words != "ok" {
            found.push(Error::malformed(source.name, "integrity_check", "ok", words));
        }
    }
    for table in &TABLES {
        if !sqlite::is_table(&connection, table.name).map_err(failed)? {
            let place = format!("the index {}", table.name);
            found.push(Error::malformed(
                source.name,
                place,
                "a table",
                "none, without which rpm fails",
            ));
            continue;
        }
        let query = format!("SELECT key, hnum, idx FROM '{}'", table.name);
        let mut statement = connection.prepare(&query).map_err(failed)?;
        let mut all = statement.query([]).map_err(failed)?;
        let mut there = BTreeSet::new();
        while let Some(row) = all.next().map_err(failed)? {
            let key = row.get_ref(0).map_err(failed)?;
            let key = key.as_bytes_or_null().ok().flatten().unwrap_or_default().to_vec();
            there.insert((
                key,
                row.get::<_, i64>(1).map_err(failed)?,
                row.get::<_, i64>(2).map_err(failed)?,
            ));
        }
        let expected: BTreeSet<_> = headers
            .iter()
            .flat_map(|(number, header)| {
                let rows = rows(header, table, ByteOrder::NATIVE);
                rows.into_iter()
                    .map(|(key, place)| (key.into_owned(), i64::from(*number), i64::from(place)))
            })
            .collect();
        if let Some((key, number, place)) = expected.difference(&there).next() {
            let words = format!("record {number}'s `{}` at {place}", String::from_utf8_lossy(key));
            found.push(Error::malformed(
                source.name,
                format!("the index {}", table.name),
                words,
                "no such row",
            ));
        }
        if let Some((key, number, place)) = there.difference(&expected).next() {
            let words = format!("record {number}'s `{}` at {place}", String::from_utf8_lossy(key));
            let expected = "only what the headers have";
            found.push(Error::malformed(
                source.name,
                format!("the index {}", table.name),
                expected,
                words,
            ));
        }
    }
    Ok(())
}
