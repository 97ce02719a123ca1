use std::io;

use bareroot_model::{Class, Classified};

/// What is wrong with an archive.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The decoder does not understand the data.
    #[error("the {format} data is damaged: {reason}")]
    Decode {
        /// `xz`, `gzip`...
        format: &'static str,
        /// What the decoder says.
        reason: String,
    },
    /// More comes out than may.
    #[error("the archive is larger than it may be: more than {limit} bytes when decompressed")]
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// The decoder would need more memory than it may have.
    #[error("the {format} data wants more memory than the limit of {limit} bytes")]
    Memory {
        /// `xz`, `zstd`...
        format: &'static str,
        /// The limit in bytes.
        limit: u64,
    },
    /// The archive ends where more was announced.
    #[error("the archive is truncated: it ends in {within}")]
    Truncated {
        /// What was being read.
        within: String,
    },
    /// The file is no .deb.
    #[error("not a Debian package: {reason}")]
    NotADeb {
        /// What was expected, and what was found.
        reason: String,
    },
    /// A header of a tar archive makes no sense.
    #[error("the tar header at byte {offset}{} is wrong: {reason}", named(.path))]
    Header {
        /// Where the header is, in the decompressed archive.
        offset: u64,
        /// The entry's path, as far as it is known.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// An entry of a kind that packages do not have.
    #[error("the tar entry `{path}` is of type {kind}, which packages do not have")]
    EntryType {
        /// The entry's path.
        path: String,
        /// The type in words, with its letter.
        kind: String,
    },
    /// A number of entries, a name's length or a size is over its limit.
    #[error("the tar archive has {what} over the limit of {limit}{}", named(.path))]
    Limit {
        /// What was counted.
        what: &'static str,
        /// The limit.
        limit: u64,
        /// The entry's path, as far as it is known.
        path: String,
    },
    /// Reading the underlying file failed.
    #[error("cannot read the archive: {0}")]
    Read(io::Error),
}

/// A path for a message: control characters made visible, and cut, because a hostile one may be long.
pub(crate) fn shown(path: &[u8]) -> String {
    const MOST: usize = 200;
    let text = String::from_utf8_lossy(path);
    let mut shown = String::new();
    for (count, letter) in text.chars().enumerate() {
        if count == MOST {
            shown.push_str("...");
            break;
        }
        if letter.is_control() {
            shown.extend(letter.escape_default());
        } else {
            shown.push(letter);
        }
    }
    shown
}

fn named(path: &str) -> String {
    if path.is_empty() {
        String::new()
    } else {
        format!(" (`{path}`)")
    }
}

impl Classified for Error {
    fn class(&self) -> Class {
        match self {
            Error::Read(_) => Class::Target,
            _ => Class::Trust,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Error::EntryType { .. } => {
                Some("dpkg refuses such an entry too; the package has to be built anew".to_owned())
            }
            _ => None,
        }
    }
}

/// Readers can only say `io::Error`: ours travel inside, and come out again by [`Error::from_io`].
impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Read(error) => error,
            Error::Truncated { .. } => io::Error::new(io::ErrorKind::UnexpectedEof, error),
            error => io::Error::new(io::ErrorKind::InvalidData, error),
        }
    }
}

impl Error {
    /// The archive's own error in an `io::Error` of one of this crate's readers, or [`Error::Read`].
    pub fn from_io(error: io::Error) -> Error {
        match error.downcast::<Error>() {
            Ok(error) => error,
            Err(error) => Error::Read(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_made_fit_for_messages() {
        assert_eq!(shown("./usr/é\n\x1b[0m".as_bytes()), "./usr/é\\n\\u{1b}[0m");
        assert_eq!(shown(&[b'a'; 201]), "a".repeat(200) + "...");
        assert_eq!(shown(b"\xff"), "\u{fffd}");
    }

    #[test]
    fn errors_travel_in_io_errors() {
        let error: io::Error = Error::Truncated {
            within: "x".to_owned(),
        }
        .into();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        assert!(matches!(Error::from_io(error), Error::Truncated { .. }));
        let error = Error::from_io(io::Error::other("no such luck"));
        assert_eq!(
            (error.class(), error.to_string()),
            (Class::Target, "cannot read the archive: no such luck".to_owned())
        );
    }
}
