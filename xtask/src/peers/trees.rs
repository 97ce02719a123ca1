//! Two roots, compared path by path.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use bareroot_testkit::tree::{Difference, Tree, TreeOptions, diff};

use super::exceptions::{self, Exception, Pair};

/// How much of a file is read to show where two texts part.
const TEXT: u64 = 4 << 20;

/// What is left of a comparison.
#[derive(Debug, Default)]
pub struct Compared {
    /// Differences that no exception covers.
    pub unexplained: Vec<String>,
    /// How often each exception was used.
    pub excused: BTreeMap<&'static str, Vec<String>>,
}

/// Every path, type, mode, owner, link, hard link, attribute and content of the peer's root and of bareroot's, but for
/// the differences that a table excuses.
///
/// # Errors
/// When one of the two cannot be read.
pub fn with_peer(table: &'static [Exception], pair: &Pair<'_>) -> Result<Compared> {
    let (peer, ours) = (pair.peer, pair.ours);
    let read = |root: &Path| Tree::read(root, &TreeOptions::default()).context("a tree cannot be read");
    let mut compared = Compared::default();
    for difference in diff(&read(peer)?, &read(ours)?, &|_| false) {
        match exceptions::for_difference(table, &difference, pair) {
            Some(Exception { reason, .. }) => {
                let path = difference.path().display().to_string();
                compared.excused.entry(reason).or_default().push(path);
            }
            None => compared.unexplained.extend(explain(&difference, peer, ours)),
        }
    }
    Ok(compared)
}

/// As [`with_peer`] of two of bareroot's roots: times too, and no exceptions.
///
/// # Errors
/// When one of the two cannot be read.
pub fn between_runs(first: &Path, second: &Path) -> Result<Vec<String>> {
    let options = TreeOptions {
        mtime: true,
        ..TreeOptions::default()
    };
    let read = |root: &Path| Tree::read(root, &options).context("a tree cannot be read");
    let differences = diff(&read(first)?, &read(second)?, &|_| false);
    Ok(differences
        .iter()
        .flat_map(|difference| explain(difference, first, second))
        .collect())
}

/// Whether a file has the same bytes in two roots.
///
/// # Errors
/// When it cannot be read.
pub fn same_file(path: &str, first: &Path, second: &Path) -> Result<Vec<String>> {
    let read = |root: &Path| fs::read(root.join(path)).with_context(|| root.join(path).display().to_string());
    if read(first)? == read(second)? {
        return Ok(Vec::new());
    }
    Ok(parting(&first.join(path), &second.join(path))
        .map_or_else(|| vec![format!("/{path} differs")], Vec::from))
}

/// The difference, and where two texts part.
fn explain(difference: &Difference, first: &Path, second: &Path) -> Vec<String> {
    let mut lines = vec![difference.to_string()];
    if let Difference::Changed { path, what } = difference
        && what.iter().any(|(aspect, ..)| *aspect == "content")
    {
        lines.extend(
            parting(&first.join(path), &second.join(path))
                .into_iter()
                .flatten(),
        );
    }
    lines
}

/// The first lines in which two texts differ.
fn parting(first: &Path, second: &Path) -> Option<[String; 2]> {
    let read = |path: &Path| {
        let small = fs::symlink_metadata(path).ok()?.len() <= TEXT;
        small.then(|| fs::read_to_string(path).ok()).flatten()
    };
    let (first, second) = (read(first)?, read(second)?);
    let (mut one, mut two) = (first.lines(), second.lines());
    for number in 1.. {
        match (one.next(), two.next()) {
            (None, None) => break,
            (a, b) if a == b => {}
            (a, b) => {
                let show = |sign, line: Option<&str>| {
                    format!(
                        "    {sign} line {number}: {}",
                        line.unwrap_or("(ended)").chars().take(160).collect::<String>()
                    )
                };
                return Some([show('-', a), show('+', b)]);
            }
        }
    }
    None
}
