//! `cargo xtask bench clone`: a real tree by `tar | tar`, `cp -a`, and `bareroot clone`, on ext4 and on a file system that shares
//! blocks, in turn, in one run; and as archives.
//!
//! Nothing is removed while ext4 is measured: for five minutes it looks twice at each inode that was freed before it gives it out again,
//! and who comes second would pay for that.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::measure::{self, Series};
use crate::machine::{self, Need};
use crate::report::Report;
use crate::run::must;
use crate::workshop::Place;

/// Who takes part, and by which words of a shell; `$FROM`, `$TO` and `$BAREROOT` are set.
const RACERS: &[(&str, &str)] = &[
    ("bareroot clone", "\"$BAREROOT\" clone \"$TO\" --from \"$FROM\""),
    (
        "tar | tar",
        "mkdir \"$TO\"; tar cpf - --one-file-system -C \"$FROM\" . | tar xpf - -C \"$TO\"",
    ),
    ("cp -a", "cp -a --reflink=auto \"$FROM\" \"$TO\""),
];

/// A suffix of an archive, and what tar's output goes through.
const ARCHIVES: &[(&str, &str)] = &[
    (
        "tar",
        "tar cf \"$TO\" --one-file-system --format=pax --xattrs -C \"$FROM\" .",
    ),
    (
        "tar.zst",
        "tar cf - --one-file-system --format=pax --xattrs -C \"$FROM\" . | zstd -q -T0 > \"$TO\"",
    ),
];

/// How many times as fast as each peer on ext4.
const ON_EXT4: &[(&str, f64)] = &[("tar | tar", 2.0), ("cp -a", 1.3)];
/// How many times as fast as `tar | tar` where blocks are shared, for files of [`LARGE`] bytes.
const SHARED: f64 = 10.0;
/// The same for a tree such as /usr: half of its files are smaller than a block or two, and the kernel takes as long to make such a
/// file and to share its one extent as to write it.
const SHARED_SMALL: f64 = 3.0;
/// A file whose content is what takes the time.
const LARGE: u64 = 4 << 20;
/// How many of them there are.
const LARGE_FILES: u32 = 1000;
/// How many times the peer's time an archive may take: what two runs of one program differ by.
const MOST_TIME: f64 = 1.15;
/// The part of a tree's size that a copy with shared blocks may take: inodes, names and extents.
const METADATA: f64 = 0.1;

/// statfs(2)'s number of ext4.
const EXT4: u64 = 0xef53;

/// What, how often, and where.
#[derive(clap::Args, Clone, Debug)]
pub struct Options {
    /// The tree
    #[arg(long, value_name = "DIR", default_value = "/usr")]
    tree: PathBuf,
    /// How often each runs; each needs the tree's size of space every time
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Where copies are made [default: target/bench]
    #[arg(long, value_name = "DIR")]
    work: Option<PathBuf>,
    /// A bareroot that is built already
    #[arg(long, value_name = "FILE")]
    bareroot: Option<PathBuf>,
    /// How long to wait before ext4, in seconds: whoever deleted many files in the last five minutes would slow down the first racer
    /// (fs/ext4/ialloc.c: recently_deleted)
    #[arg(long, default_value_t = 300, value_name = "SECONDS")]
    settle: u64,
    /// Only one of ext4, xfs, btrfs, archives (repeatable)
    #[arg(long, value_name = "PART")]
    only: Vec<String>,
}

/// Runs the bench.
///
/// # Errors
/// When a tool fails, or bareroot is not as fast as it promises.
pub fn run(options: &Options) -> Result<()> {
    let mut report = Report::default();
    if let Err(reason) = machine::prepare(Need::BenchClone) {
        report.skip("bench clone", &format!("{reason:#}"));
        return report.close();
    }
    let home = machine::target().join("bench");
    let work = options.work.as_deref().unwrap_or(&home);
    let bareroot = machine::bareroot(options.bareroot.as_deref())?;
    let bench = Bench {
        options,
        bareroot,
        tree: fs::canonicalize(&options.tree).context("the tree")?,
    };
    let wanted = |part: &str| options.only.is_empty() || options.only.iter().any(|only| only == part);
    if wanted("ext4") {
        let place = Place::new(Some(work), false)?;
        let on_ext4 = bench.on_ext4(&place, &mut report);
        report.take("ext4", on_ext4);
    }
    if wanted("archives") {
        let place = Place::new(Some(work), false)?;
        let archives = bench.archives(&place, &mut report);
        report.take("archives", archives);
    }
    for kind in ["xfs", "btrfs"].into_iter().filter(|kind| wanted(kind)) {
        let known = fs::read_to_string("/proc/filesystems")?;
        if !known.lines().any(|line| line.trim() == kind) {
            report.skip(kind, "this kernel does not know it");
            continue;
        }
        let place = Place::new(Some(work), false)?;
        let shared = bench.shared(&place, kind, &mut report);
        report.take(kind, shared);
    }
    report.close()
}

