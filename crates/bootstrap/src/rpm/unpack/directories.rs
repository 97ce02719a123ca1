//! Directories that were there before their packages: rpm gives them the packages' mode and time all the same.

use bareroot_rpm::FileFlags;
use bareroot_unpack::{FileKind, Root};

use super::{Arrived, Shared, inside};
use crate::error::Error;

/// Gives every directory the mode and time of the package that made it last.
///
/// # Errors
/// When the root refuses.
pub fn settle(arrived: &[Arrived], shared: &Shared, root: &Root) -> Result<(), Error> {
    for (package, arrived) in arrived.iter().enumerate() {
        let unwritten: std::collections::HashSet<usize> = shared.unwritten(package).into_iter().collect();
        for (place, file) in arrived.file.header().files().iter().enumerate() {
            if !file.is_directory() || file.flags.has(FileFlags::GHOST) || unwritten.contains(&place) {
                continue;
            }
            let path = file.path();
            let path = inside(&path);
            // A filter may have kept it out; a link to a directory is another package's.
            let Some(stat) = root.lstat(path)?.filter(|stat| stat.kind == FileKind::Directory) else {
                continue;
            };
            if stat.mode != file.mode & 0o7777 {
                root.chmod(path, file.mode & 0o7777)?;
            }
            if stat.mtime != i64::from(file.mtime) {
                root.set_mtime(path, i64::from(file.mtime))?;
            }
        }
    }
    Ok(())
}
