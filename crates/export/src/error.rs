use std::io;
use std::path::PathBuf;

use bareroot_model::{Cancelled, Class, Classified};

/// Why there is no archive.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Something in the root cannot be read.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// The path on the host.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// Something in the root is not what it was when the root was listed.
    #[error("`{}` changed while it was read: {what}", path.display())]
    Changed {
        /// The path on the host.
        path: PathBuf,
        /// What was expected and found.
        what: String,
    },
    /// The archive cannot be written.
    #[error("the archive cannot be written")]
    Write(#[source] io::Error),
    /// The root refuses.
    #[error(transparent)]
    Root(#[from] bareroot_unpack::Error),
    /// The run was stopped.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// There can be no more threads.
    #[error("a thread that reads the root cannot be started")]
    Thread(#[source] io::Error),
    /// The thread that reads the root died.
    #[error("the thread that reads the root ended without a result")]
    Died,
    /// One side of the work ended before the other; the error of the other side says why.
    #[error("the archive was given up")]
    Closed,
}

impl Classified for Error {
    fn class(&self) -> Class {
        match self {
            Error::Read { .. } | Error::Changed { .. } | Error::Write(_) | Error::Thread(_) => Class::Target,
            Error::Root(error) => error.class(),
            Error::Cancelled(_) => Class::Interrupted,
            Error::Died | Error::Closed => Class::Internal,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Error::Changed { .. } => {
                Some("stop what is running in the root, then export it again".to_owned())
            }
            Error::Write(error) if matches!(error.raw_os_error(), Some(libc::ENOSPC | libc::EDQUOT)) => {
                Some("free some space, or write to another file system".to_owned())
            }
            Error::Root(error) => error.hint(),
            _ => None,
        }
    }
}
