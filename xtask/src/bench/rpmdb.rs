//! `cargo xtask bench rpmdb`: a database of 5,000 headers written and read by rpm and by bareroot, in turn, in one run.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};
use bareroot_testkit::headers::Builder;

use super::measure::{self, Series};
use crate::machine::{self, Need};
use crate::workshop::Place;

/// How often, and where.
#[derive(clap::Args, Clone, Debug)]
pub struct Options {
    /// How often each tool runs
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Where the databases are made [default: target/bench]
    #[arg(long, value_name = "DIR")]
    work: Option<PathBuf>,
    /// A bareroot that is built already
    #[arg(long, value_name = "FILE")]
    bareroot: Option<PathBuf>,
}

/// As many packages as a large workstation has.
const HEADERS: u32 = 5000;

/// How much faster than rpm each kind has to be written, and read and written again as another.
const LEAST: f64 = 5.0;

/// The same for a list of names: about as fast as rpm's own. bareroot reads the whole file before it believes any of it, rpm only the
/// headers' table, which of a sqlite is less than half.
const LEAST_LIST: f64 = 0.7;

const KINDS: [&str; 3] = ["sqlite", "ndb", "bdb"];

/// The bench.
///
/// # Errors
/// When a tool fails, or a ratio is missed.
pub fn run(options: &Options) -> Result<()> {
    machine::prepare(Need::BenchRpm)?;
    let bareroot = machine::bareroot(options.bareroot.as_deref())?;
    let work = options
        .work
        .clone()
        .unwrap_or_else(|| machine::target().join("bench"));
    let place = Place::new(Some(&work), false)?;
    let list = place.fresh("headers");
    fs::write(&list, headers())?;
    let mut series: BTreeMap<String, Series> = BTreeMap::new();
    for _ in 0..options.rounds {
        let mut push = |title: String, command: &Command| -> Result<()> {
            let sample = measure::timed(&title.replace([' ', '/'], "-"), command, &place)?;
            series.entry(title).or_default().push(sample);
            Ok(())
        };
        let theirs = place.fresh("rpm");
        fs::create_dir_all(&theirs)?;
        // rpm takes the list from standard input.
        let import = format!(
            "rpmdb --dbpath '{}' --importdb < '{}'",
            theirs.display(),
            list.display()
        );
        push(
            "rpmdb --importdb".into(),
            Command::new("sh").args(["-c", &import]),
        )?;
        let rebuild = rpmdb(&theirs, "--rebuilddb");
        push("rpmdb --rebuilddb".into(), &rebuild)?;
        counted(&theirs)?;
        let mut query = Command::new("rpm");
        query.arg("--dbpath").arg(&theirs).arg("-qa");
        push("rpm -qa".into(), &query)?;
        for kind in KINDS {
            let ours = place.fresh(kind);
            let mut command = Command::new(&bareroot);
            command
                .args(["rpmdb", "import"])
                .arg(&list)
                .arg(&ours)
                .args(["--to", kind]);
            push(format!("import --to {kind}"), &command)?;
            let mut command = Command::new(&bareroot);
            command.args(["rpmdb", "list"]).arg(&ours);
            push(format!("list, {kind}"), &command)?;
            let other = if kind == "ndb" { "bdb" } else { "ndb" };
            let mut command = Command::new(&bareroot);
            command
                .args(["rpmdb", "convert"])
                .arg(&ours)
                .args(["--to", other]);
            push(format!("convert, {kind} to {other}"), &command)?;
            place.remove(&ours)?;
        }
        place.remove(&theirs)?;
    }
    report(&series)
}

/// Fails unless rpm kept every header: a rebuild of fewer would be no rival.
fn counted(path: &Path) -> Result<()> {
    let mut query = Command::new("rpm");
    query.arg("--dbpath").arg(path).arg("-qa");
    let output = query.output()?;
    let count = output.stdout.iter().filter(|byte| **byte == b'\n').count();
    if count != HEADERS as usize {
        bail!("rpm has {count} headers after --rebuilddb, not {HEADERS}");
    }
    Ok(())
}

fn rpmdb(path: &Path, what: &str) -> Command {
    let mut command = Command::new("rpmdb");
    command.arg("--dbpath").arg(path).arg(what);
    command
}

/// The table, and what is missed of the promises.
#[allow(clippy::print_stdout)]
fn report(series: &BTreeMap<String, Series>) -> Result<()> {
    println!(
        "{HEADERS} headers\n\n| | seconds | shortest to longest | largest process | faster than rpm by |\n|---|---:|---:|---:|---:|"
    );
    let mut missed = Vec::new();
    for (title, runs) in series {
        let rival = if title.starts_with("import") {
            series.get("rpmdb --importdb")
        } else if title.starts_with("convert") {
            series.get("rpmdb --rebuilddb")
        } else if title.starts_with("list") {
            series.get("rpm -qa")
        } else {
            None
        };
        let ratio = rival.map(|rival| rival.seconds() / runs.seconds());
        let (short, long) = runs.span();
        let words = ratio.map_or(String::new(), |ratio| format!("{ratio:.1}"));
        println!(
            "| {title} | {:.2} | {short:.2} to {long:.2} | {} MiB | {words} |",
            runs.seconds(),
            runs.mib()
        );
        let least = match title.starts_with("list") {
            true => LEAST_LIST,
            false => LEAST,
        };
        if let Some(ratio) = ratio.filter(|ratio| *ratio < least) {
            missed.push(format!("{title}: {ratio:.1} times as fast as rpm, not {least}"));
        }
    }
    if missed.is_empty() {
        return Ok(());
    }
    bail!("{}", missed.join("; "))
}

/// A list of headers as packages have them: forty files, thirty dependencies, a changelog's worth of text.
fn headers() -> Vec<u8> {
    let mut list = Vec::new();
    for package in 0..HEADERS {
        let mut builder = Builder::new(&format!("package-{package}"));
        builder.text(1004, "A package of the bench");
        builder.text(1005, &"It says what it is for, at some length. ".repeat(60));
        // Without the time of its building rpm's --rebuilddb takes a header for damaged and leaves it out.
        builder.word(1006, 1_700_000_000);
        builder.text(1022, "x86_64");
        builder.text(1044, &format!("package-{package}-1-1.src.rpm"));
        for number in 0..10 {
            let name = format!("capability-{package}-{number}");
            builder.dependency([1047, 1112, 1113], 8, "1-1", &name);
            let name = format!("capability-{}-{number}", (package * 7 + number) % HEADERS);
            builder.dependency([1049, 1048, 1050], 0, "", &name);
        }
        for number in 0..40 {
            let directory = format!("/usr/share/package-{package}/{}/", number % 5);
            builder.file(0o100_644, 0, &directory, &format!("file-{number}"), &[]);
        }
        list.extend(builder.bytes());
    }
    list
}
