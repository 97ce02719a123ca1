use std::ffi::OsString;
use std::fmt;
use std::os::fd::{OwnedFd, RawFd};
use std::path::PathBuf;

/// A function of this very binary that runs as a program: its name, and what it does with its arguments. What it returns
/// is the exit status.
///
/// It runs in a process of its own, which has one thread, and the descriptors and the environment of its
/// [`Program`] alone. It may use what [`inside`](crate::inside) offers.
pub type Builtin = (&'static str, fn(Vec<OsString>) -> u8);

/// A program to run in a session, and everything that it gets to see.
///
/// Nothing is inherited: environment, descriptors, signals and umask are what is written here and in
/// [`Session::run`](crate::Session::run).
#[derive(Debug)]
pub struct Program {
    /// What its [`path`](Self::path) names.
    pub code: Code,
    /// The program, as the place where it runs names it. Without a slash it is looked up in the `PATH` of
    /// [`env`](Self::env). Of a built-in program, its name.
    pub path: PathBuf,
    /// `argv[0]`, where it is not [`path`](Self::path): `-sh` for a login shell.
    pub arg0: Option<OsString>,
    /// Its arguments. `argv[0]` is not part of this; a built-in program gets these alone.
    pub args: Vec<OsString>,
    /// Its whole environment.
    pub env: Vec<(OsString, OsString)>,
    /// Its working directory, as the place where it runs names it.
    pub cwd: PathBuf,
    /// Inside the root, or on the host's side.
    pub place: Place,
    /// Whom it runs as.
    pub identity: Identity,
    /// A further descriptor that is its output as 1 and 2 are, when it is run with
    /// [`Session::run`](crate::Session::run): for programs that talk on a descriptor which their children must not have.
    pub also_output: Option<RawFd>,
    /// Descriptors that it gets beside, or instead of, 0, 1 and 2: the number that it sees, and the descriptor.
    /// Numbers from 0 to 255; at most 32 of them.
    pub fds: Vec<(RawFd, OwnedFd)>,
    /// Whether its descriptor 0, one of [`fds`](Self::fds), is a terminal that becomes its controlling terminal
    /// (tty(4), TIOCSCTTY).
    pub terminal: bool,
}

/// Where a program's code comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// A file, which is executed.
    File,
    /// One of the functions that the warden was started with. Nothing is executed.
    Builtin,
}

/// Where a program runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// With the root as its `/`.
    Root,
    /// With the host's `/`, in the session's namespaces: it sees what is mounted in the root.
    Host,
}

/// Whom a program runs as.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Identity {
    /// The caller's user and group. In the root it keeps no supplementary groups: the host's mean nothing
    /// there.
    #[default]
    Same,
    /// These ids and no others.
    Ids {
        /// User id.
        uid: u32,
        /// Group id.
        gid: u32,
        /// Supplementary group ids.
        groups: Vec<u32>,
    },
}

impl Program {
    /// A program inside the root, without arguments and environment, in `/`.
    pub fn in_root(path: impl Into<PathBuf>) -> Self {
        Program {
            code: Code::File,
            path: path.into(),
            arg0: None,
            args: Vec::new(),
            env: Vec::new(),
            cwd: PathBuf::from("/"),
            place: Place::Root,
            identity: Identity::Same,
            also_output: None,
            fds: Vec::new(),
            terminal: false,
        }
    }

    /// A function of this binary, run inside the root: one of those that
    /// [`Warden::start_with`](crate::Warden::start_with) was given.
    pub fn builtin(name: &str) -> Self {
        Program {
            code: Code::Builtin,
            ..Program::in_root(name)
        }
    }

    /// A program of the host, such as a hook, without arguments and environment, in `/`.
    pub fn on_host(path: impl Into<PathBuf>) -> Self {
        Program {
            place: Place::Host,
            ..Program::in_root(path)
        }
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Adds a variable to the environment.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }
}

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// It exited with this code, 0 to 255.
    Exited(i32),
    /// This signal ended it.
    Signaled(i32),
}

impl Status {
    /// Whether it exited with code 0.
    pub fn success(self) -> bool {
        self == Status::Exited(0)
    }

    /// The one number that a shell would show: the exit code, or 128 and the signal.
    pub fn code(self) -> i32 {
        match self {
            Status::Exited(code) => code,
            Status::Signaled(signal) => 128 + signal,
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Status::Exited(code) => write!(f, "exit code {code}"),
            Status::Signaled(signal) => match nix::sys::signal::Signal::try_from(signal) {
                Ok(known) => write!(f, "killed by {}", known.as_str()),
                Err(_) => write!(f, "killed by signal {signal}"),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_in_words() {
        assert_eq!(Status::Exited(2).to_string(), "exit code 2");
        assert_eq!(Status::Signaled(9).to_string(), "killed by SIGKILL");
        assert_eq!(Status::Signaled(40).to_string(), "killed by signal 40");
        assert_eq!(Status::Signaled(15).code(), 143);
        assert!(Status::Exited(0).success());
        assert!(!Status::Signaled(9).success());
    }
}
