//! Chapters five and six: packages are fetched and verified, then their payloads are written into the root.
//!
//! All headers are read before the first file is written: scriptlets of the whole transaction come before it, links that
//! other packages' paths go through must be there first, and files that packages share are settled by their headers.

mod links;
mod shared;

use std::io::Read;
use std::path::Path;
use std::time::{Instant, SystemTime};

use bareroot_archive::{Compression, Limits as DecoderLimits};
use bareroot_enter::confine::Confined;
use bareroot_fetch::{Cache, Fetcher, Request};
use bareroot_model::{Entry, Event, Phase};
use bareroot_rpm::{Covers, FileChoice, Limits, PackageFile, Payload, State};
use bareroot_trust::{Blob, PackageSignature, Policy, Trusted, Verified, Waiver};
use bareroot_unpack::{
    Directories, Diversions, Filter, Md5, NameTable, Order, PayloadError, Placer, PlacerSettings, Root,
    Subject,
};

use super::arch;
use super::index::IndexedRepo;
use super::plan::{Check, Plan};
use super::solve::{LocalFiles, Pick, Solution};
use crate::context::Context;
use crate::error::Error;
use crate::kept::{self, Use};
use crate::pipeline::{self, Job, Origin};
use crate::{request, threads, tools};
pub use shared::Shared;

/// The version of a payload's form in the cache.
const PLAIN: &str = "cpio-1";

/// A package that is here and verified.
pub struct Arrived {
    /// Which.
    pub pick: Pick,
    /// Its headers.
    pub file: PackageFile,
    /// Its bytes.
    pub blob: Verified<Blob>,
    /// Whether it was in the cache before this run.
    pub usage: Use,
}

/// What is in the root.
pub struct Unpacked {
    /// The state of each package's files, by the packages' places.
    pub states: Vec<Vec<State>>,
    /// Which of them their packages leave out, because of their states or because a package before has made them.
    pub skipped: Vec<Vec<bool>>,
}

/// Where packages come from, and by which keys they are judged.
#[derive(Clone, Copy)]
pub struct Sources<'a> {
    /// The repositories as they are planned.
    pub plan: &'a Plan,
    /// The repositories as they were read.
    pub repos: &'a [IndexedRepo],
    /// The files that the user named.
    pub local: &'a LocalFiles,
}

/// Fetches and verifies all packages, in the solution's order.
///
/// # Errors
/// The first error of any package.
pub fn fetch(
    solution: &Solution,
    sources: &Sources<'_>,
    fetcher: &Fetcher,
    threads: usize,
    context: &Context,
) -> Result<Vec<Arrived>, Error> {
    let uses: Vec<Use> = solution
        .picks
        .iter()
        .map(|pick| Use::of(pick.package.sha256, fetcher))
        .collect();
    let jobs = solution
        .picks
        .iter()
        .map(|pick| {
            let origin = match pick.repo {
                Some(repo) => Origin::Mirror(Request {
                    location: pick.location.clone(),
                    expected: sources.repos[repo].vouch(&pick.expected),
                    label: format!("{}-{}", pick.package.name, pick.package.version),
                }),
                None => Origin::Local(sources.local.blob(&pick.package.path)?),
            };
            Ok(Job {
                size: pick.package.size,
                origin,
            })
        })
        .collect::<Result<_, Error>>()?;
    pipeline::run(
        jobs,
        threads,
        fetcher,
        context,
        &Confined::parser(),
        |place, blob| {
            let pick = &solution.picks[place];
            let file = PackageFile::open(blob.get(), &Limits::default())?;
            check_name(pick, &file)?;
            verify(pick, &file, blob.get(), sources, context)?;
            let blob = share(blob)?;
            Ok(Arrived {
                pick: pick.clone(),
                file,
                blob,
                usage: uses.get(place).copied().unwrap_or(Use::First),
            })
        },
    )
}

/// Whether a package is the one that its repository says it is, and its signature what the plan wants.
///
/// # Errors
/// When it is not.
pub fn judge(pick: &Pick, blob: &Blob, sources: &Sources<'_>, context: &Context) -> Result<(), Error> {
    let file = PackageFile::open(blob, &Limits::default())?;
    check_name(pick, &file)?;
    verify(pick, &file, blob, sources, context).map(|_| ())
}