struct Bench<'b> {
    options: &'b Options,
    bareroot: PathBuf,
    tree: PathBuf,
}

impl Bench<'_> {
    fn command(&self, words: &str, from: &Path, to: &Path) -> Command {
        let mut command = Command::new("sh");
        command
            .args(["-ec", words])
            .env("LC_ALL", "C")
            .env("BAREROOT", &self.bareroot)
            .env("FROM", from)
            .env("TO", to);
        command
    }

    /// Each racer in turn, into directories of a place that nothing has had yet.
    fn race(&self, place: &Place, from: &Path, into: &Path) -> Result<BTreeMap<&'static str, Series>> {
        let mut results: BTreeMap<&'static str, Series> = BTreeMap::new();
        for round in 0..self.options.rounds {
            for (racer, words) in RACERS {
                warm(from)?;
                // Nobody pays for what the one before has left to be written.
                rustix::fs::sync();
                let to = into.join(format!("{round}-{}", racer.replace(' ', "-").replace('|', "to")));
                let sample = measure::timed(racer, &self.command(words, from, &to), place)?;
                println!(
                    "note {racer}: {:.2} s, {:.2} s of processors, {} MiB",
                    sample.seconds,
                    sample.processor,
                    sample.mib()
                );
                results.entry(racer).or_default().push(sample);
            }
        }
        Ok(results)
    }

    fn on_ext4(&self, place: &Place, report: &mut Report) -> Result<()> {
        let found = rustix::fs::statfs(&place.path)?;
        if found.f_type as u64 != EXT4 {
            report.skip(
                "ext4",
                &format!("`{}` is on another file system", place.path.display()),
            );
            return Ok(());
        }
        rustix::fs::sync();
        println!(
            "note waiting {} s for what ext4 remembers of deleted files",
            self.options.settle
        );
        std::thread::sleep(Duration::from_secs(self.options.settle));
        let results = self.race(place, &self.tree, &place.path)?;
        table("ext4", &results);
        for (peer, least) in ON_EXT4 {
            promise(report, "ext4", &results, peer, *least);
        }
        Ok(())
    }

    /// On a file system in a file, where blocks can be shared.
    fn shared(&self, place: &Place, kind: &str, report: &mut Report) -> Result<()> {
        let bytes = size(&self.tree)?;
        let disk = Disk::make(place, kind, (bytes * 4).max(4 << 30))?;
        let from = disk.path.join("tree");
        must(&mut self.command("cp -a \"$FROM\" \"$TO\"", &self.tree, &from))?;
        let before = used(&disk.path)?;
        must(&mut self.command(
            RACERS.first().map_or("", |(_, words)| words),
            &from,
            &disk.path.join("space"),
        ))?;
        let taken = used(&disk.path)?.saturating_sub(before);
        let part = taken as f64 / bytes as f64;
        let evidence = (part > METADATA).then(|| format!("{taken} bytes"));
        let what = format!(
            "{kind}: a copy of {bytes} bytes takes {taken}, {:.1} % of it",
            part * 100.0
        );
        report.check(&what, &Vec::from_iter(evidence));
        let results = self.race(place, &from, &disk.path)?;
        table(kind, &results);
        promise(report, kind, &results, "tar | tar", SHARED_SMALL);
        let (from, into) = (disk.path.join("large"), disk.path.join("copies"));
        fs::create_dir(&into)?;
        large_files(&from)?;
        let results = self.race(place, &from, &into)?;
        let title = format!("{kind}, {LARGE_FILES} files of {} MiB", LARGE >> 20);
        table(&title, &results);
        promise(report, &title, &results, "tar | tar", SHARED);
        Ok(())
    }

    fn archives(&self, place: &Place, report: &mut Report) -> Result<()> {
        for (suffix, words) in ARCHIVES {
            let (mut ours, mut theirs) = (Series::default(), Series::default());
            for _ in 0..self.options.rounds {
                let out = place.fresh(&format!("bareroot.{suffix}"));
                warm(&self.tree)?;
                rustix::fs::sync();
                let own = "\"$BAREROOT\" clone \"$TO\" --from \"$FROM\"";
                ours.push(measure::timed(
                    "bareroot clone",
                    &self.command(own, &self.tree, &out),
                    place,
                )?);
                fs::remove_file(out)?;
                let out = place.fresh(&format!("peer.{suffix}"));
                warm(&self.tree)?;
                rustix::fs::sync();
                theirs.push(measure::timed(
                    "tar",
                    &self.command(words, &self.tree, &out),
                    place,
                )?);
                fs::remove_file(out)?;
            }
            let ratio = ours.seconds() / theirs.seconds();
            let evidence = (ratio > MOST_TIME).then(|| format!("{ratio:.2} is more than {MOST_TIME}"));
            let what = format!(
                "{suffix}: no slower than tar: {:.2} s and {:.2} s",
                ours.seconds(),
                theirs.seconds()
            );
            report.check(&what, &Vec::from_iter(evidence));
        }
        Ok(())
    }
}

