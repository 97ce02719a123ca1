//! `cargo xtask bench enter`: `true` in a root by every tool that enters one, in turn, in one run.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Result, ensure};

use super::measure::{Sample, Series};
use crate::machine::{self, Need};
use crate::report::Report;
use crate::run::must;
use crate::workshop::Place;

/// How often, and where.
#[derive(clap::Args, Clone, Debug)]
pub struct Options {
    /// How often each tool runs
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// The root [default: Debian's minbase, made first]
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    /// Where that root is made [default: target/bench]
    #[arg(long, value_name = "DIR")]
    work: Option<PathBuf>,
    /// A bareroot that is built already
    #[arg(long, value_name = "FILE")]
    bareroot: Option<PathBuf>,
}

/// Who enters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Chroot,
    Unshare,
    Bubblewrap,
    Nspawn,
    Bareroot,
    Privileged,
}

const WAYS: [Way; 6] = [
    Way::Chroot,
    Way::Unshare,
    Way::Bubblewrap,
    Way::Nspawn,
    Way::Bareroot,
    Way::Privileged,
];

impl Way {
    fn title(self) -> &'static str {
        match self {
            Way::Chroot => "chroot",
            Way::Unshare => "unshare and chroot, mount, PID, IPC, UTS, /proc",
            Way::Bubblewrap => "bubblewrap, mount, PID, IPC, UTS, /proc, /dev",
            Way::Nspawn => "systemd-nspawn --register=no --keep-unit",
            Way::Bareroot => "bareroot enter",
            Way::Privileged => "bareroot enter --privileged",
        }
    }

    fn command(self, bareroot: &Path, root: &Path) -> Command {
        let start = |program: &str, words: &[&str]| {
            let mut command = Command::new(program);
            command.args(words);
            command
        };
        let mut command = match self {
            Way::Chroot => start("chroot", &[]),
            Way::Unshare => start(
                "unshare",
                &[
                    "--mount",
                    "--pid",
                    "--fork",
                    "--ipc",
                    "--uts",
                    "--kill-child",
                    "--root",
                ],
            ),
            Way::Bubblewrap => start(
                "bwrap",
                &["--unshare-pid", "--unshare-ipc", "--unshare-uts", "--bind"],
            ),
            Way::Nspawn => start(
                "systemd-nspawn",
                &["--quiet", "--register=no", "--keep-unit", "--pipe", "--directory"],
            ),
            Way::Bareroot | Way::Privileged => {
                let mut command = Command::new(bareroot);
                command.arg("enter");
                command
            }
        };
        command.arg(root);
        command.args(match self {
            Way::Chroot => &["/bin/true"][..],
            Way::Unshare => &["--mount-proc", "/bin/true"],
            Way::Bubblewrap => &["/", "--proc", "/proc", "--dev", "/dev", "/bin/true"],
            Way::Nspawn | Way::Bareroot => &["--", "/bin/true"],
            Way::Privileged => &["--privileged", "--", "/bin/true"],
        });
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command
    }
}

/// Runs the bench.
///
/// # Errors
/// When a tool fails, or one of the ratios that the project promises is missed.
pub fn run(options: &Options) -> Result<()> {
    let mut report = Report::default();
    if let Err(reason) = machine::prepare(Need::Enter) {
        report.skip("bench enter", &format!("{reason:#}"));
        return report.close();
    }
    let home = machine::target().join("bench");
    let place = Place::new(Some(options.work.as_deref().unwrap_or(&home)), false)?;
    let bareroot = machine::bareroot(options.bareroot.as_deref())?;
    let root = match &options.root {
        Some(root) => std::path::absolute(root)?,
        None => {
            let root = place.fresh("trixie");
            must(
                Command::new(&bareroot)
                    .args(["bootstrap", "debian:trixie", "--quiet"])
                    .arg(&root),
            )?;
            root
        }
    };
    let mut series = WAYS.map(|way| (way, Series::default()));
    // The first round only fills the caches.
    for round in 0..=options.rounds {
        for (way, runs) in &mut series {
            let seconds = once(*way, &bareroot, &root)?;
            if round > 0 {
                runs.push(Sample {
                    seconds,
                    ..Sample::default()
                });
            }
        }
    }
    let median = |wanted: Way| {
        let found = series.iter().find(|(way, _)| *way == wanted);
        found.map_or(f64::NAN, |(_, runs)| runs.seconds() * 1000.0)
    };
    let ours = median(Way::Bareroot);
    println!("`true` in a root, medians of {} rounds\n", options.rounds);
    println!("| tool | ms | shortest to longest | times bareroot enter |");
    println!("|---|---:|---:|---:|");
    for (way, runs) in &series {
        let (least, most) = runs.span();
        println!(
            "| {} | {:.2} | {:.2} to {:.2} | {:.2} |",
            way.title(),
            median(*way),
            least * 1000.0,
            most * 1000.0,
            median(*way) / ours
        );
    }
    println!();
    let bubblewrap = ours / median(Way::Bubblewrap);
    report.check(
        &format!("enter takes at most 2 times as long as bubblewrap: {bubblewrap:.2}"),
        &missed(bubblewrap > 2.0, bubblewrap),
    );
    let nspawn = median(Way::Nspawn) / ours;
    report.check(
        &format!("enter is at least 5 times as fast as systemd-nspawn: {nspawn:.2}"),
        &missed(nspawn < 5.0, nspawn),
    );
    report.close()
}

/// The seconds of one run.
fn once(way: Way, bareroot: &Path, root: &Path) -> Result<f64> {
    let mut command = way.command(bareroot, root);
    // Only heard where it fails.
    command.stderr(Stdio::null());
    let start = Instant::now();
    let status = command.status()?;
    let seconds = start.elapsed().as_secs_f64();
    ensure!(status.success(), "{}: {status}", way.title());
    Ok(seconds)
}

fn missed(so: bool, ratio: f64) -> Vec<String> {
    if so {
        vec![format!("{ratio:.2}")]
    } else {
        Vec::new()
    }
}
