//! What of `/proc` is the whole machine's, and not the session's (proc(5)): it is made read-only, or hidden.

use std::os::fd::OwnedFd;

use rustix::fs::{Mode, OFlags, openat};
use rustix::io::Errno;
use rustix::mount::{
    MountFlags, MoveMountFlags, OpenTreeFlags, mount_bind_recursive, mount_remount, move_mount, open_tree,
};
use rustix::process::{chdir, fchdir};

use crate::message::Failure;
use crate::mounts::{INERT, walk};

/// Written by root of no matter which capabilities: kernel settings (`sys/kernel/core_pattern` names a program that the
/// kernel runs on the host), sysrq, interrupts, buses, file systems.
const READ_ONLY: [&str; 11] = [
    "acpi",
    "asound",
    "bus",
    "driver",
    "dynamic_debug",
    "fs",
    "irq",
    "mtrr",
    "scsi",
    "sys",
    "sysrq-trigger",
];

/// Tells of the host's processes, keys and memory.
const HIDDEN: [&str; 5] = ["kcore", "keys", "latency_stats", "sched_debug", "timer_list"];

/// Masks the session's `/proc`, where it has one.
pub(crate) fn proc(root: &OwnedFd) -> Result<(), Failure> {
    let Ok(proc) = walk(root, "/proc".as_ref(), true) else {
        return Ok(());
    };
    for name in READ_ONLY {
        let step = |error| Failure::step(format!("make `/proc/{name}` read-only"), error);
        fchdir(&proc).map_err(step)?;
        match mount_bind_recursive(name, name) {
            Ok(()) => mount_remount(name, MountFlags::BIND | MountFlags::RDONLY | INERT, "").map_err(step)?,
            Err(Errno::NOENT) => {}
            Err(error) => return Err(step(error)),
        }
    }
    chdir("/").map_err(|error| Failure::step("leave `/proc`", error))?;
    let Ok(null) = walk(root, "/dev/null".as_ref(), false) else {
        return Ok(());
    };
    for name in HIDDEN {
        match hide(&proc, name, &null) {
            // Before Linux 5.2 these are read by those alone who have a capability, or hold nothing.
            Ok(()) | Err(Errno::NOENT | Errno::NOSYS) => {}
            Err(error) => return Err(Failure::step(format!("hide `/proc/{name}`"), error)),
        }
    }
    Ok(())
}

fn hide(proc: &OwnedFd, name: &str, null: &OwnedFd) -> Result<(), Errno> {
    let target = openat(
        proc,
        name,
        OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC,
        Mode::empty(),
    )?;
    let flags =
        OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC | OpenTreeFlags::AT_EMPTY_PATH;
    let tree = open_tree(null, "", flags)?;
    let both = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    move_mount(&tree, "", &target, "", both)
}
