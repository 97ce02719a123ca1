//! `bareroot lock`: a lock is made, or moved.

use std::path::{Path, PathBuf};

use bareroot_depot::lock::{self, Lock, Move, Root};
use bareroot_model::Phase;

use super::{meaning, read};
use crate::context::Context;
use crate::error::Error;
use crate::plan::Plan;
use crate::request::{LockUse, Request};
use crate::{deb, rpm, tools};

/// What moves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Upgrade {
    /// Nothing that is fresh.
    Nothing,
    /// Everything.
    All,
    /// One package, with what it cannot do without.
    One(String),
}

/// What is to be locked, and where.
#[derive(Clone, Debug)]
pub struct Order {
    /// The lock.
    pub path: PathBuf,
    /// The architectures; none means those that the lock has, or the host's own.
    pub architectures: Vec<String>,
    /// What moves.
    pub upgrade: Upgrade,
}

/// What became of a lock.
#[derive(Clone, Debug)]
pub struct LockReport {
    /// The lock.
    pub path: PathBuf,
    /// Whether it was written: one that says already what it should is left alone.
    pub written: bool,
    /// Packages, by architecture.
    pub packages: Vec<(String, usize)>,
    /// What moved, by architecture, for those that it had before.
    pub moved: Vec<(String, Vec<Move>)>,
}

/// Makes a lock for a request, or brings one up to date.
///
/// # Errors
/// As the first three chapters of [`crate::bootstrap`]; when the lock that is there cannot be read, unless everything moves;
/// when one package is to move and there is no fresh lock that has it.
pub fn lock(request: &Request, order: &Order, context: &Context) -> Result<LockReport, Error> {
    tools::raise_file_limit();
    let before = existing(order, context)?;
    let made_from = meaning(request)?;
    let fresh = before.as_ref().is_some_and(|lock| lock.made_from == made_from);
    let wanted = wanted(before.as_ref(), request, order);
    if let Upgrade::One(_) = order.upgrade {
        let lock = before.as_ref().ok_or_else(|| Error::NoLock {
            path: order.path.clone(),
        })?;
        let changes = lock.made_from.changes(&made_from);
        if !changes.is_empty() {
            return Err(Error::StaleLock {
                path: order.path.clone(),
                changes: changes
                    .iter()
                    .map(ToString::to_string)
                    .collect::<Vec<_>>()
                    .join(", "),
            });
        }
    }
    let mut report = LockReport {
        path: order.path.clone(),
        written: false,
        packages: Vec::new(),
        moved: Vec::new(),
    };
    let mut roots = Vec::new();
    for arch in &wanted {
        let old = before.as_ref().and_then(|lock| lock.root(arch.as_deref()?));
        let root = match (old, &order.upgrade) {
            (Some(root), Upgrade::Nothing) if fresh => root.clone(),
            (old, upgrade) => chosen(request, arch.as_deref(), old, upgrade, order, context)?,
        };
        if let Some(before) = before.as_ref().and_then(|lock| lock.root(&root.arch)) {
            report.moved.push((root.arch.clone(), lock::moves(before, &root)));
        }
        roots.push(root);
    }
    // Architectures that nobody asked for stay, as long as they are what was asked for then.
    let others = before.iter().filter(|_| fresh).flat_map(|lock| &lock.roots);
    let others: Vec<Root> = others
        .filter(|other| roots.iter().all(|root| root.arch != other.arch))
        .cloned()
        .collect();
    roots.extend(others);
    roots.sort_by(|one, other| one.arch.cmp(&other.arch));
    report.packages = roots
        .iter()
        .map(|root| (root.arch.clone(), root.packages.len()))
        .collect();
    let recipe = request.recipe.as_deref().and_then(Path::file_name);
    let recipe = recipe.map(|name| name.to_string_lossy().into_owned());
    let known = before
        .as_ref()
        .filter(|_| fresh)
        .and_then(|lock| lock.recipe.clone());
    let after = Lock {
        made_from,
        recipe: recipe.or(known),
        roots,
    };
    if before.as_ref() != Some(&after) {
        write(&order.path, &lock::render(&after))?;
        report.written = true;
    }
    Ok(report)
}

/// The lock that is there.
fn existing(order: &Order, context: &Context) -> Result<Option<Lock>, Error> {
    match read(&order.path) {
        Err(Error::NoLock { .. }) => Ok(None),
        Err(Error::Depot(error)) if order.upgrade == Upgrade::All => {
            context.warn(format!("{error}: it is made anew"));
            Ok(None)
        }
        lock => lock.map(Some),
    }
}

/// The architectures; `None` stands for the host's own.
fn wanted(before: Option<&Lock>, request: &Request, order: &Order) -> Vec<Option<String>> {
    let known = || before.map(Lock::architectures).unwrap_or_default();
    let mut wanted: Vec<String> = match order.architectures.is_empty() {
        true => known()
            .into_iter()
            .map(str::to_owned)
            .chain(request.arch.clone())
            .collect(),
        false => order.architectures.clone(),
    };
    let mut seen = std::collections::HashSet::new();
    wanted.retain(|arch| seen.insert(arch.clone()));
    match wanted.is_empty() {
        true => vec![None],
        false => wanted.into_iter().map(Some).collect(),
    }
}

/// Chooses the packages of one architecture.
fn chosen(
    request: &Request,
    arch: Option<&str>,
    old: Option<&Root>,
    upgrade: &Upgrade,
    order: &Order,
    context: &Context,
) -> Result<Root, Error> {
    let request = Request {
        arch: arch.map(str::to_owned),
        lock: LockUse::No,
        ..request.clone()
    };
    let plan = context.phase(Phase::Plan, || Plan::new(&request, context))?;
    let fetcher = tools::fetcher(&request, context)?;
    let directory = order.path.parent().unwrap_or(Path::new(""));
    let one = match (old, upgrade) {
        (Some(old), Upgrade::One(name)) => Some((old, name.as_str())),
        _ => None,
    };
    match &plan {
        Plan::Deb(plan) => deb::lock(plan, one, directory, &fetcher, context),
        Plan::Rpm(plan) => rpm::lock(plan, one, directory, &fetcher, context),
    }
}

/// Replaces the file as a whole: whoever reads it meanwhile sees the one or the other.
fn write(path: &Path, text: &str) -> Result<(), Error> {
    let failed = |source| Error::Write {
        path: path.to_owned(),
        source,
    };
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}", std::process::id()));
    let beside = path.with_file_name(name);
    std::fs::write(&beside, text).map_err(failed)?;
    std::fs::rename(&beside, path).map_err(|error| {
        // The error of the rename is the one to tell.
        let _ = std::fs::remove_file(&beside);
        failed(error)
    })
}

/// The path of a file that the user named, as the lock has it: relative where it lies below the lock.
pub fn local_path(path: &str, directory: &Path) -> String {
    let absolute = |path: &Path| std::fs::canonicalize(path).ok();
    let directory = match directory.as_os_str().is_empty() {
        true => absolute(Path::new(".")),
        false => absolute(directory),
    };
    let Some(file) = absolute(Path::new(path)) else {
        return path.to_owned();
    };
    let below = directory.and_then(|directory| file.strip_prefix(directory).map(Path::to_owned).ok());
    below.unwrap_or(file).display().to_string()
}
