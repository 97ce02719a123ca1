//! The libraries that `carry` finds by reading, and those that ldd(1) finds by running the loader.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

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
    let mut program_path = None;
    let mut ours = BTreeSet::new();
    for entry in entries.iter().filter(|entry| entry["kind"] == "file") {
        let path = entry["path"].as_str().context("an entry without a path")?;
        match entry["rule"].as_str() {
            Some("library" | "loader") => drop(ours.insert(path.to_owned())),
            Some("program") => program_path = Some(path.to_owned()),
            _ => {}
        }
    }
    let program_path = program_path.context("the list has no program")?;
    let theirs = listed(source, &program_path)?;
    let mut evidence: Vec<String> = theirs.difference(&ours).map(|path| format!("- {path}")).collect();
    evidence.extend(ours.difference(&theirs).map(|path| format!("+ {path}")));
    Ok((ours.len(), evidence))
}

/// ldd's list, run in the root, each without links.
fn listed(source: &Source<'_>, program: &str) -> Result<BTreeSet<String>> {
    // A path before `=>` is the name that was asked for, and not what was found.
    let script = "ldd \"$1\" | sed 's/.*=> //' | grep -o '^[[:space:]]*/[^ ]*' | while read -r path; do realpath \"$path\"; done";
    let words = ["sh", "-c", script, "sh", program];
    let mut command = match source.from == Path::new("/") {
        true => Command::new(words[0]),
        false => {
            let mut enter = Command::new(source.bareroot);
            enter.arg("enter").arg(source.from).args(["--", words[0]]);
            enter
        }
    };
    let ran = run(command.args(&words[1..]))?;
    Ok(ran.stdout.lines().map(str::to_owned).collect())
}
