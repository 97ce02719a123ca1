//! A root that is the session's whole tree.
//!
//! chroot(2) alone leaves the host's tree in the mount namespace, where a program with CAP_SYS_CHROOT gets back to it by
//! `..` (chroot(2)). Here the root becomes a mount of its own, pivot_root(2) makes it the top, and the rest is taken away.

use std::os::fd::OwnedFd;

use rustix::io::Errno;
use rustix::mount::{
    MountFlags, MoveMountFlags, OpenTreeFlags, UnmountFlags, mount_remount, move_mount, open_tree, unmount,
};
use rustix::process::{chdir, chroot, fchdir, pivot_root};

use crate::message::{Failure, Setup};
use crate::mounts;
use crate::spec::{Access, Confinement};
use crate::sys::{self, MountAttributes};

/// The root with all that is mounted in it, as a mount on top of itself: what is forbidden to this one is forbidden to
/// nobody else. Without a kernel that can do it (before Linux 5.2) the root stays what it is, with a note.
pub(crate) fn attach(
    root: &OwnedFd,
    setup: &Setup,
    notes: &mut Vec<String>,
) -> Result<Option<OwnedFd>, Failure> {
    let step = |error| Failure::step("make the directory a mount of its own", error);
    let flags = OpenTreeFlags::OPEN_TREE_CLONE
        | OpenTreeFlags::OPEN_TREE_CLOEXEC
        | OpenTreeFlags::AT_EMPTY_PATH
        | OpenTreeFlags::AT_RECURSIVE;
    let tree = match open_tree(root, "", flags) {
        Ok(tree) => tree,
        Err(Errno::NOSYS) if setup.root_access == Access::ReadWrite => {
            notes.push("programs are not kept from the host's tree: that needs Linux 5.2".into());
            return Ok(None);
        }
        Err(error) => return Err(step(error)),
    };
    let both = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    move_mount(&tree, "", root, "", both).map_err(step)?;
    restrict(&tree, setup, notes)?;
    Ok(Some(tree))
}

/// Takes devices, and the right to write, from the whole tree.
fn restrict(tree: &OwnedFd, setup: &Setup, notes: &mut Vec<String>) -> Result<(), Failure> {
    let mut attributes = MountAttributes::NONE;
    let mut flags = MountFlags::empty();
    if setup.confinement == Confinement::Rights {
        attributes |= MountAttributes::NODEV;
        flags |= MountFlags::NODEV;
    }
    if setup.root_access == Access::ReadOnly {
        attributes |= MountAttributes::RDONLY;
        flags |= MountFlags::RDONLY;
    }
    if attributes == MountAttributes::NONE {
        return Ok(());
    }
    let step = |error: std::io::Error| Failure::step("restrict the mount of the directory", error);
    match sys::mount_setattr(tree, true, attributes) {
        Err(error) if error.raw_os_error() == Some(libc::ENOSYS) => {}
        other => return other.map_err(step),
    }
    notes.push("what is mounted below the root is not restricted: that needs Linux 5.12".into());
    fchdir(tree).map_err(|error| step(error.into()))?;
    let kept = mounts::flags_of(".").map_err(|error| step(error.into()))?;
    mount_remount(".", MountFlags::BIND | kept | flags, "").map_err(|error| step(error.into()))
}

/// Makes the tree the top, and takes away everything else.
pub(crate) fn away(tree: &OwnedFd, notes: &mut Vec<String>) -> Result<(), Failure> {
    let step = |error| Failure::step("make the directory the top", error);
    fchdir(tree).map_err(step)?;
    // The old top comes to lie on the new one, where `.` then finds it (pivot_root(2), "pivot_root(".", ".")").
    match pivot_root(".", ".") {
        Ok(()) => unmount(".", UnmountFlags::DETACH).map_err(step)?,
        // In an initramfs, and in a chroot whose top is no mount.
        Err(Errno::INVAL) => {
            notes
                .push("programs are not kept from the host's tree: the host's own `/` cannot be left".into());
            chroot(".").map_err(step)?;
        }
        Err(error) => return Err(step(error)),
    }
    chdir("/").map_err(step)
}
