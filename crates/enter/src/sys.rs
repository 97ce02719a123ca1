//! The system calls that the safe wrappers lack, and nothing else. Each function says what it asks of its
//! caller.
#![allow(unsafe_code)]

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, IntoRawFd, OwnedFd, RawFd};

use nix::unistd::Pid;

/// Which side of a fork this is.
pub(crate) enum Side {
    Parent(Pid),
    Child,
}

/// fork(2). The caller must be the only thread of its process, or else the child may find locks held for ever:
/// [`alone`] tells. The child must leave by [`exit`], never by returning into its parent's code.
pub(crate) fn fork() -> io::Result<Side> {
    // SAFETY: as the only thread, the child's memory is in no state that another thread left half changed.
    match unsafe { nix::unistd::fork() }? {
        nix::unistd::ForkResult::Parent { child } => Ok(Side::Parent(child)),
        nix::unistd::ForkResult::Child => Ok(Side::Child),
    }
}

/// fork(2) whose child is in the new namespaces `flags` (clone(2)). The same conditions as [`fork`].
pub(crate) fn fork_into(flags: nix::sched::CloneFlags) -> io::Result<Side> {
    let flags = flags.bits() as libc::c_ulong | libc::SIGCHLD as libc::c_ulong;
    let none: libc::c_ulong = 0;
    // SAFETY: without a stack and without CLONE_VM this is fork(2): the child goes on in its own copy of this
    // stack. The order of the unused arguments differs between architectures; all are zero. The C library's
    // copy of the thread id stays the parent's, which only functions read that this crate's children never
    // call (pthread_create and on).
    let result = unsafe { libc::syscall(libc::SYS_clone, flags, none, none, none, none) };
    match result {
        -1 => Err(io::Error::last_os_error()),
        0 => Ok(Side::Child),
        pid => Ok(Side::Parent(Pid::from_raw(pid as libc::pid_t))),
    }
}

/// Ends the process at once: no destructor, no buffer, no exit handler of the parent's runs twice.
pub(crate) fn exit(code: i32) -> ! {
    // SAFETY: _exit has no precondition.
    unsafe { libc::_exit(code) }
}

/// Writes out what the C library's streams hold (fflush(3) of all), which [`exit`] would lose.
pub(crate) fn flush_streams() {
    // SAFETY: fflush of a null pointer has no precondition.
    unsafe { libc::fflush(std::ptr::null_mut()) };
}

/// Makes these variables the whole environment. The caller must be the only thread of its process: [`alone`] tells.
pub(crate) fn set_environment(variables: &[(OsString, OsString)]) {
    for (name, _) in std::env::vars_os() {
        set_variable(&name, None);
    }
    for (name, value) in variables {
        set_variable(name, Some(value));
    }
}

/// Sets a variable of the environment, or takes it away. The same condition as for [`set_environment`]; the name must not be
/// empty nor hold `=`, and neither may hold a zero byte.
pub(crate) fn set_variable(name: &OsStr, value: Option<&OsStr>) {
    match value {
        // SAFETY: no other thread is there to read the environment meanwhile.
        Some(value) => unsafe { std::env::set_var(name, value) },
        // SAFETY: as above.
        None => unsafe { std::env::remove_var(name) },
    }
}

/// Whether the calling thread is the only one of its process. Needs no `/proc`.
pub(crate) fn alone() -> bool {
    // unshare(2): CLONE_THREAD does nothing for a process of one thread and is EINVAL for any other. Other
    // errors come from sandboxes that forbid the call and say nothing of threads.
    nix::sched::unshare(nix::sched::CloneFlags::CLONE_THREAD) != Err(nix::errno::Errno::EINVAL)
}

