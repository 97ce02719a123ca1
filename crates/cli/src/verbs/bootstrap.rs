//! `bareroot bootstrap`.

use std::sync::Arc;

use bareroot_bootstrap::Context;
use bareroot_enter::Warden;
use bareroot_enter::mode::Adopted;
use bareroot_model::Observer;
use clap::ArgMatches;

use crate::args::Bootstrap;
use crate::exit::Failure;
use crate::observers::Observers;
use crate::signals;
use crate::verbs::tell_mode;

/// Makes a root.
pub fn run(
    verb: &Bootstrap,
    matches: &ArgMatches,
    warden: &Warden,
    adopted: &Adopted,
) -> Result<(), Failure> {
    let (mut request, target) = verb.request(matches)?;
    request.mode = adopted.mode;
    let observers = Arc::new(Observers::new(&verb.talk, verb.talk.json));
    let context = Context::new(
        Arc::clone(&observers) as Arc<dyn Observer>,
        signals::cancel_on_signals(),
    );
    tell_mode(adopted, &context);
    let make = match verb.make.second_stage {
        true => bareroot_bootstrap::second_stage,
        false => bareroot_bootstrap::bootstrap,
    };
    let result = make(&request, &target, warden, &context).map_err(Failure::from);
    observers.end(result.as_ref().err())?;
    result.map(|_| ())
}
