//! The distribution that is built from Debian's packages, with all of its metadata.

use std::fs;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result};
use bareroot_archive::{Compression, Limits, decoder};
use bareroot_rpm_repo::comps::Comps;
use bareroot_rpm_repo::modules::Modules;
use bareroot_rpm_repo::repomd::{DataKind, Repomd};
use bareroot_rpm_repo::{Index, RelationKind};
use bareroot_rpm_select::Repository;

use super::dnf::Set;
use super::random::Random;
use super::{Args, Rest, Tally, ask, both, dnf, draw, named};

/// A repository that was read.
struct Read {
    id: String,
    path: PathBuf,
    index: Index,
    comps: Option<Comps>,
    modules: Option<Modules>,
}

/// Asks both for random sets of the distribution's names, provisions, paths and groups.
pub fn compare(args: &Args, distro: &Path, work: &Path, tally: &mut Tally) -> Result<()> {
    let mut repos: Vec<Read> = repositories(distro)?
        .iter()
        .map(|path| read(path))
        .collect::<Result<_>>()?;
    repos.sort_by(|one, two| one.id.cmp(&two.id));
    let wishes = wishes(&repos);
    let mut random = Random::new(args.seed);
    let sets = match &args.set {
        Some(set) => both(set.split(',').map(str::to_owned).collect()),
        None => (0..args.sets)
            .flat_map(|_| both(draw(&mut random, &wishes, 8)))
            .collect(),
    };
    let mut described: Vec<dnf::Repo> = repos
        .iter()
        .map(|repo| dnf::Repo {
            id: repo.id.clone(),
            path: repo.path.display().to_string(),
            options: serde_json::json!({}),
        })
        .collect();
    let answers = dnf::answers(&work.join("distro"), &described, &sets)?;
    let ids: Vec<String> = repos.iter().map(|repo| repo.id.clone()).collect();
    let mut rest = Rest::default();
    let mut indexes = Vec::new();
    for (number, repo) in repos.into_iter().enumerate() {
        rest.comps.extend(repo.comps);
        rest.modules.extend(repo.modules.map(|modules| (number, modules)));
        indexes.push(repo.index);
    }
    let world = Distribution { indexes, rest, ids };
    world.meet(
        "distribution",
        &sets,
        answers,
        &ranks(&[], world.ids.len()),
        tally,
    );
    // Options of .repo files, each with wishes that it matters to.
    for (number, (name, of_first, of_second)) in OPTIONS.iter().enumerate() {
        let options: [serde_json::Value; 2] =
            [serde_json::from_str(of_first)?, serde_json::from_str(of_second)?];
        for (repo, options) in described.iter_mut().zip(&options) {
            repo.options = options.clone();
        }
        let sets: Vec<Set> = (0..OPTION_SETS)
            .flat_map(|_| both(draw(&mut random, &wishes, 8)))
            .chain(
                OPTION_WISHES
                    .iter()
                    .flat_map(|word| both(vec![(*word).to_owned()])),
            )
            .collect();
        let answers = dnf::answers(&work.join(format!("options{number}")), &described, &sets)?;
        world.meet(name, &sets, answers, &ranks(&options, world.ids.len()), tally);
    }
    Ok(())
}

/// Sets drawn for each option, beside [`OPTION_WISHES`].
const OPTION_SETS: usize = 4;

/// What module streams, exclusions and ranks change.
const OPTION_WISHES: [&str; 6] = [
    "greeter",
    "@greeter:1",
    "@greeter:2/minimal",
    "@greeter",
    "bash",
    "@core",
];

