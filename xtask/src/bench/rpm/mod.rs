//! `cargo xtask bench rpm`: `@Minimal Install` with dnf by `dnf --installroot` and by bareroot, and an index of Fedora's
//! size, from one mirror on this machine, in turn, in one run.

mod synthetic;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use super::measure::{self, Sample, Series};
use super::table::{self, Racer, Ratio};
use crate::dnf::{Dnf, RELEASE};
use crate::machine::{self, Need};
use crate::nginx::Nginx;
use crate::report::Report;
use crate::rpm_distro;
use crate::workshop::Place;

/// How often, and where.
#[derive(clap::Args, Clone, Debug)]
pub struct Options {
    /// How often each tool runs
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Where the roots are made [default: target/bench]
    #[arg(long, value_name = "DIR")]
    work: Option<PathBuf>,
    /// A distribution that `cargo xtask rpm-distro` has made [default: target/rpm-distro, made where it is not there]
    #[arg(long, value_name = "DIR")]
    distro: Option<PathBuf>,
    /// A bareroot that is built already
    #[arg(long, value_name = "FILE")]
    bareroot: Option<PathBuf>,
}

/// What is installed.
const WISHES: &[&str] = &["@Minimal Install", "dnf", "testos-release", "testos-repos"];

/// Who runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Contender {
    /// `dnf --installroot` without a cache.
    Dnf,
    /// dnf with what earlier runs left in its cache, packages included.
    DnfWarm,
    /// bareroot without a cache.
    Bareroot,
    /// bareroot with what earlier runs left in its cache.
    BarerootWarm,
    /// `dnf makecache` of a repository of Fedora's size.
    DnfMakecache,
    /// `bareroot resolve` of the same, for `@core`, without a cache.
    BarerootResolve,
    /// The same with a filled cache.
    BarerootResolveWarm,
}

impl Contender {
    const ROOTS: [Contender; 4] = [
        Contender::Dnf,
        Contender::Bareroot,
        Contender::DnfWarm,
        Contender::BarerootWarm,
    ];
    const INDEXES: [Contender; 3] = [
        Contender::DnfMakecache,
        Contender::BarerootResolve,
        Contender::BarerootResolveWarm,
    ];

    /// Whether it profits from what it kept.
    fn is_warm(self) -> bool {
        use Contender::{BarerootResolveWarm, BarerootWarm, DnfWarm};
        matches!(self, DnfWarm | BarerootWarm | BarerootResolveWarm)
    }

    /// For directory names and lines.
    fn word(self) -> &'static str {
        match self {
            Contender::Dnf => "dnf",
            Contender::DnfWarm => "dnf-warm",
            Contender::Bareroot => "bareroot",
            Contender::BarerootWarm => "bareroot-warm",
            Contender::DnfMakecache => "dnf-makecache",
            Contender::BarerootResolve => "bareroot-resolve",
            Contender::BarerootResolveWarm => "bareroot-resolve-warm",
        }
    }
}

impl Racer for Contender {
    fn title(self) -> &'static str {
        match self {
            Contender::Dnf => "dnf --installroot",
            Contender::DnfWarm => "dnf --installroot, warm cache",
            Contender::Bareroot => "bareroot",
            Contender::BarerootWarm => "bareroot, warm cache",
            Contender::DnfMakecache => "dnf makecache",
            Contender::BarerootResolve => "bareroot resolve",
            Contender::BarerootResolveWarm => "bareroot resolve, warm cache",
        }
    }

    fn rival(self) -> Option<Contender> {
        match self {
            Contender::Dnf => Some(Contender::Bareroot),
            Contender::DnfWarm => Some(Contender::BarerootWarm),
            Contender::DnfMakecache => Some(Contender::BarerootResolve),
            _ => None,
        }
    }
}

/// Of roots: who, than whom, at least how many times as fast, and the aim.
const ROOT_RATIOS: &[Ratio<Contender>] = &[
    (Contender::Bareroot, Contender::Dnf, 3.0, 4.5),
    (Contender::BarerootWarm, Contender::DnfWarm, 5.0, 7.0),
];

/// Of the index: bareroot resolves as well in the time that dnf takes to read.
const INDEX_RATIOS: &[Ratio<Contender>] = &[(Contender::BarerootResolve, Contender::DnfMakecache, 1.0, 2.0)];

