//! Small files and single paths: what the rooms that prepare, record and finish need.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use bareroot_ledger::FileId;
use rustix::fs::{AtFlags, Mode, OFlags, RenameFlags, Timespec, Timestamps, UTIME_OMIT};
use rustix::io::Errno;

use super::node::{DirEntry, FileKind, Node, Stat};
use super::remove::{list, remove_tree};
use super::{Error, Root};
use crate::staging::random_suffix;
use crate::sys;

/// The largest file that [`Root::read`] takes: far above any database of a distribution, far below memory.
const READ_LIMIT: u64 = 256 << 20;

impl Root {
    /// The content of a file.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::TooLarge`] above 256 MiB.
    pub fn read(&self, path: impl AsRef<Path>) -> Result<Vec<u8>, Error> {
        self.read_up_to(path, READ_LIMIT)
    }

    /// The content of a file that may be as large as `limit`, in bytes.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::TooLarge`] above the limit.
    pub fn read_up_to(&self, path: impl AsRef<Path>, limit: u64) -> Result<Vec<u8>, Error> {
        let path = path.as_ref();
        let file = self.open_file(path)?;
        let fail = |e| Error::io("read", self.host(path), e);
        let size = file.metadata().map_err(fail)?.len();
        let too_large = |size| Error::TooLarge {
            path: self.host(path),
            size,
            limit,
        };
        if size > limit {
            return Err(too_large(size));
        }
        let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
        file.take(limit.saturating_add(1))
            .read_to_end(&mut bytes)
            .map_err(fail)?;
        let read = bytes.len() as u64;
        if read > limit {
            return Err(too_large(size.max(read)));
        }
        Ok(bytes)
    }

