//! Files that are written piece by piece, and directories that change places.

use std::fs::File;
use std::os::fd::AsRawFd as _;
use std::path::Path;

use rustix::fs::{Mode, OFlags, RenameFlags};
use rustix::io::Errno;

use super::{Error, Root};

impl Root {
    /// Makes a file of `mode` that nothing has the name of yet, and opens it for writing.
    ///
    /// # Errors
    /// [`Error::Io`], also when something has the name.
    pub fn create_file(&self, path: impl AsRef<Path>, mode: u32) -> Result<File, Error> {
        let path = path.as_ref();
        let (dir, name) = self.parent("create", path)?;
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Mode::from_raw_mode(mode);
        let make = || {
            // With the usual umask it has its mode at once, whoever is killed in between.
            let fd = rustix::fs::openat(&dir, name, flags, mode)?;
            // The umask must not take part.
            rustix::fs::fchmod(&fd, mode)?;
            Ok::<_, Errno>(fd)
        };
        make()
            .map(File::from)
            .map_err(|e| Error::io("create", self.host(path), e))
    }

    /// Opens a file for reading and writing, making it with `mode` when there is none. No link in the last place is followed.
    ///
    /// # Errors
    /// [`Error::Io`], also for what is no regular file.
    pub fn open_or_create_file(&self, path: impl AsRef<Path>, mode: u32) -> Result<File, Error> {
        let path = path.as_ref();
        let (dir, name) = self.parent("open", path)?;
        let fail = |e| Error::io("open", self.host(path), e);
        // NONBLOCK: nobody may be at the other end of a pipe.
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
        let open = || rustix::fs::openat(&dir, name, flags | OFlags::CLOEXEC, Mode::from_raw_mode(mode));
        let file = open().map(File::from).map_err(|e| fail(e.into()))?;
        match file.metadata().map_err(fail)?.is_file() {
            true => Ok(file),
            false => Err(fail(std::io::Error::other("it is no regular file"))),
        }
    }

    /// Lets two names change places, in one step where the file system can do that (`RENAME_EXCHANGE`); else the first is
    /// gone for a moment.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn exchange(&self, one: impl AsRef<Path>, other: impl AsRef<Path>) -> Result<(), Error> {
        let (one, other) = (one.as_ref(), other.as_ref());
        let (one_dir, one_name) = self.parent("rename", one)?;
        let (other_dir, other_name) = self.parent("rename", other)?;
        let fail = |e| Error::io("rename", self.host(one), e);
        match rustix::fs::renameat_with(&one_dir, one_name, &other_dir, other_name, RenameFlags::EXCHANGE) {
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
                let aside = format!(".bareroot-{}", one_dir.as_raw_fd());
                rustix::fs::renameat(&one_dir, one_name, &other_dir, aside.as_str()).map_err(fail)?;
                rustix::fs::renameat(&other_dir, other_name, &one_dir, one_name).map_err(fail)?;
                rustix::fs::renameat(&other_dir, aside.as_str(), &other_dir, other_name).map_err(fail)
            }
            result => result.map_err(fail),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn a_file_is_new_and_no_link_is_followed() {
        let directory = tempfile::tempdir().unwrap();
        let root = Root::open(directory.path()).unwrap();
        root.create_file("a", 0o644).unwrap().write_all(b"a").unwrap();
        assert!(root.create_file("a", 0o644).is_err());
        root.symlink("/elsewhere", "b").unwrap();
        assert!(root.create_file("b", 0o644).is_err());
        assert_eq!(root.read("a").unwrap(), b"a");
    }

    #[test]
    fn a_file_is_opened_or_made_and_nothing_else_is() {
        let directory = tempfile::tempdir().unwrap();
        let root = Root::open(directory.path()).unwrap();
        for text in [b"a", b"b"] {
            root.open_or_create_file("a", 0o644)
                .unwrap()
                .write_all(text)
                .unwrap();
            assert_eq!(root.read("a").unwrap(), text);
        }
        root.symlink("a", "link").unwrap();
        root.mknod("pipe", crate::Node::Fifo, 0o644).unwrap();
        for name in ["link", "pipe", "."] {
            assert!(root.open_or_create_file(name, 0o644).is_err(), "{name}");
        }
    }

    #[test]
    fn two_directories_change_places() {
        let directory = tempfile::tempdir().unwrap();
        let root = Root::open(directory.path()).unwrap();
        root.create_dir_all("x/one", 0o755).unwrap();
        root.create_dir_all("two", 0o755).unwrap();
        root.write("x/one/a", 0o644, b"a").unwrap();
        root.exchange("x/one", "two").unwrap();
        assert_eq!(root.read("two/a").unwrap(), b"a");
        assert!(!root.exists("x/one/a").unwrap());
    }
}
