use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use nix::unistd::Pid;
use rustix::net::{AddressFamily, Shutdown, SocketFlags, SocketType};

use crate::message::{Ready, Setup};
use crate::program::Builtin;
use crate::seccomp::owners::Owners;
use crate::session::{Session, hung_up};
use crate::spec::Spec;
use crate::supervise::Supervisor;
use crate::will::Request;
use crate::{Error, keeper, sys, wire};

/// How long the warden may take to kill what its sessions left and to end.
const PATIENCE: Duration = Duration::from_secs(10);

/// A helper process that starts sessions.
///
/// It is forked from this process at its very start, before any thread is there, and it stays small and
/// single-threaded. That is why namespaces can be entered and programs be started safely from a process that
/// has many threads by then, and why nothing of this host need be executed, not even bareroot's own file.
///
/// It belongs to no terminal: Ctrl-C reaches this process alone, which then decides. When this process ends,
/// however it ends, the warden kills every session and ends too. So it does when the `Warden` is dropped.
#[derive(Debug)]
pub struct Warden {
    control: OwnedFd,
    sending: Mutex<()>,
    pid: Pid,
}

pub(crate) fn socket_pair() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(rustix::net::socketpair(
        AddressFamily::UNIX,
        SocketType::STREAM,
        SocketFlags::CLOEXEC,
        None,
    )?)
}

impl Warden {
    /// Starts the warden. Call it first in `main`.
    ///
    /// # Errors
    ///
    /// [`Error::Threads`] when this process has other threads already, [`Error::Start`] when it cannot be
    /// forked.
    pub fn start() -> Result<Warden, Error> {
        Warden::start_with(&[])
    }

    /// Starts the warden, and tells it what functions may be run as programs ([`Program::builtin`](crate::Program::builtin)).
    /// As it is forked from this very binary it has their code; they are needed neither as a file in the root nor by way
    /// of `/proc`.
    ///
    /// # Errors
    ///
    /// As for [`start`](Self::start).
    pub fn start_with(builtins: &'static [Builtin]) -> Result<Warden, Error> {
        if !sys::alone() {
            return Err(Error::Threads);
        }
        let (control, theirs) = socket_pair().map_err(|source| Error::Start {
            doing: "make a socket",
            source,
        })?;
        let parent = rustix::process::getpid();
        match sys::fork().map_err(|source| Error::Start {
            doing: "fork",
            source,
        })? {
            sys::Side::Child => keeper::run(theirs, parent, builtins),
            sys::Side::Parent(pid) => Ok(Warden {
                control,
                sending: Mutex::new(()),
                pid,
            }),
        }
    }

    /// Makes private mount, PID, UTS and IPC namespaces around a root, and mounts in it what `spec` asks for.
    /// The network is the host's.
    ///
    /// No symbolic link of the root is followed for this. A root may be entered by several sessions at once;
    /// they do not see each other.
    ///
    /// # Errors
    ///
    /// [`Error::Namespaces`] without the right to make them, [`Error::MountPoint`] and [`Error::Setup`] when
    /// the root cannot be prepared, [`Error::Gone`] and [`Error::Talk`] when the warden has died.
    pub fn enter(&self, spec: &Spec<'_>) -> Result<Session, Error> {
        let root = || spec.root_path.clone();
        let talk = |source| Error::Talk { root: root(), source };
        let (socket, their_socket) = socket_pair().map_err(talk)?;
        let (leash, their_leash) = socket_pair().map_err(talk)?;
        let request = Request {
            terminal: spec.terminal,
            root: spec.root,
            host_files: &spec.host_files,
        };
        {
            let _one_at_a_time = self
                .sending
                .lock()
                .unwrap_or_else(|poisoned| poisoned.into_inner());
            let mut fds = vec![their_socket.as_fd(), their_leash.as_fd()];
            fds.extend(request.fds());
            wire::send(&self.control, &request.encode(), &fds).map_err(talk)?;
        }
        drop((their_socket, their_leash));
        // From here on, dropping the session ends whatever there is of it.
        let mut session = Session::new(socket, leash, root());
        let (owners, proc) = watch_over(spec, &mut session);
        let setup = Setup::of(spec, owners);
        let frame = match wire::send(session.socket(), &setup.encode(), &[spec.root]) {
            Ok(()) => wire::receive(session.socket()),
            // It may have told why before it went.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => wire::receive(session.socket()),
            Err(error) => Err(error),
        };
        let frame = frame.map_err(talk)?.ok_or_else(|| Error::Gone { root: root() })?;
        match Ready::decode(&frame.bytes).map_err(talk)?.0 {
            Ok(prepared) => {
                let listener = session.set_up(prepared, frame.fds, spec);
                if let (Some(listener), Some(proc), Some(ledger)) = (listener, proc, &spec.ledger) {
                    let supervisor = Supervisor::start(listener, proc, Arc::clone(ledger));
                    session.keep(supervisor.map_err(|source| Error::Setup {
                        root: root(),
                        doing: "answer for owners".into(),
                        source,
                    })?);
                }
                Ok(session)
            }
            Err(failure) => Err(failure.into_error(root())),
        }
    }
}

/// Who answers calls about owners in a session, and by which /proc.
fn watch_over(spec: &Spec<'_>, session: &mut Session) -> (Owners, Option<OwnedFd>) {
    if !spec.ledger.as_ref().is_some_and(|ledger| ledger.keeps_owners()) {
        return (Owners::Real, None);
    }
    match Supervisor::proc() {
        Ok(proc) => (Owners::Asked, Some(proc)),
        Err(error) => {
            let note = format!("owners that scripts give to files are not recorded: /proc: {error}");
            session.add_notes(vec![note]);
            (Owners::Lied, None)
        }
    }
}

impl Drop for Warden {
    fn drop(&mut self) {
        // An error means that it is gone, which is what is wanted.
        let _ = rustix::net::shutdown(&self.control, Shutdown::Write);
        if hung_up(&self.control, PATIENCE) {
            let _ = nix::sys::wait::waitpid(self.pid, None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_warden_is_forked_from_among_threads() {
        let (end, ended) = std::sync::mpsc::channel::<()>();
        let thread = std::thread::spawn(move || ended.recv());
        assert!(matches!(Warden::start(), Err(Error::Threads)));
        drop(end);
        assert!(thread.join().unwrap().is_err());
    }
}
