//! A program with this process' own standard streams: what chroot(1) would have by exec(3), for a process that stays.

mod signals;
mod terminal;

use std::io::{stderr, stdin, stdout};
use std::os::fd::{AsFd, BorrowedFd};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::termios::isatty;

use crate::Error;
use crate::program::{Identity, Program, Status};
use crate::running::Running;
use crate::session::Session;
pub use signals::Signals;
use terminal::Terminal;

impl Session {
    /// Runs a program with this process' standard streams, and passes on the signals that this process gets.
    ///
    /// In a session with a [`terminal`](crate::Spec::terminal) the program has that one, as its controlling terminal, in
    /// the place of each stream that is a terminal; what passes between the two passes here, the host's is in raw mode
    /// meanwhile, and follows its size. Otherwise it has the streams themselves, and nothing is copied.
    ///
    /// When this process is stopped (SIGTSTP), a program without a terminal is too.
    ///
    /// # Errors
    ///
    /// As for [`run`](Self::run); [`Error::Terminal`] when the host's terminal cannot be used.
    pub fn attach(&mut self, mut program: Program, signals: &Signals) -> Result<Status, Error> {
        let follow = |program: &Program, source| Error::Follow {
            program: program.path.clone(),
            source,
        };
        let (input, output, error) = (stdin(), stdout(), stderr());
        let ends = self.take_terminal();
        for (number, stream) in [(0, input.as_fd()), (1, output.as_fd()), (2, error.as_fd())] {
            let given = match &ends {
                // Errors may go elsewhere (`2>log`), and then stay there.
                Some((_, side)) if number < 2 || isatty(stream) => side.as_fd(),
                _ => stream,
            };
            let given = given.try_clone_to_owned();
            let given = given.map_err(|error| follow(&program, error))?;
            program.fds.push((number, given));
        }
        program.terminal = ends.is_some();
        let mut terminal = match ends {
            Some((main, side)) => {
                if let Identity::Ids { uid, .. } = program.identity {
                    // So that it can be opened by its name (tty(1), mesg(1)); group and mode are those of devpts.
                    let owner = rustix::fs::Uid::from_raw(uid);
                    let _ = rustix::fs::fchown(&side, Some(owner), None);
                }
                Some(Terminal::connect(input.as_fd(), output.as_fd(), main, side)?)
            }
            None => None,
        };
        let mut running = self.start(&program, &[])?;
        // Its own copies are all that may hold the streams open.
        drop(program);
        let status = self.relay(&mut running, signals, &mut terminal);
        if let (Ok(_), Some(terminal)) = (&status, &mut terminal) {
            terminal.drain();
        }
        status
    }

    /// Until the program has ended.
    fn relay(
        &self,
        running: &mut Running,
        signals: &Signals,
        terminal: &mut Option<Terminal<'_>>,
    ) -> Result<Status, Error> {
        loop {
            let mut polled = vec![
                PollFd::new(running.report(), PollFlags::IN),
                PollFd::from_borrowed_fd(signals.as_fd(), PollFlags::IN),
            ];
            if let Some(terminal) = terminal {
                polled.extend(terminal.interests());
            }
            match poll(&mut polled, None) {
                Ok(_) => {}
                Err(Errno::INTR) => continue,
                Err(error) => return Err(running.follow_error(error.into())),
            }
            let ready: Vec<bool> = polled.iter().map(|one| !one.revents().is_empty()).collect();
            drop(polled);
            if ready.first() == Some(&true)
                && let Some(status) = running.take_report()?
            {
                return Ok(status);
            }
            if ready.get(1) == Some(&true) {
                while let Some(signal) = signals.next() {
                    pass_on(signal, running, terminal)?;
                }
            }
            if let Some(connected) = terminal
                && !connected.serve(ready.get(2..).unwrap_or_default())
            {
                // The host's terminal has hung up: so does the session's, whose processes get SIGHUP.
                *terminal = None;
            }
        }
    }
}

/// What a signal to this process means for the program.
fn pass_on(signal: i32, running: &Running, terminal: &mut Option<Terminal<'_>>) -> Result<(), Error> {
    match (signal, terminal) {
        (libc::SIGWINCH, Some(terminal)) => terminal.follow_size(),
        // By kill(1): what is typed is the session's own. A stop of the program would be one for its shell alone.
        (libc::SIGTSTP, Some(terminal)) => {
            terminal.lend();
            signals::stop();
            terminal.take_back()?;
        }
        (libc::SIGTSTP, None) => {
            // SIGTSTP itself does nothing in a group that no shell looks after (setpgid(2), "orphaned").
            running.kill(libc::SIGSTOP)?;
            signals::stop();
            running.kill(libc::SIGCONT)?;
        }
        // After a SIGSTOP that nobody could see: the shell may have changed the modes meanwhile.
        (libc::SIGCONT, Some(terminal)) => terminal.take_back()?,
        (signal, _) => running.kill(signal)?,
    }
    Ok(())
}

impl Running {
    fn follow_error(&self, source: std::io::Error) -> Error {
        Error::Follow {
            program: self.program().to_owned(),
            source,
        }
    }
}

/// A descriptor that is polled for a while.
fn watch<'a>(fd: BorrowedFd<'a>, flags: PollFlags) -> PollFd<'a> {
    PollFd::from_borrowed_fd(fd, flags)
}
