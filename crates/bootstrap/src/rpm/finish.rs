//! Chapter nine: what the run itself left is removed, times are clamped.

use bareroot_unpack::Root;

use crate::error::Error;

/// What a transaction leaves and a new root should not have: a cache with inode numbers, an identity.
const LEFTOVERS: &[&str] = &["var/cache/ldconfig/aux-cache", "var/lib/dbus/machine-id"];

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
        root.write("etc/machine-id", 0o444, b"")?;
    }
    if let Some(epoch) = epoch {
        root.clamp_mtimes(epoch)?;
    }
    Ok(())
}
