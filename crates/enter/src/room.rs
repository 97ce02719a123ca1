//! Makes the place where programs run: namespaces around the root, mounts in it.
//!
//! The root is hostile: it may hold symbolic links where directories are to be. So a mount never names a path
//! of it. The mount point is walked to by descriptor, one component after the other and no link followed,
//! becomes the working directory, and `.` is mounted on. This needs neither `/proc` on the host nor system
//! calls newer than openat(2).

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use nix::sched::CloneFlags;
use rustix::fs::{CWD, FileType, Mode, OFlags, PROC_SUPER_MAGIC};
use rustix::mount::{MountPropagationFlags, mount_change};
use rustix::process::{chdir, chroot, fchdir};

use crate::binfmt::Waiting;
use crate::caps::Kept;
use crate::message::{Failure, Setup};
use crate::program::Builtin;
use crate::seccomp::owners::{self, Owners};
use crate::spec::{Access, Confinement, Mounts, Network};
use crate::{binfmt, devices, extras, host_files, masks, mounts, network, pivot, sys};

/// What programs are started from.
pub(crate) struct Room {
    /// The root, as the session's own mount namespace has it.
    pub(crate) root: OwnedFd,
    /// The null device, or the next best.
    pub(crate) null: OwnedFd,
    pub(crate) no_fsync: bool,
    pub(crate) personality32: bool,
    /// Whether there is one id only, which is whoever a program is to be.
    pub(crate) one_id: bool,
    /// A /proc for a program's own maps, where there is one id only.
    pub(crate) proc: Option<OwnedFd>,
    pub(crate) builtins: &'static [Builtin],
    /// The table of emulators, whose entry is gone when this is closed.
    _emulator: Option<OwnedFd>,
    /// What programs keep of root's capabilities, where they do not keep them all.
    pub(crate) kept: Option<Kept>,
    /// Both ends of the session's terminal, until they are given away.
    pub(crate) terminal: Option<(OwnedFd, OwnedFd)>,
}

/// A room, and what the caller is told of it.
pub(crate) struct Made {
    pub(crate) room: Room,
    /// What had to be left out.
    pub(crate) notes: Vec<String>,
    /// Where calls about owners are asked.
    pub(crate) listener: Option<OwnedFd>,
}

