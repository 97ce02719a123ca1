//! From a request to a root: what the families have in common, and the one place where they part.

use std::time::{SystemTime, UNIX_EPOCH};

use bareroot_enter::{Session, Warden};
use bareroot_model::{Event, Phase};
use bareroot_unpack::Root;

use crate::context::Context;
use crate::error::Error;
use crate::plan::Plan;
use crate::request::{HookKind, Request};
use crate::site::Site;
use crate::target::Target;
use crate::{deb, hooks, mode, rpm, second_stage, tools};

/// What was made.
#[derive(Clone, Debug)]
pub struct Report {
    /// The root.
    pub target: Target,
    /// Packages in it.
    pub packages: usize,
    /// Bytes of their archives.
    pub bytes: u64,
}

/// Makes a root at `target`: a directory, which must not exist or be empty, or an archive. On an error nothing is left of
/// it.
///
/// # Errors
/// See [`Error`]; its class is the exit code.
pub fn bootstrap(
    request: &Request,
    target: &Target,
    warden: &Warden,
    context: &Context,
) -> Result<Report, Error> {
    tools::raise_file_limit();
    second_stage::refuse_late_hooks(request)?;
    let began = now();
    let plan = context.phase(Phase::Plan, || Plan::new(request, context))?;
    // First of all: a target that cannot be used should not cost a download.
    let site = Site::open(target, mode::ledger(request.mode))?;
    let ground = Ground {
        request,
        root: site.root(),
        warden,
        context,
    };
    let grown = ground.grow(&plan).and_then(|grown| {
        // Without an epoch, as mmdebstrap has it: nothing is younger than the run.
        let clamp = plan.epoch().unwrap_or(began);
        site.write(tools::threads(request), clamp, context)?;
        Ok(grown)
    });
    let grown = match grown {
        Ok(grown) => grown,
        Err(error) => {
            site.discard(context);
            return Err(plan.explained(error));
        }
    };
    site.commit(context)?;
    if let Target::Directory(_) = target {
        mode::say_what_is_missing(request.mode, context);
    }
    let report = Report {
        target: target.clone(),
        packages: grown.packages,
        bytes: grown.bytes,
    };
    context.tell(Event::Done {
        packages: report.packages,
        bytes: report.bytes,
        seconds: context.seconds(),
    });
    Ok(report)
}

/// Now, in seconds since 1970.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}

/// What every family's chapters stand on.
pub struct Ground<'a> {
    /// What was asked for.
    pub request: &'a Request,
    /// The root, in its staging directory.
    pub root: &'a Root,
    /// Who makes namespaces.
    pub warden: &'a Warden,
    /// Whom to tell.
    pub context: &'a Context,
}

/// What has grown.
pub struct Grown {
    /// Packages in the root.
    pub packages: usize,
    /// Bytes of their archives.
    pub bytes: u64,
}

impl Ground<'_> {
    /// Grows the root by its family's chapters.
    fn grow(&self, plan: &Plan) -> Result<Grown, Error> {
        match plan {
            Plan::Deb(plan) => deb::grow(plan, self),
            Plan::Rpm(plan) => rpm::grow(plan, self),
        }
    }

    /// Tells what is going to be in the root.
    pub fn planned(&self, grown: &Grown) {
        self.context.tell(Event::Planned {
            packages: grown.packages,
            bytes: grown.bytes,
        });
    }

    /// Runs the hooks of a kind, where there are any, in a session of their own.
    ///
    /// # Errors
    /// When one fails, or there can be no session.
    pub fn run_hooks(
        &self,
        kind: HookKind,
        session: impl FnOnce() -> Result<Session, Error>,
    ) -> Result<(), Error> {
        if !hooks::any(kind, &self.request.hooks) {
            return Ok(());
        }
        let session = session()?;
        hooks::run(
            kind,
            &self.request.hooks,
            &session,
            self.root.path(),
            self.context,
        )?;
        Ok(session.close()?)
    }
}