/// Makes `target` another number of `fd`, open across an exec; what `target` was before is closed.
///
/// The caller must not hold an owner of `target`: it is for a process that is about to exec and to forget all
/// others.
pub(crate) fn duplicate_to(fd: impl AsFd, target: RawFd) -> io::Result<()> {
    if fd.as_fd().as_raw_fd() == target {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    // SAFETY: by the condition above, nobody who would use or close `target` is left in this process.
    let duplicate = unsafe { nix::unistd::dup2_raw(fd, target) }?;
    let _: RawFd = duplicate.into_raw_fd();
    Ok(())
}

/// Another number of the descriptor of a number; neither is passed on across an exec.
pub(crate) fn duplicate(number: RawFd) -> io::Result<OwnedFd> {
    if number < 0 {
        return Err(io::Error::from_raw_os_error(libc::EBADF));
    }
    // SAFETY: the number is used within this function alone, to ask for a duplicate; one that is not open is EBADF.
    let fd = unsafe { BorrowedFd::borrow_raw(number) };
    rustix::io::fcntl_setfd(fd, rustix::io::FdFlags::CLOEXEC)?;
    Ok(rustix::io::fcntl_dupfd_cloexec(fd, 3)?)
}

/// Closes every descriptor but those in `keep`.
///
/// For a new process that will not run its parent's code again: owners of the closed ones must never be
/// dropped in it.
pub(crate) fn close_all_but(keep: &mut [RawFd]) {
    keep.sort_unstable();
    let mut first = 0;
    for &mut kept in &mut *keep {
        if first < kept {
            close_range(first, kept - 1);
        }
        first = kept.saturating_add(1);
    }
    close_range(first, RawFd::MAX);
}

fn close_range(first: RawFd, last: RawFd) {
    let none: libc::c_ulong = 0;
    // SAFETY: closing descriptors is sound under the condition that `close_all_but` states.
    let done = unsafe {
        libc::syscall(
            libc::SYS_close_range,
            first as libc::c_ulong,
            last as libc::c_ulong,
            none,
        )
    };
    if done == 0 {
        return;
    }
    // Before Linux 5.9. Numbers above the soft limit could only be there if it was lowered since; an
    // unlimited process is not gone through to the end, its high descriptors being its parent's deliberate
    // choice.
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile)
        .current
        .unwrap_or(65_536);
    let end = RawFd::try_from(limit.min(65_536)).unwrap_or(65_536);
    for fd in first..=last.min(end) {
        // SAFETY: as above; a number that is not open is EBADF and changes nothing.
        unsafe { libc::close(fd) };
    }
}

/// Gives every signal its default effect again. What is blocked stays blocked.
pub(crate) fn default_signals() {
    // A struct sigaction of the kernel's, in which zero is SIG_DFL, no flag and no mask; larger than on any
    // architecture.
    let default = [0_u64; 8];
    let set_size: libc::c_ulong = 8;
    for signal in 1..=64 as libc::c_ulong {
        // Not by sigaction(3): it refuses the two signals that the C library keeps for itself, and a parent
        // with another C library may have left just these ignored.
        // SAFETY: SIG_DFL installs no code; the kernel reads from `default` less than it holds. SIGKILL and
        // SIGSTOP are refused, and are never anything else.
        unsafe {
            libc::syscall(
                libc::SYS_rt_sigaction,
                signal,
                default.as_ptr(),
                std::ptr::null::<u64>(),
                set_size,
            )
        };
    }
}

