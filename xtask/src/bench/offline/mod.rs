//! `cargo xtask bench offline`: trixie's minbase from a lock and a warm cache, against roots without a lock and
//! rdebootstrap's, from one mirror on this machine, in turn, in one run; and a partial mirror's size and time.

mod contenders;
mod partial;

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, Result};

use super::debian::contenders::SUITE;
use super::debian::mirror::Mirror;
use super::debian::rdebootstrap;
use super::measure::{self, Sample, Series};
use super::table;
use crate::machine::{self, Need};
use crate::peers::root;
use crate::report::Report;
use crate::workshop::Place;
use contenders::{Contender, RATIOS, Tools};

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
        report.skip("bench offline", &format!("{reason:#}"));
        return report.close();
    }
    let home = machine::target().join("bench");
    let place = Place::new(Some(options.work.as_deref().unwrap_or(&home)), false)?;
    let rdebootstrap = match &options.rdebootstrap {
        Some(binary) => std::path::absolute(binary)?,
        None => rdebootstrap::build(&home)?,
    };
    let mut tools = Tools {
        bareroot: machine::bareroot(options.bareroot.as_deref())?,
        rdebootstrap,
        arch: machine::architecture()?,
        mirror: String::new(),
        home: place.path.clone(),
    };
    let mirror = Mirror::start_filling(&home, &machine::debian_mirror()?)?;
    tools.mirror = mirror.url();
    mirror.fetch_indexes(SUITE, &tools.arch)?;
    // What the tools ask for comes to the mirror before anything is measured.
    let filling = Tools {
        home: place.fresh("filling"),
        ..tools
    };
    std::fs::create_dir_all(&filling.home)?;
    filling.lock().context("the mirror is filled")?;
    for contender in [Contender::Rdebootstrap, Contender::Cold] {
        once(&filling, contender, &place)?;
    }
    partial::run(&filling, &place, &mut Report::default()).context("the mirror is filled")?;
    let mirror = mirror.serve_only()?;
    let tools = Tools {
        mirror: mirror.url(),
        home: place.path.clone(),
        ..filling
    };
    let series = race(&tools, options.rounds, &place, &mut report)?;
    let heading = format!(
        "Debian {SUITE}, minbase, one mirror on the same machine, {} rounds in turn, medians.",
        options.rounds
    );
    let columns = [
        ("neither lock nor cache", Contender::Cold),
        ("warm cache", Contender::Warm),
        ("lock and warm cache", Contender::Locked),
        ("--offline", Contender::Offline),
    ];
    println!("\n{}", table::render(&heading, &series, &columns));
    for (what, evidence) in table::promises(&series, RATIOS) {
        report.check(&what, &evidence);
    }
    for locked in [Contender::Locked, Contender::Offline] {
        let (what, evidence) = without_an_index_phase(&series, locked);
        report.check(&what, &evidence);
    }
    partial::run(&tools, &place, &mut report)?;
    let missing = mirror.missing()?;
    if !missing.is_empty() {
        report.note(&format!("asked for and not on the mirror: {}", missing.join(" ")));
    }
    report.close()
}

/// The rounds, after the caches are full: bareroot's is after the second use of each archive.
fn race(
    tools: &Tools,
    rounds: u32,
    place: &Place,
    report: &mut Report,
) -> Result<BTreeMap<Contender, Series>> {
    tools.lock()?;
    for number in 1..=2 {
        for contender in [Contender::Rdebootstrap, Contender::Warm, Contender::Locked] {
            once(tools, contender, place)?;
        }
        println!("note caches filled, run {number} of 2");
    }
    let mut series: BTreeMap<Contender, Series> = BTreeMap::new();
    for round in 1..=rounds {
        let mut first = None;
        for contender in Contender::ALL {
            let target = place.fresh(contender.word());
            let sample = measure::timed(contender.word(), &tools.command(contender, &target), place)?;
            println!("round {round} {:15} {:6.2} s", contender.word(), sample.seconds);
            series.entry(contender).or_default().push(sample);
            if round == 1 {
                let packages = root::packages(&target)?;
                let of = first.get_or_insert_with(|| packages.clone());
                report.check(
                    &format!("{}: a root of the same {} packages", contender.word(), of.len()),
                    &root::unshared(of, "rdebootstrap", &packages),
                );
            }
        }
    }
    Ok(series)
}

fn once(tools: &Tools, contender: Contender, place: &Place) -> Result<Sample> {
    let target = place.fresh(contender.word());
    measure::timed(contender.word(), &tools.command(contender, &target), place)
}

/// What a locked run does not do at all: read an index, and solve.
fn without_an_index_phase(series: &BTreeMap<Contender, Series>, locked: Contender) -> (String, Vec<String>) {
    let phases = |contender: Contender| -> f64 {
        let runs = series.get(&contender);
        ["index", "solve"]
            .iter()
            .filter_map(|phase| runs.and_then(|runs| runs.phase(phase)))
            .sum()
    };
    let (ours, theirs) = (phases(locked), phases(Contender::Warm));
    let what = format!(
        "{}: no index is read, nothing is solved: {ours:.3} s of the {theirs:.3} s that both take without a lock",
        locked.word()
    );
    let evidence = match theirs > 0.0 && ours < theirs / 10.0 {
        true => Vec::new(),
        false => vec![format!("{ours:.3} s is more than a tenth")],
    };
    (what, evidence)
}
