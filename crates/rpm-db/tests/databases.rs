//! All kinds of database, written and read again; and real ones, where there are any.
//!
//! Real databases are read from the directory that the environment variable `BAREROOT_RPMDB_DATA` names, with the names that
//! `REAL` has. Those tests are skipped, with a line that says so, where it names none.

use std::path::PathBuf;

use bareroot_rpm::blob;
use bareroot_rpm_db::dump::{self, Form};
use bareroot_rpm_db::{Backend, ByteOrder, Contents, Database, Error, Source, convert, header_list, verify};
use bareroot_testkit::headers::Builder;
use proptest::prelude::*;

/// A header in its stored form.
fn header(name: &str, filler: usize) -> Vec<u8> {
    let mut builder = Builder::new(name);
    builder.text(1044, "(none)");
    builder.string(1047, name);
    builder.file(0o100_644, 0, "/usr/share/", name, &[]);
    // The description, which no index holds.
    builder.text(1005, &"x".repeat(filler));
    builder.bytes().split_off(8)
}

fn write(backend: Backend, order: ByteOrder, headers: &[(u32, Vec<u8>)]) -> Vec<u8> {
    let mut database = Database::create_for(backend, order).unwrap();
    for (number, header) in headers {
        database.add_numbered(*number, header).unwrap();
    }
    database.finish().unwrap().remove(0).bytes
}

fn read<'a>(name: &'a str, bytes: &'a [u8]) -> Result<Contents<'a>, Error> {
    Source {
        name,
        bytes,
        log: None,
    }
    .read()
}

fn blobs(contents: &Contents<'_>) -> Vec<(u32, Vec<u8>)> {
    let records = contents.records();
    records
        .into_iter()
        .map(|record| (record.number, record.blob.bytes().into_owned()))
        .collect()
}

const KINDS: [(Backend, ByteOrder); 4] = [
    (Backend::Sqlite, ByteOrder::NATIVE),
    (Backend::Ndb, ByteOrder::NATIVE),
    (Backend::Bdb, ByteOrder::Little),
    (Backend::Bdb, ByteOrder::Big),
];