/// Options of the first repository and of the second, as dnf's configuration has them.
const OPTIONS: [(&str, &str, &str); 5] = [
    ("priority", r#"{"priority": 50}"#, r#"{"priority": 10}"#),
    ("cost", r#"{"cost": 2000}"#, r#"{"cost": 500}"#),
    (
        "excludepkgs",
        r#"{"excludepkgs": ["bash*", "coreutils"]}"#,
        r#"{"excludepkgs": ["*-1.module"]}"#,
    ),
    ("includepkgs", "{}", r#"{"includepkgs": ["greeter*"]}"#),
    ("module_hotfixes", "{}", r#"{"module_hotfixes": true}"#),
];

/// The options as bareroot has them.
fn ranks(options: &[serde_json::Value], count: usize) -> Vec<Repository> {
    let number = |value: &serde_json::Value, key: &str, default: i32| {
        let number = value.get(key).and_then(serde_json::Value::as_i64);
        number
            .and_then(|number| i32::try_from(number).ok())
            .unwrap_or(default)
    };
    let words = |value: &serde_json::Value, key: &str| -> Vec<String> {
        let list = value.get(key).and_then(serde_json::Value::as_array);
        let words = list.into_iter().flatten().filter_map(serde_json::Value::as_str);
        words.map(str::to_owned).collect()
    };
    let empty = serde_json::Value::Null;
    (0..count)
        .map(|place| options.get(place).unwrap_or(&empty))
        .map(|value| Repository {
            priority: number(value, "priority", 99),
            cost: number(value, "cost", 1000),
            excludes: words(value, "excludepkgs"),
            includes: words(value, "includepkgs"),
            module_hotfixes: value.get("module_hotfixes").is_some(),
            ..Repository::default()
        })
        .collect()
}

/// All that was read.
struct Distribution {
    indexes: Vec<Index>,
    rest: Rest,
    ids: Vec<String>,
}

impl Distribution {
    fn meet(
        &self,
        title: &str,
        sets: &[Set],
        answers: Vec<dnf::Answer>,
        ranks: &[Repository],
        tally: &mut Tally,
    ) {
        for (set, theirs) in sets.iter().zip(answers) {
            let began = Instant::now();
            let ours = ask(&self.indexes, ranks, &self.rest, set);
            tally.times.push(began.elapsed());
            let id = |number: usize| self.ids.get(number).cloned().unwrap_or_default();
            let ours = ours.map(|selection| named(&selection, &self.indexes, &id));
            tally.compare(title, set, &theirs, &ours);
        }
    }
}

/// The directories below one that have metadata.
fn repositories(directory: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut queue = vec![(directory.to_owned(), 0)];
    while let Some((path, depth)) = queue.pop() {
        if path.join("repodata/repomd.xml").exists() {
            found.push(path);
            continue;
        }
        for entry in fs::read_dir(&path).with_context(|| path.display().to_string())? {
            let entry = entry?;
            if entry.file_type()?.is_dir() && depth < 3 {
                queue.push((entry.path(), depth + 1));
            }
        }
    }
    anyhow::ensure!(!found.is_empty(), "{} has no repository", directory.display());
    Ok(found)
}

fn read(path: &Path) -> Result<Read> {
    let repomd = Repomd::parse("repomd.xml", &fs::read(path.join("repodata/repomd.xml"))?)?;
    let open = |kind: DataKind| -> Result<Option<Box<dyn std::io::BufRead>>> {
        let Some(data) = repomd.best(kind) else {
            return Ok(None);
        };
        let compression = match data.location.rsplit('.').next() {
            Some("gz") => Compression::Gzip,
            Some("xz") => Compression::Xz,
            Some("zst") => Compression::Zstd,
            Some("bz2") => Compression::Bzip2,
            _ => Compression::None,
        };
        let file = BufReader::new(fs::File::open(path.join(&data.location))?);
        let plain = decoder(compression, file, Limits::default())?;
        Ok(Some(Box::new(BufReader::new(plain))))
    };
    let primary = open(DataKind::Primary)?.context("no primary metadata")?;
    let mut index = Index::read("primary.xml", primary, "x86_64")?;
    // dnf reads all paths; so that both know the same, every path that a relation names is looked up.
    let paths = RelationKind::ALL
        .into_iter()
        .flat_map(|kind| index.packages().flat_map(move |package| package.relations(kind)))
        .flat_map(|relation| relation.name.split([' ', '(', ')']))
        .filter(|word| word.starts_with('/'))
        .map(str::to_owned)
        .collect();
    if let Some(filelists) = open(DataKind::Filelists)? {
        let found = bareroot_rpm_repo::filelists::find("filelists.xml", filelists, &paths)?;
        let known: std::collections::HashSet<(String, String)> = index
            .packages()
            .flat_map(|package| {
                let digest = package.checksum().digest.to_owned();
                package
                    .files()
                    .map(move |(path, _)| (digest.clone(), path.to_owned()))
            })
            .collect();
        let new: Vec<_> = found.into_iter().filter(|pair| !known.contains(pair)).collect();
        index.add_files(new.iter().map(|(digest, path)| (digest.as_str(), path.as_str())));
    }
    let comps = open(DataKind::Group)?
        .map(|text| Comps::parse("comps.xml", text))
        .transpose()?;
    let modules = open(DataKind::Modules)?
        .map(|text| Modules::parse("modules.yaml", text))
        .transpose()?;
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
    Ok(Read {
        id: name.unwrap_or_else(|| "repo".to_owned()),
        path: path.to_owned(),
        index,
        comps,
        modules,
    })
}

/// Names, some provisions and paths, groups.
fn wishes(repos: &[Read]) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for repo in repos {
        for (number, package) in repo.index.packages().enumerate() {
            all.push(package.name().to_owned());
            if number % 10 == 0 {
                let provided = package
                    .relations(RelationKind::Provides)
                    .map(|relation| relation.name);
                all.extend(provided.take(1).map(str::to_owned));
                all.extend(package.files().map(|(path, _)| path.to_owned()).take(1));
            }
        }
        if let Some(comps) = &repo.comps {
            all.extend(comps.groups.iter().map(|group| format!("@{}", group.id)));
            all.extend(
                comps
                    .environments
                    .iter()
                    .map(|environment| format!("@{}", environment.id)),
            );
        }
    }
    all.sort();
    all.dedup();
    all
}
