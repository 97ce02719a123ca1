//! The libraries that `carry` finds by reading, and those that ldd(1) finds by running the loader.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::Source;
use crate::run::{must, run};

/// How many there are, and where the two differ.
///
/// # Errors
/// When either cannot be asked.
pub fn compared(source: &Source<'_>, program: &str) -> Result<(usize, Vec<String>)> {
    let nowhere = source.place.fresh("nothing");
    let words = [program, "--no-data", "--dry-run", "--json"];
    let said = must(&mut source.carry(&nowhere, &words))?.stdout;
    let list: serde_json::Value = serde_json::from_str(&said).context("the list of --json")?;
    let entries = list["entries"].as_array().context("the list has no `entries`")?;
    let mut ours = BTreeMap::new();
    let mut programs = Vec::new();
    for entry in entries.iter().filter(|entry| entry["kind"] == "file") {
        let text = |key: &str| entry[key].as_str().unwrap_or_default();
        match text("rule") {
            "library" | "loader" | "dlopen" => {
                ours.insert(
                    text("path").to_owned(),
                    (text("rule"), real(source.from, text("needed_by"))),
                );
            }
            // A script's libraries are those of its interpreter.
            "program" | "script" => programs.push(text("path")),
            _ => {}
        }
    }
    let theirs = listed(source, &programs)?;
    ensure!(
        !theirs.is_empty(),
        "ldd finds no library of {}",
        programs.join(", ")
    );
    let lacking = theirs.iter().filter(|path| !ours.contains_key(*path));
    let mut evidence: Vec<String> = lacking.map(|path| format!("- {path}")).collect();
    let more = ours.keys().filter(|path| !theirs.contains(*path));
    evidence.extend(
        more.filter(|path| !is_loaded_later(&ours, path))
            .map(|path| format!("+ {path}")),
    );
    Ok((theirs.len(), evidence))
}

/// Whether a library is there for the sake of one that is opened while the program runs, of which ldd knows nothing.
fn is_loaded_later(ours: &BTreeMap<String, (&str, String)>, path: &str) -> bool {
    let mut at = path;
    // No chain is longer than all of them.
    for _ in 0..=ours.len() {
        match ours.get(at) {
            Some(("dlopen", _)) => return true,
            Some((_, needed_by)) => at = needed_by,
            None => return false,
        }
    }
    false
}

/// A path of the source without links: a library is listed by that, and named by whoever needs it as the loader found it.
fn real(from: &Path, path: &str) -> String {
    let whole = from.join(path.trim_start_matches('/'));
    let found = std::fs::canonicalize(whole).ok();
    let inside = found.as_deref().and_then(|found| found.strip_prefix(from).ok());
    inside.map_or_else(|| path.to_owned(), |inside| format!("/{}", inside.display()))
}

/// ldd's list, run in the root, each without links.
fn listed(source: &Source<'_>, programs: &[&str]) -> Result<BTreeSet<String>> {
    // A path before `=>` is the name that was asked for, and not what was found.
    let script = "for program; do ldd \"$program\" 2>&1; done | sed 's/.*=> //' | grep -o '^[[:space:]]*/[^ ]*' | while read -r path; do realpath \"$path\"; done";
    let words = ["sh", "-c", script, "sh"];
    let mut command = match source.from == Path::new("/") {
        true => Command::new(words[0]),
        false => {
            let mut enter = Command::new(source.bareroot);
            enter.arg("enter").arg(source.from).args(["--", words[0]]);
            enter
        }
    };
    let ran = run(command.args(&words[1..]).args(programs))?;
    Ok(ran.stdout.lines().map(str::to_owned).collect())
}
