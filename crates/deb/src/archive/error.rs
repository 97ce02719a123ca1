use bareroot_model::{Class, Classified};

/// What can be wrong with a `.deb`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// The archive or one of its members cannot be read.
    #[error("package archive `{archive}`, {member}: {error}")]
    Read {
        /// The archive's name.
        archive: String,
        /// Which part of it.
        member: &'static str,
        /// Why.
        #[source]
        error: bareroot_archive::Error,
    },
    /// A part of it breaks the format, or dpkg's rules.
    #[error("package archive `{archive}`, {member}: {reason}")]
    Malformed {
        /// The archive's name.
        archive: String,
        /// Which part of it.
        member: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// It is another package than the index says.
    #[error("package archive `{archive}`: its `{field}` is `{found}`, where the index says `{expected}`")]
    Mismatch {
        /// The archive's name.
        archive: String,
        /// The control field.
        field: &'static str,
        /// What the index says.
        expected: String,
        /// What the archive says.
        found: String,
    },
}

impl Classified for ArchiveError {
    fn class(&self) -> Class {
        match self {
            // A file that cannot be read is the machine's fault; whatever is in it is the archive's.
            ArchiveError::Read { error, .. } => error.class(),
            ArchiveError::Malformed { .. } | ArchiveError::Mismatch { .. } => Class::Trust,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            ArchiveError::Read { error, .. } => error.hint(),
            _ => None,
        }
    }
}