/// Adds a seccomp filter to this process and its descendants. `instructions` are (code, jt, jf, k) of BPF.
///
/// It does not set no_new_privs, which would take their effect from setuid programs; so it needs CAP_SYS_ADMIN.
pub(crate) fn add_filter(instructions: &[(u16, u8, u8, u32)]) -> io::Result<()> {
    let mut filter: Vec<libc::sock_filter> = instructions
        .iter()
        .map(|&(code, jt, jf, k)| libc::sock_filter { code, jt, jf, k })
        .collect();
    let len = u16::try_from(filter.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    let program = libc::sock_fprog {
        len,
        filter: filter.as_mut_ptr(),
    };
    let mode = libc::c_ulong::from(libc::SECCOMP_MODE_FILTER);
    // SAFETY: `program` points to `len` instructions that live across the call; the kernel copies and checks
    // them.
    let result = unsafe { libc::prctl(libc::PR_SET_SECCOMP, mode, &program as *const libc::sock_fprog) };
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Adds a seccomp filter to the calling thread and to the threads that it starts. The thread has no_new_privs, or
/// CAP_SYS_ADMIN. A filter without instructions is EINVAL.
pub(crate) fn confine_thread(instructions: &[(u16, u8, u8, u32)]) -> io::Result<()> {
    let mut filter: Vec<libc::sock_filter> = instructions
        .iter()
        .map(|&(code, jt, jf, k)| libc::sock_filter { code, jt, jf, k })
        .collect();
    let len = u16::try_from(filter.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    let program = libc::sock_fprog {
        len,
        filter: filter.as_mut_ptr(),
    };
    // Before Linux 5.16 a filter slows the whole thread down unless it says that speculation is none of its concern.
    let flags = libc::SECCOMP_FILTER_FLAG_SPEC_ALLOW;
    // SAFETY: `program` points to `len` instructions that live across the call; the kernel copies and checks
    // them.
    let result = unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            libc::c_ulong::from(libc::SECCOMP_SET_MODE_FILTER),
            flags,
            &program as *const libc::sock_fprog,
        )
    };
    match result {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// A program that waits in a filtered system call (seccomp_unotify(2)).
pub(crate) struct Waiting {
    pub(crate) id: u64,
    /// Its thread, as the reader's process namespace numbers it.
    pub(crate) pid: u32,
    pub(crate) architecture: u32,
    pub(crate) number: u32,
    pub(crate) args: [u64; 6],
}

/// What it is told.
pub(crate) enum Reply {
    /// The call's result.
    Value(i64),
    /// The call's error number.
    Error(i32),
    /// The kernel carries the call out.
    Kernel,
}

/// Adds a filter as [`add_filter`] does, and returns the descriptor at which its notifications arrive.
pub(crate) fn add_listener(instructions: &[(u16, u8, u8, u32)]) -> io::Result<OwnedFd> {
    let mut filter: Vec<libc::sock_filter> = instructions
        .iter()
        .map(|&(code, jt, jf, k)| libc::sock_filter { code, jt, jf, k })
        .collect();
    let len = u16::try_from(filter.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    let program = libc::sock_fprog {
        len,
        filter: filter.as_mut_ptr(),
    };
    // SAFETY: as in `add_filter`; the result is a new descriptor that nobody else owns.
    unsafe {
        let fd = libc::syscall(
            libc::SYS_seccomp,
            libc::c_ulong::from(libc::SECCOMP_SET_MODE_FILTER),
            libc::SECCOMP_FILTER_FLAG_NEW_LISTENER,
            &program as *const libc::sock_fprog,
        );
        match fd {
            0.. => Ok(std::os::fd::FromRawFd::from_raw_fd(fd as RawFd)),
            _ => Err(io::Error::last_os_error()),
        }
    }
}

/// SECCOMP_IOCTL_NOTIF_SET_FLAGS with SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP. A kernel before 6.6 refuses, and is slower.
pub(crate) fn listener_wakes_at_once(listener: &OwnedFd) {
    const SET_FLAGS: libc::c_ulong = 0x4008_2104; // _IOW('!', 4, u64)
    const SYNC_WAKE_UP: libc::c_ulong = 1;
    // SAFETY: the argument is a number; the descriptor is borrowed for the call.
    unsafe { libc::ioctl(listener.as_raw_fd(), SET_FLAGS as _, SYNC_WAKE_UP) };
}

/// Takes the next waiting program; ENOENT when it has been killed.
pub(crate) fn listener_receive(listener: &OwnedFd) -> io::Result<Waiting> {
    // SAFETY: the structure is plain numbers, for which zero is what the kernel asks for; it is as large as the kernel's.
    let (result, notice) = unsafe {
        let mut notice: libc::seccomp_notif = std::mem::zeroed();
        let result = libc::ioctl(listener.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_RECV, &mut notice);
        (result, notice)
    };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(Waiting {
        id: notice.id,
        pid: notice.pid,
        architecture: notice.data.arch,
        number: notice.data.nr as u32,
        args: notice.data.args,
    })
}

/// Lets a waiting program go on; ENOENT when it has been killed.
pub(crate) fn listener_reply(listener: &OwnedFd, id: u64, reply: Reply) -> io::Result<()> {
    let (val, error, flags) = match reply {
        Reply::Value(value) => (value, 0, 0),
        Reply::Error(number) => (0, -number, 0),
        Reply::Kernel => (0, 0, libc::SECCOMP_USER_NOTIF_FLAG_CONTINUE as u32),
    };
    let mut response = libc::seccomp_notif_resp {
        id,
        val,
        error,
        flags,
    };
    // SAFETY: the structure is the kernel's and lives across the call.
    let result = unsafe {
        libc::ioctl(
            listener.as_raw_fd(),
            libc::SECCOMP_IOCTL_NOTIF_SEND,
            &mut response,
        )
    };
    match result {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// The machine's `struct stat` of a file, changed, as its bytes.
pub(crate) fn stat_bytes(file: &OwnedFd, change: impl FnOnce(&mut libc::stat)) -> io::Result<Vec<u8>> {
    let mut stat = stat_of(file)?;
    change(&mut stat);
    Ok(bytes_of(&stat))
}

fn stat_of(file: &OwnedFd) -> io::Result<libc::stat> {
    // SAFETY: zero is a value of every field; fstat(2) fills the structure that it is given. The C library's structure is
    // the kernel's on 64-bit machines.
    unsafe {
        let mut stat: libc::stat = std::mem::zeroed();
        match libc::fstat(file.as_raw_fd(), &mut stat) {
            0 => Ok(stat),
            _ => Err(io::Error::last_os_error()),
        }
    }
}

/// `struct statx` of a file, changed, as its bytes. Of `flags` only those count that say how fresh the answer must be.
pub(crate) fn statx_bytes(
    file: &OwnedFd,
    flags: i32,
    mask: u32,
    change: impl FnOnce(&mut libc::statx),
) -> io::Result<Vec<u8>> {
    const SYNC: i32 = libc::AT_STATX_FORCE_SYNC | libc::AT_STATX_DONT_SYNC;
    // SAFETY: zero is a value of every field; the path is a NUL-terminated string; statx(2) fills what it is given.
    let mut stat = unsafe {
        let mut stat: libc::statx = std::mem::zeroed();
        let flags = (flags & SYNC) | libc::AT_EMPTY_PATH | libc::AT_SYMLINK_NOFOLLOW;
        match libc::statx(file.as_raw_fd(), c"".as_ptr(), flags, mask, &mut stat) {
            0 => stat,
            _ => return Err(io::Error::last_os_error()),
        }
    };
    change(&mut stat);
    Ok(bytes_of(&stat))
}

/// A structure of numbers, as its bytes.
fn bytes_of<T: Copy>(value: &T) -> Vec<u8> {
    let mut bytes = vec![0_u8; size_of::<T>()];
    // SAFETY: `bytes` is as long as the value. Both structures that this is called with come from zeroed memory that the
    // kernel wrote whole, so padding holds bytes too.
    unsafe { std::ptr::copy_nonoverlapping((value as *const T).cast(), bytes.as_mut_ptr(), bytes.len()) };
    bytes
}

/// `struct stat64` of 32-bit x86 and ARM programs (asm/stat.h), filled from the machine's own and changed.
pub(crate) fn stat64_bytes(file: &OwnedFd, change: impl FnOnce(&mut libc::stat)) -> io::Result<Vec<u8>> {
    let mut stat = stat_of(file)?;
    change(&mut stat);
    Ok(crate::supervise::stat64::render(
        &stat,
        cfg!(target_arch = "aarch64"),
    ))
}

/// Flags of struct mount_attr (mount_setattr(2)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MountAttributes(u64);

impl MountAttributes {
    pub(crate) const NONE: Self = MountAttributes(0);
    pub(crate) const RDONLY: Self = MountAttributes(0x1);
    pub(crate) const NOSUID: Self = MountAttributes(0x2);
    pub(crate) const NODEV: Self = MountAttributes(0x4);
    pub(crate) const NOEXEC: Self = MountAttributes(0x8);
}

impl std::ops::BitOr for MountAttributes {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        MountAttributes(self.0 | other.0)
    }
}

impl std::ops::BitOrAssign for MountAttributes {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

/// mount_setattr(2): sets attributes of the mount of a descriptor, and of all below it. ENOSYS before Linux 5.12.
pub(crate) fn mount_setattr(mount: impl AsFd, recursive: bool, set: MountAttributes) -> io::Result<()> {
    const AT_RECURSIVE: libc::c_int = 0x8000;
    // struct mount_attr: attr_set, attr_clr, propagation, userns_fd.
    let attributes = [set.0, 0, 0, 0];
    let flags = libc::AT_EMPTY_PATH | if recursive { AT_RECURSIVE } else { 0 };
    // SAFETY: the path is an empty C string; the kernel reads as many bytes of `attributes` as it is told to.
    let result = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            mount.as_fd().as_raw_fd(),
            c"".as_ptr(),
            flags,
            attributes.as_ptr(),
            std::mem::size_of_val(&attributes),
        )
    };
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Sets IFF_UP on the interface `lo` of this network namespace (netdevice(7)).
pub(crate) fn loopback_up() -> io::Result<()> {
    let socket = rustix::net::socket_with(
        rustix::net::AddressFamily::INET,
        rustix::net::SocketType::DGRAM,
        rustix::net::SocketFlags::CLOEXEC,
        None,
    )?;
    // SAFETY: all of it is numbers and arrays of numbers, for which zero is a value.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(b"lo") {
        *to = *from as libc::c_char;
    }
    request.ifr_ifru.ifru_flags = libc::IFF_UP as libc::c_short;
    // SAFETY: SIOCSIFFLAGS reads a struct ifreq with a name that ends, and flags.
    let result = unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS as _, &request) };
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Whether a signal is ignored by this process (sigaction(2)).
pub(crate) fn is_ignored(signal: libc::c_int) -> bool {
    // SAFETY: all of it is numbers and a pointer that may be null, for which zero is a value.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    // SAFETY: without a new action, the call only writes the present one into `action`.
    let result = unsafe { libc::sigaction(signal, std::ptr::null(), &mut action) };
    result == 0 && action.sa_sigaction == libc::SIG_IGN
}
