//! The bodies of the fuzz targets over seeded mutations: no input may panic or break what the bodies promise.

use bareroot_rpm_db::dump::{self, Form};
use bareroot_rpm_db::{Backend, ByteOrder, Database, Source};
use bareroot_testkit::headers::Builder;
use bareroot_testkit::mutate;

mod fuzz;

/// Numbers as databases have them, and what stands in them.
const TOKENS: &[&[u8]] = &[
    b"\0\0\0\0",
    b"\xff\xff\xff\xff",
    b"\x01\0\0\0",
    b"\0\0\0\x01",
    b"\0\x10\0\0",
    b"\x02\0",
    b"\x03",
    b"\x07",
    b"\x0d",
    b"Slot",
    b"BlbS",
    b"RpmP",
    b"\x61\x15\x06\0",
    b"VIEW",
    b" 00",
    b"\n",
    b"DATA=END",
    b"\x8e\xad\xe8\x01",
];

/// A few headers: one that fits a page, and one that does not.
fn headers() -> Vec<Vec<u8>> {
    let header = |name: &str, filler: usize| {
        let mut builder = Builder::new(name);
        builder.text(1044, "(none)");
        builder.text(1005, &"x".repeat(filler));
        builder.bytes().split_off(8)
    };
    vec![header("a", 1), header("b", 6000), header("c", 300)]
}

fn file(backend: Backend, order: ByteOrder) -> Vec<u8> {
    let mut database = Database::create_for(backend, order).unwrap();
    for header in headers() {
        database.add(&header).unwrap();
    }
    database.finish().unwrap().remove(0).bytes
}

#[test]
fn ndb() {
    mutate::over(
        "rpm_ndb",
        &[&file(Backend::Ndb, ByteOrder::Little)],
        TOKENS,
        1500,
        fuzz::ndb,
    );
}

#[test]
fn bdb() {
    let seeds = [
        file(Backend::Bdb, ByteOrder::Little),
        file(Backend::Bdb, ByteOrder::Big),
    ];
    let seeds: Vec<&[u8]> = seeds.iter().map(Vec::as_slice).collect();
    mutate::over("rpm_bdb", &seeds, TOKENS, 1000, fuzz::bdb);
}

#[test]
fn sqlite() {
    mutate::over(
        "rpm_sqlite",
        &[&file(Backend::Sqlite, ByteOrder::Little)],
        TOKENS,
        300,
        fuzz::sqlite,
    );
}

#[test]
fn dumps() {
    let bytes = file(Backend::Bdb, ByteOrder::Big);
    let contents = Source {
        name: "seed",
        bytes: &bytes,
        log: None,
    }
    .read()
    .unwrap();
    let seeds = [Form::Bytes, Form::Print].map(|form| dump::text(&contents, form));
    let seeds: Vec<&[u8]> = seeds.iter().map(String::as_bytes).collect();
    mutate::over("rpm_dump", &seeds, TOKENS, 500, fuzz::dump);
}

#[test]
fn lists() {
    let list: Vec<u8> = headers()
        .iter()
        .flat_map(|header| [&bareroot_rpm::MAGIC, header.as_slice()].concat())
        .collect();
    mutate::over("rpm_header_list", &[&list], TOKENS, 2000, fuzz::list);
}
