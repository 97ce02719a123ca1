//! rpm's database of two roots: headers and indexes, by package instead of by number.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use bareroot_rpm::blob;
use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags};

/// Where the distribution has it.
const PATH: &str = "usr/lib/sysimage/rpm/rpmdb.sqlite";

/// INSTALLTIME and INSTALLTID: when, not what.
const TIMES: [u32; 2] = [1008, 1128];

/// The table whose keys are INSTALLTIDs.
const BY_TRANSACTION: &str = "Installtid";

/// A row of an index: key, package, place in the tag.
type Row = (String, String, i64);

/// What rpm's database says.
pub struct Database {
    /// Each package's header, the times in it 0.
    pub packages: BTreeMap<String, Vec<u8>>,
    indexes: BTreeMap<String, Vec<Row>>,
    schema: BTreeSet<String>,
}

impl Database {
    /// Reads a root's.
    ///
    /// # Errors
    /// When there is none, or it is not what rpm writes.
    pub fn read(root: &Path) -> Result<Database> {
        let path = root.join(PATH);
        let database = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_WRITE)
            .with_context(|| path.display().to_string())?;
        let mut names = BTreeMap::new();
        let mut packages = BTreeMap::new();
        let mut query = database.prepare("SELECT hnum, blob FROM Packages")?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            let (number, blob): (i64, Vec<u8>) = (row.get(0)?, row.get(1)?);
            let name = name(&blob)?;
            names.insert(number, name.clone());
            let twice = packages.insert(name, timeless(blob)?);
            ensure!(twice.is_none(), "a package is recorded twice");
        }
        let mut schema = BTreeSet::new();
        let mut indexes = BTreeMap::new();
        let mut query = database.prepare(
            "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY name",
        )?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            let (kind, table, sql): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
            schema.insert(sql);
            if kind == "table" && table != "Packages" {
                let rows = index(&database, &table, &names)?;
                indexes.insert(table, rows);
            }
        }
        Ok(Database {
            packages,
            indexes,
            schema,
        })
    }

    /// Packages that only one of the two has.
    pub fn unshared(&self, ours: &Database) -> Vec<String> {
        let set = |database: &Database| database.packages.keys().cloned().collect::<BTreeSet<_>>();
        crate::peers::root::unshared(&set(self), "dnf", &set(ours))
    }

    /// Packages that both have, with other headers.
    pub fn other_headers(&self, ours: &Database) -> Vec<String> {
        let mut evidence = Vec::new();
        for (name, theirs) in &self.packages {
            let Some(blob) = ours.packages.get(name).filter(|blob| *blob != theirs) else {
                continue;
            };
            let at = theirs.iter().zip(blob).position(|(a, b)| a != b);
            evidence.push(format!(
                "{name}: {} bytes | {} bytes, first other at {at:?}",
                theirs.len(),
                blob.len()
            ));
        }
        evidence
    }

    /// Every index: its name, how many rows dnf's has, and the rows that only one of the two has; the statements by
    /// which tables and indexes were made, last.
    pub fn tables(&self, ours: &Database) -> Vec<(String, usize, Vec<String>)> {
        let none = Vec::new();
        let names: BTreeSet<&String> = self.indexes.keys().chain(ours.indexes.keys()).collect();
        let mut tables: Vec<_> = names
            .into_iter()
            .map(|table| {
                let theirs = self.indexes.get(table).unwrap_or(&none);
                let ours = ours.indexes.get(table).unwrap_or(&none);
                (table.clone(), theirs.len(), other_rows(theirs, ours))
            })
            .collect();
        let schema = crate::peers::root::unshared(&self.schema, "dnf", &ours.schema);
        tables.push(("definitions".to_owned(), self.schema.len(), schema));
        tables
    }
}

/// What one of two sorted lists has more often than the other.
fn other_rows(theirs: &[Row], ours: &[Row]) -> Vec<String> {
    let mut count: BTreeMap<&Row, i64> = BTreeMap::new();
    for row in theirs {
        *count.entry(row).or_default() += 1;
    }
    for row in ours {
        *count.entry(row).or_default() -= 1;
    }
    let differing = count.iter().filter(|(_, count)| **count != 0);
    differing
        .map(|(row, count)| format!("only {}: {row:?}", if *count > 0 { "dnf" } else { "bareroot" }))
        .collect()
}

fn index(database: &Connection, table: &str, names: &BTreeMap<i64, String>) -> Result<Vec<Row>> {
    let mut query = database.prepare(&format!("SELECT key, hnum, idx FROM '{table}'"))?;
    let mut rows = query.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let key = match row.get::<_, Value>(0)? {
            _ if table == BY_TRANSACTION => "the transaction".to_owned(),
            Value::Text(text) => text,
            other => format!("{other:?}"),
        };
        let number: i64 = row.get(1)?;
        let name = names
            .get(&number)
            .with_context(|| format!("{table} names package {number}"))?;
        found.push((key, name.clone(), row.get(2)?));
    }
    found.sort();
    Ok(found)
}

/// A stored header's name, epoch, version, release and architecture.
fn name(blob: &[u8]) -> Result<String> {
    Ok(blob::parse("rpmdb.sqlite", blob)?.nevra().to_string())
}

/// A stored header with INSTALLTIME and INSTALLTID 0: two numbers of four bytes.
fn timeless(mut blob: Vec<u8>) -> Result<Vec<u8>> {
    let number = |bytes: &[u8], at: usize| -> Result<u32> {
        let four = bytes.get(at..at + 4).context("a header that ends early")?;
        Ok(u32::from_be_bytes(four.try_into()?))
    };
    let entries = usize::try_from(number(&blob, 0)?)?;
    let data = 8 + entries * 16;
    let mut found = 0;
    for entry in 0..entries {
        let at = 8 + entry * 16;
        if TIMES.contains(&number(&blob, at)?) {
            let place = data + usize::try_from(number(&blob, at + 8)?)?;
            blob.get_mut(place..place + 4)
                .context("a header that ends early")?
                .fill(0);
            found += 1;
        }
    }
    ensure!(found == TIMES.len(), "a header without INSTALLTIME or INSTALLTID");
    Ok(blob)
}
