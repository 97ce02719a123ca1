//! From a fork to the program: what a new process is, settled in an order that matters.

use std::ffi::{CString, OsStr, OsString};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;

use nix::errno::Errno;
use nix::sched::CloneFlags;
use nix::sys::personality::{self, Persona};
use nix::sys::signal::SigSet;
use nix::unistd::{Gid, Pid, Uid};
use rustix::fs::{Access, Mode, OFlags, StatVfsMountFlags, openat};

use crate::ExecFailure;
use crate::init::tell;
use crate::message::{Report, Start};
use crate::program::{Builtin, Code, Identity, Place};
use crate::room::Room;
use crate::{inside, seccomp, sys};

/// PER_LINUX32 (personality(2)).
const LINUX32: i32 = 0x0008;

/// Where a program without a slash is looked for when its environment has no `PATH`.
const DEFAULT_PATH: &[u8] = b"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Forks and starts a program. After the fork, `report` gets word of what fails.
pub(crate) fn start(room: &Room, start: &Start, report: &OwnedFd, fds: Vec<OwnedFd>) -> io::Result<Pid> {
    let image = match start.code {
        Code::File => Image::of(start)?,
        Code::Builtin => Image::builtin(start, room.builtins),
    };
    if fds.len() != start.targets.len() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    match sys::fork()? {
        sys::Side::Parent(pid) => Ok(pid),
        sys::Side::Child => {
            let body = std::panic::AssertUnwindSafe(|| become_program(room, start, &image, report, fds));
            let _ = std::panic::catch_unwind(body);
            sys::exit(125)
        }
    }
}

/// Returns only when the program did not start, and then has told so.
fn become_program(room: &Room, start: &Start, image: &Image, report: &OwnedFd, fds: Vec<OwnedFd>) {
    // Everything that is still needed goes above the numbers that the program is to see.
    let floor = start
        .targets
        .iter()
        .fold(2, |most, target| most.max(*target))
        .saturating_add(1);
    let Ok(told) = rustix::io::fcntl_dupfd_cloexec(report, floor) else {
        return tell(
            report,
            Report::Refused {
                why: ExecFailure::Entry,
                errno: Errno::last_raw(),
            },
        );
    };
    let (why, errno) = match (arrange(room, start, floor, fds), image) {
        (Ok(()), Image::File(file)) => file.execute(),
        (Ok(()), Image::Builtin(Some(function))) => call(*function, start, &told),
        (Ok(()), Image::Builtin(None)) => (ExecFailure::NotFound, Errno::ENOENT),
        (Err(refusal), _) => refusal,
    };
    tell(
        &told,
        Report::Refused {
            why,
            errno: errno as i32,
        },
    );
}

