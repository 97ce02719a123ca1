//! What chapters work with: the fetcher with its cache, and as many descriptors as may be had.

use std::os::fd::AsFd;
use std::path::Path;
use std::sync::Arc;

use bareroot_enter::confine::Confined;
use bareroot_fetch::{Cache, Fetcher, Settings};
use bareroot_unpack::Root;

use crate::context::Context;
use crate::error::Error;
use crate::request::{CacheChoice, Request};

/// Transfers at once, unless `--jobs` says otherwise.
const TRANSFERS: usize = 8;

/// A fetcher as the request wants it.
pub fn fetcher(request: &Request, context: &Context) -> Result<Fetcher, Error> {
    Ok(Fetcher::new(settings(request, context)?)?)
}

/// How a fetcher works, as the request wants it.
pub fn settings(request: &Request, context: &Context) -> Result<Settings, Error> {
    let own = match &request.cache {
        CacheChoice::None => None,
        CacheChoice::Dir(directory) => Some(Cache::open(directory)?),
        // A host where no cache can be kept is no reason to fail: only the user's own choice of one is.
        CacheChoice::Default => match Cache::default_dir().map(Cache::open) {
            Some(Ok(cache)) => Some(cache),
            Some(Err(error)) => {
                context.warn(format!("nothing is cached: {error}"));
                None
            }
            None => None,
        },
    };
    let cache = with_shared(own, request)?;
    let defaults = Settings::from_env()?;
    Ok(Settings {
        timeout: request.timeout.unwrap_or(defaults.timeout),
        jobs: request.jobs.unwrap_or(TRANSFERS),
        cache,
        offline: request.offline,
        cancel: context.cancel().clone(),
        observer: Arc::clone(context.observer()),
        ..defaults
    })
}

/// The cache, with the shared ones that are asked after it.
fn with_shared(own: Option<Cache>, request: &Request) -> Result<Option<Cache>, Error> {
    if own.is_none() && request.cache_from.is_empty() {
        return Ok(None);
    }
    let mut cache = own.unwrap_or_else(Cache::read_only);
    for directory in &request.cache_from {
        cache = cache.and_from(directory)?;
    }
    Ok(Some(match request.payload_limit {
        Some(bytes) => cache.with_payload_limit(bytes),
        None => cache,
    }))
}

/// What a thread keeps that places packages in a root, and keeps their payloads in the cache.
pub fn placer(root: &Root, cache: Option<&Cache>) -> Confined {
    let cache: Vec<&Path> = cache.and_then(Cache::root).into_iter().collect();
    Confined::placer(root.as_fd(), &cache)
}

/// Threads that decompress and place: as many as there are cores, and no more than `--jobs`.
pub fn threads(request: &Request) -> usize {
    cores(request.jobs)
}

/// As many threads as there are cores, and no more than `jobs`.
pub fn cores(jobs: Option<usize>) -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    jobs.map_or(cores, |jobs| cores.min(jobs)).max(1)
}

/// Raises the soft limit of open files to the hard one: a thousand archives may wait to be unpacked, each an open file.
pub fn raise_file_limit() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // The limit that there is may do.
    let _ = setrlimit(Resource::Nofile, limit);
}

/// The specification of SOURCE_DATE_EPOCH wants decimal digits; anything else is a mistake that must not pass in silence.
pub fn source_date_epoch() -> Result<Option<i64>, Error> {
    match std::env::var("SOURCE_DATE_EPOCH") {
        Err(_) => Ok(None),
        Ok(text) if text.is_empty() => Ok(None),
        Ok(text) => text.parse().map(Some).map_err(|_| Error::Epoch(text)),
    }
}