/// Sizes around what a page, a block and an inline item hold, and some of megabytes.
fn size() -> impl Strategy<Value = usize> {
    prop_oneof![
        40 => 0usize..3000,
        20 => 3900usize..4300,
        10 => 8000usize..20_000,
        1 => (1usize << 20)..(4 << 20),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn every_kind_reads_what_it_wrote(
        sizes in prop::collection::vec((1u32..9, size()), 0..30),
        given in 0u32..1000,
    ) {
        let mut number = 0;
        let headers: Vec<(u32, Vec<u8>)> = sizes
            .into_iter()
            .map(|(gap, size)| {
                number += gap;
                (number, header(&format!("p{number}"), size))
            })
            .collect();
        let mut all = Vec::new();
        for (backend, order) in KINDS {
            let mut database = Database::create_for(backend, order).unwrap();
            for (number, header) in &headers {
                database.add_numbered(*number, header).unwrap();
            }
            database.given(number + given).unwrap();
            let file = database.finish().unwrap().remove(0);
            prop_assert_eq!(file.name, backend.file());
            prop_assert_eq!(Backend::recognise(&file.bytes), Some(backend));
            let source = Source { name: file.name, bytes: &file.bytes, log: None };
            let contents = source.read().unwrap();
            prop_assert_eq!(blobs(&contents), headers.clone());
            prop_assert_eq!(contents.highest, number + given);
            prop_assert!(verify::findings(&source, &contents).is_empty());
            for form in [Form::Bytes, Form::Print] {
                let again = dump::parse("dump", dump::text(&contents, form).as_bytes()).unwrap();
                prop_assert_eq!(blobs(&again), headers.clone());
                prop_assert_eq!(again.highest, contents.highest);
            }
            all.push(header_list::bytes(&contents));
        }
        // The neutral form is the same, whatever it came from.
        prop_assert!(all.windows(2).all(|pair| pair[0] == pair[1]));
        let parsed = header_list::parse("list", &all[0]).unwrap();
        prop_assert!(parsed.iter().zip(&headers).all(|(blob, (_, header))| blob == header));
    }
}

#[test]
fn thousands_of_headers_take_many_buckets_and_pages_of_slots() {
    let headers: Vec<(u32, Vec<u8>)> = (1..=5000)
        .map(|number| {
            (
                number,
                header(&format!("p{number}"), (number as usize * 37) % 2500),
            )
        })
        .collect();
    for (backend, order) in KINDS {
        let bytes = write(backend, order, &headers);
        let contents = read("database", &bytes).unwrap();
        assert_eq!(blobs(&contents), headers, "{backend}");
        assert_eq!((contents.backend, contents.highest), (backend, 5000));
        // Nothing of it says whether it was known how many there would be.
        let files = convert(&contents, backend, order, Ok::<_, Error>).unwrap();
        assert!(files[0].bytes == bytes, "{backend}");
    }
}

#[test]
fn the_same_headers_are_the_same_bytes() {
    let headers = [(1, header("a", 10)), (2, header("b", 5000))];
    for (backend, order) in KINDS {
        assert_eq!(
            write(backend, order, &headers),
            write(backend, order, &headers),
            "{backend}"
        );
    }
}

#[test]
fn numbers_only_rise() {
    let mut database = Database::create(Backend::Ndb).unwrap();
    database.add_numbered(3, &header("a", 1)).unwrap();
    for number in [0, 3] {
        let error = database.add_numbered(number, &header("b", 1)).unwrap_err();
        assert!(matches!(error, Error::Number { .. }), "{error}");
    }
    assert_eq!(database.add(&header("b", 1)).unwrap(), 4);
}

/// One word of a file changed, and what is said of it.
#[test]
fn damage_is_named_by_its_place() {
    use Backend::{Bdb, Ndb, Sqlite};
    let headers = [(1, header("a", 10)), (2, header("b", 9000))];
    // Byte, what it becomes, and the words.
    let cases: &[(Backend, usize, &[u8], &str)] = &[
        (Ndb, 4, &[9], "the version at byte 4: expected 0; found 9"),
        (
            Ndb,
            12,
            &[9],
            "the number of pages of slots at byte 12: expected 1 to 3, the pages of the file; found 9",
        ),
        (
            Ndb,
            16,
            &[2],
            "the next record's number at byte 16: expected above 2; found 2",
        ),
        (
            Ndb,
            48,
            b"x",
            "slot 1 at byte 48: its first bytes: expected Slot; found [78, 6c, 6f, 74]",
        ),
        (
            Ndb,
            52,
            &[1],
            "record 1 at byte 4464: its number: expected 1; found 2",
        ),
        (Ndb, 56, &[0, 1], "slot 1 (record 2): the first block: expected"),
        (
            Ndb,
            60,
            &[1, 0],
            "record 2 at byte 4464: its length: expected what makes 1 blocks; found",
        ),
        (Ndb, 4200, b"x", "record 1 at byte 4096: its checksum: expected"),
        (
            Ndb,
            4096,
            b"x",
            "record 1 at byte 4096: its first bytes: expected BlbS; found [78, 6c, 62, 53]",
        ),
        (Bdb, 16, &[7], "page 0: the version: expected 8 to 10; found 7"),
        (
            Bdb,
            20,
            &[1],
            "page 0: the size of a page: expected a power of two from 512 to 65536; found 4097",
        ),
        (
            Bdb,
            24,
            &[1],
            "page 0: the encryption: expected none (0), as rpm has it; found 1",
        ),
        (
            Bdb,
            25,
            &[9],
            "page 0: the type of page: expected 8, a hash's; found 9",
        ),
        (
            Bdb,
            32,
            &[99],
            "page 0: the number of the last page: expected below 6, the pages of the file; found 99",
        ),
        (
            Bdb,
            72,
            &[99],
            "page 0: the number of the last bucket: expected below 6, the pages of the file; found 99",
        ),
        (
            Bdb,
            92,
            &[0],
            "page 0: the check of the hash function: expected 0x5e688dd1",
        ),
        (Bdb, 4096 + 8, &[7], "page 1: its own number: expected 1; found 7"),
        (
            Bdb,
            4096 + 12,
            &[7],
            "page 1: the page before it: expected 0; found 7",
        ),
        (
            Bdb,
            4096 + 16,
            &[1],
            "bucket 0: expected a page of its own; found page 1, which something else has",
        ),
        (
            Bdb,
            4096 + 16,
            &[200],
            "bucket 0: expected a page up to 5; found page 200",
        ),
        (
            Bdb,
            4096 + 20,
            &[3],
            "page 1: its number of entries: expected an even number that fits the page; found 3",
        ),
        (
            Bdb,
            4096 + 25,
            &[5],
            "page 1: its type: expected 13 or 2, a hash's; found 5",
        ),
        (
            Bdb,
            4096 + 26,
            &[1, 0],
            "page 1: entry 0: expected an offset from",
        ),
        (
            Bdb,
            3 * 4096 + 25,
            &[5],
            "page 3 of record 2: its type: expected 7, data of one item; found 5",
        ),
        (
            Bdb,
            3 * 4096 + 16,
            &[0],
            "the data of record 2, from page 3 on: expected",
        ),
        (
            Bdb,
            3 * 4096 + 22,
            &[255, 255],
            "page 3 of record 2: the bytes in use: expected at most 4070; found 65535",
        ),
        (Sqlite, 100, &[0], "cannot be read"),
    ];
    for (backend, at, bytes, words) in cases {
        let mut file = write(*backend, ByteOrder::Little, &headers);
        file[*at..*at + bytes.len()].copy_from_slice(bytes);
        let error = match read(backend.file(), &file) {
            Err(error) => error.to_string(),
            Ok(contents) => panic!("{backend} {at}: {} records", contents.stored.len()),
        };
        assert!(error.contains(words), "{backend} {at}: {error}");
    }
}

#[test]
fn a_header_that_changed_is_found_by_its_digest() {
    let package = include_bytes!("../../../fixtures/rpm/centos-release-7-2.1511.el7.centos.2.10.x86_64.rpm");
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("p.rpm");
    std::fs::write(&path, package).unwrap();
    let file = bareroot_trust::Blob::new(
        std::fs::File::open(&path).unwrap(),
        package.len() as u64,
        bareroot_model::Digest::new([0; 32]),
        "p",
    );
    let package = bareroot_rpm::PackageFile::open(&file, &bareroot_rpm::Limits::default()).unwrap();
    let stored = blob::stored(&package, &blob::Install::default());
    for (change, count) in [(false, 0), (true, 1)] {
        let mut stored = stored.clone();
        let at = stored.windows(6).position(|words| words == b"CentOS").unwrap();
        stored[at] ^= u8::from(change) << 5;
        let bytes = write(Backend::Bdb, ByteOrder::Little, &[(4, stored)]);
        let source = Source {
            name: "Packages",
            bytes: &bytes,
            log: None,
        };
        let findings = verify::findings(&source, &source.read().unwrap());
        assert_eq!(findings.len(), count, "{findings:?}");
        if let Some(finding) = findings.first() {
            let words =
                "Packages: record 4 (centos-release-7-2.1511.el7.centos.2.10.x86_64): SHA1HEADER: expected ";
            assert!(finding.to_string().starts_with(words), "{finding}");
        }
    }
}

#[test]
fn the_log_of_sqlite_is_read() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("rpmdb.sqlite");
    std::fs::write(
        &path,
        write(Backend::Sqlite, ByteOrder::NATIVE, &[(1, header("a", 10))]),
    )
    .unwrap();
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.pragma_update(None, "journal_mode", "WAL").unwrap();
    connection.pragma_update(None, "wal_autocheckpoint", 0).unwrap();
    let blob = header("b", 20_000);
    connection
        .execute("INSERT INTO Packages VALUES (5, ?1)", [&blob])
        .unwrap();
    let bytes = std::fs::read(&path).unwrap();
    let log = std::fs::read(directory.path().join("rpmdb.sqlite-wal")).unwrap();
    let numbers = |log: Option<&[u8]>| -> Vec<u32> {
        let contents = Source {
            name: "d",
            bytes: &bytes,
            log,
        }
        .read()
        .unwrap();
        contents.records().iter().map(|record| record.number).collect()
    };
    assert_eq!(numbers(None), [1]);
    assert_eq!(numbers(Some(&log)), [1, 5]);
    // A transaction that was not written whole never was.
    assert_eq!(numbers(Some(&log[..log.len() - 1])), [1]);
    let error = Source {
        name: "d",
        bytes: &bytes,
        log: Some(b"xxxxxxxx"),
    }
    .read()
    .unwrap_err();
    assert!(
        error.to_string().starts_with("d-wal: byte 0: expected"),
        "{error}"
    );
}

