//! `cargo xtask bench desktop`: a root of three thousand packages by bareroot and by mmdebstrap, from one partial mirror on this
//! machine, in turn, in one run: time, memory, and whether both hold the same packages.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use super::measure::{self, Series};
use crate::machine::{self, Need};
use crate::nginx::Nginx;
use crate::peers::mmdebstrap::Mmdebstrap;
use crate::peers::root;
use crate::report::Report;
use crate::run::must;
use crate::workshop::Place;

/// What makes a root of more than three thousand packages with what they recommend.
const PACKAGES: &str = "gnome,kde-full,xfce4,lxqt";

/// How many packages there are at least.
const LEAST: usize = 3000;

const SUITE: &str = "trixie";

/// The keys of Debian's archive, as Debian's own package has them.
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// What, how often, and where: each round takes 10 GB for a while, the mirror 3 GB.
#[derive(clap::Args, Clone, Debug)]
pub struct Options {
    /// How often each tool runs
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Where the roots are made [default: target/bench]
    #[arg(long, value_name = "DIR")]
    work: Option<PathBuf>,
    /// A bareroot that is built already
    #[arg(long, value_name = "FILE")]
    bareroot: Option<PathBuf>,
}

/// Runs the bench.
///
/// # Errors
/// When a tool fails, or bareroot is not the faster one.
pub fn run(options: &Options) -> Result<()> {
    let mut report = Report::default();
    if let Err(reason) = machine::prepare(Need::Offline) {
        report.skip("bench desktop", &format!("{reason:#}"));
        return report.close();
    }
    let home = machine::target().join("bench");
    let place = Place::new(Some(options.work.as_deref().unwrap_or(&home)), false)?;
    let bareroot = machine::bareroot(options.bareroot.as_deref())?;
    let mmdebstrap = Mmdebstrap::get()?;
    let files = place.fresh("mirror");
    let mut mirror = Command::new(&bareroot);
    mirror.args(["mirror", &format!("debian:{SUITE}")]).arg(&files);
    mirror.args(["--variant", "minbase", "--include", PACKAGES, "--recommends"]);
    must(mirror.arg("--no-cache"))?;
    let server = Nginx::serve(&place.fresh("nginx"), &files)?;
    let ours = |target: &Path| {
        let mut command = Command::new(&bareroot);
        command
            .args(["bootstrap", &format!("debian:{SUITE}")])
            .arg(target);
        command.args(["--variant", "minbase", "--include", PACKAGES, "--recommends"]);
        command.args(["--mirror", &server.url(), "--no-cache", "--json"]);
        command
    };
    let theirs = |target: &Path| {
        let mut command = mmdebstrap.command();
        command.args(["--mode=root", "--variant=minbase", "--keyring", KEYRING]);
        command.args(["--aptopt=APT::Install-Recommends \"true\""]);
        command
            .arg(format!("--include={PACKAGES}"))
            .arg(SUITE)
            .arg(target);
        let base = server.url();
        for (path, suite) in [("", ""), ("", "-updates"), ("/security", "-security")] {
            command.arg(format!("deb {base}{path} {SUITE}{suite} main"));
        }
        command
    };
    let (mut own, mut peer) = (Series::default(), Series::default());
    for round in 1..=options.rounds {
        let mut found = Vec::new();
        for (word, series) in [("bareroot", &mut own), ("mmdebstrap", &mut peer)] {
            let target = place.fresh(word);
            let command = match word {
                "bareroot" => ours(&target),
                _ => theirs(&target),
            };
            let sample = measure::timed(word, &command, &place)?;
            println!(
                "round {round} {word:10} {:.1} s, {:.1} s of processors, {} MiB",
                sample.seconds,
                sample.processor,
                sample.mib()
            );
            for (phase, seconds) in &sample.phases {
                println!("    {phase:10} {seconds:.1} s");
            }
            series.push(sample);
            found.push(root::packages(&target)?);
            place.remove(&target)?;
        }
        if let [ours, theirs] = found.as_slice() {
            let mut evidence = root::unshared(theirs, "mmdebstrap", ours);
            if ours.len() < LEAST {
                evidence.push(format!("{} packages, not {LEAST}", ours.len()));
            }
            report.check(&format!("the same {} packages", theirs.len()), &evidence);
        }
    }
    let ratio = peer.seconds() / own.seconds();
    let evidence = (ratio < 1.0).then(|| format!("{ratio:.2} times as fast"));
    let what = format!(
        "{:.1} s and {} MiB, {:.2} times as fast as mmdebstrap, {:.1} s and {} MiB",
        own.seconds(),
        own.mib(),
        ratio,
        peer.seconds(),
        peer.mib()
    );
    report.check(&what, &Vec::from_iter(evidence));
    report.close()
}
