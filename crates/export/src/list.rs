//! What is in a root, in the order in which an archive has it.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use bareroot_model::Cancel;
use bareroot_unpack::{FileKind, Root, Stat, Walk, is_staging_name};

use crate::error::Error;

/// A path that comes into the archive.
#[derive(Clone, Debug)]
pub(crate) struct Listed {
    /// Inside the root: `/`, `/usr/bin`.
    pub path: PathBuf,
    /// What it is, as the root's ledger has it.
    pub stat: Stat,
    /// The text of a symbolic link, else empty.
    pub link: Vec<u8>,
}

/// Everything in a root.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    /// In order: the root itself, then depth first, the names of each directory in byte order.
    pub paths: Vec<Listed>,
    /// What an archive cannot hold, and why.
    pub left_out: Vec<(PathBuf, &'static str)>,
}

/// Lists a root, but for files of these devices and inode numbers.
///
/// # Errors
/// When a directory cannot be read.
pub(crate) fn list(root: &Root, leave_out: &[(u64, u64)], cancel: &Cancel) -> Result<Listing, Error> {
    let top = root.lstat("/")?.ok_or_else(|| Error::Changed {
        path: root.path().to_path_buf(),
        what: "it is gone".to_owned(),
    })?;
    let mut listing = Listing::default();
    listing.paths.push(Listed {
        path: PathBuf::from("/"),
        stat: top,
        link: Vec::new(),
    });
    let mut stopped = Ok(());
    root.walk(|entry| {
        stopped = cancel.check();
        if stopped.is_err() || is_ours(entry.path()) {
            return Ok(Walk::Skip);
        }
        let (path, stat) = (entry.path().to_path_buf(), *entry.stat());
        match stat.kind {
            FileKind::Socket => listing.left_out.push((path, "it is a socket")),
            FileKind::File if leave_out.contains(&(stat.dev, stat.ino)) => {
                listing.left_out.push((path, "it is the archive itself"));
            }
            kind if kind != FileKind::Directory && stat.dev != top.dev => {
                listing.left_out.push((path, "it is on another file system"));
            }
            kind => {
                let link = match kind {
                    FileKind::Symlink => entry.read_link()?,
                    _ => Vec::new(),
                };
                listing.paths.push(Listed { path, stat, link });
            }
        }
        Ok(Walk::On)
    })?;
    stopped?;
    // Paths are compared component by component: a directory is followed by what is in it.
    listing.paths.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    Ok(listing)
}

/// What bareroot itself keeps at the top of a root, or has left there.
fn is_ours(path: &Path) -> bool {
    let name = path.as_os_str().as_bytes().strip_prefix(b"/");
    name.is_some_and(|name| name == bareroot_ledger::FILE.as_bytes() || is_staging_name(name))
}
