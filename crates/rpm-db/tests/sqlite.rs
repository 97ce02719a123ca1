//! The database that is written, by its own tables.

use std::path::Path;

use bareroot_model::Digest;
use bareroot_rpm::blob::{self, Install};
use bareroot_rpm::{FileChoice, Limits, PackageFile};
use bareroot_rpm_db::{Backend, Database, TABLES};
use bareroot_trust::Blob;
use rusqlite::Connection;
use rusqlite::types::ValueRef;
use sha2::{Digest as _, Sha256};

/// When the first of the packages was installed, and the transaction's number.
const TIME: u32 = 1_700_000_000;

/// A package that has something for every index: see its .spec file.
const RECORD: &str = "record-1.2~rc1-3^git.noarch.rpm";

fn stored(name: &str, time: u32, choice: &FileChoice) -> Vec<u8> {
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
        time,
        transaction: TIME,
        color: choice.color,
        states: choice
            .states(&package.header().files())
            .into_iter()
            .map(|state| state as u8)
            .collect(),
    };
    blob::stored(&package, &install)
}

/// Every file, on a machine of 64 bits.
fn all() -> FileChoice {
    FileChoice {
        color: 3,
        ..FileChoice::default()
    }
}

fn write() -> Vec<u8> {
    let mut database = Database::create(Backend::Sqlite).unwrap();
    for (number, name) in [
        (1, "centos-release-7-2.1511.el7.centos.2.10.x86_64.rpm"),
        (2, "filesystem-2.4.44-1.fc16.i686.rpm"),
        (3, RECORD),
    ] {
        assert_eq!(
            database.add(&stored(name, TIME + number - 1, &all())).unwrap(),
            number
        );
    }
    let mut files = database.finish().unwrap();
    assert_eq!(files.len(), 1);
    let file = files.remove(0);
    assert_eq!(file.name, "rpmdb.sqlite");
    file.bytes
}

fn hex(digest: impl AsRef<[u8]>) -> String {
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The database that is made, opened from a file as rpm opens it.
fn opened(directory: &Path) -> Connection {
    let path = directory.join("rpmdb.sqlite");
    std::fs::write(&path, write()).unwrap();
    Connection::open(path).unwrap()
}

/// What Debian's rpm 4.18.0 stores of these packages: `SOURCE_DATE_EPOCH=1700000000 rpm --root DIR -i --justdb
/// --noorder --nodeps --ignorearch --nosignature`, the tables read in the order of their rows.
#[test]
fn everything_is_as_rpm_stores_it() {
    let directory = tempfile::tempdir().unwrap();
    let connection = opened(directory.path());
    let mut blobs = connection
        .prepare("SELECT blob FROM Packages ORDER BY hnum")
        .unwrap();
    let blobs: Vec<String> = blobs
        .query_map([], |row| Ok(hex(Sha256::digest(row.get_ref(0)?.as_blob()?))))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(
        blobs,
        [
            "7ea90d0786068a3e9037c2073418f1b68cbadcf625ccd7e7ec9a3ded0392d15a",
            "5ba62fefcfed894b5184bca6ccb2c2329622751d31390be37aad26d2413c319a",
            "ab6a38bd8e40ed28af23ba07214093e9b0b00b4507ba55c8e7e8d26f377e2424",
        ]
    );
    for (table, (name, count, digest)) in TABLES.iter().zip(ROWS) {
        assert_eq!(table.name, *name);
        let statement = format!("SELECT key, hnum, idx FROM '{name}' ORDER BY rowid");
        let mut statement = connection.prepare(&statement).unwrap();
        let mut rows = statement.query([]).unwrap();
        let (mut found, mut hasher) = (0, Sha256::new());
        while let Some(row) = rows.next().unwrap() {
            let key = match row.get_ref(0).unwrap() {
                ValueRef::Text(text) if !table.binary => text.to_vec(),
                ValueRef::Blob(bytes) if table.binary => bytes.to_vec(),
                other => panic!("{name}: {other:?}"),
            };
            let (number, place): (u32, u32) = (row.get(1).unwrap(), row.get(2).unwrap());
            hasher.update(key);
            hasher.update(b"\0");
            hasher.update(format!("{number} {place}\n"));
            found += 1;
        }
        assert_eq!(
            (found, hex(hasher.finalize()).as_str()),
            (*count, *digest),
            "{name}"
        );
    }
    // The statements of the tables and indexes, in the order in which rpm makes them.
    let mut statement = connection
        .prepare("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid")
        .unwrap();
    let mut schema = Sha256::new();
    let mut rows = statement.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        schema.update(row.get::<_, String>(0).unwrap() + "\n");
    }
    assert_eq!(
        hex(schema.finalize()),
        "b9b44c12fb2c591ce95e6bc3c9ebc8f62110646ac7fdfafaa894c40f4020c4b2"
    );
}

