//! Chapter eight: the maintainer scripts run.
//!
//! First every preinst, base-passwd's before all others, then the target's own `dpkg --configure -a`, which does the
//! rest as it would anywhere: the database says `install ok unpacked` for every package (facts of this: dpkg(1),
//! Debian policy 6.5).

mod aside;

mod standins;
mod steps;

use bareroot_deb::archive::{Control, InfoFile};
use bareroot_deb::scripts::{self, Line, Monitor, Preinst, Subject};
use bareroot_enter::{Program, Session, Status};
use bareroot_model::{Class, Classified, Event, Phase};
use bareroot_unpack::Root;

use crate::context::Context;
use crate::error::Error;
use crate::log::Log;
pub use standins::StandIns;
use steps::Step;

/// Its preinst makes `/etc/passwd` and `/etc/group`, without which no other script can name a user.
const FIRST: &str = "base-passwd";

/// Where dpkg keeps a package's control files while its preinst runs; debconf looks for the package's name there.
const CONTROL_IN_PROGRESS: &str = "var/lib/dpkg/tmp.ci";

/// A package that is unpacked and recorded.
pub struct Unconfigured<'a> {
    /// Its control file.
    pub control: &'a Control,
    /// The other members of its control archive.
    pub info: &'a [InfoFile],
    /// 0 for the essential packages and what they need, 1 for the rest.
    pub stage: usize,
}

/// What the scripts' surroundings depend on.
pub struct Surroundings<'a> {
    /// The root.
    pub root: &'a Root,
    /// The namespaces and mounts around it.
    pub session: &'a Session,
    /// `SOURCE_DATE_EPOCH`.
    pub epoch: Option<i64>,
    /// The helpers that something stands in for.
    pub stand_ins: &'a StandIns,
    /// The version that dpkg reports.
    pub dpkg_version: &'a str,
}

