//! What is mounted in a root, and how a mount point is found without trusting the root.

use std::ffi::{CStr, OsStr};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Component, Path};

use rustix::fs::{FileType, Mode, OFlags, StatVfsMountFlags, fstat, openat};
use rustix::io::Errno;
use rustix::mount::{MountFlags, mount, mount_bind_recursive, mount_remount};
use rustix::process::{chdir, fchdir};

use crate::devices;
use crate::message::{Failure, Found};
use crate::spec::{Access, Bind};

/// What every mount without programs and devices has.
pub(crate) const INERT: MountFlags = MountFlags::NOSUID
    .union(MountFlags::NODEV)
    .union(MountFlags::NOEXEC);

/// Mounts `/proc`, `/sys` and `/dev`.
pub(crate) fn standard(root: &OwnedFd, notes: &mut Vec<String>) -> Result<(), Failure> {
    if let Some(proc) = directory(root, "/proc", notes)? {
        processes(&proc, notes).map_err(|error| Failure::step("mount proc on `/proc`", error))?;
    }
    if let Some(sys) = directory(root, "/sys", notes)?
        && let Err(error) = system(root, &sys)
    {
        notes.push(format!("`/sys` is left out: {error}"));
    }
    if let Some(dev) = directory(root, "/dev", notes)? {
        devices::mount(root, &dev, notes)?;
    }
    Ok(())
}

/// proc of this session's processes. A kernel that has parts of the host's hidden, as container engines do, allows no new
/// one to a user namespace, only the host's own.
fn processes(proc: &OwnedFd, notes: &mut Vec<String>) -> Result<(), Errno> {
    match on(proc, "proc", INERT, None) {
        Err(Errno::PERM) => {}
        other => return other,
    }
    fchdir(proc)?;
    mount_bind_recursive("/proc", ".")?;
    chdir("/")?;
    notes.push("`/proc` is the host's: parts of it are hidden, and so the kernel allows no other".into());
    Ok(())
}

/// sysfs, which shows the network devices of the namespace that it is mounted from; a kernel that does not
/// allow that still allows the host's own to be seen.
fn system(root: &OwnedFd, sys: &OwnedFd) -> Result<(), Errno> {
    match on(sys, "sysfs", INERT | MountFlags::RDONLY, None) {
        Err(Errno::PERM | Errno::BUSY | Errno::NODEV) => {}
        other => return other,
    }
    fchdir(sys)?;
    mount_bind_recursive("/sys", ".")?;
    let mounted = openat(
        root,
        "sys",
        OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC,
        Mode::empty(),
    )?;
    fchdir(&mounted)?;
    mount_remount(".", MountFlags::BIND | MountFlags::RDONLY | INERT, "")
}

/// Mounts a file system on the directory of a descriptor.
pub(crate) fn on(
    directory: &OwnedFd,
    kind: &str,
    flags: MountFlags,
    data: Option<&CStr>,
) -> Result<(), Errno> {
    fchdir(directory)?;
    let mounted = mount(kind, ".", kind, flags, data);
    chdir("/")?;
    mounted
}

/// A directory of the root to mount on. One that is missing is noted; anything else there is an error.
fn directory(root: &OwnedFd, path: &str, notes: &mut Vec<String>) -> Result<Option<OwnedFd>, Failure> {
    match walk(root, Path::new(path), true) {
        Ok(found) => Ok(Some(found)),
        Err(Failure::MountPoint {
            found: Found::Nothing,
            ..
        }) => {
            notes.push(format!("`{path}` is left out: the root has no such directory"));
            Ok(None)
        }
        Err(failure) => Err(failure),
    }
}

/// Shows a file or directory of the host in the root.
pub(crate) fn bind(root: &OwnedFd, bind: &Bind) -> Result<(), Failure> {
    let doing = || format!("show `{}` as `{}`", bind.source.display(), bind.target.display());
    let step = |error: Errno| Failure::step(doing(), error);
    if !bind.source.is_absolute() || !bind.target.is_absolute() {
        return Err(step(Errno::INVAL));
    }
    let source = rustix::fs::stat(&bind.source).map_err(step)?;
    let is_directory = FileType::from_raw_mode(source.st_mode) == FileType::Directory;

    let target = walk(root, &bind.target, is_directory)?;
    // A file cannot be a working directory: its name is used, in its parent, and it was just seen to be no
    // link.
    let (directory, name) = match (is_directory, bind.target.parent(), bind.target.file_name()) {
        (false, Some(parent), Some(name)) => (walk(root, parent, true)?, name),
        _ => (target, OsStr::new(".")),
    };
    fchdir(&directory).map_err(step)?;
    mount_bind_recursive(&bind.source, name).map_err(step)?;
    if bind.access == Access::ReadOnly {
        if is_directory {
            // Opened again, the path is what was just mounted.
            fchdir(&walk(root, &bind.target, true)?).map_err(step)?;
        }
        read_only(name).map_err(step)?;
    }
    chdir("/").map_err(step)
}

