//! Everything at once, for a while: roots of both families are made, entered, cloned, exported and removed, and repositories
//! mirrored, in parallel, with mirrors that misbehave and runs that are killed. What is right is known from a run of each
//! that nothing disturbed.

mod at_once;
mod ground;
mod job;
mod table;
mod watch;
mod worker;

use std::path::PathBuf;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::machine;
use crate::report::Report;
use crate::workshop::Place;

use ground::Ground;
use job::Job;
use table::Table;
use watch::Watch;

#[derive(clap::Args)]
pub struct Args {
    /// How long it goes on
    #[arg(long, default_value_t = 5)]
    minutes: u64,
    /// Chooses what is done, what goes wrong and who is killed
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many things are done at once; as many as there are cores when left out
    #[arg(long)]
    jobs: Option<usize>,
    /// Instead: so many bootstraps at once, from one mirror, with the memory of each
    #[arg(long, value_name = "N")]
    at_once: Option<usize>,
    /// bareroot's binary; built as it ships when left out
    #[arg(long)]
    bareroot: Option<PathBuf>,
    /// Where roots are made; below `target` when left out
    #[arg(long)]
    work: Option<PathBuf>,
    /// Leave all in place
    #[arg(long)]
    keep: bool,
}

pub fn run(args: &Args) -> Result<()> {
    let mut report = Report::default();
    if let Err(why) = machine::prepare(machine::Need::Soak) {
        report.skip("the soak", &format!("{why:#}"));
        return report.close();
    }
    let place = Place::new(args.work.as_deref(), args.keep)?;
    let ground = Ground::new(&place, &machine::bareroot(args.bareroot.as_deref())?)?;
    if let Some(count) = args.at_once {
        at_once::run(&ground, count, &mut report)?;
        return report.close();
    }
    let begin = Instant::now();
    let references = ground.references()?;
    println!(
        "note what is right is known after {:.1} s; seed {}",
        begin.elapsed().as_secs_f64(),
        args.seed
    );
    let watch = Watch::begin(&place.path);
    let table = Mutex::new(Table::default());
    let deadline = Instant::now() + Duration::from_secs(args.minutes * 60);
    let workers = args
        .jobs
        .unwrap_or_else(|| thread::available_parallelism().map_or(1, Into::into));
    thread::scope(|scope| {
        for number in 0..workers.max(1) {
            let (ground, references, watch, table) = (&ground, &references, &watch, &table);
            scope.spawn(move || worker::run(number, args.seed, deadline, ground, references, watch, table));
        }
    });
    let mut table = table
        .into_inner()
        .unwrap_or_else(|poisoned| poisoned.into_inner());
    // What a killed run left in a cache is used up, or cleared, by the next run that wants it.
    for job in Job::ALL {
        let finding = ground.undisturbed(job, "last", Some(&references[&job])).err();
        table
            .findings
            .extend(finding.map(|error| format!("the last {}: {error:#}", job.words())));
    }
    println!("{table}");
    report.check(
        "every run ended as it may, and what was made is right",
        &table.findings,
    );
    report.check(
        "caches are sound, and nothing unfinished is in them",
        &ground.caches(),
    );
    for (what, evidence) in watch.left() {
        report.check(what, &evidence);
    }
    report.close()
}
