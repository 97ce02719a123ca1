//! What a session's own `/dev` holds beside devices, and files that cover others.

use std::ffi::OsStr;
use std::io::Write as _;
use std::os::fd::OwnedFd;
use std::path::{Component, Path};

use rustix::fs::{Mode, OFlags, mkdirat, openat, symlinkat};
use rustix::io::Errno;
use rustix::mount::{MoveMountFlags, OpenTreeFlags, move_mount, open_tree};

use crate::message::Failure;
use crate::mounts::walk;
use crate::spec::{Content, Cover, Extra};

/// Fills the session's `/dev`. It was just mounted: what is there is ours, and so is every directory on the way.
pub(crate) fn fill(root: &OwnedFd, extras: &[Extra]) -> Result<(), Failure> {
    for extra in extras {
        let step = |error: Errno| Failure::step(format!("make `/dev/{}`", extra.path.display()), error);
        let (directory, name) = place(root, &extra.path).map_err(step)?;
        put(&directory, name, &extra.content).map_err(step)?;
    }
    Ok(())
}

/// The directory of a path below `/dev`, made where it is missing, and the name in it.
fn place<'p>(root: &OwnedFd, path: &'p Path) -> Result<(OwnedFd, &'p OsStr), Errno> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut here = openat(root, "dev", flags, Mode::empty())?;
    let name = path.file_name().ok_or(Errno::INVAL)?;
    for component in path.parent().into_iter().flat_map(Path::components) {
        let Component::Normal(part) = component else {
            return Err(Errno::INVAL);
        };
        match mkdirat(&here, part, Mode::from_raw_mode(0o755)) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(error),
        }
        here = openat(&here, part, flags, Mode::empty())?;
    }
    Ok((here, name))
}

fn put(directory: &OwnedFd, name: &OsStr, content: &Content) -> Result<(), Errno> {
    let create = |mode: u32| {
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC;
        openat(directory, name, flags, Mode::from_raw_mode(mode))
    };
    match content {
        Content::File { mode, bytes } => {
            let mut file = std::fs::File::from(create(*mode)?);
            file.write_all(bytes)
                .map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))
        }
        Content::Link(text) => symlinkat(text, directory, name),
        // Copied, not bound: the running file belongs to a mount of another namespace, and its name may be gone.
        Content::OwnProgram => {
            let number = |error: std::io::Error| Errno::from_io_error(&error).unwrap_or(Errno::IO);
            let mut program = std::fs::File::open("/proc/self/exe").map_err(number)?;
            let mut copy = std::fs::File::from(create(0o755)?);
            std::io::copy(&mut program, &mut copy).map(|_| ()).map_err(number)
        }
    }
}

/// Covers a file of the root by another one of it. The root's paths are walked to by descriptor; one descriptor is then
/// mounted on the other, so that no name is looked up a second time.
pub(crate) fn cover(root: &OwnedFd, cover: &Cover) -> Result<(), Failure> {
    let doing = || {
        format!(
            "show `{}` as `{}`",
            cover.source.display(),
            cover.target.display()
        )
    };
    let step = |error: Errno| Failure::step(doing(), error);
    let source = walk(root, &cover.source, false)?;
    let target = walk(root, &cover.target, false)?;
    let flags =
        OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC | OpenTreeFlags::AT_EMPTY_PATH;
    let tree = open_tree(&source, "", flags).map_err(step)?;
    let both = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    move_mount(&tree, "", &target, "", both).map_err(step)
}
