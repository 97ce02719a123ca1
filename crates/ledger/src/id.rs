use std::ffi::OsStr;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt as _;

use rustix::fs::{AtFlags, StatxFlags};

/// An inode, told apart also from a later one of the same number: by the time of its birth, where the file system has that
/// (statx(2), `stx_btime`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FileId {
    device: (u32, u32),
    inode: u64,
    born: (i64, u32),
}

impl FileId {
    /// The file of a descriptor; `O_PATH` is enough.
    ///
    /// # Errors
    /// What statx(2) says.
    pub fn of(fd: impl AsFd) -> io::Result<FileId> {
        Self::look(fd, "", AtFlags::EMPTY_PATH | AtFlags::SYMLINK_NOFOLLOW)
    }

    /// The file of a name in a directory, itself, should it be a link.
    ///
    /// # Errors
    /// What statx(2) says.
    pub fn at(directory: impl AsFd, name: &[u8]) -> io::Result<FileId> {
        Self::look(directory, OsStr::from_bytes(name), AtFlags::SYMLINK_NOFOLLOW)
    }

    fn look(directory: impl AsFd, name: impl AsRef<OsStr>, flags: AtFlags) -> io::Result<FileId> {
        let wanted = StatxFlags::INO | StatxFlags::BTIME;
        let stat = rustix::fs::statx(directory, name.as_ref(), flags, wanted)?;
        let has_birth = stat.stx_mask & StatxFlags::BTIME.bits() != 0;
        Ok(FileId {
            device: (stat.stx_dev_major, stat.stx_dev_minor),
            inode: stat.stx_ino,
            born: match has_birth {
                true => (stat.stx_btime.tv_sec, stat.stx_btime.tv_nsec),
                false => (0, 0),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_one_file_are_one_and_links_are_their_own() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        std::fs::write(at("a"), "").unwrap();
        std::fs::hard_link(at("a"), at("b")).unwrap();
        std::os::unix::fs::symlink("a", at("c")).unwrap();
        let open = std::fs::File::open(dir.path()).unwrap();
        let id = |name: &str| FileId::at(&open, name.as_bytes()).unwrap();
        assert_eq!(id("a"), id("b"));
        assert_eq!(
            id("a"),
            FileId::of(std::fs::File::open(at("a")).unwrap()).unwrap()
        );
        assert_ne!(id("a"), id("c"));
    }
}
