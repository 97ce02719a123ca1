//! Extended attributes: ACLs and capabilities are some of them (xattr(7)).

use std::cell::RefCell;
use std::ffi::CStr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::XattrFlags;
use rustix::io::Errno;

/// The kernel's own bound on a list of names and on a value.
const MOST: usize = 64 * 1024;

/// Names and values, in the order of the names.
pub(crate) type Attributes = Vec<(Vec<u8>, Vec<u8>)>;

/// Whose attributes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Subject<'s> {
    /// An open file's.
    File(BorrowedFd<'s>),
    /// Those of a name, itself, should it be a link.
    Path(&'s Path),
}

/// A path to a name in an open directory. What cannot be opened (a link, a device) has its attributes by a path alone, and the
/// one path that begins at a descriptor goes through /proc.
pub(crate) fn path_of(directory: BorrowedFd<'_>, name: &CStr) -> PathBuf {
    let mut path = PathBuf::from(format!("/proc/self/fd/{}", directory.as_raw_fd()));
    path.push(std::ffi::OsStr::from_bytes(name.to_bytes()));
    path
}

impl Subject<'_> {
    fn list(self, names: &mut [u8]) -> rustix::io::Result<usize> {
        match self {
            Subject::File(fd) => rustix::fs::flistxattr(fd, names),
            Subject::Path(path) => rustix::fs::llistxattr(path, names),
        }
    }

    fn get(self, name: &[u8], value: &mut [u8]) -> rustix::io::Result<usize> {
        match self {
            Subject::File(fd) => rustix::fs::fgetxattr(fd, name, value),
            Subject::Path(path) => rustix::fs::lgetxattr(path, name, value),
        }
    }

    fn set(self, name: &[u8], value: &[u8]) -> rustix::io::Result<()> {
        match self {
            Subject::File(fd) => rustix::fs::fsetxattr(fd, name, value, XattrFlags::empty()),
            Subject::Path(path) => rustix::fs::lsetxattr(path, name, value, XattrFlags::empty()),
        }
    }

    /// All of them. A file system that has none is no error, and without /proc a path has none that can be told.
    pub(crate) fn read(self) -> rustix::io::Result<Attributes> {
        thread_local! {
            static NAMES: RefCell<Vec<u8>> = RefCell::new(vec![0; MOST]);
        }
        NAMES.with_borrow_mut(|names| {
            let length = match (self.list(names), self) {
                (Ok(0) | Err(Errno::NOTSUP), _) => return Ok(Vec::new()),
                (Err(Errno::NOENT | Errno::NOTDIR | Errno::ACCESS), Subject::Path(_)) => {
                    return Ok(Vec::new());
                }
                (found, _) => found?,
            };
            let mut all = Attributes::new();
            let names = names.get(..length).unwrap_or_default();
            for name in names.split(|&byte| byte == 0).filter(|name| !name.is_empty()) {
                let mut value = vec![0; MOST];
                match self.get(name, &mut value) {
                    Ok(length) => value.truncate(length),
                    // It went away since it was listed, or is not this user's to read.
                    Err(Errno::NODATA | Errno::PERM | Errno::NOTSUP) => continue,
                    Err(error) => return Err(error),
                }
                value.shrink_to_fit();
                all.push((name.to_vec(), value));
            }
            all.sort_unstable();
            Ok(all)
        })
    }

    /// Sets them; `lost` is told the name of each that the file system or the kernel does not take.
    pub(crate) fn write(
        self,
        attributes: &Attributes,
        mut lost: impl FnMut(&[u8]),
    ) -> rustix::io::Result<()> {
        for (name, value) in attributes {
            match self.set(name, value) {
                Ok(()) => {}
                Err(Errno::NOTSUP | Errno::PERM | Errno::INVAL | Errno::ACCESS) => lost(name),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// Takes the ACLs of a new directory away that it has from the one it is in: they would go on to all that is made in it.
pub(crate) fn clear_acls(directory: impl AsFd) {
    for name in [c"system.posix_acl_default", c"system.posix_acl_access"] {
        // Most have none, and some file systems know none.
        let _ = rustix::fs::fremovexattr(&directory, name);
    }
}
