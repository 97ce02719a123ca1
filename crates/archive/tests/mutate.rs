//! The fuzz targets' bodies over seeded mutations: no input may panic, hang or produce without bound.

mod fuzz;

use std::fs;
use std::io::{Cursor, Write};
use std::path::Path;

/// xorshift64*: the same mutations in every run.
struct Random(u64);

impl Random {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % below.max(1)
    }

    fn mutate(&mut self, seed: &[u8]) -> Vec<u8> {
        let mut bytes = seed.to_vec();
        for _ in 0..=self.next(6) {
            let at = self.next(bytes.len());
            match self.next(8) {
                0..3 if !bytes.is_empty() => bytes[at] ^= 1 << self.next(8),
                3..6 if !bytes.is_empty() => {
                    bytes[at] =
                        [0, 0x80, 0xff, b'0', b'2', b'7', b'/', b'.', b'\n', b'L', b'K'][self.next(11)];
                }
                6 => bytes.truncate(at),
                _ => {
                    let from = self.next(bytes.len());
                    let length = [1, 60, 64, 512, 1024][self.next(5)];
                    let piece: Vec<u8> = bytes.iter().skip(from).take(length).copied().collect();
                    bytes.splice(at..at, piece);
                }
            }
        }
        bytes
    }
}

fn over_mutations(target: &str, seed: &[u8], count: usize, body: impl Fn(&[u8])) {
    if let Some(directory) = std::env::var_os("BAREROOT_SEEDS") {
        let directory = Path::new(&directory).join(target);
        fs::create_dir_all(&directory).unwrap();
        let first = seed.first().copied().unwrap_or_default();
        fs::write(directory.join(format!("seed-{first:02x}-{}", seed.len())), seed).unwrap();
    }
    let mut random = Random(0x5eed);
    body(seed);
    for length in 0..seed.len().min(1500) {
        body(&seed[..length]);
    }
    for _ in 0..count {
        body(&random.mutate(seed));
    }
}

#[test]
fn ar() {
    let mut builder = ar::Builder::new(Vec::new());
    for (name, content) in [
        ("debian-binary", &b"2.0\n"[..]),
        ("_extra", b"odd"),
        ("control.tar.gz", b"c"),
        ("data.tar.xz", b"data"),
    ] {
        let header = ar::Header::new(name.as_bytes().to_vec(), content.len() as u64);
        builder.append(&header, content).unwrap();
    }
    let seed = builder.into_inner().unwrap();
    assert!(bareroot_archive::deb_members(Cursor::new(&seed), seed.len() as u64).is_ok());
    over_mutations("ar", &seed, 50_000, fuzz::ar);
}

#[test]
fn tar() {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, content) in [
        ("./a", &b"hello"[..]),
        (&"d/".repeat(80), b""),
        ("b/c", &[7; 700]),
    ] {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, content).unwrap();
    }
    let mut header = tar::Header::new_ustar();
    header.set_entry_type(tar::EntryType::Symlink);
    header.set_size(0);
    builder.append_link(&mut header, "l", "t/".repeat(70)).unwrap();
    over_mutations("tar", &builder.into_inner().unwrap(), 20_000, fuzz::tar);
}

#[test]
fn decoder() {
    let text: Vec<u8> = (0..3000u32).flat_map(u32::to_le_bytes).collect();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&text).unwrap();
    let mut xz = liblzma::write::XzEncoder::new(Vec::new(), 1);
    xz.write_all(&text).unwrap();
    let xz = xz.finish().unwrap();
    let mut bzip2 = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    bzip2.write_all(&text).unwrap();
    let options = liblzma::stream::LzmaOptions::new_preset(1).unwrap();
    let alone = liblzma::stream::Stream::new_lzma_encoder(&options).unwrap();
    let mut alone = liblzma::write::XzEncoder::new_stream(Vec::new(), alone);
    alone.write_all(&text).unwrap();
    let seeds = [
        gzip.finish().unwrap(),
        xz.clone(),
        zstd::stream::encode_all(&text[..], 3).unwrap(),
        bzip2.finish().unwrap(),
        alone.finish().unwrap(),
        // Two streams with padding, for the threads.
        [&xz[..], &[0; 4], &xz].concat(),
    ];
    for (choice, seed) in seeds.iter().enumerate() {
        let seed = [&[choice as u8][..], seed].concat();
        over_mutations("decoder", &seed, 1000, fuzz::decoder);
    }
}
