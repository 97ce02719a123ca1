//! Where a root grows, and how it leaves from there: as a directory that gets its name, or into an archive.

use std::sync::Arc;

use bareroot_export::Compression;
use bareroot_ledger::Ledger;
use bareroot_model::Phase;
use bareroot_unpack::{Root, Scratch, Staging};

use crate::context::Context;
use crate::error::Error;
use crate::target::{How, Sink, Target};

/// A root's place while it grows.
pub(crate) enum Site {
    /// It becomes a directory.
    Directory(Staging),
    /// It goes into an archive, and is removed.
    Archive {
        // Dropped first: the sink removes the directories that were made for both.
        scratch: Scratch,
        sink: Sink,
        compression: Compression,
    },
}

impl Site {
    /// Opens the place of a target. What cannot be used fails here, before anything was downloaded.
    ///
    /// # Errors
    /// When the target cannot be used.
    pub(crate) fn open(target: &Target, ledger: Option<Arc<Ledger>>) -> Result<Self, Error> {
        match target {
            Target::Directory(path) => {
                let mut staging = Staging::create(path)?;
                if let Some(ledger) = ledger {
                    staging.keep_ledger(ledger);
                }
                Ok(Site::Directory(staging))
            }
            Target::Archive(destination, compression) => {
                let sink = Sink::open(destination)?;
                let mut scratch = sink.scratch()?;
                if let Some(ledger) = ledger {
                    scratch.keep_ledger(ledger);
                }
                Ok(Site::Archive {
                    scratch,
                    sink,
                    compression: *compression,
                })
            }
        }
    }

    /// The root.
    pub(crate) fn root(&self) -> &Root {
        match self {
            Site::Directory(staging) => staging.root(),
            Site::Archive { scratch, .. } => scratch.root(),
        }
    }

    /// The root is finished: an archive is written, a directory has nothing to be done yet. `clamp` is the latest time
    /// that an archive has.
    ///
    /// # Errors
    /// When the archive cannot be written.
    pub(crate) fn write(&self, threads: usize, clamp: i64, context: &Context) -> Result<(), Error> {
        match self {
            Site::Directory(_) => Ok(()),
            Site::Archive {
                scratch,
                sink,
                compression,
            } => context.phase(Phase::Export, || {
                let how = How {
                    compression: *compression,
                    threads,
                    clamp: Some(clamp),
                    observer: context.observer().as_ref(),
                };
                sink.write(scratch.root(), &how, context).map(drop)
            }),
        }
    }

    /// Gives what was made its name.
    ///
    /// # Errors
    /// When the file system refuses.
    pub(crate) fn commit(self, context: &Context) -> Result<(), Error> {
        context.phase(Phase::Finish, || {
            context.cancel().check()?;
            match self {
                Site::Directory(staging) => {
                    staging.root().save_ledger()?;
                    Ok(staging.commit()?)
                }
                Site::Archive { scratch, sink, .. } => {
                    sink.commit()?;
                    warn_of(scratch.discard(), context);
                    Ok(())
                }
            }
        })
    }

    /// Removes the root after a failure.
    pub(crate) fn discard(self, context: &Context) {
        match self {
            Site::Directory(staging) => warn_of(staging.discard(), context),
            Site::Archive { scratch, sink, .. } => {
                warn_of(scratch.discard(), context);
                drop(sink);
            }
        }
    }
}

fn warn_of(removed: Result<(), bareroot_unpack::Error>, context: &Context) {
    if let Err(left) = removed {
        context.warn(format!("the unfinished root could not be removed: {left}"));
    }
}