fn table(title: &str, results: &BTreeMap<&str, Series>) {
    let ours = results.get("bareroot clone").map_or(0.0, Series::seconds);
    println!(
        "\n| {title} | seconds | CPU seconds | MiB | bareroot is faster by |\n|---|---:|---:|---:|---:|"
    );
    for (racer, series) in results {
        println!(
            "| {racer} | {:.2} | {:.2} | {} | {:.2} times |",
            series.seconds(),
            series.processor(),
            series.mib(),
            series.seconds() / ours
        );
    }
    println!();
}

fn promise(report: &mut Report, title: &str, results: &BTreeMap<&str, Series>, peer: &str, least: f64) {
    let (Some(ours), Some(theirs)) = (results.get("bareroot clone"), results.get(peer)) else {
        return;
    };
    let ratio = theirs.seconds() / ours.seconds();
    let evidence = (ratio < least).then(|| format!("{ratio:.2} is less than {least}"));
    let what = format!("{title}: at least {least} times as fast as {peer}: {ratio:.2}");
    report.check(&what, &Vec::from_iter(evidence));
}

/// Reads a tree, so that whoever comes next finds it in memory.
fn warm(tree: &Path) -> Result<()> {
    let mut buffer = vec![0; 1 << 20];
    each(tree, &mut |path, status| {
        if status.is_file()
            && let Ok(mut file) = fs::File::open(path)
        {
            while file.read(&mut buffer)? > 0 {}
        }
        Ok(())
    })
}

/// A directory of large files, none like another.
fn large_files(directory: &Path) -> Result<()> {
    fs::create_dir(directory)?;
    let mut content = vec![0; usize::try_from(LARGE)?];
    for number in 0..LARGE_FILES {
        for (at, block) in (0_u32..).zip(content.chunks_mut(4096)) {
            block.fill((number.wrapping_mul(31) ^ at) as u8);
            block[..4].copy_from_slice(&number.to_le_bytes());
        }
        fs::write(directory.join(format!("file-{number}")), &content)?;
    }
    rustix::fs::sync();
    Ok(())
}

/// Bytes of the files of a tree.
fn size(tree: &Path) -> Result<u64> {
    let mut bytes = 0;
    each(tree, &mut |_, status| {
        bytes += if status.is_file() { status.len() } else { 0 };
        Ok(())
    })?;
    Ok(bytes)
}

fn each(tree: &Path, visit: &mut dyn FnMut(&Path, &fs::Metadata) -> Result<()>) -> Result<()> {
    let device = fs::symlink_metadata(tree)?.dev();
    let mut left = vec![tree.to_path_buf()];
    while let Some(path) = left.pop() {
        let Ok(status) = fs::symlink_metadata(&path) else {
            continue;
        };
        visit(&path, &status)?;
        if status.is_dir() && status.dev() == device {
            for entry in fs::read_dir(&path).into_iter().flatten() {
                left.push(entry?.path());
            }
        }
    }
    Ok(())
}

/// Bytes that a file system has in use, when all is written.
fn used(path: &Path) -> Result<u64> {
    rustix::fs::sync();
    let found = rustix::fs::statvfs(path)?;
    Ok((found.f_blocks - found.f_bfree) * found.f_frsize)
}

/// A file system in a file, on a loop device that goes with the mount.
struct Disk {
    path: PathBuf,
}

impl Disk {
    fn make(place: &Place, kind: &str, bytes: u64) -> Result<Self> {
        let image = place.fresh(&format!("{kind}.img"));
        fs::File::create(&image)?.set_len(bytes)?;
        let quiet = if kind == "btrfs" { "-f" } else { "-q" };
        must(Command::new(format!("mkfs.{kind}")).arg(quiet).arg(&image))?;
        let path = place.fresh(kind);
        fs::create_dir(&path)?;
        must(Command::new("mount").args(["-o", "loop"]).arg(&image).arg(&path))?;
        ensure!(path.is_dir(), "{} is no directory", path.display());
        Ok(Disk { path })
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if let Err(error) = must(Command::new("umount").arg(&self.path)) {
            eprintln!("xtask: {error:#}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::measure::Sample;
    use super::*;

    #[test]
    fn a_missed_promise_is_told() {
        let series = |seconds| {
            let mut series = Series::default();
            series.push(Sample {
                seconds,
                ..Sample::default()
            });
            series
        };
        let results = BTreeMap::from([
            ("bareroot clone", series(10.0)),
            ("tar | tar", series(15.0)),
            ("cp -a", series(14.0)),
        ]);
        let mut report = Report::default();
        for (peer, least) in ON_EXT4 {
            promise(&mut report, "ext4", &results, peer, *least);
        }
        assert_eq!(report.close().unwrap_err().to_string(), "1 checks failed");
    }

    #[test]
    fn a_tree_has_a_size() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("a")).unwrap();
        fs::write(dir.path().join("a/b"), "four").unwrap();
        std::os::unix::fs::symlink("/usr", dir.path().join("c")).unwrap();
        assert_eq!(size(dir.path()).unwrap(), 4);
    }
}
