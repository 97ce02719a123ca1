use std::io::{self, BufRead, Read};

use bzip2::bufread::MultiBzDecoder;
use flate2::bufread::MultiGzDecoder;
use liblzma::bufread::XzDecoder;
use liblzma::stream::{CONCATENATED, MtStreamBuilder, Stream};

use crate::{Compression, Error};

/// How much a decoder may produce and use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most bytes that may come out.
    pub output: u64,
    /// The most memory that a decoder may use, in bytes. It also bounds the window of zstd.
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

/// A reader of the decompressed bytes.
///
/// Its errors carry an [`Error`] (see [`Error::from_io`]): damage, truncation, or more output than
/// [`Limits::output`].
///
/// # Errors
/// [`Error::Decode`] when a decoder cannot be set up.
pub fn decoder<'r>(
    compression: Compression,
    input: impl BufRead + Send + 'r,
    limits: Limits,
) -> Result<Box<dyn Read + Send + 'r>, Error> {
    let setup = |error: &dyn std::fmt::Display| Error::Decode {
        format: compression.word(),
        reason: error.to_string(),
    };
    let reader: Box<dyn Read + Send + 'r> = match compression {
        Compression::None => Box::new(input),
        Compression::Gzip => Box::new(MultiGzDecoder::new(input)),
        Compression::Bzip2 => Box::new(MultiBzDecoder::new(input)),
        Compression::Xz => {
            let stream = Stream::new_stream_decoder(limits.memory, CONCATENATED).map_err(|e| setup(&e))?;
            Box::new(XzDecoder::new_stream(input, stream))
        }
        Compression::Lzma => {
            let stream = Stream::new_lzma_decoder(limits.memory).map_err(|e| setup(&e))?;
            Box::new(XzDecoder::new_stream(input, stream))
        }
        Compression::Zstd => {
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
    Ok(Box::new(Bounded {
        reader,
        compression,
        limits,
        left: limits.output,
    }))
}

/// A reader of decompressed .xz that decodes blocks on `threads` threads, where the file has several blocks and says
/// their sizes, as `xz -T` and dpkg-deb write it. Memory beyond [`Limits::memory`] is not taken: fewer threads are.
/// Streams after the first are decoded on one thread.
/// Streams after the first are decoded on one thread.
///
/// # Errors
/// [`Error::Decode`] when the decoder cannot be set up.
pub fn parallel_xz<'r>(
    input: impl BufRead + Send + 'r,
    threads: u32,
    limits: Limits,
) -> Result<Box<dyn Read + Send + 'r>, Error> {
    let stream = MtStreamBuilder::new()
        .threads(threads.max(1))
        .memlimit_threading(limits.memory)
        .memlimit_stop(limits.memory)
        .decoder()
        .map_err(|error| Error::Decode {
            format: "xz",
            reason: error.to_string(),
        })?;
    let first = Some(XzDecoder::new_stream(input, stream));
    let reader = Box::new(Streams {
        first,
        rest: None,
        limits,
    });
    Ok(Box::new(Bounded {
        reader,
        compression: Compression::Xz,
        limits,
        left: limits.output,
    }))
}

/// liblzma's threaded decoder ends with its stream; what follows goes to the ordinary one.
struct Streams<R: BufRead> {
    first: Option<XzDecoder<R>>,
    rest: Option<XzDecoder<R>>,
    limits: Limits,
}

impl<R: BufRead> Read for Streams<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(first) = &mut self.first {
            match first.read(buffer)? {
                0 => {}
                count => return Ok(count),
            }
        }
        if let Some(mut input) = self.first.take().map(XzDecoder::into_inner)
            && !input.fill_buf()?.is_empty()
        {
            let stream = Stream::new_stream_decoder(self.limits.memory, CONCATENATED)?;
            self.rest = Some(XzDecoder::new_stream(input, stream));
        }
        self.rest.as_mut().map_or(Ok(0), |rest| rest.read(buffer))
    }
}

/// Stops at the limit, and gives errors their names.
struct Bounded<'r> {
    reader: Box<dyn Read + Send + 'r>,
    compression: Compression,
    limits: Limits,
    left: u64,
}

impl Read for Bounded<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        // One byte more than is left tells an archive of just that size from one that goes on.
        let room = usize::try_from(self.left.saturating_add(1))
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        let count = match self.reader.read(&mut buffer[..room]) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
            Err(error) => return Err(self.named(error)),
        };
        match self.left.checked_sub(count as u64) {
            Some(left) => self.left = left,
            None => {
                return Err(Error::TooLarge {
                    limit: self.limits.output,
                }
                .into());
            }
        }
        Ok(count)
    }
}

impl Bounded<'_> {
    fn named(&self, error: io::Error) -> io::Error {
        let format = self.compression.word();
        if self.compression == Compression::None || error.raw_os_error().is_some() {
            return error;
        }
        let reason = error.to_string();
        if error.kind() == io::ErrorKind::UnexpectedEof {
            return Error::Truncated {
                within: format!("its {format} data"),
            }
            .into();
        }
        // liblzma and zstd each have their own words for it, and no kind of their own.
        let lower = reason.to_lowercase();
        if lower.contains("memory limit")
            || lower.contains("memory usage limit")
            || lower.contains("too much memory")
        {
            return Error::Memory {
                format,
                limit: self.limits.memory,
            }
            .into();
        }
        Error::Decode { format, reason }.into()
    }
}
