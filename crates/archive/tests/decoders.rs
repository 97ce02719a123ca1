//! Decoders against what the encoders write, against bombs, truncation and damage.

use std::io::{Cursor, Read, Write};

use bareroot_archive::{Compression, Error, Limits, decoder, parallel_xz};

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
    let error = decode(
        Compression::Xz,
        &small,
        Limits {
            memory: 1 << 10,
            ..Limits::default()
        },
    )
    .unwrap_err();
    assert!(matches!(error, Error::Memory { format: "xz", .. }), "{error}");
}

#[test]
fn threads_give_the_same_bytes() {
    let text: Vec<u8> = text().repeat(4);
    let stream = liblzma::stream::MtStreamBuilder::new()
        .threads(2)
        .block_size(1 << 20)
        .preset(1)
        .check(liblzma::stream::Check::Crc64)
        .encoder()
        .unwrap();
    let mut encoder = liblzma::write::XzEncoder::new_stream(Vec::new(), stream);
    encoder.write_all(&text).unwrap();
    let encoded = encoder.finish().unwrap();
    let mut out = Vec::new();
    parallel_xz(Cursor::new(&encoded), 2, Limits::default())
        .unwrap()
        .read_to_end(&mut out)
        .unwrap();
    assert!(out == text);

    let several = [encoded, encode(Compression::Xz, b"more")].concat();
    let mut out = Vec::new();
    parallel_xz(Cursor::new(&several), 2, Limits::default())
        .unwrap()
        .read_to_end(&mut out)
        .unwrap();
    assert_eq!(out.len(), text.len() + 4);
    assert!(out.ends_with(b"more"));
}
