/// How bytes are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Compression {
    /// Not at all.
    None,
    /// RFC 1952, several members allowed.
    Gzip,
    /// The .xz format, several streams allowed.
    Xz,
    /// RFC 8878, several frames allowed.
    Zstd,
    /// bzip2, several streams allowed.
    Bzip2,
    /// The older .lzma format.
    Lzma,
}

impl Compression {
    const ALL: [Compression; 6] = [
        Compression::None,
        Compression::Gzip,
        Compression::Xz,
        Compression::Zstd,
        Compression::Bzip2,
        Compression::Lzma,
    ];

    /// The extension with its dot; empty for none.
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

    /// The format of that extension (`.xz`, or the empty string); `None` for others.
    pub fn from_extension(extension: &str) -> Option<Compression> {
        Self::ALL
            .into_iter()
            .find(|format| format.extension() == extension)
    }

    /// The format that the first bytes of a file say (six are enough). `.lzma` has no magic: it is not recognised.
    pub fn sniff(start: &[u8]) -> Compression {
        match start {
            [0x1f, 0x8b, ..] => Compression::Gzip,
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Compression::Xz,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Compression::Zstd,
            [b'B', b'Z', b'h', ..] => Compression::Bzip2,
            _ => Compression::None,
        }
    }

    pub(crate) fn word(self) -> &'static str {
        match self {
            Compression::None => "plain",
            Compression::Gzip => "gzip",
            Compression::Xz => "xz",
            Compression::Zstd => "zstd",
            Compression::Bzip2 => "bzip2",
            Compression::Lzma => "lzma",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions_and_back() {
        for format in Compression::ALL {
            assert_eq!(Compression::from_extension(format.extension()), Some(format));
        }
        assert_eq!(Compression::from_extension(".zip"), None);
        assert_eq!(Compression::sniff(b""), Compression::None);
    }
}
