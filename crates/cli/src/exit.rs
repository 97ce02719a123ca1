//! From an error to words on standard error and an exit code.

use std::fmt::Write as _;
use std::process::ExitCode;

use bareroot_model::{Class, Classified};

use crate::request::Misuse;
use crate::text;

/// The exit code of `enter` when bareroot itself failed (chroot(1), EXIT STATUS).
pub const ENTER_FAILED: u8 = 125;

/// Why a verb ended early.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The command line makes no sense.
    #[error(transparent)]
    Misuse(#[from] Misuse),
    /// The work failed.
    #[error(transparent)]
    Work(#[from] bareroot_bootstrap::Error),
    /// A root could not be entered, or the process that works inside roots not be started.
    #[error(transparent)]
    Warden(#[from] bareroot_enter::Error),
    /// The cache could not be looked through or cleaned up, or is broken.
    #[error(transparent)]
    Cache(#[from] bareroot_fetch::Error),
    /// A file that the user named for output cannot be written.
    #[error("cannot write `{path}`")]
    Output { path: String, source: std::io::Error },
    /// A file that the user named as input cannot be read.
    #[error("cannot read `{path}`")]
    Input { path: String, source: std::io::Error },
    /// A clone was made that is not what its source was.
    #[error(
        "the clone is made, but {changed} paths changed while they were read, and {unreadable} could not be read"
    )]
    Unfaithful { changed: u64, unreadable: u64 },
    /// A database that was verified is not sound.
    #[error("{path} is not sound: {count} findings in {headers} headers")]
    Unsound {
        path: String,
        count: usize,
        headers: usize,
    },
}

impl Failure {
    /// Its class.
    pub fn class(&self) -> Class {
        match self {
            Failure::Misuse(Misuse::Work(error)) => error.class(),
            Failure::Misuse(_) => Class::Usage,
            Failure::Work(error) => error.class(),
            Failure::Warden(error) => error.class(),
            Failure::Cache(error) => error.class(),
            Failure::Output { .. } | Failure::Input { .. } => Class::Target,
            Failure::Unsound { .. } => Class::Trust,
            Failure::Unfaithful { .. } => Class::Unfaithful,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Failure::Misuse(Misuse::Work(error)) => error.hint(),
            Failure::Misuse(_) => Some("`bareroot --help` lists every option".to_owned()),
            Failure::Work(error) => error.hint(),
            Failure::Warden(error) => error.hint(),
            Failure::Cache(error) => error.hint(),
            Failure::Unfaithful { changed: 1.., .. } => Some(
                "each is named above; clone again what must be of one moment, while nothing writes to it"
                    .to_owned(),
            ),
            Failure::Unfaithful { .. } => {
                Some("each is named above; what only others may read is cloned as root".to_owned())
            }
            Failure::Output { .. } | Failure::Input { .. } | Failure::Unsound { .. } => None,
        }
    }

    /// The whole message: the error, what caused it, and the hint; control characters made visible, because much of it
    /// comes from mirrors and packages.
    pub fn message(&self) -> String {
        let mut message = text::visible(&self.to_string());
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            let words = text::visible(&error.to_string());
            // Transparent wrappers repeat their source's words.
            if !message.ends_with(&words) {
                let _ = write!(message, ": {words}");
            }
            cause = error.source();
        }
        message
    }

    /// Prints the failure and gives the exit code.
    pub fn report(&self) -> ExitCode {
        self.print();
        ExitCode::from(self.class().exit_code())
    }

    /// The same for `enter`, whose exit codes are those of chroot(1), as all others are the program's.
    pub fn report_of_enter(&self) -> ExitCode {
        self.print();
        ExitCode::from(match self {
            Failure::Warden(error) | Failure::Work(bareroot_bootstrap::Error::Enter(error)) => {
                error.chroot_code()
            }
            _ => ENTER_FAILED,
        })
    }

    fn print(&self) {
        let mut words = format!("error: {}\n", text::message(&self.message()));
        if let Some(hint) = self.hint() {
            let _ = writeln!(words, "hint: {}", text::message(&hint));
        }
        text::to_stderr(&words);
    }
}
