//! The times of what packages brought.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use bareroot_testkit::tree::{Tree, TreeOptions};

use crate::run::{inside, must};

/// How many paths kept their package's time in dnf's root, and those that have another one in bareroot's. A directory
/// into which something was put later, or a file that a scriptlet wrote, has no time that two runs could share.
///
/// # Errors
/// When a tree or the database cannot be read.
pub fn differing(peer: &Path, ours: &Path) -> Result<(usize, Vec<String>)> {
    let options = TreeOptions {
        mtime: true,
        content: false,
        ..TreeOptions::default()
    };
    let read = |root: &Path| Tree::read(root, &options).context("a tree cannot be read");
    let (theirs, ours) = (read(peer)?, read(ours)?);
    let mut kept = 0;
    let mut evidence = Vec::new();
    for (path, time) in recorded(peer)? {
        let Some(left) = theirs.entries.get(&path).and_then(|entry| entry.mtime) else {
            continue;
        };
        if left != (time, 0) {
            continue;
        }
        kept += 1;
        let made = ours.entries.get(&path).and_then(|entry| entry.mtime);
        if made != Some(left) {
            evidence.push(format!("/{}: {time} | {made:?}", path.display()));
        }
    }
    Ok((kept, evidence))
}

/// Every path of every package, with the time that its header has.
fn recorded(root: &Path) -> Result<BTreeMap<PathBuf, i64>> {
    let format = "[%{FILENAMES}\\t%{FILEMTIMES}\\n]";
    let listed = must(&mut inside(root, &["rpm", "-qa", "--qf", format]))?.stdout;
    let mut times = BTreeMap::new();
    for line in listed.lines() {
        let Some((path, time)) = line.rsplit_once('\t') else {
            continue;
        };
        times.insert(PathBuf::from(path.trim_start_matches('/')), time.parse()?);
    }
    Ok(times)
}
