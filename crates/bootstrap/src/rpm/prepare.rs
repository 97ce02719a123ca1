//! Chapter four: what a root must have before its first payload, whatever its packages are.

use bareroot_unpack::Root;

use super::plan::Plan;
use crate::error::Error;
use crate::request::Request;

/// Mount points and their modes: scriptlets need what is mounted there. The `filesystem` of Fedora has /proc and /sys as
/// ghosts and gives them their modes in %pretrans, which here would be those of what is mounted.
const MOUNT_POINTS: &[(&str, u32)] = &[("dev", 0o755), ("proc", 0o555), ("sys", 0o555)];

/// Prepares the root.
///
/// # Errors
/// When the root refuses.
pub fn prepare(root: &Root, request: &Request, _: &Plan) -> Result<(), Error> {
    root.chmod("/", 0o755)?;
    for (directory, mode) in MOUNT_POINTS {
        root.create_dir_all(directory, *mode)?;
    }
    if let Some(name) = &request.hostname {
        root.create_dir_all("etc", 0o755)?;
        root.write("etc/hostname", 0o644, format!("{name}\n").as_bytes())?;
    }
    Ok(())
}