fn arrange(room: &Room, start: &Start, floor: i32, fds: Vec<OwnedFd>) -> Result<(), (ExecFailure, Errno)> {
    let entry = |error: Errno| (ExecFailure::Entry, error);
    let entry_io = |error: rustix::io::Errno| entry(Errno::from_raw(error.raw_os_error()));
    let entry_std = |error: io::Error| entry(Errno::from_raw(error.raw_os_error().unwrap_or(0)));

    // A session of its own has no terminal: nothing can ask a question, and Ctrl-C is the caller's.
    rustix::process::setsid().map_err(entry_io)?;

    let above = |fd: &OwnedFd| rustix::io::fcntl_dupfd_cloexec(fd, floor).map_err(entry_io);
    let root = above(&room.root)?;
    let null = above(&room.null)?;
    let moved = fds.iter().map(above).collect::<Result<Vec<_>, _>>()?;
    // Before their numbers are given away, or else a target would be closed with them.
    drop(fds);
    for (target, fd) in start.targets.iter().zip(&moved) {
        sys::duplicate_to(fd, *target).map_err(entry_std)?;
    }
    for target in 0..=2 {
        if !start.targets.contains(&target) {
            sys::duplicate_to(&null, target).map_err(entry_std)?;
        }
    }

    if let (true, Identity::Ids { uid, gid, .. }) = (room.one_id, &start.identity)
        && (*uid, *gid) != (0, 0)
    {
        be_alone_as(*uid, *gid, room.proc.as_ref())
            .map_err(|error| (ExecFailure::Identity, Errno::from_raw(error.raw_os_error())))?;
    }
    if start.place == Place::Root {
        rustix::process::fchdir(&root).map_err(entry_io)?;
        rustix::process::chroot(".").map_err(entry_io)?;
        if room.personality32 {
            personality::set(Persona::from_bits_retain(LINUX32)).map_err(entry)?;
        }
        // While the right to do it without no_new_privs is there.
        if room.no_fsync {
            sys::add_filter(&seccomp::sync::nothing()).map_err(entry_std)?;
        }
    }
    if start.terminal {
        let terminal = start.targets.iter().zip(&moved).find(|(target, _)| **target == 0);
        let (_, terminal) = terminal.ok_or_else(|| entry(Errno::EBADF))?;
        rustix::process::ioctl_tiocsctty(terminal).map_err(entry_io)?;
    }
    // After the filters, which need more.
    if let Some(kept) = &room.kept {
        kept.restrict_program().map_err(entry_io)?;
    }
    if !room.one_id {
        identify(&start.identity, start.place).map_err(|error| (ExecFailure::Identity, error))?;
    }
    rustix::process::chdir(&start.cwd)
        .map_err(|error| (ExecFailure::Directory, Errno::from_raw(error.raw_os_error())))?;
    rustix::process::umask(Mode::from_raw_mode(0o022));
    SigSet::empty().thread_set_mask().map_err(entry)
}

/// Gives the one id that there is another number, in a user namespace below: whoever this program is to be. What is of no
/// other owner is its own then. Comes before chroot(2), after which there may be no such namespace (user_namespaces(7)).
fn be_alone_as(uid: u32, gid: u32, proc: Option<&OwnedFd>) -> rustix::io::Result<()> {
    let (user, group) = (rustix::process::geteuid(), rustix::process::getegid());
    let proc = proc.ok_or(rustix::io::Errno::NOSYS)?;
    nix::sched::unshare(CloneFlags::CLONE_NEWUSER)
        .map_err(|error| rustix::io::Errno::from_raw_os_error(error as i32))?;
    let write = |file: &str, text: &str| {
        let flags = OFlags::WRONLY | OFlags::CLOEXEC;
        let file = openat(proc, format!("self/{file}"), flags, Mode::empty())?;
        rustix::io::write(&file, text.as_bytes()).map(|_| ())
    };
    write("setgroups", "deny")?;
    write("uid_map", &format!("{uid} {} 1", user.as_raw()))?;
    write("gid_map", &format!("{gid} {} 1", group.as_raw()))
}

fn identify(identity: &Identity, place: Place) -> nix::Result<()> {
    match identity {
        Identity::Same if place == Place::Host => Ok(()),
        Identity::Same => match nix::unistd::setgroups(&[]) {
            // Not ours to change, as in some containers; then there is nothing of the host's to leak either.
            Err(Errno::EPERM) => Ok(()),
            other => other,
        },
        Identity::Ids { uid, gid, groups } => {
            let groups: Vec<Gid> = groups.iter().copied().map(Gid::from_raw).collect();
            let (uid, gid) = (Uid::from_raw(*uid), Gid::from_raw(*gid));
            match nix::unistd::setgroups(&groups) {
                // A user namespace of one id has no other group to be in (user_namespaces(7)).
                Err(Errno::EPERM) if uid == Uid::current() && gid == Gid::current() => {}
                other => other?,
            }
            nix::unistd::setresgid(gid, gid, gid)?;
            nix::unistd::setresuid(uid, uid, uid)
        }
    }
}

/// Runs a function as the program, after what an exec would do for it: no descriptor but the program's own, no environment
/// but its own. Returns only when the function panicked.
fn call(function: fn(Vec<OsString>) -> u8, start: &Start, told: &OwnedFd) -> (ExecFailure, Errno) {
    let mut keep: Vec<RawFd> = start.targets.iter().copied().chain(0..=2).collect();
    keep.push(told.as_raw_fd());
    sys::close_all_but(&mut keep);
    sys::set_environment(&start.env);
    let args = start.args.clone();
    match std::panic::catch_unwind(|| function(args)) {
        Ok(status) => inside::exit(status),
        Err(_) => (ExecFailure::Panicked, Errno::UnknownErrno),
    }
}

