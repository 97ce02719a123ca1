//! Chapter three: the packages are chosen, as dnf chooses them.

use std::collections::HashSet;

use bareroot_fetch::{Fetcher, Location};
use bareroot_model::{Digest, Package, Reason};
use bareroot_rpm_repo::repomd::expected;
use bareroot_rpm_repo::{Index, comps::Comps};
use bareroot_rpm_select::{self as select, Repository, Selection, Universe, Why, Wishes};
use bareroot_trust::Expected;

use super::index::{self, IndexedRepo};
use super::plan::Plan;
use crate::context::Context;
use crate::error::Error;

/// A package of the solution.
#[derive(Clone, Debug)]
pub struct Pick {
    /// What it is and where it comes from.
    pub package: Package,
    /// What its archive must be.
    pub expected: Expected,
    /// Where its archive is.
    pub location: Location,
    /// Its repository's place in the plan.
    pub repo: usize,
    /// Its place in its repository's metadata.
    pub number: usize,
}

/// The packages, by name.
#[derive(Clone, Debug, Default)]
pub struct Solution {
    /// The packages.
    pub picks: Vec<Pick>,
}

impl Solution {
    /// Bytes of all archives.
    pub fn bytes(&self) -> u64 {
        self.picks.iter().map(|pick| pick.package.size).sum()
    }
}

/// Chooses. The lists of all files are fetched where a path is asked for that no other metadata knows.
///
/// # Errors
/// When a wish is unknown, or the wishes cannot be met together.
pub fn solve(
    plan: &Plan,
    repos: &mut [IndexedRepo],
    fetcher: &Fetcher,
    context: &Context,
) -> Result<Solution, Error> {
    let mut indexes: Vec<Index> = repos
        .iter_mut()
        .map(|repo| std::mem::take(&mut repo.index))
        .collect();
    let repositories: Vec<Repository> = plan
        .repos
        .iter()
        .map(|repo| Repository {
            priority: repo.priority,
            cost: repo.cost,
            excludes: repo.excludes.clone(),
            includes: repo.includes.clone(),
        })
        .collect();
    let comps: Vec<&Comps> = repos.iter().filter_map(|repo| repo.comps.as_ref()).collect();
    let mut complete = false;
    let selection = loop {
        match choose(plan, &indexes, &repositories, comps.clone(), complete) {
            Err(select::Error::NeedsFilelists { paths }) if !complete => {
                context.note(format!(
                    "looking for {} in the lists of all files",
                    paths.join(", ")
                ));
                let paths: HashSet<String> = paths.into_iter().collect();
                for (number, repo) in repos.iter().enumerate() {
                    let found = index::files(&plan.repos[number], repo, &paths, fetcher)?;
                    if let Some(index) = indexes.get_mut(number) {
                        index.add_files(
                            found
                                .iter()
                                .map(|(digest, path)| (digest.as_str(), path.as_str())),
                        );
                    }
                }
                complete = true;
            }
            result => break result?,
        }
    };
    let picks = selection
        .picks
        .iter()
        .filter_map(|pick| {
            let package = indexes.get(pick.index)?.package(pick.package)?;
            Some((pick, package))
        })
        .map(|(pick, package)| picked(plan, repos, pick, &package))
        .collect::<Result<_, _>>()?;
    Ok(Solution { picks })
}

fn choose(
    plan: &Plan,
    indexes: &[Index],
    repositories: &[Repository],
    comps: Vec<&Comps>,
    complete: bool,
) -> Result<Selection, select::Error> {
    let universe = Universe::new(indexes, repositories, comps, &plan.arch, &plan.exclude);
    let universe = match complete {
        true => universe.with_all_files(),
        false => universe,
    };
    let wishes = Wishes {
        words: plan.wishes.clone(),
        whole: Vec::new(),
        optional: plan.optional,
    };
    select::select(&universe, &wishes, &select::Settings { weak: plan.weak })
}

fn picked(
    plan: &Plan,
    repos: &[IndexedRepo],
    pick: &select::Pick,
    package: &bareroot_rpm_repo::Package<'_>,
) -> Result<Pick, Error> {
    let checksum = package.checksum();
    let digests = repos[pick.index].digests;
    let expected =
        expected(checksum.kind, checksum.digest, Some(package.size()), digests).ok_or_else(|| {
            bareroot_rpm_repo::Error::WeakDigest {
                name: plan.repos[pick.index].id.clone(),
                location: package.location().to_owned(),
                kind: checksum.kind.to_owned(),
            }
        })?;
    let mirrors = match package.base() {
        Some(base) => vec![base.trim_end_matches('/').to_owned()],
        None => repos[pick.index].mirrors.clone(),
    };
    let sha256: Option<Digest> = expected.sha256();
    Ok(Pick {
        package: Package {
            name: package.name().to_owned(),
            version: package.evr_text(),
            architecture: package.arch().to_owned(),
            size: package.size(),
            sha256,
            sha512: (checksum.kind == "sha512").then(|| checksum.digest.to_owned()),
            path: package.location().to_owned(),
            source: Some(pick.index),
            reason: match &pick.why {
                Why::User => Reason::Wished,
                Why::Group(id) => Reason::Variant {
                    rule: format!("group {id}"),
                },
                Why::Dependency { of, relation } => Reason::Dependency {
                    of: of.clone(),
                    kind: "Requires".to_owned(),
                    relation: relation.clone(),
                },
                Why::Weak { of, relation } => Reason::Dependency {
                    of: of.clone(),
                    kind: "Recommends".to_owned(),
                    relation: relation.clone(),
                },
            },
        },
        expected,
        location: Location::new(mirrors, package.location()),
        repo: pick.index,
        number: pick.package,
    })
}
