//! Payloads in the cache, for every family.
//!
//! Decompressing is most of the time that unpacking takes. An archive that was used before is likely to be used again: on
//! its second use its payload is kept, decompressed, under the archive's digest; from the third on it is read from there.
//! A first use writes nothing that nobody may need.

use std::io::{self, BufReader, Read};

use bareroot_archive::Limits;
use bareroot_fetch::{Cache, Derived, Fetcher};
use bareroot_model::Digest;

use crate::error::Error;

/// Larger payloads are not kept: a few kilobytes can decompress to all that a disk has.
const LARGEST_KEPT: u64 = 1 << 30;

/// How much of a kept payload is read at once.
const CHUNK: usize = 128 << 10;

/// Whether an archive was used before this run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// It was not in the cache when the run began.
    First,
    /// It was.
    Again,
}

impl Use {
    /// Whether the archive of that digest is in the cache. Ask before anything is fetched.
    pub fn of(digest: Option<Digest>, fetcher: &Fetcher) -> Use {
        match fetcher.cache().zip(digest) {
            Some((cache, digest)) if cache.has_archive(&digest) => Use::Again,
            _ => Use::First,
        }
    }
}

/// The payload of an archive from the cache, decompressed; `None` where it is not kept, or not yet. `kind` names the form
/// and its version; `decode` decompresses within the limits it is given.
///
/// # Errors
/// Those of `decode`.
pub fn payload<R: Read>(
    cache: &Cache,
    digest: &Digest,
    kind: &str,
    usage: Use,
    decode: impl FnOnce(Limits) -> Result<R, Error>,
) -> Result<Option<BufReader<Derived>>, Error> {
    let mut plain = cache.payload(digest, kind);
    if plain.is_none() && usage == Use::Again {
        let mut decoded = decode(Limits {
            output: LARGEST_KEPT,
            ..Limits::default()
        })?;
        // A cache that cannot be written is no reason to fail; a payload that cannot be read fails in a moment, when it is
        // placed, with a better message.
        let _ = cache.keep_payload(digest, kind, |writer| io::copy(&mut decoded, writer).map(|_| ()));
        plain = cache.payload(digest, kind);
    }
    Ok(plain.map(|plain| BufReader::with_capacity(CHUNK, plain)))
}
