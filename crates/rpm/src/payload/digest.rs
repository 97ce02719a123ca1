//! The digests that headers have of their files.

use md5::Md5;
use sha2::{Digest as _, Sha224, Sha256, Sha384, Sha512};

/// A digest in the making. Algorithms have OpenPGP's numbers.
#[derive(Clone, Debug)]
pub enum Hasher {
    /// 1.
    Md5(Md5),
    /// 2.
    Sha1(sha1::Sha1),
    /// 8.
    Sha256(Sha256),
    /// 9.
    Sha384(Sha384),
    /// 10.
    Sha512(Sha512),
    /// 11.
    Sha224(Sha224),
}

impl Hasher {
    /// One for an algorithm that rpm uses for files.
    pub fn new(algorithm: u32) -> Option<Hasher> {
        Some(match algorithm {
            1 => Hasher::Md5(Md5::new()),
            2 => Hasher::Sha1(sha1::Sha1::new()),
            8 => Hasher::Sha256(Sha256::new()),
            9 => Hasher::Sha384(Sha384::new()),
            10 => Hasher::Sha512(Sha512::new()),
            11 => Hasher::Sha224(Sha224::new()),
            _ => return None,
        })
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match self {
            Hasher::Md5(hasher) => hasher.update(bytes),
            Hasher::Sha1(hasher) => hasher.update(bytes),
            Hasher::Sha256(hasher) => hasher.update(bytes),
            Hasher::Sha384(hasher) => hasher.update(bytes),
            Hasher::Sha512(hasher) => hasher.update(bytes),
            Hasher::Sha224(hasher) => hasher.update(bytes),
        }
    }

    /// The digest in hexadecimal.
    pub fn finish(self) -> String {
        use crate::package::hex;
        match self {
            Hasher::Md5(hasher) => hex(&hasher.finalize()),
            Hasher::Sha1(hasher) => hex(&hasher.finalize()),
            Hasher::Sha256(hasher) => hex(&hasher.finalize()),
            Hasher::Sha384(hasher) => hex(&hasher.finalize()),
            Hasher::Sha512(hasher) => hex(&hasher.finalize()),
            Hasher::Sha224(hasher) => hex(&hasher.finalize()),
        }
    }
}
