//! Decompressors behind one interface, with a limit on what comes out and on what they keep in memory.

mod bounded;
mod lzma;
mod source;

use std::fmt::Display;
use std::io::{BufRead, BufReader, Read};

use bzip2::bufread::MultiBzDecoder;
use flate2::bufread::MultiGzDecoder;

use crate::{Compression, Error};
use bounded::Bounded;
use lzma::{Format, Lzma};
use source::Source;

/// How much a decoder may produce and use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most bytes that may come out.
    pub output: u64,
    /// The most memory that a decoder may use, in bytes. It bounds the dictionaries of xz and lzma and the window of
    /// zstd; gzip and bzip2 never take more than 4 MiB.
    pub memory: u64,
}

impl Default for Limits {
    /// 16 GiB of output, and 256 MiB of memory: xz -9 wants 65 MiB, zstd --ultra 128 MiB.
    fn default() -> Self {
        Limits {
            output: 16 << 30,
            memory: 256 << 20,
        }
    }
}

/// zstd's window is a power of two; 2^27 bytes (128 MiB) is what zstd itself accepts without being asked.
const ZSTD_WINDOW_LOG: u32 = 27;

/// Threads beyond this many find no blocks to decode in any real file, and each of them costs memory.
const MOST_THREADS: u32 = 64;

/// What [`parallel_xz`] reads at once: enough to hand each thread a good part of its block.
const INPUT_BUFFER: usize = 128 << 10;

/// A reader of the decompressed bytes. All members of gzip, streams of xz and bzip2 and frames of zstd are read; what
/// follows the last and is none is damage.
///
/// Its errors carry an [`Error`] (see [`Error::from_io`]): damage, truncation, more memory than [`Limits::memory`] or
/// more output than [`Limits::output`]. Errors of `input` pass through as they are. After an error there is nothing
/// more to be had.
///
/// # Errors
/// [`Error::Decode`] when a decoder cannot be set up.
pub fn decoder<'r>(
    compression: Compression,
    input: impl BufRead + Send + 'r,
    limits: Limits,
) -> Result<Box<dyn Read + Send + 'r>, Error> {
    let input = Source::new(input);
    let reader: Box<dyn Read + Send + 'r> = match compression {
        Compression::None => Box::new(input),
        Compression::Gzip => Box::new(MultiGzDecoder::new(input)),
        Compression::Bzip2 => Box::new(MultiBzDecoder::new(input)),
        Compression::Xz => Box::new(Lzma::new(input, Format::Xz { threads: 1 }, limits.memory)?),
        Compression::Lzma => Box::new(Lzma::new(input, Format::Alone, limits.memory)?),
        Compression::Zstd => {
            let setup = |error: &dyn Display| Error::Decode {
                format: "zstd",
                reason: error.to_string(),
            };
            let mut decoder = zstd::stream::read::Decoder::with_buffer(input).map_err(|e| setup(&e))?;
            let log = limits
                .memory
                .checked_ilog2()
                .unwrap_or(0)
                .clamp(10, ZSTD_WINDOW_LOG);
            decoder.window_log_max(log).map_err(|e| setup(&e))?;
            Box::new(decoder)
        }
    };
    Ok(Box::new(Bounded::new(reader, compression, limits)))
}

/// A reader of decompressed .xz that decodes blocks on `threads` threads, where the file has several blocks and says
/// their sizes, as `xz -T` and dpkg-deb write it. Otherwise it is [`decoder`], with the same errors.
///
/// [`Limits::memory`] is for all threads together: where it does not suffice, fewer of them work at once.
///
/// # Errors
/// [`Error::Decode`] when the decoder cannot be set up.
pub fn parallel_xz<'r>(
    input: impl Read + Send + 'r,
    threads: u32,
    limits: Limits,
) -> Result<Box<dyn Read + Send + 'r>, Error> {
    let input = Source::new(BufReader::with_capacity(INPUT_BUFFER, input));
    let format = Format::Xz {
        threads: threads.clamp(1, MOST_THREADS),
    };
    let reader = Box::new(Lzma::new(input, format, limits.memory)?);
    Ok(Box::new(Bounded::new(reader, Compression::Xz, limits)))
}
