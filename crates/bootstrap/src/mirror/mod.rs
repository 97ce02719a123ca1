//! Partial mirrors: the closure of a request with the signed files as their distribution made them, so that every client
//! verifies them with the distribution's own keys.
//!
//! ```text
//! plan -> stage (indexes, aside) -> solve (from those) -> fetch (packages) -> publish (indexes, each directory at once)
//! ```
//!
//! What is not whole or not yet to be seen lies in `.bareroot-mirror`. Packages are put in place first, and no file that the
//! old indexes name is taken away before the new ones are there: a run that is killed leaves the mirror as it was.

mod check;
mod client;
mod closure;
mod deb;
mod dir;
mod map;
mod packages;
mod paths;
mod prune;
mod record;
mod rpm;
mod unit;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use bareroot_fetch::Fetcher;
use bareroot_model::{Class, Classified as _, Event, Phase};

use crate::context::Context;
use crate::error::Error;
use crate::request::Request;
use crate::tools;
pub use check::check_mirror;
pub use client::{Partial, mapped, url_of};
use closure::{Indexes, Wanted};
use dir::{Dir, NEXT};
use map::Map;
use record::{Asked, Closure, Record};
use unit::Unit;

/// What a mirror is to get.
#[derive(Clone, Debug, Default)]
pub struct MirrorOrder {
    /// What is asked for; `None` brings up to date what the mirror has.
    pub request: Option<Request>,
    /// How: cache, transfers, waiting.
    pub how: Request,
    /// The architectures; none is the request's own.
    pub architectures: Vec<String>,
    /// Whether what nothing needs any more is removed.
    pub prune: bool,
}

/// What came of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MirrorReport {
    /// Packages of the closures that this run saw to, or checked.
    pub packages: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Packages that were fetched.
    pub fetched: usize,
    /// Their bytes.
    pub fetched_bytes: u64,
    /// Files that were removed.
    pub removed: usize,
}

/// Puts closures into a mirror, or brings those up to date that are in it.
///
/// # Errors
/// See [`Error`]; the mirror is as before then, but for packages that no index names yet.
pub fn mirror(order: &MirrorOrder, path: &Path, context: &Context) -> Result<MirrorReport, Error> {
    tools::raise_file_limit();
    let dir = Dir::write(path, context.cancel())?;
    let (map, record) = dir.records()?;
    if order.request.is_none() && record.closures.is_empty() {
        return Err(Error::NoMirrorHere {
            path: path.to_owned(),
        });
    }
    let mut run = Run {
        fetcher: tools::fetcher(&order.how, context)?,
        order,
        dir,
        map,
        record,
        context,
    };
    let report = run.go()?;
    run.dir.finish()?;
    context.note(format!(
        "{} of {} packages were fetched, {} bytes; {} files were removed",
        report.fetched, report.packages, report.fetched_bytes, report.removed
    ));
    context.tell(Event::Done {
        packages: report.packages,
        bytes: report.bytes,
        seconds: context.seconds(),
    });
    Ok(report)
}

/// A run in the middle.
struct Run<'a> {
    order: &'a MirrorOrder,
    dir: Dir,
    map: Map,
    record: Record,
    fetcher: Fetcher,
    context: &'a Context,
}

/// Directories of indexes that are laid out, and where their packages are.
#[derive(Default)]
struct Staged {
    units: BTreeMap<String, Unit>,
    /// The addresses of packages, by directory of indexes.
    addresses: BTreeMap<String, Vec<String>>,
}

