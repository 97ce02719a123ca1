use std::path::PathBuf;

use bareroot_model::{Class, Classified};

/// Why a database cannot be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The database engine refused.
    #[error("the database `{path}` cannot be {doing}", path = path.display())]
    Sqlite {
        /// The database.
        path: PathBuf,
        /// What was being done.
        doing: &'static str,
        /// Why.
        source: rusqlite::Error,
    },
    /// The file could not be made.
    #[error("the database `{path}` cannot be {doing}", path = path.display())]
    Io {
        /// The database.
        path: PathBuf,
        /// What was being done.
        doing: &'static str,
        /// Why.
        source: std::io::Error,
    },
    /// A header that cannot be recorded.
    #[error(transparent)]
    Header(#[from] bareroot_rpm::Error),
}

impl Classified for Error {
    fn class(&self) -> Class {
        match self {
            Error::Sqlite { .. } | Error::Io { .. } => Class::Target,
            Error::Header(error) => error.class(),
        }
    }
}