    /// The content of a file, `None` when there is none.
    ///
    /// # Errors
    /// As [`Root::read`].
    pub fn read_if_exists(&self, path: impl AsRef<Path>) -> Result<Option<Vec<u8>>, Error> {
        match self.read(path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Makes a file of `mode` with this content, owned by root where we are root. It replaces what had the name, at once:
    /// a file is whole or as before, and a symbolic link in the last place is replaced, not followed.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::NoSpace`].
    pub fn write(&self, path: impl AsRef<Path>, mode: u32, bytes: &[u8]) -> Result<(), Error> {
        let path = path.as_ref();
        let (dir, name) = self.parent("write", path)?;
        let fail = |e| Error::io("write", self.host(path), e);
        let (temp, file) = temporary(&dir).map_err(fail)?;
        let done = self
            .fill(&file, mode, bytes)
            .and_then(|()| Ok(rustix::fs::renameat(&dir, temp.as_str(), &dir, name)?));
        if done.is_err() {
            let _ = rustix::fs::unlinkat(&dir, temp.as_str(), AtFlags::empty());
        }
        done.map_err(fail)
    }

    /// Adds to the end of a file, making it with `mode` when it does not exist. A link in the last place is followed
    /// inside the root.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::NoSpace`].
    pub fn append(&self, path: impl AsRef<Path>, mode: u32, bytes: &[u8]) -> Result<(), Error> {
        let path = path.as_ref();
        let fail = |e| Error::io("write", self.host(path), e);
        let open = |flags, mode| {
            self.resolver
                .open(self.as_fd(), path.as_os_str().as_bytes(), flags, mode)
        };
        let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::NOCTTY | OFlags::NONBLOCK;
        match open(flags | OFlags::CREATE | OFlags::EXCL, Mode::from_raw_mode(0o600)) {
            Ok(fd) => self.fill(&File::from(fd), mode, bytes).map_err(fail),
            Err(Errno::EXIST) => {
                let fd = open(flags, Mode::empty()).map_err(|e| fail(e.into()))?;
                File::from(fd).write_all(bytes).map_err(fail)
            }
            Err(error) => Err(fail(error.into())),
        }
    }

    /// Makes a directory of exactly `mode`.
    ///
    /// # Errors
    /// [`Error::Io`], also when something has the name.
    pub fn create_dir(&self, path: impl AsRef<Path>, mode: u32) -> Result<(), Error> {
        let path = path.as_ref();
        let (dir, name) = self.parent("create", path)?;
        make_dir(&dir, name, mode).map_err(|e| Error::io("create", self.host(path), e))
    }

    /// Makes a directory and those above it, each of `mode`; what exists stays as it is.
    ///
    /// # Errors
    /// [`Error::Io`], also when something on the way is no directory.
    pub fn create_dir_all(&self, path: impl AsRef<Path>, mode: u32) -> Result<(), Error> {
        let path = path.as_ref();
        let mut upto = PathBuf::from("/");
        for component in path.components() {
            upto.push(component);
            if upto == Path::new("/")
                || self
                    .stat(&upto)?
                    .is_some_and(|stat| stat.kind == FileKind::Directory)
            {
                continue;
            }
            match self.create_dir(&upto, mode) {
                Err(error) if error.raw_os_error() == Some(libc::EEXIST) => {
                    // Another thread was first, or it is no directory; opening it tells.
                    self.open_dir(&upto)?;
                }
                result => result?,
            }
        }
        Ok(())
    }

    /// Makes a symbolic link at `path` with this text.
    ///
    /// # Errors
    /// [`Error::Io`], also when something has the name.
    pub fn symlink(&self, text: impl AsRef<Path>, path: impl AsRef<Path>) -> Result<(), Error> {
        let path = path.as_ref();
        let (dir, name) = self.parent("create", path)?;
        rustix::fs::symlinkat(text.as_ref(), &dir, name).map_err(|e| Error::io("create", self.host(path), e))
    }

    /// Makes `path` another name of the file `existing`; a link in its last place is not followed.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn hard_link(&self, existing: impl AsRef<Path>, path: impl AsRef<Path>) -> Result<(), Error> {
        let path = path.as_ref();
        let (from_dir, from) = self.parent("open", existing.as_ref())?;
        let (dir, name) = self.parent("create", path)?;
        rustix::fs::linkat(&from_dir, from, &dir, name, AtFlags::empty())
            .map_err(|e| Error::io("create", self.host(path), e))
    }

    /// Makes a device node or a named pipe of exactly `mode`.
    ///
    /// # Errors
    /// [`Error::Io`], also when something has the name, and without the right to make devices.
    pub fn mknod(&self, path: impl AsRef<Path>, node: Node, mode: u32) -> Result<(), Error> {
        let path = path.as_ref();
        let (dir, name) = self.parent("create", path)?;
        self.owners
            .node(dir.as_fd(), name, node, mode)
            .map_err(|e| Error::io("create", self.host(path), e))
    }

    /// Removes a file, a link, a node or an empty directory.
    ///
    /// # Errors
    /// [`Error::Io`], also when there is nothing.
    pub fn remove(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        let path = path.as_ref();
        let (dir, name) = self.parent("remove", path)?;
        let gone = match rustix::fs::unlinkat(&dir, name, AtFlags::empty()) {
            // POSIX says EPERM for a directory, Linux EISDIR.
            Err(Errno::ISDIR | Errno::PERM) => rustix::fs::unlinkat(&dir, name, AtFlags::REMOVEDIR),
            result => result,
        };
        gone.map_err(|e| Error::io("remove", self.host(path), e))
    }

    /// Removes a path with everything below it, following no link and entering no mount; nothing there is fine.
    ///
    /// # Errors
    /// [`Error::Io`] for the first thing that could not be removed.
    pub fn remove_all(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        let path = path.as_ref();
        match self.parent("remove", path) {
            Ok((dir, name)) => remove_tree(dir.as_fd(), name, &self.host(path)),
            Err(error) if error.is_not_found() => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Renames; what has the new name is replaced if it is no directory with content.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn rename(&self, from: impl AsRef<Path>, to: impl AsRef<Path>) -> Result<(), Error> {
        let from = from.as_ref();
        let (from_dir, old) = self.parent("rename", from)?;
        let (to_dir, new) = self.parent("rename", to.as_ref())?;
        rustix::fs::renameat(&from_dir, old, &to_dir, new)
            .map_err(|e| Error::io("rename", self.host(from), e))
    }

    /// Renames, if nothing has the new name.
    ///
    /// # Errors
    /// [`Error::Io`] with `EEXIST` when something has.
    pub fn rename_new(&self, from: impl AsRef<Path>, to: impl AsRef<Path>) -> Result<(), Error> {
        let from = from.as_ref();
        let (from_dir, old) = self.parent("rename", from)?;
        let (to_dir, new) = self.parent("rename", to.as_ref())?;
        rename_noreplace(&from_dir, old, &to_dir, new).map_err(|e| Error::io("rename", self.host(from), e))
    }

    /// What is at `path`, following links inside the root; `None` when nothing is.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn stat(&self, path: impl AsRef<Path>) -> Result<Option<Stat>, Error> {
        self.stat_with(path.as_ref(), OFlags::PATH)
    }

    /// What is at `path`, itself, should it be a link; `None` when nothing is.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn lstat(&self, path: impl AsRef<Path>) -> Result<Option<Stat>, Error> {
        self.stat_with(path.as_ref(), OFlags::PATH | OFlags::NOFOLLOW)
    }

    fn stat_with(&self, path: &Path, flags: OFlags) -> Result<Option<Stat>, Error> {
        let look = |fd: OwnedFd| -> std::io::Result<Stat> {
            let mut stat = Stat::of(&rustix::fs::fstat(&fd)?);
            self.owners.overlay(&mut stat, || FileId::of(&fd))?;
            Ok(stat)
        };
        match self
            .lookup("look at", path, flags)
            .and_then(|fd| look(fd).map_err(|e| Error::io("look at", self.host(path), e)))
        {
            Ok(stat) => Ok(Some(stat)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Asks the file system to write what it holds to the disk (syncfs(2)).
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn sync(&self) -> Result<(), Error> {
        rustix::fs::syncfs(self).map_err(|e| Error::io("sync", self.path(), e))
    }

    /// Waits until a file, or a directory's names, are on the disk (fsync(2)). Unlike [`Root::sync`] this writes nothing of anybody
    /// else's. Links are followed inside the root.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn sync_at(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        let path = path.as_ref();
        // A pipe in the file's place would be waited for.
        let flags = OFlags::RDONLY | OFlags::NONBLOCK;
        let file = self.lookup("sync", path, flags)?;
        rustix::fs::fsync(&file).map_err(|e| Error::io("sync", self.host(path), e))
    }

    /// Whether there is anything at `path`, following links inside the root.
    ///
    /// # Errors
    /// [`Error::Io`] when that cannot be said.
    pub fn exists(&self, path: impl AsRef<Path>) -> Result<bool, Error> {
        Ok(self.stat(path)?.is_some())
    }

    /// The text of a symbolic link; `None` when there is nothing, or no link.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn read_link(&self, path: impl AsRef<Path>) -> Result<Option<Vec<u8>>, Error> {
        let path = path.as_ref();
        let (dir, name) = match self.parent("read", path) {
            Err(error) if error.is_not_found() => return Ok(None),
            result => result?,
        };
        match rustix::fs::readlinkat(&dir, name, Vec::new()) {
            Ok(text) => Ok(Some(text.into_bytes())),
            Err(Errno::NOENT | Errno::INVAL | Errno::NAMETOOLONG) => Ok(None),
            Err(error) => Err(Error::io("read", self.host(path), error)),
        }
    }

    /// The names in a directory, in byte order.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn read_dir(&self, path: impl AsRef<Path>) -> Result<Vec<DirEntry>, Error> {
        let path = path.as_ref();
        let fail = |e: Errno| Error::io("read", self.host(path), e);
        let dir = self.open_dir(path)?;
        let mut entries = Vec::new();
        for name in list(dir.as_fd()).map_err(fail)? {
            match rustix::fs::statat(&dir, OsStr::from_bytes(&name), AtFlags::SYMLINK_NOFOLLOW) {
                Ok(stat) => entries.push(DirEntry {
                    kind: Stat::of(&stat).kind,
                    name,
                }),
                Err(Errno::NOENT) => {}
                Err(error) => return Err(fail(error)),
            }
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    /// Sets the mode of a path, which may not be a link itself.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn chmod(&self, path: impl AsRef<Path>, mode: u32) -> Result<(), Error> {
        let path = path.as_ref();
        if is_root(path) {
            let mode = Mode::from_raw_mode(mode);
            return rustix::fs::fchmod(self, mode).map_err(|e| Error::io("set the mode of", self.path(), e));
        }
        let (dir, name) = self.parent("set the mode of", path)?;
        sys::chmod_nofollow(dir.as_fd(), name, mode)
            .map_err(|e| Error::io("set the mode of", self.host(path), e))
    }

    /// Sets owner and group of a path itself, should it be a link. The kernel takes setuid and setgid bits from a file: set
    /// the mode afterwards.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn chown(&self, path: impl AsRef<Path>, uid: u32, gid: u32) -> Result<(), Error> {
        let path = path.as_ref();
        let fail = |e| Error::io("set the owner of", self.host(path), e);
        if is_root(path) {
            return self.owners.set(self, uid, gid).map_err(fail);
        }
        let (dir, name) = self.parent("set the owner of", path)?;
        self.owners.set_at(&dir, name, uid, gid).map_err(fail)
    }

    /// Writes a new file, which is root's where we are root.
    pub(super) fn fill(&self, mut file: &File, mode: u32, bytes: &[u8]) -> std::io::Result<()> {
        file.write_all(bytes)?;
        if rustix::process::geteuid().is_root() {
            self.owners.set(file, 0, 0)?;
        }
        Ok(rustix::fs::fchmod(file, Mode::from_raw_mode(mode))?)
    }

    /// Sets an extended attribute of a regular file, no link being followed in its name.
    ///
    /// # Errors
    /// [`Error::Io`], also where the file system has no such attributes.
    pub fn set_xattr(&self, path: impl AsRef<Path>, name: &[u8], value: &[u8]) -> Result<(), Error> {
        let path = path.as_ref();
        let fail = |e| Error::io("set an attribute of", self.host(path), e);
        let (dir, file) = self.parent("set an attribute of", path)?;
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let fd = rustix::fs::openat(&dir, file, flags, Mode::empty()).map_err(fail)?;
        rustix::fs::fsetxattr(&fd, name, value, rustix::fs::XattrFlags::empty()).map_err(fail)
    }

    /// Sets the modification time of a path itself, should it be a link; seconds since 1970.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn set_mtime(&self, path: impl AsRef<Path>, seconds: i64) -> Result<(), Error> {
        let path = path.as_ref();
        let fail = |e| Error::io("set the time of", self.host(path), e);
        if is_root(path) {
            return rustix::fs::futimens(self, &mtime(seconds)).map_err(fail);
        }
        let (dir, name) = self.parent("set the time of", path)?;
        rustix::fs::utimensat(&dir, name, &mtime(seconds), AtFlags::SYMLINK_NOFOLLOW).map_err(fail)
    }
}

