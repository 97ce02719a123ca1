use bareroot_model::{Class, Classified};

/// Why a recipe or a lock cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A key of a recipe that means nothing.
    #[error("{path}, line {line}: there is no key `{key}` in {section}")]
    UnknownKey {
        /// The file.
        path: String,
        /// The line, from 1.
        line: usize,
        /// The key.
        key: String,
        /// Its table, in words.
        section: String,
        /// The known key that is most like it, with its table.
        nearest: String,
    },
    /// A recipe that is no TOML, or has a value of another type.
    #[error("{path}, line {line}: {reason}")]
    Recipe {
        /// The file.
        path: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// A lock in another format.
    #[error("{path} is a lock of version {found}; expected version {expected}")]
    Version {
        /// The file.
        path: String,
        /// Its version.
        found: i64,
        /// The version that is understood.
        expected: i64,
    },
    /// A lock whose content is not what was written.
    #[error("{path} was changed after it was written: its content is {found}; expected {expected}")]
    Edited {
        /// The file.
        path: String,
        /// The SHA-256 that it states.
        expected: String,
        /// The SHA-256 of its content.
        found: String,
    },
    /// A lock that cannot be read.
    #[error("{path} is not a lock: {reason}")]
    Malformed {
        /// The file.
        path: String,
        /// What is wrong, and where.
        reason: String,
    },
}

impl Classified for Error {
    fn class(&self) -> Class {
        match self {
            Error::UnknownKey { .. } | Error::Recipe { .. } => Class::Usage,
            Error::Version { .. } | Error::Edited { .. } | Error::Malformed { .. } => Class::Disagreement,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Error::UnknownKey { nearest, .. } => Some(format!("the nearest known one is {nearest}")),
            Error::Recipe { .. } => None,
            Error::Version { .. } => Some(
                "the bareroot that wrote it reads it; `bareroot lock --upgrade` writes another".to_owned(),
            ),
            Error::Edited { .. } | Error::Malformed { .. } => {
                Some("a lock is not edited by hand: `bareroot lock --upgrade` writes it anew".to_owned())
            }
        }
    }
}
