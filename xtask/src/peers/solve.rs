//! `cargo xtask peers solve`: random sets of wishes, and mmdebstrap's stages, to apt and to bareroot.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use bareroot_deb::packages::{Index, IndexInfo, Limits, Priority};
use bareroot_deb::select::{Error, Selection, Settings, Source, Stage, Universe, Want, Wish, select};

use super::apt::{Answer, Apt};

/// Options of the comparison.
#[derive(clap::Args)]
pub struct Args {
    /// How many sets are drawn; half of them with recommends.
    #[arg(long, default_value_t = 200)]
    sets: usize,
    /// Where the random numbers start.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The suite.
    #[arg(long, default_value = "trixie")]
    suite: String,
    /// Further architectures; every third name is then of one of them.
    #[arg(long, value_delimiter = ',')]
    foreign: Vec<String>,
    /// Names at most in a set.
    #[arg(long, default_value_t = 5)]
    names: usize,
    /// Draw only from packages that conflict with others: many sets are then impossible.
    #[arg(long)]
    quarrelsome: bool,
    /// Only mmdebstrap's stages.
    #[arg(long)]
    stages_only: bool,
    /// This set and nothing else (separated by spaces), without and with recommends.
    #[arg(long)]
    set: Option<String>,
    /// Where apt's private directories go; a fresh one by default.
    #[arg(long)]
    work: Option<std::path::PathBuf>,
}

const NATIVE: &str = "amd64";
/// What has to be identical, in percent. Nothing is known to differ on sets of up to five names; with many that
/// exclude each other apt gives up on some that can be had.
const SHARE: f64 = 98.0;

pub fn run(args: &Args) -> Result<()> {
    let temporary = tempfile::tempdir()?;
    let root = args.work.clone().unwrap_or_else(|| temporary.path().to_owned());
    let arches: Vec<&str> = std::iter::once(NATIVE)
        .chain(args.foreign.iter().map(String::as_str))
        .collect();
    let apt = Apt::new(&root, &args.suite, &arches)?;
    let mut indexes = Vec::new();
    for path in &apt.packages {
        let file = fs::File::open(path).with_context(|| path.display().to_string())?;
        indexes.push(Index::read(
            file,
            IndexInfo::new(0, path.display().to_string()),
            Limits::default(),
        )?);
    }
    let sources = [Source::new(&args.suite)];
    let world = World {
        universe: Universe::new(&indexes, &sources),
        foreign: args.foreign.clone(),
    };

    let mut tally = Tally::default();
    if let Some(set) = &args.set {
        let wishes: Vec<String> = set.split_whitespace().map(str::to_owned).collect();
        world.meet(&apt, false, &wishes, &mut tally)?;
        world.meet(&apt, true, &wishes, &mut tally)?;
        return tally.report(args.seed);
    }
    if !args.quarrelsome {
        stages(&world, &apt, &args.suite, &mut tally)?;
    }
    if !args.stages_only {
        let stanzas = indexes.iter().flat_map(Index::iter);
        let wanted = stanzas.filter(|stanza| !args.quarrelsome || !stanza.conflicts().is_empty());
        let names: BTreeSet<&str> = wanted.map(|stanza| stanza.name()).collect();
        let names: Vec<&str> = names.into_iter().collect();
        let stanzas = indexes.iter().flat_map(Index::iter);
        let other = stanzas.filter(|stanza| args.foreign.iter().any(|arch| arch == stanza.architecture()));
        let foreign: BTreeSet<String> = other
            .map(|stanza| format!("{}:{}", stanza.name(), stanza.architecture()))
            .collect();
        let foreign: Vec<String> = foreign.into_iter().collect();
        let mut random = Random(args.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        for number in 0..args.sets {
            let wishes = draw(&mut random, &names, &foreign, args.names);
            world.meet(&apt, number % 2 == 1, &wishes, &mut tally)?;
        }
    }
    tally.report(args.seed)
}

struct World<'a> {
    universe: Universe<'a>,
    foreign: Vec<String>,
}