#[test]
fn a_schema_that_runs_something_is_refused() {
    let cases = [
        (
            "CREATE VIEW Packages AS SELECT 1 AS hnum, x'00' AS blob",
            "one table; found a view",
        ),
        (
            "CREATE TABLE Packages (hnum INTEGER PRIMARY KEY, x, blob AS (zeroblob(99)))",
            "the plain columns",
        ),
        ("CREATE TABLE other (x)", "one table; found none"),
        (
            "CREATE TABLE Packages (hnum, blob); INSERT INTO Packages VALUES (-1, x'00')",
            "1 to 4294967295; found -1",
        ),
        (
            "CREATE TABLE Packages (hnum, blob); INSERT INTO Packages VALUES (1, 'x')",
            "a number and a blob; found Integer and Text",
        ),
    ];
    for (schema, words) in cases {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("d");
        rusqlite::Connection::open(&path)
            .unwrap()
            .execute_batch(schema)
            .unwrap();
        let error = read("d", &std::fs::read(&path).unwrap()).unwrap_err().to_string();
        assert!(error.contains(words), "{schema}: {error}");
    }
}

/// Real databases, and how many packages the places that they were published at say they hold.
const REAL: [(&str, Backend, usize); 3] = [
    ("mariner-2.0.sqlite", Backend::Sqlite, 129),
    ("sle15.ndb.Packages.db", Backend::Ndb, 35),
    ("libuuid-el8.bdb.Packages", Backend::Bdb, 1),
];

