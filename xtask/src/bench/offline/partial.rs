//! A partial mirror's size and time, and what a full copy of the same component would take, by its own index.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Result, ensure};

use super::contenders::Tools;
use crate::bench::debian::contenders::SUITE;
use crate::bench::measure::{self, Sample};
use crate::report::Report;
use crate::run::must;
use crate::workshop::Place;

/// The line that a table of times on paper goes by, in bytes a second: 100 Mbit/s.
const LINE: f64 = 12.5e6;

/// Files and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Size {
    files: u64,
    bytes: u64,
}

impl Size {
    fn mb(self) -> f64 {
        self.bytes as f64 / 1e6
    }
}

/// Makes a partial mirror, brings it up to date, and compares its size with a full copy's.
///
/// # Errors
/// When bareroot fails, or an index cannot be read.
pub fn run(tools: &Tools, place: &Place, report: &mut Report) -> Result<()> {
    let home = place.fresh("partial-mirror");
    let made = once(tools, &home, place)?;
    let again = once(tools, &home, place)?;
    must(
        Command::new(&tools.bareroot)
            .args(["mirror", "--check"])
            .arg(&home),
    )?;
    let ours = measured(&home)?;
    let packages = measured(&home.join("pool"))?;
    let index = format!("dists/{SUITE}/main/binary-{}/Packages.xz", tools.arch);
    let text = must(Command::new("xz").arg("-dc").arg(home.join(index)))?.stdout;
    let full = listed(&text);
    ensure!(
        full.files > 10_000,
        "the index lists only {} packages",
        full.files
    );
    let indexes = Size {
        files: ours.files - packages.files,
        bytes: ours.bytes - packages.bytes,
    };
    println!(
        "\n| mirror of {SUITE}, main, {} | packages | MB of packages | MB of indexes | seconds | again | at 100 Mbit/s, on paper |\n\
         |---|---:|---:|---:|---:|---:|---:|",
        tools.arch
    );
    println!(
        "| bareroot mirror, minbase | {} | {:.1} | {:.1} | {:.2} | {:.2} | {:.0} s |",
        packages.files,
        packages.mb(),
        indexes.mb(),
        made.seconds,
        again.seconds,
        ours.bytes as f64 / LINE
    );
    println!(
        "| debmirror or apt-mirror, which copy the component | {} | {:.1} | {:.1} | | | {:.0} s |\n",
        full.files,
        full.mb(),
        indexes.mb(),
        (full.bytes + indexes.bytes) as f64 / LINE
    );
    let ratio = (full.bytes + indexes.bytes) as f64 / ours.bytes as f64;
    let missed = match ratio >= 10.0 {
        true => Vec::new(),
        false => vec![format!("{ratio:.1}")],
    };
    report.check(
        &format!("the partial mirror has a tenth of a full copy's bytes or less: 1 of {ratio:.0}"),
        &missed,
    );
    let slower = match again.seconds < made.seconds {
        true => Vec::new(),
        false => vec![format!("{:.2} s, {:.2} s at first", again.seconds, made.seconds)],
    };
    report.check("bringing it up to date takes less than making it", &slower);
    Ok(())
}

fn once(tools: &Tools, home: &Path, place: &Place) -> Result<Sample> {
    let mut command = Command::new(&tools.bareroot);
    command.args(["mirror", &format!("debian:{SUITE}")]).arg(home);
    command.args(["--mirror", &tools.mirror, "--variant", "minbase", "--no-cache"]);
    measure::timed("mirror", &command, place)
}

/// What a directory holds. A file of several names counts once, as `du` counts it.
fn measured(directory: &Path) -> Result<Size> {
    use std::os::unix::fs::MetadataExt as _;
    let mut seen = std::collections::BTreeSet::new();
    let mut size = Size::default();
    let mut directories = vec![directory.to_owned()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(&directory)? {
            let entry = entry?;
            let metadata = entry.metadata()?;
            if metadata.is_dir() {
                directories.push(entry.path());
            } else if seen.insert(metadata.ino()) {
                size.files += 1;
                size.bytes += metadata.len();
            }
        }
    }
    Ok(size)
}

/// What an index lists.
fn listed(packages: &str) -> Size {
    let sizes = packages.lines().filter_map(|line| line.strip_prefix("Size: "));
    sizes.fold(Size::default(), |sum, size| Size {
        files: sum.files + 1,
        bytes: sum.bytes + size.trim().parse::<u64>().unwrap_or(0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_index_lists() {
        let text =
            "Package: a\nInstalled-Size: 9\nSize: 12\nDescription: x\n Size: 7\n\nPackage: b\nSize: 30\n";
        assert_eq!(listed(text), Size { files: 2, bytes: 42 });
    }

    #[test]
    fn a_file_of_two_names_counts_once() {
        let scratch = tempfile::tempdir().unwrap();
        let path = |name: &str| scratch.path().join(name);
        fs::create_dir(path("below")).unwrap();
        fs::write(path("below/a"), "12345").unwrap();
        fs::hard_link(path("below/a"), path("b")).unwrap();
        fs::write(path("c"), "1").unwrap();
        assert_eq!(measured(scratch.path()).unwrap(), Size { files: 2, bytes: 6 });
    }
}
