//! Chapter eight: scriptlets and triggers run, in rpm's order.

use std::io::{Seek as _, SeekFrom, Write as _};
use std::os::fd::OwnedFd;

use bareroot_enter::{Content, Extra, Program, Session, Spec};
use bareroot_model::{Class, Classified, Event, Phase};
use bareroot_rpm_script::{Failure, Installed, Moment, Placed, Plan as Steps, Step, plan};
use bareroot_unpack::Root;

use super::owners;
use super::plan::Plan;
use super::unpack::{Arrived, Unpacked};
use crate::context::Context;
use crate::error::Error;
use crate::log::Log;

/// Where bodies lie while they run: on the session's own /dev, which is no part of the tree.
const BODIES: &str = ".bareroot";

/// The steps of the whole transaction.
pub fn steps(arrived: &[Arrived], unpacked: &Unpacked) -> Steps {
    let files: Vec<Vec<Placed>> = arrived
        .iter()
        .zip(unpacked.states.iter().zip(&unpacked.skipped))
        .map(|(package, (states, skipped))| {
            let files = package.file.header().files();
            let fates = states.iter().zip(skipped);
            let placed = files.iter().zip(fates).map(|(file, (state, skipped))| Placed {
                path: file.path().into(),
                state: *state,
                skipped: *skipped,
            });
            placed.collect()
        })
        .collect();
    let installed: Vec<Installed<'_>> = arrived
        .iter()
        .zip(&files)
        .map(|(package, files)| Installed {
            header: package.file.header(),
            files,
        })
        .collect();
    plan(&installed)
}

/// Lays the bodies out in the session.
pub fn lay_out(steps: &Steps, spec: &mut Spec<'_>) {
    for (number, step) in steps.steps.iter().enumerate() {
        if let Some(body) = &step.program.body {
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

/// Whether a step is of rpm's embedded Lua.
fn is_lua(step: &Step) -> bool {
    step.program
        .interpreter
        .first()
        .is_some_and(|program| program == b"<lua>")
}

/// Refuses what cannot be run, before anything is.
///
/// # Errors
/// [`Error::Scriptlet`].
pub fn check(arrived: &[Arrived]) -> Result<(), Error> {
    let unpacked = Unpacked {
        states: arrived.iter().map(|_| Vec::new()).collect(),
        skipped: arrived.iter().map(|_| Vec::new()).collect(),
    };
    for step in &steps(arrived, &unpacked).steps {
        let reason = if is_lua(step) {
            "it is written in Lua"
        } else if step.program.flags & 3 != 0 {
            "its body is to be expanded"
        } else if step.moment == Moment::BeforeFiles {
            "it runs before there is any file, and is not written in Lua"
        } else {
            continue;
        };
        return Err(Error::Scriptlet {
            what: step.what,
            package: arrived[step.package].file.header().nevra().to_string(),
            reason,
        });
    }
    Ok(())
}

/// Runs all steps; between a package's %pre and its %post its files get their owners.
///
/// # Errors
/// When a scriptlet fails whose failure counts; the last lines that it printed are in the error.
pub fn run(
    steps: &Steps,
    arrived: &[Arrived],
    unpacked: &Unpacked,
    root: &Root,
    session: &Session,
    plan: &Plan,
    context: &Context,
) -> Result<(), Error> {
    let runner = Runner {
        steps,
        arrived,
        session,
        plan,
        context,
    };
    let mut next = 0;
    for (place, package) in arrived.iter().enumerate() {
        context.cancel().check()?;
        let name = package.pick.package.name.clone();
        let has_steps = runner
            .moment(next)
            .is_some_and(|moment| [Moment::Before(place), Moment::After(place)].contains(&moment));
        if has_steps {
            context.tell(Event::Configuring {
                package: name.clone(),
            });
        }
        next = runner.all_of(Moment::Before(place), next)?;
        owners::apply(root, package, unpacked, place, context)?;
        next = runner.all_of(Moment::After(place), next)?;
        context.tell(Event::Configured { package: name });
    }
    runner.all_of(Moment::AtTheEnd, next)?;
    Ok(())
}

struct Runner<'a> {
    steps: &'a Steps,
    arrived: &'a [Arrived],
    session: &'a Session,
    plan: &'a Plan,
    context: &'a Context,
}

impl Runner<'_> {
    fn moment(&self, number: usize) -> Option<Moment> {
        self.steps.steps.get(number).map(|step| step.moment)
    }

    /// Runs the steps of a moment, which are one after the other; gives the number of the first step after them.
    fn all_of(&self, moment: Moment, mut number: usize) -> Result<usize, Error> {
        while let Some(step) = self.steps.steps.get(number).filter(|step| step.moment == moment) {
            self.step(number, step)?;
            number += 1;
        }
        Ok(number)
    }

    fn step(&self, number: usize, step: &Step) -> Result<(), Error> {
        let context = self.context;
        let package = &self.arrived[step.package].pick.package.name;
        let what = format!("the {} scriptlet of package `{package}`", step.what);
        let began = std::time::Instant::now();
        let mut log = Log::default();
        let result = self
            .session
            .run(&self.program(number, step)?, context.cancel(), &mut |piece| {
                log.feed(piece, &mut |line| context.tell(Event::Output { line }));
            });
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
                context.warn(error.to_string());
                Ok(())
            }
        }
    }

    /// The interpreter with body, arguments, environment and input as rpm gives them.
    fn program(&self, number: usize, step: &Step) -> Result<Program, Error> {
        use std::os::unix::ffi::OsStringExt as _;
        let mut words = step
            .program
            .interpreter
            .iter()
            .map(|word| std::ffi::OsString::from_vec(word.clone()));
        let mut program = Program::in_root(words.next().unwrap_or_else(|| "/bin/sh".into()));
        program.args = words.collect();
        if step.program.body.is_some() {
            program.args.push(format!("/dev/{BODIES}/{number}").into());
            program
                .args
                .extend(step.arguments.iter().map(|argument| argument.to_string().into()));
        }
        for (name, value) in [
            ("PATH", "/sbin:/bin:/usr/sbin:/usr/bin:/usr/X11R6/bin"),
            ("HOME", "/root"),
            ("LANG", "C.UTF-8"),
            ("SYSTEMD_OFFLINE", "1"),
        ] {
            program.env.push((name.into(), value.into()));
        }
        if let Some(epoch) = self.plan.epoch {
            program
                .env
                .push(("SOURCE_DATE_EPOCH".into(), epoch.to_string().into()));
        }
        if !step.input.is_empty() {
            program.fds.push((0, input(&step.input)?));
        }
        Ok(program)
    }
}

/// Lines in a file in memory.
fn input(lines: &[std::sync::Arc<[u8]>]) -> Result<OwnedFd, Error> {
    let failed = |source: std::io::Error| Error::Read {
        path: "the input of a scriptlet".into(),
        source,
    };
    let fd = rustix::fs::memfd_create("input", rustix::fs::MemfdFlags::CLOEXEC)
        .map_err(|error| failed(error.into()))?;
    let mut file = std::fs::File::from(fd);
    let mut text = lines.join(&b'\n');
    text.push(b'\n');
    file.write_all(&text)
        .and_then(|()| file.seek(SeekFrom::Start(0)))
        .map_err(failed)?;
    Ok(file.into())
}
