//! Digests and signatures, as rpmbuild and rpmsign write them.

use md5::Digest as _;

use super::header::{Entries, Value};
use super::{hex, sha256};
use crate::door::signer;
use crate::keys::{Key, Signing};

/// A signature that a package carries.
#[derive(Clone, Debug)]
pub enum Signature {
    /// Over the header, as rpmsign of today makes it.
    Header(Key, Signing),
    /// Over header and payload, as packages of old have it.
    Whole(Key, Signing),
    /// Over something else.
    Elsewhere(Key),
}

impl Signature {
    /// Over the header, by that key.
    pub fn by(key: &Key) -> Self {
        Signature::Header(key.clone(), Signing::default())
    }

    /// Its tag and packets. RSA has tags of its own; everything else has those of DSA.
    fn made(&self, header: &[u8], payload: &[u8]) -> (u32, Vec<u8>) {
        let tag = |key: &Key, rsa, other| if key.is_rsa() { rsa } else { other };
        match self {
            Signature::Header(key, signing) => (tag(key, 268, 267), key.sign(header, signing)),
            Signature::Whole(key, signing) => {
                let whole = [header, payload].concat();
                (tag(key, 1002, 1005), key.sign(&whole, signing))
            }
            Signature::Elsewhere(key) => (
                tag(key, 268, 267),
                key.sign(b"another header", &Signing::default()),
            ),
        }
    }
}

/// The tags of the signature header.
pub(super) fn entries(
    header: &[u8],
    payload: &[u8],
    archive: usize,
    signatures: Option<&[Signature]>,
) -> Entries {
    let whole = [header, payload].concat();
    let mut entries = Entries::from([
        (269, hex(&sha1::Sha1::digest(header)).as_str().into()),
        (273, sha256(header).as_str().into()),
        (1000, (whole.len() as u32).into()),
        (1004, Value::Bytes(md5::Md5::digest(&whole).to_vec())),
        (1007, (archive as u32).into()),
    ]);
    let usual = [Signature::by(signer())];
    for signature in signatures.unwrap_or(&usual) {
        let (tag, packets) = signature.made(header, payload);
        entries.insert(tag, Value::Bytes(packets));
    }
    entries
}
