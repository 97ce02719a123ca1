//! The same inputs to bareroot and to its peers, the results compared.

mod alone;
pub mod apt;
mod carry;
mod clone;
mod debian;
mod exceptions;
mod foreign;
pub mod mmdebstrap;
mod modes;
mod no_host_programs;
mod offline;
pub mod root;
mod rpm;
mod rpm_solve;
mod rpmdb;
mod solve;
mod tar;
mod trace;
mod trees;
mod ubuntu;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::machine::{self, Need};
use crate::report::Report;
use crate::workshop::{Place, Workshop};

/// `cargo xtask peers`.
#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Args {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    lane: Option<Lane>,
}

/// Options of every lane that makes roots.
#[derive(clap::Args, Clone, Debug)]
pub struct Common {
    /// Only a part: what takes a few minutes
    #[arg(long)]
    quick: bool,
    /// Where the roots are made (a tmpfs is fastest) [default: target/peers]
    #[arg(long, value_name = "DIR")]
    work: Option<PathBuf>,
    /// Leave the roots where they are
    #[arg(long)]
    keep: bool,
    /// A binary that is built already
    #[arg(long, value_name = "FILE")]
    bareroot: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Lane {
    /// Programs carried from this system and from Debian's and arm64's roots, each at its job; libraries with ldd's
    Carry {
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        which: carry::Which,
    },
    /// A clone of the running system, with the system and with `tar | tar`
    Clone {
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        which: clone::Which,
    },
    /// Debian's roots, with mmdebstrap's
    Debian {
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        which: debian::Which,
    },
    /// Roots in two stages, and of another architecture, with mmdebstrap's packages
    Foreign {
        #[command(flatten)]
        common: Common,
    },
    /// Roots made by ordinary users, with root's
    Modes {
        #[command(flatten)]
        common: Common,
    },
    /// Every program of a bootstrap is the target's own; the binary works alone
    NoHostPrograms {
        #[command(flatten)]
        common: Common,
    },
    /// Partial mirrors without a network: bareroot, debootstrap, mmdebstrap, apt and dnf
    Offline {
        #[command(flatten)]
        common: Common,
    },
    /// Package selection, with dnf's solver
    RpmSolve(rpm_solve::Args),
    /// Package selection, with `apt-get -s install`
    Solve(solve::Args),
    /// Roots of an RPM distribution made for this, with dnf's
    Rpm {
        #[command(flatten)]
        common: Common,
    },
    /// Options of .repo files and of what is installed, with dnf
    RpmOptions {
        #[command(flatten)]
        common: Common,
    },
    /// Archives of Debian's roots, with mmdebstrap's and GNU tar's
    Tar {
        #[command(flatten)]
        common: Common,
    },
    /// Databases of every kind, with rpm, Berkeley DB's programs and the rpm of a Debian 13 root
    Rpmdb {
        #[command(flatten)]
        common: Common,
    },
    /// Ubuntu's roots, with mmdebstrap's
    Ubuntu {
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        which: ubuntu::Which,
    },
}

/// A lane's options as they are by default.
#[derive(Parser)]
struct Alone<A: clap::Args> {
    #[command(flatten)]
    args: A,
}

/// Runs one lane, or all that need no further option.
///
/// # Errors
/// When a check failed.
pub fn run(args: Args) -> Result<()> {
    let mut report = Report::default();
    match args.lane {
        Some(Lane::Solve(args)) => return solve::run(&args),
        Some(Lane::RpmSolve(args)) => return rpm_solve::run(&args),
        Some(Lane::Carry { common, which }) => carry_lane(&common, &which, &mut report)?,
        Some(Lane::Clone { common, which }) => clone_lane(&common, &which, &mut report)?,
        Some(Lane::Debian { common, which }) => {
            if let Some(workshop) = open(&common, Need::Peers, "debian", &mut report)? {
                debian::run(&workshop, &which, common.quick, &mut report)?;
            }
        }
        Some(Lane::Foreign { common }) => {
            if let Some(workshop) = open(&common, Need::Foreign, "foreign", &mut report)? {
                foreign::run(&workshop, common.quick, &mut report)?;
            }
        }
        Some(Lane::NoHostPrograms { common }) => {
            if let Some(workshop) = open(&common, Need::Peers, "no-host-programs", &mut report)? {
                no_host_programs::run(&workshop, &mut report)?;
                alone::run(&workshop, &mut report)?;
            }
        }
        Some(Lane::Offline { common }) => {
            if let Some(workshop) = open(&common, Need::Offline, "offline", &mut report)? {
                offline::run(&workshop, &mut report)?;
            }
        }
        Some(Lane::Modes { common }) => modes_lane(&common, &mut report)?,
        Some(Lane::Rpm { common }) => rpm_lane(&common, &mut report)?,
        Some(Lane::RpmOptions { common }) => rpm_options_lane(&common, &mut report)?,
        Some(Lane::Tar { common }) => {
            if let Some(workshop) = open(&common, Need::Tar, "tar", &mut report)? {
                tar::run(&workshop, common.quick, &mut report)?;
            }
        }
        Some(Lane::Rpmdb { common }) => rpmdb_lane(&common, &mut report)?,
        Some(Lane::Ubuntu { common, which }) => {
            if let Some(workshop) = open(&common, Need::Ubuntu, "ubuntu", &mut report)? {
                ubuntu::run(&workshop, &which, &mut report)?;
            }
        }
        None => all(&args.common, &mut report)?,
    }
    report.close()
}

fn rpm_lane(common: &Common, report: &mut Report) -> Result<()> {
    if let Err(reason) = machine::prepare(Need::Rpm) {
        report.skip("rpm", &format!("{reason:#}"));
        return Ok(());
    }
    let place = Place::new(common.work.as_deref(), common.keep)?;
    rpm::run(&place, common.bareroot.as_deref(), common.quick, report)
}

fn modes_lane(common: &Common, report: &mut Report) -> Result<()> {
    let need = if common.quick {
        Need::Users
    } else {
        Need::UsersAndRpm
    };
    if let Err(reason) = machine::prepare(need) {
        report.skip("modes", &format!("{reason:#}"));
        return Ok(());
    }
    let place = Place::new(common.work.as_deref(), common.keep)?;
    modes::run(&place, common.bareroot.as_deref(), common.quick, report)
}

fn carry_lane(common: &Common, which: &carry::Which, report: &mut Report) -> Result<()> {
    let need = match common.quick {
        true => Need::Carry,
        false => Need::CarryForeign,
    };
    if let Err(reason) = machine::prepare(need) {
        report.skip("carry", &format!("{reason:#}"));
        return Ok(());
    }
    let place = Place::new(common.work.as_deref(), common.keep)?;
    carry::run(&place, common.bareroot.as_deref(), which, common.quick, report)
}

fn clone_lane(common: &Common, which: &clone::Which, report: &mut Report) -> Result<()> {
    if let Err(reason) = machine::prepare(Need::BenchClone) {
        report.skip("clone", &format!("{reason:#}"));
        return Ok(());
    }
    let place = Place::new(common.work.as_deref(), common.keep)?;
    clone::run(&place, common.bareroot.as_deref(), which, report)
}

fn rpmdb_lane(common: &Common, report: &mut Report) -> Result<()> {
    if let Err(reason) = machine::prepare(Need::Rpmdb) {
        report.skip("rpmdb", &format!("{reason:#}"));
        return Ok(());
    }
    let place = Place::new(common.work.as_deref(), common.keep)?;
    rpmdb::run(&place, common.bareroot.as_deref(), report)
}

fn rpm_options_lane(common: &Common, report: &mut Report) -> Result<()> {
    if let Err(reason) = machine::prepare(Need::Rpm) {
        report.skip("rpm-options", &format!("{reason:#}"));
        return Ok(());
    }
    let place = Place::new(common.work.as_deref(), common.keep)?;
    rpm::run_options(&place, common.bareroot.as_deref(), report)
}

fn all(common: &Common, report: &mut Report) -> Result<()> {
    if let Some(workshop) = open(common, Need::Peers, "debian, no-host-programs", report)? {
        debian::run(&workshop, &debian::Which::default(), common.quick, report)?;
        no_host_programs::run(&workshop, report)?;
        alone::run(&workshop, report)?;
    }
    if let Some(workshop) = open(common, Need::Tar, "tar", report)? {
        tar::run(&workshop, common.quick, report)?;
    }
    if let Some(workshop) = open(common, Need::Foreign, "foreign", report)? {
        foreign::run(&workshop, common.quick, report)?;
    }
    if let Some(workshop) = open(common, Need::Offline, "offline", report)? {
        offline::run(&workshop, report)?;
    }
    carry_lane(common, &carry::Which::default(), report)?;
    modes_lane(common, report)?;
    rpm_lane(common, report)?;
    rpmdb_lane(common, report)?;
    if !common.quick {
        rpm_options_lane(common, report)?;
    }
    let words: &[&str] = if common.quick {
        &["solve", "--sets", "40"]
    } else {
        &["solve"]
    };
    let result = solve::run(&Alone::<solve::Args>::parse_from(words).args);
    taken("solve: the same sets as apt-get -s install", result, report);
    if machine::prepare(Need::Rpm).is_ok() {
        let words: &[&str] = if common.quick {
            &["rpm-solve", "--sets", "50", "--synthetic", "5"]
        } else {
            &["rpm-solve", "--synthetic", "40"]
        };
        let result = rpm_solve::run(&Alone::<rpm_solve::Args>::parse_from(words).args);
        taken("rpm-solve: the same sets as dnf", result, report);
    }
    Ok(())
}

/// A lane that reports by itself, as one check of the whole.
fn taken(what: &str, result: Result<()>, report: &mut Report) {
    if report.take(what, result).is_some() {
        report.check(what, &[]);
    }
}

/// The tools and the place, or a line that says why this machine cannot have them.
fn open(common: &Common, need: Need, lane: &str, report: &mut Report) -> Result<Option<Workshop>> {
    if let Err(reason) = machine::prepare(need) {
        report.skip(lane, &format!("{reason:#}"));
        return Ok(None);
    }
    Ok(Some(Workshop::open(
        common.work.as_deref(),
        common.keep,
        common.bareroot.as_deref(),
    )?))
}
