//! Looking into a root from outside: no link of it leads out.

use std::ffi::OsString;
use std::io::Read as _;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{FileType, Mode, OFlags, ResolveFlags, fstat, openat, openat2, readlinkat};
use rustix::io::Errno;

/// The most links on the way to a file (path_resolution(7)).
const LINKS: usize = 40;

/// The largest file that is read: no list of users is larger.
const LARGEST: u64 = 16 << 20;

/// Opens a path as a process in the root would.
pub(crate) fn open(root: BorrowedFd<'_>, path: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
    let flags = flags | OFlags::CLOEXEC;
    for _ in 0..16 {
        let within = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
        match openat2(root, path, flags, Mode::empty(), within) {
            // Something was renamed meanwhile.
            Err(Errno::AGAIN) => {}
            // Before Linux 5.6, and in containers that do not know the call.
            Err(Errno::NOSYS | Errno::PERM) => return walk(root, path, flags),
            other => return other,
        }
    }
    Err(Errno::AGAIN)
}

/// The same by hand, a component at a time.
fn walk(root: BorrowedFd<'_>, path: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
    let top = || root.try_clone_to_owned().map_err(|_| Errno::MFILE);
    // The directories on the way, so that `..` needs no look-up; below the first is the root itself.
    let mut way = Vec::new();
    let mut rest = parts(path);
    let mut links = 0;
    while let Some(part) = rest.pop() {
        if part == ".." {
            way.pop();
            continue;
        }
        let here = match way.last() {
            Some(here) => here,
            None => &top()?,
        };
        let found = openat(
            here,
            &part,
            OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC,
            Mode::empty(),
        )?;
        if FileType::from_raw_mode(fstat(&found)?.st_mode) == FileType::Symlink {
            links += 1;
            if links > LINKS {
                return Err(Errno::LOOP);
            }
            let text = PathBuf::from(OsString::from_vec(
                readlinkat(&found, "", Vec::new())?.into_bytes(),
            ));
            if text.is_absolute() {
                way.clear();
            }
            rest.extend(parts(&text));
        } else if rest.is_empty() && !flags.contains(OFlags::PATH) {
            return openat(here, &part, flags | OFlags::NOFOLLOW, Mode::empty());
        } else {
            way.push(found);
        }
    }
    match way.pop() {
        Some(found) => Ok(found),
        None => top(),
    }
}

/// A path's components, the last one first.
fn parts(path: &Path) -> Vec<OsString> {
    let parts = path.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        _ => None,
    });
    let mut parts: Vec<_> = parts.collect();
    parts.reverse();
    parts
}

/// A file's bytes; an error for anything that is no regular file.
pub(crate) fn bytes(root: BorrowedFd<'_>, path: &Path, most: u64) -> Result<Vec<u8>, Errno> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = open(root, path, flags)?;
    if FileType::from_raw_mode(fstat(&file)?.st_mode) != FileType::RegularFile {
        return Err(Errno::INVAL);
    }
    let mut bytes = Vec::new();
    let read = std::fs::File::from(file).take(most).read_to_end(&mut bytes);
    read.map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))?;
    Ok(bytes)
}

/// The lines of a file of the root; none where there is no such file.
pub(crate) fn lines(root: BorrowedFd<'_>, path: &str) -> Result<Vec<Vec<u8>>, Errno> {
    match bytes(root, Path::new(path), LARGEST) {
        Ok(bytes) => Ok(bytes.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()),
        Err(Errno::NOENT | Errno::NOTDIR) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// What a path of the root is, links followed.
pub(crate) fn kind(root: BorrowedFd<'_>, path: &Path) -> Result<FileType, Errno> {
    let found = open(root, path, OFlags::PATH)?;
    Ok(FileType::from_raw_mode(fstat(found.as_fd())?.st_mode))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::fd::AsFd;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn both_ways_find_the_same() {
        let dir = tempfile::tempdir().unwrap();
        let at = |path: &str| dir.path().join("root").join(path);
        fs::create_dir_all(at("etc")).unwrap();
        fs::create_dir_all(at("usr/bin")).unwrap();
        fs::write(dir.path().join("outside"), "outside").unwrap();
        fs::write(at("etc/passwd"), "passwd").unwrap();
        fs::write(at("usr/bin/sh"), "sh").unwrap();
        fs::write(at("outside"), "inside").unwrap();
        for (text, path) in [
            ("usr/bin", "bin"),
            ("/etc", "conf"),
            ("../../../../outside", "etc/up"),
            ("/proc/self/root/outside", "etc/magic"),
            ("loop", "loop"),
            ("/nowhere", "dangling"),
            ("../etc/../usr/./bin//sh", "etc/sh"),
        ] {
            symlink(text, at(path)).unwrap();
        }
        let root = fs::File::open(at("")).unwrap();
        let read = |found: Result<OwnedFd, Errno>| {
            let mut text = String::new();
            std::fs::File::from(found?)
                .read_to_string(&mut text)
                .map_err(|_| Errno::ISDIR)?;
            Ok::<_, Errno>(text)
        };
        for (path, expected) in [
            ("/etc/passwd", Ok("passwd")),
            ("bin/sh", Ok("sh")),
            ("/conf/passwd", Ok("passwd")),
            ("/etc/up", Ok("inside")),
            ("/../../outside", Ok("inside")),
            ("/etc/sh", Ok("sh")),
            ("/etc/magic", Err(Errno::NOENT)),
            ("/loop", Err(Errno::LOOP)),
            ("/dangling", Err(Errno::NOENT)),
            ("/none/x", Err(Errno::NOENT)),
            ("/etc/passwd/x", Err(Errno::NOTDIR)),
        ] {
            let (path, expected) = (Path::new(path), expected.map(str::to_owned));
            assert_eq!(
                read(open(root.as_fd(), path, OFlags::RDONLY)),
                expected,
                "{}",
                path.display()
            );
            assert_eq!(
                read(walk(root.as_fd(), path, OFlags::RDONLY)),
                expected,
                "{}",
                path.display()
            );
        }
        assert!(bytes(root.as_fd(), Path::new("/etc"), 9).is_err());
        assert_eq!(bytes(root.as_fd(), Path::new("/etc/passwd"), 4).unwrap(), b"pass");
        assert_eq!(lines(root.as_fd(), "/etc/none").unwrap(), Vec::<Vec<u8>>::new());
        assert_eq!(kind(root.as_fd(), Path::new("/bin")), Ok(FileType::Directory));
        assert_eq!(kind(root.as_fd(), Path::new("/")), Ok(FileType::Directory));
    }
}