fn is_root(path: &Path) -> bool {
    path.as_os_str().is_empty() || path == Path::new("/")
}

/// A modification time in whole seconds, as archives have it; the access time stays.
pub(crate) fn mtime(seconds: i64) -> Timestamps {
    Timestamps {
        last_access: Timespec {
            tv_sec: 0,
            tv_nsec: UTIME_OMIT as _,
        },
        last_modification: Timespec {
            tv_sec: seconds as _,
            tv_nsec: 0,
        },
    }
}

/// A new file that nobody else opens, in the directory where it will be renamed.
pub(super) fn temporary(dir: &OwnedFd) -> std::io::Result<(String, File)> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    loop {
        let name = format!(".bareroot-{}", random_suffix());
        match rustix::fs::openat(dir, name.as_str(), flags, Mode::from_raw_mode(0o600)) {
            Ok(fd) => return Ok((name, File::from(fd))),
            Err(Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// `mkdirat` with a mode that the umask does not touch. With the usual umask it has its mode at once: whoever is killed between two
/// calls would leave a mirror with a directory that no server can read.
fn make_dir(dir: &OwnedFd, name: &[u8], mode: u32) -> std::io::Result<()> {
    rustix::fs::mkdirat(dir, name, Mode::from_raw_mode(mode))?;
    let made = Stat::of(&rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW)?);
    if made.kind == FileKind::Directory && made.mode == mode {
        return Ok(());
    }
    // The umask, a default ACL, or the set-group-ID bit of the parent took part.
    crate::sys::chmod_nofollow(dir.as_fd(), name, mode)
}

/// `RENAME_NOREPLACE`, and a look before the leap on file systems that lack it.
pub(crate) fn rename_noreplace(
    from_dir: &OwnedFd,
    from: &[u8],
    to_dir: &OwnedFd,
    to: &[u8],
) -> rustix::io::Result<()> {
    match rustix::fs::renameat_with(from_dir, from, to_dir, to, RenameFlags::NOREPLACE) {
        Err(Errno::INVAL | Errno::NOSYS) => match rustix::fs::statat(to_dir, to, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(_) => Err(Errno::EXIST),
            Err(Errno::NOENT) => rustix::fs::renameat(from_dir, from, to_dir, to),
            Err(error) => Err(error),
        },
        result => result,
    }
}
