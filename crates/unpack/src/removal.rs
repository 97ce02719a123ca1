//! Removing a root: all of it, and nothing that is mounted in it.

use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Mode, OFlags};
use rustix::io::Errno;

use crate::error::Error;
use crate::root::{FileKind, Mount, Root, Stat, Walk, remove_tree};

/// Removes a root with everything in it, as `rm -rf --one-file-system` does, but only where nothing is mounted on it or
/// below it: what is mounted there may be the host's own.
///
/// # Errors
/// [`Error::NotRemovable`] for `/` and for what is no directory, [`Error::Mounted`] with the first mount point; then
/// nothing is removed. [`Error::Io`] for the first thing that cannot be removed.
pub fn remove_root(path: &Path) -> Result<(), Error> {
    let refuse = |found| Error::NotRemovable {
        path: path.to_path_buf(),
        found,
    };
    let fail = |error: Errno| Error::io("open", path, error);
    let own = rustix::fs::lstat(path).map_err(fail)?;
    match Stat::of(&own).kind {
        FileKind::Directory => {}
        kind => return Err(refuse(kind.words())),
    }
    let whole = path.canonicalize().map_err(|e| Error::io("open", path, e))?;
    let (Some(parent_path), Some(name)) = (whole.parent(), whole.file_name()) else {
        return Err(refuse("the root directory of this system"));
    };
    let slash = rustix::fs::stat("/").map_err(fail)?;
    if (slash.st_dev, slash.st_ino) == (own.st_dev, own.st_ino) {
        return Err(refuse("the root directory of this system"));
    }
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let parent = rustix::fs::openat(CWD, parent_path, flags, Mode::empty())
        .map_err(|e| Error::io("open", parent_path, e))?;
    let fd = rustix::fs::openat(&parent, name, flags, Mode::empty()).map_err(fail)?;
    if Mount::of(fd.as_fd()).map_err(fail)? != Mount::of(parent.as_fd()).map_err(fail)? {
        return Err(Error::Mounted { path: whole });
    }
    refuse_mounts(&whole, &fd)?;
    remove_tree(parent.as_fd(), name.as_bytes(), &whole)
}

/// What is mounted below, by this process's list of mounts, and by a look at everything where that may not say it: there
/// is no /proc, or its paths are not ours.
fn refuse_mounts(whole: &Path, fd: &OwnedFd) -> Result<(), Error> {
    let table = std::fs::read("/proc/self/mountinfo").unwrap_or_default();
    if let Some(path) = mounted_below(&table, whole) {
        return Err(Error::Mounted { path });
    }
    let here = Mount::of(fd.as_fd()).map_err(|e| Error::io("read", whole, e))?;
    let root = Root::from_fd(
        fd.try_clone().map_err(|e| Error::io("open", whole, e))?,
        whole.to_path_buf(),
    );
    root.walk(|entry| {
        let path = root.host(entry.path());
        match entry.mount() {
            Ok(mount) if mount == here => Ok(Walk::On),
            Ok(_) => Err(Error::Mounted { path }),
            Err(error) => Err(Error::io("look at", path, error)),
        }
    })
}

/// The first mount point below `path` in the text of mountinfo (proc_pid_mountinfo(5)).
fn mounted_below(table: &[u8], path: &Path) -> Option<PathBuf> {
    let mut points: Vec<PathBuf> = table
        .split(|&byte| byte == b'\n')
        .filter_map(|line| line.split(|&byte| byte == b' ').nth(4))
        .map(unescape)
        .filter(|point| point.starts_with(path) && point != path)
        .collect();
    points.sort_unstable();
    points.into_iter().next()
}

