//! Between an RPM solution and a lock, in both directions.
//!
//! A lock has everything that the later chapters take from metadata: where packages are and what they must be, the order of
//! repositories and of packages in them, groups and module streams with what package managers record of them. Keys are no
//! part of it: they are found as without it.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use bareroot_deb::release::format_date;
use bareroot_depot::lock::{self, Environment, Family, Group, Module, Repository, Root, Rpm};
use bareroot_fetch::{Fetcher, Location};
use bareroot_rpm_repo::comps::PackageType;
use bareroot_rpm_select::{EnabledModule, GroupPackage, Groups, InstalledEnvironment, InstalledGroup};
use bareroot_trust::Waiver;

use super::Chosen;
use super::arch;
use super::index::{self, IndexedRepo};
use super::plan::{self, Check, Keys, Named, Plan, PlannedRepo};
use super::solve::{LocalFiles, Pick, Solution};
use crate::context::Context;
use crate::error::Error;
use crate::lock::{Locked, checksum, expected, local_path, packages, recorded, same};
use crate::request::{Request, Variant};
use crate::tools;

/// The words of comps for the types of a group's packages.
const TYPES: &[(&str, PackageType)] = &[
    ("mandatory", PackageType::Mandatory),
    ("default", PackageType::Default),
    ("conditional", PackageType::Conditional),
    ("optional", PackageType::Optional),
];

/// A lock of what was chosen; `directory` is where it will lie.
///
/// # Errors
/// When a package has no digest.
pub fn root(plan: &Plan, chosen: &Chosen, directory: &Path) -> Result<Root, Error> {
    let sources: Vec<lock::Source> = plan
        .repos
        .iter()
        .zip(&chosen.repos)
        .map(|(repo, read)| source(repo, read))
        .collect();
    let dates = chosen.repos.iter().filter_map(|repo| repo.date);
    let epoch = dates.max().and_then(|date| i64::try_from(date).ok());
    let mut picks: Vec<&Pick> = chosen.solution.picks.iter().collect();
    picks.sort_by_key(|pick| place(pick));
    Ok(Root {
        arch: plan.arch.clone(),
        epoch,
        family: Family::Rpm(Rpm {
            releasever: plan.releasever.clone(),
            wishes: plan.wishes.clone(),
            local: plan.local.clone(),
            modules: modules(&chosen.solution),
            groups: groups(&chosen.solution),
            environments: environments(&chosen.solution),
        }),
        sources,
        packages: picks
            .into_iter()
            .map(|pick| package(pick, directory))
            .collect::<Result<_, _>>()?,
    })
}

/// By what the packages of a lock are sorted: the order of repositories, and of packages in them.
pub fn place(pick: &Pick) -> (bool, Option<usize>, usize) {
    (pick.repo.is_none(), pick.repo, pick.number)
}

fn source(repo: &PlannedRepo, read: &IndexedRepo) -> lock::Source {
    let time = |date: u64| UNIX_EPOCH.checked_add(Duration::from_secs(date));
    let waiver = read.repomd.waiver().map(|waiver| waiver.reason.clone());
    lock::Source {
        uris: recorded(&read.mirrors),
        index: "repomd.xml".to_owned(),
        sha256: read.sha256,
        date: read.date.and_then(time).map(format_date),
        // Where packages are signed, the metadata need not be: only what the user gave up is told.
        unsigned: waiver.filter(|_| repo.gpgcheck == Check::Waived),
        apt: None,
        repository: Some(Repository {
            id: repo.id.clone(),
            priority: repo.priority,
            cost: repo.cost,
            gpgcheck: repo.gpgcheck != Check::Off,
            of_release: repo.of_release,
            keys: match &repo.keys {
                Keys::At(urls) => urls
                    .iter()
                    .map(|url| bareroot_fetch::without_credentials(url))
                    .collect(),
                Keys::Known(_) => Vec::new(),
            },
        }),
    }
}

fn package(pick: &Pick, directory: &Path) -> Result<lock::Package, Error> {
    let package = &pick.package;
    let elsewhere = pick.repo.is_some() && package.source.is_none();
    Ok(lock::Package {
        name: package.name.clone(),
        version: package.version.clone(),
        arch: package.architecture.clone(),
        source: pick.repo,
        path: match pick.repo {
            Some(_) => pick.location.path.clone(),
            None => local_path(&package.path, directory),
        },
        base: pick
            .location
            .mirrors
            .first()
            .filter(|_| elsewhere)
            .map(|base| bareroot_fetch::without_credentials(base)),
        size: package.size,
        digest: checksum(&pick.expected)?,
        stage: 0,
        automatic: false,
        multi_arch_same: false,
        replaces: String::new(),
        reason: package.reason.clone(),
    })
}

