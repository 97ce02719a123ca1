//! Chapter eight: scriptlets and triggers run, in rpm's order.

mod programs;
mod progress;

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;

use bareroot_enter::{Content, Extra, Program, Session, Spec, Status};
use bareroot_model::{Class, Classified, Event, Phase};
use bareroot_rpm::Header;
use bareroot_rpm_script::macros::{Macros, Nowhere};
use bareroot_rpm_script::{Failure, Installed, Moment, Placed, Plan as Steps, Step, plan};
use bareroot_unpack::Root;

use super::unpack::Unpacked;
use super::{macros, owners, users};
use programs::{CHANGED, described, is_lua};
pub use progress::Progress;

use crate::context::Context;
use crate::error::Error;
use crate::log::Log;

/// Where bodies lie while they run: on the session's own /dev, which is no part of the tree.
const BODIES: &str = ".bareroot";

/// Where scriptlets look for programs, if the root's macros do not say otherwise.
const PATH: &str = "/sbin:/bin:/usr/sbin:/usr/bin:/usr/X11R6/bin";

/// The steps of the whole transaction.
pub fn steps(headers: &[&Header], unpacked: &Unpacked) -> Steps {
    let files: Vec<Vec<Placed>> = headers
        .iter()
        .zip(unpacked.states.iter().zip(&unpacked.skipped))
        .map(|(header, (states, skipped))| {
            let files = header.files();
            let fates = states.iter().zip(skipped);
            let placed = files.iter().zip(fates).map(|(file, (state, skipped))| Placed {
                path: file.path().into(),
                state: *state,
                skipped: *skipped,
            });
            placed.collect()
        })
        .collect();
    let installed: Vec<Installed<'_>> = headers
        .iter()
        .zip(&files)
        .map(|(header, files)| Installed { header, files })
        .collect();
    plan(&installed)
}

/// Lays the bodies out in the session.
pub fn lay_out(steps: &Steps, spec: &mut Spec<'_>) {
    for (number, step) in steps.steps.iter().enumerate() {
        let is_plain = !is_lua(step) && step.program.flags & CHANGED == 0;
        if let Some(body) = step.program.body.as_ref().filter(|_| is_plain) {
            spec.extras.push(Extra {
                path: format!("{BODIES}/{number}").into(),
                content: Content::File {
                    mode: 0o700,
                    bytes: body.clone(),
                },
            });
        }
    }
}

/// Runs what comes before there is any file, in a session of its own.
///
/// # Errors
/// When a scriptlet fails, which is always fatal here; an interpreter that the empty root has not got is a failure too.
pub fn before_files(
    steps: &Steps,
    headers: &[&Header],
    session: &Session,
    epoch: Option<i64>,
    context: &Context,
) -> Result<(), Error> {
    let runner = Runner {
        steps,
        headers,
        session,
        epoch,
        context,
        path: PATH.into(),
        progress: &Progress::default(),
    };
    runner.all_of(Moment::BeforeFiles, 0).map(drop)
}

/// The steps that come before there is any file.
pub fn steps_before_files(headers: &[&Header]) -> Steps {
    let nothing = Unpacked {
        states: headers.iter().map(|_| Vec::new()).collect(),
        skipped: headers.iter().map(|_| Vec::new()).collect(),
    };
    let mut steps = steps(headers, &nothing);
    steps.steps.retain(|step| step.moment == Moment::BeforeFiles);
    steps
}

/// What the steps are run with.
pub struct Surroundings<'a> {
    /// The root.
    pub root: &'a Root,
    /// The namespaces and mounts around it.
    pub session: &'a Session,
    /// rpm's name of the root's architecture.
    pub arch: &'a str,
    /// `SOURCE_DATE_EPOCH`.
    pub epoch: Option<i64>,
    /// How far an earlier run came, and where this one says how far it is.
    pub progress: &'a Progress<'a>,
}

