//! One module a verb: parse, call, map the error.

mod bootstrap;
mod cache;
mod distros;
mod resolve;

use std::process::ExitCode;

use bareroot_bootstrap::Context;
use bareroot_enter::Warden;
use bareroot_enter::mode::{self, Adopted, Choice, Mode};
use clap::{CommandFactory, FromArgMatches};

use crate::args::{Cli, Verb};
use crate::exit::Failure;

/// A mode, and who starts processes in it.
pub struct Rights {
    pub adopted: Adopted,
    pub warden: Warden,
}

impl Rights {
    /// Says which mode it is, where it is not root's own.
    pub fn tell(&self, context: &Context) {
        let Adopted { mode, notes } = &self.adopted;
        if *mode != Mode::Root {
            context.note(format!("mode {mode}"));
        }
        for note in notes {
            context.note(format!("no better mode: {note}"));
        }
    }
}

/// Takes up the mode and starts the warden, in this order, as the warden must be of the mode's user namespace. Both must
/// be done before the first thread.
fn rights(choice: Choice) -> Result<Rights, Failure> {
    let adopted = mode::adopt(choice)?;
    let warden = Warden::start_with(bareroot_bootstrap::BUILTINS)?;
    Ok(Rights { adopted, warden })
}

/// Parses the command line and runs its verb.
pub fn run() -> ExitCode {
    let matches = Cli::command().get_matches();
    let cli = match Cli::from_arg_matches(&matches) {
        Ok(cli) => cli,
        Err(error) => error.exit(),
    };
    let result = match (&cli.verb, matches.subcommand()) {
        (Verb::Bootstrap(verb), Some((_, matches))) => {
            rights(verb.make.mode).and_then(|rights| bootstrap::run(verb, matches, &rights))
        }
        (Verb::Resolve(verb), _) => resolve::run(verb),
        (Verb::Distros(verb), _) => distros::run(verb),
        (Verb::Cache(verb), _) => cache::run(verb),
        (Verb::Bootstrap(_), None) => return ExitCode::from(2),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
