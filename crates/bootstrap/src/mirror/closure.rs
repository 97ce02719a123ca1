//! What a request needs of a mirror: suites and repositories, by their directories.

use std::collections::{BTreeMap, BTreeSet};

use super::deb::{self, Suite};
use super::dir::Dir;
use super::map::{Kind, Map, Origin};
use super::record::Asked;
use super::rpm::{self, Repository};
use crate::context::Context;
use crate::deb::plan::{Check, PlannedSource};
use crate::error::Error;
use crate::plan::Plan;
use crate::request::{LockUse, Request};
use crate::rpm::plan::PlannedRepo;

/// A request whose closure is to be in the mirror.
pub struct Wanted {
    /// What was asked for.
    pub asked: Asked,
    /// What that means.
    pub plan: Plan,
    /// The packages of a lock in the place of those that the indexes would give.
    pub locked: Option<Plan>,
    /// The places of its sources or repositories below the mirror, in the plan's order.
    pub places: Vec<String>,
}

/// Indexes that are put in place as one.
pub enum Indexes {
    /// A suite.
    Suite(Box<Suite>),
    /// A repository.
    Repository(Box<Repository>),
}

/// What a request means: of one with a lock the sources as the request has them, with their keys, and the lock's own plan
/// for the packages.
///
/// # Errors
/// As [`Plan::new`].
pub fn plans(request: &Request, context: &Context) -> Result<(Plan, Option<Plan>), Error> {
    let locked = match &request.lock {
        LockUse::Only(_) => Some(Plan::new(request, context)?),
        LockUse::No | LockUse::IfFresh(_) => None,
    };
    let unlocked = Request {
        lock: LockUse::No,
        arch: locked
            .as_ref()
            .map(|plan| plan.arch().to_owned())
            .or_else(|| request.arch.clone()),
        ..request.clone()
    };
    Ok((Plan::new(&unlocked, context)?, locked))
}

impl Wanted {
    /// Finds a place for each source, and makes one where the map has none.
    pub fn new(asked: Asked, (plan, locked): (Plan, Option<Plan>), map: &mut Map) -> Wanted {
        let origins: Vec<Origin> = match &plan {
            Plan::Deb(plan) => plan
                .sources
                .iter()
                .map(|source| of_source(&asked, source))
                .collect(),
            Plan::Rpm(plan) => {
                let release = format!("{}-{}", plan.releasever.as_deref().unwrap_or_default(), plan.arch);
                let of = |repo| of_repo(&asked, repo, &release);
                plan.repos.iter().map(of).collect()
            }
        };
        let place = |origin: &Origin| {
            let number = map.place(origin);
            map.archives
                .get(number)
                .map_or_else(String::new, |archive| archive.place.clone())
        };
        let places = origins.iter().map(place).collect();
        Wanted {
            asked,
            plan,
            locked,
            places,
        }
    }

    /// The places in the plan of the sources or repositories of its lock, by suite or id.
    pub fn of_lock(&self) -> Vec<Option<usize>> {
        match (&self.plan, &self.locked) {
            (Plan::Deb(plan), Some(Plan::Deb(locked))) => {
                let place = |wanted: &PlannedSource| {
                    let mut sources = plan.sources.iter();
                    sources.position(|source| source.source.suite == wanted.source.suite)
                };
                locked.sources.iter().map(place).collect()
            }
            (Plan::Rpm(plan), Some(Plan::Rpm(locked))) => {
                let place = |wanted: &PlannedRepo| plan.repos.iter().position(|repo| repo.id == wanted.id);
                locked.repos.iter().map(place).collect()
            }
            _ => Vec::new(),
        }
    }

    /// The directories of its indexes, in the plan's order.
    pub fn directories(&self) -> Vec<String> {
        match &self.plan {
            Plan::Deb(plan) => (plan.sources.iter().zip(&self.places))
                .map(|(source, place)| deb::directory(place, &source.source.suite))
                .collect(),
            Plan::Rpm(plan) => (plan.repos.iter().zip(&self.places))
                .map(|(_, place)| super::paths::below(place, "repodata"))
                .collect(),
        }
    }

