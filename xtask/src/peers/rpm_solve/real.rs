//! The distribution that is built from Debian's packages, with all of its metadata.

use std::fs;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result};
use bareroot_archive::{Compression, Limits, decoder};
use bareroot_rpm_repo::comps::Comps;
use bareroot_rpm_repo::repomd::{DataKind, Repomd};
use bareroot_rpm_repo::{Index, RelationKind};
use bareroot_rpm_select::Repository;

use super::random::Random;
use super::{Args, Tally, ask, both, dnf, draw, named};

/// A repository that was read.
struct Read {
    id: String,
    path: PathBuf,
    index: Index,
    comps: Option<Comps>,
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
    let described: Vec<dnf::Repo> = repos
        .iter()
        .map(|repo| dnf::Repo {
            id: repo.id.clone(),
            path: repo.path.display().to_string(),
            options: serde_json::json!({}),
        })
        .collect();
    let answers = dnf::answers(&work.join("distro"), &described, &sets)?;
    let ids: Vec<String> = repos.iter().map(|repo| repo.id.clone()).collect();
    let comps: Vec<Comps> = repos.iter().filter_map(|repo| repo.comps.clone()).collect();
    let indexes: Vec<Index> = repos.into_iter().map(|repo| repo.index).collect();
    let ranks = vec![Repository::default(); indexes.len()];
    for (set, theirs) in sets.iter().zip(answers) {
        let began = Instant::now();
        let ours = ask(&indexes, &ranks, &comps, set);
        tally.times.push(began.elapsed());
        let ours = ours.map(|selection| named(&selection, &indexes, &|number| ids[number].clone()));
        tally.compare("distribution", set, &theirs, &ours);
    }
    Ok(())
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
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
    Ok(Read {
        id: name.unwrap_or_else(|| "repo".to_owned()),
        path: path.to_owned(),
        index,
        comps,
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
