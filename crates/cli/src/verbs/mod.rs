//! One module a verb: parse, call, map the error.

mod bootstrap;
mod distros;
mod resolve;
mod rpmdb;

use std::process::ExitCode;

use bareroot_enter::Warden;
use clap::{CommandFactory, FromArgMatches};

use crate::args::{Cli, Verb};
use crate::exit::Failure;

/// Parses the command line and runs its verb.
pub fn run(warden: Result<Warden, bareroot_enter::Error>) -> ExitCode {
    let matches = Cli::command().get_matches();
    let cli = match Cli::from_arg_matches(&matches) {
        Ok(cli) => cli,
        Err(error) => error.exit(),
    };
    let result = match (&cli.verb, matches.subcommand()) {
        (Verb::Bootstrap(verb), Some((_, matches))) => warden
            .map_err(Failure::from)
            .and_then(|warden| bootstrap::run(verb, matches, &warden)),
        (Verb::Resolve(verb), _) => resolve::run(verb),
        (Verb::Distros(verb), _) => distros::run(verb),
        (Verb::Rpmdb(verb), _) => rpmdb::run(verb),
        (Verb::Bootstrap(_), None) => return ExitCode::from(2),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