/// Runs the bench.
///
/// # Errors
/// When a tool fails, or one of the ratios that the project promises is missed.
pub fn run(options: &Options) -> Result<()> {
    let mut report = Report::default();
    if let Err(reason) = machine::prepare(Need::BenchRpm) {
        report.skip("bench rpm", &format!("{reason:#}"));
        return report.close();
    }
    let home = machine::target().join("bench");
    fs::create_dir_all(&home)?;
    let place = Place::new(Some(options.work.as_deref().unwrap_or(&home)), false)?;
    let bareroot = machine::bareroot(options.bareroot.as_deref())?;
    let distro = match &options.distro {
        Some(distro) => distro.clone(),
        None => machine::target().join("rpm-distro/distro"),
    };
    rpm_distro::ensure_built(&distro, 2, false)?;
    let made_up = home.join("synthetic");
    synthetic::make(&made_up)?;
    let server = Nginx::serve(&home.join("nginx"), &distro)?;
    let index_server = Nginx::serve(&home.join("nginx-synthetic"), &made_up)?;
    let tools = Tools {
        bareroot,
        index_repo: repo_file(&place, "synthetic", &synthetic_repo(&index_server.url()))?,
        dnf: Dnf::new(place.fresh("home"), &server.url())?,
        caches: place.path.join("caches"),
    };
    race(
        &tools,
        &Contender::ROOTS,
        options.rounds,
        &place,
        &mut report,
        |series| {
            let heading = format!(
                "`{}` of a distribution made of Debian's packages, one mirror on the same machine, {} rounds in turn, medians.",
                WISHES.join(" "),
                options.rounds
            );
            let [cold, warm] = table::COLD_AND_WARM;
            let columns = [(cold, Contender::Bareroot), (warm, Contender::BarerootWarm)];
            let table = table::render(&heading, series, &columns);
            (table, table::promises(series, ROOT_RATIOS))
        },
    )?;
    race(
        &tools,
        &Contender::INDEXES,
        options.rounds,
        &place,
        &mut report,
        |series| {
            let heading = format!(
                "An index of {} packages: dnf reads it, bareroot reads it and resolves @core; {} rounds in turn, medians.",
                synthetic::PACKAGES,
                options.rounds
            );
            let [cold, warm] = table::COLD_AND_WARM;
            let columns = [
                (cold, Contender::BarerootResolve),
                (warm, Contender::BarerootResolveWarm),
            ];
            (
                table::render(&heading, series, &columns),
                table::promises(series, INDEX_RATIOS),
            )
        },
    )?;
    report.close()
}

type Shown = (String, Vec<(String, Vec<String>)>);

/// Lets contenders run in turn, and shows what came of it.
fn race(
    tools: &Tools,
    contenders: &[Contender],
    rounds: u32,
    place: &Place,
    report: &mut Report,
    show: impl Fn(&BTreeMap<Contender, Series>) -> Shown,
) -> Result<()> {
    let mut series: BTreeMap<Contender, Series> = BTreeMap::new();
    // bareroot's cache is full after its second run.
    for fill in 1..=2 {
        for contender in contenders.iter().filter(|contender| contender.is_warm()) {
            tools.once(*contender, place)?;
        }
        println!("note caches filled, run {fill} of 2");
    }
    for round in 1..=rounds {
        for contender in contenders {
            let sample = tools.once(*contender, place)?;
            println!(
                "round {round} {:22} {:6.2} s {:5} MiB",
                contender.word(),
                sample.seconds,
                sample.mib()
            );
            series.entry(*contender).or_default().push(sample);
        }
    }
    let (markdown, checks) = show(&series);
    println!("\n{markdown}");
    for (what, evidence) in checks {
        report.check(&what, &evidence);
    }
    Ok(())
}

/// The programs, and what all of them use.
struct Tools {
    bareroot: PathBuf,
    index_repo: PathBuf,
    dnf: Dnf,
    caches: PathBuf,
}

impl Tools {
    fn once(&self, contender: Contender, place: &Place) -> Result<Sample> {
        let target = place.fresh(contender.word());
        measure::timed(contender.word(), &self.command(contender, &target), place)
    }

    fn command(&self, contender: Contender, target: &Path) -> Command {
        let cache = |name: &str| Some(self.caches.join(name));
        match contender {
            Contender::Dnf => self.dnf.install(target, WISHES, &target.with_extension("cache")),
            Contender::DnfWarm => {
                let mut command = self.dnf.install(target, WISHES, &self.caches.join("dnf"));
                command.args(["--setopt", "keepcache=True"]);
                command
            }
            Contender::Bareroot => self.bootstrap(target, None),
            Contender::BarerootWarm => self.bootstrap(target, cache("roots")),
            Contender::DnfMakecache => {
                let repos = self.index_repo.parent().unwrap_or(&self.index_repo);
                let mut command = self.dnf.command(repos, target);
                command.args(["--releasever", "43", "makecache"]);
                command
            }
            Contender::BarerootResolve => self.resolve(None),
            Contender::BarerootResolveWarm => self.resolve(cache("indexes")),
        }
    }

    fn bootstrap(&self, target: &Path, cache: Option<PathBuf>) -> Command {
        let mut command = Command::new(&self.bareroot);
        command
            .arg("bootstrap")
            .arg(target)
            .arg("--repo")
            .arg(self.dnf.repo_file());
        command.args(["--releasever", RELEASE, "--json"]);
        command.args(["--include", &WISHES.join(",")]);
        with_cache(&mut command, cache);
        command
    }

    fn resolve(&self, cache: Option<PathBuf>) -> Command {
        let mut command = Command::new(&self.bareroot);
        command.args(["resolve", "--repo"]).arg(&self.index_repo);
        command.args([
            "--releasever",
            "43",
            "--arch",
            "x86_64",
            "--no-gpgcheck",
            "--include",
            "@core",
        ]);
        with_cache(&mut command, cache);
        command
    }
}

fn with_cache(command: &mut Command, cache: Option<PathBuf>) {
    match cache {
        Some(cache) => command.arg("--cache-dir").arg(cache),
        None => command.arg("--no-cache"),
    };
}

/// A .repo file in a directory of its own: dnf reads all of a directory.
fn repo_file(place: &Place, name: &str, text: &str) -> Result<PathBuf> {
    let directory = place.path.join(format!("{name}.repos.d"));
    fs::create_dir_all(&directory)?;
    let path = directory.join(format!("{name}.repo"));
    fs::write(&path, text)?;
    Ok(path)
}

fn synthetic_repo(url: &str) -> String {
    format!("[synthetic]\nname=synthetic\nbaseurl={url}/\ngpgcheck=0\n")
}
