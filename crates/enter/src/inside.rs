//! What a built-in program may do with its own process, as it is not executed and has no program of the root to do it.
//!
//! Everything here asks that the process have one thread, as a built-in program's process has; it is refused in any other.

use std::ffi::OsStr;
use std::io::{self, Write as _};
use std::os::fd::{AsFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt as _;

use crate::sys;

fn alone() -> io::Result<()> {
    match sys::alone() {
        true => Ok(()),
        false => Err(io::ErrorKind::ResourceBusy.into()),
    }
}

/// Writes what Rust's and C's streams hold.
fn flush() {
    let _ = io::stdout().flush();
    sys::flush_streams();
}

/// fork(2): the child's process id, or `None` in the child. The child ends at the latest where the built-in program would.
/// What was printed before is written first, so that it is not written twice.
///
/// # Errors
/// What fork(2) says; [`io::ErrorKind::ResourceBusy`] among threads.
pub fn fork() -> io::Result<Option<i32>> {
    alone()?;
    flush();
    Ok(match sys::fork()? {
        sys::Side::Parent(pid) => Some(pid.as_raw()),
        sys::Side::Child => None,
    })
}

/// Ends the process at once, with everything written that was printed.
pub fn exit(status: u8) -> ! {
    flush();
    sys::exit(status.into())
}

/// setenv(3), and unsetenv(3) without a value.
///
/// # Errors
/// [`io::ErrorKind::InvalidInput`] for what is no name or value of a variable; [`io::ErrorKind::ResourceBusy`] among threads.
pub fn set_variable(name: &OsStr, value: Option<&OsStr>) -> io::Result<()> {
    alone()?;
    let zero = |text: &OsStr| text.as_bytes().contains(&0);
    if name.is_empty() || name.as_bytes().contains(&b'=') || zero(name) || value.is_some_and(zero) {
        return Err(io::Error::from_raw_os_error(libc::EINVAL));
    }
    sys::set_variable(name, value);
    Ok(())
}

/// A descriptor that the program was given, by its number; it is not passed on to what the program executes.
///
/// # Errors
/// EBADF where it was given none of that number.
pub fn descriptor(number: RawFd) -> io::Result<OwnedFd> {
    sys::duplicate(number)
}

/// dup2(2) onto one of the numbers 0, 1 and 2, which nothing owns; the copy stays open across an exec.
///
/// # Errors
/// EBADF for any other number; what dup2(2) says; [`io::ErrorKind::ResourceBusy`] among threads.
pub fn redirect(fd: impl AsFd, target: RawFd) -> io::Result<()> {
    alone()?;
    if !(0..=2).contains(&target) {
        return Err(io::Error::from_raw_os_error(libc::EBADF));
    }
    sys::duplicate_to(fd, target)
}
