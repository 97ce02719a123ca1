//! `bareroot bootstrap`.

use std::sync::Arc;

use bareroot_bootstrap::Context;
use bareroot_model::Observer;
use clap::ArgMatches;

use crate::args::Bootstrap;
use crate::exit::Failure;
use crate::observers::Observers;
use crate::signals;
use crate::verbs::Rights;

/// Makes a root.
pub fn run(verb: &Bootstrap, matches: &ArgMatches, rights: &Rights) -> Result<(), Failure> {
    let (mut request, target) = verb.request(matches)?;
    request.mode = rights.adopted.mode;
    let observers = Arc::new(Observers::new(&verb.talk, verb.talk.json));
    let context = Context::new(
        Arc::clone(&observers) as Arc<dyn Observer>,
        signals::cancel_on_signals(),
    );
    rights.tell(&context);
    let make = match verb.make.second_stage {
        true => bareroot_bootstrap::second_stage,
        false => bareroot_bootstrap::bootstrap,
    };
    let result = make(&request, &target, &rights.warden, &context).map_err(Failure::from);
    observers.end(result.as_ref().err())?;
    result.map(|_| ())
}
