use std::io;
use std::path::PathBuf;

use bareroot_model::{Class, Classified};

/// What can be wrong with Debian's files.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A text is no version number.
    #[error("`{version}` is not a Debian version: {reason}")]
    Version {
        /// The text, cut at 200 characters.
        version: String,
        /// What is wrong.
        reason: &'static str,
    },
    /// A relation (`libc6 (>= 2.38)`) cannot be read.
    #[error("the relation `{relation}` cannot be read: {reason}")]
    Relation {
        /// The relation, cut at 200 characters.
        relation: String,
        /// What is wrong.
        reason: &'static str,
    },
    /// A control file, a sources file or a configuration file cannot be read.
    #[error("{file}, line {line}: {reason}")]
    Syntax {
        /// The file, as the user or the mirror knows it.
        file: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// A `Release` file is malformed.
    #[error("{name} is not a proper Release file: {reason}")]
    Release {
        /// Where the file is from.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// A `Release` file lists no digests, or only MD5 and SHA-1.
    #[error("{name} lists no SHA256 or SHA512 digests")]
    ReleaseDigests {
        /// Where the file is from.
        name: String,
    },
    /// A `Release` file is of another suite than the one that was asked for.
    #[error("{name} is of another suite: expected `{asked}`, found suite `{suite}`, codename `{codename}`")]
    ReleaseSuite {
        /// Where the file is from.
        name: String,
        /// The suite that was asked for.
        asked: String,
        /// The file's `Suite`.
        suite: String,
        /// The file's `Codename`.
        codename: String,
    },
    /// A `Release` file has expired.
    #[error("{name} has expired: it was valid until {until}, and now is {now}")]
    ReleaseExpired {
        /// Where the file is from.
        name: String,
        /// Its end.
        until: String,
        /// The time of the check.
        now: String,
    },
    /// A `Release` file was made later than now.
    #[error("{name} is from the future: it is dated {date}, and now is {now}")]
    ReleaseFuture {
        /// Where the file is from.
        name: String,
        /// Its date.
        date: String,
        /// The time of the check.
        now: String,
    },
    /// A sources file, in either of apt's formats, is malformed.
    #[error("{file}, line {line}: {reason}")]
    Sources {
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// A source cannot be written so that apt reads it as it is.
    #[error("a source's `{field}` cannot be written into a sources file")]
    Unwritable {
        /// The field.
        field: String,
    },
    /// A file of this host's apt cannot be read.
    #[error("`{}` cannot be read: {error}", path.display())]
    HostFile {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        #[source]
        error: io::Error,
    },
    /// A file of this host's apt is malformed.
    #[error("`{}`, line {line}: {reason}", path.display())]
    HostConfig {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        reason: &'static str,
    },
    /// A stanza of a package index lacks something or lies.
    #[error("the package index {index} has a bad stanza (number {stanza}, package `{package}`): {reason}")]
    Stanza {
        /// Where the index is from.
        index: String,
        /// The stanza's number, from 1.
        stanza: usize,
        /// The package's name, as far as it is known.
        package: String,
        /// What is wrong.
        reason: String,
    },
    /// A package index could not be read to its end; the decoder's error says why.
    #[error("the package index {index} cannot be read: {error}")]
    IndexRead {
        /// Where the index is from.
        index: String,
        /// The reader's error.
        #[source]
        error: io::Error,
    },
    /// A package index is larger than it may be.
    #[error("the package index {index} is too large: {what} exceeds {limit}")]
    IndexLimit {
        /// Where the index is from.
        index: String,
        /// What was counted.
        what: &'static str,
        /// The most that is allowed, in bytes or pieces.
        limit: u64,
    },
    /// A parsed index from the cache does not hold together.
    #[error("the cached form of the package index {index} is damaged: {reason}")]
    CachedIndex {
        /// Where the index is from.
        index: String,
        /// What is wrong.
        reason: &'static str,
    },
}

impl Classified for Error {
    fn class(&self) -> Class {
        match self {
            Error::Sources { .. }
            | Error::Unwritable { .. }
            | Error::HostFile { .. }
            | Error::HostConfig { .. } => Class::Usage,
            Error::Version { .. }
            | Error::Relation { .. }
            | Error::Syntax { .. }
            | Error::Release { .. }
            | Error::ReleaseDigests { .. }
            | Error::ReleaseSuite { .. }
            | Error::ReleaseExpired { .. }
            | Error::ReleaseFuture { .. }
            | Error::Stanza { .. }
            | Error::IndexRead { .. }
            | Error::IndexLimit { .. }
            | Error::CachedIndex { .. } => Class::Trust,
        }
    }
    fn hint(&self) -> Option<String> {
        Some(
            match self {
                Error::ReleaseExpired { .. } => {
                    "a mirror that stands still or this machine's clock can be the reason; \
                     --no-check-valid-until takes an expired suite all the same"
                }
                Error::ReleaseFuture { .. } => "this machine's clock may be wrong",
                Error::ReleaseSuite { .. } => "name the suite as the repository does, or ask another mirror",
                Error::ReleaseDigests { .. } => "MD5 and SHA-1 protect nothing any more and are never used",
                _ => return None,
            }
            .to_owned(),
        )
    }
}
