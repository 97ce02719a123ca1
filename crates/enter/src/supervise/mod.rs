//! Where one user id must do for all: system calls that give files away, make devices or look at either are answered from
//! the ledger, by a thread of bareroot's own (seccomp_unotify(2)).
//!
//! This is no border: a program that wants to get around it can, and reaches what the invoking user can reach. It is there
//! so that maintainer scripts, which are root's, find what root would find.

mod answer;
pub(crate) mod calls;
pub(crate) mod stat64;
mod tracee;

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::thread::JoinHandle;

use bareroot_ledger::Ledger;
use nix::sched::CloneFlags;
use nix::sys::signal::SigSet;
use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd, poll};
use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::io::Errno;

use crate::sys::{self, Reply};
use answer::{Answer, answer};
use tracee::Tracee;

/// The thread that answers for one session.
#[derive(Debug)]
pub(crate) struct Supervisor {
    thread: Option<JoinHandle<()>>,
    stop: OwnedFd,
}

impl Supervisor {
    /// This process' own /proc. It is what the programs are found in: they run in a process namespace below this one, and
    /// so have numbers here.
    ///
    /// # Errors
    /// Where it is not there, or is that of another namespace: then nobody can be supervised.
    pub(crate) fn proc() -> io::Result<OwnedFd> {
        let proc = openat(
            CWD,
            "/proc",
            OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC,
            Mode::empty(),
        )?;
        let own = rustix::fs::readlinkat(&proc, "self", Vec::new())?;
        match own.to_bytes() == std::process::id().to_string().as_bytes() {
            true => Ok(proc),
            false => Err(io::Error::from_raw_os_error(libc::ESRCH)),
        }
    }

    /// Begins to answer.
    ///
    /// # Errors
    /// When there can be no thread, or it cannot have a root of its own.
    pub(crate) fn start(listener: OwnedFd, proc: OwnedFd, ledger: Arc<Ledger>) -> io::Result<Supervisor> {
        let stop = eventfd(0, EventfdFlags::CLOEXEC)?;
        let stopped = stop.try_clone()?;
        let (says, hears) = std::sync::mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("supervisor".into())
            .spawn(move || {
                // The process' signals are its other threads' matter: one that came here would have its default effect
                // though they hold it back (`Session::attach`).
                let _ = SigSet::all().thread_block();
                // Root and working directory of this thread alone, as it moves them for each answer.
                let own = nix::sched::unshare(CloneFlags::CLONE_FS);
                let ready = own.is_ok();
                let _ = says.send(own);
                if ready {
                    serve(&listener, &stopped, &proc, &ledger);
                }
            })?;
        hears.recv().map_err(|_| io::ErrorKind::BrokenPipe)??;
        Ok(Supervisor {
            thread: Some(thread),
            stop,
        })
    }
}

impl Drop for Supervisor {
    /// What still waits for an answer is told that there is no such call (ENOSYS): by then its session is over.
    fn drop(&mut self) {
        let _ = rustix::io::write(&self.stop, &1_u64.to_ne_bytes());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn serve(listener: &OwnedFd, stopped: &OwnedFd, proc: &OwnedFd, ledger: &Ledger) {
    // The waiting program runs on at once, on this very core: 5 microseconds a call instead of 30 (Linux 6.6).
    sys::listener_wakes_at_once(listener);
    loop {
        let mut polled = [
            PollFd::new(listener, PollFlags::IN),
            PollFd::new(stopped, PollFlags::IN),
        ];
        match poll(&mut polled, None) {
            Ok(_) => {}
            Err(Errno::INTR) => continue,
            Err(_) => return,
        }
        let [asked, stop] = polled.map(|one| one.revents());
        // HUP without IN: no program of the session is left.
        if !stop.is_empty() || !asked.contains(PollFlags::IN) {
            return;
        }
        // Or it was killed meanwhile.
        let Ok(waiting) = sys::listener_receive(listener) else {
            continue;
        };
        let tracee = Tracee::new(proc.as_fd(), waiting.pid, waiting.args);
        let answer = calls::find(waiting.architecture, waiting.number)
            .map_or(Answer::Kernel, |call| answer(call, &tracee, ledger));
        let reply = match answer {
            Answer::Done => Reply::Value(0),
            Answer::Failed(error) => Reply::Error(error.raw_os_error()),
            Answer::Kernel => Reply::Kernel,
        };
        // Nobody to tell: it was killed while it waited.
        let _ = sys::listener_reply(listener, waiting.id, reply);
    }
}
