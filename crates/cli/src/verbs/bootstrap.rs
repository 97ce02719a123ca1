//! `bareroot bootstrap`.

use std::sync::Arc;

use bareroot_bootstrap::Context;
use bareroot_enter::Warden;
use bareroot_model::Observer;
use clap::ArgMatches;

use crate::args::Bootstrap;
use crate::exit::Failure;
use crate::observers::Observers;
use crate::signals;

/// Makes a root.
pub fn run(verb: &Bootstrap, matches: &ArgMatches, warden: &Warden) -> Result<(), Failure> {
    let (request, target) = verb.request(matches)?;
    let observers = Arc::new(Observers::new(&verb.talk, verb.talk.json));
    let context = Context::new(
        Arc::clone(&observers) as Arc<dyn Observer>,
        signals::cancel_on_signals(),
    );
    let result = bareroot_bootstrap::bootstrap(&request, &target, warden, &context).map_err(Failure::from);
    observers.end(result.as_ref().err())?;
    result.map(|_| ())
}
