//! The RPM family: roots of .repo files' repositories, with rpm's database and scriptlets.

pub mod arch;
mod configure;
mod finish;
pub mod index;
mod locked;
pub mod macros;
mod order;
mod owners;
pub mod plan;
mod prepare;
pub mod record;
pub mod second_stage;
pub mod solve;
mod unpack;
mod users;

use std::os::fd::AsFd;
use std::path::Path;

use bareroot_depot::lock::Root;
use bareroot_enter::binfmt::Arch;
use bareroot_enter::{Session, Spec};
use bareroot_fetch::Fetcher;
use bareroot_model::{Package, Phase};
use bareroot_rpm::Header;
use bareroot_trust::{Blob, Expected, Trusted};

use crate::context::Context;
use crate::emulation::Emulation;
use crate::error::Error;
use crate::lock::{Relations, upgraded};
use crate::request::HookKind;
use crate::story::{Ground, Grown};
use crate::tools;
use index::IndexedRepo;
pub use locked::{arch_of, plan as plan_of};
pub use plan::Plan;
use solve::{LocalFiles, Solution};
use unpack::Arrived;

/// The family's word, in a root that waits for its second stage.
pub const FAMILY: &str = "rpm";

/// Whether a SPEC is a release of the catalogue.
///
/// # Errors
/// When it is none.
pub fn check_spec(spec: &str) -> Result<(), Error> {
    plan::Named::parse(spec).map(|_| ())
}

/// What the first chapters found.
pub struct Chosen {
    repos: Vec<IndexedRepo>,
    local: LocalFiles,
    /// The packages.
    pub solution: Solution,
}

fn choose(plan: &Plan, fetcher: &Fetcher, context: &Context) -> Result<Chosen, Error> {
    choose_with(plan, false, fetcher, context)
}

fn choose_with(plan: &Plan, relations: bool, fetcher: &Fetcher, context: &Context) -> Result<Chosen, Error> {
    if let Some(lock) = &plan.lock {
        return locked::chosen(plan, lock, fetcher, context);
    }
    let mut repos = context.phase(Phase::Index, || index::index(plan, fetcher, context))?;
    let local = LocalFiles::open(&plan.local, &plan.arch, fetcher)?;
    let solution = context.phase(Phase::Solve, || {
        solve::solve(plan, &mut repos, &local, relations, fetcher, context)
    })?;
    Ok(Chosen {
        repos,
        local,
        solution,
    })
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
    let mut chosen = choose_with(plan, one.is_some(), fetcher, context)?;
    let fresh = locked::root(plan, &chosen, directory)?;
    let Some((old, name)) = one else { return Ok(fresh) };
    // As the packages of the lock are.
    let Solution { picks, relations, .. } = &mut chosen.solution;
    let relations = std::mem::take(relations);
    let mut sorted: Vec<_> = picks.iter().map(locked::place).zip(relations).collect();
    sorted.sort_by_key(|(place, _)| *place);
    let relations: Vec<Relations> = sorted.into_iter().map(|(_, relations)| relations).collect();
    upgraded(old, &fresh, &relations, name)
}

/// The packages of a plan, and a mirror of each of its repositories.
///
/// # Errors
/// When metadata cannot be had or trusted, or the packages cannot be had together.
pub fn resolve(
    plan: &Plan,
    fetcher: &Fetcher,
    context: &Context,
) -> Result<(Vec<Package>, Vec<String>), Error> {
    let Chosen { repos, solution, .. } = choose(plan, fetcher, context)?;
    Ok((
        solution.picks.into_iter().map(|pick| pick.package).collect(),
        repos
            .iter()
            .map(|repo| repo.mirrors.first().cloned().unwrap_or_default())
            .collect(),
    ))
}

impl Chosen {
    /// Reads the metadata and chooses.
    ///
    /// # Errors
    /// As [`resolve`].
    pub fn new(plan: &Plan, fetcher: &Fetcher, context: &Context) -> Result<Chosen, Error> {
        choose(plan, fetcher, context)
    }

    /// What a package of a repository must be.
    pub fn expected(&self, pick: &solve::Pick) -> Option<Trusted<Expected>> {
        let repo = self.repos.get(pick.repo?)?;
        Some(repo.vouch(&pick.expected))
    }

