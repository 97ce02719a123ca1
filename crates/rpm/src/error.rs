use bareroot_model::{Class, Classified};

/// What is wrong with a package.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A header that rpm would refuse as well.
    #[error("the header of {name} is malformed: {reason}")]
    Header {
        /// The package.
        name: String,
        /// What is wrong, with what was expected and found.
        reason: String,
    },
    /// A file that is no package.
    #[error("{name} is no RPM package: {reason}")]
    Package {
        /// The file.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// The package needs a feature of rpm that bareroot does not have.
    #[error("{name} needs `{feature}`, which is not supported")]
    Feature {
        /// The package.
        name: String,
        /// The dependency.
        feature: String,
    },
    /// A digest that the header states is another one.
    #[error("{name}: the {what} is {found}; expected {expected}")]
    Digest {
        /// The package.
        name: String,
        /// Whose digest.
        what: String,
        /// What was expected.
        expected: String,
        /// What was found.
        found: String,
    },
    /// A payload that does not hold what its header says.
    #[error("the payload of {name} is malformed: {reason}")]
    Payload {
        /// The package.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// A payload's compression.
    #[error("the payload of {name} cannot be decompressed")]
    Decode {
        /// The package.
        name: String,
        /// Why.
        source: bareroot_archive::Error,
    },
    /// The file could not be read.
    #[error("{name} cannot be read")]
    Io {
        /// The file.
        name: String,
        /// Why.
        source: std::io::Error,
    },
}

impl Classified for Error {
    fn class(&self) -> Class {
        match self {
            Error::Header { .. } | Error::Package { .. } | Error::Digest { .. } | Error::Payload { .. } => {
                Class::Trust
            }
            Error::Feature { .. } => Class::Unresolved,
            Error::Decode { source, .. } => source.class(),
            Error::Io { .. } => Class::Target,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Error::Decode { source, .. } => source.hint(),
            _ => None,
        }
    }
}
