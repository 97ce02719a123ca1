//! The fuzz targets' bodies over seeded mutations: no input may panic, hang, or be believed.

mod fuzz;

use std::fs;
use std::path::Path;

use bareroot_testkit::keys::{Bind, Key, Signing, armor, clear_signed_by};

/// xorshift64*: the same mutations in every run.
struct Random(u64);

impl Random {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % below.max(1)
    }

    fn mutate(&mut self, seed: &[u8], pieces: &[&[u8]]) -> Vec<u8> {
        let mut bytes = seed.to_vec();
        for _ in 0..=self.next(4) {
            let at = self.next(bytes.len());
            match self.next(10) {
                0..3 if !bytes.is_empty() => bytes[at] ^= 1 << self.next(8),
                3..5 if !bytes.is_empty() => {
                    bytes[at] = [0, 0xff, b'-', b'\r', b'\n', b' ', b'=', b'A'][self.next(8)]
                }
                5 => bytes.truncate(at),
                6 => {
                    let end = (at + self.next(80)).min(bytes.len());
                    bytes.drain(at..end);
                }
                7 | 8 if !pieces.is_empty() => {
                    let piece = pieces[self.next(pieces.len())].to_vec();
                    bytes.splice(at..at, piece);
                }
                _ => {
                    let from = self.next(bytes.len());
                    let length = [1, 5, 64, 512][self.next(4)];
                    let piece: Vec<u8> = bytes.iter().skip(from).take(length).copied().collect();
                    bytes.splice(at..at, piece);
                }
            }
        }
        bytes
    }
}

fn over_mutations(target: &str, seed: &[u8], pieces: &[&[u8]], count: usize, body: impl Fn(&[u8])) {
    if let Some(directory) = std::env::var_os("BAREROOT_SEEDS") {
        let directory = Path::new(&directory).join(target);
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join(format!("seed-{}", seed.len())), seed).unwrap();
    }
    let mut random = Random(0x5eed);
    body(seed);
    for length in 0..seed.len().min(800) {
        body(&seed[..length]);
    }
    for _ in 0..count {
        body(&random.mutate(seed, pieces));
    }
}

const FRAMES: &[&[u8]] = &[
    b"-----BEGIN PGP SIGNED MESSAGE-----\n",
    b"-----BEGIN PGP SIGNATURE-----\n",
    b"-----END PGP SIGNATURE-----\n",
    b"Hash: SHA512\n",
    b"\n\n",
    b"\r\n",
    b"- -",
    b"=abcd\n",
];

fn key() -> Key {
    Key::builder(1).subkey(Bind::Both).build()
}

const TEXT: &[u8] = include_bytes!("data/seed.txt");

fn message() -> Vec<u8> {
    clear_signed_by(TEXT, &[(&key(), Signing::default())])
}

#[test]
fn the_seeds_are_what_the_testkit_makes() {
    assert_eq!(key().certificate(), include_bytes!("data/seed.cert"));
    assert_eq!(
        key().sign(b"a document\n", &Signing::default()),
        include_bytes!("data/seed.sig")
    );
}

#[test]
fn clearsign() {
    over_mutations("clearsign", &message(), FRAMES, 10_000, fuzz::clearsign);
}

#[test]
fn keyring() {
    over_mutations("keyring", key().certificate(), &[], 500, fuzz::keyring);
    over_mutations(
        "keyring",
        key().armored().as_bytes(),
        FRAMES,
        1_500,
        fuzz::keyring,
    );
}

#[test]
fn signature() {
    let signature = key().sign(b"a document\n", &Signing::default());
    over_mutations("signature", &signature, &[], 1_000, fuzz::signature);
    over_mutations(
        "signature",
        armor("SIGNATURE", &signature).as_bytes(),
        FRAMES,
        1_500,
        fuzz::signature,
    );
    over_mutations("signature", &message(), FRAMES, 500, fuzz::signature);
}
