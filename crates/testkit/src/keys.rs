//! OpenPGP keys and signatures as wrong as a test wants them: expired, revoked, unbound, with weak digests, from the
//! future. Everything is deterministic. The keys are known to everybody: nothing real may trust them.

mod build;
mod text;

pub use build::{Bind, Flags, Key, KeyBuilder, Kind, Revoke};
pub use pgp::crypto::hash::HashAlgorithm;
pub use text::{armor, clear_signed};

use crate::sign::Signer;

/// 2024-01-01 00:00:00 UTC in seconds since 1970: when test keys are made, if nothing else is said.
pub const MADE: u32 = 1_704_067_200;

/// One day in seconds.
pub const DAY: u32 = 86_400;

/// How to make a signature over a document. The default: by the signing key (the subkey where there is one), a day after
/// [`MADE`], SHA-512, over binary data.
#[derive(Clone, Copy, Debug)]
pub struct Signing {
    /// When it says that it was made, in seconds since 1970; `None` leaves that out.
    pub made: Option<u32>,
    /// Its own life in seconds.
    pub life: Option<u32>,
    /// The digest.
    pub hash: HashAlgorithm,
    /// Over text (type 1) and not over binary data (type 0).
    pub text: bool,
    /// By the primary key, even if there is a subkey.
    pub by_primary: bool,
    /// Whether it names its key by fingerprint (as GnuPG 2 does) beside the key id.
    pub fingerprint: bool,
    /// Whether it names its key at all.
    pub named: bool,
    /// Whether it demands that a notation is understood which nobody knows.
    pub critical: bool,
}

impl Default for Signing {
    fn default() -> Self {
        Signing {
            made: Some(MADE + DAY),
            life: None,
            hash: HashAlgorithm::Sha512,
            text: false,
            by_primary: false,
            fingerprint: true,
            named: true,
            critical: false,
        }
    }
}

impl Signer for Key {
    fn clear_sign(&self, text: &[u8]) -> Vec<u8> {
        let signing = Signing {
            text: true,
            ..Signing::default()
        };
        clear_signed(text, &[self.sign(&text::canonical(text), &signing)])
    }

    fn detach_sign(&self, text: &[u8]) -> Vec<u8> {
        armor("SIGNATURE", &self.sign(text, &Signing::default())).into_bytes()
    }
}

/// A clear-signed message over `text` by each of these keys, in one armored block.
pub fn clear_signed_by(text: &[u8], keys: &[(&Key, Signing)]) -> Vec<u8> {
    let canonical = text::canonical(text);
    let sign = |(key, signing): &(&Key, Signing)| {
        key.sign(
            &canonical,
            &Signing {
                text: true,
                ..*signing
            },
        )
    };
    clear_signed(text, &[keys.iter().flat_map(sign).collect()])
}
