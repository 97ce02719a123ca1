//! `bareroot clone`.

use std::os::unix::ffi::OsStringExt;
use std::sync::Arc;

use bareroot_bootstrap::{CloneOrder, Context, Target};
use bareroot_enter::Onlooker;
use bareroot_enter::mode::Adopted;
use bareroot_model::Observer;

use crate::args::CloneVerb;
use crate::exit::Failure;
use crate::observers::Observers;
use crate::request::Misuse;
use crate::signals;
use crate::verbs::tell_mode;

/// Makes a clone.
pub fn run(verb: &CloneVerb, adopted: &Adopted, onlooker: Option<Arc<Onlooker>>) -> Result<(), Failure> {
    let target = Target::new(&verb.target, verb.format)?;
    if target.is_stdout() && verb.talk.json && !verb.dry_run {
        return Err(Misuse::JsonOnStdout.into());
    }
    let observers = Arc::new(Observers::new(&verb.talk, verb.talk.json));
    let context = Context::new(
        Arc::clone(&observers) as Arc<dyn Observer>,
        signals::cancel_on_signals(),
    );
    tell_mode(adopted, &context);
    let bytes = |globs: &[std::ffi::OsString]| globs.iter().map(|glob| glob.clone().into_vec()).collect();
    let order = CloneOrder {
        from: verb.from.clone(),
        excludes: bytes(&verb.excludes),
        includes: bytes(&verb.includes),
        across: verb.across_file_systems,
        fresh: verb.fresh,
        dry_run: verb.dry_run,
        sync: verb.sync,
        is_verbose: verb.talk.verbose,
        jobs: verb.jobs.map(usize::from),
        mode: adopted.mode,
        onlooker,
    };
    let result = bareroot_bootstrap::clone(&order, &target, &context)
        .map_err(Failure::from)
        .and_then(|summary| match summary.is_faithful() {
            true => Ok(()),
            false => Err(Failure::Unfaithful {
                changed: summary.changed,
                unreadable: summary.unreadable,
            }),
        });
    observers.end(result.as_ref().err())?;
    result
}
