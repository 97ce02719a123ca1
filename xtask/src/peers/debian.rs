//! `cargo xtask peers debian`: roots of every suite and variant, with mmdebstrap's.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Result, ensure};

use super::exceptions::{self, Pair};
use super::{root, trees};
use crate::machine;
use crate::report::{Report, lines};
use crate::run::{inside, must, run as run_program};
use crate::workshop::{Recipe, Workshop};

/// Every suite of the comparison.
const SUITES: &[&str] = &["bullseye", "bookworm", "trixie", "sid"];

/// Every variant that has a package database and is configured.
const VARIANTS: &[&str] = &["essential", "apt", "minbase", "buildd", "standard"];

/// What `--quick` makes.
const QUICK: &[(&str, &str)] = &[
    ("trixie", "minbase"),
    ("trixie", "buildd"),
    ("bookworm", "minbase"),
];

/// The roots that are compared path by path.
const WHOLE_TREES: (&[&str], &[&str]) = (&["trixie", "bookworm"], &["minbase", "buildd"]);

/// Suites whose index a mirror may let expire.
const MAY_EXPIRE: &[&str] = &["sid"];

/// Which roots.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct Which {
    /// Only this suite
    #[arg(long)]
    suite: Option<String>,
    /// Only this variant
    #[arg(long)]
    variant: Option<String>,
    /// Compare every root path by path, also where differences are expected
    #[arg(long)]
    trees: bool,
}

/// The comparisons.
///
/// # Errors
/// When this machine's apt has no mirror.
pub fn run(workshop: &Workshop, which: &Which, quick: bool, report: &mut Report) -> Result<()> {
    let mirror = machine::debian_mirror()?;
    for (suite, variant) in chosen(which, quick) {
        let recipe = Recipe {
            distribution: "debian",
            suite: &suite,
            variant: &variant,
            mirror: &mirror,
            epoch: true,
            expired: MAY_EXPIRE.contains(&suite.as_str()),
        };
        let title = format!("{suite} {variant}");
        let compared = compare(workshop, &recipe, which.trees, &title, report);
        report.take(&title, compared);
    }
    Ok(())
}

fn chosen(which: &Which, quick: bool) -> Vec<(String, String)> {
    let all: Vec<(&str, &str)> = match quick {
        true => QUICK.to_vec(),
        false => SUITES
            .iter()
            .flat_map(|suite| VARIANTS.iter().map(move |variant| (*suite, *variant)))
            .collect(),
    };
    let named = |asked: &Option<String>, have: &str| asked.as_deref().is_none_or(|asked| asked == have);
    let mut chosen: Vec<(String, String)> = all
        .into_iter()
        .filter(|(suite, variant)| named(&which.suite, suite) && named(&which.variant, variant))
        .map(|(suite, variant)| (suite.to_owned(), variant.to_owned()))
        .collect();
    if let (true, Some(suite), Some(variant)) = (chosen.is_empty(), &which.suite, &which.variant) {
        chosen.push((suite.clone(), variant.clone()));
    }
    chosen
}

fn compare(
    workshop: &Workshop,
    recipe: &Recipe<'_>,
    trees: bool,
    title: &str,
    report: &mut Report,
) -> Result<()> {
    let peer = workshop.mmdebstrap(recipe);
    let peer = report.take(&format!("{title}: mmdebstrap makes it"), peer);
    let ours = workshop.bareroot(recipe, &[]);
    let ours = report.take(&format!("{title}: bareroot makes it"), ours);
    if let (Some(peer), Some(ours)) = (&peer, &ours) {
        same_packages(peer, ours, title, report)?;
        let promised = WHOLE_TREES.0.contains(&recipe.suite) && WHOLE_TREES.1.contains(&recipe.variant);
        if trees || promised {
            whole_trees(workshop, recipe, peer, ours, title, report)?;
        }
        own_checks(peer, ours, recipe, title, report)?;
        if recipe.variant == "minbase" && !recipe.expired {
            let works = apt_works(workshop, recipe);
            let evidence = works
                .err()
                .map(|error| lines(&format!("{error:#}")))
                .unwrap_or_default();
            report.check(
                &format!("{title}: apt-get update, apt-get install hello, hello"),
                &evidence,
            );
        }
    }
    for root in [peer, ours].into_iter().flatten() {
        workshop.remove(&root)?;
    }
    Ok(())
}

