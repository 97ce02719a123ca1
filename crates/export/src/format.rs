//! What a root can become, by the names that are in use for it.

use std::path::Path;

/// How an archive is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Compression {
    /// Not at all.
    None,
    /// gzip (RFC 1952), one member, level 6.
    Gzip,
    /// xz, level 6, blocks of 24 MiB.
    Xz,
    /// Zstandard (RFC 8878), level 3, with a checksum.
    Zstd,
}

/// What a root is made as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// A directory.
    Directory,
    /// A tar archive.
    Tar(Compression),
}

impl Format {
    /// Every format with its word.
    pub const WORDS: &'static [(&'static str, Format)] = &[
        ("directory", Format::Directory),
        ("tar", Format::Tar(Compression::None)),
        ("tar.gz", Format::Tar(Compression::Gzip)),
        ("tar.xz", Format::Tar(Compression::Xz)),
        ("tar.zst", Format::Tar(Compression::Zstd)),
    ];

    /// The format that is called so.
    pub fn named(word: &str) -> Option<Self> {
        let mut words = Self::WORDS.iter();
        words.find(|(known, _)| *known == word).map(|(_, format)| *format)
    }

    /// The archive that a file's name asks for: `.tar`, `.tar.gz` or `.tgz`, `.tar.xz` or `.txz`, `.tar.zst`; none for any
    /// other name.
    pub fn of_name(path: &Path) -> Option<Self> {
        let name = path.file_name()?.as_encoded_bytes();
        let suffixes: [(&[u8], Compression); 7] = [
            (b".tar", Compression::None),
            (b".tar.gz", Compression::Gzip),
            (b".tgz", Compression::Gzip),
            (b".tar.xz", Compression::Xz),
            (b".txz", Compression::Xz),
            (b".tar.zst", Compression::Zstd),
            (b".tzst", Compression::Zstd),
        ];
        let mut suffixes = suffixes.iter();
        suffixes
            .find(|(suffix, _)| name.len() > suffix.len() && name.ends_with(suffix))
            .map(|(_, compression)| Format::Tar(*compression))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_words() {
        for (name, expected) in [
            ("t.tar", Some("tar")),
            ("/x/t.tar.gz", Some("tar.gz")),
            ("t.tgz", Some("tar.gz")),
            ("a.b.tar.xz", Some("tar.xz")),
            ("t.txz", Some("tar.xz")),
            ("t.tar.zst", Some("tar.zst")),
            ("t.tzst", Some("tar.zst")),
            ("trixie", None),
            ("t.gz", None),
            ("t.tar/x", None),
            (".tar", None),
            ("tar", None),
            ("", None),
        ] {
            let expected = expected.map(|word| Format::named(word).unwrap());
            assert_eq!(Format::of_name(Path::new(name)), expected, "{name}");
        }
        assert_eq!(Format::named("zip"), None);
    }
}
