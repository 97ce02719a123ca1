//! Chapter four: what a root must have before its first payload, whatever its packages are.

use bareroot_unpack::Root;

use super::plan::Plan;
use crate::error::Error;
use crate::request::Request;

/// Mount points, which packages own later: scriptlets need what is mounted there.
const MOUNT_POINTS: &[&str] = &["dev", "proc", "sys"];

/// Prepares the root.
///
/// # Errors
/// When the root refuses.
pub fn prepare(root: &Root, request: &Request, _: &Plan) -> Result<(), Error> {
    root.chmod("/", 0o755)?;
    for directory in MOUNT_POINTS {
        root.create_dir_all(directory, 0o755)?;
    }
    if let Some(name) = &request.hostname {
        root.create_dir_all("etc", 0o755)?;
        root.write("etc/hostname", 0o644, format!("{name}\n").as_bytes())?;
    }
    Ok(())
}
