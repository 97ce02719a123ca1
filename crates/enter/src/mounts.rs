//! What is mounted in a root, and how a mount point is found without trusting the root.

use std::ffi::{CStr, OsStr};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Component, Path};

use rustix::fs::{FileType, Mode, OFlags, StatVfsMountFlags, fstat, mkdirat, openat};
use rustix::io::Errno;
use rustix::mount::{MountFlags, mount, mount_bind_recursive, mount_remount};
use rustix::process::{chdir, fchdir};

use crate::devices;
use crate::message::{Failure, Found};
use crate::spec::{Access, Bind};
use crate::sys::{self, MountAttributes};

/// What every mount without programs and devices has.
pub(crate) const INERT: MountFlags = MountFlags::NOSUID
    .union(MountFlags::NODEV)
    .union(MountFlags::NOEXEC);

/// Mounts `/run`, and `/tmp` where the root itself cannot be written; both are in memory.
pub(crate) fn scratch(root: &OwnedFd, read_only: bool, notes: &mut Vec<String>) -> Result<(), Failure> {
    let flags = MountFlags::NOSUID | MountFlags::NODEV;
    if let Some(run) = directory(root, "/run", notes)? {
        let step = |error| Failure::step("mount tmpfs on `/run`", error);
        on(&run, "tmpfs", flags, Some(c"mode=0755")).map_err(step)?;
        // Where Debian's /var/lock leads.
        let run = walk(root, Path::new("/run"), true)?;
        mkdirat(&run, "lock", Mode::from_raw_mode(0o1777)).map_err(step)?;
    }
    if read_only && let Some(tmp) = directory(root, "/tmp", notes)? {
        on(&tmp, "tmpfs", flags, Some(c"mode=1777"))
            .map_err(|error| Failure::step("mount tmpfs on `/tmp`", error))?;
    }
    Ok(())
}

/// Makes what is missing of a bind's target where that is in the session's own memory (`/run`, `/dev`, and `/tmp` where
/// [`scratch`] mounted it): nothing of it is the root's.
pub(crate) fn make_way(root: &OwnedFd, bind: &Bind, own: &[&str]) -> Result<(), Failure> {
    let Some(mount) = own.iter().find(|mount| bind.target.starts_with(mount)) else {
        return Ok(());
    };
    let step = |error| Failure::step(format!("make `{}`", bind.target.display()), error);
    let is_directory = rustix::fs::stat(&bind.source)
        .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Directory);
    let (Ok(mut here), Ok(rest)) = (
        walk(root, Path::new(mount), true),
        bind.target.strip_prefix(mount),
    ) else {
        return Ok(());
    };
    let device = fstat(&here).map_err(step)?.st_dev;
    let mut parts = rest.components().peekable();
    while let Some(Component::Normal(part)) = parts.next() {
        // What is mounted there by now, such as an earlier bind, is not the session's.
        if fstat(&here).map_err(step)?.st_dev != device {
            return Ok(());
        }
        let made = if parts.peek().is_some() || is_directory {
            mkdirat(&here, part, Mode::from_raw_mode(0o755))
        } else {
            let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC;
            openat(&here, part, flags, Mode::from_raw_mode(0o644)).map(drop)
        };
        match made {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(step(error)),
        }
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        here = openat(&here, part, flags, Mode::empty()).map_err(step)?;
    }
    Ok(())
}

/// Mounts `/proc`, `/sys` and `/dev`; `console` tells whether the host's is in it.
pub(crate) fn standard(root: &OwnedFd, console: bool, notes: &mut Vec<String>) -> Result<(), Failure> {
    if let Some(proc) = directory(root, "/proc", notes)? {
        processes(&proc, notes).map_err(|error| Failure::step("mount proc on `/proc`", error))?;
    }
    if let Some(sys) = directory(root, "/sys", notes)?
        && let Err(error) = system(root, &sys)
    {
        notes.push(format!("`/sys` is left out: {error}"));
    }
    if let Some(dev) = directory(root, "/dev", notes)? {
        devices::mount(root, &dev, console, notes)?;
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
    // What is mounted below it, such as control groups, too.
    let inert =
        MountAttributes::RDONLY | MountAttributes::NOSUID | MountAttributes::NODEV | MountAttributes::NOEXEC;
    match sys::mount_setattr(&mounted, true, inert) {
        Err(error) if error.raw_os_error() == Some(libc::ENOSYS) => {
            fchdir(&mounted)?;
            mount_remount(".", MountFlags::BIND | MountFlags::RDONLY | INERT, "")
        }
        other => other.map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO)),
    }
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
        // Opened again, the path is what was just mounted.
        let mounted = walk(root, &bind.target, is_directory)?;
        match sys::mount_setattr(&mounted, true, MountAttributes::RDONLY) {
            Err(error) if error.raw_os_error() == Some(libc::ENOSYS) => {
                if is_directory {
                    fchdir(&mounted).map_err(step)?;
                }
                read_only(name).map_err(step)?;
            }
            other => other.map_err(|error| Failure::step(doing(), error))?,
        }
    }
    chdir("/").map_err(step)
}

/// Takes the right to write from a bind mount, and leaves the other flags that it has from its source.
fn read_only(name: &OsStr) -> Result<(), Errno> {
    mount_remount(name, MountFlags::BIND | MountFlags::RDONLY | flags_of(name)?, "")
}

/// The flags of the mount that a path is on, which a remount must name or lose.
pub(crate) fn flags_of(name: impl AsRef<OsStr>) -> Result<MountFlags, Errno> {
    let has = rustix::fs::statvfs(name.as_ref())?.f_flag;
    let kept = [
        (StatVfsMountFlags::NOSUID, MountFlags::NOSUID),
        (StatVfsMountFlags::NODEV, MountFlags::NODEV),
        (StatVfsMountFlags::NOEXEC, MountFlags::NOEXEC),
        (StatVfsMountFlags::NOATIME, MountFlags::NOATIME),
        (StatVfsMountFlags::NODIRATIME, MountFlags::NODIRATIME),
        (StatVfsMountFlags::RELATIME, MountFlags::RELATIME),
    ];
    let kept = kept.iter().filter(|(one, _)| has.contains(*one));
    Ok(kept.fold(MountFlags::empty(), |all, (_, flag)| all | *flag))
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
