//! Owners, and what chown(2) takes with it: setuid and setgid bits, capabilities.
//!
//! Payloads are written as root's, because the packages' own scriptlets make their users. Once a package's %pre has run,
//! its files get their owners by the names that the root has then.

use bareroot_rpm::{File, FileFlags, Header, caps};
use bareroot_unpack::{NameTable, Root};

use super::unpack::{Unpacked, inside};
use crate::context::Context;
use crate::error::Error;

/// Gives the files of the package of a place their owners and capabilities.
///
/// # Errors
/// When the file system refuses.
pub fn apply(
    root: &Root,
    header: &Header,
    unpacked: &Unpacked,
    place: usize,
    context: &Context,
) -> Result<(), Error> {
    let files = header.files();
    let skipped = unpacked.skipped.get(place).map(Vec::as_slice).unwrap_or_default();
    let mut names: Option<NameTable> = None;
    for (place, file) in files.iter().enumerate() {
        let here = skipped.get(place) == Some(&false) && !file.flags.has(FileFlags::GHOST);
        if !here || (is_roots(&file) && file.caps.is_empty()) {
            continue;
        }
        let path = file.path();
        let path = inside(&path);
        // A filter may have kept it out.
        if root.lstat(path)?.is_none() {
            continue;
        }
        if !is_roots(&file) {
            let table = match &mut names {
                Some(table) => table,
                None => names.insert(table_of(root)?),
            };
            own(root, path, &file, table, context)?;
        }
        if !file.caps.is_empty()
            && let Some(value) = caps::attribute(&String::from_utf8_lossy(file.caps))
        {
            root.set_xattr(path, caps::NAME, &value)?;
        }
        root.set_mtime(path, i64::from(file.mtime))?;
    }
    Ok(())
}

/// Gives all packages' files their owners, where no scriptlet runs between them.
///
/// # Errors
/// As [`apply`].
pub fn settle(root: &Root, headers: &[&Header], unpacked: &Unpacked, context: &Context) -> Result<(), Error> {
    for (place, header) in headers.iter().enumerate() {
        apply(root, header, unpacked, place, context)?;
    }
    Ok(())
}

fn is_roots(file: &File<'_>) -> bool {
    let root = |name: &[u8]| name.is_empty() || name == b"root";
    root(file.user) && root(file.group)
}

fn own(
    root: &Root,
    path: &std::path::Path,
    file: &File<'_>,
    names: &NameTable,
    context: &Context,
) -> Result<(), Error> {
    let number = |name: &[u8], found: Option<u32>| match name {
        b"" | b"root" => Some(0),
        _ => found,
    };
    let user = number(file.user, names.user(file.user));
    let group = number(file.group, names.group(file.group));
    let mut mode = file.mode & 0o7777;
    // What rpm does with names that nobody has.
    if user.is_none() {
        context.warn(unknown("user", file.user, path));
        mode &= !0o4000;
    }
    if group.is_none() {
        context.warn(unknown("group", file.group, path));
        mode &= !0o2000;
    }
    root.chown(path, user.unwrap_or(0), group.unwrap_or(0))?;
    if !file.is_symlink() {
        root.chmod(path, mode)?;
    }
    Ok(())
}

fn unknown(what: &str, name: &[u8], path: &std::path::Path) -> String {
    format!(
        "/{} is root's: the root has no {what} `{}`",
        path.display(),
        String::from_utf8_lossy(name)
    )
}

fn table_of(root: &Root) -> Result<NameTable, Error> {
    let passwd = root.read_if_exists("etc/passwd")?.unwrap_or_default();
    let group = root.read_if_exists("etc/group")?.unwrap_or_default();
    Ok(NameTable::from_files(&passwd, &group))
}
