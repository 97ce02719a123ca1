//! Signals as a descriptor, for a process of one thread.

use std::os::fd::{AsFd, BorrowedFd};

use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

use crate::{Error, sys};

/// All that can be passed on. The others are the kernel's word about this process' own faults and limits, its children
/// (SIGCHLD), or its being in the background of a terminal (SIGTTIN, SIGTTOU), which must stop it.
const PASSED: [Signal; 16] = [
    Signal::SIGHUP,
    Signal::SIGINT,
    Signal::SIGQUIT,
    Signal::SIGTERM,
    Signal::SIGUSR1,
    Signal::SIGUSR2,
    Signal::SIGALRM,
    Signal::SIGVTALRM,
    Signal::SIGPROF,
    Signal::SIGSTKFLT,
    Signal::SIGIO,
    Signal::SIGPWR,
    Signal::SIGURG,
    Signal::SIGWINCH,
    Signal::SIGTSTP,
    Signal::SIGCONT,
];

/// The signals that this process gets from now on, instead of their effects.
#[derive(Debug)]
pub struct Signals {
    fd: SignalFd,
}

impl Signals {
    /// Holds signals back to be passed on. One that was ignored when this process was started, as by nohup(1), stays
    /// ignored. The calling thread must be the only one.
    ///
    /// # Errors
    /// [`Error::Start`] when the kernel has no descriptor left.
    pub fn hold() -> Result<Signals, Error> {
        let step = |doing| {
            move |error: nix::Error| Error::Start {
                doing,
                source: error.into(),
            }
        };
        let mut held = SigSet::empty();
        for signal in PASSED {
            if !sys::is_ignored(signal as i32) {
                held.add(signal);
            }
        }
        let flags = SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK;
        let fd = SignalFd::with_flags(&held, flags).map_err(step("watch for signals"))?;
        held.thread_block().map_err(step("hold signals back"))?;
        Ok(Signals { fd })
    }

    pub(super) fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// The next one that has come.
    pub(super) fn next(&self) -> Option<i32> {
        let read = self.fd.read_signal().ok()??;
        i32::try_from(read.ssi_signo).ok()
    }
}

/// Stops this process until it is continued.
pub(super) fn stop() {
    let _ = nix::sys::signal::kill(nix::unistd::getpid(), Signal::SIGSTOP);
}
