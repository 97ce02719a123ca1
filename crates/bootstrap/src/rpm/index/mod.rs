//! Chapter two: repositories' metadata is fetched, verified and parsed.
//!
//! For each repository: its mirrors and keys; repomd.xml, by the metalink and its signature; then primary, comps and
//! modules, by their digests. Repositories are read at the same time. The lists of all files come only when a
//! dependency asks for one that primary does not know.

mod keys;
mod mirrors;
mod newest;
mod repomd;

use std::sync::Arc;
use std::thread;

use bareroot_archive::{Compression, Limits};
use bareroot_enter::confine;
use bareroot_fetch::{Fetcher, Location};
use bareroot_model::{Class, Classified as _, Digest, Phase};
use bareroot_rpm_repo::comps::Comps;
use bareroot_rpm_repo::modules::Modules;
use bareroot_rpm_repo::repomd::{Data, DataKind, Digests, Repomd};
use bareroot_rpm_repo::{Index, filelists};
use bareroot_trust::{Blob, Expected, Keyring, Trusted, Verified, Waiver};

pub use keys::keyring;
pub use mirrors::{Mirrors, find as mirrors_of};
pub use newest::newer;
pub use repomd::{fetch as repomd, known as repomd_text};

use super::plan::{Plan, PlannedRepo};
use crate::context::Context;
use crate::error::Error;
use crate::threads;
use repomd::Fetched;

/// The version of the parsed form in the cache: raised when what the index keeps changes.
const PARSED: &str = "primary-2";

/// No metadata file is larger than this when it is decoded: Fedora's filelists have a gigabyte.
const LARGEST_INDEX: u64 = 4 << 30;

/// A repository that is read.
pub struct IndexedRepo {
    /// Where its files are.
    pub mirrors: Vec<String>,
    /// The keys that may sign its packages.
    pub keyring: Arc<Keyring>,
    /// Which digests vouch for its files.
    pub digests: Digests,
    /// Its repomd.xml: from it comes the trust in every digest.
    pub repomd: Trusted<Repomd>,
    /// The SHA-256 of that file; `None` where it was not read.
    pub sha256: Option<Digest>,
    /// Its date, in seconds since 1970.
    pub date: Option<u64>,
    /// A lock in the place of repomd.xml, and the waiver under which it was made.
    lock: Option<Option<Waiver>>,
    /// Its packages.
    pub index: Index,
    /// Its groups, where it has any.
    pub comps: Option<Comps>,
    /// Its module streams, where it has any.
    pub modules: Option<Modules>,
}

impl IndexedRepo {
    /// A repository that could not be reached, and need not be.
    fn left_out() -> IndexedRepo {
        let reason = "the repository is left out".to_owned();
        IndexedRepo {
            mirrors: Vec::new(),
            keyring: Arc::default(),
            repomd: Trusted::waived(Repomd::default(), Waiver { reason }),
            sha256: None,
            date: None,
            lock: None,
            digests: bareroot_rpm_repo::repomd::Digests::Strong,
            index: Index::default(),
            comps: None,
            modules: None,
        }
    }
}

impl IndexedRepo {
    /// A repository that a lock knows: its metadata is not read.
    pub fn locked(mirrors: Vec<String>, keyring: Arc<Keyring>, waiver: Option<Waiver>) -> IndexedRepo {
        IndexedRepo {
            mirrors,
            keyring,
            lock: Some(waiver),
            ..IndexedRepo::left_out()
        }
    }

    /// What a package of it must be, trusted as its metadata, or the lock that stands in for that.
    pub fn vouch(&self, expected: &Expected) -> Trusted<Expected> {
        match &self.lock {
            Some(waiver) => Trusted::locked(expected.clone(), waiver.clone()),
            None => self.repomd.map(|_| expected.clone()),
        }
    }
}

