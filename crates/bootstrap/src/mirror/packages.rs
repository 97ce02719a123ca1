//! The packages of closures: which they are, and how they come into the mirror.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use bareroot_enter::confine;
use bareroot_fetch::{Fetcher, Location, Request};
use bareroot_trust::{Blob, Expected, Trusted};

use super::MirrorReport;
use super::client::below;
use super::closure::{Wanted, set};
use super::dir::{Dir, Fault};
use super::record;
use crate::context::Context;
use crate::error::Error;
use crate::plan::Plan;
use crate::rpm::Chosen;
use crate::rpm::solve::Pick;
use crate::{deb, rpm, threads};

/// A package that a mirror needs.
pub struct Need {
    /// Where it is below the mirror.
    pub path: String,
    /// Where it comes from.
    location: Location,
    /// What it must be.
    expected: Trusted<Expected>,
    label: String,
    signature: Option<Signature>,
}

/// What a package's own signature is judged by, beside the digest in its index.
struct Signature {
    plan: Arc<rpm::Plan>,
    chosen: Arc<Chosen>,
    pick: Pick,
}

/// The packages of one request.
pub struct Closure(Vec<Need>);

impl Closure {
    /// As the record has it.
    pub fn record(&self, wanted: &Wanted) -> record::Closure {
        record::Closure {
            asked: wanted.asked.clone(),
            indexes: set(wanted.directories()),
            packages: self.0.iter().map(|need| need.path.clone()).collect(),
        }
    }
}

/// Chooses the packages of a request from the indexes below `base`: what is laid out, or the mirror itself. `addresses` are
/// those of packages, by directory of indexes.
///
/// # Errors
/// When the packages cannot be had together, or one of them has a path that is none below a mirror.
pub fn closure(
    wanted: &Wanted,
    dir: &Dir,
    base: &str,
    addresses: &BTreeMap<String, Vec<String>>,
    fetcher: &Fetcher,
    context: &Context,
) -> Result<Closure, Error> {
    let directories = wanted.directories();
    let of_lock = wanted.of_lock();
    // Of a lock, what a source is in the plan.
    let planned = |number: usize| match &wanted.locked {
        Some(_) => of_lock
            .get(number)
            .copied()
            .flatten()
            .ok_or_else(|| Error::NotInMirror {
                mirror: dir.shown(""),
                what: format!("source number {} of the lock", number + 1),
            }),
        None => Ok(number),
    };
    let plan = match &wanted.locked {
        Some(locked) => locked.clone(),
        None => wanted.plan_at(dir, base),
    };
    let address = |number: usize| {
        let directory = directories.get(number).map_or("", String::as_str);
        addresses.get(directory).cloned().unwrap_or_default()
    };
    let place = |number: usize| wanted.places.get(number).map_or("", String::as_str);
    let source_name = |number: usize| directories.get(number).map_or("", String::as_str);
    match plan {
        Plan::Deb(plan) => {
            let need = |listed: deb::Listed| {
                let source = planned(listed.source)?;
                let path = below(place(source), &listed.path, source_name(source))?;
                Ok(Need {
                    path,
                    location: Location::new(address(source), listed.path),
                    expected: listed.expected,
                    label: listed.label,
                    signature: None,
                })
            };
            let listed = deb::listed(&plan, fetcher, context)?;
            Ok(Closure(
                listed.into_iter().map(need).collect::<Result<_, Error>>()?,
            ))
        }
        Plan::Rpm(plan) => {
            let chosen = Arc::new(Chosen::new(&plan, fetcher, context)?);
            let plan = Arc::new(plan);
            let mut needs = Vec::new();
            for pick in &chosen.solution.picks {
                let (Some(repo), Some(expected)) = (pick.repo, chosen.expected(pick)) else {
                    continue;
                };
                let repo = planned(repo)?;
                // Only what is below its repository's own address is looked for there.
                let location = match pick.package.source {
                    Some(_) => Location::new(address(repo), pick.location.path.clone()),
                    None => pick.location.clone(),
                };
                needs.push(Need {
                    path: below(place(repo), &pick.location.path, source_name(repo))?,
                    location,
                    expected,
                    label: format!("{}-{}", pick.package.name, pick.package.version),
                    signature: Some(Signature {
                        plan: Arc::clone(&plan),
                        chosen: Arc::clone(&chosen),
                        pick: pick.clone(),
                    }),
                });
            }
            Ok(Closure(needs))
        }
    }
}

