//! What is in a root already, held against what is to be in it.

use std::io::Read as _;
use std::path::Path;

use bareroot_unpack::{FileKind, Root, Stat};

use super::accounts;
use crate::error::Error;
use crate::item::{Item, Made, What};
use crate::plan::Plan;

/// For each item whether it is there as it is to be.
///
/// # Errors
/// [`Error::Conflict`] for the first that is there and differs, unless `force` may replace it.
pub(super) fn differences(plan: &Plan, root: &Root, target: &Path, force: bool) -> Result<Vec<bool>, Error> {
    let mut same = Vec::with_capacity(plan.items().len());
    for item in plan.items() {
        let conflict = |there, ours, forcible| Error::Conflict {
            path: item.path.clone(),
            target: target.to_path_buf(),
            there,
            ours,
            forcible,
        };
        let Some(there) = root.lstat(&item.path)? else {
            same.push(false);
            continue;
        };
        let ours = match item.what {
            What::Directory => "a directory",
            What::Link(_) => "a symbolic link",
            What::File(_) | What::Made(_) => "a file",
        };
        let is_same = match &item.what {
            // A link to a directory is as good as one: a root may have its own /bin.
            What::Directory => {
                let followed = root.stat(&item.path)?;
                if followed.is_none_or(|stat| stat.kind != FileKind::Directory) {
                    return Err(conflict(there.kind.words(), ours, false));
                }
                true
            }
            _ if there.kind == FileKind::Directory => return Err(conflict("a directory", ours, false)),
            What::Link(text) => root.read_link(&item.path)?.as_ref() == Some(text),
            What::File(stat) => {
                there.kind == FileKind::File
                    && dressed(item, &there)
                    && same_content(plan, root, item, stat, &there)?
            }
            What::Made(made) => {
                let content = match there.kind {
                    FileKind::File => root.read(&item.path)?,
                    other => return Err(conflict(other.words(), ours, false)),
                };
                match made {
                    Made::Lines(lines) if !accounts::agree(&item.path.to_string_lossy(), &content, lines) => {
                        return Err(conflict(
                            "a file that numbers the same users otherwise",
                            ours,
                            false,
                        ));
                    }
                    Made::Lines(lines) => accounts::merged(&content, lines) == content,
                    // What is there knows more than what goes in.
                    Made::Whole(_) => true,
                }
            }
        };
        let may_change = matches!(item.what, What::Made(_));
        if !is_same && !force && !may_change {
            let there = match there.kind {
                FileKind::File if matches!(item.what, What::File(_)) => {
                    "another file, or one of another owner or mode,"
                }
                FileKind::Symlink if matches!(item.what, What::Link(_)) => {
                    "a symbolic link to somewhere else"
                }
                kind => kind.words(),
            };
            return Err(conflict(there, ours, true));
        }
        same.push(is_same);
    }
    Ok(same)
}

fn dressed(item: &Item, there: &Stat) -> bool {
    (there.mode, there.uid, there.gid) == (item.mode, item.uid, item.gid)
}

fn same_content(plan: &Plan, root: &Root, item: &Item, ours: &Stat, there: &Stat) -> Result<bool, Error> {
    if ours.size != there.size {
        return Ok(false);
    }
    let fail = |error| bareroot_unpack::Error::io("read", &item.path, error);
    let mut one = plan.source.root.open_file(&item.path)?;
    let mut other = root.open_file(&item.path)?;
    let (mut left, mut right) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    loop {
        let length = one.read(&mut left).map_err(fail)?;
        if length == 0 {
            return Ok(true);
        }
        let (left, right) = (
            left.get(..length).unwrap_or_default(),
            right.get_mut(..length).unwrap_or_default(),
        );
        if other.read_exact(right).is_err() || left != right {
            return Ok(false);
        }
    }
}
