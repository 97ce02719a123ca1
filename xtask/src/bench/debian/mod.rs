//! `cargo xtask bench debian`: trixie's minbase by every tool, from one mirror on this machine, in turn, in one run.

pub mod contenders;
pub mod mirror;
pub mod rdebootstrap;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::measure::{self, Sample, Series};
use super::table;
use crate::machine::{self, Need};
use crate::peers::mmdebstrap::Mmdebstrap;
use crate::peers::root;
use crate::report::Report;
use crate::workshop::Place;
use contenders::{Contender, RATIOS, SUITE, Tools};
use mirror::Mirror;

/// How often, and where.
#[derive(clap::Args, Clone, Debug)]
pub struct Options {
    /// How often each tool runs
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Where the roots are made [default: target/bench]
    #[arg(long, value_name = "DIR")]
    work: Option<PathBuf>,
    /// An rdebootstrap 0.4.0 that is built already
    #[arg(long, value_name = "FILE")]
    rdebootstrap: Option<PathBuf>,
    /// A bareroot that is built already
    #[arg(long, value_name = "FILE")]
    bareroot: Option<PathBuf>,
}

/// Runs the bench.
///
/// # Errors
/// When a tool fails, or one of the ratios that the project promises is missed.
pub fn run(options: &Options) -> Result<()> {
    let mut report = Report::default();
    if let Err(reason) = machine::prepare(Need::Bench) {
        report.skip("bench debian", &format!("{reason:#}"));
        return report.close();
    }
    let home = machine::target().join("bench");
    let place = Place::new(Some(options.work.as_deref().unwrap_or(&home)), false)?;
    let rdebootstrap = match &options.rdebootstrap {
        Some(binary) => std::path::absolute(binary)?,
        None => rdebootstrap::build(&home)?,
    };
    let bareroot = machine::bareroot(options.bareroot.as_deref())?;
    let upstream = machine::debian_mirror()?;
    let mut mirror = Mirror::start_filling(&home, &upstream)?;
    let tools = Tools {
        bareroot,
        mmdebstrap: Mmdebstrap::get()?,
        rdebootstrap,
        arch: machine::architecture()?,
        mirror: mirror.url(),
        home: place.path.clone(),
    };
    fill(&tools, &mirror, &place, &mut report)?;
    mirror = mirror.serve_only()?;
    let tools = Tools {
        mirror: mirror.url(),
        ..tools
    };
    for number in 1..=2 {
        let target = place.fresh("bareroot-fills-its-cache");
        once(&tools, Contender::BarerootWarm, &target, &place)?;
        let target = place.fresh("rdebootstrap-fills-its-cache");
        once(&tools, Contender::RdebootstrapWarm, &target, &place)?;
        println!("note caches filled, run {number} of 2");
    }
    let mut series: BTreeMap<Contender, Series> = BTreeMap::new();
    for round in 1..=options.rounds {
        for contender in Contender::ALL {
            let target = place.fresh(contender.word());
            let sample = once(&tools, contender, &target, &place)?;
            println!(
                "round {round} {:18} {:6.2} s {:5} MiB",
                contender.word(),
                sample.seconds,
                sample.mib()
            );
            series.entry(contender).or_default().push(sample);
        }
    }
    let missing = mirror.missing()?;
    if !missing.is_empty() {
        report.note(&format!("asked for and not on the mirror: {}", missing.join(" ")));
    }
    let heading = format!(
        "Debian trixie, minbase, one mirror on the same machine, {} rounds in turn, medians.",
        options.rounds
    );
    let [cold, warm] = table::COLD_AND_WARM;
    let columns = [(cold, Contender::Bareroot), (warm, Contender::BarerootWarm)];
    let markdown = table::render(&heading, &series, &columns);
    println!("\n{markdown}");
    for (what, evidence) in table::promises(&series, RATIOS) {
        report.check(&what, &evidence);
    }
    report.close()
}

/// Every tool once, so that the mirror has what each asks for; and the same packages in every root. The roots stay: on
/// ext4 the next ones would pay for their removal.
fn fill(tools: &Tools, mirror: &Mirror, place: &Place, report: &mut Report) -> Result<()> {
    mirror.fetch_indexes(SUITE, &tools.arch)?;
    let mut sets: Vec<(&str, BTreeSet<String>)> = Vec::new();
    for contender in [
        Contender::Debootstrap,
        Contender::Mmdebstrap,
        Contender::Rdebootstrap,
        Contender::Bareroot,
    ] {
        let target = place.fresh(contender.word());
        let sample: Sample = once(tools, contender, &target, place)
            .with_context(|| format!("{} fills the mirror", contender.word()))?;
        println!(
            "note {} has run once, in {:.1} s",
            contender.word(),
            sample.seconds
        );
        sets.push((contender.word(), root::packages(&target)?));
    }
    if let Some((_, ours)) = sets.pop() {
        for (name, theirs) in &sets {
            let evidence = root::unshared(theirs, name, &ours);
            report.check(
                &format!("{name} makes a root of the same {} packages", ours.len()),
                &evidence,
            );
        }
    }
    Ok(())
}

fn once(tools: &Tools, contender: Contender, target: &Path, place: &Place) -> Result<Sample> {
    measure::timed(contender.word(), &tools.command(contender, target)?, place)
}
