//! Payloads from the cache.
//!
//! Decompressing xz is most of the time that unpacking takes. An archive that was used before is likely to be used
//! again: on its second use its payload is kept, decompressed, under the archive's digest; from the third on it is read
//! from there. A first use writes nothing that nobody may need.

use std::io::{self, Read};

use bareroot_archive::{Compression, Limits, TarLimits, TarReader};
use bareroot_deb::archive::{Deb, Payload, PayloadLimits};
use bareroot_fetch::Cache;
use bareroot_model::Entry;
use bareroot_trust::{Blob, Verified};
use bareroot_unpack::{Order, PayloadError, Placer, Summary};

use crate::error::Error;

/// The version of the form in the cache.
const PLAIN: &str = "data.tar-1";

/// Larger payloads are not kept: a few kilobytes can decompress to all that a disk has.
const LARGEST_KEPT: u64 = 1 << 30;

/// Places a package's payload.
pub fn place(
    deb: &Deb,
    blob: &Verified<Blob>,
    order: &Order,
    placer: &Placer,
    cache: Option<(&Cache, Use)>,
) -> Result<Summary, Error> {
    let digest = blob.get().sha256();
    if let Some((cache, usage)) = cache.filter(|_| deb.compression() != Compression::None) {
        let mut plain = cache.payload(&digest, PLAIN);
        if plain.is_none() && usage == Use::Again {
            keep(deb, blob, cache)?;
            plain = cache.payload(&digest, PLAIN);
        }
        if let Some(plain) = plain {
            let reader = io::BufReader::with_capacity(128 << 10, plain);
            let payload = blob
                .as_ref()
                .map(|_| Plain(TarReader::new(reader, TarLimits::default())));
            return Ok(placer.place(order, payload)?);
        }
    }
    let payload = deb.payload(blob, PayloadLimits::default())?;
    Ok(placer.place(order, payload.map(Compressed))?)
}

/// Whether an archive was used before this run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// It was not in the cache when the run began.
    First,
    /// It was.
    Again,
}

/// Decompresses a payload into the cache. A cache that cannot be written is no reason to fail; a payload that cannot be
/// read fails in a moment, when it is placed, with a better message.
fn keep(deb: &Deb, blob: &Verified<Blob>, cache: &Cache) -> Result<(), Error> {
    let limits = PayloadLimits {
        decoder: Limits {
            output: LARGEST_KEPT,
            ..Limits::default()
        },
        ..PayloadLimits::default()
    };
    let mut plain = deb.plain_payload(blob, limits)?;
    let _ = cache.keep_payload(&blob.get().sha256(), PLAIN, |writer| {
        io::copy(&mut plain, writer).map(|_| ())
    });
    Ok(())
}

/// A payload as it is in the archive.
struct Compressed<'b>(Payload<'b>);

impl bareroot_unpack::Payload for Compressed<'_> {
    fn next_entry(&mut self) -> Result<Option<Entry>, PayloadError> {
        self.0.next_entry().map_err(PayloadError::new)
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        Read::read(&mut self.0, buffer)
    }
}

/// A payload as it is in the cache.
struct Plain<R>(TarReader<R>);

impl<R: Read> bareroot_unpack::Payload for Plain<R> {
    fn next_entry(&mut self) -> Result<Option<Entry>, PayloadError> {
        self.0.next_entry().map_err(PayloadError::new)
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        Read::read(&mut self.0, buffer)
    }
}