/// Reads every repository of the plan.
///
/// # Errors
/// The first repository's error, in the plan's order.
pub fn index(plan: &Plan, fetcher: &Fetcher, context: &Context) -> Result<Vec<IndexedRepo>, Error> {
    let repos = thread::scope(|scope| {
        let workers: Vec<_> = (plan.repos.iter())
            .map(|repo| threads::start(scope, move || one_repo(repo, plan, fetcher, context)))
            .collect();
        workers
            .into_iter()
            .zip(&plan.repos)
            .map(|(worker, repo)| {
                let read = worker.join("index")?;
                match read {
                    Err(error) if repo.skip_if_unavailable && error.class() == Class::Network => {
                        context.warn(format!("{} is left out: {error}", repo.id));
                        Ok(IndexedRepo::left_out())
                    }
                    read => read,
                }
            })
            .collect()
    });
    context.cancel().check()?;
    repos
}

/// One repository; a second time from its repomd.xml on, where the mirror moved between that and a file of it.
fn one_repo(
    repo: &PlannedRepo,
    plan: &Plan,
    fetcher: &Fetcher,
    context: &Context,
) -> Result<IndexedRepo, Error> {
    let keyring = keys::keyring(repo, fetcher, context)?;
    let mirrors = mirrors::find(repo, fetcher)?;
    let attempt = || {
        let Fetched {
            repomd,
            sha256,
            older,
        } = repomd::fetch(repo, &mirrors, &keyring, fetcher, context)?;
        let reading = Reading {
            repo,
            arch: &plan.arch,
            mirrors: &mirrors.urls,
            repomd,
            sha256,
            fetcher,
            context,
            digests: repo.digests(&keyring),
        };
        // A mirror that was set back, or passes for it, need not have what a newer repomd.xml lists.
        reading.read(&keyring).map_err(|error| match older {
            Some(older) if moved(&error) => older.refused(Some(error)),
            _ => error,
        })
    };
    match attempt() {
        Err(error) if moved(&error) => {
            context.note(format!("{} changed while it was read; reading it again", repo.id));
            match attempt() {
                Err(error) if moved(&error) => Err(Error::Moving(Box::new(error))),
                result => result,
            }
        }
        result => result,
    }
}

/// Whether an error looks like a mirror in the middle of an update: a file is gone, or is not what repomd.xml promised.
fn moved(error: &Error) -> bool {
    match error {
        Error::Fetch(error) => (error.is_not_found() && !error.is_offline()) || error.is_mismatch(),
        _ => false,
    }
}

/// A repository in the middle of being read.
struct Reading<'a> {
    repo: &'a PlannedRepo,
    arch: &'a str,
    mirrors: &'a [String],
    repomd: Trusted<Repomd>,
    sha256: Digest,
    fetcher: &'a Fetcher,
    context: &'a Context,
    digests: Digests,
}