impl World<'_> {
    /// One set to both.
    fn meet(&self, apt: &Apt, recommends: bool, wishes: &[String], tally: &mut Tally) -> Result<()> {
        let theirs = apt.install(recommends, wishes)?;
        let wants = wishes
            .iter()
            .map(|wish| Ok(Want::Package(wish.parse()?)))
            .collect::<Result<Vec<_>, Error>>();
        let ours = wants
            .map_err(Into::into)
            .and_then(|wants| self.ask(recommends, &[Stage::new(wants)], tally));
        let title = format!(
            "{} {}",
            if recommends { "recommends" } else { "plain" },
            wishes.join(" ")
        );
        tally.compare(
            &title,
            &theirs,
            ours.map(|mut sets| sets.pop().unwrap_or_default()),
        );
        Ok(())
    }

    /// The new packages of each stage, spelled as apt spells them.
    fn ask(&self, recommends: bool, stages: &[Stage], tally: &mut Tally) -> Result<Vec<BTreeSet<String>>> {
        let mut settings = Settings::new(NATIVE);
        settings.foreign.clone_from(&self.foreign);
        settings.recommends = recommends;
        let start = Instant::now();
        let answer = select(&self.universe, &settings, stages);
        tally.times.push(start.elapsed());
        let selection: Selection<'_> = answer?;
        if !selection.repaired.is_empty() {
            tally.repaired += 1;
        }
        let mut sets = vec![BTreeSet::new(); stages.len()];
        for chosen in &selection.packages {
            let stanza = chosen.stanza;
            let name = match stanza.architecture() {
                NATIVE | "all" => stanza.name().to_owned(),
                foreign => format!("{}:{foreign}", stanza.name()),
            };
            if let Some(set) = sets.get_mut(chosen.stage) {
                set.insert(format!("{name}={}", stanza.version()));
            }
        }
        Ok(sets)
    }
}

/// What mmdebstrap asks apt for, variant by variant.
fn stages(world: &World<'_>, apt: &Apt, suite: &str, tally: &mut Tally) -> Result<()> {
    let narrow = |what: &str| {
        format!("?narrow(?or(?archive(^{suite}$),?codename(^{suite}$)),?architecture({NATIVE}),{what})")
    };
    let suites = || vec![suite.to_owned()];
    let rule = |name: &str| Want::Rule(Wish::package(name));
    let required = vec![Priority::Required];
    let important = vec![Priority::Required, Priority::Important];
    let standard = vec![Priority::Required, Priority::Important, Priority::Standard];
    let variants = [
        ("apt", vec![rule("apt")], vec!["apt".to_owned()]),
        (
            "required",
            vec![priority(&required, suites())],
            vec![narrow(&pattern(&required))],
        ),
        (
            "buildd",
            vec![rule("build-essential"), priority(&required, suites())],
            vec!["build-essential".to_owned(), narrow(&pattern(&required))],
        ),
        (
            "important",
            vec![priority(&important, suites())],
            vec![narrow(&pattern(&important))],
        ),
        (
            "standard",
            vec![priority(&standard, suites())],
            vec![narrow(&pattern(&standard))],
        ),
    ];
    let texts = stanza_texts(apt)?;
    for recommends in [false, true] {
        let first = Stage::new([Want::Essential { suites: suites() }]);
        apt.set_status(&[])?;
        let essential = apt.install(recommends, &[narrow("?essential")])?;
        let installed = essential
            .clone()
            .context("apt cannot install the essential packages")?;
        for (variant, wants, words) in &variants {
            let title = format!(
                "{suite} {variant}{}",
                if recommends { " with recommends" } else { "" }
            );
            let ours = world.ask(recommends, &[first.clone(), Stage::new(wants.clone())], tally);
            let (ours_first, ours_second) = match ours {
                Ok(sets) => match <[_; 2]>::try_from(sets) {
                    Ok([first, second]) => (Ok(first), Ok(second)),
                    Err(_) => continue,
                },
                Err(error) => {
                    let text = format!("{error:#}");
                    (Err(anyhow::anyhow!(text.clone())), Err(anyhow::anyhow!(text)))
                }
            };
            tally.compare(&format!("{title}, essential stage"), &essential, ours_first);
            let stanzas = installed
                .iter()
                .filter_map(|package| texts.get(package))
                .cloned()
                .collect::<Vec<_>>();
            ensure!(
                stanzas.len() == installed.len(),
                "a package of the first stage has no stanza"
            );
            apt.set_status(&stanzas)?;
            let second = apt.install(recommends, words)?;
            let count = second.as_ref().map_or(0, |set| set.len() + installed.len());
            println!("{title}: apt has {count} packages");
            tally.compare(&format!("{title}, second stage"), &second, ours_second);
        }
    }
    apt.set_status(&[])
}

fn priority(priorities: &[Priority], suites: Vec<String>) -> Want {
    Want::Priority {
        priorities: priorities.to_vec(),
        suites,
    }
}