/// The kernel writes space, tab, line end and backslash as `\` and three octal digits.
fn unescape(field: &[u8]) -> PathBuf {
    let mut bytes = Vec::with_capacity(field.len());
    let mut left = field;
    while let Some((&byte, rest)) = left.split_first() {
        let digits = rest.get(..3).filter(|_| byte == b'\\');
        let escaped = digits
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match escaped {
            Some(escaped) => {
                bytes.push(escaped);
                left = rest.get(3..).unwrap_or_default();
            }
            None => {
                bytes.push(byte);
                left = rest;
            }
        }
    }
    PathBuf::from(std::ffi::OsString::from_vec(bytes))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use bareroot_model::{Class, Classified};

    use super::*;

    #[test]
    fn mounts_are_found_by_their_paths() {
        let table =
            b"22 1 0:21 / / rw - ext4 /dev/a rw\n30 22 0:5 / /r/a\\040b/proc rw shared:1 - proc proc rw\n\
            31 22 0:6 / /root rw - tmpfs t rw\n32 22 0:7 / /r/a\\040b/dev rw - tmpfs t rw\n";
        let below = |path| mounted_below(table, Path::new(path));
        assert_eq!(below("/r/a b"), Some(PathBuf::from("/r/a b/dev")));
        assert_eq!(below("/r/a b/proc"), None);
        assert_eq!(below("/ro"), None);
        assert_eq!(below("/r/a"), None);
        assert_eq!(unescape(b"a\\134b\\011\\9"), PathBuf::from("a\\b\t\\9"));
    }

    #[test]
    fn what_is_no_root_is_refused() {
        let temp = tempfile::tempdir().unwrap();
        let path = |name: &str| temp.path().join(name);
        std::fs::write(path("file"), b"").unwrap();
        std::fs::create_dir(path("dir")).unwrap();
        symlink("dir", path("link")).unwrap();
        for (given, words) in [
            (path("file"), "is a file"),
            (path("link"), "is a symbolic link"),
            (PathBuf::from("/"), "is the root directory of this system"),
            (PathBuf::from("/../."), "is the root directory of this system"),
            (path("none"), "cannot open"),
        ] {
            let error = remove_root(&given).unwrap_err();
            assert!(error.to_string().contains(words), "{error}");
            assert_eq!(error.class(), Class::Target);
        }
        remove_root(&path("dir")).unwrap();
        assert!(!path("dir").exists() && path("file").exists());
    }

    #[test]
    fn a_root_with_mounts_stays_whole() {
        if !rustix::process::geteuid().is_root() {
            #[allow(clippy::print_stderr)]
            {
                eprintln!("skipped: a_root_with_mounts_stays_whole needs root");
            }
            return;
        }
        let temp = tempfile::tempdir().unwrap();
        let root = temp.path().join("r");
        std::fs::create_dir_all(root.join("a/b")).unwrap();
        std::fs::write(root.join("a/file"), b"x").unwrap();
        std::fs::write(root.join("kept"), b"x").unwrap();
        for (what, on) in [(root.join("kept"), "a/file"), (temp.path().to_path_buf(), "a/b")] {
            let on = root.join(on);
            if let Err(error) = rustix::mount::mount_bind(&what, &on) {
                #[allow(clippy::print_stderr)]
                {
                    eprintln!("skipped: a_root_with_mounts_stays_whole needs to mount: {error}");
                }
                return;
            }
            let by_table = remove_root(&root).map_err(|error| error.to_string());
            // A look finds it without the table.
            let fd = rustix::fs::open(&root, OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty()).unwrap();
            let by_look = refuse_mounts(Path::new("/nowhere"), &fd).map_err(|error| error.to_string());
            let itself = remove_root(&on).map_err(|error| error.to_string());
            rustix::mount::unmount(&on, rustix::mount::UnmountFlags::DETACH).unwrap();
            let on = on.canonicalize().unwrap();
            assert_eq!(
                by_table,
                Err(format!("something is mounted on `{}`", on.display()))
            );
            assert!(by_look.is_err_and(|error| error.starts_with("something is mounted on `/nowhere/a/")));
            assert!(itself.is_err());
            assert!(root.join("kept").exists() && root.join("a/file").exists());
        }
        remove_root(&root).unwrap();
        assert!(!root.exists());
    }
}
