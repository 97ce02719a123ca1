//! Bootstraps under faults that a seed chooses: a mirror that misbehaves, kills, calls that fail, little room, little
//! memory. Each ends done with a right root, or with a documented exit code and no target; the next run on the same cache
//! and target is done, and leaves nothing of either.
//!
//! `BAREROOT_FAULT_RUNS=500` and `BAREROOT_FAULT_RUNS_RPM=100` say how many seeds are tried, `BAREROOT_FAULT_SEED=17` tries one.

mod choice;
mod family;
mod run;
mod tally;
mod verdict;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use bareroot_testkit::harness::Case;
use bareroot_testkit::{cases, harness, launch, programs};

use crate::family::Family;
use crate::tally::Tally;

const CASES: &[Case] = cases![Root: debian_roots_under_faults, rpm_roots_under_faults];

/// How many runs go on at once: most of the time they wait for a mirror that stalls.
const WORKERS: usize = 6;

fn main() -> ExitCode {
    programs::main()
        .or_else(launch::main)
        .unwrap_or_else(|| harness::main(&[CASES], 1))
}

fn debian_roots_under_faults() {
    seeds(Family::Debian, "BAREROOT_FAULT_RUNS", 40);
}

fn rpm_roots_under_faults() {
    seeds(Family::Rpm, "BAREROOT_FAULT_RUNS_RPM", 10);
}

/// Says what cannot be tried here.
#[allow(clippy::print_stderr, reason = "what is skipped says so")]
fn skipped(words: &str) {
    eprintln!("skipped: {words}");
}

/// A number of the environment.
fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[allow(
    clippy::print_stdout,
    reason = "what came of the seeds is what the test is for"
)]
fn seeds(family: Family, count: &str, by_default: u64) {
    let seeds = match variable("BAREROOT_FAULT_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..variable(count).unwrap_or(by_default),
    };
    let quiet = family.reference();
    let next = AtomicU64::new(seeds.start);
    let tally = Mutex::new(Tally::default());
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let Some(seed) =
                    Some(next.fetch_add(1, Ordering::Relaxed)).filter(|seed| seeds.contains(seed))
                {
                    // A panic's own words are printed when it happens; the seed belongs to them.
                    let chosen = choice::Choice::of(seed, quiet);
                    let ran = catch_unwind(AssertUnwindSafe(|| run::run(family, quiet, seed, &chosen)));
                    let mut tally = tally.lock().expect("no thread panics with it");
                    match ran {
                        Ok(ending) => tally.note(&chosen, &ending),
                        Err(_) => tally.failed(format!("BAREROOT_FAULT_SEED={seed} ({family}): {chosen}")),
                    }
                }
            });
        }
    });
    let tally = tally.into_inner().expect("no thread panics with it");
    println!("{family}:\n{tally}");
    assert!(tally.findings().is_empty(), "{:#?}", tally.findings());
}
