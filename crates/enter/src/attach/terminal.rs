//! The host's terminal on one side, the session's on the other.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::OFlags;
use rustix::io::Errno;
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr, tcsetwinsize};

use super::watch;
use crate::Error;

/// What is read at a time.
const PIECE: usize = 4096;

/// The most that is still passed on when the program has ended: more than a terminal holds (its buffers have 64 KiB). What
/// goes on printing in the background must not keep the end away.
const LAST_WORDS: usize = 256 << 10;

/// Two terminals that are connected. Dropping it sets the host's back.
pub(super) struct Terminal<'fd> {
    input: BorrowedFd<'fd>,
    output: BorrowedFd<'fd>,
    /// The host's modes before.
    modes: Termios,
    main: OwnedFd,
    /// The programs' end. Kept open: else, whenever no program happens to have it open, there were nothing to read but an
    /// error.
    _side: OwnedFd,
    to_program: Vec<u8>,
    to_host: Vec<u8>,
}

fn failed(doing: &'static str) -> impl Fn(Errno) -> Error {
    move |error| Error::Terminal {
        doing,
        source: error.into(),
    }
}

impl<'fd> Terminal<'fd> {
    /// Gives the session's terminal the modes and the size of the host's, which becomes raw.
    pub(super) fn connect(
        input: BorrowedFd<'fd>,
        output: BorrowedFd<'fd>,
        main: OwnedFd,
        side: OwnedFd,
    ) -> Result<Self, Error> {
        let modes = tcgetattr(input).map_err(failed("read the modes of the terminal"))?;
        let flags = rustix::fs::fcntl_getfl(&main).map_err(failed("prepare the session's terminal"))?;
        rustix::fs::fcntl_setfl(&main, flags | OFlags::NONBLOCK)
            .map_err(failed("prepare the session's terminal"))?;
        tcsetattr(&side, OptionalActions::Now, &modes)
            .map_err(failed("set the modes of the session's terminal"))?;
        let mut terminal = Terminal {
            input,
            output,
            modes,
            main,
            _side: side,
            to_program: Vec::new(),
            to_host: Vec::new(),
        };
        terminal.take_back()?;
        Ok(terminal)
    }

    /// Takes the host's terminal: raw, so that every key goes to the session's, which then makes signals of them.
    pub(super) fn take_back(&mut self) -> Result<(), Error> {
        let mut raw = self.modes.clone();
        raw.make_raw();
        // In the background this stops the process, as it should (SIGTTOU).
        rustix::io::retry_on_intr(|| tcsetattr(self.input, OptionalActions::Drain, &raw))
            .map_err(failed("set the modes of the terminal"))?;
        self.follow_size();
        Ok(())
    }

    /// Gives the host's terminal back for a while.
    pub(super) fn lend(&self) {
        let _ = tcsetattr(self.input, OptionalActions::Drain, &self.modes);
    }

    pub(super) fn follow_size(&self) {
        if let Ok(size) = tcgetwinsize(self.input) {
            let _ = tcsetwinsize(&self.main, size);
        }
    }

    /// What is waited for, in the order in which [`serve`](Self::serve) is told of it.
    pub(super) fn interests(&self) -> [PollFd<'_>; 3] {
        let when = |so: bool, flags: PollFlags| if so { flags } else { PollFlags::empty() };
        let main =
            when(self.to_host.is_empty(), PollFlags::IN) | when(!self.to_program.is_empty(), PollFlags::OUT);
        [
            watch(self.input, when(self.to_program.is_empty(), PollFlags::IN)),
            watch(self.output, when(!self.to_host.is_empty(), PollFlags::OUT)),
            watch(self.main.as_fd(), main),
        ]
    }

    /// Passes on what can be. `false` when the host's terminal is gone.
    pub(super) fn serve(&mut self, ready: &[bool]) -> bool {
        let &[input, output, main] = ready else {
            return true;
        };
        if input {
            // Not waited for while there is something to pass on, so this is its end.
            if !self.to_program.is_empty() {
                return false;
            }
            match take(self.input, &mut self.to_program) {
                Ok(0) | Err(Errno::IO) => return false,
                _ => {}
            }
        }
        if !self.to_program.is_empty() && (main || input) {
            give(self.main.as_fd(), &mut self.to_program).ok();
        }
        // Only where it was seen to have room: a terminal that is stuck must not keep signals from being passed on.
        if output && !self.to_host.is_empty() {
            return !matches!(give(self.output, &mut self.to_host), Err(Errno::IO | Errno::PIPE));
        }
        if main && self.to_host.is_empty() {
            take(self.main.as_fd(), &mut self.to_host).ok();
        }
        true
    }

    /// Passes on what the program said last. A read of a terminal first takes in all that was written.
    pub(super) fn drain(&mut self) {
        let mut left = LAST_WORDS;
        while left > 0 {
            if self.to_host.is_empty() {
                match take(self.main.as_fd(), &mut self.to_host) {
                    Ok(got) if got > 0 => left = left.saturating_sub(got),
                    _ => return,
                }
            }
            match give(self.output, &mut self.to_host) {
                Ok(()) => {}
                Err(Errno::AGAIN) => {
                    let _ = poll(&mut [watch(self.output, PollFlags::OUT)], None);
                }
                Err(_) => return,
            }
        }
    }
}

impl Drop for Terminal<'_> {
    fn drop(&mut self) {
        self.lend();
    }
}

/// Reads a piece, after what is there.
fn take(from: BorrowedFd<'_>, into: &mut Vec<u8>) -> Result<usize, Errno> {
    let mut piece = [0; PIECE];
    let got = rustix::io::retry_on_intr(|| rustix::io::read(from, &mut piece))?;
    into.extend_from_slice(piece.get(..got).unwrap_or_default());
    Ok(got)
}

/// Writes what goes, and keeps the rest.
fn give(to: BorrowedFd<'_>, from: &mut Vec<u8>) -> Result<(), Errno> {
    let given = rustix::io::retry_on_intr(|| rustix::io::write(to, from))?;
    from.drain(..given.min(from.len()));
    Ok(())
}
