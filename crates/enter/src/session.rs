use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bareroot_model::Cancel;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::Shutdown;
use rustix::pipe::PipeFlags;

use crate::message::Prepared;
use crate::program::{Place, Program, Status};
use crate::running::{Running, follow};
use crate::spec::{Confinement, Spec};
use crate::supervise::Supervisor;
use crate::{Error, message, wire};

/// How long killed processes may take to be gone.
const PATIENCE: Duration = Duration::from_secs(30);

/// The highest number of a descriptor of [`Program::fds`], and how many there may be.
const HIGHEST: i32 = 255;
const MOST: usize = 32;

/// A root with its namespaces and mounts, in which programs can be run.
///
/// Several threads may run programs in it at once. When it is closed or dropped, whatever still runs in it is
/// killed, and its mounts are gone with it.
#[derive(Debug)]
pub struct Session {
    link: Arc<Link>,
    notes: Vec<String>,
    supervisor: Option<Supervisor>,
    /// The root as the session has it.
    root: Option<OwnedFd>,
    terminal: Option<(OwnedFd, OwnedFd)>,
    /// Whether programs can be run on the host's side.
    has_host: bool,
}

/// The two sockets of a session, shared with the programs that run in it.
#[derive(Debug)]
pub(crate) struct Link {
    socket: OwnedFd,
    leash: OwnedFd,
    sending: Mutex<()>,
    next: AtomicU32,
    ended: AtomicBool,
    root: PathBuf,
}

/// Waits until the other end of a socket is closed; `false` when the time is over first.
pub(crate) fn hung_up(socket: impl AsFd, patience: Duration) -> bool {
    let end = Instant::now() + patience;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        let left = Timespec {
            tv_sec: left.as_secs() as i64,
            tv_nsec: left.subsec_nanos().into(),
        };
        match poll(&mut [PollFd::new(&socket, PollFlags::IN)], Some(&left)) {
            Ok(0) => return false,
            Ok(_) => return true,
            Err(rustix::io::Errno::INTR) => {}
            Err(_) => return true,
        }
    }
}

impl Link {
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn send(&self, bytes: &[u8], fds: &[BorrowedFd<'_>]) -> io::Result<()> {
        let _one_at_a_time = self
            .sending
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        wire::send(&self.socket, bytes, fds)
    }

    /// Kills everything in the session and waits until it is gone. Doing it twice is no error.
    pub(crate) fn end(&self) -> Result<(), Error> {
        self.ended.store(true, Ordering::Relaxed);
        // An error means that the warden is gone, and everything with it.
        let _ = rustix::net::shutdown(&self.leash, Shutdown::Write);
        if hung_up(&self.leash, PATIENCE) {
            Ok(())
        } else {
            Err(Error::Lingering {
                root: self.root.clone(),
                seconds: PATIENCE.as_secs(),
            })
        }
    }
}

impl Session {
    pub(crate) fn new(socket: OwnedFd, leash: OwnedFd, root: PathBuf) -> Self {
        let link = Link {
            socket,
            leash,
            sending: Mutex::new(()),
            next: AtomicU32::new(0),
            ended: AtomicBool::new(false),
            root,
        };
        Session {
            link: Arc::new(link),
            notes: Vec::new(),
            supervisor: None,
            root: None,
            terminal: None,
            has_host: true,
        }
    }

    pub(crate) fn socket(&self) -> BorrowedFd<'_> {
        self.link.socket.as_fd()
    }

    pub(crate) fn add_notes(&mut self, notes: Vec<String>) {
        self.notes.extend(notes);
    }

    pub(crate) fn keep(&mut self, supervisor: Supervisor) {
        self.supervisor = Some(supervisor);
    }

