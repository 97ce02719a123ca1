//! A root that is there: as an archive, or no more.

use std::path::Path;

use bareroot_export::{Compression, Summary};
use bareroot_unpack::{Root, remove_root};

use crate::context::Context;
use crate::error::Error;
use crate::target::{Destination, How, Sink};
use crate::tools;

/// Writes the root at `path` to an archive, its ledger's owners and devices in the place of the file system's. No time is
/// later than `SOURCE_DATE_EPOCH`, where that is set. `jobs` limits the threads that compress.
///
/// # Errors
/// See [`Error`]; its class is the exit code.
pub fn export(
    path: &Path,
    destination: &Destination,
    compression: Compression,
    jobs: Option<usize>,
    context: &Context,
) -> Result<Summary, Error> {
    let clamp = tools::source_date_epoch()?;
    let root = Root::open(path)?.with_own_ledger()?;
    let sink = Sink::open(destination)?;
    let how = How {
        compression,
        threads: tools::cores(jobs),
        clamp,
        observer: context.observer().as_ref(),
    };
    let summary = sink.write(&root, &how, context)?;
    context.cancel().check()?;
    sink.commit()?;
    Ok(summary)
}

/// Removes the root at `path`, unless something is mounted on it or in it.
///
/// # Errors
/// [`Error::Unpack`]: it is no directory, or `/`; something is mounted; the file system refuses.
pub fn remove(path: &Path) -> Result<(), Error> {
    Ok(remove_root(path)?)
}
