//! `cargo xtask peers rpm`: roots of the RPM distribution, with those of `dnf --installroot`.

mod database;
mod exceptions;
mod inside;
mod makers;
mod options;
mod times;

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::exceptions::Pair;
use super::{no_host_programs, trees};
use crate::machine;
use crate::nginx::Nginx;
use crate::report::{Report, lines};
use crate::rpm_distro;
use crate::workshop::Place;
pub use inside::installed;
use makers::Makers;

/// What the quick lane makes: the packages, and whether weak dependencies count.
const QUICK: &[(&str, &[&str], bool)] = &[("minimal", MINIMAL, true)];

/// What the whole lane makes.
const ALL: &[(&str, &[&str], bool)] = &[
    ("minimal", MINIMAL, true),
    (
        "core without weak dependencies",
        &["@core", "testos-release"],
        false,
    ),
    (
        "server",
        &[
            "@server-product-environment",
            "@Network Tools",
            "dnf",
            "testos-release",
        ],
        true,
    ),
    ("choices", &["choices", "exhibit-users", "rpm"], true),
];

/// The set.
const MINIMAL: &[&str] = &["@Minimal Install", "dnf", "testos-release", "testos-repos"];

/// The comparisons.
///
/// # Errors
/// When the distribution cannot be built or served.
pub fn run(place: &Place, bareroot: Option<&Path>, quick: bool, report: &mut Report) -> Result<()> {
    let bareroot = machine::bareroot(bareroot)?;
    let distro = machine::target().join("rpm-distro/distro");
    rpm_distro::ensure_built(&distro, 2, false)?;
    let nginx = Nginx::serve(&place.fresh("nginx"), &distro)?;
    let makers = Makers::new(place, &nginx.url(), bareroot)?;
    for (title, packages, weak) in if quick { QUICK } else { ALL } {
        let compared = compare(&makers, title, packages, *weak, report);
        report.take(title, compared);
    }
    let again = reproducible(&makers, report);
    report.take("runs of one SOURCE_DATE_EPOCH", again);
    let traced = no_host_programs(&makers, report);
    report.take("programs of the host", traced);
    Ok(())
}

/// What options of repositories and of what is installed mean.
///
/// # Errors
/// As [`run`].
pub fn run_options(place: &Place, bareroot: Option<&Path>, report: &mut Report) -> Result<()> {
    let bareroot = machine::bareroot(bareroot)?;
    let distro = machine::target().join("rpm-distro/distro");
    rpm_distro::ensure_built(&distro, 2, false)?;
    let nginx = Nginx::serve(&place.fresh("nginx"), &distro)?;
    options::run(place, &nginx.url(), &bareroot, &distro, report)
}

fn compare(
    makers: &Makers<'_>,
    title: &str,
    packages: &[&str],
    weak: bool,
    report: &mut Report,
) -> Result<()> {
    let peer = makers.dnf(packages, weak);
    let peer = report.take(&format!("{title}: dnf makes it"), peer);
    let ours = makers.bareroot(packages, weak, &[]);
    let ours = report.take(&format!("{title}: bareroot makes it"), ours);
    if let (Some(peer), Some(ours)) = (&peer, &ours) {
        makers.forget_cache(peer, ours)?;
        same_root(peer, ours, title, report)?;
        inside::checks(makers, peer, ours, title, report)?;
    }
    for root in [peer, ours].into_iter().flatten() {
        makers.place.remove(&root)?;
    }
    Ok(())
}

fn same_root(peer: &Path, ours: &Path, title: &str, report: &mut Report) -> Result<()> {
    let databases =
        database::Database::read(peer).and_then(|theirs| Ok((theirs, database::Database::read(ours)?)));
    if let Some((theirs, ours)) = report.take(&format!("{title}: rpm's databases are read"), databases) {
        let count = ours.packages.len();
        report.check(
            &format!("{title}: {count} packages, the same as dnf's"),
            &theirs.unshared(&ours),
        );
        report.check(
            &format!("{title}: every header as rpm stored it, but for its INSTALLTIME and INSTALLTID"),
            &theirs.other_headers(&ours),
        );
        for (table, rows, evidence) in theirs.tables(&ours) {
            report.check(
                &format!("{title}: index {table}: the same {rows} rows"),
                &evidence,
            );
        }
    }
    let pair = Pair {
        suite: "testos",
        peer,
        ours,
    };
    let compared = trees::with_peer(exceptions::TABLE, &pair)?;
    report.check(&format!("{title}: the tree is dnf's"), &compared.unexplained);
    for (reason, paths) in &compared.excused {
        report.note(&format!("{title}: excused {} ({reason})", paths.join(", ")));
    }
    let (count, evidence) = times::differing(peer, ours)?;
    report.check(
        &format!("{title}: {count} paths have their package's time, as dnf left them"),
        &evidence,
    );
    Ok(())
}

/// One SOURCE_DATE_EPOCH: two runs, and one with one job.
fn reproducible(makers: &Makers<'_>, report: &mut Report) -> Result<()> {
    let make = |options: &[&str]| makers.bareroot_at_epoch(MINIMAL, options);
    let first = make(&[])?;
    for (what, options) in [("once more", &[][..]), ("with --jobs 1", &["--jobs", "1"])] {
        let title = format!("the same tree {what}, rpm's database and times included");
        if let Some(second) = report.take(&title, make(options)) {
            report.check(&title, &trees::between_runs(&first, &second)?);
            makers.place.remove(&second)?;
        }
    }
    makers.place.remove(&first)
}

fn no_host_programs(makers: &Makers<'_>, report: &mut Report) -> Result<()> {
    let target: PathBuf = makers.place.fresh("traced");
    let command = makers.bareroot_command(MINIMAL, true, &target);
    let traced = no_host_programs::traced(&command, &target, &makers.place.fresh("strace.out"));
    let what = "no program of the host is executed";
    if let Some((count, evidence)) = report.take(what, traced) {
        report.check(&format!("{what}: {count} programs, all of the target"), &evidence);
    }
    makers.place.remove(&target)
}

/// An error as a check's evidence.
fn evidence(result: Result<()>) -> Vec<String> {
    result
        .err()
        .map(|error| lines(&format!("{error:#}")))
        .unwrap_or_default()
}
