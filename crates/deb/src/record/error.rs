use bareroot_model::{Class, Classified};

/// Why a package, or the records that a root already has, cannot be written down.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// A package says something that dpkg would refuse.
    #[error("package `{package}`: {reason}")]
    Package {
        /// The package.
        package: String,
        /// What is wrong.
        reason: String,
    },
    /// A file of the root's own database cannot be read.
    #[error("`/var/lib/dpkg/{file}` in the root cannot be read: {reason}")]
    Database {
        /// The file below `/var/lib/dpkg`.
        file: String,
        /// What is wrong.
        reason: String,
    },
    /// A package is already recorded in the root.
    #[error("package `{package}` is already installed in the root")]
    Installed {
        /// The package.
        package: String,
    },
}

impl RecordError {
    pub(crate) fn package(package: &str, reason: impl Into<String>) -> Self {
        RecordError::Package {
            package: package.to_owned(),
            reason: reason.into(),
        }
    }

    pub(crate) fn database(file: &str, reason: impl Into<String>) -> Self {
        RecordError::Database {
            file: file.to_owned(),
            reason: reason.into(),
        }
    }
}

impl Classified for RecordError {
    fn class(&self) -> Class {
        match self {
            RecordError::Package { .. } => Class::Trust,
            RecordError::Database { .. } => Class::Target,
            RecordError::Installed { .. } => Class::Internal,
        }
    }
}
