//! The fuzz targets' bodies over seeded mutations: no input may panic, hang or produce without bound.

use std::io::{Cursor, Read, Write};

use bareroot_archive::{Compression, Limits, TarLimits, TarReader, deb_members, decoder};

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
            match self.next(4) {
                0 if !bytes.is_empty() => bytes[at] ^= 1 << self.next(8),
                1 if !bytes.is_empty() => bytes[at] = [0, 0xff, b'7', b'/', b'.'][self.next(5)],
                2 => bytes.truncate(at),
                _ => {
                    let piece: Vec<u8> = bytes
                        .iter()
                        .skip(self.next(bytes.len()))
                        .take(64)
                        .copied()
                        .collect();
                    bytes.splice(at..at, piece);
                }
            }
        }
        bytes
    }
}

fn over_mutations(seed: &[u8], count: usize, body: impl Fn(&[u8])) {
    let mut random = Random(0x5eed);
    body(seed);
    for _ in 0..count {
        body(&random.mutate(seed));
    }
}

fn tar() -> Vec<u8> {
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
    builder.into_inner().unwrap()
}

#[test]
fn tar_headers() {
    over_mutations(&tar(), 20_000, |bytes| {
        let mut reader = TarReader::new(
            bytes,
            TarLimits {
                name: 1000,
                entries: 100,
                size: 1 << 20,
            },
        );
        while let Ok(Some(entry)) = reader.next_entry() {
            let mut content = Vec::new();
            let _ = reader.read_to_end(&mut content);
            assert!(content.len() as u64 <= entry.size && entry.path.len() <= 1000);
        }
    });
}

#[test]
fn containers() {
    let mut builder = ar::Builder::new(Vec::new());
    for (name, content) in [
        ("debian-binary", &b"2.0\n"[..]),
        ("control.tar.gz", b"c"),
        ("data.tar.xz", b"data"),
    ] {
        let header = ar::Header::new(name.as_bytes().to_vec(), content.len() as u64);
        builder.append(&header, content).unwrap();
    }
    let seed = builder.into_inner().unwrap();
    assert!(deb_members(Cursor::new(&seed), seed.len() as u64).is_ok());
    over_mutations(&seed, 50_000, |bytes| {
        if let Ok(layout) = deb_members(Cursor::new(bytes), bytes.len() as u64) {
            assert!(layout.data.offset + layout.data.size <= bytes.len() as u64);
        }
    });
}

#[test]
fn compressed_data() {
    let text: Vec<u8> = (0..3000u32).flat_map(u32::to_le_bytes).collect();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&text).unwrap();
    let mut xz = liblzma::write::XzEncoder::new(Vec::new(), 1);
    xz.write_all(&text).unwrap();
    let mut bzip2 = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    bzip2.write_all(&text).unwrap();
    for (compression, seed) in [
        (Compression::Gzip, gzip.finish().unwrap()),
        (Compression::Xz, xz.finish().unwrap()),
        (Compression::Bzip2, bzip2.finish().unwrap()),
        (Compression::Zstd, zstd::stream::encode_all(&text[..], 3).unwrap()),
    ] {
        over_mutations(&seed, 500, |bytes| {
            let limits = Limits {
                output: 1 << 20,
                memory: 16 << 20,
            };
            if let Ok(mut reader) = decoder(compression, bytes, limits) {
                let mut out = Vec::new();
                let _ = reader.read_to_end(&mut out);
                assert!(out.len() <= 1 << 20);
            }
        });
    }
}
