//! A session's first process: process 1 of its PID namespace. It prepares the root, starts programs when it
//! is told to, and waits for all that end, also for those whose parents are gone.
//!
//! When the caller closes the session's socket, or is gone, this process exits, and the kernel kills the rest.

use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use nix::errno::Errno;
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use rustix::event::{PollFd, PollFlags, poll};

use crate::ExecFailure;
use crate::child;
use crate::message::{Failure, Order, Prepared, Ready, Report, Setup};
use crate::program::Builtin;
use crate::room::{self, Made, Room};
use crate::spec::Confinement;
use crate::{sys, traces, wire};

/// A program that was started and has not ended.
struct Program {
    id: u32,
    report: OwnedFd,
}

/// Runs to the end of the process.
pub(crate) fn run(socket: OwnedFd, builtins: &'static [Builtin]) -> ! {
    let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| serve(socket, builtins)));
    sys::exit(if matches!(ended, Ok(Ok(()))) { 0 } else { 70 })
}

fn serve(socket: OwnedFd, builtins: &'static [Builtin]) -> io::Result<()> {
    sys::close_all_but(&mut [socket.as_raw_fd()]);
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
    rustix::thread::set_name(c"bareroot-init")?;
    let Some(frame) = wire::receive(&socket)? else {
        return Ok(());
    };
    let setup = Setup::decode(&frame.bytes)?;
    let Some(root) = frame.fds.into_iter().next() else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    if setup.confinement != Confinement::None {
        // As far as it goes: without /proc on the host it is the root's business what it mounts.
        let _ = traces::wipe();
    }
    let made = room::make(&setup, root, builtins).and_then(|made| {
        let deaths = signals()?;
        if let Some(kept) = made.room.kept {
            kept.restrict_first()
                .map_err(|error| Failure::step("give up capabilities", error))?;
        }
        Ok((made, deaths))
    });
    match made {
        Ok((
            Made {
                mut room,
                notes,
                listener,
            },
            deaths,
        )) => {
            let terminal = room.terminal.take();
            let ends = terminal
                .iter()
                .flat_map(|(main, side)| [main.as_fd(), side.as_fd()]);
            let listens = listener.iter().map(AsFd::as_fd);
            let fds: Vec<_> = std::iter::once(room.root.as_fd())
                .chain(listens)
                .chain(ends)
                .collect();
            let ready = Ready(Ok(Prepared {
                notes,
                listens: listener.is_some(),
            }));
            wire::send(&socket, &ready.encode(), &fds)?;
            // The caller's copies are the only ones: when they go, whoever waits at them is told.
            drop(fds);
            drop((terminal, listener));
            obey(&socket, &room, &deaths)
        }
        Err(failure) => wire::send(&socket, &Ready(Err(failure)).encode(), &[]),
    }
}

/// The warden, whose mask this process has, blocks every signal; SIGCHLD is read here.
fn signals() -> Result<SignalFd, Failure> {
    let mut children = SigSet::empty();
    children.add(Signal::SIGCHLD);
    SignalFd::with_flags(&children, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)
        .map_err(|error| Failure::step("watch for the end of programs", error))
}

fn obey(socket: &OwnedFd, room: &Room, deaths: &SignalFd) -> io::Result<()> {
    let mut programs: HashMap<Pid, Program> = HashMap::new();
    loop {
        let mut polled = [
            PollFd::new(socket, PollFlags::IN),
            PollFd::new(deaths, PollFlags::IN),
        ];
        match poll(&mut polled, None) {
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
        }
        let [order, death] = polled.map(|one| !one.revents().is_empty());
        if death {
            while let Ok(Some(_)) = deaths.read_signal() {}
            reap(&mut programs);
        }
        if order {
            let Some(frame) = wire::receive(socket)? else {
                return Ok(());
            };
            match Order::decode(&frame.bytes)? {
                Order::Kill { id, signal } => {
                    for (pid, _) in programs.iter().filter(|(_, program)| program.id == id) {
                        kill_group(*pid, signal);
                    }
                }
                Order::Start(start) => {
                    let mut fds = frame.fds.into_iter();
                    let Some(report) = fds.next() else {
                        return Err(io::ErrorKind::InvalidInput.into());
                    };
                    match child::start(room, &start, &report, fds.collect()) {
                        Ok(pid) => {
                            programs.insert(pid, Program { id: start.id, report });
                        }
                        Err(error) => {
                            let errno = error.raw_os_error().unwrap_or(0);
                            tell(
                                &report,
                                Report::Refused {
                                    why: ExecFailure::Entry,
                                    errno,
                                },
                            );
                            tell(&report, Report::Exited(125));
                        }
                    }
                }
            }
        }
    }
}

fn kill_group(pid: Pid, signal: i32) {
    let Ok(signal) = Signal::try_from(signal) else {
        return;
    };
    // Before it has made its own group there is only the process.
    if nix::sys::signal::killpg(pid, signal).is_err() {
        let _ = nix::sys::signal::kill(pid, signal);
    }
}

fn reap(programs: &mut HashMap<Pid, Program>) {
    loop {
        let (pid, report) = match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::Exited(pid, code)) => (pid, Report::Exited(code)),
            Ok(WaitStatus::Signaled(pid, signal, _)) => (pid, Report::Signaled(signal as i32)),
            Ok(WaitStatus::StillAlive) => return,
            Ok(_) | Err(Errno::EINTR) => continue,
            Err(_) => return,
        };
        if let Some(program) = programs.remove(&pid) {
            tell(&program.report, report);
        }
    }
}

/// A report to nobody, as the caller has lost interest, is no error.
pub(crate) fn tell(report: &OwnedFd, what: Report) {
    let _ = rustix::io::retry_on_intr(|| rustix::io::write(report, &what.encode()));
}
