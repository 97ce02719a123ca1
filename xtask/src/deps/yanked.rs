//! Which locked versions their authors took back.
//!
//! Cargo itself is asked, by whatever registry it is set up with: for a package that needs each version exactly and has no
//! lock, it refuses a version that was yanked. What it says beside that, as the registry's address, is not repeated.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::report::Report;
use crate::run;

/// What cargo says when the registry does not answer.
const UNREACHABLE: [&str; 6] = [
    "failed to query replaced source",
    "failed to get `",
    "Unable to update registry",
    "unable to update registry",
    "failed to download",
    "download of ",
];

/// What cargo found.
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    Yanked(String, String),
    Unreachable,
    Unclear,
}

/// Checks the versions of a workspace's Cargo.lock; `of` says which workspace.
///
/// # Errors
/// When Cargo.lock cannot be read, or cargo fails in a way that says nothing of versions.
pub fn check(top: &Path, of: &str, report: &mut Report) -> Result<()> {
    let what = &format!("yanked versions{of}");
    let mut left = locked(&std::fs::read_to_string(top.join("Cargo.lock")).context("Cargo.lock")?)?;
    let mut yanked = Vec::new();
    let scratch = tempfile::tempdir()?;
    std::fs::create_dir(scratch.path().join("src"))?;
    std::fs::write(scratch.path().join("src/lib.rs"), "")?;
    loop {
        std::fs::write(scratch.path().join("Cargo.toml"), manifest(&left))?;
        let ran = run::run(
            Command::new("cargo")
                .arg("generate-lockfile")
                .env("CARGO_HTTP_TIMEOUT", "10")
                .env("CARGO_TERM_COLOR", "never")
                .current_dir(scratch.path()),
        )?;
        if ran.success {
            break;
        }
        match answer(&ran.stderr) {
            Answer::Yanked(name, version) if left.remove(&(name.clone(), version.clone())) => {
                yanked.push(format!("{name} {version}"));
            }
            Answer::Unreachable => {
                report.skip(what, "the registry does not answer");
                return Ok(());
            }
            _ => bail!("cargo could not resolve the versions of Cargo.lock once more"),
        }
    }
    report.check(what, &yanked);
    Ok(())
}

/// Names and versions of what the lock has from a registry.
fn locked(text: &str) -> Result<BTreeSet<(String, String)>> {
    let lock: toml::Table = toml::from_str(text).context("Cargo.lock")?;
    let packages = lock.get("package").and_then(toml::Value::as_array);
    let found: BTreeSet<_> = packages
        .into_iter()
        .flatten()
        .filter_map(|package| {
            let text = |key| package.get(key).and_then(toml::Value::as_str).map(str::to_owned);
            text("source")
                .filter(|source| source.starts_with("registry+"))
                .and_then(|_| text("name").zip(text("version")))
        })
        .collect();
    if found.is_empty() {
        bail!("Cargo.lock names no package of a registry");
    }
    Ok(found)
}

fn manifest(packages: &BTreeSet<(String, String)>) -> String {
    let mut text =
        "[package]\nname = \"locked-versions\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[workspace]\n\
                    [dependencies]\n"
            .to_owned();
    for (number, (name, version)) in packages.iter().enumerate() {
        // What follows `+` is no part of a requirement.
        let version = version.split('+').next().unwrap_or(version);
        let _ = writeln!(
            text,
            "d{number} = {{ package = \"{name}\", version = \"={version}\", default-features = false }}"
        );
    }
    text
}

fn answer(said: &str) -> Answer {
    let required = said
        .lines()
        .find_map(|line| line.split_once("for the requirement `")?.1.split_once(" = \"="));
    let version = said
        .lines()
        .find_map(|line| line.trim().strip_prefix("version ")?.strip_suffix(" is yanked"));
    match (required, version) {
        (Some((name, _)), Some(version)) => Answer::Yanked(name.to_owned(), version.to_owned()),
        _ if UNREACHABLE.iter().any(|words| said.contains(words)) => Answer::Unreachable,
        _ => Answer::Unclear,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cargo_says_is_understood() {
        let yanked = "error: failed to select a version for the requirement `tokio = \"=1.0.0\"`\n  version 1.0.0 is yanked\n\
                      location searched: crates.io index\n";
        assert_eq!(
            answer(yanked),
            Answer::Yanked("tokio".to_owned(), "1.0.0".to_owned())
        );
        let away = "error: failed to get `serde` as a dependency of package `locked-versions v0.0.0`\n";
        assert_eq!(answer(away), Answer::Unreachable);
        let missing = "error: failed to select a version for the requirement `tokio = \"=1.0.0\"`\ncandidate versions found\n";
        assert_eq!(answer(missing), Answer::Unclear);
    }

    #[test]
    fn only_what_a_registry_has_is_asked_for() {
        let lock = "[[package]]\nname = \"own\"\nversion = \"1.0.0\"\n[[package]]\nname = \"other\"\nversion = \"2.0.0+3\"\n\
                    source = \"registry+https://example.org/index\"\n";
        let found = locked(lock).unwrap();
        assert_eq!(found.len(), 1);
        assert!(
            manifest(&found)
                .ends_with("d0 = { package = \"other\", version = \"=2.0.0\", default-features = false }\n")
        );
        assert!(locked("[[package]]\nname = \"own\"\nversion = \"1.0.0\"\n").is_err());
    }
}
