//! The fuzz targets, each for a while, from a corpus that is kept in `fixtures/fuzz`.

mod build;
mod corpus;
mod target;

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Result, ensure};

use crate::machine;
use crate::report::Report;

#[derive(clap::Args)]
pub struct Args {
    /// The targets; all when none is named
    targets: Vec<String>,
    /// How long each target runs, in minutes
    #[arg(long, default_value_t = 10, conflicts_with = "seconds")]
    minutes: u64,
    /// How long each target runs, in seconds
    #[arg(long)]
    seconds: Option<u64>,
    /// How many targets run at once; as many as there are cores when left out
    #[arg(long)]
    jobs: Option<usize>,
    /// Keep the smallest inputs that reach what was reached, in fixtures/fuzz
    #[arg(long)]
    keep: bool,
}

/// Where things are, below `target/` but for the kept inputs.
struct Places {
    kept: PathBuf,
    corpus: PathBuf,
    findings: PathBuf,
}

pub fn run(args: &Args) -> Result<()> {
    let mut report = Report::default();
    if let Err(why) = machine::prepare_to_fuzz() {
        report.skip("fuzzing", &format!("{why:#}"));
        return report.close();
    }
    let root = machine::workspace();
    let places = Places {
        kept: root.join("fixtures/fuzz"),
        corpus: machine::target().join("fuzz/corpus"),
        findings: machine::target().join("fuzz/findings"),
    };
    let known = build::targets(&root)?;
    for name in &args.targets {
        ensure!(
            known.contains(name),
            "no target is named `{name}`; there are {}",
            known.join(", ")
        );
    }
    let chosen: Vec<String> = known
        .into_iter()
        .filter(|name| args.targets.is_empty() || args.targets.contains(name))
        .collect();
    let programs = build::build(&root, &chosen)?;
    let time = Duration::from_secs(args.seconds.unwrap_or(args.minutes * 60));
    let outcomes = all(&chosen, &programs, &places, time, args.jobs)?;
    println!("{}", target::table(&outcomes));
    for outcome in &outcomes {
        report.check(&outcome.line(), &outcome.evidence);
    }
    if args.keep {
        for name in &chosen {
            corpus::keep(name, &programs.join(name), &places)?;
        }
    }
    report.close()
}

/// Runs the targets, some at once, and gives their outcomes in the targets' order.
fn all(
    chosen: &[String],
    programs: &Path,
    places: &Places,
    time: Duration,
    jobs: Option<usize>,
) -> Result<Vec<target::Outcome>> {
    let jobs = jobs.unwrap_or_else(|| thread::available_parallelism().map_or(1, Into::into));
    let next = AtomicUsize::new(0);
    let outcomes = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            scope.spawn(|| {
                loop {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    let Some(name) = chosen.get(place) else { break };
                    let outcome = target::run(name, &programs.join(name), places, time);
                    outcomes
                        .lock()
                        .expect("no thread panics with it")
                        .push((place, outcome));
                }
            });
        }
    });
    let mut outcomes = outcomes.into_inner().expect("no thread panics with it");
    outcomes.sort_by_key(|(place, _)| *place);
    outcomes.into_iter().map(|(_, outcome)| outcome).collect()
}
