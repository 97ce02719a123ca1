//! The Debian family: dpkg's and apt's roots.

mod configure;
mod finish;
pub mod index;
mod locked;
pub mod plan;
mod prepare;
mod record;
pub mod second_stage;
mod solve;
mod unpack;

use std::os::fd::AsFd;
use std::path::Path;

use bareroot_deb::archive::Deb;
use bareroot_depot::lock::Root;
use bareroot_enter::binfmt::Arch;
use bareroot_enter::{Session, Spec};
use bareroot_fetch::Fetcher;
use bareroot_model::{Package, Phase};
use bareroot_trust::{Expected, Trusted};

use crate::context::Context;
use crate::emulation::Emulation;
use crate::error::Error;
use crate::hooks;
use crate::lock::{Relations, upgraded};
use crate::request::{HookKind, Request, Variant};
use crate::story::{Ground, Grown};
use crate::tools;
use configure::{RUN, StandIns, Surroundings, Unconfigured};
use index::ReadIndex;
use locked::Vouching;
pub use locked::{arch_of, plan as plan_of};
pub use plan::Plan;
use solve::{LocalFiles, Pick, Solution};
use unpack::Work;

/// The family's word, in a root that waits for its second stage.
pub const FAMILY: &str = "deb";

/// What the first chapters found.
struct Chosen {
    vouching: Vouching,
    read: Vec<ReadIndex>,
    local: LocalFiles,
    solution: Solution,
}

fn choose(plan: &Plan, fetcher: &Fetcher, context: &Context) -> Result<Chosen, Error> {
    if let Some(lock) = &plan.lock {
        return locked::chosen(plan, lock);
    }
    let sources = context.phase(Phase::Index, || index::index(plan, fetcher, context))?;
    let local = LocalFiles::open(&plan.local)?;
    let releases = sources.iter().map(|source| source.release.clone()).collect();
    let read = sources.iter().map(|source| source.read.clone()).collect();
    let solution = context.phase(Phase::Solve, || solve::solve(plan, sources, &local, context))?;
    Ok(Chosen {
        vouching: Vouching::Releases(releases),
        read,
        local,
        solution,
    })
}

/// The packages of a plan, and the mirror of each of its sources.
///
/// # Errors
/// When an index cannot be had or trusted, or the packages cannot be had together.
pub fn resolve(
    plan: &Plan,
    fetcher: &Fetcher,
    context: &Context,
) -> Result<(Vec<Package>, Vec<String>), Error> {
    let chosen = choose(plan, fetcher, context)?;
    let mirror = |source: &plan::PlannedSource| {
        let first = source.source.uris.first();
        first.map_or_else(String::new, |uri| uri.trim_end_matches('/').to_owned())
    };
    Ok((
        chosen
            .solution
            .picks
            .into_iter()
            .map(|pick| pick.package)
            .collect(),
        plan.sources.iter().map(mirror).collect(),
    ))
}

/// A package as its source's index has it.
pub struct Listed {
    /// Its source's place in the plan.
    pub source: usize,
    /// Its path below the source's address.
    pub path: String,
    /// What it must be.
    pub expected: Trusted<Expected>,
    /// Its name for messages.
    pub label: String,
}

/// The packages of a plan, but for files that the user named.
///
/// # Errors
/// As [`resolve`].
pub fn listed(plan: &Plan, fetcher: &Fetcher, context: &Context) -> Result<Vec<Listed>, Error> {
    let chosen = choose(plan, fetcher, context)?;
    let listed = |pick: &Pick| {
        let source = pick.package.source?;
        Some(Listed {
            source,
            path: pick.package.path.clone(),
            expected: chosen.vouching.expected(source, &pick.expected),
            label: format!("{} {}", pick.package.name, pick.package.version),
        })
    };
    Ok(chosen.solution.picks.iter().filter_map(listed).collect())
}

/// Locks the packages of a plan, for a lock in `directory`: all as they are chosen, or `one` of an older lock with what it
/// cannot do without.
///
/// # Errors
/// As [`resolve`]; where the older lock does not have the package.
pub fn lock(
    plan: &Plan,
    one: Option<(&Root, &str)>,
    directory: &Path,
    fetcher: &Fetcher,
    context: &Context,
) -> Result<Root, Error> {
    let chosen = choose(plan, fetcher, context)?;
    let fresh = locked::root(plan, &chosen, directory)?;
    let Some((old, name)) = one else { return Ok(fresh) };
    let relations: Vec<Relations> = chosen
        .solution
        .picks
        .iter()
        .map(|pick| {
            let solve::Fields {
                needs,
                breaks,
                provides,
            } = &pick.relations;
            Relations::deb(
                &needs.each_ref().map(String::as_str),
                &breaks.each_ref().map(String::as_str),
                provides,
            )
        })
        .collect();
    upgraded(old, &fresh, &relations, name)
}

