//! One target's run, and what came of it.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use super::{Places, corpus};
use crate::run::run as run_program;

/// The longest that one input may take, in seconds: a body that needs it is quadratic, or the machine is busy.
const TIMEOUT: u32 = 20;

/// What a target may have resident, with what C code allocates and libFuzzer's own tables, in MiB.
const RESIDENT: u32 = 1024;

/// What came of a target's run.
pub struct Outcome {
    name: String,
    executions: u64,
    seconds: u64,
    edges: u64,
    inputs: u64,
    resident: u64,
    /// Why it failed: the end of what libFuzzer said, and where the input is.
    pub evidence: Vec<String>,
}

impl Outcome {
    /// The check's name.
    pub fn line(&self) -> String {
        format!(
            "{}: no crash, time-out or allocation past the bound in {} executions",
            self.name, self.executions
        )
    }
}

/// Runs a target for so long.
pub fn run(name: &str, program: &Path, places: &Places, time: Duration) -> Result<Outcome> {
    let corpus = places.corpus.join(name);
    fs::create_dir_all(&corpus).with_context(|| corpus.display().to_string())?;
    fs::create_dir_all(&places.findings).with_context(|| places.findings.display().to_string())?;
    corpus::unpack(name, places)?;
    let finding = format!("{}/{name}-", places.findings.display());
    let ran = run_program(
        Command::new(program)
            .arg(format!("-max_total_time={}", time.as_secs()))
            .arg(format!("-timeout={TIMEOUT}"))
            .arg(format!("-rss_limit_mb={RESIDENT}"))
            .arg(format!("-artifact_prefix={finding}"))
            .args(["-print_final_stats=1", "-reload=0"])
            .arg(&corpus)
            .env("RUST_BACKTRACE", "1"),
    )?;
    let stat = |key: &str| -> u64 {
        ran.stderr
            .lines()
            .rev()
            .find_map(|line| line.strip_prefix(&format!("stat::{key}:"))?.trim().parse().ok())
            .unwrap_or_default()
    };
    let executions = stat("number_of_executed_units");
    let mut evidence = Vec::new();
    if !ran.success || executions == 0 {
        evidence.push(format!("{}; the input is a file {finding}*", ran.status));
        evidence.extend(ran.tail().lines().map(str::to_owned));
    }
    Ok(Outcome {
        name: name.to_owned(),
        executions,
        seconds: time.as_secs(),
        edges: word_after(&ran.stderr, "cov: "),
        inputs: word_after(&ran.stderr, "corp: "),
        resident: stat("peak_rss_mb"),
        evidence,
    })
}

/// The number after the last such word of libFuzzer's lines.
fn word_after(said: &str, word: &str) -> u64 {
    said.rsplit_once(word)
        .and_then(|(_, rest)| rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok())
        .unwrap_or_default()
}

/// The outcomes as Markdown.
pub fn table(outcomes: &[Outcome]) -> String {
    let mut text = String::from(
        "| target | executions | seconds | edges reached | inputs that differ | resident at most, MiB | findings |\n\
         |---|---:|---:|---:|---:|---:|---:|\n",
    );
    for outcome in outcomes {
        let _ = writeln!(
            text,
            "| `{}` | {} | {} | {} | {} | {} | {} |",
            outcome.name,
            outcome.executions,
            outcome.seconds,
            outcome.edges,
            outcome.inputs,
            outcome.resident,
            u8::from(!outcome.evidence.is_empty()),
        );
    }
    let executions: u64 = outcomes.iter().map(|outcome| outcome.executions).sum();
    let _ = writeln!(text, "\n{} targets, {executions} executions", outcomes.len());
    text
}