    /// Takes what comes with the session's first answer; what is left is the listener.
    pub(crate) fn set_up(
        &mut self,
        prepared: Prepared,
        fds: Vec<OwnedFd>,
        spec: &Spec<'_>,
    ) -> Option<OwnedFd> {
        let mut fds = fds.into_iter();
        self.notes.extend(prepared.notes);
        self.root = fds.next();
        let listener = if prepared.listens { fds.next() } else { None };
        self.terminal = fds.next().zip(fds.next());
        self.has_host = spec.confinement == Confinement::None;
        listener
    }

    /// The root as programs see it, with all that is mounted in it. It must not be kept beyond the session: it would keep
    /// mounts alive.
    pub fn root(&self) -> Option<BorrowedFd<'_>> {
        self.root.as_ref().map(AsFd::as_fd)
    }

    /// Both ends of the session's terminal, the programs' one second.
    pub(crate) fn take_terminal(&mut self) -> Option<(OwnedFd, OwnedFd)> {
        self.terminal.take()
    }

    /// What was asked for and could not be had, one sentence each without a period (`/sys is left out: no
    /// such directory`).
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Runs a program to its end.
    ///
    /// Its standard output and error are one stream, which `on_output` gets in pieces, in order and as it
    /// comes. Its standard input is at its end. It is the leader of a session without a terminal; its signals
    /// have their default effects; its umask is 022. What it leaves running goes on until the session ends,
    /// but what that prints is not heard any more.
    ///
    /// When `cancel` is set, everything in the session is killed at once, and the session is of no more use.
    ///
    /// # Errors
    ///
    /// [`Error::Exec`] and [`Error::Invalid`] when the program does not start; [`Error::Cancelled`];
    /// [`Error::Gone`], [`Error::Talk`] and [`Error::Follow`] when the session broke down.
    pub fn run(
        &self,
        program: &Program,
        cancel: &Cancel,
        on_output: &mut dyn FnMut(&[u8]),
    ) -> Result<Status, Error> {
        let follow_error = |source| Error::Follow {
            program: program.path.clone(),
            source,
        };
        let (output, theirs) = pipe().map_err(follow_error)?;
        let numbers = [1, 2].into_iter().chain(program.also_output);
        let standard: Vec<_> = numbers.map(|number| (number, theirs.as_fd())).collect();
        let mut running = self.start(program, &standard)?;
        drop(standard);
        drop(theirs);
        follow(&mut running, Some(&output), cancel, on_output)
    }

    /// Starts a program and does not wait for it.
    ///
    /// Its standard input and output are pipes, held by what is returned; its standard error goes nowhere
    /// unless [`Program::fds`] says where. All else is as in [`run`](Self::run).
    ///
    /// # Errors
    ///
    /// As for [`run`](Self::run), except that a program that cannot be run is told of by [`Running::wait`].
    pub fn spawn(&self, program: &Program) -> Result<Running, Error> {
        let follow_error = |source| Error::Follow {
            program: program.path.clone(),
            source,
        };
        let (their_in, stdin) = pipe().map_err(follow_error)?;
        let (stdout, their_out) = pipe().map_err(follow_error)?;
        let mut running = self.start(program, &[(0, their_in.as_fd()), (1, their_out.as_fd())])?;
        running.stdin = Some(stdin.into());
        running.stdout = Some(stdout.into());
        Ok(running)
    }

    /// Starts a program with its own descriptors and, where it has none of that number, the given ones.
    pub(crate) fn start(
        &self,
        program: &Program,
        standard: &[(i32, BorrowedFd<'_>)],
    ) -> Result<Running, Error> {
        check(program)?;
        if program.place == Place::Host && !self.has_host {
            return Err(Error::Invalid {
                program: program.path.clone(),
                what: "the session has no host's side",
            });
        }
        let own = |target: i32| program.fds.iter().any(|(number, _)| *number == target);
        let (mut targets, mut fds) = (Vec::new(), Vec::new());
        let (report, their_report) = pipe().map_err(|source| Error::Follow {
            program: program.path.clone(),
            source,
        })?;
        fds.push(their_report.as_fd());
        for (target, fd) in standard.iter().filter(|(target, _)| !own(*target)) {
            targets.push(*target);
            fds.push(*fd);
        }
        for (target, fd) in &program.fds {
            targets.push(*target);
            fds.push(fd.as_fd());
        }
        let id = self.link.next.fetch_add(1, Ordering::Relaxed);
        let bytes = message::encode_start(id, program, &targets);
        match self.link.send(&bytes, &fds) {
            Ok(()) => Ok(Running::new(
                id,
                Arc::clone(&self.link),
                program.path.clone(),
                report,
            )),
            Err(source) => Err(match source.kind() {
                io::ErrorKind::ArgumentListTooLong => Error::Exec {
                    program: program.path.clone(),
                    why: crate::ExecFailure::Other,
                    source,
                },
                io::ErrorKind::BrokenPipe => Error::Gone {
                    root: self.link.root.clone(),
                },
                _ => Error::Talk {
                    root: self.link.root.clone(),
                    source,
                },
            }),
        }
    }

    /// Ends the session: kills what still runs in it and waits until that, and every mount of the session, is
    /// gone.
    ///
    /// Dropping the session does the same and says nothing.
    ///
    /// # Errors
    ///
    /// [`Error::Lingering`] when something does not die within half a minute.
    pub fn close(mut self) -> Result<(), Error> {
        self.let_go();
        self.link.end()
    }

    /// Gives up what would keep mounts of the session alive.
    fn let_go(&mut self) {
        self.root = None;
        self.terminal = None;
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // What did not die when it was closed is not waited for again.
        self.let_go();
        if !self.link.ended.load(Ordering::Relaxed) {
            let _ = self.link.end();
        }
    }
}

fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(rustix::pipe::pipe_with(PipeFlags::CLOEXEC)?)
}