fn modules(solution: &Solution) -> Vec<Module> {
    let of = |(name, module): (&String, &EnabledModule)| Module {
        name: name.clone(),
        stream: module.stream.clone(),
        profiles: module.profiles.clone(),
    };
    solution.modules.iter().map(of).collect()
}

fn groups(solution: &Solution) -> Vec<Group> {
    let member = |member: &GroupPackage| {
        let word = TYPES.iter().find(|(_, kind)| *kind == member.kind);
        (
            member.name.clone(),
            word.map_or("", |(word, _)| word).to_owned(),
            member.installed,
        )
    };
    let of = |(id, group): (&String, &InstalledGroup)| Group {
        id: id.clone(),
        name: group.name.clone(),
        by_user: group.by_user,
        members: group.packages.iter().map(member).collect(),
    };
    solution.groups.groups.iter().map(of).collect()
}

fn environments(solution: &Solution) -> Vec<Environment> {
    let of = |(id, environment): (&String, &InstalledEnvironment)| Environment {
        id: id.clone(),
        name: environment.name.clone(),
        groups: environment.groups.clone(),
    };
    solution.groups.environments.iter().map(of).collect()
}

/// The plan of a lock.
///
/// # Errors
/// When the release of its SPEC is not known, or a key cannot be read.
pub fn plan(locked: Locked, rpm: &Rpm, request: &Request) -> Result<Plan, Error> {
    let named = request.spec.as_deref().map(Named::parse).transpose()?;
    if named.is_none() && !request.mirrors.is_empty() {
        return Err(Error::NeedsSpec { option: "--mirror" });
    }
    let mut repos = Vec::new();
    for source in &locked.root.sources {
        if let Some(repository) = &source.repository {
            let addresses = addresses(source, repository, named.as_ref(), &locked.root, request)?;
            repos.push(planned(repository, addresses, named.as_ref(), request)?);
        }
    }
    Ok(Plan {
        repos,
        releasever: rpm.releasever.clone(),
        arch: locked.root.arch.clone(),
        wishes: rpm.wishes.clone(),
        platform: None,
        local_keys: match rpm.local.is_empty() {
            true => Arc::default(),
            false => plan::own_keys(request)?,
        },
        local: rpm.local.clone(),
        exclude: request.exclude.clone(),
        weak: request.recommends.unwrap_or(true),
        optional: request.with_optional,
        langs: request.langs.clone(),
        no_docs: request.no_docs,
        configure: request.variant != Variant::Extract,
        backend: request.rpmdb_backend,
        usual_backend: named.map(|named| named.release.database.backend),
        epoch: tools::source_date_epoch()?.or(locked.root.epoch),
        lock: Some(locked),
    })
}

/// Where packages of a repository are: where it is below the addresses of `--mirror`, then where the lock says.
fn addresses(
    source: &lock::Source,
    repository: &Repository,
    named: Option<&Named>,
    root: &Root,
    request: &Request,
) -> Result<Vec<String>, Error> {
    let mut all = match named.filter(|_| repository.of_release) {
        Some(named) => {
            let variables = named.variables(request, &root.arch);
            named.below(&repository.id, &request.mirrors, &variables)?
        }
        None => Vec::new(),
    };
    for uri in &source.uris {
        if !all.iter().any(|own| same(own, uri)) {
            all.push(uri.clone());
        }
    }
    Ok(all)
}

fn planned(
    repository: &Repository,
    addresses: Vec<String>,
    named: Option<&Named>,
    request: &Request,
) -> Result<PlannedRepo, Error> {
    let keys = match (
        named.filter(|_| repository.of_release),
        request.keyrings.is_empty(),
    ) {
        (_, false) => Keys::Known(plan::own_keys(request)?),
        (Some(named), true) => Keys::Known(named.keyring()?),
        (None, true) if repository.keys.is_empty() => Keys::Known(plan::own_keys(request)?),
        (None, true) => Keys::At(repository.keys.clone()),
    };
    Ok(PlannedRepo {
        known_as: addresses.clone(),
        id: repository.id.clone(),
        // A partial mirror has a place for each repository.
        base_urls: {
            let mut all = request.partial.repository(&addresses, &repository.id);
            all.extend(addresses);
            all
        },
        mirror_list: None,
        metalink: None,
        keys,
        gpgcheck: match (repository.gpgcheck, request.waivers.signature) {
            (false, _) => Check::Off,
            (true, true) => Check::Waived,
            (true, false) => Check::Enforced,
        },
        repo_gpgcheck: Check::Off,
        older: Check::Enforced,
        weak_keys: request.waivers.weak_keys.clone(),
        priority: repository.priority,
        cost: repository.cost,
        excludes: Vec::new(),
        includes: Vec::new(),
        module_hotfixes: false,
        skip_if_unavailable: false,
        of_release: repository.of_release,
    })
}