/// The same names, versions, architectures and states.
pub fn same_packages(peer: &Path, ours: &Path, title: &str, report: &mut Report) -> Result<()> {
    let (theirs, ours) = (root::packages(peer)?, root::packages(ours)?);
    let evidence = root::unshared(&theirs, "mmdebstrap", &ours);
    report.check(
        &format!("{title}: {} packages, the same as mmdebstrap's", ours.len()),
        &evidence,
    );
    Ok(())
}

/// mmdebstrap's tree, bareroot's with and without stand-ins, and bareroot's with one job.
fn whole_trees(
    workshop: &Workshop,
    recipe: &Recipe<'_>,
    peer: &Path,
    ours: &Path,
    title: &str,
    report: &mut Report,
) -> Result<()> {
    same_tree(
        &Pair {
            suite: recipe.suite,
            peer,
            ours,
        },
        title,
        report,
    )?;
    let plain = format!("{title} --no-standins");
    let made = workshop.bareroot(recipe, &["--no-standins"]);
    if let Some(other) = report.take(&plain, made) {
        same_tree(
            &Pair {
                suite: recipe.suite,
                peer,
                ours: &other,
            },
            &plain,
            report,
        )?;
        workshop.remove(&other)?;
    }
    let made = workshop.bareroot(recipe, &["--jobs", "1"]);
    let one = format!("{title}: the same tree with --jobs 1, times included");
    if let Some(other) = report.take(&one, made) {
        report.check(&one, &trees::between_runs(ours, &other)?);
        workshop.remove(&other)?;
    }
    Ok(())
}

/// The tree, and the status file to the byte.
pub fn same_tree(pair: &Pair<'_>, title: &str, report: &mut Report) -> Result<()> {
    let compared = trees::with_peer(exceptions::TABLE, pair)?;
    report.check(
        &format!("{title}: the tree is mmdebstrap's"),
        &compared.unexplained,
    );
    for (reason, paths) in &compared.excused {
        report.note(&format!("{title}: excused {} ({reason})", paths.join(", ")));
    }
    let status = trees::same_file("var/lib/dpkg/status", pair.peer, pair.ours)?;
    report.check(&format!("{title}: /var/lib/dpkg/status to the byte"), &status);
    Ok(())
}

/// `dpkg --audit`, `dpkg -V` and `apt-get check`: no complaint that mmdebstrap's root does not have too.
pub fn own_checks(
    peer: &Path,
    ours: &Path,
    recipe: &Recipe<'_>,
    title: &str,
    report: &mut Report,
) -> Result<()> {
    for words in root::DPKG_CHECKS {
        let said = root::complaints(ours, words)?;
        let allowed = match recipe.variant {
            "minbase" => BTreeSet::new(),
            _ => root::complaints(peer, words)?,
        };
        let evidence: Vec<String> = said.difference(&allowed).cloned().collect();
        report.check(&format!("{title}: {}", words.join(" ")), &evidence);
    }
    if root::has_apt(ours) {
        let said: Vec<String> = root::complaints(ours, root::APT_CHECK)?.into_iter().collect();
        report.check(&format!("{title}: {}", root::APT_CHECK.join(" ")), &said);
    }
    Ok(())
}

/// A fresh root in which apt does its work, over this machine's network.
fn apt_works(workshop: &Workshop, recipe: &Recipe<'_>) -> Result<()> {
    let root = workshop.bareroot(
        &Recipe {
            epoch: false,
            ..*recipe
        },
        &[],
    )?;
    must(&mut inside(&root, &["apt-get", "-q", "update"]))?;
    must(&mut inside(&root, &["apt-get", "-q", "install", "-y", "hello"]))?;
    let hello = run_program(&mut inside(&root, &["hello"]))?;
    ensure!(
        hello.stdout.trim() == "Hello, world!",
        "hello said `{}`",
        hello.tail()
    );
    workshop.remove(&root)
}