/// Makes the room, in a process that is the first of a new PID namespace.
pub(crate) fn make(setup: &Setup, root: OwnedFd, builtins: &'static [Builtin]) -> Result<Made, Failure> {
    let mut notes = Vec::new();
    // Modes are meant as they are written below.
    rustix::process::umask(Mode::empty());

    // A descriptor goes on meaning the old namespace's mounts; the working directory moves to the new one's.
    fchdir(&root).map_err(|error| Failure::step("enter the directory", error))?;
    nix::sched::unshare(CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWUTS | CloneFlags::CLONE_NEWIPC)
        .map_err(|error| Failure::Namespaces { errno: error as i32 })?;
    let root = open_directory(".").map_err(|error| Failure::step("open the directory", error))?;
    let top = open_directory("/").map_err(|error| Failure::step("open the host's root", error))?;
    keep_private(&root, &top).map_err(|error| Failure::step("make the mounts private", error))?;
    drop(top);
    let mut proc = (setup.owners != Owners::Real || setup.emulator.is_some())
        .then(|| open_directory("/proc").ok())
        .flatten();
    // While the host's files can be named.
    let waiting = setup
        .emulator
        .as_ref()
        .map(|rule| Waiting::open(rule, proc.as_ref()))
        .transpose()?;
    // Before sysfs is mounted, which shows the devices of the network that it is mounted in.
    if setup.network == Network::Loopback {
        network::own()?;
    }
    let (root, pivots) = match setup.confinement {
        Confinement::None if setup.root_access == Access::ReadOnly => {
            return Err(Failure::step("make the root read-only", rustix::io::Errno::INVAL));
        }
        Confinement::None => (root, false),
        Confinement::Tree | Confinement::Rights => match pivot::attach(&root, setup, &mut notes)? {
            Some(tree) => (tree, true),
            None => (root, false),
        },
    };

    if let Some(name) = &setup.hostname {
        nix::unistd::sethostname(name).map_err(|error| Failure::step("set the host name", error))?;
    }
    let full = setup.mounts == Mounts::Full;
    if setup.mounts != Mounts::None {
        mounts::standard(&root, !full, &mut notes)?;
        extras::fill(&root, &setup.extras)?;
    }
    let mut own = Vec::new();
    let mut terminal = None;
    if full {
        let read_only = setup.root_access == Access::ReadOnly;
        mounts::scratch(&root, read_only, &mut notes)?;
        own.extend(["/run", "/dev"]);
        own.extend(read_only.then_some("/tmp"));
        terminal = console(&root, setup.terminal, &mut notes)?;
    }
    if setup.confinement == Confinement::Rights {
        masks::proc(&root)?;
    }
    for file in &setup.host_files {
        host_files::show(&root, file, &mut notes)?;
    }
    for bind in &setup.binds {
        mounts::make_way(&root, bind, &own)?;
        mounts::bind(&root, bind)?;
    }
    for cover in &setup.covers {
        extras::cover(&root, cover)?;
    }
    chdir("/").map_err(|error| Failure::step("leave the directory", error))?;
    if pivots {
        pivot::away(&root, &mut notes)?;
        // Whatever this process has open, programs may come by: the host's would show them the host.
        proc = proc.and_then(|_| own_proc(&root));
    }
    let (root, emulator) = match waiting {
        Some(waiting) => {
            // It may move this process to other mount namespaces: as above, the root has to be opened again.
            fchdir(&root).map_err(|error| Failure::step("enter the directory", error))?;
            binfmt::own_namespace()?;
            let root = open_directory(".").map_err(|error| Failure::step("open the directory", error))?;
            let emulator = waiting.register()?;
            chdir("/").map_err(|error| Failure::step("leave the directory", error))?;
            (root, Some(emulator))
        }
        None => (root, None),
    };

    let mut no_fsync = setup.no_fsync;
    if no_fsync && rustix::thread::secure_computing_mode().is_err() {
        notes.push("fsync is left as it is: this kernel has no seccomp".into());
        no_fsync = false;
    }
    let null = null_device(&root).map_err(|error| Failure::step("open a null device", error))?;
    // Last, for this process is under it as well: what it has yet to do is never asked for.
    let listener = watch_owners(setup.owners, &mut notes)?;
    Ok(Made {
        room: Room {
            root,
            null,
            no_fsync,
            personality32: setup.personality32,
            one_id: setup.owners != Owners::Real,
            proc,
            builtins,
            _emulator: emulator,
            kept: (setup.confinement == Confinement::Rights)
                .then(|| Kept::of(setup.network == Network::Loopback, no_fsync)),
            terminal,
        },
        notes,
        listener,
    })
}

/// Puts this process, and so all programs of the session, under the filter for owners that are not real.
fn watch_owners(who: Owners, notes: &mut Vec<String>) -> Result<Option<OwnedFd>, Failure> {
    let step = |error| Failure::step("answer for owners (seccomp)", error);
    let lie = || sys::add_filter(&owners::filter(Owners::Lied)).map_err(step);
    match who {
        Owners::Real => Ok(None),
        Owners::Lied => lie().map(|()| None),
        Owners::Asked => match sys::add_listener(&owners::filter(Owners::Asked)) {
            Ok(listener) => Ok(Some(listener)),
            // Something around us, a container's runtime, is asked already; or the kernel is older than 5.0.
            Err(error) if matches!(error.raw_os_error(), Some(libc::EBUSY | libc::EINVAL)) => {
                notes.push(format!(
                    "owners that scripts give to files are not recorded: {error}"
                ));
                lie().map(|()| None)
            }
            Err(error) => Err(step(error)),
        },
    }
}