/// What a lock has chosen.
///
/// # Errors
/// When a key cannot be had, or a file that the user had named is not what it was when the lock was made.
pub fn chosen(plan: &Plan, locked: &Locked, fetcher: &Fetcher, context: &Context) -> Result<Chosen, Error> {
    let root = &locked.root;
    let mut repos = Vec::new();
    for (number, (repo, source)) in plan.repos.iter().zip(&root.sources).enumerate() {
        let used = root.packages.iter().any(|package| package.source == Some(number));
        let keyring = match used {
            true => index::keyring(repo, fetcher, context)?,
            false => Arc::default(),
        };
        let waiver = source.unsigned.clone().map(Waiver::new);
        repos.push(IndexedRepo::locked(repo.base_urls.clone(), keyring, waiver));
    }
    let place = |path: &str| match path.contains("://") {
        true => path.to_owned(),
        false => locked.local(path).display().to_string(),
    };
    let files = root.packages.iter().filter(|package| package.source.is_none());
    let files: Vec<String> = files.map(|package| place(&package.path)).collect();
    let local = LocalFiles::open(&files, &plan.arch, fetcher)?;
    let mut picks = Vec::with_capacity(root.packages.len());
    for (number, (package, own)) in packages(root).zip(&root.packages).enumerate() {
        let mut package = package;
        if own.source.is_none() {
            package.path = place(&own.path);
            let found = local.blob(&package.path)?.get().sha256();
            if own.digest != lock::Checksum::Sha256(found) {
                return Err(Error::LockedFile {
                    path: package.path,
                    lock: locked.path.clone(),
                    found: found.to_string(),
                    expected: package
                        .sha256
                        .map_or_else(String::new, |digest| digest.to_string()),
                });
            }
        }
        let mirrors = match (&own.base, own.source.and_then(|source| plan.repos.get(source))) {
            (Some(base), _) => vec![base.clone()],
            (None, Some(repo)) => repo.base_urls.clone(),
            (None, None) => Vec::new(),
        };
        picks.push(Pick {
            expected: expected(&own.digest, own.size)?,
            location: Location::new(mirrors, own.path.clone()),
            package,
            repo: own.source,
            number,
        });
    }
    picks.sort_by(|one, other| one.package.name.cmp(&other.package.name));
    let (groups, environments, modules) = match &root.family {
        Family::Rpm(rpm) => (&rpm.groups[..], &rpm.environments[..], &rpm.modules[..]),
        Family::Deb(_) => (&[][..], &[][..], &[][..]),
    };
    Ok(Chosen {
        repos,
        local,
        solution: Solution {
            picks,
            relations: Vec::new(),
            groups: Groups {
                groups: groups
                    .iter()
                    .map(|group| installed(group, locked))
                    .collect::<Result<_, _>>()?,
                environments: environments
                    .iter()
                    .map(|environment| {
                        let installed = InstalledEnvironment {
                            name: environment.name.clone(),
                            groups: environment.groups.clone(),
                        };
                        (environment.id.clone(), installed)
                    })
                    .collect(),
            },
            modules: modules
                .iter()
                .map(|module| {
                    let enabled = EnabledModule {
                        stream: module.stream.clone(),
                        profiles: module.profiles.clone(),
                    };
                    (module.name.clone(), enabled)
                })
                .collect(),
        },
    })
}

fn installed(group: &Group, locked: &Locked) -> Result<(String, InstalledGroup), Error> {
    let member = |(name, word, installed): &(String, String, bool)| {
        let kind = TYPES.iter().find(|(known, _)| known == word);
        let (_, kind) = kind.ok_or_else(|| bareroot_depot::Error::Malformed {
            path: locked.path.display().to_string(),
            reason: format!("the group {} has {name} as `{word}`", group.id),
        })?;
        Ok(GroupPackage {
            name: name.clone(),
            kind: *kind,
            requires: None,
            basearch_only: false,
            installed: *installed,
        })
    };
    let packages = group.members.iter().map(member).collect::<Result<_, Error>>()?;
    Ok((
        group.id.clone(),
        InstalledGroup {
            name: group.name.clone(),
            by_user: group.by_user,
            packages,
        },
    ))
}

/// The architecture that a request means.
///
/// # Errors
/// When it cannot be made on this host.
pub fn arch_of(request: &Request) -> Result<String, Error> {
    arch::target(request.arch.as_deref())
}
