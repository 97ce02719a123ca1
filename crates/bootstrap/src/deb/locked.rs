//! Between a Debian solution and a lock, in both directions.

use std::path::Path;

use bareroot_deb::release::{Release, format_date};
use bareroot_deb::sources::{self, Source};
use bareroot_depot::lock::{self, Deb, Family, Root};
use bareroot_trust::{Expected, Trusted, Waiver};

use super::Chosen;
use super::plan::{Check, MergedUsr, Plan, PlannedSource, arch};
use super::solve::{LocalFiles, Pick, Solution};
use crate::error::Error;
use crate::lock::{Locked, checksum, expected, local_path, of_source, packages, recorded};
use crate::request::Request;
use crate::tools;

/// Where the trust in a package's digest comes from.
pub enum Vouching {
    /// Its source's Release file.
    Releases(Vec<Trusted<Release>>),
    /// A lock; for each source the waiver under which it was locked.
    Lock(Vec<Option<Waiver>>),
}

impl Vouching {
    /// What a package of a source must be.
    pub fn expected(&self, source: usize, expected: &Expected) -> Trusted<Expected> {
        match self {
            Vouching::Releases(releases) => releases[source].map(|_| expected.clone()),
            Vouching::Lock(waivers) => {
                Trusted::locked(expected.clone(), waivers.get(source).cloned().flatten())
            }
        }
    }
}

/// A lock of what was chosen; `directory` is where it will lie.
///
/// # Errors
/// When a source could not be read back as itself.
pub fn root(plan: &Plan, chosen: &Chosen, directory: &Path) -> Result<Root, Error> {
    let mut newest = None;
    let mut locked = Vec::new();
    for (planned, read) in plan.sources.iter().zip(&chosen.read) {
        newest = newest.max(read.date);
        let target = planned.for_target();
        locked.push(lock::Source {
            uris: recorded(&planned.source.uris),
            index: read.file.to_owned(),
            sha256: Some(read.sha256),
            date: read.date.map(format_date),
            unsigned: read.waiver.as_ref().map(|waiver| waiver.reason.clone()),
            apt: Some(sources::render(&[target])?),
            repository: None,
        });
    }
    let packages = chosen.solution.picks.iter().map(|pick| {
        let package = &pick.package;
        Ok(lock::Package {
            name: package.name.clone(),
            version: package.version.clone(),
            arch: package.architecture.clone(),
            source: package.source,
            path: match package.source {
                Some(_) => package.path.clone(),
                None => local_path(&package.path, directory),
            },
            base: None,
            size: package.size,
            digest: checksum(&pick.expected)?,
            stage: pick.stage,
            automatic: pick.automatic,
            multi_arch_same: pick.multi_arch_same,
            replaces: pick.replaces.clone(),
            reason: package.reason.clone(),
        })
    });
    Ok(Root {
        arch: plan.arch.clone(),
        epoch: newest.and_then(|time| {
            let since = time.duration_since(std::time::UNIX_EPOCH).ok()?;
            i64::try_from(since.as_secs()).ok()
        }),
        family: Family::Deb(Deb {
            foreign: plan.foreign.clone(),
            merged_usr: match plan.merged_usr {
                MergedUsr::Yes => Some(true),
                MergedUsr::No => Some(false),
                MergedUsr::ByPackages => None,
            },
        }),
        packages: packages.collect::<Result<_, Error>>()?,
        sources: locked,
    })
}

/// The plan of a lock.
///
/// # Errors
/// When a source of it makes no sense, or there is no snapshot service to ask.
pub fn plan(locked: Locked, deb: &Deb, request: &Request) -> Result<Plan, Error> {
    let root = &locked.root;
    let mut planned = Vec::new();
    for source in &root.sources {
        let own = parsed(source, &locked)?;
        planned.push(PlannedSource {
            addresses: Some(of_source(source, &own.suite, root, request)?),
            source: own,
            keyring: None,
            valid_until: Check::Enforced,
            signature: Check::Enforced,
            weak_keys: Vec::new(),
        });
    }
    let local = root.packages.iter().filter(|package| package.source.is_none());
    Ok(Plan {
        arch: root.arch.clone(),
        foreign: deb.foreign.clone(),
        base_suite: planned
            .first()
            .map_or_else(String::new, |first| first.source.suite.clone()),
        variant: request.variant,
        wishes: request.include.clone(),
        local: local.map(|package| locked.local(&package.path)).collect(),
        exclude: request.exclude.clone(),
        recommends: request.recommends.unwrap_or(false),
        merged_usr: match deb.merged_usr {
            _ if request.merged_usr => MergedUsr::Yes,
            Some(true) => MergedUsr::Yes,
            Some(false) => MergedUsr::No,
            None => MergedUsr::ByPackages,
        },
        epoch: tools::source_date_epoch()?.or(root.epoch),
        sources: planned,
        lock: Some(locked),
    })
}

/// A source as it stands in a lock.
fn parsed(source: &lock::Source, locked: &Locked) -> Result<Source, Error> {
    let name = locked.path.display().to_string();
    let text = source.apt.as_deref().unwrap_or_default();
    let mut stanzas = sources::parse_deb822(&name, text.as_bytes())?;
    match (stanzas.pop(), stanzas.is_empty()) {
        (Some(own), true) => Ok(own),
        _ => Err(Error::Depot(bareroot_depot::Error::Malformed {
            path: name,
            reason: format!("a source of it must be one suite at one address, and is `{text}`"),
        })),
    }
}

/// What a lock has chosen.
///
/// # Errors
/// When a file that the user had named is not what it was when the lock was made.
pub fn chosen(plan: &Plan, locked: &Locked) -> Result<Chosen, Error> {
    let local = LocalFiles::open(&plan.local)?;
    let mut picks = Vec::with_capacity(locked.root.packages.len());
    for (package, own) in packages(&locked.root).zip(&locked.root.packages) {
        let mut package = package;
        if package.source.is_none() {
            package.path = locked.local(&own.path).display().to_string();
            let blob = local.blob(&package.path)?.ok_or(Error::Worker("local files"))?;
            let found = lock::Checksum::Sha256(blob.get().sha256());
            if own.digest != found {
                return Err(Error::LockedFile {
                    path: package.path,
                    lock: locked.path.clone(),
                    found: blob.get().sha256().to_string(),
                    expected: package
                        .sha256
                        .map_or_else(String::new, |digest| digest.to_string()),
                });
            }
        }
        picks.push(Pick {
            expected: expected(&own.digest, own.size)?,
            package,
            stage: own.stage,
            automatic: own.automatic,
            replaces: own.replaces.clone(),
            multi_arch_same: own.multi_arch_same,
            relations: Default::default(),
        });
    }
    let waivers = locked
        .root
        .sources
        .iter()
        .map(|source| source.unsigned.clone().map(Waiver::new));
    Ok(Chosen {
        vouching: Vouching::Lock(waivers.collect()),
        read: Vec::new(),
        local,
        solution: Solution { picks },
    })
}

/// The architecture that a request means.
///
/// # Errors
/// When it cannot be made on this host.
pub fn arch_of(request: &Request) -> Result<String, Error> {
    arch::target(request.arch.as_deref())
}
