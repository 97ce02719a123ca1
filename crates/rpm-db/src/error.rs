use bareroot_model::{Class, Classified};

/// Why a database cannot be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The database engine refused.
    #[error("the database {name} cannot be {doing}")]
    Sqlite {
        /// The database.
        name: &'static str,
        /// What was being done.
        doing: &'static str,
        /// Why.
        source: rusqlite::Error,
    },
    /// A header that cannot be recorded.
    #[error(transparent)]
    Header(#[from] bareroot_rpm::Error),
}

impl Error {
    pub(crate) fn sqlite(name: &'static str, doing: &'static str, source: rusqlite::Error) -> Error {
        Error::Sqlite { name, doing, source }
    }
}

impl Classified for Error {
    fn class(&self) -> Class {
        match self {
            Error::Sqlite { .. } => Class::Target,
            Error::Header(error) => error.class(),
        }
    }
}
