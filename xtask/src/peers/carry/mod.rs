//! `cargo xtask peers carry`: programs carried into empty directories, from this system and from a root of Debian 13: each does its job
//! there, its libraries are those that ldd finds, and a table shows how small it is.

mod job;
mod libraries;
mod programs;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use self::programs::{EMULATED, EMULATED_PACKAGES, PACKAGES, PROGRAMS, Program};
use crate::machine;
use crate::report::Report;
use crate::run::must;
use crate::workshop::Place;

/// Roots that are there already.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct Which {
    /// A root of Debian 13 that has the programs [default: one is made]
    #[arg(long, value_name = "DIR")]
    trixie: Option<PathBuf>,
    /// A root of arm64 that has bash, perl and python3 [default: one is made]
    #[arg(long, value_name = "DIR")]
    arm64: Option<PathBuf>,
}

/// A place that programs are carried from.
struct Source<'a> {
    bareroot: &'a Path,
    place: &'a Place,
    title: &'a str,
    from: &'a Path,
}

/// A line of the table.
struct Row {
    program: &'static str,
    title: String,
    /// Bytes.
    size: u64,
    whole: u64,
    libraries: usize,
}

/// The comparison; `--quick` has a few programs of this system alone.
///
/// # Errors
/// When a root cannot be made or removed.
pub fn run(
    place: &Place,
    bareroot: Option<&Path>,
    which: &Which,
    quick: bool,
    report: &mut Report,
) -> Result<()> {
    let bareroot = &machine::bareroot(bareroot)?;
    let mut rows = Vec::new();
    let of = |title, from| Source {
        bareroot,
        place,
        title,
        from,
    };
    let chosen: Vec<&Program> = PROGRAMS
        .iter()
        .filter(|program| program.quick || !quick)
        .collect();
    each(&of("this system", Path::new("/")), &chosen, &mut rows, report)?;
    if !quick {
        let trixie = match &which.trixie {
            Some(root) => root.clone(),
            None => made(bareroot, place, PACKAGES, &[])?,
        };
        job::give_ping_its_capability(&trixie)?;
        each(&of("trixie", &trixie), &chosen, &mut rows, report)?;
        if machine::architecture()? == "arm64" {
            report.skip("arm64", "it is this machine's own");
        } else {
            let arm64 = match &which.arm64 {
                Some(root) => root.clone(),
                None => made(bareroot, place, EMULATED_PACKAGES, &["--arch", "arm64"])?,
            };
            let emulated: Vec<&Program> = PROGRAMS
                .iter()
                .filter(|program| EMULATED.contains(&program.name))
                .collect();
            each(&of("arm64", &arm64), &emulated, &mut rows, report)?;
        }
    }
    table(&rows);
    Ok(())
}

/// A root of Debian 13.
fn made(bareroot: &Path, place: &Place, packages: &str, options: &[&str]) -> Result<PathBuf> {
    let root = place.fresh("source");
    let mirror = machine::debian_mirror()?;
    let mut command = Command::new(bareroot);
    command.args(["bootstrap", "debian:trixie"]).arg(&root).args([
        "--mirror",
        &mirror,
        "--variant",
        "minbase",
        "--include",
        packages,
    ]);
    must(command.args(options))?;
    Ok(root)
}

fn each(
    source: &Source<'_>,
    programs: &[&'static Program],
    rows: &mut Vec<Row>,
    report: &mut Report,
) -> Result<()> {
    let whole = whole(source.from)?;
    for program in programs {
        let what = format!("{} of {}", program.name, source.title);
        let missing: Vec<&str> = std::iter::once(&program.name)
            .chain(program.helpers)
            .copied()
            .filter(|name| source.named(name).is_none())
            .collect();
        // Debian's root was made with all of them.
        if source.from == Path::new("/") && !missing.is_empty() {
            report.skip(&what, &format!("{} is not installed", missing.join(", ")));
            continue;
        }
        if program.name == "ping" && !job::has_capability(&source.from.join("usr/bin/ping")) {
            report.skip(&what, "it has no capability there");
            continue;
        }
        let root = source.place.fresh("carried");
        let carried = source.carried(program, &root);
        if let Some(size) = report.take(&format!("{what}: carried"), carried) {
            let evidence = job::evidence(source, program, &root);
            report.check(&format!("{what}: {}", program.expected), &evidence);
            let compared = libraries::compared(source, program.name);
            if let Some((libraries, evidence)) = report.take(&format!("{what}: libraries"), compared) {
                report.check(&format!("{what}: {libraries} libraries, as ldd finds"), &evidence);
                rows.push(Row {
                    program: program.name,
                    title: source.title.to_owned(),
                    size,
                    whole,
                    libraries,
                });
            }
        }
        source.place.remove(&root)?;
    }
    Ok(())
}

impl Source<'_> {
    /// The name or the path of a program, if the source has it; of `*` the last that there is.
    fn named(&self, name: &str) -> Option<String> {
        if let Some((above, below)) = name.split_once("/*/") {
            let entries = self.from.join(above.trim_start_matches('/')).read_dir().ok()?;
            let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
            let paths = names.map(|name| format!("{above}/{name}/{below}"));
            return paths.filter(|path| self.is_there(path)).max();
        }
        let there = match name.starts_with('/') {
            true => self.is_there(name),
            false => ["usr/local/sbin", "usr/local/bin", "usr/sbin", "usr/bin"]
                .iter()
                .any(|directory| self.is_there(&format!("{directory}/{name}"))),
        };
        there.then(|| name.to_owned())
    }

    fn is_there(&self, path: &str) -> bool {
        self.from
            .join(path.trim_start_matches('/'))
            .symlink_metadata()
            .is_ok()
    }

    /// `bareroot carry`.
    fn carry(&self, root: &Path, words: &[impl AsRef<OsStr>]) -> Command {
        let mut command = Command::new(self.bareroot);
        command.arg("carry").arg(root).args(words);
        command.arg("--from").arg(self.from);
        command
    }

    /// The program alone, which is measured, and then what its job needs beside it. Its size in bytes.
    fn carried(&self, program: &Program, root: &Path) -> Result<u64> {
        let named = |name: &&str| self.named(name).unwrap_or_else(|| (*name).to_owned());
        must(&mut self.carry(root, &[program.name]))?;
        let size = size(root)?;
        let helpers: Vec<String> = program.helpers.iter().map(named).collect();
        must(&mut self.carry(root, &helpers))?;
        Ok(size)
    }
}

/// How many bytes a tree takes, by du(1).
fn size(root: &Path) -> Result<u64> {
    number(Command::new("du").args(["-s", "--block-size=1"]).arg(root))
}

/// The same of a whole source; of this system what its file system has in use.
fn whole(from: &Path) -> Result<u64> {
    if from != Path::new("/") {
        return size(from);
    }
    let said = must(Command::new("df").args(["--output=used", "-B1", "/"]))?.stdout;
    let used = said.lines().last().unwrap_or_default().trim();
    used.parse().with_context(|| format!("df says {said}"))
}

fn number(command: &mut Command) -> Result<u64> {
    let said = must(command)?.stdout;
    let first = said.split_whitespace().next().unwrap_or_default();
    first.parse().with_context(|| format!("du says {said}"))
}

fn table(rows: &[Row]) {
    println!("\n| program | from | MB | of the whole | libraries |\n|---|---|--:|--:|--:|");
    for row in rows {
        println!(
            "| {} | {} | {:.1} | {:.2} % | {} |",
            row.program,
            row.title,
            row.size as f64 / 1e6,
            row.size as f64 * 100.0 / row.whole as f64,
            row.libraries
        );
    }
    println!();
}
