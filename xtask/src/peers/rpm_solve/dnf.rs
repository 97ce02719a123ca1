//! dnf's answers, by its own Python interface: one process for many sets.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

/// The system's own Python has dnf; another that comes first on PATH may not.
const PYTHON: &str = "/usr/bin/python3";

/// Packages as `name-epoch:version-release.arch@repository`, and the module streams that are enabled; or why not.
pub type Answer = Result<(BTreeSet<String>, BTreeMap<String, String>), String>;

/// A repository as dnf is told of it.
pub struct Repo {
    /// Its id.
    pub id: String,
    /// Its directory.
    pub path: String,
    /// Options of a .repo file, as dnf's configuration has them.
    pub options: Value,
}

/// A set of wishes.
#[derive(Clone, Debug)]
pub struct Set {
    /// The wishes.
    pub words: Vec<String>,
    /// Whether weak dependencies are followed.
    pub weak: bool,
}

/// Asks dnf for each set in an empty root.
pub fn answers(work: &Path, repos: &[Repo], sets: &[Set]) -> Result<Vec<Answer>> {
    let file = work.join("answers");
    let question = json!({
        "root": work.join("root"),
        "cache": work.join("cache"),
        "answers": &file,
        "platform": format!("platform:{}", super::PLATFORM),
        "repos": repos.iter().map(|repo| json!({
            "id": &repo.id, "path": &repo.path, "options": &repo.options,
        })).collect::<Vec<_>>(),
        "sets": sets.iter().map(|set| json!({"words": &set.words, "weak": set.weak})).collect::<Vec<_>>(),
    });
    std::fs::create_dir_all(work.join("root"))?;
    let mut child = Command::new(PYTHON)
        .args(["-c", include_str!("dnf.py")])
        .env("HOME", work)
        .env("LC_ALL", "C.UTF-8")
        // Members of groups are a set: with a fixed seed their order is the same in every run.
        .env("PYTHONHASHSEED", "0")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .context(PYTHON)?;
    if let Some(mut input) = child.stdin.take() {
        input.write_all(question.to_string().as_bytes())?;
    }
    let output = child.wait_with_output()?;
    ensure!(
        output.status.success(),
        "dnf's Python interface failed:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = std::fs::read_to_string(&file)?;
    let answers: Vec<Answer> = text.lines().map(answer).collect::<Result<_>>()?;
    ensure!(
        answers.len() == sets.len(),
        "dnf answered {} of {} sets",
        answers.len(),
        sets.len()
    );
    Ok(answers)
}

fn answer(line: &str) -> Result<Answer> {
    let value: Value = serde_json::from_str(line)?;
    if let Some(error) = value.get("error").and_then(Value::as_str) {
        return Ok(Err(error.to_owned()));
    }
    let packages = value
        .get("packages")
        .and_then(Value::as_array)
        .context("no packages")?;
    let packages = packages
        .iter()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect();
    let modules = value
        .get("modules")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(name, stream)| (name.clone(), stream.as_str().unwrap_or_default().to_owned()))
        .collect();
    Ok(Ok((packages, modules)))
}
