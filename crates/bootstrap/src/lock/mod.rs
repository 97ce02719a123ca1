//! Locks: when one is used in the place of indexes and a solution, and how one is made.

mod digest;
mod make;
mod meaning;
mod mirrors;
mod one;
mod relations;

use std::path::{Path, PathBuf};

use bareroot_depot::lock::{Family, Root};
use bareroot_depot::{Lock, lock as depot};

use crate::context::Context;
use crate::error::Error;
use crate::request::{LockUse, Request};
use crate::{bounded, deb, rpm};

pub use digest::{checksum, expected, packages};
pub use make::{LockReport, Order, Upgrade, local_path, lock};
pub use meaning::{meaning, request_of};
pub use mirrors::{of_source, recorded, same};
pub use one::upgraded;
pub use relations::Relations;

/// What a lock has for a request.
#[derive(Clone, Debug)]
pub struct Locked {
    /// What was chosen.
    pub root: Root,
    /// The file.
    pub path: PathBuf,
}

impl Locked {
    /// A file that the user had named when the lock was made: relative ones lie beside the lock.
    pub fn local(&self, path: &str) -> PathBuf {
        match self.path.parent() {
            Some(directory) => directory.join(path),
            None => path.into(),
        }
    }
}

/// Reads a lock.
///
/// # Errors
/// [`Error::NoLock`] where there is none.
pub fn read(path: &Path) -> Result<Lock, Error> {
    let text = bounded::read_text(path).map_err(|source| match source.kind() {
        std::io::ErrorKind::NotFound => Error::NoLock {
            path: path.to_owned(),
        },
        _ => Error::Read {
            path: path.to_owned(),
            source,
        },
    })?;
    Ok(depot::parse(&path.display().to_string(), &text)?)
}

/// The lock that a request uses: the one that it insists on, or one that lies beside its recipe and is fresh.
///
/// # Errors
/// When the lock that it insists on is missing, stale or for another architecture, or a lock cannot be read.
pub fn find(request: &Request, context: &Context) -> Result<Option<Locked>, Error> {
    let (path, only) = match &request.lock {
        LockUse::No => return Ok(None),
        LockUse::IfFresh(path) => (path, false),
        LockUse::Only(path) => (path, true),
    };
    let lock = match read(path) {
        Err(Error::NoLock { .. }) if !only => return Ok(None),
        lock => lock?,
    };
    let changes = lock.made_from.changes(&meaning(request)?);
    if !changes.is_empty() {
        let stale = Error::StaleLock {
            path: path.clone(),
            changes: changes
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(", "),
        };
        return not_used(stale, only, context);
    }
    let arch = match lock.roots.first().map(|root| &root.family) {
        Some(Family::Rpm(_)) => rpm::arch_of(request)?,
        _ => deb::arch_of(request)?,
    };
    let Some(root) = lock.root(&arch) else {
        let other = Error::LockedArch {
            path: path.clone(),
            wanted: arch,
            known: lock.architectures().join(", "),
        };
        return not_used(other, only, context);
    };
    context.note(format!(
        "{} is used: {} packages{}",
        path.display(),
        root.packages.len(),
        newest(root).map_or_else(String::new, |date| format!(", as of {date}"))
    ));
    if request.recipe.is_none() && lock.recipe.is_some() {
        context.note(format!(
            "{} has no more than the packages of its recipe; hooks and the like are in {}",
            path.display(),
            lock.recipe.as_deref().unwrap_or_default()
        ));
    }
    for source in &root.sources {
        if let Some(reason) = &source.unsigned {
            context.warn(format!(
                "{} was locked without a signature: {reason}",
                name(source)
            ));
        }
    }
    Ok(Some(Locked {
        root: root.clone(),
        path: path.clone(),
    }))
}

fn not_used(why: Error, only: bool, context: &Context) -> Result<Option<Locked>, Error> {
    if only {
        return Err(why);
    }
    context.warn(format!("{why}: it is not used"));
    Ok(None)
}

/// The date of the newest index, as it is written.
fn newest(root: &Root) -> Option<&str> {
    let time = |date: &str| bareroot_deb::release::parse_date(date);
    let dates = root.sources.iter().filter_map(|source| source.date.as_deref());
    dates.max_by_key(|date| time(date))
}

/// A source for messages.
fn name(source: &depot::Source) -> String {
    match &source.repository {
        Some(repository) => repository.id.clone(),
        None => {
            let suite = source.apt.iter().flat_map(|text| text.lines());
            let suite = suite.filter_map(|line| line.strip_prefix("Suites: ")).next();
            format!(
                "{} {}",
                source.uris.first().map_or("", String::as_str),
                suite.unwrap_or_default()
            )
        }
    }
}
