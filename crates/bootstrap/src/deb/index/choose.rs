//! Which of the forms of an index is read.

use std::io::{BufReader, Read};

use bareroot_archive::{Compression, Limits};
use bareroot_deb::release::{Candidate, Listed, Release};
use bareroot_deb::sources::ByHash;
use bareroot_fetch::Fetcher;
use bareroot_trust::Blob;

use crate::deb::plan::{Plan, PlannedSource};
use crate::error::Error;

/// Above this many bytes a second gzip's larger file arrives sooner than xz's smaller one is decoded: the two indexes of
/// trixie's main differ by 3.7 MB, and by 0.12 s of decoding on two cores.
const FAST: f64 = 30e6;

/// One index to read.
pub struct Wanted {
    /// Below the directory of the Release file.
    pub path: String,
    /// The same content under its digest, where the repository keeps it.
    pub by_hash: Option<String>,
    /// How it is compressed.
    pub compression: Compression,
    /// What Release promises.
    pub listed: Listed,
}

/// The indexes that the plan needs of a source.
pub fn wanted(
    release: &Release,
    source: &PlannedSource,
    plan: &Plan,
    fetcher: &Fetcher,
) -> Result<Vec<Wanted>, Error> {
    let fast = source
        .source
        .uris
        .first()
        .is_some_and(|uri| !uri.starts_with("http"))
        || fetcher.throughput().is_some_and(|rate| rate > FAST);
    let by_hash = match source.source.by_hash {
        Some(ByHash::No) => false,
        Some(ByHash::Force) => true,
        Some(ByHash::Yes) | None => release.acquire_by_hash,
    };
    let make = |candidates: Vec<Candidate<'_>>| {
        let (here, elsewhere) = candidates.into_iter().partition(|found| is_here(found, fetcher));
        let found = best(here, fast).or_else(|| best(elsewhere, fast))?;
        Some(found.wanted(by_hash))
    };
    if source.source.is_flat() {
        let found = make(release.flat_packages()).ok_or_else(|| missing(source, "Packages", plan))?;
        return Ok(vec![found]);
    }
    let mut all = Vec::new();
    for component in &source.source.components {
        let mut here = Vec::new();
        let root: Vec<String> = std::iter::once(&plan.arch)
            .chain(&plan.foreign)
            .cloned()
            .collect();
        for arch in source.source.architectures_of(&root) {
            // A source may carry fewer architectures than are wished for; apt passes over those in silence too.
            if release.has_architecture(arch) {
                here.extend(make(release.packages(component, arch)));
            }
        }
        if release.has_index_of_all() {
            here.extend(make(release.packages(component, "all")));
        }
        if here.is_empty() {
            return Err(missing(source, component, plan));
        }
        all.extend(here);
    }
    Ok(all)
}

fn missing(source: &PlannedSource, component: &str, plan: &Plan) -> Error {
    let architectures: Vec<&str> = std::iter::once(&plan.arch)
        .chain(&plan.foreign)
        .map(String::as_str)
        .collect();
    Error::NoIndex {
        source_name: source.name(),
        component: component.to_owned(),
        architectures: architectures.join(", "),
    }
}

/// Whether the cache has this form of an index: it is as good as any other, and without a network the only one.
fn is_here(candidate: &Candidate<'_>, fetcher: &Fetcher) -> bool {
    fetcher
        .cache()
        .zip(candidate.listed.sha256)
        .is_some_and(|(cache, digest)| cache.has_index(&digest, super::PARSED))
}

/// The form to fetch: the smallest on a slow network, the one that decodes soonest on a fast one.
fn best<'a>(candidates: Vec<Candidate<'a>>, fast: bool) -> Option<Candidate<'a>> {
    let order: [&str; 6] = match fast {
        true => [".zst", ".gz", ".xz", ".bz2", ".lzma", ""],
        false => [".xz", ".zst", ".lzma", ".bz2", ".gz", ""],
    };
    let rank = |candidate: &Candidate<'_>| {
        order
            .iter()
            .position(|extension| *extension == candidate.extension)
    };
    candidates
        .into_iter()
        .filter(|candidate| rank(candidate).is_some())
        .min_by_key(rank)
}

trait IntoWanted {
    fn wanted(self, by_hash: bool) -> Wanted;
}

impl IntoWanted for Candidate<'_> {
    fn wanted(self, by_hash: bool) -> Wanted {
        Wanted {
            path: self.path.to_owned(),
            by_hash: by_hash.then(|| self.by_hash()),
            compression: Compression::from_extension(self.extension).unwrap_or(Compression::None),
            listed: self.listed,
        }
    }
}

/// A reader of the decoded index; xz on as many threads as there are cores.
pub fn decode(
    compression: Compression,
    blob: &Blob,
    limits: Limits,
) -> Result<Box<dyn Read + Send + '_>, Error> {
    let input = BufReader::with_capacity(256 << 10, blob.reader());
    let threads = std::thread::available_parallelism().map_or(1, |count| count.get() as u32);
    Ok(match compression {
        Compression::Xz if threads > 1 => bareroot_archive::parallel_xz(input, threads, limits)?,
        other => bareroot_archive::decoder(other, input, limits)?,
    })
}
