//! Chapters five and six, which overlap: archives are fetched and verified, and payloads are written into the root while
//! others still download.
//!
//! Transfers have threads of their own; as many threads as there are cores decompress and place. Both take the largest
//! package first: the longest job must not come last. Where the order of packages matters, [`Placer`] settles it by the
//! solution's order, never by arrival.

mod cached;
mod queue;
mod relations;

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Instant;

use bareroot_deb::archive::{Deb, Digests, InfoLimits};
use bareroot_deb::release::Release;
use bareroot_fetch::{Fetcher, Location, Request};
use bareroot_model::{Event, Phase};
use bareroot_trust::{Blob, Trusted, Verified};
use bareroot_unpack::{
    Conffiles, Filter, Md5, NameTable, Order, Placed, Placer, PlacerSettings, Root, Subject, Taken,
};

use crate::context::Context;
use crate::error::Error;
use crate::plan::Plan;
use crate::request;
use crate::solve::{LocalFiles, Pick};
use cached::Use;
use queue::Queue;

/// A package whose payload is in the root.
pub struct InRoot {
    /// Its control archive.
    pub deb: Deb,
    /// What of it is where.
    pub placed: Placed,
}

/// What was unpacked.
pub struct Unpacked {
    /// The packages, in the solution's order.
    pub packages: Vec<InRoot>,
    /// Paths that installed packages lost to them.
    pub taken: Vec<Taken>,
}

/// What unpacking works with.
pub struct Work<'a> {
    /// The root.
    pub root: &'a Root,
    /// The plan.
    pub plan: &'a Plan,
    /// The sources' Release files: from them comes the trust in a package's digest.
    pub releases: &'a [Trusted<Release>],
    /// Files named on the command line.
    pub local: &'a LocalFiles,
    /// Who fetches.
    pub fetcher: &'a Fetcher,
    /// `--path-exclude` and `--path-include`.
    pub filters: &'a [request::Filter],
    /// Threads that place.
    pub threads: usize,
}

/// Fetches, verifies and unpacks packages; they come back in the given order, which is the solution's.
///
/// # Errors
/// The first error of any package. The root is in disorder then.
pub fn unpack(picks: &[&Pick], work: &Work<'_>, context: &Context) -> Result<Unpacked, Error> {
    let uses: Vec<Use> = picks.iter().map(|pick| usage(pick, work)).collect();
    let placer = Placer::new(work.root, settings(picks, work, context)?)?;
    let queue = Queue::default();
    let mut debs: Vec<Option<Deb>> = picks.iter().map(|_| None).collect();
    let results = thread::scope(|scope| {
        let workers: Vec<_> = (0..work.threads.max(1))
            .map(|_| scope.spawn(|| place_all(picks, &uses, &placer, &queue, work, context)))
            .collect();
        let fetched = fetch_all(picks, &queue, work, context);
        queue.close();
        let mut results = vec![fetched.map(|()| Vec::new())];
        results.extend(
            workers
                .into_iter()
                .map(|worker| worker.join().map_err(|_| Error::Worker("unpack")).flatten()),
        );
        results
    });
    context.cancel().check()?;
    // A worker's own error says more than the end of the transfers that it caused.
    for result in results.into_iter().rev() {
        for (ordinal, deb) in result? {
            debs[ordinal] = Some(deb);
        }
    }
    let began = Instant::now();
    let outcome = placer.finish(&names(work.root)?)?;
    context.span("links and directories", Phase::Unpack, began);
    let in_root = |placed: Placed| {
        debs.get_mut(placed.ordinal)?
            .take()
            .map(|deb| InRoot { deb, placed })
    };
    let packages: Vec<InRoot> = outcome.packages.into_iter().filter_map(in_root).collect();
    if packages.len() != picks.len() {
        return Err(Error::Worker("unpack"));
    }
    Ok(Unpacked {
        packages,
        taken: outcome.taken,
    })
}

/// Whether a package's archive was in the cache before this run.
fn usage(pick: &Pick, work: &Work<'_>) -> Use {
    match work.fetcher.cache().zip(pick.package.sha256) {
        Some((cache, digest)) if pick.package.source.is_some() && cache.has_archive(&digest) => Use::Again,
        _ => Use::First,
    }
}

fn settings(picks: &[&Pick], work: &Work<'_>, context: &Context) -> Result<PlacerSettings, Error> {
    let filter = |filter: &request::Filter| match filter.include {
        true => Filter::include(&filter.glob),
        false => Filter::exclude(&filter.glob),
    };
    Ok(PlacerSettings {
        filters: work.filters.iter().map(filter).collect(),
        diversions: relations::diversions(work.root)?,
        relations: Arc::new(relations::Replaces::new(picks)),
        installed: Arc::new(relations::Lists::read(work.root)?),
        conffiles: Conffiles::default(),
        cancel: context.cancel().clone(),
        ..PlacerSettings::default()
    })
}

