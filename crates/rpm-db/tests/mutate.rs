//! The bodies of the fuzz targets over seeded mutations: no input may panic or break what the bodies promise.

use std::fs;
use std::path::Path;

use bareroot_rpm_db::dump::{self, Form};
use bareroot_rpm_db::{Backend, ByteOrder, Database, Source};
use bareroot_testkit::headers::Builder;

mod fuzz;

/// xorshift64*: the same mutations in every run.
struct Random(u64);

impl Random {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % below.max(1)
    }

    fn mutate(&mut self, seed: &[u8], tokens: &[&[u8]]) -> Vec<u8> {
        let mut bytes = seed.to_vec();
        for _ in 0..=self.next(5) {
            let at = self.next(bytes.len() + 1);
            match self.next(7) {
                0 if at < bytes.len() => bytes[at] ^= 1 << self.next(8),
                1 => bytes.truncate(at),
                2 => {
                    bytes.drain(at..(at + self.next(40)).min(bytes.len()));
                }
                3 => {
                    let from = self.next(bytes.len());
                    let piece: Vec<u8> = bytes.iter().skip(from).take(self.next(80)).copied().collect();
                    bytes.splice(at..at, piece);
                }
                4 => {
                    // In place, so that what comes after stays where it is.
                    let token = tokens[self.next(tokens.len())];
                    for (slot, byte) in bytes.iter_mut().skip(at).zip(token) {
                        *slot = *byte;
                    }
                }
                _ => {
                    let token = tokens[self.next(tokens.len())];
                    bytes.splice(at..at, token.iter().copied());
                }
            }
        }
        bytes
    }
}

fn over_mutations(target: &str, seeds: &[&[u8]], tokens: &[&[u8]], count: usize, body: impl Fn(&[u8])) {
    let mut random = Random(0x5eed);
    for (number, seed) in seeds.iter().enumerate() {
        if let Some(directory) = std::env::var_os("BAREROOT_SEEDS") {
            let directory = Path::new(&directory).join(target);
            fs::create_dir_all(&directory).unwrap();
            fs::write(directory.join(format!("seed-{number}")), seed).unwrap();
        }
        for length in (0..seed.len()).step_by(211) {
            body(&seed[..length]);
        }
        body(seed);
        for _ in 0..count {
            body(&random.mutate(seed, tokens));
        }
    }
}

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
    over_mutations(
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
    over_mutations("rpm_bdb", &seeds, TOKENS, 1000, fuzz::bdb);
}

#[test]
fn sqlite() {
    over_mutations(
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
    over_mutations("rpm_dump", &seeds, TOKENS, 500, fuzz::dump);
}

#[test]
fn lists() {
    let list: Vec<u8> = headers()
        .iter()
        .flat_map(|header| [&bareroot_rpm::MAGIC, header.as_slice()].concat())
        .collect();
    over_mutations("rpm_header_list", &[&list], TOKENS, 2000, fuzz::list);
}