#[test]
#[allow(clippy::print_stderr)]
fn real_databases_are_read_whole_and_keep_every_byte() {
    let Some(directory) = std::env::var_os("BAREROOT_RPMDB_DATA").map(PathBuf::from) else {
        eprintln!("skipped: BAREROOT_RPMDB_DATA names no directory of real databases");
        return;
    };
    for (name, backend, count) in REAL {
        let bytes = std::fs::read(directory.join(name)).unwrap();
        let source = Source {
            name,
            bytes: &bytes,
            log: None,
        };
        let first = source.read().unwrap();
        assert_eq!(first.backend, backend, "{name}");
        let packages = first.records().len();
        assert_eq!(packages, count, "{name}");
        let findings = verify::findings(&source, &first);
        assert!(findings.is_empty(), "{name}: {findings:?}");
        // Through every kind, back to sqlite.
        let mut contents = first.clone();
        for (backend, order) in [KINDS[0], KINDS[1], KINDS[2], KINDS[3], KINDS[0]] {
            let files = convert(&contents, backend, order, Ok::<_, Error>).unwrap();
            contents = read(files[0].name, &files[0].bytes).unwrap().into_owned();
            assert_eq!(blobs(&contents), blobs(&first), "{name} as {backend}");
            assert_eq!(contents.highest, first.highest, "{name} as {backend}");
        }
    }
}

/// A header's words: its lengths, its index and its data.
fn parts(stored: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let word = |at: usize| u32::from_be_bytes(stored[at..at + 4].try_into().unwrap()) as usize;
    let data = 8 + 16 * word(0);
    assert_eq!(stored.len(), data + word(4));
    (stored[8..data].to_vec(), stored[data..].to_vec())
}

fn joined(index: &[u8], data: &[u8]) -> Vec<u8> {
    let lengths = [index.len() as u32 / 16, data.len() as u32].map(u32::to_be_bytes);
    [lengths.concat().as_slice(), index, data].concat()
}

/// Headers of packages that are older than rpm 4 have no region, those of its first releases one of another number; and what rpm
/// added to a header replaces what its builder wrote.
#[test]
fn old_headers_are_read_as_rpm_reads_them() {
    let modern = header("old", 500);
    let (index, data) = parts(&modern);
    let without = joined(&index[16..], &data[..data.len() - 16]);
    let mut image = (index.clone(), data.clone());
    image.0[3] = 61;
    let trailer = image.1.len() - 16;
    image.1[trailer + 3] = 61;
    let image = joined(&image.0, &image.1);
    let added = [
        [0, 0, 0x03, 0xe8],
        [0, 0, 0, 6],
        (data.len() as u32).to_be_bytes(),
        [0, 0, 0, 1],
    ]
    .concat();
    let renamed = joined(
        &[index.as_slice(), &added].concat(),
        &[data.as_slice(), b"other\0"].concat(),
    );
    for (stored, name, entries) in [
        (&modern, "old", index.len() / 16),
        (&without, "old", 0),
        (&image, "old", index.len() / 16),
        (&renamed, "other", index.len() / 16),
    ] {
        let parsed = blob::parse("record", stored).unwrap();
        assert_eq!(
            (parsed.nevra().name.as_str(), parsed.region().entries as usize),
            (name, entries)
        );
        for (backend, order) in KINDS {
            let bytes = write(backend, order, &[(1, stored.clone())]);
            let source = Source {
                name: "database",
                bytes: &bytes,
                log: None,
            };
            let contents = source.read().unwrap();
            assert_eq!(blobs(&contents), [(1, stored.clone())]);
            let findings = verify::findings(&source, &contents);
            assert!(findings.is_empty(), "{name} as {backend}: {findings:?}");
        }
    }
    // Twice in the region is what no rpm writes.
    let twice = joined(&[&index[16..], &index[16..32]].concat(), &data[..data.len() - 16]);
    assert!(blob::parse("record", &twice).is_err());
}
