//! A tree that is there, the running system's or another, as a root of its own.

use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bareroot_copy::{Owners, OwnersMap, Selection, Settings, Source, Summary};
use bareroot_enter::Onlooker;
use bareroot_enter::mode::Mode;
use bareroot_export::{Compression, StreamSettings};
use bareroot_model::{Event, Phase};
use bareroot_unpack::Staging;

use crate::context::Context;
use crate::error::Error;
use crate::target::{Destination, Sink, Target};
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
    /// Whether it is only said what would be cloned.
    pub dry_run: bool,
    /// Whether all of it is on the disk before it gets its name.
    pub sync: bool,
    /// Whether each path that is passed over is told.
    pub is_verbose: bool,
    /// Threads at most.
    pub jobs: Option<usize>,
    /// How root's rights were come by.
    pub mode: Mode,
    /// Who knows whom files belong to outside of this process's user namespace.
    pub onlooker: Option<Arc<Onlooker>>,
}

/// The onlooker, as a copy asks it.
#[derive(Debug)]
struct Outside(Arc<Onlooker>);

impl Owners for Outside {
    fn of(&self, directory: BorrowedFd<'_>) -> std::io::Result<OwnersMap> {
        let owners = self.0.owners(directory)?;
        Ok(owners
            .into_iter()
            .map(|owner| (owner.file, (owner.uid, owner.gid)))
            .collect())
    }
}

/// Makes a clone at `target`, which must not exist or be empty. On an error nothing is left of it. What changes meanwhile, and
/// what cannot be read, is told and counted.
///
/// # Errors
/// See [`Error`]; its class is the exit code.
pub fn clone(order: &CloneOrder, target: &Target, context: &Context) -> Result<Summary, Error> {
    tools::raise_file_limit();
    let selection = Selection::new(&order.excludes, &order.includes, order.fresh)?;
    let mut source = Source::open(&order.from)?;
    if let Some(onlooker) = &order.onlooker {
        source = source.with_owners(Arc::new(Outside(Arc::clone(onlooker))));
    }
    let (entries, bytes) = match order.excludes.is_empty() && !order.across {
        true => source.extent(),
        false => (None, None),
    };
    context.tell(Event::CopyPlanned { entries, bytes });
    let work = Work {
        order,
        selection: &selection,
        source: &source,
        context,
    };
    let summary = match (target, order.dry_run) {
        (Target::Directory(path), true) => {
            source.refuse(path)?;
            work.survey()?
        }
        (Target::Archive(..), true) => work.survey()?,
        (Target::Directory(path), false) => work.directory(path)?,
        (Target::Archive(destination, compression), false) => work.archive(destination, *compression)?,
    };
    tell(&summary, context);
    Ok(summary)
}

/// What all ways of making a clone need.
struct Work<'w> {
    order: &'w CloneOrder,
    selection: &'w Selection,
    source: &'w Source,
    context: &'w Context,
}

impl Work<'_> {
    fn survey(&self) -> Result<Summary, Error> {
        let settings = self.settings(&[]);
        Ok(self
            .context
            .phase(Phase::Copy, || bareroot_copy::survey(self.source, &settings))?)
    }

    fn directory(&self, path: &Path) -> Result<Summary, Error> {
        let Work {
            order,
            source,
            context,
            ..
        } = self;
        source.refuse(path)?;
        let mut staging = Staging::create(path)?;
        if let Some(ledger) = mode::ledger(order.mode) {
            staging.keep_ledger(ledger);
        }
        let skip = staging.ids();
        let settings = self.settings(&skip);
        let copied = context.phase(Phase::Copy, || {
            let summary = bareroot_copy::copy(source, staging.root(), &settings)?;
            context.cancel().check()?;
            staging.root().save_ledger()?;
            Ok::<_, Error>(summary)
        });
        let summary = match copied {
            Ok(summary) => summary,
            Err(error) => {
                if let Err(left) = staging.discard() {
                    context.warn(format!("the unfinished clone could not be removed: {left}"));
                }
                return Err(error);
            }
        };
        context.phase(Phase::Finish, || match order.sync {
            true => staging.commit(),
            false => staging.commit_unsynced(),
        })?;
        mode::say_what_is_missing(order.mode, context);
        Ok(summary)
    }

    fn archive(&self, destination: &Destination, compression: Compression) -> Result<Summary, Error> {
        let Work { order, context, .. } = self;
        let clamp = tools::source_date_epoch()?;
        let sink = Sink::open(destination)?;
        let skip = sink.ids()?;
        let settings = self.settings(&skip);
        let stream = StreamSettings {
            compression,
            threads: settings.threads,
            clamp,
            cancel: context.cancel(),
        };
        let summary = context.phase(Phase::Copy, || {
            bareroot_copy::archive(self.source, sink.file(), &stream, &settings)
        })?;
        context.phase(Phase::Finish, || {
            context.cancel().check()?;
            match order.sync {
                true => sink.commit(),
                false => sink.commit_unsynced(),
            }
        })?;
        Ok(summary)
    }

    fn settings<'a>(&'a self, skip: &'a [(u64, u64)]) -> Settings<'a> {
        Settings {
            selection: self.selection,
            across: self.order.across,
            threads: tools::cores(self.order.jobs),
            skip,
            is_verbose: self.order.is_verbose,
            cancel: self.context.cancel(),
            observer: self.context.observer().as_ref(),
        }
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