/// Takes the right to write from a bind mount, and leaves the other flags that it has from its source.
fn read_only(name: &OsStr) -> Result<(), Errno> {
    let has = rustix::fs::statvfs(name)?.f_flag;
    let kept = [
        (StatVfsMountFlags::NOSUID, MountFlags::NOSUID),
        (StatVfsMountFlags::NODEV, MountFlags::NODEV),
        (StatVfsMountFlags::NOEXEC, MountFlags::NOEXEC),
        (StatVfsMountFlags::NOATIME, MountFlags::NOATIME),
        (StatVfsMountFlags::NODIRATIME, MountFlags::NODIRATIME),
        (StatVfsMountFlags::RELATIME, MountFlags::RELATIME),
    ];
    let kept = kept
        .iter()
        .filter(|(one, _)| has.contains(*one))
        .fold(MountFlags::empty(), |all, (_, flag)| all | *flag);
    mount_remount(name, MountFlags::BIND | MountFlags::RDONLY | kept, "")
}

/// Opens a path of the root, of which no component may be a symbolic link or `..`.
pub(crate) fn walk(root: &OwnedFd, path: &Path, want_directory: bool) -> Result<OwnedFd, Failure> {
    let wrong = |found| Failure::MountPoint {
        path: path.to_owned(),
        want_directory,
        found,
    };
    let step = |error: Errno| Failure::step(format!("open `{}`", path.display()), error);
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;

    let mut here = root
        .try_clone()
        .map_err(|error| Failure::step(format!("open `{}`", path.display()), error))?;
    let mut kind = FileType::Directory;
    for component in path.components() {
        let name = match component {
            Component::RootDir | Component::CurDir => continue,
            Component::Normal(name) => name,
            Component::ParentDir | Component::Prefix(_) => return Err(step(Errno::INVAL)),
        };
        match kind {
            FileType::Directory => {}
            FileType::Symlink => return Err(wrong(Found::Symlink)),
            _ => return Err(wrong(Found::Other)),
        }
        here = match openat(&here, name, flags, Mode::empty()) {
            Ok(next) => next,
            Err(Errno::NOENT) => return Err(wrong(Found::Nothing)),
            Err(error) => return Err(step(error)),
        };
        kind = kind_of(&here).map_err(step)?;
    }
    match (kind, want_directory) {
        (FileType::Symlink, _) => Err(wrong(Found::Symlink)),
        (FileType::Directory, true) => Ok(here),
        (FileType::Directory, false) => Err(wrong(Found::Directory)),
        (_, true) => Err(wrong(Found::Other)),
        (_, false) => Ok(here),
    }
}

fn kind_of(fd: impl AsFd) -> Result<FileType, Errno> {
    Ok(FileType::from_raw_mode(fstat(fd)?.st_mode))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_link_is_followed_on_the_way_to_a_mount_point() {
        let dir = tempfile::tempdir().unwrap();
        let at = |path: &str| dir.path().join(path);
        std::fs::create_dir_all(at("a/b")).unwrap();
        std::fs::write(at("a/file"), "").unwrap();
        std::os::unix::fs::symlink("/", at("out")).unwrap();
        std::os::unix::fs::symlink("a", at("in")).unwrap();
        let root: OwnedFd = std::fs::File::open(dir.path()).unwrap().into();

        let found = |path: &str, want_directory| match walk(&root, Path::new(path), want_directory) {
            Ok(_) => "here".to_owned(),
            Err(Failure::MountPoint { found, .. }) => format!("{found:?}"),
            Err(failure) => format!("{failure:?}"),
        };
        assert_eq!(found("/a/b", true), "here");
        assert_eq!(found("/a/./b/", true), "here");
        assert_eq!(found("/a/file", false), "here");
        assert_eq!(found("/", true), "here");
        assert_eq!(found("/a/file", true), "Other");
        assert_eq!(found("/a/file/x", true), "Other");
        assert_eq!(found("/a/b", false), "Directory");
        assert_eq!(found("/none", true), "Nothing");
        assert_eq!(found("/a/none/x", true), "Nothing");
        assert_eq!(found("/out", true), "Symlink");
        assert_eq!(found("/out", false), "Symlink");
        assert_eq!(found("/out/etc", true), "Symlink");
        assert_eq!(found("/in/b", true), "Symlink");
        assert!(
            found("/a/../a", true).starts_with("Step"),
            "{}",
            found("/a/../a", true)
        );
    }
}