impl Run<'_> {
    fn go(&mut self) -> Result<MirrorReport, Error> {
        let context = self.context;
        let wanted = context.phase(Phase::Plan, || self.plan())?;
        let staged = context.phase(Phase::Index, || self.stage(&wanted))?;
        let mut needs = packages::Needs::default();
        let mut closures = Vec::new();
        for wanted in &wanted {
            let closure =
                packages::closure(wanted, &self.dir, NEXT, &staged.addresses, &self.fetcher, context)?;
            closures.push(closure.record(wanted));
            needs.add(closure);
        }
        context.tell(Event::Planned {
            packages: needs.len(),
            bytes: needs.bytes(),
        });
        // What is going to be here is known before it is: a run that is killed leaves no file that nobody knows.
        self.record.packages.extend(needs.paths().cloned());
        staged
            .units
            .values()
            .for_each(|unit| unit.announce(&mut self.record));
        self.dir.keep_record(&self.record)?;
        let threads = tools::threads(&self.order.how);
        let mut report = context.phase(Phase::Fetch, || {
            needs.fetch(&self.dir, &self.fetcher, threads, context)
        })?;
        context.phase(Phase::Finish, || self.publish(&staged, closures))?;
        if self.order.prune {
            report.removed = prune::prune(&self.dir, &mut self.record)?;
            self.dir.keep_record(&self.record)?;
        }
        Ok(report)
    }

    /// What this run sees to: what was asked for, and every other closure with an index that changes with it.
    fn plan(&mut self) -> Result<Vec<Wanted>, Error> {
        let mut wanted = Vec::new();
        if let Some(request) = &self.order.request {
            let architectures: Vec<Option<String>> = match self.order.architectures.is_empty() {
                true => vec![request.arch.clone()],
                false => self.order.architectures.iter().cloned().map(Some).collect(),
            };
            for arch in architectures {
                let request = Request {
                    arch,
                    ..request.clone()
                };
                let plans = closure::plans(&request, self.context)?;
                let asked = Asked::of(&request, plans.0.arch());
                wanted.push(Wanted::new(asked, plans, &mut self.map));
            }
        }
        let mut others = Vec::new();
        for closure in &self.record.closures {
            if wanted.iter().any(|wanted| wanted.asked.is_same(&closure.asked)) {
                continue;
            }
            let request = closure.asked.request(&self.order.how);
            let planned = request.and_then(|request| closure::plans(&request, self.context));
            match planned {
                Ok(plans) => others.push(Wanted::new(closure.asked.clone(), plans, &mut self.map)),
                Err(error) if self.order.request.is_some() => {
                    let title = closure.asked.title();
                    self.context.warn(format!("{title} is left as it is: {error}"));
                }
                Err(error) => return Err(error),
            }
        }
        if self.order.request.is_none() {
            return Ok(others);
        }
        let mut changing: BTreeSet<String> = wanted.iter().flat_map(Wanted::directories).collect();
        while let Some(number) = others.iter().position(|other| {
            other
                .directories()
                .iter()
                .any(|directory| changing.contains(directory))
        }) {
            let other = others.remove(number);
            changing.extend(other.directories());
            wanted.push(other);
        }
        Ok(wanted)
    }

    /// Lays out every index that is wanted.
    fn stage(&self, wanted: &[Wanted]) -> Result<Staged, Error> {
        let mut staged = Staged::default();
        for (directory, indexes) in closure::merged(wanted) {
            self.context.cancel().check()?;
            let (unit, addresses) = match &indexes {
                Indexes::Suite(suite) => (
                    deb::stage(suite, &self.dir, &self.fetcher, self.context)?,
                    suite.source.addresses().to_vec(),
                ),
                Indexes::Repository(repository) => {
                    match rpm::stage(repository, &self.dir, &self.fetcher, self.context) {
                        // The solution goes without it, as a root's would.
                        Err(error)
                            if repository.repo.skip_if_unavailable && error.class() == Class::Network =>
                        {
                            continue;
                        }
                        result => result?,
                    }
                }
            };
            staged.addresses.insert(directory.clone(), addresses);
            staged.units.insert(directory, unit);
        }
        Ok(staged)
    }

    /// Puts the indexes in place, now that every package is there; then the record and the map.
    fn publish(&mut self, staged: &Staged, closures: Vec<Closure>) -> Result<(), Error> {
        self.context.cancel().check()?;
        self.dir.root().sync()?;
        for unit in staged.units.values() {
            unit.publish(&self.dir, &mut self.record)?;
        }
        for closure in closures {
            let known = self.record.closures.iter_mut();
            match { known }.find(|known| known.asked.is_same(&closure.asked)) {
                Some(known) => *known = closure,
                None => self.record.closures.push(closure),
            }
        }
        self.dir.keep_map(&self.map)?;
        self.dir.keep_record(&self.record)
    }
}
