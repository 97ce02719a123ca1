//! Payloads from the cache.
//!
//! Decompressing xz is most of the time that unpacking takes. An archive that was used before is likely to be used
//! again: on its second use its payload is kept, decompressed, under the archive's digest; from the third on it is read
//! from there. A first use writes nothing that nobody may need.

use std::io::{self, Read};

use bareroot_archive::{Compression, TarLimits, TarReader};
use bareroot_deb::archive::{Deb, Payload, PayloadLimits};
use bareroot_fetch::Cache;
use bareroot_model::Entry;
use bareroot_trust::{Blob, Verified};
use bareroot_unpack::{Order, PayloadError, Placer, Summary};

use crate::error::Error;

/// The version of the form in the cache.
const PLAIN: &str = "data.tar-1";

/// Places a package's payload.
pub fn place(
    deb: &Deb,
    blob: &Verified<Blob>,
    order: &Order,
    placer: &Placer,
    cache: Option<&Cache>,
) -> Result<Summary, Error> {
    let digest = blob.get().sha256();
    let cache = cache.filter(|_| deb.compression() != Compression::None);
    if let Some(plain) = cache.and_then(|cache| cache.derived_file(&digest, PLAIN)) {
        let reader = io::BufReader::with_capacity(128 << 10, plain);
        let payload = blob.as_ref().map(|_| Plain(TarReader::new(reader, TarLimits::default())));
        return Ok(placer.place(order, payload)?);
    }
    let payload = deb.payload(blob, PayloadLimits::default())?;
    Ok(placer.place(order, payload.map(Compressed))?)
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
