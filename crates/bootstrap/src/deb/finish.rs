//! Chapter nine: the root is cleaned up as mmdebstrap does it, its times are clamped, and it is moved into place.

use bareroot_unpack::{FileKind, Root};

use crate::error::Error;

/// What a run of apt and dpkg leaves and a new root should not have: logs of how it was made, a cache with inode numbers,
/// an identity.
pub const LEFTOVERS: &[&str] = &[
    "etc/apt/apt.conf.d/00bareroot",
    "var/log/dpkg.log",
    "var/log/apt/history.log",
    "var/log/apt/term.log",
    "var/log/apt/eipp.log.xz",
    "var/log/alternatives.log",
    "var/log/bootstrap.log",
    "var/cache/ldconfig/aux-cache",
    "var/lib/dbus/machine-id",
    "var/lib/apt/lists/auxfiles",
];

/// Lock files that apt and dpkg leave in a root where they worked.
pub const LOCKS: &[&str] = &[
    "var/lib/dpkg/lock",
    "var/lib/dpkg/lock-frontend",
    "var/lib/apt/lists/lock",
    "var/cache/apt/archives/lock",
];

/// Where apt puts what it has not whole yet.
pub const PARTIAL: [&str; 2] = ["var/lib/apt/lists/partial", "var/cache/apt/archives/partial"];

/// Cleans up; no time is later than `epoch` then.
///
/// # Errors
/// When the root refuses.
pub fn finish(root: &Root, epoch: Option<i64>) -> Result<(), Error> {
    for path in LEFTOVERS {
        root.remove_all(path)?;
    }
    // machine-id(5): an empty file is the image's own way to say "to be filled in at boot".
    if root.lstat("etc/machine-id")?.is_some() {
        root.remove("etc/machine-id")?;
        root.write("etc/machine-id", 0o644, b"")?;
    }
    // /var/lock is a link to /run/lock (Debian policy 9.1.4).
    empty(root, "run", &["lock"])?;
    empty(root, "tmp", &[])?;
    apt_state(root)?;
    if let Some(epoch) = epoch {
        clamp(root, epoch)?;
    }
    Ok(())
}

/// What apt makes when it works in a root: a root in which it never ran looks as if it had.
fn apt_state(root: &Root) -> Result<(), Error> {
    let owner = apt_user(root)?;
    for directory in PARTIAL {
        let parent = directory.trim_end_matches("/partial");
        root.create_dir_all(parent, 0o755)?;
        root.create_dir_all(directory, 0o700)?;
        root.chmod(directory, 0o700)?;
        if let Some(uid) = owner {
            root.chown(directory, uid, 0)?;
        }
    }
    for path in LOCKS {
        if root.lstat(path)?.is_none() {
            root.write(path, 0o640, b"")?;
        }
    }
    Ok(())
}

/// The user that apt fetches as, where the root has it.
fn apt_user(root: &Root) -> Result<Option<u32>, Error> {
    let passwd = root.read_if_exists("etc/passwd")?.unwrap_or_default();
    let group = root.read_if_exists("etc/group")?.unwrap_or_default();
    Ok(bareroot_unpack::NameTable::from_files(&passwd, &group).user(b"_apt"))
}

/// Removes what is in a directory, but for some names.
fn empty(root: &Root, directory: &str, but: &[&str]) -> Result<(), Error> {
    if root
        .lstat(directory)?
        .is_none_or(|stat| stat.kind != FileKind::Directory)
    {
        return Ok(());
    }
    for entry in root.read_dir(directory)? {
        if !but.iter().any(|name| name.as_bytes() == entry.name) {
            use std::os::unix::ffi::OsStrExt as _;
            let name = std::ffi::OsStr::from_bytes(&entry.name);
            root.remove_all(std::path::Path::new(directory).join(name))?;
        }
    }
    Ok(())
}

/// No time in the root is later than SOURCE_DATE_EPOCH (reproducible-builds.org's specification).
pub fn clamp(root: &Root, epoch: i64) -> Result<(), Error> {
    Ok(root.clamp_mtimes(epoch)?)
}
