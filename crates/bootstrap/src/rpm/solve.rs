//! Chapter three: the packages are chosen, as dnf chooses them.

mod local;

use std::collections::{BTreeMap, HashSet};

use bareroot_fetch::{Fetcher, Location};
use bareroot_model::{Digest, Package, Reason};
use bareroot_rpm_repo::repomd::{Digests, expected};
use bareroot_rpm_repo::{Index, comps::Comps, modules::Modules};
use bareroot_rpm_select::{self as select, Repository, Selection, Universe, Why, Wishes};
use bareroot_trust::Expected;

use super::index::{self, IndexedRepo};
use super::plan::Plan;
use crate::context::Context;
use crate::error::Error;
use crate::lock::Relations;
pub use local::{LocalFiles, is_file};

/// A package of the solution.
#[derive(Clone, Debug)]
pub struct Pick {
    /// What it is and where it comes from.
    pub package: Package,
    /// What its archive must be.
    pub expected: Expected,
    /// Where its archive is.
    pub location: Location,
    /// Its repository's place in the plan; `None` for a file that the user named.
    pub repo: Option<usize>,
    /// Its place in its repository's metadata.
    pub number: usize,
}

/// The packages, by name.
#[derive(Clone, Debug, Default)]
pub struct Solution {
    /// The packages.
    pub picks: Vec<Pick>,
    /// The groups and environments that were wished.
    pub groups: select::Groups,
    /// The modules whose streams are enabled, by name.
    pub modules: BTreeMap<String, select::EnabledModule>,
    /// What each pick wants of others, where that was asked for.
    pub relations: Vec<Relations>,
}

impl Solution {
    /// Bytes of all archives.
    pub fn bytes(&self) -> u64 {
        self.picks.iter().map(|pick| pick.package.size).sum()
    }
}

/// Chooses; what each package wants of others is told where `with_relations` asks for it. The lists of all files are fetched where a path is asked for that no other metadata knows.
///
/// # Errors
/// When a wish is unknown, or the wishes cannot be met together.
pub fn solve(
    plan: &Plan,
    repos: &mut [IndexedRepo],
    local: &LocalFiles,
    with_relations: bool,
    fetcher: &Fetcher,
    context: &Context,
) -> Result<Solution, Error> {
    let mut indexes: Vec<Index> = repos
        .iter_mut()
        .map(|repo| std::mem::take(&mut repo.index))
        .collect();
    indexes.push(local.index()?);
    let mut repositories: Vec<Repository> = plan
        .repos
        .iter()
        .map(|repo| Repository {
            priority: repo.priority,
            cost: repo.cost,
            excludes: repo.excludes.clone(),
            includes: repo.includes.clone(),
            module_hotfixes: repo.module_hotfixes,
            command_line: false,
        })
        .collect();
    repositories.push(Repository::of_command_line());
    let comps: Vec<&Comps> = repos.iter().filter_map(|repo| repo.comps.as_ref()).collect();
    let modules: Vec<(usize, &Modules)> = repos
        .iter()
        .enumerate()
        .filter_map(|(number, repo)| Some((number, repo.modules.as_ref()?)))
        .collect();
    let mut complete = false;
    let selection = loop {
        match choose(plan, &indexes, &repositories, comps.clone(), &modules, complete) {
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
    let mut picks = Vec::with_capacity(selection.picks.len());
    let mut relations = Vec::new();
    for pick in &selection.picks {
        let Some(package) = indexes
            .get(pick.index)
            .and_then(|index| index.package(pick.package))
        else {
            continue;
        };
        picks.push(picked(plan, repos, pick, &package)?);
        if with_relations {
            relations.push(Relations::rpm(&package));
        }
    }
    Ok(Solution {
        picks,
        relations,
        groups: selection.groups,
        modules: selection.modules,
    })
}

fn choose(
    plan: &Plan,
    indexes: &[Index],
    repositories: &[Repository],
    comps: Vec<&Comps>,
    modules: &[(usize, &Modules)],
    complete: bool,
) -> Result<Selection, select::Error> {
    let universe = Universe::new(indexes, repositories, comps, &plan.arch, &plan.exclude).with_modules(
        modules,
        &plan.wishes,
        plan.platform.as_deref(),
    )?;
    let universe = match complete {
        true => universe.with_all_files(),
        false => universe,
    };
    let wishes = Wishes {
        words: plan.wishes.clone(),
        whole: vec![plan.repos.len()],
        optional: plan.optional,
    };
    select::select(&universe, &wishes, &select::Settings { weak: plan.weak })
}

/// A repository of the network has no business with files of this host.
fn check_base(base: &str, id: &str, repo: &IndexedRepo) -> Result<(), Error> {
    let is_remote = |url: &str| url.starts_with("http://") || url.starts_with("https://");
    if is_remote(base) || !repo.mirrors.iter().any(|mirror| is_remote(mirror)) {
        return Ok(());
    }
    Err(Error::RpmRepo(bareroot_rpm_repo::Error::Malformed {
        name: format!("primary metadata of {id}"),
        position: 0,
        reason: format!("it says that a package is at `{base}`, which is no place on the network"),
    }))
}

fn picked(
    plan: &Plan,
    repos: &[IndexedRepo],
    pick: &select::Pick,
    package: &bareroot_rpm_repo::Package<'_>,
) -> Result<Pick, Error> {
    let repo = Some(pick.index).filter(|repo| *repo < plan.repos.len());
    let checksum = package.checksum();
    let digests = repo.map_or(Digests::Strong, |repo| repos[repo].digests);
    let expected =
        expected(checksum.kind, checksum.digest, Some(package.size()), digests).ok_or_else(|| {
            bareroot_rpm_repo::Error::WeakDigest {
                name: repo
                    .map_or("@commandline", |repo| &plan.repos[repo].id)
                    .to_owned(),
                location: package.location().to_owned(),
                kind: checksum.kind.to_owned(),
            }
        })?;
    if let (Some(base), Some(repo)) = (package.base(), repo) {
        check_base(base, &plan.repos[repo].id, &repos[repo])?;
    }
    let (mirrors, source) = match (package.base(), repo) {
        (Some(base), Some(_)) => (vec![base.trim_end_matches('/').to_owned()], None),
        (_, Some(repo)) => (repos[repo].mirrors.clone(), Some(repo)),
        (_, None) => (Vec::new(), None),
    };
    let path = match (package.base(), source) {
        (Some(base), None) => format!("{}/{}", base.trim_end_matches('/'), package.location()),
        _ => package.location().to_owned(),
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
            path,
            source,
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
        repo,
        number: pick.package,
    })
}
