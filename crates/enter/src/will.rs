//! What the warden sees to when a session has ended, however it ended: the caller may have been killed by then.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;

use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};

use crate::host_files::Placeholder;
use crate::wire::{Reader, Writer};

/// Of one session.
#[derive(Debug, Default)]
pub(crate) struct Will {
    /// The host's terminal, and its modes before the session.
    terminal: Option<(OwnedFd, Termios)>,
    placeholders: Vec<Placeholder>,
}

impl Will {
    /// What a request for a session says of it. `fds` are those that come after the session's own.
    pub(crate) fn decode(bytes: &[u8], fds: impl Iterator<Item = OwnedFd>) -> io::Result<Will> {
        let (mut reader, mut fds) = (Reader::new(bytes), fds);
        let mut next = || fds.next().ok_or(io::ErrorKind::InvalidInput);
        let terminal = if reader.flag()? {
            let terminal = next()?;
            // Before the session is there, and so before the caller changes them.
            tcgetattr(&terminal).ok().map(|modes| (terminal, modes))
        } else {
            None
        };
        let names = reader.list(Reader::text)?;
        reader.end()?;
        let mut placeholders = Vec::new();
        for name in names {
            placeholders.push(Placeholder {
                directory: next()?,
                file: next()?,
                name,
            });
        }
        Ok(Will {
            terminal,
            placeholders,
        })
    }

    /// The end has come.
    pub(crate) fn execute(self) {
        if let Some((terminal, modes)) = self.terminal {
            set_back(&terminal, &modes);
        }
        for placeholder in self.placeholders {
            placeholder.remove();
        }
    }
}

/// Sets a terminal back that is in the raw mode which [`Session::attach`](crate::Session::attach) brings it into. Any other
/// mode is somebody else's by now: the caller's shell goes on at once when the caller is killed.
fn set_back(terminal: &OwnedFd, modes: &Termios) {
    let mut raw = modes.clone();
    raw.make_raw();
    let is_raw = tcgetattr(terminal).is_ok_and(|found| {
        found.input_modes == raw.input_modes
            && found.output_modes == raw.output_modes
            && found.local_modes == raw.local_modes
    });
    if is_raw {
        let _ = tcsetattr(terminal, OptionalActions::Now, modes);
    }
}

/// What a request for a session says of it, with the descriptors that go with it.
pub(crate) struct Request<'a> {
    terminal: Option<BorrowedFd<'a>>,
    placeholders: Vec<Placeholder>,
}

impl<'a> Request<'a> {
    pub(crate) fn new(
        terminal: Option<BorrowedFd<'a>>,
        root: BorrowedFd<'_>,
        host_files: &[PathBuf],
    ) -> Self {
        let wanted = host_files.iter().filter(|path| rustix::fs::stat(*path).is_ok());
        Request {
            terminal,
            placeholders: wanted.filter_map(|path| Placeholder::at(root, path)).collect(),
        }
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.flag(self.terminal.is_some());
        writer.list(&self.placeholders, |writer, placeholder| {
            writer.text(&placeholder.name)
        });
        writer.finish()
    }

    pub(crate) fn fds(&self) -> Vec<BorrowedFd<'_>> {
        let pairs = self.placeholders.iter();
        let pairs = pairs.flat_map(|one| [one.directory.as_fd(), one.file.as_fd()]);
        self.terminal.into_iter().chain(pairs).collect()
    }
}
