//! What nothing in a mirror needs any more goes; never a file that the record does not name.

use std::collections::BTreeSet;

use super::dir::Dir;
use super::record::Record;
use crate::error::Error;

/// Removes what is superfluous, and directories that are empty then; how many files there were.
///
/// # Errors
/// When the file system refuses.
pub fn prune(dir: &Dir, record: &mut Record) -> Result<usize, Error> {
    let mut removed = 0;
    for path in record.superfluous() {
        if dir.root().lstat(&path)?.is_some() {
            dir.root().remove(&path)?;
            removed += 1;
        }
        let mut above = path.as_str();
        while let Some((directory, _)) = above.rsplit_once('/') {
            // One that has anything in it stays.
            if dir.root().remove(directory).is_err() {
                break;
            }
            above = directory;
        }
    }
    let kept: BTreeSet<String> = (record.closures.iter())
        .flat_map(|closure| closure.packages.iter().cloned())
        .collect();
    record.packages.retain(|path| kept.contains(path));
    let closures = &record.closures;
    let is_kept = |directory: &String| closures.iter().any(|closure| closure.indexes.contains(directory));
    record.indexes.retain(|directory, _| is_kept(directory));
    let files: BTreeSet<String> = (record.indexes.iter())
        .flat_map(|(directory, files)| files.iter().map(move |file| super::paths::below(directory, file)))
        .collect();
    record.seals.retain(|path, _| files.contains(path));
    Ok(removed)
}
