use std::io;
use std::path::PathBuf;

use bareroot_model::{Class, Classified};

/// What can go wrong around running a program in a root.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// [`Warden::start`](crate::Warden::start) was called after a thread had been started.
    #[error("the warden must be started before any thread is")]
    Threads,
    /// The warden could not be started.
    #[error("cannot start the warden: {doing}: {source}")]
    Start {
        /// The step that failed.
        doing: &'static str,
        /// Why.
        source: io::Error,
    },
    /// The warden, or the session's first process, ended although nobody asked it to.
    #[error("the processes that watch over `{root}` have ended unexpectedly")]
    Gone {
        /// The root's path on the host.
        root: PathBuf,
    },
    /// A message to the warden could not be sent or received.
    #[error("cannot talk to the processes that watch over `{root}`: {source}")]
    Talk {
        /// The root's path on the host.
        root: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Root's rights were asked for, and this process does not have them.
    #[error(
        "this needs root's rights (CAP_SYS_ADMIN, CAP_CHOWN, CAP_SYS_CHROOT), which this process does not have"
    )]
    NotRoot,
    /// The user has too few subordinate ids, or none.
    #[error("{file} grants `{user}` {found} subordinate ids, expected at least {expected}")]
    NoSubordinateIds {
        /// The user's name, or number where it has none.
        user: String,
        /// The file (subuid(5), subgid(5)).
        file: &'static str,
        /// How many ids it grants.
        found: u64,
        /// How many a root needs.
        expected: u64,
    },
    /// newuidmap(1) or newgidmap(1) is missing or failed.
    #[error("subordinate ids cannot be mapped: {words}")]
    IdMap {
        /// What went wrong, in the program's words.
        words: String,
    },
    /// There can be no user namespace.
    #[error("cannot {doing}: {source}")]
    UserNamespace {
        /// The step that failed.
        doing: &'static str,
        /// Why.
        source: io::Error,
    },
    /// What was to be entered is no directory.
    #[error("cannot enter `{path}`: {source}")]
    NotARoot {
        /// The path on the host.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A directory without a shell, and no command was given.
    #[error("cannot enter `{root}`: it is no root, or has no shell: `/bin/sh` is missing in it")]
    NoShell {
        /// The root's path on the host.
        root: PathBuf,
    },
    /// The root has no such user.
    #[error("`/etc/passwd` in `{root}` has no user `{user}`")]
    NoUser {
        /// The root's path on the host.
        root: PathBuf,
        /// The name or number that was given.
        user: String,
    },
    /// The root has no such group.
    #[error("`/etc/group` in `{root}` has no group `{group}`")]
    NoGroup {
        /// The root's path on the host.
        root: PathBuf,
        /// The name or number that was given.
        group: String,
    },
    /// A user id that the root does not know has no group.
    #[error("`/etc/passwd` in `{root}` has no user with the id {uid}, and so no group for it")]
    GroupNeeded {
        /// The root's path on the host.
        root: PathBuf,
        /// The user id.
        uid: u32,
    },
    /// A file of the root cannot be read.
    #[error("cannot read `{path}` in `{root}`: {source}")]
    Read {
        /// The root's path on the host.
        root: PathBuf,
        /// The path inside the root.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// What is to be shown in the root is not there.
    #[error("cannot show `{path}` in the root: {source}")]
    BindSource {
        /// The path on the host.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The host's terminal cannot be used.
    #[error("cannot {doing}: {source}")]
    Terminal {
        /// The step that failed.
        doing: &'static str,
        /// Why.
        source: io::Error,
    },
    /// The kernel refused private namespaces.
    #[error("cannot make private namespaces for `{root}`: {source}")]
    Namespaces {
        /// The root's path on the host.
        root: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Something that is not what it must be stands where a mount is to go.
    #[error("cannot mount on `{path}` in `{root}`: it is {found}, expected {expected}")]
    MountPoint {
        /// The root's path on the host.
        root: PathBuf,
        /// The path inside the root.
        path: PathBuf,
        /// What must be there (`a directory`).
        expected: &'static str,
        /// What is there (`a symbolic link`).
        found: &'static str,
    },
    /// Another step of preparing the root failed.
    #[error("cannot {doing} for `{root}`: {source}")]
    Setup {
        /// The root's path on the host.
        root: PathBuf,
        /// The step (`mount proc on /proc`).
        doing: String,
        /// Why.
        source: io::Error,
    },
    /// Nothing runs programs of the root's architecture here.
    #[error("nothing on this host runs programs of `{architecture}`: {looked}")]
    NoEmulator {
        /// dpkg's name of the architecture, or rpm's where dpkg has none.
        architecture: &'static str,
        /// What was looked for, and where.
        looked: String,
        /// qemu's name of the architecture; empty where it has none.
        emulator: &'static str,
    },
    /// An emulator could not be registered.
    #[error("cannot {doing} for `{root}`: {source}")]
    Emulator {
        /// The root's path on the host.
        root: PathBuf,
        /// The step that failed.
        doing: String,
        /// Why.
        source: io::Error,
    },
    /// The program could not be run.
    #[error("cannot run `{program}`: {why}", program = program.display(), why = why_text(*why, source))]
    Exec {
        /// The program, as it was asked for.
        program: PathBuf,
        /// What kind of refusal it is.
        why: ExecFailure,
        /// The system's own words.
        source: io::Error,
    },
    /// What was asked for cannot be passed to a program at all.
    #[error("cannot run `{program}`: {what}")]
    Invalid {
        /// The program, as it was asked for.
        program: PathBuf,
        /// What is wrong with the request.
        what: &'static str,
    },
    /// Reading a program's output or its status failed.
    #[error("cannot follow `{program}`: {source}")]
    Follow {
        /// The program, as it was asked for.
        program: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The run was stopped on request; everything that ran in the root is dead.
    #[error("interrupted")]
    Cancelled,
    /// Processes in the root did not die when they were killed (they wait for a device or a network file
    /// system).
    #[error("processes in `{root}` did not end within {seconds} seconds of being killed")]
    Lingering {
        /// The root's path on the host.
        root: PathBuf,
        /// How long was waited.
        seconds: u64,
    },
}

/// Why a program could not be run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ExecFailure {
    /// There is no such file.
    NotFound,
    /// The file is there, but not the interpreter that its first line, or its ELF header, names.
    NoInterpreter,
    /// The file may not be executed: no execute permission, a directory, or a file system mounted `noexec`.
    NotExecutable,
    /// The kernel does not know the file's format: another architecture, or a script without `#!`.
    Format,
    /// The working directory cannot be entered.
    Directory,
    /// The root could not be entered, or the process not be prepared.
    Entry,
    /// A function of this binary panicked; what it had done by then stays done.
    Panicked,
    /// The file is on a file system that is mounted `noexec`.
    NoExecMount,
    /// Its user or group cannot be taken on.
    Identity,
    /// Anything else, such as too long a command line.
    Other,
}

fn why_text(why: ExecFailure, source: &io::Error) -> String {
    match why {
        ExecFailure::NotFound => "no such file".into(),
        ExecFailure::NoInterpreter => "the interpreter that it names is not there".into(),
        ExecFailure::NotExecutable => format!("it cannot be executed: {source}"),
        ExecFailure::Format => "it is neither a program for this machine nor a script with `#!`".into(),
        ExecFailure::Directory => format!("its working directory cannot be entered: {source}"),
        ExecFailure::Entry => format!("its process cannot be prepared: {source}"),
        ExecFailure::NoExecMount => "its file system is mounted `noexec`".into(),
        ExecFailure::Identity => format!("its user and groups cannot be taken on: {source}"),
        ExecFailure::Panicked => "a function of bareroot's own panicked".into(),
        ExecFailure::Other => source.to_string(),
    }
}

impl Error {
    /// The exit code that chroot(1) would give: 125 when bareroot itself failed, 126 when the program cannot
    /// be run, 127 when it was not found.
    pub fn chroot_code(&self) -> u8 {
        match self {
            Error::NoShell { .. }
            | Error::Exec {
                why: ExecFailure::NotFound,
                ..
            } => 127,
            Error::Exec {
                why:
                    ExecFailure::NoInterpreter
                    | ExecFailure::NotExecutable
                    | ExecFailure::NoExecMount
                    | ExecFailure::Format,
                ..
            }
            | Error::NoEmulator { .. } => 126,
            _ => 125,
        }
    }
}

impl Error {
    /// Whether subordinate ids are what is missing.
    pub(crate) fn is_about_ids(&self) -> bool {
        matches!(self, Error::NoSubordinateIds { .. } | Error::IdMap { .. })
    }
}

impl Classified for Error {
    fn class(&self) -> Class {
        match self {
            Error::Threads => Class::Internal,
            // A host without room for a process, or one that was killed for want of memory, is no defect of this program.
            Error::Start { .. }
            | Error::Gone { .. }
            | Error::Talk { .. }
            | Error::NotRoot
            | Error::NoSubordinateIds { .. }
            | Error::IdMap { .. }
            | Error::UserNamespace { .. }
            | Error::Namespaces { .. }
            | Error::NotARoot { .. }
            | Error::NoShell { .. }
            | Error::Read { .. }
            | Error::Terminal { .. }
            | Error::MountPoint { .. }
            | Error::Setup { .. }
            | Error::NoEmulator { .. }
            | Error::Emulator { .. }
            | Error::Lingering { .. } => Class::Target,
            Error::NoUser { .. }
            | Error::NoGroup { .. }
            | Error::GroupNeeded { .. }
            | Error::BindSource { .. } => Class::Usage,
            Error::Exec { .. } | Error::Invalid { .. } | Error::Follow { .. } => Class::Script,
            Error::Cancelled => Class::Interrupted,
        }
    }

    fn hint(&self) -> Option<String> {
        let denied = |source: &io::Error| source.kind() == io::ErrorKind::PermissionDenied;
        match self {
            Error::NotRoot => Some("run it as root, or without `--mode root`".into()),
            Error::NoSubordinateIds { user, file, .. } => Some(format!(
                "`usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {user}`, or a line \
                 `{user}:100000:65536` in {file}, grants them; `--mode single` needs none"
            )),
            Error::IdMap { .. } => Some(
                "newuidmap and newgidmap are in the package uidmap (Debian) or shadow-utils (Fedora); `--mode single` \
                 needs neither"
                    .into(),
            ),
            Error::UserNamespace { .. } => Some(crate::mode::advice()),
            Error::NoEmulator { emulator: "", .. } => None,
            Error::NoEmulator { emulator, .. } => Some(format!(
                "install qemu-user-static (from Debian 13 on: qemu-user), which brings qemu-{emulator}-static or a static \
                 qemu-{emulator}; nothing has to be registered or running"
            )),
            // Not where the emulator itself is what is missing.
            Error::Emulator { source, .. } if source.kind() != io::ErrorKind::NotFound => {
                Some(crate::binfmt::advice())
            }
            Error::Namespaces { source, .. } if denied(source) => {
                Some("run it as root; in a container, it needs the capability CAP_SYS_ADMIN".into())
            }
            Error::NotARoot { source, .. } if source.kind() == io::ErrorKind::NotADirectory => {
                Some("a root is a directory; a tar of one must be unpacked first".into())
            }
            Error::NoShell { .. } => Some("name a program that is in it, after `--`".into()),
            Error::NoUser { .. } | Error::NoGroup { .. } => {
                Some("a number needs no entry there: `--user 1000:1000`".into())
            }
            Error::GroupNeeded { uid, .. } => Some(format!("give the group as well: `--user {uid}:{uid}`")),
            Error::MountPoint { found: "missing", path, .. } => Some(format!(
                "nothing is made in a root: make `{}` in it first, or choose a place below `/run`",
                path.display()
            )),
            Error::MountPoint { found: "a symbolic link", .. } => {
                Some("no link of a root is followed: name the place that it leads to".into())
            }
            Error::Exec {
                why: ExecFailure::NoExecMount,
                ..
            } => Some("`mount -o remount,exec` the file system that the root is on, or copy the root elsewhere".into()),
            Error::Exec {
                why: ExecFailure::Identity,
                ..
            } => Some("in a user namespace without subordinate ids (subuid(5)) there is no user but root".into()),
            Error::Exec {
                why: ExecFailure::NotExecutable,
                ..
            } => Some("check its mode, and that the target's file system is not mounted `noexec`".into()),
            Error::Exec {
                why: ExecFailure::NoInterpreter,
                ..
            } => Some(
                "check the script's first line; for a binary, that its dynamic loader is in the root".into(),
            ),
            Error::Exec {
                why: ExecFailure::Format,
                ..
            } => Some("a root of another architecture needs an emulator on this host".into()),
            _ => None,
        }
    }
}
