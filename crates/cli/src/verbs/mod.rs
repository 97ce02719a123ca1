//! One module a verb: parse, call, map the error.

mod bootstrap;
mod cache;
mod carry;
mod clone;
mod distros;
mod enter;
mod export;
mod init;
mod lock;
mod mirror;
mod remove;
mod resolve;
mod rpmdb;

use std::cell::Cell;
use std::process::ExitCode;
use std::sync::Arc;

use bareroot_bootstrap::{Context, mode_for};
use bareroot_enter::mode::{Adopted, Choice, Mode};
use bareroot_enter::{Onlooker, Warden};
use clap::{ArgMatches, CommandFactory, FromArgMatches};

use crate::args::{Cli, Verb};
use crate::exit::{self, Failure};

/// Says which mode it is, where it is not root's own.
fn tell_mode(adopted: &Adopted, context: &Context) {
    let Adopted { mode, notes } = adopted;
    if *mode != Mode::Root {
        context.note(format!("mode {mode}"));
    }
    for note in notes {
        context.note(format!("no better mode: {note}"));
    }
}

/// What was typed.
pub struct Door {
    verb: Verb,
    /// The verb's own words, in their order.
    matches: ArgMatches,
    /// What is to be carried, where that was found out with this user's own eyes.
    carried: Cell<Option<carry::Carried>>,
    /// Who stays outside, where the verb must know what is to be seen there alone.
    onlooker: Option<Arc<Onlooker>>,
}

impl Door {
    /// Reads the command line; the exit code where there is nothing left to do.
    pub fn parse() -> Result<Door, ExitCode> {
        let parsed = Cli::command().try_get_matches().and_then(|matches| {
            let verb = Cli::from_arg_matches(&matches)?.verb;
            let matches = matches.subcommand().map(|(_, matches)| matches.clone());
            Ok((verb, matches.unwrap_or_default()))
        });
        match parsed {
            Ok((verb, matches)) => Ok(Door {
                verb,
                matches,
                carried: Cell::default(),
                onlooker: None,
            }),
            Err(error) => {
                let _ = error.print();
                // Asking for help is no error. Of `enter`, every other code is the program's own.
                let is_enter = std::env::args_os().nth(1).is_some_and(|verb| verb == "enter");
                Err(match error.exit_code() {
                    0 => ExitCode::SUCCESS,
                    _ if is_enter => ExitCode::from(exit::ENTER_FAILED),
                    code => ExitCode::from(u8::try_from(code).unwrap_or(2)),
                })
            }
        }
    }

    /// How the verb comes by root's rights; `None` of one that needs none.
    pub fn mode(&self) -> Option<Choice> {
        match &self.verb {
            Verb::Bootstrap(verb) => Some(verb.mode()),
            Verb::Enter(verb) => Some(mode_for(&verb.root, verb.mode)),
            Verb::Clone(verb) => Some(verb.mode),
            Verb::Carry(verb) => Some(mode_for(&verb.root, verb.mode)).filter(|_| !verb.dry_run),
            Verb::Export(verb) => Some(mode_for(&verb.root, verb.mode)),
            Verb::Remove(verb) => Some(mode_for(&verb.root, verb.mode)),
            Verb::Resolve(_)
            | Verb::Init(_)
            | Verb::Lock(_)
            | Verb::Mirror(_)
            | Verb::Distros(_)
            | Verb::Cache(_)
            | Verb::Rpmdb(_) => None,
        }
    }

    /// What must be done before this process moves into a user namespace, from where the owners of the host's files cannot
    /// be told apart.
    pub fn look_ahead(&self) {
        if let Verb::Carry(verb) = &self.verb
            && carry::looks_ahead(verb)
        {
            self.carried.set(Some(carry::plan(verb)));
        }
    }

    /// Leaves somebody outside of the user namespace that is about to be made, where the verb needs one.
    ///
    /// # Errors
    /// When there can be no more processes.
    pub fn leave_onlooker(&mut self) -> Result<(), Failure> {
        let is_needed = match &self.verb {
            Verb::Clone(verb) => match verb.mode {
                Choice::Auto => !rustix::process::geteuid().is_root(),
                Choice::Only(mode) => mode != Mode::Root,
            },
            _ => false,
        };
        if is_needed {
            self.onlooker = Some(Arc::new(Onlooker::start()?));
        }
        Ok(())
    }

    /// Whether the verb goes on where no mode can be had: what is this user's own can be removed in any case.
    pub fn does_without(&self) -> bool {
        matches!(&self.verb, Verb::Remove(verb) if verb.mode == Choice::Auto)
    }

    /// Whether the verb runs programs in a root.
    pub fn needs_warden(&self) -> bool {
        matches!(self.verb, Verb::Bootstrap(_) | Verb::Enter(_))
    }

    /// Runs the verb.
    pub fn run(&self, warden: Option<Warden>, adopted: &Adopted) -> ExitCode {
        let result = match (&self.verb, &warden) {
            (Verb::Enter(verb), Some(warden)) => {
                return match enter::run(verb, adopted, warden) {
                    Ok(code) => code,
                    Err(failure) => self.report(&failure),
                };
            }
            (Verb::Bootstrap(verb), Some(warden)) => bootstrap::run(verb, &self.matches, warden, adopted),
            (Verb::Carry(verb), _) => carry::run(verb, self.carried.take(), adopted),
            (Verb::Clone(verb), _) => clone::run(verb, adopted, self.onlooker.clone()),
            (Verb::Export(verb), _) => export::run(verb, adopted),
            (Verb::Remove(verb), _) => remove::run(verb),
            (Verb::Resolve(verb), _) => resolve::run(verb),
            (Verb::Init(verb), _) => init::run(verb),
            (Verb::Lock(verb), _) => lock::run(verb),
            (Verb::Mirror(verb), _) => mirror::run(verb),
            (Verb::Distros(verb), _) => distros::run(verb),
            (Verb::Cache(verb), _) => cache::run(verb),
            (Verb::Rpmdb(verb), _) => rpmdb::run(verb),
            // `needs_warden` has seen to it.
            (Verb::Enter(_) | Verb::Bootstrap(_), None) => return ExitCode::FAILURE,
        };
        match result {
            Ok(()) => ExitCode::SUCCESS,
            Err(failure) => self.report(&failure),
        }
    }

    /// Prints a failure; the exit code is the verb's for it.
    pub fn report(&self, failure: &Failure) -> ExitCode {
        match self.verb {
            Verb::Enter(_) => failure.report_of_enter(),
            _ => failure.report(),
        }
    }
}
