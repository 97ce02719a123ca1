//! Decoders against what the encoders write, against bombs, truncation and damage.

use std::io::{BufReader, Cursor, Read, Write};

use bareroot_archive::{Compression, Error, Limits, decoder, parallel_xz};
use proptest::prelude::*;

const ALL: [Compression; 6] = [
    Compression::None,
    Compression::Gzip,
    Compression::Xz,
    Compression::Zstd,
    Compression::Bzip2,
    Compression::Lzma,
];

fn encode(compression: Compression, bytes: &[u8]) -> Vec<u8> {
    let lzma = |stream: liblzma::stream::Stream| {
        let mut encoder = liblzma::write::XzEncoder::new_stream(Vec::new(), stream);
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    match compression {
        Compression::None => bytes.to_vec(),
        Compression::Gzip => {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        }
        Compression::Bzip2 => {
            let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        }
        Compression::Zstd => zstd::stream::encode_all(bytes, 3).unwrap(),
        Compression::Xz => {
            lzma(liblzma::stream::Stream::new_easy_encoder(1, liblzma::stream::Check::Crc64).unwrap())
        }
        Compression::Lzma => {
            let options = liblzma::stream::LzmaOptions::new_preset(1).unwrap();
            lzma(liblzma::stream::Stream::new_lzma_encoder(&options).unwrap())
        }
    }
}

fn decode(compression: Compression, bytes: &[u8], limits: Limits) -> Result<Vec<u8>, Error> {
    let mut out = Vec::new();
    decoder(compression, bytes, limits)?
        .read_to_end(&mut out)
        .map_err(Error::from_io)?;
    Ok(out)
}

fn text() -> Vec<u8> {
    (0..200_000u32)
        .flat_map(|i| (i.wrapping_mul(2_654_435_761) >> 13).to_le_bytes())
        .collect()
}

#[test]
fn every_format_comes_back() {
    let text = text();
    for compression in ALL {
        let encoded = encode(compression, &text);
        assert_eq!(
            decode(compression, &encoded, Limits::default()).unwrap(),
            text,
            "{compression:?}"
        );
        if compression != Compression::Lzma {
            assert_eq!(Compression::sniff(&encoded), compression);
        }
    }
}

#[test]
fn several_members_are_one_stream() {
    for compression in [
        Compression::Gzip,
        Compression::Xz,
        Compression::Zstd,
        Compression::Bzip2,
    ] {
        let mut encoded = encode(compression, b"one ");
        encoded.extend(encode(compression, b"two"));
        assert_eq!(
            decode(compression, &encoded, Limits::default()).unwrap(),
            b"one two",
            "{compression:?}"
        );
    }
}

#[test]
fn bombs_stop_at_the_limit() {
    let zeros = vec![0; 8 << 20];
    for compression in ALL {
        let encoded = encode(compression, &zeros);
        let limits = Limits {
            output: 1 << 20,
            ..Limits::default()
        };
        let error = decode(compression, &encoded, limits).unwrap_err();
        assert!(
            matches!(error, Error::TooLarge { limit: 1_048_576 }),
            "{compression:?}: {error}"
        );
        let exact = Limits {
            output: zeros.len() as u64,
            ..Limits::default()
        };
        assert_eq!(decode(compression, &encoded, exact).unwrap().len(), zeros.len());
    }
    let encoded = encode(Compression::Xz, &zeros);
    let limits = Limits {
        output: 1 << 20,
        ..Limits::default()
    };
    let mut out = Vec::new();
    let error = parallel_xz(Cursor::new(encoded), 2, limits)
        .unwrap()
        .read_to_end(&mut out)
        .unwrap_err();
    assert!(matches!(Error::from_io(error), Error::TooLarge { .. }));
}

#[test]
fn truncation_and_damage_are_errors() {
    let text = text();
    for compression in ALL
        .into_iter()
        .filter(|compression| *compression != Compression::None)
    {
        let encoded = encode(compression, &text);
        for cut in [1, 10, encoded.len() / 2, encoded.len() - 1] {
            let error = decode(compression, &encoded[..cut], Limits::default()).unwrap_err();
            assert!(
                matches!(error, Error::Truncated { .. } | Error::Decode { .. }),
                "{compression:?} at {cut}: {error}"
            );
        }
        let mut damaged = encoded.clone();
        damaged[encoded.len() / 2] ^= 0x55;
        // Not every format has a checksum: .lzma has none, zstd's is optional. Damage must never be a panic.
        let result = decode(compression, &damaged, Limits::default());
        if ![Compression::Lzma, Compression::Zstd].contains(&compression) {
            assert!(result.is_err(), "{compression:?}");
        }
    }
}

#[test]
fn memory_is_bounded() {
    let small = encode(Compression::Xz, b"x");
    let alone = encode(Compression::Lzma, b"x");
    let mut long = zstd::stream::Encoder::new(Vec::new(), 1).unwrap();
    long.window_log(24).unwrap();
    long.include_contentsize(false).unwrap();
    long.write_all(&text()).unwrap();
    let long = long.finish().unwrap();
    for (compression, bytes, memory) in [
        (Compression::Xz, &small, 1 << 10),
        (Compression::Lzma, &alone, 1 << 10),
        (Compression::Zstd, &long, 1 << 20),
    ] {
        let error = decode(
            compression,
            bytes,
            Limits {
                memory,
                ..Limits::default()
            },
        )
        .unwrap_err();
        assert!(
            matches!(error, Error::Memory { limit, .. } if limit == memory),
            "{error}"
        );
        assert!(decode(compression, bytes, Limits::default()).is_ok());
    }
    for threads in [0, 1, 2, u32::MAX] {
        let reader = parallel_xz(
            small.as_slice(),
            threads,
            Limits {
                memory: 1 << 10,
                ..Limits::default()
            },
        );
        let error = reader.unwrap().read_to_end(&mut Vec::new()).unwrap_err();
        assert!(matches!(
            Error::from_io(error),
            Error::Memory { format: "xz", .. }
        ));
    }
}

/// `text` in blocks of 1 MiB whose sizes are in their headers.
fn blocks(text: &[u8]) -> Vec<u8> {
    let stream = liblzma::stream::MtStreamBuilder::new()
        .threads(2)
        .block_size(1 << 20)
        .preset(1)
        .check(liblzma::stream::Check::Crc64)
        .encoder()
        .unwrap();
    let mut encoder = liblzma::write::XzEncoder::new_stream(Vec::new(), stream);
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn parallel(bytes: &[u8], threads: u32, limits: Limits) -> Result<Vec<u8>, Error> {
    let mut out = Vec::new();
    parallel_xz(bytes, threads, limits)?
        .read_to_end(&mut out)
        .map_err(Error::from_io)?;
    Ok(out)
}

#[test]
fn threads_give_the_same_bytes() {
    let text: Vec<u8> = text().repeat(4);
    let encoded = blocks(&text);
    for threads in [0, 1, 2, 5, u32::MAX] {
        assert!(
            parallel(&encoded, threads, Limits::default()).unwrap() == text,
            "{threads}"
        );
    }
    // Where memory is short, one thread is left, and the bytes are the same.
    let little = Limits {
        memory: 4 << 20,
        ..Limits::default()
    };
    assert!(parallel(&encoded, 4, little).unwrap() == text);
    for cut in [5, encoded.len() / 2, encoded.len() - 1] {
        let error = parallel(&encoded[..cut], 2, Limits::default()).unwrap_err();
        assert!(matches!(error, Error::Truncated { .. }), "at {cut}: {error}");
    }
    let mut damaged = encoded.clone();
    damaged[encoded.len() / 2] ^= 0x55;
    assert!(matches!(
        parallel(&damaged, 2, Limits::default()),
        Err(Error::Decode { .. })
    ));
}

#[test]
fn xz_streams_follow_each_other_with_padding() {
    let one = blocks(&text());
    let two = encode(Compression::Xz, b"two");
    let empty = encode(Compression::Xz, b"");
    for threads in [1, 2] {
        for (padding, fine) in [(0, true), (4, true), (8192, true), (2, false), (7, false)] {
            let padding = vec![0; padding];
            let bytes = [&empty[..], &one, &padding, &two, &empty, &padding].concat();
            let result = parallel(&bytes, threads, Limits::default());
            match result {
                Ok(out) => assert!(fine && out == [&text()[..], b"two"].concat()),
                Err(error) => assert!(!fine && error.to_string().contains("multiple of four"), "{error}"),
            }
        }
    }
}

#[test]
fn what_follows_and_is_none_is_damage() {
    for compression in [
        Compression::Gzip,
        Compression::Xz,
        Compression::Zstd,
        Compression::Bzip2,
        Compression::Lzma,
    ] {
        let mut bytes = encode(compression, b"text");
        bytes.extend(b"more than nothing");
        let error = decode(compression, &bytes, Limits::default()).unwrap_err();
        assert!(
            matches!(error, Error::Decode { .. } | Error::Truncated { .. }),
            "{compression:?}: {error}"
        );
    }
}

#[test]
fn nothing_comes_after_an_error() {
    for compression in ALL
        .into_iter()
        .filter(|compression| *compression != Compression::None)
    {
        let bytes = encode(compression, &text());
        let mut reader = decoder(compression, &bytes[..bytes.len() / 2], Limits::default()).unwrap();
        assert!(reader.read_to_end(&mut Vec::new()).is_err());
        assert!(reader.read(&mut [0; 10]).is_err(), "{compression:?}");
    }
}

/// A disk that fails after the first half.
struct Fails<'a>(&'a [u8]);

impl Read for Fails<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self.0.read(buffer)? {
            0 => Err(std::io::Error::other("the disk is on fire")),
            count => Ok(count),
        }
    }
}

