//! From a request to a root.

use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use bareroot_enter::{Session, Spec, Warden};
use bareroot_model::{Event, Phase};
use bareroot_unpack::{Root, Staging};

use crate::configure::{StandIns, Surroundings, Unconfigured};
use crate::context::Context;
use crate::error::Error;
use crate::plan::{Plan, arch};
use crate::request::{HookKind, Request, Variant};
use crate::solve::{LocalFiles, Pick, Solution};
use crate::unpack::{InRoot, Work};
use crate::{configure, finish, hooks, index, prepare, record, solve, tools, unpack};

/// What was made.
#[derive(Clone, Debug)]
pub struct Report {
    /// The root.
    pub target: PathBuf,
    /// Packages in it.
    pub packages: usize,
    /// Bytes of their archives.
    pub bytes: u64,
}

/// Makes a root at `target`, which must not exist or be empty. On an error nothing is left of it.
///
/// # Errors
/// See [`Error`]; its class is the exit code.
pub fn bootstrap(
    request: &Request,
    target: &Path,
    warden: &Warden,
    context: &Context,
) -> Result<Report, Error> {
    tools::raise_file_limit();
    let plan = context.phase(Phase::Plan, || Plan::new(request, context))?;
    // First of all: a target that cannot be used should not cost a download.
    let staging = Staging::create(target)?;
    match grow(request, &plan, &staging, warden, context) {
        Ok(solution) => {
            context.phase(Phase::Finish, || -> Result<(), Error> {
                context.cancel().check()?;
                Ok(staging.commit()?)
            })?;
            let report = Report {
                target: target.to_owned(),
                packages: solution.picks.len(),
                bytes: solution.bytes(),
            };
            context.tell(Event::Done {
                packages: report.packages,
                bytes: report.bytes,
                seconds: context.seconds(),
            });
            Ok(report)
        }
        Err(error) => {
            if let Err(left) = staging.discard() {
                context.warn(format!("the unfinished root could not be removed: {left}"));
            }
            Err(error)
        }
    }
}

/// Grows the root in its staging directory.
fn grow(
    request: &Request,
    plan: &Plan,
    staging: &Staging,
    warden: &Warden,
    context: &Context,
) -> Result<Solution, Error> {
    let fetcher = tools::fetcher(request, context)?;
    let sources = context.phase(Phase::Index, || index::index(plan, &fetcher, context))?;
    let local = LocalFiles::open(&plan.local)?;
    let releases: Vec<_> = sources.iter().map(|source| source.release.clone()).collect();
    let solution = context.phase(Phase::Solve, || solve::solve(plan, sources, &local, context))?;
    context.tell(Event::Planned {
        packages: solution.picks.len(),
        bytes: solution.bytes(),
    });
    let root = staging.root();
    context.phase(Phase::Prepare, || {
        prepare::prepare(root, request, plan, &solution, context)
    })?;
    let growth = Growth {
        request,
        plan,
        root,
        warden,
        context,
    };
    growth.run_hooks(HookKind::Setup)?;
    let work = Work {
        root,
        plan,
        releases: &releases,
        local: &local,
        fetcher: &fetcher,
        filters: &request.filters,
        threads: tools::threads(request),
    };
    for (number, pass) in passes(request, &solution).iter().enumerate() {
        growth.pass(number, pass, &solution, &work)?;
    }
    growth.run_hooks(HookKind::Customize)?;
    context.phase(Phase::Finish, || finish::finish(root, plan))?;
    Ok(solution)
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
    request: &'a Request,
    plan: &'a Plan,
    root: &'a Root,
    warden: &'a Warden,
    context: &'a Context,
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
        let context = self.context;
        let unpacked = context.phase(Phase::Unpack, || unpack::unpack(picks, work, context))?;
        // extract: the payloads, and no trace of a package manager's work.
        if self.request.variant == Variant::Extract {
            return self.run_hooks(HookKind::Extract);
        }
        context.phase(Phase::Record, || -> Result<(), Error> {
            record::record(self.root, &unpacked)?;
            record::mark_automatic(self.root, self.plan, picks)
        })?;
        if number == 0 {
            self.run_hooks(HookKind::Extract)?;
        }
        if !unpacked.packages.is_empty() {
            context.phase(Phase::Configure, || {
                self.configure(&unpacked.packages, picks, solution)
            })?;
        }
        if number == 0 {
            self.run_hooks(HookKind::Essential)?;
        }
        Ok(())
    }

    /// Runs the hooks of a kind, where there are any, in a session of their own.
    fn run_hooks(&self, kind: HookKind) -> Result<(), Error> {
        if !hooks::any(kind, &self.request.hooks) {
            return Ok(());
        }
        let session = self.session(&StandIns::default())?;
        hooks::run(
            kind,
            &self.request.hooks,
            &session,
            self.root.path(),
            self.context,
        )?;
        Ok(session.close()?)
    }

    fn configure(&self, unpacked: &[InRoot], picks: &[&Pick], solution: &Solution) -> Result<(), Error> {
        let dpkg_version = solution
            .version_of("dpkg")
            .ok_or(Error::NotConfigurable { missing: "dpkg" })?;
        let packages: Vec<Unconfigured<'_>> = (unpacked.iter().zip(picks))
            .map(|(package, pick)| Unconfigured {
                control: &package.deb.control,
                info: &package.deb.info,
                stage: pick.stage,
            })
            .collect();
        let stand_ins = match self.request.no_standins {
            true => StandIns::default(),
            false => StandIns::choose(self.root, &packages, self.context),
        };
        let session = self.session(&stand_ins)?;
        let around = Surroundings {
            root: self.root,
            session: &session,
            epoch: self.plan.epoch,
            stand_ins: &stand_ins,
            dpkg_version,
        };
        std::thread::scope(|scope| {
            // What was unpacked goes to the disk while the scripts run, so that the sync at the end finds little to do;
            // that one reports what this one may find.
            scope.spawn(|| self.root.sync());
            configure::configure(&packages, &around, self.context)
        })?;
        Ok(session.close()?)
    }

    /// The root with its namespaces and mounts.
    fn session(&self, stand_ins: &StandIns) -> Result<Session, Error> {
        self.context.cancel().check()?;
        let mut spec = Spec::new(self.root.as_fd(), self.root.path());
        spec.no_fsync = true;
        spec.personality32 = arch::needs_personality(&self.plan.arch);
        stand_ins.prepare(self.root, &mut spec)?;
        let session = self.warden.enter(&spec)?;
        for note in session.notes() {
            self.context.note(note.clone());
        }
        Ok(session)
    }
}