impl Need {
    /// Whether the package's own signature is as it must be.
    ///
    /// # Errors
    /// When it is not.
    pub fn judge(&self, blob: &Blob, context: &Context) -> Result<(), Error> {
        match &self.signature {
            Some(signature) => confine::parse(|| {
                signature
                    .chosen
                    .judge(&signature.plan, &signature.pick, blob, context)
            }),
            None => Ok(()),
        }
    }
}

/// The packages of all closures, each once.
#[derive(Default)]
pub struct Needs(BTreeMap<String, Need>);

impl Needs {
    /// Adds those of a closure.
    pub fn add(&mut self, closure: Closure) {
        for need in closure.0 {
            self.0.entry(need.path.clone()).or_insert(need);
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Their bytes, as far as indexes say.
    pub fn bytes(&self) -> u64 {
        self.0.values().filter_map(|need| need.expected.size()).sum()
    }

    /// Where they are below the mirror.
    pub fn paths(&self) -> impl Iterator<Item = &String> {
        self.0.keys()
    }

    /// Holds every package against its index and its signature; what is wrong, by path.
    ///
    /// # Errors
    /// When the run is to stop.
    pub fn judge(&self, dir: &Dir, threads: usize, context: &Context) -> Result<Vec<(&Need, Fault)>, Error> {
        let needs: Vec<&Need> = self.0.values().collect();
        let next = AtomicUsize::new(0);
        let found = Mutex::new(Vec::new());
        let work = || -> Result<(), Error> {
            while let Some(need) = needs.get(next.fetch_add(1, Ordering::Relaxed)) {
                let fault = match dir.judge(&need.path, &need.expected)? {
                    Err(fault) => Some(fault),
                    Ok(blob) => match need.judge(&blob, context) {
                        Ok(()) => None,
                        Err(Error::Cancelled(cancelled)) => return Err(cancelled.into()),
                        Err(error) => Some(Fault::Wrong(error.to_string())),
                    },
                };
                if let Some(fault) = fault {
                    found
                        .lock()
                        .unwrap_or_else(|poisoned| poisoned.into_inner())
                        .push((*need, fault));
                }
            }
            Ok(())
        };
        threads::on_all(threads, "judge", work)?;
        let mut found = found
            .into_inner()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        found.sort_by(|(one, _), (other, _)| one.path.cmp(&other.path));
        Ok(found)
    }

    /// Fetches what is not there, or not as it must be.
    ///
    /// # Errors
    /// The first error of any package.
    pub fn fetch(
        &self,
        dir: &Dir,
        fetcher: &Fetcher,
        threads: usize,
        context: &Context,
    ) -> Result<MirrorReport, Error> {
        let missing = self.judge(dir, threads, context)?;
        let mut fetched_bytes = 0;
        for (need, fault) in &missing {
            fetched_bytes += need.expected.size().unwrap_or_default();
            if let Fault::Wrong(reason) = fault {
                context.note(format!("{} is fetched again: {reason}", dir.shown(&need.path)));
            }
        }
        let requests: Vec<Request> = missing
            .iter()
            .map(|(need, _)| Request {
                location: need.location.clone(),
                expected: need.expected.clone(),
                label: need.label.clone(),
            })
            .collect();
        let failure = Mutex::new(None);
        let done = fetcher.all(&requests, |number, result| {
            let kept = result.map_err(Error::from).and_then(|blob| {
                let Some((need, _)) = missing.get(number) else {
                    return Ok(());
                };
                need.judge(blob.get(), context)?;
                dir.keep(blob.get(), &need.path)
            });
            match kept {
                Ok(()) => ControlFlow::Continue(()),
                Err(error) => {
                    let mut failure = failure.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
                    failure.get_or_insert(error);
                    ControlFlow::Break(())
                }
            }
        });
        context.cancel().check()?;
        if let Some(error) = failure
            .into_inner()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
        {
            return Err(error);
        }
        done?;
        Ok(MirrorReport {
            packages: self.len(),
            bytes: self.bytes(),
            fetched: missing.len(),
            fetched_bytes,
            removed: 0,
        })
    }
}