/// Another handle of the same verified file.
fn share(blob: &Verified<Blob>) -> Result<Verified<Blob>, Error> {
    blob.as_ref().try_map(|blob| {
        let file = blob.file().try_clone().map_err(|source| Error::Read {
            path: blob.name().into(),
            source,
        })?;
        Ok(Blob::new(file, blob.size(), blob.sha256(), blob.name()))
    })
}

/// A package must be the one that the repository says it is.
fn check_name(pick: &Pick, file: &PackageFile) -> Result<(), Error> {
    let nevra = file.header().nevra();
    let package = &pick.package;
    if nevra.name == package.name && nevra.evr() == package.version && nevra.arch == package.architecture {
        return Ok(());
    }
    Err(Error::OtherPackage {
        path: file.name().to_owned(),
        expected: format!("{}-{}.{}", package.name, package.version, package.architecture),
        found: nevra.to_string(),
    })
}

/// The package's signature, by its repository's keys; then what the signed header says of header and payload.
fn verify(
    pick: &Pick,
    file: &PackageFile,
    blob: &Blob,
    sources: &Sources<'_>,
    context: &Context,
) -> Result<Trusted<()>, Error> {
    let plan = sources.plan;
    let now = SystemTime::now();
    let (check, keyring, policy) = match pick.repo {
        Some(repo) => {
            let planned = &plan.repos[repo];
            (
                planned.gpgcheck,
                &sources.repos[repo].keyring,
                planned.policy(now),
            )
        }
        None => (Check::Waived, &plan.local_keys, Policy::at(now)),
    };
    let name = format!("{}-{}", pick.package.name, pick.package.version);
    file.check_header()?;
    file.check_payload(blob)?;
    let waived = || {
        bareroot_trust::waive_package(Waiver {
            reason: format!("the signature of {name} was waived"),
        })
    };
    if check == Check::Off {
        return Ok(waived());
    }
    let signatures = file.signatures();
    // Only packages of old need their whole file signed: their headers say nothing of the payload.
    let whole = match file.has_payload_digest() {
        true => Vec::new(),
        false => rest_of(blob, file.header_offset())?,
    };
    let usable: Vec<PackageSignature<'_>> = signatures
        .iter()
        .filter_map(|signature| match signature.covers {
            Covers::Header => Some(PackageSignature {
                packets: &signature.packets,
                signed: file.header().bytes(),
            }),
            Covers::HeaderAndPayload if !whole.is_empty() => Some(PackageSignature {
                packets: &signature.packets,
                signed: &whole,
            }),
            Covers::HeaderAndPayload => None,
        })
        .collect();
    match bareroot_trust::verify_package(&name, &usable, keyring, &policy) {
        // dnf checks no signature of a file that is named (`localpkg_gpgcheck`); one that is wrong is damage all the same.
        Err(error @ bareroot_trust::Error::BadSignature { .. }) if pick.repo.is_none() => Err(error.into()),
        Err(error) if check == Check::Waived => {
            context.warn(format!("{name} is not verified: {error}"));
            Ok(waived())
        }
        result => Ok(result?),
    }
}

/// A file's bytes from some place on.
fn rest_of(blob: &Blob, from: u64) -> Result<Vec<u8>, Error> {
    use std::io::{Read as _, Seek as _, SeekFrom};
    let mut reader = blob.reader();
    let mut bytes = Vec::new();
    reader
        .seek(SeekFrom::Start(from))
        .and_then(|_| reader.read_to_end(&mut bytes))
        .map_err(|source| Error::Read {
            path: blob.name().into(),
            source,
        })?;
    Ok(bytes)
}

