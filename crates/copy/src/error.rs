use std::io;
use std::path::{Path, PathBuf};

use bareroot_model::{Cancelled, Class, Classified};

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The source itself cannot be read.
    #[error("cannot read the source `{}`", path.display())]
    Source {
        /// The source as given.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// The source is what is to be made.
    #[error("the target `{}` is the source itself", target.display())]
    Itself {
        /// The target as given.
        target: PathBuf,
    },
    /// The source is below what is to be made.
    #[error("the source `{}` is inside the target `{}`", path.display(), target.display())]
    SourceInside {
        /// The source as given.
        path: PathBuf,
        /// The target as given.
        target: PathBuf,
    },
    /// A system call on a path of the copy failed.
    #[error("cannot {action} `{}`", path.display())]
    Write {
        /// What was tried, as a verb.
        action: &'static str,
        /// The path in the copy.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// The file system of the copy, or the quota on it, is full.
    #[error("no space left to {action} `{}`", path.display())]
    NoSpace {
        /// What was tried, as a verb.
        action: &'static str,
        /// The path in the copy.
        path: PathBuf,
    },
    /// There are more directories inside each other than files can be open.
    #[error("too many open files at `{}`", path.display())]
    Descriptors {
        /// The path in the source.
        path: PathBuf,
    },
    /// A glob that means nothing.
    #[error("`{glob}` is no glob for paths: {reason}")]
    Glob {
        /// As it was given.
        glob: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A thread cannot be started.
    #[error("a thread that copies cannot be started")]
    Thread(#[source] io::Error),
    /// A thread died.
    #[error("a thread that copies ended without a result")]
    Died,
    /// The archive cannot be written.
    #[error(transparent)]
    Export(#[from] bareroot_export::Error),
    /// The root refuses.
    #[error(transparent)]
    Root(#[from] bareroot_unpack::Error),
    /// The run was stopped.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl Error {
    /// The same with its path, which is relative to the copy, as it is on the host.
    pub(crate) fn below(mut self, root: &Path) -> Self {
        if let Error::Write { path, .. } | Error::NoSpace { path, .. } | Error::Descriptors { path } =
            &mut self
        {
            *path = root.join(path.strip_prefix("/").unwrap_or(path));
        }
        self
    }

    /// What a system call on a path of the copy said.
    pub(crate) fn write(action: &'static str, path: PathBuf, source: impl Into<io::Error>) -> Self {
        let source = source.into();
        match source.raw_os_error() {
            Some(libc::ENOSPC | libc::EDQUOT) => Error::NoSpace { action, path },
            Some(libc::EMFILE | libc::ENFILE) => Error::Descriptors { path },
            _ => Error::Write { action, path, source },
        }
    }
}

impl Classified for Error {
    fn class(&self) -> Class {
        match self {
            Error::Source { .. }
            | Error::Itself { .. }
            | Error::SourceInside { .. }
            | Error::Write { .. }
            | Error::NoSpace { .. }
            | Error::Descriptors { .. }
            | Error::Thread(_) => Class::Target,
            Error::Glob { .. } => Class::Usage,
            Error::Died => Class::Internal,
            Error::Export(error) => error.class(),
            Error::Root(error) => error.class(),
            Error::Cancelled(_) => Class::Interrupted,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Error::Itself { .. } | Error::SourceInside { .. } => Some(
                "name a directory that is not there yet; inside the source it is left out of the copy".to_owned(),
            ),
            Error::NoSpace { .. } => {
                Some("free some space, leave something out with --exclude, or choose a target on another file system".to_owned())
            }
            Error::Descriptors { .. } => Some("raise the limit of open files (ulimit -Hn)".to_owned()),
            Error::Glob { .. } => Some("globs begin at the source, as /var/cache or /home/*; `**` crosses slashes".to_owned()),
            Error::Export(error) => error.hint(),
            Error::Root(error) => error.hint(),
            _ => None,
        }
    }
}