fn pattern(priorities: &[Priority]) -> String {
    let each: Vec<String> = priorities
        .iter()
        .filter_map(|priority| priority.word())
        .map(|word| format!("?priority({word})"))
        .collect();
    let any = if each.len() == 1 {
        each.concat()
    } else {
        format!("?or({})", each.join(","))
    };
    format!("?and({any},?not(?essential))")
}

/// The text of each stanza, by `name=version`.
fn stanza_texts(apt: &Apt) -> Result<BTreeMap<String, String>> {
    let mut texts = BTreeMap::new();
    for path in &apt.packages {
        for stanza in fs::read_to_string(path)?.split("\n\n") {
            let field = |name: &str| {
                stanza
                    .lines()
                    .find_map(|line| line.strip_prefix(name))
                    .map(str::trim)
            };
            if let (Some(name), Some(version)) = (field("Package:"), field("Version:")) {
                let arch = match field("Architecture:") {
                    None | Some(NATIVE | "all") => String::new(),
                    Some(foreign) => format!(":{foreign}"),
                };
                texts.insert(format!("{name}{arch}={version}"), stanza.trim_end().to_owned());
            }
        }
    }
    Ok(texts)
}

/// xorshift64*: enough to draw names, and the same everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        high as usize % limit.max(1)
    }
}

/// Between one name and `most`; every third of a foreign architecture where there are such.
fn draw(random: &mut Random, names: &[&str], foreign: &[String], most: usize) -> Vec<String> {
    let count = 1 + random.below(most);
    let mut wishes: Vec<String> = Vec::new();
    while wishes.len() < count {
        let wish = if !foreign.is_empty() && random.below(3) == 0 {
            foreign.get(random.below(foreign.len())).cloned()
        } else {
            names
                .get(random.below(names.len()))
                .map(|name| (*name).to_owned())
        };
        match wish {
            None => break,
            Some(wish) if !wishes.contains(&wish) => wishes.push(wish),
            Some(_) => {}
        }
    }
    wishes
}

#[derive(Default)]
struct Tally {
    classes: BTreeMap<&'static str, usize>,
    times: Vec<Duration>,
    repaired: usize,
}

impl Tally {
    fn compare(&mut self, title: &str, theirs: &Answer, ours: Result<BTreeSet<String>>) {
        let class = match (theirs, ours) {
            (Some(theirs), Ok(ours)) if *theirs == ours => "identical",
            (None, Err(_)) => "identical (both refuse)",
            (Some(theirs), Ok(ours)) => {
                println!("different: {title}");
                println!("  apt only: {}", list(theirs.difference(&ours)));
                println!("  bareroot only: {}", list(ours.difference(theirs)));
                let name = |set: &BTreeSet<String>| -> BTreeSet<String> {
                    set.iter()
                        .filter_map(|entry| entry.split('=').next())
                        .map(str::to_owned)
                        .collect()
                };
                if name(theirs) == name(&ours) {
                    "different: other versions"
                } else if theirs.is_superset(&ours) {
                    "different: apt has more"
                } else if theirs.is_subset(&ours) {
                    "different: bareroot has more"
                } else {
                    "different: another choice"
                }
            }
            (None, Ok(ours)) => {
                println!(
                    "different: {title}\n  apt refuses, bareroot has {} packages",
                    ours.len()
                );
                "different: only apt refuses"
            }
            (Some(theirs), Err(error)) => {
                println!(
                    "different: {title}\n  apt has {} packages, bareroot: {error:#}",
                    theirs.len()
                );
                "different: only bareroot refuses"
            }
        };
        *self.classes.entry(class).or_default() += 1;
    }

    /// Prints the classes and the share; fails when the share is below what a user of apt would accept.
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
        println!(
            "{} selections were repaired by the solver; median {median:.1?}, longest {most:.1?}",
            self.repaired
        );
        let share = if all == 0 {
            0.0
        } else {
            same as f64 * 100.0 / all as f64
        };
        println!("seed {seed}: {same} of {all} identical ({share:.1} %)");
        ensure!(
            share >= SHARE,
            "less than {SHARE} % of the selections are identical"
        );
        Ok(())
    }
}

fn list<'a>(names: impl Iterator<Item = &'a String>) -> String {
    let names: Vec<&str> = names.map(String::as_str).collect();
    let shown = names.get(..names.len().min(12)).unwrap_or_default().join(" ");
    if names.len() > 12 {
        format!("{shown} and {} more", names.len() - 12)
    } else {
        shown
    }
}
