//! The warden's own process: it starts the first process of every session, and sees them die.

use std::os::fd::{AsRawFd, OwnedFd};

use nix::errno::Errno;
use nix::sched::CloneFlags;
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use rustix::event::{PollFd, PollFlags, poll};

use crate::message::{Failure, Ready};
use crate::program::Builtin;
use crate::will::Will;
use crate::{init, sys, wire};

/// A session: its first process, as this process numbers it, and the leash. The caller's closing of the leash
/// asks for the session's end; our closing of it tells that the end has come.
struct Charge {
    init: Pid,
    leash: OwnedFd,
    doomed: bool,
    will: Will,
}

/// Runs to the end of the process. `parent` is the caller's process id.
pub(crate) fn run(control: OwnedFd, parent: rustix::process::Pid, builtins: &'static [Builtin]) -> ! {
    // A panic must end here: unwinding would go on into the parent's main.
    let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| keep(control, parent, builtins)));
    sys::exit(if ended.is_ok() { 0 } else { 70 })
}

fn keep(control: OwnedFd, parent: rustix::process::Pid, builtins: &'static [Builtin]) {
    // Defaults and a full mask, so that a stray signal cannot end this process before its sessions, and so
    // that an inherited "ignore SIGCHLD" cannot swallow an exit status.
    sys::default_signals();
    let _ = SigSet::all().thread_set_mask();
    // The caller's output must reach its end when the caller does, and no directory be held.
    sys::close_all_but(&mut [control.as_raw_fd()]);
    let _ = rustix::process::chdir("/");
    let _ = rustix::process::setsid();
    let _ = rustix::thread::set_name(c"bareroot-warden");
    // Belt and braces: the end of the control socket tells the same. Not SIGKILL, as there are wills to execute.
    let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::TERM));
    let orphaned = || rustix::process::getppid() != Some(parent);
    if orphaned() {
        return;
    }
    let mut told = SigSet::empty();
    told.add(Signal::SIGCHLD);
    told.add(Signal::SIGTERM);
    let Ok(deaths) = SignalFd::with_flags(&told, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK) else {
        return;
    };

    let mut charges: Vec<Charge> = Vec::new();
    loop {
        let mut polled = vec![
            PollFd::new(&control, PollFlags::IN),
            PollFd::new(&deaths, PollFlags::IN),
        ];
        let living = charges.iter().filter(|charge| !charge.doomed);
        polled.extend(living.map(|charge| PollFd::new(&charge.leash, PollFlags::IN)));
        match poll(&mut polled, None) {
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => continue,
            Err(_) => break,
        }
        let ready: Vec<bool> = polled.iter().map(|one| !one.revents().is_empty()).collect();
        let is_ready = |at: usize| ready.get(at).copied().unwrap_or(false);

        for (at, charge) in charges.iter_mut().filter(|charge| !charge.doomed).enumerate() {
            // SIGKILL for the first process of a PID namespace is SIGKILL for all in it (pid_namespaces(7)).
            if is_ready(at + 2) {
                let _ = nix::sys::signal::kill(charge.init, Signal::SIGKILL);
                charge.doomed = true;
            }
        }
        if is_ready(1) {
            while let Ok(Some(_)) = deaths.read_signal() {}
            if orphaned() {
                break;
            }
            bury(&mut charges);
        }
        if is_ready(0) {
            match wire::receive(&control) {
                Ok(Some(frame)) => {
                    let mut fds = frame.fds.into_iter();
                    if let (Some(socket), Some(leash)) = (fds.next(), fds.next())
                        && let Ok(will) = Will::decode(&frame.bytes, fds)
                    {
                        charges.extend(start(socket, leash, will, builtins));
                    }
                }
                Ok(None) | Err(_) => break,
            }
        }
    }
    for charge in &charges {
        let _ = nix::sys::signal::kill(charge.init, Signal::SIGKILL);
    }
    for charge in charges {
        while waitpid(charge.init, None) == Err(Errno::EINTR) {}
        charge.will.execute();
    }
}

/// Starts a session's first process. Its failure is told over the session's own socket.
fn start(socket: OwnedFd, leash: OwnedFd, will: Will, builtins: &'static [Builtin]) -> Option<Charge> {
    match sys::fork_into(CloneFlags::CLONE_NEWPID) {
        Ok(sys::Side::Child) => init::run(socket, builtins),
        Ok(sys::Side::Parent(init)) => Some(Charge {
            init,
            leash,
            doomed: false,
            will,
        }),
        Err(error) => {
            will.execute();
            let failure = Failure::Namespaces {
                errno: error.raw_os_error().unwrap_or(0),
            };
            let _ = wire::send(&socket, &Ready(Err(failure)).encode(), &[]);
            None
        }
    }
}

/// Takes up the dead. A first process can be waited for only once all of its namespace is dead.
fn bury(charges: &mut Vec<Charge>) {
    loop {
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::StillAlive) => return,
            Ok(status) => {
                let gone = charges
                    .iter()
                    .position(|charge| status.pid() == Some(charge.init));
                if let Some(at) = gone {
                    let Charge { leash, will, .. } = charges.swap_remove(at);
                    will.execute();
                    // The caller takes this as the end of it all.
                    drop(leash);
                }
            }
            Err(Errno::EINTR) => {}
            Err(_) => return,
        }
    }
}
