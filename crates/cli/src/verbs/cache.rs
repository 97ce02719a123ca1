//! `bareroot cache`: what the cache of downloads holds, and cleaning it up.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use bareroot_fetch::{Broken, Cache as Store, Error, Kind, Pruned, Removed};
use serde_json::{Value, json};

use crate::args::{Cache, CacheAction, CachePlace};
use crate::exit::Failure;
use crate::request::Misuse;
use crate::{signals, text};

/// Does what the word after `cache` says.
pub fn run(verb: &Cache) -> Result<(), Failure> {
    match &verb.action {
        CacheAction::Dir(place) => dir(place),
        CacheAction::Size(place) => size(place),
        CacheAction::Prune {
            older_than,
            dry_run,
            place,
        } => prune(place, *older_than, *dry_run),
        CacheAction::Verify { repair, place } => verify(place, *repair),
    }
}

fn directory(place: &CachePlace) -> Result<PathBuf, Failure> {
    let named = place.cache_dir.clone().or_else(Store::default_dir);
    Ok(named.ok_or(Misuse::NoCacheDir)?)
}

/// A JSON document, or words.
fn say(place: &CachePlace, document: impl FnOnce() -> Value, words: impl FnOnce() -> String) {
    let out = match place.json {
        true => text::visible_json(&format!("{}\n", document())),
        false => text::visible(&words()),
    };
    text::to_stdout(&out);
}

fn dir(place: &CachePlace) -> Result<(), Failure> {
    let directory = directory(place)?;
    say(
        place,
        || json!({ "dir": shown(&directory) }),
        || format!("{}\n", directory.display()),
    );
    Ok(())
}

fn size(place: &CachePlace) -> Result<(), Failure> {
    let directory = directory(place)?;
    // A cache that no run has made yet is empty.
    let sizes = match Store::existing(&directory)? {
        Some(cache) => cache.sizes()?.to_vec(),
        None => Vec::new(),
    };
    let rows = Kind::ALL.map(|kind| {
        let found = sizes.iter().find(|size| size.kind == kind);
        (kind, found.map_or((0, 0), |size| (size.files, size.bytes)))
    });
    let files: usize = rows.iter().map(|(_, (files, _))| files).sum();
    let bytes: u64 = rows.iter().map(|(_, (_, bytes))| bytes).sum();
    let document = || {
        let kinds: Vec<Value> = rows
            .iter()
            .map(|(kind, (files, bytes))| json!({ "kind": kind.word(), "files": files, "bytes": bytes }))
            .collect();
        json!({ "dir": shown(&directory), "kinds": kinds, "files": files, "bytes": bytes })
    };
    let words = || {
        let mut words = String::new();
        for (kind, (files, bytes)) in &rows {
            let _ = writeln!(
                words,
                "{:<9} {files:>6} files {:>12}",
                kind.word(),
                text::bytes(*bytes)
            );
        }
        let _ = writeln!(words, "{:<9} {files:>6} files {:>12}", "all", text::bytes(bytes));
        words
    };
    say(place, document, words);
    Ok(())
}

fn prune(place: &CachePlace, older_than: Duration, dry_run: bool) -> Result<(), Failure> {
    let directory = directory(place)?;
    let pruned = match Store::existing(&directory)? {
        Some(cache) => cache.prune(older_than, dry_run)?,
        None => Pruned {
            removed: Vec::new(),
            runs: 0,
            in_use: 0,
        },
    };
    let bytes: u64 = pruned.removed.iter().map(|removed| removed.bytes).sum();
    let document = || {
        let removed: Vec<Value> = pruned.removed.iter().map(removed_document).collect();
        json!({
            "dir": shown(&directory),
            "dry_run": dry_run,
            "removed": removed,
            "files": pruned.removed.len(),
            "bytes": bytes,
            "runs": pruned.runs,
            "in_use": pruned.in_use,
        })
    };
    let words = || {
        let mut words = String::new();
        let now = SystemTime::now();
        for removed in &pruned.removed {
            let age = now.duration_since(removed.used).unwrap_or_default();
            let _ = writeln!(
                words,
                "{:<9} {:>12}  used {} days ago  {}",
                removed.kind.word(),
                text::bytes(removed.bytes),
                age.as_secs() / (24 * 3600),
                removed.path.display()
            );
        }
        let verb = if dry_run { "would be removed" } else { "removed" };
        let _ = writeln!(
            words,
            "{} files, {} {verb}",
            pruned.removed.len(),
            text::bytes(bytes)
        );
        if pruned.in_use > 0 {
            let _ = writeln!(
                words,
                "{} files stay because runs that go on may use them",
                pruned.in_use
            );
        }
        words
    };
    say(place, document, words);
    Ok(())
}

fn removed_document(removed: &Removed) -> Value {
    let since = removed.used.duration_since(SystemTime::UNIX_EPOCH);
    json!({
        "path": shown(&removed.path),
        "kind": removed.kind.word(),
        "bytes": removed.bytes,
        "last_used": since.unwrap_or_default().as_secs(),
    })
}

fn verify(place: &CachePlace, repair: bool) -> Result<(), Failure> {
    let directory = directory(place)?;
    let checked = match Store::existing(&directory)? {
        Some(cache) => cache.verify(repair, &signals::cancel_on_signals())?,
        None => Default::default(),
    };
    let document = || {
        let broken: Vec<Value> = checked.broken.iter().map(broken_document).collect();
        json!({
            "dir": shown(&directory),
            "files": checked.files,
            "bytes": checked.bytes,
            "broken": broken,
        })
    };
    let words = || {
        let mut words = String::new();
        for broken in &checked.broken {
            let done = if broken.removed { "removed" } else { "broken" };
            let _ = writeln!(words, "{done}: {}: {}", broken.path.display(), broken.reason);
        }
        let _ = writeln!(
            words,
            "{} files, {} checked, {} broken",
            checked.files,
            text::bytes(checked.bytes),
            checked.broken.len()
        );
        words
    };
    say(place, document, words);
    match checked.broken.iter().filter(|broken| !broken.removed).count() {
        0 => Ok(()),
        files => Err(Error::BrokenCache {
            path: directory,
            files,
        }
        .into()),
    }
}

fn broken_document(broken: &Broken) -> Value {
    json!({
        "path": shown(&broken.path),
        "reason": broken.reason,
        "removed": broken.removed,
    })
}

/// A path as JSON can have it.
fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
