//! `cargo xtask bench export`: trixie's minbase as archives, by `bareroot export` and by tar with a compressor, of one
//! directory, in turn, in one run: time and size.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use super::measure::{self, Series};
use crate::machine::{self, Need};
use crate::report::Report;
use crate::run::must;
use crate::workshop::{EPOCH, Place};

/// What mmdebstrap asks of tar.
const TAR: &str = "tar --sort=name --mtime=@$SOURCE_DATE_EPOCH --clamp-mtime --numeric-owner --one-file-system \
                   --format=pax --pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime --xattrs \
                   -C \"$ROOT\" -c .";

/// How many times the peer's time bareroot may take: what two runs of one program differ by.
const MOST_TIME: f64 = 1.15;

/// How many times the peer's size an archive of bareroot's may have: zlib-rs deflates twice as fast as zlib at the same level,
/// and a little less.
const MOST_SIZE: f64 = 1.05;

/// A suffix, and what tar's output is piped through for it by the peer; the first is what it is held against.
const RACES: &[(&str, &[&str])] = &[
    ("tar", &[""]),
    ("tar.gz", &["pigz -n", "gzip -n"]),
    ("tar.xz", &["xz -T0", "xz"]),
    ("tar.zst", &["zstd -q -T0", "zstd -q"]),
];

/// How often, and where.
#[derive(clap::Args, Clone, Debug)]
pub struct Options {
    /// How often each tool runs
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Where root and archives are made [default: target/bench]
    #[arg(long, value_name = "DIR")]
    work: Option<PathBuf>,
    /// A bareroot that is built already
    #[arg(long, value_name = "FILE")]
    bareroot: Option<PathBuf>,
}

/// The runs of one tool, and the bytes of its archive.
#[derive(Default)]
struct Results {
    series: Series,
    bytes: u64,
}

/// Runs the bench.
///
/// # Errors
/// When a tool fails, or bareroot takes more time or space than its peer.
pub fn run(options: &Options) -> Result<()> {
    let mut report = Report::default();
    if let Err(reason) = machine::prepare(Need::BenchTar) {
        report.skip("bench export", &format!("{reason:#}"));
        return report.close();
    }
    let home = machine::target().join("bench");
    let place = Place::new(Some(options.work.as_deref().unwrap_or(&home)), false)?;
    let bareroot = machine::bareroot(options.bareroot.as_deref())?;
    let root = place.fresh("root");
    let mut make = Command::new(&bareroot);
    make.args([
        "bootstrap",
        "debian:trixie",
        "--mirror",
        &machine::debian_mirror()?,
    ])
    .arg("--cache-dir")
    .arg(place.fresh("cache"))
    .arg(&root);
    must(&mut make)?;
    let mut results: BTreeMap<(usize, usize), Results> = BTreeMap::new();
    for round in 1..=options.rounds {
        for (race, (suffix, peers)) in RACES.iter().enumerate() {
            let out = place.fresh(&format!("bareroot.{suffix}"));
            let mut ours = Command::new(&bareroot);
            ours.arg("export").arg(&root).arg(&out);
            once(&mut results, (race, 0), ours, &out, &place)?;
            for (peer, filter) in peers.iter().enumerate() {
                let out = place.fresh(&format!("peer.{suffix}"));
                once(
                    &mut results,
                    (race, peer + 1),
                    pipeline(filter, &root, &out),
                    &out,
                    &place,
                )?;
            }
        }
        println!("note round {round} of {}", options.rounds);
    }
    println!("\n{}", render(&results, options.rounds));
    judge(&results, &mut report);
    report.close()
}

/// tar, and a compressor behind it.
fn pipeline(filter: &str, root: &Path, out: &Path) -> Command {
    let mut command = Command::new("sh");
    let words = match filter {
        "" => format!("{TAR} > \"$OUT\""),
        filter => format!("{TAR} | {filter} > \"$OUT\""),
    };
    command
        .args(["-ec", &words])
        .env("LC_ALL", "C")
        .env("ROOT", root)
        .env("OUT", out);
    command
}

