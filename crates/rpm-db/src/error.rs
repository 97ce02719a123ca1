use bareroot_model::{Class, Classified};

/// Why a database cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The database engine refused.
    #[error("the database {name} cannot be {doing}")]
    Sqlite {
        /// The database.
        name: String,
        /// What was being done.
        doing: &'static str,
        /// Why.
        source: rusqlite::Error,
    },
    /// A file that is none of rpm's databases.
    #[error("{file} is no rpm database: it begins as neither sqlite's, ndb's nor Berkeley DB's files")]
    NoDatabase {
        /// The file.
        file: String,
    },
    /// A database that is damaged, or of a kind that rpm does not write.
    #[error("{file}: {place}: expected {expected}; found {found}")]
    Malformed {
        /// The file.
        file: String,
        /// Where: a page, slot, record or line.
        place: String,
        /// What was expected there.
        expected: String,
        /// What was found.
        found: String,
    },
    /// A header that cannot be recorded under its number.
    #[error("a header cannot have the number {number}: it is 0, or not above the one before it")]
    Number {
        /// The number.
        number: u32,
    },
    /// More than the kind of database can hold.
    #[error("{what} is too large for a database of kind {backend}")]
    TooLarge {
        /// What.
        what: String,
        /// rpm's word for the kind.
        backend: &'static str,
    },
    /// A header that cannot be recorded.
    #[error(transparent)]
    Header(#[from] bareroot_rpm::Error),
}

impl Error {
    pub(crate) fn sqlite(name: &str, doing: &'static str, source: rusqlite::Error) -> Error {
        Error::Sqlite {
            name: name.to_owned(),
            doing,
            source,
        }
    }

    pub(crate) fn malformed(
        file: &str,
        place: impl Into<String>,
        expected: impl ToString,
        found: impl ToString,
    ) -> Error {
        Error::Malformed {
            file: file.to_owned(),
            place: place.into(),
            expected: expected.to_string(),
            found: found.to_string(),
        }
    }
}

impl Classified for Error {
    fn class(&self) -> Class {
        match self {
            // Read or made from memory: a file that sqlite refuses lies.
            Error::Sqlite { doing, .. } if *doing == "read" => Class::Trust,
            Error::Sqlite { .. } => Class::Target,
            Error::NoDatabase { .. } | Error::Malformed { .. } => Class::Trust,
            Error::Number { .. } => Class::Internal,
            Error::TooLarge { .. } => Class::Unresolved,
            Error::Header(error) => error.class(),
        }
    }
}
