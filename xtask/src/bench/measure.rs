//! One run: its time, its largest process, and what bareroot says of its phases.

use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::workshop::Place;

/// What one run took.
#[derive(Clone, Debug, Default)]
pub struct Sample {
    /// Wall-clock seconds.
    pub seconds: f64,
    /// Seconds of all processors, user and system.
    pub processor: f64,
    /// Resident memory of the largest process, in KiB.
    pub kib: u64,
    /// Seconds of each phase, as bareroot's events have them.
    pub phases: BTreeMap<String, f64>,
}

impl Sample {
    /// Resident memory of the largest process, in MiB, rounded up.
    pub fn mib(&self) -> u64 {
        self.kib.div_ceil(1024)
    }
}

/// The runs of one tool.
#[derive(Clone, Debug, Default)]
pub struct Series(Vec<Sample>);

impl Series {
    /// Adds a run.
    pub fn push(&mut self, sample: Sample) {
        self.0.push(sample);
    }

    /// The median of the wall-clock seconds.
    pub fn seconds(&self) -> f64 {
        median(self.0.iter().map(|sample| sample.seconds).collect())
    }

    /// The shortest and the longest run, in seconds.
    pub fn span(&self) -> (f64, f64) {
        let all = || self.0.iter().map(|sample| sample.seconds);
        (all().fold(f64::INFINITY, f64::min), all().fold(0.0, f64::max))
    }

    /// The median of the processors' seconds.
    pub fn processor(&self) -> f64 {
        median(self.0.iter().map(|sample| sample.processor).collect())
    }

    /// The most memory of any run, in MiB.
    pub fn mib(&self) -> u64 {
        self.0.iter().map(Sample::mib).max().unwrap_or(0)
    }

    /// The median of a phase's seconds.
    pub fn phase(&self, word: &str) -> Option<f64> {
        let all: Vec<f64> = self
            .0
            .iter()
            .filter_map(|sample| sample.phases.get(word).copied())
            .collect();
        (!all.is_empty()).then(|| median(all))
    }
}

/// The median; 0 of nothing.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match (values.get(middle.wrapping_sub(1)), values.get(middle)) {
        (Some(low), Some(high)) if values.len().is_multiple_of(2) => f64::midpoint(*low, *high),
        (_, Some(middle)) => *middle,
        _ => 0.0,
    }
}

/// Runs a command once, with nothing left to write from what ran before.
///
/// # Errors
/// When it fails: with the last lines that it printed.
pub fn timed(word: &str, command: &Command, place: &Place) -> Result<Sample> {
    let said = place.fresh("said");
    let usage = place.fresh("usage");
    let mut timed = Command::new("time");
    timed
        .args(["-f", "%U %S %M", "-o"])
        .arg(&usage)
        .arg(command.get_program())
        .args(command.get_args());
    timed.envs(
        command
            .get_envs()
            .filter_map(|(name, value)| Some((name, value?))),
    );
    let output = fs::File::create(&said)?;
    timed
        .stdin(Stdio::null())
        .stderr(output.try_clone()?)
        .stdout(output);
    rustix::fs::sync();
    let start = Instant::now();
    let status = timed.status().context("time cannot be run")?;
    let seconds = start.elapsed().as_secs_f64();
    let said = String::from_utf8_lossy(&fs::read(&said)?).into_owned();
    if !status.success() {
        let tail: Vec<&str> = said.lines().rev().take(20).collect();
        bail!(
            "{word}: {status}\n{}",
            tail.into_iter().rev().collect::<Vec<_>>().join("\n")
        );
    }
    let usage = fs::read_to_string(&usage)?;
    let numbers: Vec<f64> = usage
        .split_whitespace()
        .filter_map(|word| word.parse().ok())
        .collect();
    let [user, system, kib] = numbers[..] else {
        bail!("time(1) said `{}`", usage.trim())
    };
    Ok(Sample {
        seconds,
        processor: user + system,
        kib: kib as u64,
        phases: phases(&said),
    })
}

/// The seconds of `phase-finished` events; nothing where the output is not bareroot's.
fn phases(said: &str) -> BTreeMap<String, f64> {
    let mut phases = BTreeMap::new();
    for line in said.lines().filter(|line| line.starts_with('{')) {
        let Ok(event) = serde_json::from_str::<serde_json::Value>(line) else {
            continue;
        };
        if let ("phase-finished", Some(phase), Some(seconds)) = (
            event["event"].as_str().unwrap_or_default(),
            event["phase"].as_str(),
            event["seconds"].as_f64(),
        ) {
            *phases.entry(phase.to_owned()).or_insert(0.0) += seconds;
        }
    }
    phases
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_phases() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0]), 2.5);
        assert_eq!(median(Vec::new()), 0.0);
        let said = "words\n{\"event\":\"phase-finished\",\"phase\":\"index\",\"seconds\":0.25}\n{\"event\":\"done\"}\n";
        assert_eq!(phases(said), BTreeMap::from([("index".to_owned(), 0.25)]));
    }
}