/// The root's own users and groups; before base-passwd's preinst has made them, its masters.
fn names(root: &Root) -> Result<NameTable, Error> {
    let mut files = Vec::new();
    for (file, master) in [
        ("etc/passwd", "usr/share/base-passwd/passwd.master"),
        ("etc/group", "usr/share/base-passwd/group.master"),
    ] {
        let text = match root.read_if_exists(file)? {
            Some(text) => Some(text),
            None => root.read_if_exists(master)?,
        };
        files.push(text.unwrap_or_default());
    }
    Ok(NameTable::from_files(&files[0], &files[1]))
}

/// Hands every archive to the queue as it comes.
fn fetch_all(picks: &[&Pick], queue: &Queue, work: &Work<'_>, context: &Context) -> Result<(), Error> {
    let mut order: Vec<usize> = (0..picks.len()).collect();
    order.sort_by_key(|ordinal| (std::cmp::Reverse(picks[*ordinal].package.size), *ordinal));
    let first = Mutex::new(None);
    let mut requests = Vec::new();
    let mut ordinals = Vec::new();
    for ordinal in order {
        let package = &picks[ordinal].package;
        let Some(source) = package.source else {
            let blob = work
                .local
                .blob(&package.path)?
                .ok_or(Error::Worker("local files"))?;
            queue.push(ordinal, package.size, blob);
            continue;
        };
        let expected = work.releases[source].map(|_| picks[ordinal].expected.clone());
        requests.push(Request {
            location: Location {
                mirrors: work.plan.sources[source].source.uris.clone(),
                path: package.path.clone(),
            },
            expected,
            label: format!("{} {}", package.name, package.version),
        });
        ordinals.push(ordinal);
    }
    context.phase(Phase::Fetch, || {
        work.fetcher.all(&requests, |place, result| {
            match result {
                Ok(blob) => queue.push(ordinals[place], picks[ordinals[place]].package.size, blob),
                Err(error) => {
                    queue.stop();
                    first
                        .lock()
                        .unwrap_or_else(|poisoned| poisoned.into_inner())
                        .get_or_insert(error);
                }
            }
            // Where a worker failed, what is still to come is of no use.
            if queue.is_stopped() {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })
    })?;
    match first
        .into_inner()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
    {
        Some(error) => Err(error.into()),
        None => Ok(()),
    }
}

/// What one thread does: takes the largest archive there is, until none comes any more.
fn place_all(
    picks: &[&Pick],
    uses: &[Use],
    placer: &Placer,
    queue: &Queue,
    work: &Work<'_>,
    context: &Context,
) -> Result<Vec<(usize, Deb)>, Error> {
    let mut debs = Vec::new();
    while let Some((ordinal, blob)) = queue.pop() {
        let began = Instant::now();
        let pick = picks[ordinal];
        match place_one(ordinal, pick, uses[ordinal], &blob, placer, work) {
            Ok((deb, bytes)) => {
                debs.push((ordinal, deb));
                context.span(format!("unpack {}", pick.package.name), Phase::Unpack, began);
                context.tell(Event::Unpacked {
                    package: pick.package.name.clone(),
                    bytes,
                });
            }
            Err(error) => {
                queue.stop();
                return Err(error);
            }
        }
    }
    Ok(debs)
}

fn place_one(
    ordinal: usize,
    pick: &Pick,
    usage: Use,
    blob: &Verified<Blob>,
    placer: &Placer,
    work: &Work<'_>,
) -> Result<(Deb, u64), Error> {
    let package = &pick.package;
    let deb = Deb::open(blob, &InfoLimits::default())?;
    deb.check_against(&package.name, &package.version, &package.architecture)?;
    let (conffiles, md5) = match deb.digests()? {
        Digests::None => (Default::default(), Md5::Conffiles),
        Digests::Only(paths) => (paths, Md5::Conffiles),
        Digests::All => (conffiles(&deb)?, Md5::All),
    };
    let order = Order {
        ordinal,
        subject: subject(pick),
        conffiles,
        md5,
    };
    let summary = cached::place(
        &deb,
        blob,
        &order,
        placer,
        work.fetcher.cache().map(|cache| (cache, usage)),
    )?;
    Ok((deb, summary.bytes))
}

fn conffiles(deb: &Deb) -> Result<std::collections::HashSet<Vec<u8>>, Error> {
    Ok(deb
        .conffiles()?
        .into_iter()
        .filter(|file| !file.remove_on_upgrade)
        .map(|file| file.path)
        .collect())
}

fn subject(pick: &Pick) -> Subject {
    Subject {
        name: pick.package.name.clone(),
        version: pick.package.version.clone(),
        architecture: pick.package.architecture.clone(),
        multi_arch_same: pick.multi_arch_same,
    }
}
