//! `cargo xtask peers rpm-solve`: random sets of wishes to dnf and to bareroot.

mod dnf;
mod random;
mod real;
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use bareroot_rpm_repo::Index;
use bareroot_rpm_repo::comps::Comps;
use bareroot_rpm_repo::modules::Modules;
use bareroot_rpm_select::{Repository, Selection, Settings, Universe, Wishes, select};

use crate::machine;
use crate::rpm_distro;
use dnf::{Answer, Set};
use random::Random;

/// Options of the comparison.
#[derive(clap::Args)]
pub struct Args {
    /// How many sets are drawn from the distribution; each is asked with and without weak dependencies
    #[arg(long, default_value_t = 100)]
    sets: usize,
    /// Where the random numbers start.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// A distribution that `cargo xtask rpm-distro` has made [default: target/rpm-distro/distro, made where it is not there]
    #[arg(long, value_name = "DIR")]
    distro: Option<PathBuf>,
    /// Random repositories of made-up packages, so many, with twenty sets each.
    #[arg(long, value_name = "WORLDS")]
    synthetic: Option<usize>,
    /// Only this set (separated by commas), of the distribution or of the one made-up repository.
    #[arg(long)]
    set: Option<String>,
    /// Where repositories and dnf's caches go; a fresh directory by default.
    #[arg(long, value_name = "DIR")]
    work: Option<PathBuf>,
}

/// What has to be identical, in percent.
const SHARE: f64 = 98.0;

/// The platform's stream: the distribution's release package gives none.
const PLATFORM: &str = "testos1";

/// Sets of each made-up repository.
const SETS: usize = 20;

/// Runs the comparison.
///
/// # Errors
/// When less is identical than should be.
pub fn run(args: &Args) -> Result<()> {
    let temporary = tempfile::tempdir()?;
    let work = args.work.clone().unwrap_or_else(|| temporary.path().to_owned());
    let mut tally = Tally::default();
    if let Some(worlds) = args.synthetic {
        for number in 0..worlds as u64 {
            synthetic(
                args,
                args.seed + number,
                &work.join(format!("world{number}")),
                &mut tally,
            )?;
        }
    }
    let distro = match &args.distro {
        Some(distro) => distro.clone(),
        None => machine::target().join("rpm-distro/distro"),
    };
    if args.sets > 0 {
        rpm_distro::ensure_built(&distro, 2, false)?;
        real::compare(args, &distro, &work, &mut tally)?;
    }
    tally.report(args.seed)
}

fn synthetic(args: &Args, seed: u64, work: &std::path::Path, tally: &mut Tally) -> Result<()> {
    let mut random = Random::new(seed);
    let made = world::make(&mut random);
    let mut repos = Vec::new();
    let mut indexes = Vec::new();
    let mut repositories = Vec::new();
    for (number, primary) in made.primaries.iter().enumerate() {
        let (priority, cost) = made.ranks[number];
        let path = work.join(format!("repo{number}"));
        world::write(&path, primary)?;
        repos.push(dnf::Repo {
            id: format!("repo{number}"),
            path: path.display().to_string(),
            options: serde_json::json!({"priority": priority, "cost": cost}),
        });
        indexes.push(Index::read("primary.xml", primary.as_bytes(), "x86_64")?);
        repositories.push(Repository {
            priority,
            cost,
            ..Repository::default()
        });
    }
    let sets = match &args.set {
        Some(set) => both(set.split(',').map(str::to_owned).collect()),
        None => (0..SETS / 2)
            .flat_map(|_| both(draw(&mut random, &made.wishes, 5)))
            .collect(),
    };
    let answers = dnf::answers(work, &repos, &sets)?;
    for (set, theirs) in sets.iter().zip(answers) {
        let began = Instant::now();
        let ours = ask(&indexes, &repositories, &Rest::default(), set);
        tally.times.push(began.elapsed());
        let ours = ours.map(|selection| named(&selection, &indexes, &|number| format!("repo{number}")));
        tally.compare(&format!("world {seed}"), set, &theirs, &ours);
    }
    Ok(())
}

/// The same wishes without and with weak dependencies.
fn both(words: Vec<String>) -> Vec<Set> {
    let set = |weak| Set {
        words: words.clone(),
        weak,
    };
    vec![set(false), set(true)]
}

/// Between one wish and `most`.
fn draw(random: &mut Random, wishes: &[String], most: usize) -> Vec<String> {
    let count = 1 + random.below(most);
    let mut words: BTreeSet<String> = BTreeSet::new();
    for _ in 0..count {
        words.extend(random.pick(wishes).cloned());
    }
    words.into_iter().collect()
}