impl Reading<'_> {
    fn read(self, keyring: &Arc<Keyring>) -> Result<IndexedRepo, Error> {
        let (index, comps, modules) = thread::scope(|scope| {
            let index = threads::start(scope, || self.primary());
            let comps = self.optional(DataKind::Group, |name, text| Ok(Comps::parse(name, text)?));
            let modules = self.optional(DataKind::Modules, |name, text| Ok(Modules::parse(name, text)?));
            let index = index.join("index").flatten();
            (index, comps, modules)
        });
        let modules = modules?;
        for skipped in modules.iter().flat_map(|modules| &modules.skipped) {
            self.context.warn(format!("passed over {skipped}"));
        }
        Ok(IndexedRepo {
            mirrors: self.mirrors.to_vec(),
            keyring: Arc::clone(keyring),
            digests: self.digests,
            index: index?,
            comps: comps?,
            modules,
            sha256: Some(self.sha256),
            date: self.repomd.date(),
            lock: None,
            repomd: self.repomd,
        })
    }

    /// The packages: from the cache's parsed form, where it has it.
    fn primary(&self) -> Result<Index, Error> {
        let data = self
            .repomd
            .best(DataKind::Primary)
            .ok_or_else(|| Error::NoPrimary {
                repository: self.repo.id.clone(),
            })?;
        let expected = self.expected(data)?;
        let parsed = self.fetcher.cache().zip(expected.sha256());
        let kind = format!("{PARSED}-{}", self.arch);
        if let Some((cache, digest)) = parsed {
            // A damaged entry is a miss.
            let hit = cache
                .derived(&digest, &kind)
                .and_then(|bytes| Index::from_bytes(&bytes).ok());
            if let Some(index) = hit {
                return Ok(index);
            }
        }
        let blob = self.fetch(data, &expected)?;
        let began = std::time::Instant::now();
        let name = format!("{} of {}", data.location, self.repo.id);
        let index = confine::parse(|| -> Result<Index, Error> {
            Ok(Index::read(&name, decode(data, blob.get())?, self.arch)?)
        })?;
        self.context.span(format!("parse {name}"), Phase::Index, began);
        if let Some((cache, digest)) = parsed {
            cache.keep_derived(&digest, &kind, &index.to_bytes());
        }
        Ok(index)
    }

    /// A file that not every repository has.
    fn optional<T: Send>(
        &self,
        kind: DataKind,
        parse: impl FnOnce(&str, &mut dyn std::io::BufRead) -> Result<T, Error> + Send,
    ) -> Result<Option<T>, Error> {
        let Some(data) = self.repomd.best(kind) else {
            return Ok(None);
        };
        let blob = self.fetch(data, &self.expected(data)?)?;
        let name = format!("{} of {}", data.location, self.repo.id);
        confine::parse(|| parse(&name, &mut decode(data, blob.get())?)).map(Some)
    }
}

impl Reading<'_> {
    fn expected(&self, data: &Data) -> Result<Trusted<Expected>, Error> {
        let name = format!("repomd.xml of {}", self.repo.id);
        Ok(self.repomd.try_map(|_| data.expected(&name, self.digests))?)
    }

    fn fetch(&self, data: &Data, expected: &Trusted<Expected>) -> Result<Verified<Blob>, Error> {
        let location = Location::new(self.mirrors.iter().map(String::as_str), data.location.as_str());
        let label = format!("{} of {}", data.location, self.repo.id);
        Ok(self.fetcher.verified_at_any(&[location], expected, &label)?)
    }
}

/// A reader of a metadata file, decompressed by what its name says.
fn decode<'b>(data: &Data, blob: &'b Blob) -> Result<impl std::io::BufRead + 'b, Error> {
    let compression = match data.location.rsplit('.').next() {
        Some("gz") => Compression::Gzip,
        Some("xz") => Compression::Xz,
        Some("zst") => Compression::Zstd,
        Some("bz2") => Compression::Bzip2,
        _ => Compression::None,
    };
    let limits = Limits {
        output: LARGEST_INDEX,
        ..Limits::default()
    };
    let input = std::io::BufReader::with_capacity(128 << 10, blob.reader());
    let plain = bareroot_archive::decoder(compression, input, limits)?;
    Ok(std::io::BufReader::with_capacity(256 << 10, plain))
}

/// Which packages of a repository have any of some paths: the packages' digests, and the paths.
///
/// # Errors
/// When the list of all files cannot be had or read; a repository without one has no such package.
pub fn files(
    planned: &PlannedRepo,
    repo: &IndexedRepo,
    paths: &std::collections::HashSet<String>,
    fetcher: &Fetcher,
) -> Result<Vec<(String, String)>, Error> {
    let Some(data) = repo.repomd.best(DataKind::Filelists) else {
        return Ok(Vec::new());
    };
    let name = format!("{} of {}", data.location, planned.id);
    let expected = repo
        .repomd
        .try_map(|_| data.expected(&format!("repomd.xml of {}", planned.id), repo.digests))?;
    let location = Location::new(repo.mirrors.iter().map(String::as_str), data.location.as_str());
    let blob = fetcher.verified_at_any(&[location], &expected, &name)?;
    confine::parse(|| Ok(filelists::find(&name, decode(data, blob.get())?, paths)?))
}