/// Runs all steps after those that come before there is any file; between a package's %pre and its %post its files get
/// their owners.
///
/// # Errors
/// When a scriptlet fails whose failure counts; the last lines that it printed are in the error.
pub fn run(
    steps: &Steps,
    headers: &[&Header],
    unpacked: &Unpacked,
    around: &Surroundings<'_>,
    context: &Context,
) -> Result<(), Error> {
    let Surroundings { root, progress, .. } = *around;
    let runner = Runner {
        steps,
        headers,
        session: around.session,
        epoch: around.epoch,
        context,
        path: script_path(&macros::of(root, around.arch)),
        progress,
    };
    let mut next = steps.at(Moment::BeforeFiles).count();
    let users = users::are_made(headers);
    for (place, header) in headers.iter().enumerate() {
        context.cancel().check()?;
        let name = header.nevra().name;
        let has_steps = runner
            .moment(next)
            .is_some_and(|moment| [Moment::Before(place), Moment::After(place)].contains(&moment));
        if has_steps {
            context.tell(Event::Configuring {
                package: name.clone(),
            });
        }
        if users {
            progress.act(|| users::make(root, header, around.epoch, context))?;
        }
        next = runner.all_of(Moment::Before(place), next)?;
        progress.act(|| owners::apply(root, header, unpacked, place, context))?;
        next = runner.all_of(Moment::After(place), next)?;
        context.tell(Event::Configured { package: name });
    }
    runner.all_of(Moment::AtTheEnd, next)?;
    Ok(())
}

struct Runner<'a> {
    steps: &'a Steps,
    headers: &'a [&'a Header],
    session: &'a Session,
    epoch: Option<i64>,
    context: &'a Context,
    /// `PATH`.
    path: OsString,
    progress: &'a Progress<'a>,
}

/// `%_install_script_path`.
fn script_path(macros: &Macros) -> OsString {
    let path = macros
        .expand(b"%{?_install_script_path}", &Nowhere)
        .unwrap_or_default();
    match path.is_empty() || path.contains(&0) {
        true => PATH.into(),
        false => OsString::from_vec(path),
    }
}

impl Runner<'_> {
    fn moment(&self, number: usize) -> Option<Moment> {
        self.steps.steps.get(number).map(|step| step.moment)
    }

    /// Runs the steps of a moment, which are one after the other; gives the number of the first step after them.
    fn all_of(&self, moment: Moment, mut number: usize) -> Result<usize, Error> {
        while let Some(step) = self.steps.steps.get(number).filter(|step| step.moment == moment) {
            self.progress.act(|| self.step(number, step))?;
            number += 1;
        }
        Ok(number)
    }

    fn step(&self, number: usize, step: &Step) -> Result<(), Error> {
        let context = self.context;
        let header = self.headers[step.package];
        let package = header.nevra().name;
        let what = format!("{} scriptlet", described(step, header));
        let began = std::time::Instant::now();
        let mut log = Log::default();
        let mut run = |program: &Program| {
            self.session.run(program, context.cancel(), &mut |piece| {
                log.feed(piece, &mut |line| context.tell(Event::Output { line }));
            })
        };
        let mut result = Ok(Status::Exited(0));
        for program in self.programs(number, step)? {
            result = run(&program);
            if !result.as_ref().is_ok_and(|status| status.success()) {
                break;
            }
        }
        context.span(format!("{} {package}", step.what), Phase::Configure, began);
        let error = match result {
            Ok(status) if status.success() => return Ok(()),
            Ok(status) => Error::Script {
                what,
                status: status.to_string(),
                log: log.tail(),
            },
            Err(error) if error.class() == Class::Script => Error::CannotRun { what, source: error },
            Err(error) => return Err(error.into()),
        };
        match step.failure {
            Failure::Fatal => Err(error),
            Failure::Warning => {
                context.warn(match std::error::Error::source(&error) {
                    Some(source) => format!("{error}: {source}"),
                    None => error.to_string(),
                });
                Ok(())
            }
        }
    }
}
