use bareroot_model::{Class, Classified};

/// What is wrong with a repository, or with what describes one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Metadata that cannot be read.
    #[error("{name} is malformed at byte {position}: {reason}")]
    Malformed {
        /// The file and its repository.
        name: String,
        /// Where, in the decompressed text.
        position: u64,
        /// What is wrong.
        reason: String,
    },
    /// Metadata that cannot be read on: its compression, or the file that it is in.
    #[error("{name} cannot be read")]
    Read {
        /// The file and its repository.
        name: String,
        /// Why.
        source: bareroot_archive::Error,
    },
    /// A digest of a kind that vouches for nothing.
    #[error("{name}: `{location}` has only a {kind} digest, which vouches for nothing")]
    WeakDigest {
        /// repomd.xml and its repository.
        name: String,
        /// The file.
        location: String,
        /// The digest's kind.
        kind: String,
    },
    /// A .repo file that makes no sense.
    #[error("{name}, line {line}: {reason}")]
    RepoFile {
        /// The file.
        name: String,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// A variable that nothing is known of.
    #[error("`{text}` needs `${variable}`, which is not known")]
    Variable {
        /// The whole text.
        text: String,
        /// The variable's name.
        variable: String,
    },
    /// Something in the cache that is damaged.
    #[error("the parsed form of an index is damaged: {0}")]
    Damaged(&'static str),
}

impl Classified for Error {
    fn class(&self) -> Class {
        match self {
            Error::Malformed { .. } | Error::WeakDigest { .. } | Error::Damaged(_) => Class::Trust,
            Error::Read { source, .. } => source.class(),
            Error::RepoFile { .. } | Error::Variable { .. } => Class::Usage,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Error::Variable { variable, .. } if variable.starts_with("releasever") => {
                Some("say which release with --releasever".to_owned())
            }
            Error::WeakDigest { .. } => {
                Some("--allow-weak-key accepts a repository of that age by its key".to_owned())
            }
            Error::Read { source, .. } => source.hint(),
            _ => None,
        }
    }
}
