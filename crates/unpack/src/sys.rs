//! The system calls that rustix does not wrap.
#![allow(unsafe_code)]

use std::ffi::CString;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use rustix::fs::{AtFlags, Mode, OFlags};

/// `fchmodat2(2)`, the same number on every architecture.
const FCHMODAT2: libc::c_long = 452;

/// Sets the mode of `name` in `dir` without following it when it is a symbolic link (which then is an error).
///
/// Kernels before 6.6 lack the call; there the mode is set through `/proc/self/fd`, and where there is no /proc, by a
/// plain `fchmodat` after a look at what `name` is.
pub(crate) fn chmod_nofollow(dir: BorrowedFd<'_>, name: &[u8], mode: u32) -> io::Result<()> {
    let c_name = CString::new(name)?;
    // SAFETY: the descriptor is borrowed for the call and the name is a NUL-terminated string that outlives it.
    let result = unsafe {
        libc::syscall(
            FCHMODAT2,
            dir.as_raw_fd(),
            c_name.as_ptr(),
            mode as libc::mode_t,
            libc::AT_SYMLINK_NOFOLLOW,
        )
    };
    if result == 0 {
        return Ok(());
    }
    let error = io::Error::last_os_error();
    match error.raw_os_error() {
        // Docker's older seccomp profiles say EPERM to calls that they do not know.
        Some(libc::ENOSYS | libc::EPERM) => chmod_without_fchmodat2(dir, name, mode, error),
        _ => Err(error),
    }
}

fn chmod_without_fchmodat2(
    dir: BorrowedFd<'_>,
    name: &[u8],
    mode: u32,
    refused: io::Error,
) -> io::Result<()> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let fd = rustix::fs::openat(dir, name, flags, Mode::empty())?;
    if rustix::fs::FileType::from_raw_mode(rustix::fs::fstat(&fd)?.st_mode) == rustix::fs::FileType::Symlink {
        return Err(io::Error::from_raw_os_error(libc::EOPNOTSUPP));
    }
    let mode = Mode::from_raw_mode(mode);
    let by_proc = format!("/proc/self/fd/{}", fd.as_fd().as_raw_fd());
    match rustix::fs::chmod(by_proc.as_str(), mode) {
        Ok(()) => Ok(()),
        Err(rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR) => {
            Ok(rustix::fs::chmodat(dir, name, mode, AtFlags::empty())?)
        }
        Err(rustix::io::Errno::PERM) => Err(refused),
        Err(error) => Err(error.into()),
    }
}

/// The C library's own fnmatch(3), without flags, for comparison.
#[cfg(test)]
pub(crate) fn fnmatch(pattern: &str, path: &str) -> bool {
    let (Ok(pattern), Ok(path)) = (CString::new(pattern), CString::new(path)) else {
        return false;
    };
    // SAFETY: both are NUL-terminated strings that outlive the call.
    unsafe { libc::fnmatch(pattern.as_ptr(), path.as_ptr(), 0) == 0 }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_mode_of_a_node_but_not_through_a_link() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        std::fs::write(&file, b"").unwrap();
        std::os::unix::fs::symlink("file", dir.path().join("link")).unwrap();
        let fd = std::fs::File::open(dir.path()).unwrap();
        let mode = || std::fs::metadata(&file).unwrap().permissions().mode() & 0o7777;
        for set in [
            chmod_nofollow as fn(BorrowedFd<'_>, &[u8], u32) -> io::Result<()>,
            |dir, name, mode| {
                chmod_without_fchmodat2(dir, name, mode, io::Error::from_raw_os_error(libc::EPERM))
            },
        ] {
            set(fd.as_fd(), b"file", 0o4751).unwrap();
            assert_eq!(mode(), 0o4751);
            assert!(set(fd.as_fd(), b"link", 0o777).is_err());
            assert_eq!(mode(), 0o4751);
            set(fd.as_fd(), b"file", 0o600).unwrap();
        }
    }
}
