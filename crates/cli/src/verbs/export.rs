//! `bareroot export`: a root that is there, as an archive.

use std::path::Path;
use std::sync::Arc;

use bareroot_bootstrap::{Context, Target};
use bareroot_enter::mode::Adopted;
use bareroot_model::Observer;

use crate::args::Export;
use crate::exit::Failure;
use crate::observers::Observers;
use crate::signals;
use crate::verbs::tell_mode;

/// Writes an archive.
pub fn run(verb: &Export, adopted: &Adopted) -> Result<(), Failure> {
    let (destination, compression) = Target::archive(&verb.out, verb.format)?;
    let observers = Arc::new(Observers::new(&verb.talk(), false));
    let context = Context::new(
        Arc::clone(&observers) as Arc<dyn Observer>,
        signals::cancel_on_signals(),
    );
    tell_mode(adopted, &context);
    let jobs = verb.jobs.map(usize::from);
    bareroot_bootstrap::export(Path::new(&verb.root), &destination, compression, jobs, &context)?;
    Ok(())
}