/// With `--excludedocs`, and with `--define "_install_langs fr"`: licences stay, directories that lost all their files go.
#[test]
fn files_that_are_left_out_have_rpms_states() {
    let stored = |choice: FileChoice| hex(Sha256::digest(stored(RECORD, TIME, &choice)));
    assert_eq!(
        stored(FileChoice {
            no_docs: true,
            ..all()
        }),
        "dd95e37725a5259b8fd0d7a6cdd5ab71b0f67e93f3864a130c88805f6caa9eee"
    );
    assert_eq!(
        stored(FileChoice {
            langs: Some(vec!["fr".to_owned()]),
            ..all()
        }),
        "b18463ef4e6fa6164bed28b0c04463bd4e65735222739c82630b723c95f0e3bb"
    );
}

/// What `rpmdb --verifydb` asks, and what lets an ordinary user read it: no journal beside it is needed.
#[test]
fn it_is_sound_and_readable_by_all() {
    let directory = tempfile::tempdir().unwrap();
    let connection = opened(directory.path());
    let text = |statement: &str| -> String { connection.query_row(statement, [], |row| row.get(0)).unwrap() };
    assert_eq!(text("PRAGMA integrity_check"), "ok");
    assert_eq!(text("PRAGMA journal_mode"), "delete");
    let mut wrong = connection.prepare("PRAGMA foreign_key_check").unwrap();
    assert!(wrong.query([]).unwrap().next().unwrap().is_none());
    assert_eq!(text("SELECT CAST(seq AS TEXT) FROM sqlite_sequence"), "3");
}

const ROWS: &[(&str, u32, &str)] = &[
    (
        "Name",
        3,
        "31c7052a1a6576bd07576295b51dd16cfa23af008a6d65f4f4834ffa25d398aa",
    ),
    (
        "Basenames",
        14559,
        "431aa4e40c9dec8c0a6dd0e2bb9594993f6c1a2bf0dd0f77e3106db619832b48",
    ),
    (
        "Group",
        3,
        "ef2f9cbf9d88dfa3fb1374f36035ccb1d2a61555114eeb35a6ac42c828031efa",
    ),
    (
        "Requirename",
        44,
        "e2900990e5019d58e884021ffec8d22507595d38de77a394b6f6ab8dd1b5cc38",
    ),
    (
        "Providename",
        13,
        "1e73b249058bd11f5ee465ccf690c8dc6a2d00731216826759b6220d4e5edce5",
    ),
    (
        "Conflictname",
        10,
        "bf7ffa82c494a8b7efc4e44a78caf03ec9fd703e00034ac2c487f89bb2b8ef7f",
    ),
    (
        "Obsoletename",
        1,
        "b540e99925861b31cea68d511742a91de3dc8d5d68579f7033eebc6e3aea8b35",
    ),
    (
        "Triggername",
        2,
        "24668645ddb11a7352a731b7037cda508c58113b9232f0a8ed3a9433546d3fec",
    ),
    (
        "Dirnames",
        1195,
        "a24650846400ca9476010b922f37861bb5fe3fd64287bfcdd2f8f3b280104b37",
    ),
    (
        "Installtid",
        3,
        "d210cbff8893240f90adf1d70e24f6ed87f29cb42509b5955a160aefef465917",
    ),
    (
        "Sigmd5",
        3,
        "496edead991ba8ca6644e9b3df1003cf7594d947dda54abee9f36aa270761ce6",
    ),
    (
        "Sha1header",
        3,
        "6c7c44438d2dc8a6fb2a419ec5e3553e3c674c3f76fc9118553699e7cdb75baf",
    ),
    (
        "Filetriggername",
        4,
        "268172a591e2e9941ef5e2f07ae640d1e5d1a1e2c43a35381c1ef1c21b971831",
    ),
    (
        "Transfiletriggername",
        4,
        "2fc51aab917a0839531a2bba65dc3cfb28472ea2187bb45bbcd904d98bed4508",
    ),
    (
        "Recommendname",
        6,
        "38e6458496f8986f3dcd72645a97c8bc919e282aee2e6ee1c229cdff9a74f478",
    ),
    (
        "Suggestname",
        3,
        "fab2aaba33e9799dac2a1b7c19ff32f51de6d2aff4041c7ad6e61badf3644f90",
    ),
    (
        "Supplementname",
        8,
        "395b5903edd65c6d8adc545f6294e11edb2b50e15ac1a0f33fc3c71612be5167",
    ),
    (
        "Enhancename",
        3,
        "a7b23c42fc7c31a45b45cf04b8c48d81303ca9d4cc6510c2fa8e7ca831f3d2fd",
    ),
];

#[test]
fn two_runs_write_the_same_bytes() {
    assert!(write() == write());
}