/// What is run, made ready before the fork.
enum Image {
    File(File),
    Builtin(Option<fn(Vec<OsString>) -> u8>),
}

/// What an exec needs.
struct File {
    /// The paths to try in turn.
    paths: Vec<CString>,
    args: Vec<CString>,
    env: Vec<CString>,
}

fn c_string(bytes: &[u8]) -> io::Result<CString> {
    CString::new(bytes).map_err(|_| io::ErrorKind::InvalidInput.into())
}

impl Image {
    fn of(start: &Start) -> io::Result<Image> {
        let name = start.path.as_os_str().as_bytes();
        let arg0 = start.arg0.as_deref().unwrap_or(start.path.as_os_str());
        let args = std::iter::once(arg0).chain(start.args.iter().map(AsRef::as_ref));
        let env = start
            .env
            .iter()
            .map(|(name, value)| c_string(&[name.as_bytes(), b"=", value.as_bytes()].concat()));
        Ok(Image::File(File {
            paths: candidates(
                name,
                start
                    .env
                    .iter()
                    .find(|(name, _)| name == "PATH")
                    .map(|(_, path)| path.as_ref()),
            )?,
            args: args
                .map(|arg: &OsStr| c_string(arg.as_bytes()))
                .collect::<Result<_, _>>()?,
            env: env.collect::<Result<_, _>>()?,
        }))
    }

    /// The function of that name, where there is one.
    fn builtin(start: &Start, builtins: &[Builtin]) -> Image {
        let found = builtins.iter().find(|(name, _)| start.path.as_os_str() == *name);
        Image::Builtin(found.map(|(_, function)| *function))
    }
}

impl File {
    /// execve(2) of each candidate; returns why the last one that matters failed.
    fn execute(&self) -> (ExecFailure, Errno) {
        let mut refusal = (ExecFailure::NotFound, Errno::ENOENT);
        for path in &self.paths {
            let Err(errno) = nix::unistd::execve(path, &self.args, &self.env);
            let why = match errno {
                Errno::ENOENT if rustix::fs::access(path, Access::EXISTS).is_ok() => {
                    ExecFailure::NoInterpreter
                }
                // On with the search, which remembers a file that was there.
                Errno::ENOENT | Errno::ENOTDIR => continue,
                Errno::EACCES => {
                    let noexec = rustix::fs::statvfs(path)
                        .is_ok_and(|mount| mount.f_flag.contains(StatVfsMountFlags::NOEXEC));
                    let why = match noexec {
                        true => ExecFailure::NoExecMount,
                        false => ExecFailure::NotExecutable,
                    };
                    refusal = (why, errno);
                    continue;
                }
                Errno::ENOEXEC => ExecFailure::Format,
                _ => ExecFailure::Other,
            };
            return (why, errno);
        }
        refusal
    }
}

/// The paths that a program's name may mean. Empty and relative members of `PATH` are left out: the working
/// directory may be anyone's.
fn candidates(name: &[u8], path: Option<&OsStr>) -> io::Result<Vec<CString>> {
    if name.contains(&b'/') {
        return Ok(vec![c_string(name)?]);
    }
    let path = path.map_or(DEFAULT_PATH, OsStrExt::as_bytes);
    path.split(|byte| *byte == b':')
        .filter(|directory| directory.starts_with(b"/"))
        .map(|directory| c_string(&[directory, b"/", name].concat()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_without_a_slash_are_searched() {
        let of = |name: &str, path: Option<&str>| {
            let found = candidates(name.as_bytes(), path.map(OsStr::new)).unwrap();
            found
                .iter()
                .map(|path| path.to_str().unwrap().to_owned())
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(of("ls", Some("/a::b:/c/:.")), "/a/ls /c//ls");
        assert_eq!(of("x/ls", Some("/a")), "x/ls");
        assert_eq!(of("/ls", None), "/ls");
        assert_eq!(of("ls", Some("")), "");
        assert!(of("ls", None).ends_with(" /bin/ls"));
    }
}
