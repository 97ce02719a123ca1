use bareroot_model::{Class, Classified};

/// What can be wrong with a `.deb`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// The archive or one of its members cannot be read.
    #[error("package archive `{archive}`: {member} cannot be read: {error}")]
    Read {
        /// The archive's name.
        archive: String,
        /// Which part of it.
        member: &'static str,
        /// Why.
        #[source]
        error: std::io::Error,
    },
    /// A part of it breaks the format, or dpkg's rules.
    #[error("package archive `{archive}`: {member} is malformed: {reason}")]
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
        Class::Trust
    }
}
