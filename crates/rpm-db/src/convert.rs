use std::thread;

use bareroot_rpm::{Header, blob};

use crate::bdb::{Hash, Indexes};
use crate::contents::Record;
use crate::database::DatabaseFile;
use crate::ndb::{INDEX, Index, Packages};
use crate::rows::{self, Row};
use crate::sqlite::Sqlite;
use crate::{Backend, ByteOrder, Contents, Error};

/// Makes the files of a database with the headers of another, under their numbers, for machines of that byte order. Each is given
/// to `put` as soon as it is made, by either of two threads: headers and indexes are made side by side, as neither needs the
/// other. What that makes of them comes back, that of the file with the headers first.
///
/// # Errors
/// Whatever `put` says; [`Error::Header`] for a header that is none, [`Error::Number`], [`Error::TooLarge`].
pub fn convert<T: Send, E: From<Error> + Send>(
    contents: &Contents<'_>,
    backend: Backend,
    order: ByteOrder,
    put: impl Fn(DatabaseFile) -> Result<T, E> + Sync,
) -> Result<Vec<T>, E> {
    let records = contents.records();
    let twice = records.windows(2).find(|pair| pair[0].number == pair[1].number);
    if let Some(pair) = twice {
        let number = pair[0].number;
        return Err(Error::Number { number }.into());
    }
    let put = |name, bytes| put(DatabaseFile { name, bytes });
    match backend {
        Backend::Sqlite => {
            let mut database = Sqlite::create();
            index(&records, order, |number, bytes, rows| {
                database.add(number, bytes, rows);
            })?;
            database.given(contents.highest);
            Ok(vec![put(backend.file(), database.finish()?)?])
        }
        Backend::Ndb => side_by_side(
            || {
                let mut packages = Packages::create(records.len());
                records
                    .iter()
                    .try_for_each(|record| packages.add(record.number, &record.blob))?;
                packages.given(contents.highest);
                put(backend.file(), packages.finish()?)
            },
            || {
                let mut table = Index::create();
                index(&records, order, |number, _, rows| table.add(number, rows))?;
                // As often was the file with the headers written to.
                let generation = records.len() as u32;
                Ok(vec![put(INDEX, table.finish(generation)?)?])
            },
        ),
        Backend::Bdb => side_by_side(
            || {
                let mut hash = Hash::create(order, records.len());
                records
                    .iter()
                    .try_for_each(|record| hash.add(record.number, &record.blob.bytes()))?;
                hash.given(contents.highest);
                put(backend.file(), hash.finish()?)
            },
            || {
                let mut trees = Indexes::create(order);
                index(&records, order, |number, _, rows| trees.add(number, rows))?;
                let files = trees.finish()?.into_iter();
                files.map(|file| put(file.name, file.bytes)).collect()
            },
        ),
    }
}

/// Gives each header's number, bytes and rows of each table to `add`.
fn index(
    records: &[&Record<'_>],
    order: ByteOrder,
    mut add: impl FnMut(u32, &[u8], &[Vec<Row<'_>>]),
) -> Result<(), Error> {
    for record in records {
        let bytes = record.blob.bytes();
        let header: Header = blob::parse(&format!("record {}", record.number), &bytes)?;
        add(record.number, &bytes, &rows::of_all(&header, order));
    }
    Ok(())
}

/// Does the first in a thread of its own, the second here; an error of the second, which looks into headers, says more.
fn side_by_side<T: Send, E: Send>(
    first: impl Fn() -> Result<T, E> + Sync,
    second: impl FnOnce() -> Result<Vec<T>, E>,
) -> Result<Vec<T>, E> {
    thread::scope(|scope| {
        let thread = thread::Builder::new().spawn_scoped(scope, &first);
        let second = second();
        let first = match thread {
            Ok(thread) => thread
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            // No more threads are to be had.
            Err(_) => first(),
        };
        let mut all = second?;
        all.insert(0, first?);
        Ok(all)
    })
}
