use std::io::{self, Write};

/// How a member or an index is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// gzip.
    Gzip,
    /// xz.
    Xz,
    /// Zstandard.
    Zstd,
    /// bzip2.
    Bzip2,
    /// lzma, which came before xz.
    Lzma,
}

impl Compression {
    /// Those that are in use.
    pub const ALL: [Compression; 5] = [
        Compression::None,
        Compression::Gzip,
        Compression::Xz,
        Compression::Zstd,
        Compression::Bzip2,
    ];

    /// The file name's end (`.xz`); empty for [`Compression::None`].
    pub fn extension(self) -> &'static str {
        match self {
            Compression::None => "",
            Compression::Gzip => ".gz",
            Compression::Xz => ".xz",
            Compression::Zstd => ".zst",
            Compression::Bzip2 => ".bz2",
            Compression::Lzma => ".lzma",
        }
    }

    /// The bytes, compressed quickly rather than well.
    ///
    /// # Panics
    ///
    /// Never in practice: it writes to memory.
    pub fn compress(self, bytes: &[u8]) -> Vec<u8> {
        self.try_compress(bytes).expect("compressing in memory works")
    }

    fn try_compress(self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        match self {
            Compression::None => Ok(bytes.to_vec()),
            Compression::Gzip => {
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                encoder.write_all(bytes)?;
                encoder.finish()
            }
            Compression::Xz => {
                let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 1);
                encoder.write_all(bytes)?;
                encoder.finish()
            }
            Compression::Lzma => {
                let options = liblzma::stream::LzmaOptions::new_preset(1)?;
                let stream = liblzma::stream::Stream::new_lzma_encoder(&options)?;
                let mut encoder = liblzma::write::XzEncoder::new_stream(Vec::new(), stream);
                encoder.write_all(bytes)?;
                encoder.finish()
            }
            Compression::Zstd => zstd::stream::encode_all(bytes, 1),
            Compression::Bzip2 => {
                let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
                encoder.write_all(bytes)?;
                encoder.finish()
            }
        }
    }
}
