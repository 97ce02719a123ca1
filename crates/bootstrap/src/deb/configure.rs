//! Chapter eight: the maintainer scripts run.
//!
//! First every preinst, base-passwd's before all others, then the target's own `dpkg --configure -a`, which does the
//! rest as it would anywhere: the database says `install ok unpacked` for every package (facts of this: dpkg(1),
//! Debian policy 6.5).

mod aside;
mod course;
mod standins;
mod steps;

use bareroot_deb::archive::{Control, InfoFile};
use bareroot_deb::scripts::{self, Line, Monitor};
use bareroot_enter::{Program, Session, Status};
use bareroot_model::{Class, Classified, Event, Phase};
use bareroot_unpack::Root;

use crate::context::Context;
use crate::error::Error;
use crate::log::Log;
pub use aside::{POLICY, REAL, STARTERS, WARNING};
pub use course::{Act, ControlFile, Preinst, course};
pub use standins::{RUN, StandIns};

/// Its preinst makes `/etc/passwd` and `/etc/group`, without which no other script can name a user.
const FIRST: &str = "base-passwd";

/// Where dpkg keeps a package's control files while its preinst runs; debconf looks for the package's name there.
pub const CONTROL_IN_PROGRESS: &str = "var/lib/dpkg/tmp.ci";

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
    /// A directory of the root for marks by which a run that follows an interrupted one knows what that one has put aside;
    /// none where a root whose making was interrupted is thrown away.
    pub marks: Option<&'a str>,
}

/// Follows a course. `done` is told after each of its acts how many there were, those of a run before included; these,
/// as many as `begun` says, are passed over.
///
/// # Errors
/// When a script fails; its last lines of output are in the error.
pub fn configure(
    course: &[Act],
    begun: usize,
    around: &Surroundings<'_>,
    context: &Context,
    done: &dyn Fn(usize) -> Result<(), Error>,
) -> Result<(), Error> {
    let aside = aside::put(around.root, around.marks)?;
    let resident = around.stand_ins.start(around)?;
    let result = (course.iter().enumerate().skip(begun)).try_for_each(|(number, act)| {
        match act {
            Act::Preinst(preinst) => run_preinst(preinst, around, context)?,
            Act::Configure(packages) => run_dpkg(packages, around, context)?,
        }
        done(number + 1)
    });
    // The resident writes what the scripts told it also when a later script failed: nobody reads it then.
    let saved = resident.save(around, context);
    aside.put_back(around.root)?;
    result.and(saved)
}

fn run_preinst(preinst: &Preinst, around: &Surroundings<'_>, context: &Context) -> Result<(), Error> {
    context.tell(Event::Configuring {
        package: preinst.package.clone(),
    });
    let began = std::time::Instant::now();
    let root = around.root;
    root.remove_all(CONTROL_IN_PROGRESS)?;
    root.create_dir_all(CONTROL_IN_PROGRESS, 0o755)?;
    for file in &preinst.files {
        root.write(
            format!("{CONTROL_IN_PROGRESS}/{}", file.name),
            file.mode,
            &file.bytes,
        )?;
    }
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
    root.remove_all(CONTROL_IN_PROGRESS)?;
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