/// Refuses what no exec could pass on.
fn check(program: &Program) -> Result<(), Error> {
    let invalid = |what| {
        Err(Error::Invalid {
            program: program.path.clone(),
            what,
        })
    };
    let nul = |text: &std::ffi::OsStr| text.as_bytes().contains(&0);
    if program.path.as_os_str().is_empty() {
        return invalid("its name is empty");
    }
    if nul(program.path.as_os_str())
        || nul(program.cwd.as_os_str())
        || program.arg0.iter().chain(&program.args).any(|arg| nul(arg))
        || program.env.iter().any(|(name, value)| nul(name) || nul(value))
    {
        return invalid("its name, arguments, environment or directory hold a zero byte");
    }
    if program
        .env
        .iter()
        .any(|(name, _)| name.is_empty() || name.as_bytes().contains(&b'='))
    {
        return invalid("the name of an environment variable is empty or holds `=`");
    }
    if program.fds.len() > MOST {
        return invalid("it is given too many descriptors");
    }
    for (at, (target, _)) in program.fds.iter().enumerate() {
        let twice = program.fds.iter().take(at).any(|(earlier, _)| earlier == target);
        if twice || !(0..=HIGHEST).contains(target) {
            return invalid("the number of a descriptor is given twice or is out of range");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_exec_can_pass_on_is_refused() {
        let (one, two) = pipe().unwrap();
        let mut twice = Program::in_root("/x");
        twice.fds = vec![(5, one), (5, two)];
        let mut high = Program::in_root("/x");
        high.fds = vec![(256, pipe().unwrap().0)];
        for program in [
            Program::in_root(""),
            Program::in_root("/x\0"),
            Program::in_root("/x").arg("a\0b"),
            Program::in_root("/x").env("", "1"),
            Program::in_root("/x").env("A=B", "1"),
            twice,
            high,
        ] {
            assert!(
                matches!(check(&program), Err(Error::Invalid { .. })),
                "{program:?}"
            );
        }
        check(&Program::in_root("x").arg("").env("A", "b=c")).unwrap();
    }
}