/// The /proc that the session has mounted. The root's own directory of that name is not mistaken for it.
fn own_proc(root: &OwnedFd) -> Option<OwnedFd> {
    let proc = mounts::walk(root, "/proc".as_ref(), true).ok()?;
    let kind = rustix::fs::fstatfs(&proc).ok()?.f_type;
    (kind == PROC_SUPER_MAGIC).then_some(proc)
}

/// The console of a full `/dev`, and the session's terminal where one is wanted.
fn console(
    root: &OwnedFd,
    wanted: bool,
    notes: &mut Vec<String>,
) -> Result<Option<(OwnedFd, OwnedFd)>, Failure> {
    if mounts::walk(root, "/dev/null".as_ref(), false).is_err() {
        // The root has no /dev to mount on, which is noted.
        return Ok(None);
    }
    if wanted {
        match devices::terminal(root) {
            Ok(both) => return Ok(Some(both)),
            Err(Failure::Step { doing, errno }) => {
                let why = io::Error::from_raw_os_error(errno);
                notes.push(format!(
                    "the session has no terminal of its own: cannot {doing}: {why}"
                ));
            }
            Err(other) => return Err(other),
        }
    }
    devices::no_console(root).map(|()| None)
}

fn open_directory(path: &str) -> rustix::io::Result<OwnedFd> {
    rustix::fs::openat(
        CWD,
        path,
        OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC,
        Mode::empty(),
    )
}

/// Cuts this namespace's mounts off from the host's, so that none of ours shows up there.
fn keep_private(root: &OwnedFd, top: &OwnedFd) -> rustix::io::Result<()> {
    let private = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
    match mount_change("/", private) {
        Err(rustix::io::Errno::INVAL) => {}
        other => return other,
    }
    // `/` is no mount point: we are in a chroot. The mount that it lies on begins further up, where one gets
    // by having a root that one is not below. Only this process, in a namespace of its own, goes there, and
    // at once comes back.
    fchdir(root)?;
    chroot(".")?;
    fchdir(top)?;
    let mut result = Err(rustix::io::Errno::INVAL);
    for _ in 0..4096 {
        chdir("..")?;
        result = mount_change(".", private);
        if result != Err(rustix::io::Errno::INVAL) {
            break;
        }
    }
    fchdir(top)?;
    chroot(".")?;
    result
}

/// The root's own null device if it is one by now, else the host's, else an empty file in memory, which ends
/// at once when it is read.
fn null_device(root: &OwnedFd) -> io::Result<OwnedFd> {
    let flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NOCTTY | OFlags::NONBLOCK;
    let device = |directory: &OwnedFd| {
        let null = rustix::fs::openat(
            directory,
            "null",
            OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC,
            Mode::empty(),
        )
        .ok()?;
        if !is_null(&null) {
            return None;
        }
        rustix::fs::openat(directory, "null", flags, Mode::empty())
            .ok()
            .filter(|null| is_null(null))
    };
    let below = |parent: &OwnedFd| {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        rustix::fs::openat(parent, "dev", flags, Mode::empty()).ok()
    };
    let host = open_directory("/")?;
    if let Some(null) = below(root)
        .and_then(|dev| device(&dev))
        .or_else(|| below(&host).and_then(|dev| device(&dev)))
    {
        return Ok(null);
    }
    let flags = rustix::fs::MemfdFlags::CLOEXEC;
    Ok(rustix::fs::memfd_create("null", flags)?)
}

fn is_null(fd: impl AsFd) -> bool {
    rustix::fs::fstat(fd).is_ok_and(|stat| {
        FileType::from_raw_mode(stat.st_mode) == FileType::CharacterDevice
            && stat.st_rdev == rustix::fs::makedev(1, 3)
    })
}