/// What both are asked about, beside the packages.
#[derive(Default)]
struct Rest {
    comps: Vec<Comps>,
    /// Each with its repository's number.
    modules: Vec<(usize, Modules)>,
}

/// bareroot's answer.
fn ask(indexes: &[Index], repositories: &[Repository], rest: &Rest, set: &Set) -> Result<Selection, String> {
    let modules: Vec<(usize, &Modules)> = rest
        .modules
        .iter()
        .map(|(number, modules)| (*number, modules))
        .collect();
    let comps = rest.comps.iter().collect();
    let universe = Universe::new(indexes, repositories, comps, "x86_64", &[])
        .with_all_files()
        .with_modules(&modules, &set.words, Some(PLATFORM))
        .map_err(|error| error.to_string())?;
    let wishes = Wishes {
        words: set.words.clone(),
        ..Wishes::default()
    };
    let settings = Settings { weak: set.weak };
    select(&universe, &wishes, &settings).map_err(|error| error.to_string())
}

/// Packages, and the module streams that are enabled.
type Chosen = (BTreeSet<String>, BTreeMap<String, String>);

fn named(selection: &Selection, indexes: &[Index], repo: &dyn Fn(usize) -> String) -> Chosen {
    let modules = selection.modules.iter();
    let packages = selection
        .picks
        .iter()
        .filter_map(|pick| {
            let package = indexes.get(pick.index)?.package(pick.package)?;
            Some(format!("{}@{}", package.nevra_with_epoch(), repo(pick.index)))
        })
        .collect();
    let streams = modules.map(|(name, enabled)| (name.clone(), enabled.stream.clone()));
    (packages, streams.collect())
}

#[derive(Default)]
struct Tally {
    classes: BTreeMap<&'static str, usize>,
    times: Vec<Duration>,
}

impl Tally {
    fn compare(&mut self, title: &str, set: &Set, theirs: &Answer, ours: &Result<Chosen, String>) {
        let title = format!(
            "{title} {} {}",
            if set.weak { "weak" } else { "plain" },
            set.words.join(",")
        );
        let class = match (theirs, ours) {
            (Ok(theirs), Ok(ours)) if theirs == ours => "identical",
            (Err(_), Err(_)) => "identical (both refuse)",
            (Ok((theirs, their_modules)), Ok((ours, our_modules))) if theirs == ours => {
                println!("different: {title}\n  modules: dnf {their_modules:?}, bareroot {our_modules:?}");
                "different modules"
            }
            (Ok((theirs, _)), Ok((ours, _))) => {
                println!("different: {title}");
                println!("  dnf only: {}", list(theirs.difference(ours)));
                println!("  bareroot only: {}", list(ours.difference(theirs)));
                "different"
            }
            (Err(error), Ok((ours, _))) => {
                println!(
                    "different: {title}\n  bareroot has {} packages, dnf: {error}",
                    ours.len()
                );
                "different: only dnf refuses"
            }
            (Ok((theirs, _)), Err(error)) => {
                println!(
                    "different: {title}\n  dnf has {} packages, bareroot: {error}",
                    theirs.len()
                );
                "different: only bareroot refuses"
            }
        };
        *self.classes.entry(class).or_default() += 1;
    }

    /// Prints the classes and the share; fails when the share is below what a user of dnf would accept.
    fn report(mut self, seed: u64) -> Result<()> {
        let all: usize = self.classes.values().sum();
        let same: usize = self
            .classes
            .iter()
            .filter(|(class, _)| class.starts_with("identical"))
            .map(|(_, count)| count)
            .sum();
        for (class, count) in &self.classes {
            println!("{count:5} {class}");
        }
        self.times.sort_unstable();
        let median = self.times.get(self.times.len() / 2).copied().unwrap_or_default();
        let most = self.times.last().copied().unwrap_or_default();
        let share = same as f64 * 100.0 / all.max(1) as f64;
        println!("median {median:.1?}, longest {most:.1?}");
        println!("seed {seed}: {same} of {all} identical ({share:.1} %)");
        ensure!(
            share >= SHARE,
            "less than {SHARE} % of the solutions are identical"
        );
        Ok(())
    }
}

fn list<'a>(names: impl Iterator<Item = &'a String>) -> String {
    let names: Vec<&str> = names.map(String::as_str).collect();
    let shown = names.get(..names.len().min(12)).unwrap_or_default().join(" ");
    match names.len() {
        0..=12 => shown,
        more => format!("{shown} and {} more", more - 12),
    }
}
