//! A tree that is there, the running system's or another, as a root of its own.

use std::path::PathBuf;

use bareroot_copy::{Selection, Settings, Source, Summary};
use bareroot_enter::mode::Mode;
use bareroot_model::{Event, Phase};
use bareroot_unpack::Staging;

use crate::context::Context;
use crate::error::Error;
use crate::target::Target;
use crate::{mode, tools};

/// What is cloned, and how.
#[derive(Clone, Debug)]
pub struct CloneOrder {
    /// The tree.
    pub from: PathBuf,
    /// Globs of paths that are left out.
    pub excludes: Vec<Vec<u8>>,
    /// Globs of paths that are brought back of these, with all that is below them.
    pub includes: Vec<Vec<u8>>,
    /// Whether what is mounted in it is cloned too.
    pub across: bool,
    /// Whether the clone is to be a system of its own.
    pub fresh: bool,
    /// Whether all of it is on the disk before it gets its name.
    pub sync: bool,
    /// Whether each path that is passed over is told.
    pub is_verbose: bool,
    /// Threads at most.
    pub jobs: Option<usize>,
    /// How root's rights were come by.
    pub mode: Mode,
}

/// Makes a clone at `target`, which must not exist or be empty. On an error nothing is left of it. What changes meanwhile, and
/// what cannot be read, is told and counted.
///
/// # Errors
/// See [`Error`]; its class is the exit code.
pub fn clone(order: &CloneOrder, target: &Target, context: &Context) -> Result<Summary, Error> {
    tools::raise_file_limit();
    let selection = Selection::new(&order.excludes, &order.includes, order.fresh)?;
    let source = Source::open(&order.from)?;
    let (entries, bytes) = match order.excludes.is_empty() && !order.across {
        true => source.extent(),
        false => (None, None),
    };
    context.tell(Event::CopyPlanned { entries, bytes });
    let summary = match target {
        Target::Directory(path) => {
            source.refuse(path)?;
            let mut staging = Staging::create(path)?;
            if let Some(ledger) = mode::ledger(order.mode) {
                staging.keep_ledger(ledger);
            }
            let skip = staging.ids();
            let settings = settings(order, &selection, &skip, context);
            let copied = context.phase(Phase::Copy, || {
                bareroot_copy::copy(&source, staging.root(), &settings)
            });
            let summary = match copied {
                Ok(summary) => summary,
                Err(error) => {
                    if let Err(left) = staging.discard() {
                        context.warn(format!("the unfinished clone could not be removed: {left}"));
                    }
                    return Err(error.into());
                }
            };
            context.phase(Phase::Finish, || {
                context.cancel().check()?;
                staging.root().save_ledger()?;
                match order.sync {
                    true => staging.commit()?,
                    false => staging.commit_unsynced()?,
                }
                Ok::<_, Error>(())
            })?;
            mode::say_what_is_missing(order.mode, context);
            summary
        }
        Target::Archive(..) => return Err(Error::DirectoryOnStdout),
    };
    tell(&summary, context);
    Ok(summary)
}

fn settings<'a>(
    order: &CloneOrder,
    selection: &'a Selection,
    skip: &'a [(u64, u64)],
    context: &'a Context,
) -> Settings<'a> {
    Settings {
        selection,
        across: order.across,
        threads: tools::cores(order.jobs),
        skip,
        is_verbose: order.is_verbose,
        cancel: context.cancel(),
        observer: context.observer().as_ref(),
    }
}

fn tell(summary: &Summary, context: &Context) {
    for (attribute, paths) in &summary.lost {
        context.warn(format!(
            "{paths} paths of the clone lack `{attribute}`, which cannot be set here"
        ));
    }
    context.tell(Event::Copied {
        entries: summary.entries,
        bytes: summary.bytes,
        shared: summary.shared.1,
        hard_links: summary.hard_links,
        sockets: summary.sockets,
        left_out: summary.left_out,
        fresh: summary.fresh,
        mounts: summary.mounts,
        changed: summary.changed,
        unreadable: summary.unreadable,
        seconds: context.seconds(),
    });
}
