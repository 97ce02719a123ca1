//! A package's payload, from the cache where it is kept there.

use std::io::{self, Read};

use bareroot_archive::{Compression, TarLimits, TarReader};
use bareroot_deb::archive::{Deb, Payload, PayloadLimits};
use bareroot_fetch::Cache;
use bareroot_model::Entry;
use bareroot_trust::{Blob, Verified};
use bareroot_unpack::{Order, PayloadError, Placer, Summary};

use crate::error::Error;
use crate::kept::{self, Use};

/// The version of the form in the cache.
const PLAIN: &str = "data.tar-1";

/// Places a package's payload.
pub fn place(
    deb: &Deb,
    blob: &Verified<Blob>,
    order: &Order,
    placer: &Placer,
    cache: Option<(&Cache, Use)>,
) -> Result<Summary, Error> {
    if let Some((cache, usage)) = cache.filter(|_| deb.compression() != Compression::None) {
        let decode = |decoder| {
            let limits = PayloadLimits {
                decoder,
                ..PayloadLimits::default()
            };
            Ok(deb.plain_payload(blob, limits)?)
        };
        if let Some(plain) = kept::payload(cache, &blob.get().sha256(), PLAIN, usage, decode)? {
            let payload = blob
                .as_ref()
                .map(|_| Plain(TarReader::new(plain, TarLimits::default())));
            return Ok(placer.place(order, payload)?);
        }
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
