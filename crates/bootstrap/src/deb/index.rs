//! Chapter two: signed indexes are fetched, verified and parsed.
//!
//! For each source: InRelease, else Release with Release.gpg; its signature, suite and dates; then the package index of
//! each component and architecture, by its digest. Sources and indexes are read at the same time.

mod choose;
mod newest;
mod release;

use std::thread;
use std::time::SystemTime;

use bareroot_archive::Limits;
use bareroot_deb::packages::{self, Index, IndexInfo};
use bareroot_deb::release::Release;
use bareroot_enter::confine;
use bareroot_fetch::{Fetcher, Location};
use bareroot_model::Digest;
use bareroot_trust::{Trusted, Waiver};

use crate::context::Context;
use crate::deb::plan::{Plan, PlannedSource};
use crate::error::Error;
use crate::threads;
use choose::Wanted;
use release::Fetched;

/// The version of the parsed form in the cache: raised when what `packages` keeps changes.
pub(crate) const PARSED: &str = "packages-1";

/// No package index is larger than this when it is decoded: sid's main is 65 MB.
const LARGEST_INDEX: u64 = 2 << 30;

/// A source whose indexes are read.
pub struct IndexedSource {
    /// Its Release file.
    pub release: Trusted<Release>,
    /// The signed file that this is from.
    pub read: ReadIndex,
    /// Its package indexes; [`IndexInfo::source`] is the source's place in the plan.
    pub indexes: Vec<Index>,
}

pub use newest::newer;
pub use release::location;

/// A source's Release file alone, verified.
///
/// # Errors
/// When it cannot be had, is not signed as it must be, or is of another suite or time.
pub fn release(
    source: &PlannedSource,
    fetcher: &Fetcher,
    context: &Context,
) -> Result<Trusted<Release>, Error> {
    release::fetch(source, fetcher, context).map(|fetched| fetched.release)
}

/// The signed file of a source, as it was read.
#[derive(Clone, Debug)]
pub struct ReadIndex {
    /// `InRelease` or `Release`.
    pub file: &'static str,
    /// Its SHA-256.
    pub sha256: Digest,
    /// Its `Date`.
    pub date: Option<SystemTime>,
    /// Why no signature stands for it.
    pub waiver: Option<Waiver>,
}

/// Reads every source of the plan.
///
/// # Errors
/// The first source's error, in the plan's order.
pub fn index(plan: &Plan, fetcher: &Fetcher, context: &Context) -> Result<Vec<IndexedSource>, Error> {
    let sources = thread::scope(|scope| {
        let workers: Vec<_> = (plan.sources.iter().enumerate())
            .map(|(number, source)| {
                threads::start(scope, move || one_source(number, source, plan, fetcher, context))
            })
            .collect();
        workers.into_iter().map(|worker| worker.join("index")?).collect()
    });
    context.cancel().check()?;
    sources
}

/// One source; a second time from its Release file on, where the mirror moved between that and an index.
fn one_source(
    number: usize,
    source: &PlannedSource,
    plan: &Plan,
    fetcher: &Fetcher,
    context: &Context,
) -> Result<IndexedSource, Error> {
    match try_source(number, source, plan, fetcher, context) {
        Err(error) if moved(&error) => {
            context.note(format!(
                "{} changed while it was read; reading it again",
                source.name()
            ));
            match try_source(number, source, plan, fetcher, context) {
                Err(error) if moved(&error) => Err(Error::Moving(Box::new(error))),
                result => result,
            }
        }
        result => result,
    }
}

/// Whether an error looks like a mirror in the middle of an update: an index is gone, or is not what Release promised.
fn moved(error: &Error) -> bool {
    match error {
        Error::Fetch(error) => (error.is_not_found() && !error.is_offline()) || error.is_mismatch(),
        _ => false,
    }
}

fn try_source(
    number: usize,
    source: &PlannedSource,
    plan: &Plan,
    fetcher: &Fetcher,
    context: &Context,
) -> Result<IndexedSource, Error> {
    let Fetched { release, read, older } = release::fetch(source, fetcher, context)?;
    match indexes(number, source, &release, plan, fetcher, context) {
        Ok(indexes) => Ok(IndexedSource {
            release,
            read,
            indexes,
        }),
        // A mirror that was set back, or passes for it, need not have what a newer Release file lists.
        Err(error) => Err(match older {
            Some(older) if moved(&error) => older.refused(Some(error)),
            _ => error,
        }),
    }
}

/// The package indexes of a Release file, read at the same time.
fn indexes(
    number: usize,
    source: &PlannedSource,
    release: &Trusted<Release>,
    plan: &Plan,
    fetcher: &Fetcher,
    context: &Context,
) -> Result<Vec<Index>, Error> {
    let wanted = choose::wanted(release, source, plan, fetcher)?;
    thread::scope(|scope| {
        let workers: Vec<_> = wanted
            .iter()
            .map(|wanted| {
                threads::start(scope, || {
                    one_index(number, wanted, release, source, fetcher, context)
                })
            })
            .collect();
        workers.into_iter().map(|worker| worker.join("index")?).collect()
    })
}

fn one_index(
    number: usize,
    wanted: &Wanted,
    release: &Trusted<Release>,
    source: &PlannedSource,
    fetcher: &Fetcher,
    context: &Context,
) -> Result<Index, Error> {
    let label = format!("{} {}", source.name(), wanted.path);
    let info = IndexInfo::new(u32::try_from(number).unwrap_or(u32::MAX), &label);
    let parsed = fetcher.cache().zip(wanted.listed.sha256);
    if let Some((cache, digest)) = parsed {
        // A damaged entry is a miss.
        let hit = cache
            .derived(&digest, PARSED)
            .and_then(|bytes| Index::from_bytes(bytes, info.clone()).ok());
        if let Some(index) = hit {
            return Ok(index);
        }
    }
    let expected = release.try_map(|_| wanted.listed.expected())?;
    let locations: Vec<Location> = [wanted.by_hash.clone(), Some(wanted.path.clone())]
        .into_iter()
        .flatten()
        .map(|path| release::location(source, &path))
        .collect();
    let blob = fetcher.verified_at_any(&locations, &expected, &label)?;
    let began = std::time::Instant::now();
    let limits = Limits {
        output: LARGEST_INDEX,
        ..Limits::default()
    };
    let index = confine::parse(|| -> Result<Index, Error> {
        let reader = choose::decode(wanted.compression, blob.get(), limits)?;
        Ok(Index::read_ahead(reader, info, packages::Limits::default())?)
    })?;
    context.span(
        format!("parse {}", wanted.path),
        bareroot_model::Phase::Index,
        began,
    );
    if let Some((cache, digest)) = parsed {
        cache.keep_derived(&digest, PARSED, &index.to_bytes());
    }
    Ok(index)
}
