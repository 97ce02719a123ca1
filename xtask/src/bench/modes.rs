//! `cargo xtask bench modes`: trixie's minbase made by ordinary users, as ratios to root's time, in turn, in one run.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use super::measure::{self, Sample, Series};
use crate::machine::{self, Need};
use crate::report::Report;
use crate::users::{User, Users};
use crate::workshop::Place;

/// How many times root's time another user may take.
const MOST: f64 = 1.3;

/// How often, and where.
#[derive(clap::Args, Clone, Debug)]
pub struct Options {
    /// How often each user makes a root
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Where the roots are made [default: target/bench]
    #[arg(long, value_name = "DIR")]
    work: Option<PathBuf>,
    /// A bareroot that is built already
    #[arg(long, value_name = "FILE")]
    bareroot: Option<PathBuf>,
}

/// Runs the bench. Every user has a warm cache, so that what is compared is the work in the root.
///
/// # Errors
/// When a run fails, or the promised ratio is missed.
pub fn run(options: &Options) -> Result<()> {
    let mut report = Report::default();
    if let Err(reason) = machine::prepare(Need::BenchUsers) {
        report.skip("bench modes", &format!("{reason:#}"));
        return report.close();
    }
    let home = machine::target().join("bench");
    let place = Place::new(Some(options.work.as_deref().unwrap_or(&home)), false)?;
    let users = Users::new(&place)?;
    let bareroot = place.fresh("bareroot");
    fs::copy(machine::bareroot(options.bareroot.as_deref())?, &bareroot)?;
    let mirror = machine::debian_mirror()?;
    let once = |user: User, name: &str| -> Result<Sample> {
        let mut command = Command::new(&bareroot);
        command
            .args(["bootstrap", "debian:trixie", "--mirror", &mirror, "--json"])
            .arg(users.home(user).join(name));
        measure::timed(user.words(), &users.command(user, &command), &place)
    };
    for user in User::ALL {
        for number in 1..=2 {
            once(user, &format!("fills-the-cache-{number}"))?;
        }
    }
    let mut series: BTreeMap<User, Series> = BTreeMap::new();
    for round in 1..=options.rounds {
        for user in User::ALL {
            let sample = once(user, &format!("root-{round}"))?;
            println!("round {round} {:30} {:6.2} s", user.words(), sample.seconds);
            series.entry(user).or_default().push(sample);
        }
    }
    let seconds = |user| series.get(&user).map_or(0.0, Series::seconds);
    let roots = seconds(User::Root);
    for user in [User::Subordinate, User::Alone] {
        let ratio = seconds(user) / roots;
        let what = format!(
            "{} takes at most {MOST} times root's {roots:.2} s: {ratio:.2}",
            user.words()
        );
        let evidence = match ratio > MOST {
            true => vec![format!("{ratio:.2} is more than {MOST}")],
            false => Vec::new(),
        };
        report.check(&what, &evidence);
    }
    report.close()
}
