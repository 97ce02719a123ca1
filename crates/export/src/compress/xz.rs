//! xz by liblzma's own threads: blocks of one size, each with its sizes in its header, so that it is also decoded by many.

use std::io::{self, Write};
use std::num::NonZero;

use liblzma::stream::{Check, MtStreamBuilder};
use liblzma::write::XzEncoder;

/// xz's own default.
const PRESET: u32 = 6;
/// What xz takes for this preset with `-T0`: three times its dictionary. Stated here, so that it stays what it is.
const BLOCK: u64 = 24 << 20;

/// liblzma's encoder, but that one which is dropped writes no end: half an archive must not look whole.
pub(crate) struct Xz<W: Write> {
    encoder: Option<XzEncoder<Gate<W>>>,
}

impl<W: Write> Xz<W> {
    /// An encoder with as many of the threads as a quarter of this machine's memory has room for.
    pub(crate) fn new(out: W, threads: NonZero<usize>) -> io::Result<Self> {
        let memory = memory() / 4;
        let mut threads = u32::try_from(threads.get()).unwrap_or(u32::MAX);
        while threads > 1 && builder(threads).memusage() > memory {
            threads -= 1;
        }
        let gate = Gate { out, shut: false };
        let encoder = XzEncoder::new_stream(gate, builder(threads).encoder()?);
        Ok(Xz {
            encoder: Some(encoder),
        })
    }

    pub(crate) fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.encoder {
            Some(encoder) => encoder.write_all(bytes),
            None => Err(shut()),
        }
    }

    pub(crate) fn finish(mut self) -> io::Result<W> {
        let encoder = self.encoder.take().ok_or_else(shut)?;
        Ok(encoder.finish()?.out)
    }
}

impl<W: Write> Drop for Xz<W> {
    fn drop(&mut self) {
        if let Some(encoder) = &mut self.encoder {
            encoder.get_mut().shut = true;
        }
    }
}

/// A writer that can be shut.
struct Gate<W> {
    out: W,
    shut: bool,
}

impl<W: Write> Write for Gate<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.shut {
            return Err(shut());
        }
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

fn shut() -> io::Error {
    io::Error::other("the archive was given up")
}

fn builder(threads: u32) -> MtStreamBuilder {
    let mut builder = MtStreamBuilder::new();
    builder
        .threads(threads)
        .preset(PRESET)
        .block_size(BLOCK)
        .check(Check::Crc64);
    builder
}

/// Bytes of memory.
fn memory() -> u64 {
    let info = rustix::system::sysinfo();
    #[allow(clippy::unnecessary_cast, reason = "the field is 32 bits wide elsewhere")]
    let units = info.totalram as u64;
    units.saturating_mul(info.mem_unit.into())
}
