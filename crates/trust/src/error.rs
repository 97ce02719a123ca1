use std::io;
use std::path::PathBuf;

use bareroot_model::{Class, Classified};

/// Why something is not trusted. `name` says what was to be verified: a URL or a path. Keys are fingerprints, or key
/// ids where a signature names no more.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no signature at all.
    #[error("`{name}` carries no signature")]
    NoSignature {
        /// What was to be verified.
        name: String,
    },
    /// A key of the keyring is said to have signed, and did not sign this.
    #[error("bad signature on `{name}`: key {key} did not sign this content")]
    BadSignature {
        /// What was to be verified.
        name: String,
        /// The key.
        key: String,
    },
    /// Signed, but by no key of the keyring.
    #[error("no key of the keyring has signed `{name}`; it is signed by {}", keys.join(", "))]
    UnknownKey {
        /// What was to be verified.
        name: String,
        /// The keys that the signatures name.
        keys: Vec<String>,
    },
    /// The key's life was over.
    #[error("`{name}` is signed by key {key}, which expired on {expired}")]
    ExpiredKey {
        /// What was to be verified.
        name: String,
        /// The key.
        key: String,
        /// The day, as YYYY-MM-DD.
        expired: String,
    },
    /// The owner took the key back.
    #[error("`{name}` is signed by key {key}, which is revoked")]
    RevokedKey {
        /// What was to be verified.
        name: String,
        /// The key.
        key: String,
    },
    /// The signature stands on a broken digest.
    #[error("`{name}` is signed by key {key} with the weak digest {algorithm}")]
    WeakDigest {
        /// What was to be verified.
        name: String,
        /// The key.
        key: String,
        /// The digest algorithm.
        algorithm: String,
    },
    /// The key is too short, or of a broken kind.
    #[error("`{name}` is signed by key {key}, which is weak: {algorithm}")]
    WeakKey {
        /// What was to be verified.
        name: String,
        /// The key.
        key: String,
        /// Its kind and length.
        algorithm: String,
    },
    /// The signature's own life is over.
    #[error("the signature on `{name}` by key {key} expired on {expired}")]
    ExpiredSignature {
        /// What was to be verified.
        name: String,
        /// The key.
        key: String,
        /// The day, as YYYY-MM-DD.
        expired: String,
    },
    /// The signature says that it was made after now.
    #[error("the signature on `{name}` by key {key} was made in the future, on {made}")]
    FutureSignature {
        /// What was to be verified.
        name: String,
        /// The key.
        key: String,
        /// When, as YYYY-MM-DD HH:MM:SS UTC.
        made: String,
    },
    /// The key is in the keyring and may not sign: no valid self-signature, a subkey that is not bound, no signing
    /// flag.
    #[error("`{name}` is signed by key {key}, which cannot vouch for it: {reason}")]
    InvalidKey {
        /// What was to be verified.
        name: String,
        /// The key.
        key: String,
        /// Why.
        reason: String,
    },
    /// There are signatures, of kinds that say nothing about a document or that are not known.
    #[error("no usable signature on `{name}`: {reason}")]
    Unusable {
        /// What was to be verified.
        name: String,
        /// Why the last one could not be used.
        reason: String,
    },
    /// A clear-signed file has text that its signature does not cover.
    #[error("`{name}` has text outside its signed part, at line {line}")]
    OutsideText {
        /// What was to be verified.
        name: String,
        /// Where, counted from 1.
        line: usize,
    },
    /// The framing, the armor or a packet is broken.
    #[error("`{name}` is not a valid signed file: {reason}")]
    Malformed {
        /// What was to be verified.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// A keyring could not be read.
    #[error("cannot read keyring `{}`: {source}", path.display())]
    KeyringRead {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A keyring holds no key that could be used.
    #[error("keyring `{name}` holds no usable key")]
    KeyringEmpty {
        /// The keyring.
        name: String,
    },
    /// A keyring is broken.
    #[error("keyring `{name}` is not a valid OpenPGP keyring: {reason}")]
    KeyringMalformed {
        /// The keyring.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// GnuPG's own database of keys, which is not an OpenPGP keyring.
    #[error("keyring `{name}` is a GnuPG keybox, not an OpenPGP keyring")]
    Keybox {
        /// The keyring.
        name: String,
    },
    /// A fingerprint that the user or a source gave is not one.
    #[error("`{text}` is not a fingerprint: expected 40 or 64 hexadecimal digits")]
    Fingerprint {
        /// What was given.
        text: String,
    },
    /// An index gave neither SHA-256 nor SHA-512.
    #[error("no SHA-256 or SHA-512 is known for it")]
    NoDigest,
    /// More bytes came than expected.
    #[error("too long: expected {expected} bytes and more arrived")]
    TooLong {
        /// Bytes.
        expected: u64,
    },
    /// Fewer bytes came than expected.
    #[error("wrong size: expected {expected} bytes, found {found}")]
    Size {
        /// Bytes.
        expected: u64,
        /// Bytes.
        found: u64,
    },
    /// The bytes are other ones.
    #[error("wrong {algorithm}: expected {expected}, found {found}")]
    Digest {
        /// Its name.
        algorithm: &'static str,
        /// In hexadecimal.
        expected: String,
        /// In hexadecimal.
        found: String,
    },
}

impl Classified for Error {
    fn class(&self) -> Class {
        match self {
            Error::KeyringRead { .. } | Error::Keybox { .. } | Error::Fingerprint { .. } => Class::Usage,
            _ => Class::Trust,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Error::UnknownKey { .. } => {
                "name the keyring that holds the key with `--keyring FILE`".to_owned()
            }
            Error::ExpiredKey { key, .. } | Error::WeakDigest { key, .. } | Error::WeakKey { key, .. } => {
                format!("if it is an old release that you want, accept this key with `--allow-weak-key {key}`")
            }
            Error::FutureSignature { .. } => "check this machine's clock".to_owned(),
            Error::Keybox { name } => format!(
                "write its keys to a plain keyring with `gpg --no-default-keyring --keyring {name} --export > keys.gpg`"
            ),
            Error::NoSignature { .. } => {
                "`--allow-unauthenticated` goes on without, and gives up every check of where packages come from"
                    .to_owned()
            }
            _ => return None,
        })
    }
}
