//! Registering an emulator for a session alone.

use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};

use nix::sched::CloneFlags;
use nix::sys::wait::{WaitStatus, waitpid};
use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::io::Errno;
use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, fsconfig_create, fsmount, fsopen};
use rustix::pipe::PipeFlags;

use super::Rule;
use crate::message::Failure;
use crate::{mode, sys};

/// What one has to know where it does not work.
pub(crate) fn advice() -> String {
    "an emulator for one session needs Linux 6.7 with binfmt_misc; elsewhere register it on the host with the flag F, as \
     the package qemu-user-static does with systemd-binfmt or update-binfmts"
        .into()
}

/// An emulator that is to be registered, opened while the host's files can be named.
pub(crate) struct Waiting<'rule> {
    rule: &'rule Rule,
    file: OwnedFd,
    /// A /proc in which this process finds its descriptors.
    proc: OwnedFd,
}

impl<'rule> Waiting<'rule> {
    /// Opens it; `proc` is the host's, where there is one.
    pub(crate) fn open(rule: &'rule Rule, proc: Option<&OwnedFd>) -> Result<Self, Failure> {
        let doing = || format!("open the emulator `{}`", rule.path.display());
        let path = OFlags::PATH | OFlags::CLOEXEC;
        let file = openat(CWD, &rule.path, path, Mode::empty())
            .map_err(|error| Failure::emulator(doing(), error))?;
        let hosts = proc.filter(|proc| openat(proc, "self/fd", path, Mode::empty()).is_ok());
        let proc = match hosts.map(OwnedFd::try_clone) {
            Some(Ok(proc)) => proc,
            _ => own_proc().map_err(|error| Failure::emulator("make a proc file system", error))?,
        };
        Ok(Waiting { rule, file, proc })
    }

    /// Registers it in the user namespace of this process, whose working directory is another one then.
    ///
    /// The entry is there as long as what is returned is open.
    pub(crate) fn register(self) -> Result<OwnedFd, Failure> {
        let fail = |doing| move |error: Errno| Failure::emulator(doing, error);
        let table = fsopen("binfmt_misc", FsOpenFlags::FSOPEN_CLOEXEC)
            .and_then(|context| fsconfig_create(context.as_fd()).map(|()| context))
            .map_err(fail("make a binfmt_misc file system"))?;
        let inert = MountAttrFlags::MOUNT_ATTR_NOSUID
            | MountAttrFlags::MOUNT_ATTR_NODEV
            | MountAttrFlags::MOUNT_ATTR_NOEXEC;
        let mounted = fsmount(table.as_fd(), FsMountFlags::FSMOUNT_CLOEXEC, inert)
            .map_err(fail("mount binfmt_misc"))?;
        let entry = openat(
            &mounted,
            "register",
            OFlags::WRONLY | OFlags::CLOEXEC,
            Mode::empty(),
        )
        .map_err(fail("open binfmt_misc's `register`"))?;
        // By its descriptor, as its path may be out of sight by now.
        rustix::process::fchdir(&self.proc).map_err(fail("enter /proc"))?;
        let line = self.rule.line(&format!("self/fd/{}", self.file.as_raw_fd()));
        match rustix::io::write(&entry, line.as_bytes()) {
            Ok(_) => Ok(mounted),
            // Another session's of this run, which was registered for the same architecture: a namespace has one table.
            Err(Errno::EXIST) => Ok(mounted),
            Err(error) => Err(Failure::emulator("register the emulator", error)),
        }
    }
}

/// A /proc of this process' PID namespace, which is nowhere mounted.
fn own_proc() -> rustix::io::Result<OwnedFd> {
    let context = fsopen("proc", FsOpenFlags::FSOPEN_CLOEXEC)?;
    fsconfig_create(context.as_fd())?;
    fsmount(
        context.as_fd(),
        FsMountFlags::FSMOUNT_CLOEXEC,
        MountAttrFlags::empty(),
    )
}

/// Sees to it that the user namespace of this process, which is the session's first, is bareroot's: where it is not, moves
/// it into one with the same ids.
pub(crate) fn own_namespace() -> Result<(), Failure> {
    match mode::is_in_own_namespace() {
        true => Ok(()),
        false => same_ids(),
    }
}

/// Moves this process into a user namespace in which every id is what it was, and into mount, UTS and IPC namespaces that
/// belong to it.
///
/// The mounts that there are stay, with what they show; that is why it comes after them: in the new namespace neither
/// devices nor a /proc for a PID namespace of the old one could be made.
fn same_ids() -> Result<(), Failure> {
    let fail = |doing: &'static str, error: io::Error| Failure::emulator(doing, error);
    let doing = "map the ids of a user namespace";
    let pipe = || rustix::pipe::pipe_with(PipeFlags::CLOEXEC).map_err(|error| fail(doing, error.into()));
    let (waits, go) = pipe()?;
    // The maps are written from outside of the namespace, by who has the rights to all its ids there.
    let helper = match sys::fork().map_err(|error| fail("start a helper process", error))? {
        sys::Side::Parent(pid) => pid,
        sys::Side::Child => {
            drop(go);
            let asked = std::fs::File::from(waits)
                .read(&mut [0])
                .is_ok_and(|got| got == 1);
            let written = if asked { write_maps() } else { Ok(()) };
            sys::exit(
                written
                    .err()
                    .map_or(0, |error| error.raw_os_error().unwrap_or(libc::EIO)),
            )
        }
    };
    drop(waits);
    let flags = CloneFlags::CLONE_NEWUSER
        | CloneFlags::CLONE_NEWNS
        | CloneFlags::CLONE_NEWUTS
        | CloneFlags::CLONE_NEWIPC;
    let made = nix::sched::unshare(flags);
    if made.is_ok() {
        let _ = std::fs::File::from(go).write_all(b"\n");
    } else {
        drop(go);
    }
    let ended = waitpid(helper, None);
    made.map_err(|error| fail("make a user namespace", error.into()))?;
    match ended {
        Ok(WaitStatus::Exited(_, 0)) => Ok(()),
        Ok(WaitStatus::Exited(_, errno)) => Err(fail(doing, io::Error::from_raw_os_error(errno))),
        Ok(_) => Err(fail(doing, io::ErrorKind::Interrupted.into())),
        Err(error) => Err(fail(doing, error.into())),
    }
}

/// Gives process 1 of this PID namespace the ids that this process has, each as itself. A /proc of its own shows it, which
/// is nowhere mounted.
fn write_maps() -> io::Result<()> {
    let proc = own_proc()?;
    for name in ["uid_map", "gid_map"] {
        let open = |process: &str, flags: OFlags| {
            openat(
                &proc,
                format!("{process}/{name}"),
                flags | OFlags::CLOEXEC,
                Mode::empty(),
            )
            .map(std::fs::File::from)
        };
        let mut own = String::new();
        open("self", OFlags::RDONLY)?.read_to_string(&mut own)?;
        // In one piece: the kernel takes a single write(2).
        open("1", OFlags::WRONLY)?.write_all(identity(&own).as_bytes())?;
    }
    Ok(())
}

/// A uid_map(5) that maps the ids of another one to themselves.
fn identity(map: &str) -> String {
    map.lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            let (first, _, count) = (words.next()?, words.next()?, words.next()?);
            Some(format!("{first} {first} {count}\n"))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_stay_what_they_are() {
        assert_eq!(identity("         0          0 4294967295\n"), "0 0 4294967295\n");
        assert_eq!(identity("0 1000 1\n1 100000 65536\n"), "0 0 1\n1 1 65536\n");
    }
}