/// Configures the packages, which are in the solution's order.
///
/// # Errors
/// When a script fails; its last lines of output are in the error.
pub fn configure(
    packages: &[Unconfigured<'_>],
    around: &Surroundings<'_>,
    context: &Context,
) -> Result<(), Error> {
    let aside = aside::put(around.root)?;
    let resident = around.stand_ins.start(around)?;
    let result = run_steps(packages, around, context);
    // The resident writes what the scripts told it also when a later script failed: nobody reads it then.
    let saved = resident.save(around, context);
    aside.put_back(around.root)?;
    result.and(saved)
}

fn run_steps(
    packages: &[Unconfigured<'_>],
    around: &Surroundings<'_>,
    context: &Context,
) -> Result<(), Error> {
    let names: Vec<String> = packages
        .iter()
        .map(|package| package.control.record_name())
        .collect();
    let subjects = packages.iter().zip(&names).map(|(package, record_name)| Subject {
        package: package.control.package(),
        architecture: package.control.architecture(),
        record_name,
        has_preinst: package.info.iter().any(|file| file.name == "preinst"),
    });
    let preinsts = scripts::preinsts(subjects, scripts::running_version(around.dpkg_version));
    for step in steps::steps(packages) {
        match step {
            Step::Preinst(place) => {
                let file = format!("/{}.preinst", names[place]);
                if let Some(preinst) = preinsts.iter().find(|preinst| preinst.program.ends_with(&file)) {
                    run_preinst(preinst, &packages[place], around, context)?;
                }
            }
            Step::Configure(places) => {
                let names: Vec<String> = places.into_iter().map(|place| names[place].clone()).collect();
                run_dpkg(&names, around, context)?;
            }
            Step::ConfigureAll => run_dpkg(&[], around, context)?,
        }
    }
    Ok(())
}

fn run_preinst(
    preinst: &Preinst,
    package: &Unconfigured<'_>,
    around: &Surroundings<'_>,
    context: &Context,
) -> Result<(), Error> {
    context.tell(Event::Configuring {
        package: preinst.package.clone(),
    });
    let began = std::time::Instant::now();
    lay_out(around.root, package)?;
    let mut command = around.program(&format!("/{CONTROL_IN_PROGRESS}/preinst"), &preinst.arguments);
    command.env.extend(
        preinst
            .variables
            .iter()
            .map(|(name, value)| (name.into(), value.into())),
    );
    let mut log = Log::default();
    let what = format!("the preinst script of package `{}`", preinst.package);
    let run = around.session.run(&command, context.cancel(), &mut |piece| {
        log.feed(piece, &mut |line| context.tell(Event::Output { line }));
    });
    let status = run.map_err(|error| match error.class() {
        Class::Script => Error::CannotRun {
            what: what.clone(),
            source: error,
        },
        _ => Error::Enter(error),
    })?;
    around.root.remove_all(CONTROL_IN_PROGRESS)?;
    context.span(format!("preinst {}", preinst.package), Phase::Configure, began);
    if status.success() {
        return Ok(());
    }
    Err(Error::Script {
        what,
        status: status.to_string(),
        log: log.tail(),
    })
}

/// Lays the control files out as dpkg does for a preinst.
fn lay_out(root: &Root, package: &Unconfigured<'_>) -> Result<(), Error> {
    root.create_dir_all(CONTROL_IN_PROGRESS, 0o755)?;
    root.write(
        format!("{CONTROL_IN_PROGRESS}/control"),
        0o644,
        &control_file(package.control),
    )?;
    for file in package.info {
        let mode = if file.name == "preinst" {
            file.mode | 0o500
        } else {
            file.mode
        };
        root.write(format!("{CONTROL_IN_PROGRESS}/{}", file.name), mode, &file.bytes)?;
    }
    Ok(())
}

/// The control file again, field by field.
fn control_file(control: &Control) -> Vec<u8> {
    let mut text = Vec::new();
    for (name, value) in control.fields() {
        text.extend_from_slice(name.as_bytes());
        text.extend_from_slice(b": ");
        text.extend_from_slice(value);
        text.push(b'\n');
    }
    text
}

/// Has dpkg configure these packages; all that are not configured, where there are none.
fn run_dpkg(packages: &[String], around: &Surroundings<'_>, context: &Context) -> Result<(), Error> {
    let configure = scripts::configure(around.epoch, packages, &[]);
    let mut command = around.program(&configure.program, &configure.arguments);
    command.also_output = Some(scripts::STATUS_FD);
    command.env = around.environment(configure.variables);
    let mut monitor = Monitor::new();
    // dpkg goes on after a failure: each package's output is kept until it is installed.
    let mut logs: Vec<(String, Log)> = vec![(String::new(), Log::default())];
    let mut current: Option<(String, std::time::Instant)> = None;
    let mut on_line = |line: Line| match line {
        Line::Configuring(package) | Line::Triggers(package) => {
            if let Some((name, began)) = current.take() {
                context.span(format!("configure {name}"), Phase::Configure, began);
            }
            current = Some((package.clone(), std::time::Instant::now()));
            logs.push((package.clone(), Log::default()));
            context.tell(Event::Configuring { package });
        }
        Line::State { package, state } if state == "installed" => {
            logs.retain(|(name, _)| *name != package);
            context.tell(Event::Configured { package });
        }
        Line::State { .. } => {}
        Line::Output(line) => {
            if let Some((_, log)) = logs.last_mut() {
                log.push(line.clone());
            }
            context.tell(Event::Output { line });
        }
    };
    let status = around.session.run(&command, context.cancel(), &mut |piece| {
        monitor.feed(piece, &mut on_line)
    })?;
    monitor.finish(&mut on_line);
    if let Some((name, began)) = current {
        context.span(format!("configure {name}"), Phase::Configure, began);
    }
    if status.success() && monitor.failures().is_empty() {
        return Ok(());
    }
    Err(failed(&monitor, status, &logs))
}

/// The first failure that is a script's own: the packages that depend on it fail after it, and say less.
fn failed(monitor: &Monitor, status: Status, logs: &[(String, Log)]) -> Error {
    let failures = monitor.failures();
    let first = failures
        .iter()
        .find(|failure| failure.script.is_some())
        .or(failures.first());
    let own = first.and_then(|failure| logs.iter().find(|(package, _)| *package == failure.package));
    Error::Script {
        what: match first {
            Some(failure) => match failure.script {
                Some(script) => format!("the {script} script of package `{}`", failure.package),
                None => format!("configuring package `{}`", failure.package),
            },
            None => "`dpkg --configure -a`".to_owned(),
        },
        status: first.map_or_else(
            || status.to_string(),
            |failure| how_it_ended(&failure.message).to_owned(),
        ),
        log: own
            .or(logs.last())
            .map_or_else(String::new, |(_, log)| log.tail()),
    }
}

/// The end of dpkg's sentence about a script, which names package and script a second time at its start.
fn how_it_ended(message: &str) -> &str {
    let end = message
        .rsplit_once(" subprocess ")
        .map_or(message, |(_, end)| end);
    end.strip_prefix("returned error ")
        .or(end.strip_prefix("was "))
        .unwrap_or(end)
}

impl Surroundings<'_> {
    /// A program in the root, with the environment that every script has.
    pub fn program(&self, path: &str, arguments: &[String]) -> Program {
        let mut program = Program::in_root(path);
        program.args = arguments.iter().map(Into::into).collect();
        program.env = self.environment(scripts::environment(self.epoch));
        program
    }

    /// The environment, with the stand-ins' directory before all others of PATH.
    fn environment(&self, variables: scripts::Variables) -> Vec<(std::ffi::OsString, std::ffi::OsString)> {
        variables
            .into_iter()
            .map(
                |(name, value)| match (name.as_str(), self.stand_ins.directory()) {
                    ("PATH", Some(directory)) => (name.into(), format!("{directory}:{value}").into()),
                    _ => (name.into(), value.into()),
                },
            )
            .collect()
    }
}
