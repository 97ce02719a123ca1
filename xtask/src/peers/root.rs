//! What a finished root says of itself: its packages, and dpkg's and apt's own checks.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use bareroot_deb::deb822;

use crate::run::{inside, run};

/// The packages as `name:architecture version status`.
///
/// # Errors
/// When the status file cannot be read.
pub fn packages(root: &Path) -> Result<BTreeSet<String>> {
    let path = root.join("var/lib/dpkg/status");
    let text = fs::read(&path).with_context(|| path.display().to_string())?;
    let mut set = BTreeSet::new();
    for paragraph in deb822::paragraphs("status", &text) {
        let paragraph = paragraph?;
        let field =
            |name| -> Result<String> { Ok(paragraph.text(name)?.unwrap_or_default().trim().to_owned()) };
        set.insert(format!(
            "{}:{} {} {}",
            field("Package")?,
            field("Architecture")?,
            field("Version")?,
            field("Status")?
        ));
    }
    Ok(set)
}

/// What two sets do not share, a line each.
pub fn unshared(peer: &BTreeSet<String>, peer_name: &str, ours: &BTreeSet<String>) -> Vec<String> {
    let only = |name: &str, line: &String| format!("only {name}: {line}");
    let theirs = peer.difference(ours).map(|line| only(peer_name, line));
    theirs
        .chain(ours.difference(peer).map(|line| only("bareroot", line)))
        .collect()
}

/// What a check inside a root has to say against it.
///
/// # Errors
/// When chroot(8) cannot be run.
pub fn complaints(root: &Path, words: &[&str]) -> Result<BTreeSet<String>> {
    Ok(run(&mut inside(root, words))?.said().into_iter().collect())
}

/// dpkg's checks of its database and of the files.
pub const DPKG_CHECKS: &[&[&str]] = &[&["dpkg", "--audit"], &["dpkg", "-V"]];

/// apt's check of the dependencies.
pub const APT_CHECK: &[&str] = &["apt-get", "-qq", "check"];

/// Whether the root has apt.
pub fn has_apt(root: &Path) -> bool {
    root.join("usr/bin/apt-get").is_file()
}