fn once(
    results: &mut BTreeMap<(usize, usize), Results>,
    key: (usize, usize),
    mut command: Command,
    out: &Path,
    place: &Place,
) -> Result<()> {
    command.env("SOURCE_DATE_EPOCH", EPOCH);
    let sample = measure::timed(name(key), &command, place)?;
    let results = results.entry(key).or_default();
    results.series.push(sample);
    results.bytes = fs::metadata(out)?.len();
    Ok(fs::remove_file(out)?)
}

/// What a tool is called: bareroot is the first of each race.
fn name((race, tool): (usize, usize)) -> &'static str {
    let peers = RACES.get(race).map_or(&[][..], |(_, peers)| peers);
    match tool.checked_sub(1).and_then(|peer| peers.get(peer)) {
        None => "bareroot export",
        Some(&"") => "tar",
        Some(filter) => filter,
    }
}

fn render(results: &BTreeMap<(usize, usize), Results>, rounds: u32) -> String {
    let mut text = format!(
        "Archives of trixie's minbase, {rounds} rounds in turn, medians.\n\n\
         | archive | by | seconds | shortest to longest | CPU seconds | MB | bareroot is faster by | bareroot's size to its |\n\
         |---|---|---:|---:|---:|---:|---:|---:|\n"
    );
    for ((race, tool), result) in results {
        let suffix = RACES.get(*race).map_or("", |(suffix, _)| suffix);
        let (least, most) = result.series.span();
        let ratios = match results.get(&(*race, 0)) {
            Some(ours) if *tool > 0 => format!(
                "{:.2} times | {:.3}",
                result.series.seconds() / ours.series.seconds(),
                ours.bytes as f64 / result.bytes as f64
            ),
            _ => " | ".to_owned(),
        };
        let _ = writeln!(
            text,
            "| {suffix} | {} | {:.2} | {least:.2} to {most:.2} | {:.2} | {:.1} | {ratios} |",
            name((*race, *tool)),
            result.series.seconds(),
            result.series.processor(),
            result.bytes as f64 / 1e6,
        );
    }
    text
}

/// bareroot against the peer that uses as many threads.
fn judge(results: &BTreeMap<(usize, usize), Results>, report: &mut Report) {
    for (race, (suffix, _)) in RACES.iter().enumerate() {
        let (Some(ours), Some(theirs)) = (results.get(&(race, 0)), results.get(&(race, 1))) else {
            continue;
        };
        let peer = name((race, 1));
        let time = ours.series.seconds() / theirs.series.seconds();
        let size = ours.bytes as f64 / theirs.bytes as f64;
        for (what, ratio, most) in [("time", time, MOST_TIME), ("size", size, MOST_SIZE)] {
            let evidence = (ratio > most).then(|| format!("{ratio:.3} is more than {most}"));
            report.check(
                &format!("{suffix}: at most {most} times the {what} of {peer}: {ratio:.3}"),
                &Vec::from_iter(evidence),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::measure::Sample;
    use super::*;

    #[test]
    fn who_is_slower_is_told() {
        let result = |seconds: f64, bytes| {
            let mut series = Series::default();
            series.push(Sample {
                seconds,
                ..Sample::default()
            });
            Results { series, bytes }
        };
        let results = BTreeMap::from([
            ((0, 0), result(1.0, 1_000_000)),
            ((0, 1), result(2.0, 1_000_000)),
            ((1, 0), result(3.0, 600_000)),
            ((1, 1), result(2.0, 500_000)),
            ((1, 2), result(6.0, 500_000)),
        ]);
        let text = render(&results, 1);
        assert!(
            text.contains("| tar | tar | 2.00 | 2.00 to 2.00 | 0.00 | 1.0 | 2.00 times | 1.000 |"),
            "{text}"
        );
        assert!(text.contains("| tar.gz | gzip -n | 6.00 |"), "{text}");
        let mut report = Report::default();
        judge(&results, &mut report);
        let failed = report.close().unwrap_err().to_string();
        assert_eq!(failed, "2 checks failed");
    }
}