#[test]
fn a_failing_disk_is_not_a_damaged_archive() {
    for compression in ALL {
        let bytes = encode(compression, &text());
        let input = BufReader::new(Fails(&bytes[..bytes.len() / 2]));
        let mut reader = decoder(compression, input, Limits::default()).unwrap();
        let error = Error::from_io(reader.read_to_end(&mut Vec::new()).unwrap_err());
        assert!(matches!(&error, Error::Read(_)), "{compression:?}: {error}");
        assert_eq!(error.to_string(), "cannot read the archive: the disk is on fire");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Whatever is written comes back, in reads of whatever size.
    #[test]
    fn any_bytes_in_any_steps(bytes in proptest::collection::vec(any::<u8>(), 0..4000), step in 1usize..500) {
        for compression in ALL {
            let encoded = encode(compression, &bytes);
            let input = BufReader::with_capacity(step, encoded.as_slice());
            let mut reader = decoder(compression, input, Limits::default()).unwrap();
            let (mut out, mut buffer) = (Vec::new(), vec![0; step]);
            loop {
                match reader.read(&mut buffer).unwrap() {
                    0 => break,
                    count => out.extend_from_slice(&buffer[..count]),
                }
            }
            prop_assert!(out == bytes, "{:?}", compression);
        }
    }
}