    /// What each of its directories is made of.
    pub fn indexes(&self) -> Vec<Indexes> {
        match &self.plan {
            Plan::Deb(plan) => {
                let root: Vec<String> = std::iter::once(&plan.arch)
                    .chain(&plan.foreign)
                    .cloned()
                    .collect();
                let suite = |(source, place): (&PlannedSource, &String)| {
                    Indexes::Suite(Box::new(Suite {
                        place: place.clone(),
                        source: source.clone(),
                        components: source.source.components.iter().cloned().collect(),
                        architectures: (source.source.architectures_of(&root).into_iter())
                            .map(|arch| arch.to_string())
                            .collect(),
                    }))
                };
                plan.sources.iter().zip(&self.places).map(suite).collect()
            }
            Plan::Rpm(plan) => (plan.repos.iter().zip(&self.places))
                .map(|(repo, place)| {
                    Indexes::Repository(Box::new(Repository {
                        place: place.clone(),
                        repo: repo.clone(),
                    }))
                })
                .collect(),
        }
    }

    /// The plan with everything read from a directory of the mirror, `.` or what is laid out aside.
    pub fn plan_at(&self, dir: &Dir, base: &str) -> Plan {
        let places = self.places.iter().map(|place| deb::below_base(base, place));
        match &self.plan {
            Plan::Deb(plan) => {
                let mut plan = plan.clone();
                for (source, place) in plan.sources.iter_mut().zip(places) {
                    *source = deb::at(source, dir, &place);
                    // How old a mirror may be is for those to say who use it; when indexes came, their dates were judged.
                    source.valid_until = Check::Waived;
                }
                Plan::Deb(plan)
            }
            Plan::Rpm(plan) => {
                let mut plan = plan.clone();
                for (repo, place) in plan.repos.iter_mut().zip(places) {
                    *repo = rpm::at(repo, dir, &place);
                }
                Plan::Rpm(plan)
            }
        }
    }
}

fn of_source(asked: &Asked, source: &PlannedSource) -> Origin {
    let addresses = source.source.uris.iter().chain(&source.known_as);
    origin(
        asked,
        addresses.cloned().collect(),
        Kind::Suite(source.source.suite.clone()),
    )
}

fn of_repo(asked: &Asked, repo: &PlannedRepo, release: &str) -> Origin {
    let lists = repo.metalink.iter().chain(&repo.mirror_list);
    let addresses = repo.base_urls.iter().chain(lists).chain(&repo.known_as);
    origin(
        asked,
        addresses.cloned().collect(),
        Kind::Repository(repo.id.clone(), release.to_owned()),
    )
}

fn origin(asked: &Asked, addresses: Vec<String>, kind: Kind) -> Origin {
    let distribution = match asked.distribution() {
        Some(distribution) => distribution.to_owned(),
        // Without a name, what comes from one host belongs together.
        None => {
            let first = addresses.first().map_or("", String::as_str);
            let first = bareroot_fetch::without_credentials(first);
            let rest = first.split_once("://").map_or("", |(_, rest)| rest);
            rest.split(['/', ':']).next().unwrap_or_default().to_owned()
        }
    };
    Origin {
        distribution,
        addresses,
        kind,
    }
}

/// All directories of indexes, each as all that want it need it.
pub fn merged(wanted: &[Wanted]) -> BTreeMap<String, Indexes> {
    let mut all: BTreeMap<String, Indexes> = BTreeMap::new();
    for wanted in wanted {
        for (directory, indexes) in wanted.directories().into_iter().zip(wanted.indexes()) {
            match (all.get_mut(&directory), indexes) {
                (Some(Indexes::Suite(known)), Indexes::Suite(more)) => {
                    known.components.extend(more.components);
                    known.architectures.extend(more.architectures);
                }
                (Some(_), _) => {}
                (None, indexes) => {
                    all.insert(directory, indexes);
                }
            }
        }
    }
    all
}

/// The directories as a set.
pub fn set(directories: Vec<String>) -> BTreeSet<String> {
    directories.into_iter().collect()
}
