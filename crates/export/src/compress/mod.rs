//! Compressors that use many threads, and whose output does not depend on how many.

mod gzip;
mod xz;

use std::io::{self, Write};
use std::num::NonZero;

use crate::format::Compression;
use gzip::Gzip;
use xz::Xz;

/// zstd's own default.
const ZSTD_LEVEL: i32 = 3;
/// More threads than this are never of use for one archive.
const MOST_THREADS: usize = 64;

/// A compressor in front of a writer.
pub(crate) enum Encoder<W: Write> {
    None(W),
    Gzip(Gzip<W>),
    Xz(Xz<W>),
    Zstd(zstd::Encoder<'static, W>),
}

impl<W: Write> Encoder<W> {
    /// A compressor with so many threads beside the one that calls.
    ///
    /// # Errors
    /// When a thread, or its memory, is not to be had.
    pub(crate) fn new(out: W, compression: Compression, threads: usize) -> io::Result<Self> {
        let threads = threads.clamp(1, MOST_THREADS);
        let threads = NonZero::new(threads).unwrap_or(NonZero::<usize>::MIN);
        Ok(match compression {
            Compression::None => Encoder::None(out),
            Compression::Gzip => Encoder::Gzip(Gzip::new(out, threads)?),
            Compression::Xz => Encoder::Xz(Xz::new(out, threads)?),
            Compression::Zstd => {
                let mut encoder = zstd::Encoder::new(out, ZSTD_LEVEL)?;
                encoder.include_checksum(true)?;
                // One worker and many cut the input in the same places; none does not.
                encoder.multithread(u32::try_from(threads.get()).unwrap_or(1))?;
                Encoder::Zstd(encoder)
            }
        })
    }

    /// Writes what is still held back.
    ///
    /// # Errors
    /// When that fails.
    pub(crate) fn finish(self) -> io::Result<()> {
        let mut out = match self {
            Encoder::None(out) => out,
            Encoder::Gzip(gzip) => gzip.finish()?,
            Encoder::Xz(xz) => xz.finish()?,
            Encoder::Zstd(zstd) => zstd.finish()?,
        };
        out.flush()
    }

    pub(crate) fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Encoder::None(out) => out.write_all(bytes),
            Encoder::Gzip(gzip) => gzip.write_all(bytes),
            Encoder::Xz(xz) => xz.write_all(bytes),
            Encoder::Zstd(zstd) => zstd.write_all(bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    /// Text, runs and noise: several blocks of every compressor.
    fn input(length: usize) -> Vec<u8> {
        let mut state = 1_u32;
        let mut bytes = Vec::with_capacity(length + 4096);
        while bytes.len() < length {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            match state >> 30 {
                0 => bytes.extend_from_slice(&[b'z'; 3000]),
                1 => bytes
                    .extend((0..500_u32).flat_map(|i| (state ^ i.wrapping_mul(2_654_435_761)).to_le_bytes())),
                _ => {
                    bytes.extend_from_slice(format!("line {} of a text\n", state >> 20).repeat(40).as_bytes())
                }
            }
        }
        bytes.truncate(length);
        bytes
    }

    fn encoded(input: &[u8], compression: Compression, threads: usize, piece: usize) -> Vec<u8> {
        let mut out = Vec::new();
        let mut encoder = Encoder::new(&mut out, compression, threads).unwrap();
        input
            .chunks(piece)
            .for_each(|piece| encoder.write_all(piece).unwrap());
        encoder.finish().unwrap();
        out
    }

    fn decoded(bytes: &[u8], compression: Compression) -> Vec<u8> {
        let mut out = Vec::new();
        match compression {
            Compression::None => out.extend_from_slice(bytes),
            // One member: a decoder of one must get it all.
            Compression::Gzip => drop(flate2::read::GzDecoder::new(bytes).read_to_end(&mut out).unwrap()),
            Compression::Xz => drop(
                liblzma::read::XzDecoder::new(bytes)
                    .read_to_end(&mut out)
                    .unwrap(),
            ),
            Compression::Zstd => {
                zstd::stream::copy_decode(bytes, &mut out).unwrap();
            }
        }
        out
    }

    #[test]
    fn what_goes_in_comes_out_and_threads_change_nothing() {
        for length in [0, 1, 131_071, 131_072, 131_073, 1 << 20, 53 << 20] {
            let input = input(length);
            for compression in [
                Compression::None,
                Compression::Gzip,
                Compression::Xz,
                Compression::Zstd,
            ] {
                let one = encoded(&input, compression, 1, 256 * 1024);
                assert!(decoded(&one, compression) == input, "{compression:?} {length}");
                assert!(
                    encoded(&input, compression, 5, 256 * 1024) == one,
                    "{compression:?} {length}: threads"
                );
                assert!(
                    encoded(&input, compression, 2, 99_991) == one,
                    "{compression:?} {length}: pieces"
                );
                if length > 1 << 20 && compression != Compression::None {
                    assert!(one.len() < input.len() / 2, "{compression:?} {}", one.len());
                }
            }
        }
    }

    #[test]
    fn a_gzip_header_tells_no_time_and_no_system() {
        let bytes = encoded(b"x", Compression::Gzip, 2, 1);
        assert_eq!(bytes.get(..10).unwrap(), [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);
    }

    #[test]
    fn what_is_given_up_does_not_look_whole() {
        let input = input(1 << 20);
        for compression in [Compression::Gzip, Compression::Xz, Compression::Zstd] {
            let mut out = Vec::new();
            let mut encoder = Encoder::new(&mut out, compression, 2).unwrap();
            encoder.write_all(&input).unwrap();
            drop(encoder);
            let mut back = Vec::new();
            let read = match compression {
                Compression::Gzip => flate2::read::GzDecoder::new(out.as_slice()).read_to_end(&mut back),
                Compression::Xz => liblzma::read::XzDecoder::new(out.as_slice()).read_to_end(&mut back),
                _ => zstd::Decoder::new(out.as_slice()).unwrap().read_to_end(&mut back),
            };
            assert!(out.is_empty() || read.is_err(), "{compression:?}");
        }
    }

    #[test]
    fn a_writer_that_fails_is_an_error() {
        struct Full(usize);
        impl Write for Full {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                if self.0 < bytes.len() {
                    return Err(io::Error::from_raw_os_error(libc::ENOSPC));
                }
                self.0 -= bytes.len();
                Ok(bytes.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let input = input(30 << 20);
        for compression in [
            Compression::None,
            Compression::Gzip,
            Compression::Xz,
            Compression::Zstd,
        ] {
            let mut encoder = Encoder::new(Full(100_000), compression, 2).unwrap();
            let mut result = Ok(());
            for piece in input.chunks(1 << 18) {
                result = encoder.write_all(piece);
                if result.is_err() {
                    break;
                }
            }
            let error = result.and_then(|()| encoder.finish()).unwrap_err();
            assert_eq!(error.raw_os_error(), Some(libc::ENOSPC), "{compression:?}");
        }
    }
}