/// Writes the payloads, in parallel; the packages are in the order of installation.
///
/// # Errors
/// The first error of any package. The root is in disorder then.
pub fn place(
    arrived: &[Arrived],
    plan: &Plan,
    root: &Root,
    filters: &[request::Filter],
    threads: usize,
    cache: Option<&Cache>,
    context: &Context,
) -> Result<Unpacked, Error> {
    let choice = FileChoice {
        no_docs: plan.no_docs,
        langs: plan.langs.clone(),
        color: arch::color(&plan.arch),
    };
    let confined = tools::placer(root, cache);
    let (shared, links) = confined.run(|| -> Result<_, Error> {
        let (shared, mut links) = Shared::settle(arrived, &choice, root)?;
        links.make(root)?;
        Ok((shared, links))
    })?;
    let filter = |filter: &request::Filter| match filter.include {
        true => Filter::include(&filter.glob),
        false => Filter::exclude(&filter.glob),
    };
    let placer = Placer::new(
        root,
        PlacerSettings {
            filters: filters.iter().map(filter).collect(),
            cancel: context.cancel().clone(),
            directories: Directories::Dress,
            ..PlacerSettings::default()
        },
    )?;
    let mut order: Vec<usize> = (0..arrived.len()).collect();
    order.sort_by_key(|place| std::cmp::Reverse(arrived[*place].pick.package.size));
    let next = std::sync::atomic::AtomicUsize::new(0);
    let failed = std::sync::atomic::AtomicBool::new(false);
    let work = || {
        loop {
            let number = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let Some(&place) = order.get(number) else {
                return Ok(());
            };
            if failed.load(std::sync::atomic::Ordering::Relaxed) {
                return Ok(());
            }
            let began = Instant::now();
            let package = &arrived[place];
            let bytes = place_one(place, package, &shared, &choice, &placer, cache).inspect_err(|_| {
                failed.store(true, std::sync::atomic::Ordering::Relaxed);
            })?;
            let name = &package.pick.package.name;
            context.span(format!("unpack {name}"), Phase::Unpack, began);
            context.tell(Event::Unpacked {
                package: name.clone(),
                bytes,
            });
        }
    };
    let placed = confined.run(|| threads::on_all(threads, "unpack", work));
    context.cancel().check()?;
    placed?;
    // Owners wait until the packages' users exist.
    confined.run(|| -> Result<(), Error> {
        placer.finish(&NameTable::default(), &Diversions::default())?;
        links.settle_times(root)
    })?;
    let (states, skipped) = shared.into_parts();
    Ok(Unpacked { states, skipped })
}

fn place_one(
    place: usize,
    arrived: &Arrived,
    shared: &Shared,
    choice: &FileChoice,
    placer: &Placer,
    cache: Option<&Cache>,
) -> Result<u64, Error> {
    let package = &arrived.pick.package;
    let order = Order {
        ordinal: place,
        subject: Subject {
            name: package.name.clone(),
            version: package.version.clone(),
            architecture: package.architecture.clone(),
            multi_arch_same: false,
        },
        conffiles: Default::default(),
        md5: Md5::Conffiles,
    };
    let entries = |plain| {
        let mut payload = arrived.file.entries(plain, choice);
        payload.skip(shared.unwritten(place));
        if arrived.file.has_payload_digest() {
            payload.trust_contents();
        }
        Ownerless(payload)
    };
    let file = &arrived.file;
    if let Some(cache) = cache.filter(|_| file.compression().is_ok_and(|how| how != Compression::None)) {
        let digest = arrived.blob.get().sha256();
        let decode = |limits| Ok(file.plain_payload(&arrived.blob, limits)?.into_inner());
        if let Some(kept) = kept::payload(cache, &digest, PLAIN, arrived.usage, decode)? {
            let payload = arrived
                .blob
                .as_ref()
                .map(|_| entries(Box::new(kept) as Box<dyn Read + Send>));
            return Ok(placer.place(&order, payload)?.bytes);
        }
    }
    let plain = file.plain_payload(&arrived.blob, DecoderLimits::default())?;
    Ok(placer.place(&order, plain.map(entries))?.bytes)
}

/// A payload whose files are all root's for the time being: users are made by the packages themselves.
struct Ownerless<R>(Payload<R>);

impl<R: std::io::Read> bareroot_unpack::Payload for Ownerless<R> {
    fn next_entry(&mut self) -> Result<Option<Entry>, PayloadError> {
        let entry = self.0.next_entry().map_err(PayloadError::new)?;
        Ok(entry.map(|entry| Entry {
            user: None,
            group: None,
            ..entry
        }))
    }

    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        // A content that is cut off or another one is the package's fault, not that of the file it is read from.
        std::io::Read::read(&mut self.0, buffer).map_err(|error| {
            match error.downcast::<bareroot_rpm::Error>() {
                Ok(error) => PayloadError::new(error).into(),
                Err(error) => error,
            }
        })
    }
}

/// A path of a header as the root's functions want it.
pub fn inside(path: &[u8]) -> &Path {
    use std::os::unix::ffi::OsStrExt as _;
    let path = path.strip_prefix(b"/").unwrap_or(path);
    Path::new(std::ffi::OsStr::from_bytes(path))
}

#[cfg(test)]
mod tests;