/// Grows the root in its staging directory.
///
/// # Errors
/// See [`Error`].
pub fn grow(plan: &Plan, ground: &Ground<'_>) -> Result<Grown, Error> {
    let Ground {
        request,
        root,
        context,
        ..
    } = *ground;
    // First, as for a target that cannot be used.
    let emulation = Emulation::find(
        Arch::of_deb(&plan.arch),
        request.variant != Variant::Extract,
        request,
        context,
    )?;
    let fetcher = tools::fetcher(request, context)?;
    let chosen = choose(plan, &fetcher, context)?;
    let solution = &chosen.solution;
    let grown = Grown {
        packages: solution.picks.len(),
        bytes: solution.bytes(),
    };
    ground.planned(&grown);
    context.phase(Phase::Prepare, || {
        prepare::prepare(root, request, plan, solution, context)
    })?;
    let growth = Growth {
        plan,
        ground,
        emulation,
    };
    growth.run_hooks(HookKind::Setup)?;
    let work = Work {
        root,
        plan,
        vouching: &chosen.vouching,
        local: &chosen.local,
        fetcher: &fetcher,
        filters: &request.filters,
        threads: tools::threads(request),
    };
    for (number, pass) in passes(request, solution).iter().enumerate() {
        growth.pass(number, pass, solution, &work)?;
    }
    growth.run_hooks(HookKind::Customize)?;
    context.phase(Phase::Finish, || match (growth.waits(), plan.epoch) {
        (false, epoch) => finish::finish(root, epoch),
        (true, Some(epoch)) => finish::clamp(root, epoch),
        (true, None) => Ok(()),
    })?;
    Ok(grown)
}

/// All packages at once; only a hook between the essential ones and the rest makes two passes of it.
fn passes<'s>(request: &Request, solution: &'s Solution) -> Vec<Vec<&'s Pick>> {
    if !hooks::any(HookKind::Essential, &request.hooks) {
        return vec![solution.picks.iter().collect()];
    }
    let (first, rest) = solution.picks.iter().partition(|pick| pick.stage == 0);
    vec![first, rest]
}

/// What the passes have in common.
struct Growth<'a> {
    plan: &'a Plan,
    ground: &'a Ground<'a>,
    emulation: Emulation,
}

impl Growth<'_> {
    /// Unpacks, records and configures some packages.
    fn pass(
        &self,
        number: usize,
        picks: &[&Pick],
        solution: &Solution,
        work: &Work<'_>,
    ) -> Result<(), Error> {
        let context = self.ground.context;
        // Before it: a package may bring a file where the database is.
        let before = record::existing(self.ground.root)?;
        let unpacked = context.phase(Phase::Unpack, || unpack::unpack(picks, work, context))?;
        // extract: the payloads, and no trace of a package manager's work.
        if self.ground.request.variant == Variant::Extract {
            return self.run_hooks(HookKind::Extract);
        }
        let debs = context.phase(Phase::Record, || -> Result<_, Error> {
            let debs = record::record(self.ground.root, before, unpacked)?;
            record::mark_automatic(self.ground.root, self.plan, picks)?;
            Ok(debs)
        })?;
        if number == 0 {
            self.run_hooks(HookKind::Extract)?;
        }
        if !debs.is_empty() {
            context.phase(Phase::Configure, || self.configure(&debs, picks, solution))?;
        }
        if number == 0 {
            self.run_hooks(HookKind::Essential)?;
        }
        Ok(())
    }

    /// Whether the root is left to its second stage.
    fn waits(&self) -> bool {
        self.ground.request.foreign && self.ground.request.variant != Variant::Extract
    }

    /// Runs the hooks of a kind, where there are any, in a session of their own.
    fn run_hooks(&self, kind: HookKind) -> Result<(), Error> {
        self.ground.run_hooks(kind, || self.session(&StandIns::default()))
    }

    fn configure(&self, unpacked: &[Deb], picks: &[&Pick], solution: &Solution) -> Result<(), Error> {
        let dpkg_version = solution
            .version_of("dpkg")
            .ok_or(Error::NotConfigurable { missing: "dpkg" })?;
        let packages: Vec<Unconfigured<'_>> = (unpacked.iter().zip(picks))
            .map(|(deb, pick)| Unconfigured {
                control: &deb.control,
                info: &deb.info,
                stage: pick.stage,
            })
            .collect();
        let course = configure::course(&packages, dpkg_version);
        let Ground {
            root,
            request,
            context,
            ..
        } = *self.ground;
        if self.waits() {
            return second_stage::write(root, self.plan, &course, packages.len());
        }
        let scripts = (packages.iter().flat_map(|package| package.info))
            .filter(|file| RUN.contains(&file.name.as_str()))
            .map(|file| file.bytes.as_slice());
        let stand_ins = match request.no_standins {
            true => StandIns::default(),
            false => StandIns::choose(root, scripts, &self.emulation, context),
        };
        let session = self.session(&stand_ins)?;
        let around = Surroundings {
            root,
            session: &session,
            epoch: self.plan.epoch,
            stand_ins: &stand_ins,
            marks: None,
        };
        std::thread::scope(|scope| {
            // What was unpacked goes to the disk while the scripts run, so that the sync at the end finds little to do;
            // that one reports what this one may find. Without a thread for it there is more to do then.
            drop(std::thread::Builder::new().spawn_scoped(scope, || root.sync()));
            configure::configure(&course, 0, &around, context, &|_| Ok(()))
        })?;
        Ok(session.close()?)
    }

    /// The root with its namespaces and mounts.
    fn session(&self, stand_ins: &StandIns) -> Result<Session, Error> {
        self.ground.context.cancel().check()?;
        let mut spec = Spec::new(self.ground.root.as_fd(), self.ground.root.path());
        spec.no_fsync = true;
        spec.ledger = self.ground.root.ledger().cloned();
        self.emulation.arrange(&mut spec);
        stand_ins.prepare(self.ground.root, &mut spec)?;
        let session = self.ground.warden.enter(&spec)?;
        for note in session.notes() {
            self.ground.context.note(note.clone());
        }
        Ok(session)
    }
}
