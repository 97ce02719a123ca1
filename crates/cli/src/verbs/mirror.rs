//! `bareroot mirror`: a partial mirror, made, brought up to date, or checked.

use std::sync::Arc;

use bareroot_bootstrap::{Context, MirrorOrder};
use bareroot_model::Observer;

use crate::args::Mirror;
use crate::base::Base;
use crate::exit::Failure;
use crate::observers::Observers;
use crate::request::Misuse;
use crate::signals;

/// Makes or checks a mirror.
pub fn run(verb: &Mirror) -> Result<(), Failure> {
    let (spec, asks, dir) = verb.meant();
    // `debian:trixie` alone is a SPEC whose directory was forgotten.
    if let (false, [word]) = (asks, verb.words.as_slice())
        && word.contains(':')
        && !dir.exists()
    {
        return Err(Misuse::NoTarget(word.clone()).into());
    }
    let base = Base::of(spec.as_deref())?;
    let mut request = verb.plan.over(&base)?;
    let architectures: Vec<String> = match request.arch.take() {
        Some(list) => list.split(',').map(str::trim).map(str::to_owned).collect(),
        None => Vec::new(),
    };
    let observers = Arc::new(Observers::new(&verb.talk, verb.talk.json));
    let context = Context::new(
        Arc::clone(&observers) as Arc<dyn Observer>,
        signals::cancel_on_signals(),
    );
    let result = match verb.check {
        true => bareroot_bootstrap::check_mirror(&request, &dir, &context),
        false => {
            let order = MirrorOrder {
                how: request.clone(),
                request: asks.then_some(request),
                architectures,
                prune: verb.prune,
            };
            bareroot_bootstrap::mirror(&order, &dir, &context)
        }
    };
    let result = result.map(|_| ()).map_err(Failure::from);
    observers.end(result.as_ref().err())?;
    result
}