    /// Whether a package is what its repository says, and its signature what the plan wants.
    ///
    /// # Errors
    /// When it is not.
    pub fn judge(
        &self,
        plan: &Plan,
        pick: &solve::Pick,
        blob: &Blob,
        context: &Context,
    ) -> Result<(), Error> {
        let sources = unpack::Sources {
            plan,
            repos: &self.repos,
            local: &self.local,
        };
        unpack::judge(pick, blob, &sources, context)
    }
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
    let emulation = Emulation::find(Arch::of_rpm(&plan.arch), plan.configure, request, context)?;
    let fetcher = tools::fetcher(request, context)?;
    let Chosen {
        repos,
        local,
        solution,
    } = choose(plan, &fetcher, context)?;
    let grown = Grown {
        packages: solution.picks.len(),
        bytes: solution.bytes(),
    };
    ground.planned(&grown);
    let threads = tools::threads(request);
    let sources = unpack::Sources {
        plan,
        repos: &repos,
        local: &local,
    };
    let arrived = unpack::fetch(&solution, &sources, &fetcher, threads, context)?;
    let arrived = order::ordered(arrived, plan);
    context.phase(Phase::Prepare, || prepare::prepare(root, request, plan))?;
    let growth = Growth {
        plan,
        ground,
        emulation,
    };
    growth.run_hooks(HookKind::Setup)?;
    if plan.configure {
        context.phase(Phase::Prepare, || growth.before_files(&arrived))?;
    }
    let unpacked = growth.unpack(&arrived, threads, fetcher.cache())?;
    if plan.configure {
        context.phase(Phase::Record, || {
            record::record(root, plan, &repos, &solution, &arrived, &unpacked)
        })?;
    }
    growth.run_hooks(HookKind::Extract)?;
    if growth.waits() {
        context.phase(Phase::Configure, || {
            second_stage::write(root, plan, &headers(&arrived), &unpacked)
        })?;
        context.note(
            "scriptlets wait for `bareroot bootstrap --second-stage`, here or where the root's programs run: no script in the \
             root does what rpm does",
        );
    } else if plan.configure {
        context.phase(Phase::Configure, || growth.configure(&arrived, &unpacked))?;
    } else {
        owners::settle(root, &headers(&arrived), &unpacked, context)?;
    }
    growth.run_hooks(HookKind::Essential)?;
    growth.run_hooks(HookKind::Customize)?;
    context.phase(Phase::Finish, || match (growth.waits(), plan.epoch) {
        (false, epoch) => finish::finish(root, epoch),
        (true, Some(epoch)) => Ok(root.clamp_mtimes(epoch)?),
        (true, None) => Ok(()),
    })?;
    Ok(grown)
}

/// The packages' headers.
fn headers(arrived: &[Arrived]) -> Vec<&Header> {
    arrived.iter().map(|package| package.file.header()).collect()
}

/// What the later chapters have in common.
struct Growth<'a> {
    plan: &'a Plan,
    ground: &'a Ground<'a>,
    emulation: Emulation,
}

impl Growth<'_> {
    /// Everything that must be there before the payloads, then the payloads.
    fn unpack(
        &self,
        arrived: &[Arrived],
        threads: usize,
        cache: Option<&bareroot_fetch::Cache>,
    ) -> Result<unpack::Unpacked, Error> {
        let Ground { root, context, .. } = *self.ground;
        context.phase(Phase::Unpack, || {
            unpack::place(
                arrived,
                self.plan,
                root,
                &self.ground.request.filters,
                threads,
                cache,
                context,
            )
        })
    }

    /// What scriptlets do before there is any file.
    fn before_files(&self, arrived: &[Arrived]) -> Result<(), Error> {
        let headers = headers(arrived);
        let steps = configure::steps_before_files(&headers);
        if steps.steps.is_empty() {
            return Ok(());
        }
        let session = self.session_with(|spec| configure::lay_out(&steps, spec))?;
        configure::before_files(&steps, &headers, &session, self.plan.epoch, self.ground.context)?;
        Ok(session.close()?)
    }

    fn configure(&self, arrived: &[Arrived], unpacked: &unpack::Unpacked) -> Result<(), Error> {
        let Ground { root, context, .. } = *self.ground;
        let headers = headers(arrived);
        let steps = configure::steps(&headers, unpacked);
        let session = self.session_with(|spec| configure::lay_out(&steps, spec))?;
        let around = configure::Surroundings {
            root,
            session: &session,
            arch: &self.plan.arch,
            epoch: self.plan.epoch,
            progress: &configure::Progress::default(),
        };
        std::thread::scope(|scope| {
            // What was unpacked goes to the disk while the scriptlets run, where there can be a thread for it.
            drop(std::thread::Builder::new().spawn_scoped(scope, || root.sync()));
            configure::run(&steps, &headers, unpacked, &around, context)
        })?;
        Ok(session.close()?)
    }

    /// Whether the root is left to its second stage.
    fn waits(&self) -> bool {
        self.ground.request.foreign && self.plan.configure
    }

    /// Runs the hooks of a kind, where there are any, in a session of their own.
    fn run_hooks(&self, kind: HookKind) -> Result<(), Error> {
        self.ground.run_hooks(kind, || self.session_with(|_| {}))
    }

    /// The root with its namespaces and mounts.
    fn session_with(&self, prepare: impl FnOnce(&mut Spec<'_>)) -> Result<Session, Error> {
        let Ground {
            root,
            warden,
            context,
            ..
        } = *self.ground;
        context.cancel().check()?;
        let mut spec = Spec::new(root.as_fd(), root.path());
        spec.no_fsync = true;
        spec.ledger = root.ledger().cloned();
        self.emulation.arrange(&mut spec);
        prepare(&mut spec);
        let session = warden.enter(&spec)?;
        for note in session.notes() {
            context.note(note.clone());
        }
        Ok(session)
    }
}
