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
        let host_files = reader.list(Reader::path)?;
        reader.end()?;
        let mut placeholders = Vec::new();
        if !host_files.is_empty() {
            let root = next()?;
            let wanted = host_files.iter().filter(|path| rustix::fs::stat(*path).is_ok());
            placeholders.extend(wanted.filter_map(|path| Placeholder::at(root.as_fd(), path)));
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

/// What a request for a session says of it, with the descriptors that go with it. Only the warden acts on it: what this
/// process made, it could leave behind.
pub(crate) struct Request<'a> {
    pub(crate) terminal: Option<BorrowedFd<'a>>,
    pub(crate) root: BorrowedFd<'a>,
    pub(crate) host_files: &'a [PathBuf],
}

impl<'a> Request<'a> {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.flag(self.terminal.is_some());
        writer.list(self.host_files, |writer, path| writer.text(path));
        writer.finish()
    }

    pub(crate) fn fds(&self) -> impl Iterator<Item = BorrowedFd<'a>> {
        let root = (!self.host_files.is_empty()).then_some(self.root);
        self.terminal.into_iter().chain(root)
    }
}
