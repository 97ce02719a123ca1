//! The database that is written, by its own tables.

use std::path::Path;

use bareroot_model::Digest;
use bareroot_rpm::blob::{self, Install};
use bareroot_rpm::{Limits, PackageFile};
use bareroot_rpm_db::{Backend, Database, TABLES};
use bareroot_trust::Blob;
use rusqlite::Connection;

fn stored(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fixtures/rpm")
        .join(name);
    let size = std::fs::metadata(&path).unwrap().len();
    let file = Blob::new(
        std::fs::File::open(&path).unwrap(),
        size,
        Digest::new([0; 32]),
        name,
    );
    let package = PackageFile::open(&file, &Limits::default()).unwrap();
    let install = Install {
        time: 1_700_000_000,
        transaction: 1_700_000_000,
        color: 3,
        states: vec![0; package.header().files().len()],
    };
    blob::stored(&package, &install)
}

fn write(directory: &Path) {
    let mut database = Database::create(directory, Backend::Sqlite).unwrap();
    assert_eq!(
        database
            .add(&stored("centos-release-7-2.1511.el7.centos.2.10.x86_64.rpm"))
            .unwrap(),
        1
    );
    database.finish().unwrap();
    let mut database = Database::open(directory, Backend::Sqlite).unwrap();
    assert_eq!(
        database
            .add(&stored("filesystem-2.4.44-1.fc16.i686.rpm"))
            .unwrap(),
        2
    );
    database.finish().unwrap();
}

/// The rows that rpm 4.18 has of these two packages, counted table by table.
#[test]
fn every_table_has_rpms_rows() {
    let directory = tempfile::tempdir().unwrap();
    write(directory.path());
    let connection = Connection::open(directory.path().join("rpmdb.sqlite")).unwrap();
    let count = |table: &str| -> u32 {
        connection
            .query_row(&format!("SELECT COUNT(*) FROM '{table}'"), [], |row| row.get(0))
            .unwrap()
    };
    let counts: Vec<(&str, u32)> = TABLES
        .iter()
        .map(|table| (table.name, count(table.name)))
        .collect();
    let wanted: Vec<(&str, u32)> = COUNTS.to_vec();
    assert_eq!(counts, wanted);
    assert_eq!(count("Packages"), 2);
    let check: String = connection
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(check, "ok");
    let name: (String, u32, u32) = connection
        .query_row("SELECT key, hnum, idx FROM 'Name' WHERE hnum = 2", [], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .unwrap();
    assert_eq!(name, ("filesystem".to_owned(), 2, 0));
}

const COUNTS: &[(&str, u32)] = &[
    ("Name", 2),
    ("Basenames", 14536),
    ("Group", 2),
    ("Requirename", 1),
    ("Providename", 9),
    ("Conflictname", 0),
    ("Obsoletename", 0),
    ("Triggername", 0),
    ("Dirnames", 1182),
    ("Installtid", 2),
    ("Sigmd5", 2),
    ("Sha1header", 2),
    ("Filetriggername", 0),
    ("Transfiletriggername", 0),
    ("Recommendname", 0),
    ("Suggestname", 0),
    ("Supplementname", 0),
    ("Enhancename", 0),
];

#[test]
fn two_runs_write_the_same_bytes() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    write(one.path());
    write(two.path());
    let read = |directory: &Path| std::fs::read(directory.join("rpmdb.sqlite")).unwrap();
    assert!(read(one.path()) == read(two.path()));
    assert!(Database::create(one.path(), Backend::Sqlite).is_err());
}
