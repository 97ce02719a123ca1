//! Chapters five and six, which overlap: archives are fetched and verified, and payloads are written into the root while
//! others still download.
//!
//! Where the order of packages matters, [`Placer`] settles it by the solution's order, never by arrival.

mod cached;
mod relations;

use std::sync::Arc;
use std::time::Instant;

use bareroot_deb::archive::{Deb, Digests, InfoLimits};
use bareroot_deb::scripts::{self, Diverts};
use bareroot_fetch::{Fetcher, Location, Request};
use bareroot_model::{Event, Phase};
use bareroot_trust::{Blob, Verified};
use bareroot_unpack::{
    Conffiles, Diversion, Diversions, Filter, Md5, NameTable, Order, Placed, Placer, PlacerSettings, Root,
    Subject, Taken,
};

use crate::context::Context;
use crate::deb::locked::Vouching;
use crate::deb::plan::Plan;
use crate::deb::solve::{LocalFiles, Pick};
use crate::error::Error;
use crate::kept::Use;
use crate::pipeline::{self, Job, Origin};
use crate::{request, tools};

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
    /// From what comes the trust in a package's digest.
    pub vouching: &'a Vouching,
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
    let jobs = picks
        .iter()
        .map(|pick| job(pick, work))
        .collect::<Result<Vec<_>, _>>()?;
    let confined = tools::placer(work.root, work.fetcher.cache());
    let debs = pipeline::run(
        jobs,
        work.threads,
        work.fetcher,
        context,
        &confined,
        |ordinal, blob| {
            let began = Instant::now();
            let pick = picks[ordinal];
            let (deb, bytes) = place_one(ordinal, pick, uses[ordinal], blob, &placer, work)?;
            context.span(format!("unpack {}", pick.package.name), Phase::Unpack, began);
            context.tell(Event::Unpacked {
                package: pick.package.name.clone(),
                bytes,
            });
            Ok(deb)
        },
    )?;
    let mut debs: Vec<Option<Deb>> = debs.into_iter().map(Some).collect();
    let began = Instant::now();
    let names = names(work.root)?;
    let declared = declared(picks, &debs);
    let outcome = confined.run(|| placer.finish(&names, &declared))?;
    relations::add_diversions(work.root, &outcome.diverted)?;
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

/// What the preinsts divert. They run later; until then files have to be out of each other's way.
fn declared(picks: &[&Pick], debs: &[Option<Deb>]) -> Diversions {
    let of_one = |(pick, deb): (&&Pick, &Option<Deb>)| -> Vec<Diversion> {
        let package = &pick.package.name;
        let preinst = deb.as_ref().and_then(|deb| deb.info("preinst"));
        let all = preinst.map(|preinst| scripts::diversions(&preinst.bytes, package));
        let diversion = |diverts: Diverts| Diversion {
            from: diverts.from.into_bytes(),
            to: diverts.to.into_bytes(),
            package: Some(package.clone()),
        };
        all.into_iter().flatten().map(diversion).collect()
    };
    picks.iter().zip(debs).flat_map(of_one).collect()
}

/// Whether a package's archive was in the cache before this run.
fn usage(pick: &Pick, work: &Work<'_>) -> Use {
    match pick.package.source {
        Some(_) => Use::of(pick.package.sha256, work.fetcher),
        None => Use::First,
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

/// Where a package's archive comes from, and what it must be.
fn job(pick: &Pick, work: &Work<'_>) -> Result<Job, Error> {
    let package = &pick.package;
    let origin = match package.source {
        None => Origin::Local(
            work.local
                .blob(&package.path)?
                .ok_or(Error::Worker("local files"))?,
        ),
        Some(source) => Origin::Mirror(Request {
            location: Location::new(
                work.plan.sources[source].addresses().to_vec(),
                package.path.clone(),
            ),
            expected: work.vouching.expected(source, &pick.expected),
            label: format!("{} {}", package.name, package.version),
        }),
    };
    Ok(Job {
        size: package.size,
        origin,
    })
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
