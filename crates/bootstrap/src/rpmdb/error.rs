use std::path::PathBuf;

use bareroot_model::{Class, Classified};

/// Why a database that was named is not used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Nothing there, or something else.
    #[error("{path} has no rpm database", path = path.display())]
    None {
        /// What was named.
        path: PathBuf,
        /// Why it cannot be looked at, where that is so.
        source: Option<std::io::Error>,
    },
    /// A directory with databases of several kinds.
    #[error("{path} has databases of several kinds: {files}", path = path.display())]
    Several {
        /// The directory.
        path: PathBuf,
        /// Their files.
        files: String,
    },
    /// Sqlite was interrupted while it changed the file, which is neither as before nor as it was to be.
    #[error("{path} belongs to a change that was interrupted", path = path.display())]
    Journal {
        /// The journal.
        path: PathBuf,
    },
    /// There is a database already where one is to be made.
    #[error("{path} has a database already, of kind {backend}", path = path.display())]
    Exists {
        /// Where.
        path: PathBuf,
        /// rpm's word for its kind.
        backend: &'static str,
    },
    /// Somebody changes the database.
    #[error("{path} is locked: a transaction of rpm's, or another conversion, is going on", path = path.display())]
    Locked {
        /// rpm's lock.
        path: PathBuf,
    },
}

impl Classified for Error {
    fn class(&self) -> Class {
        match self {
            Error::None { .. } | Error::Journal { .. } | Error::Exists { .. } | Error::Locked { .. } => {
                Class::Target
            }
            Error::Several { .. } => Class::Usage,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Error::None { .. } => {
                let words = "name a root, a directory or a file with rpmdb.sqlite, Packages.db or Packages";
                Some(words.to_owned())
            }
            Error::Several { .. } => Some("name one of the files".to_owned()),
            Error::Journal { .. } => {
                Some("any query by the rpm that wrote it, as root, completes it".to_owned())
            }
            Error::Locked { .. } => Some("try again when it is done".to_owned()),
            Error::Exists { .. } => Some(
                "`rpmdb convert` changes its kind; --force keeps its files aside and writes another"
                    .to_owned(),
            ),
        }
    }
}
