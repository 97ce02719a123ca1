//! Archives are fetched and verified, and handled while others still download.
//!
//! Transfers have threads of their own; as many threads as there are cores handle what has arrived. Both take the
//! largest archive first: the longest job must not come last.

mod queue;

use std::ops::ControlFlow;
use std::sync::Mutex;
use std::thread;

use bareroot_enter::confine::Confined;
use bareroot_fetch::{Fetcher, Request};
use bareroot_model::Phase;
use bareroot_trust::{Blob, Verified};

use crate::context::Context;
use crate::error::Error;
use queue::Queue;

/// Where an archive comes from.
pub enum Origin {
    /// A repository.
    Mirror(Request),
    /// A file that the user named.
    Local(Verified<Blob>),
}

/// An archive that is to be handled.
pub struct Job {
    /// Its size in bytes, as its index states it.
    pub size: u64,
    /// Where it comes from.
    pub origin: Origin,
}

/// Fetches every archive and hands each to `handle`, with its place among the jobs; what comes back is in the jobs'
/// order. The threads that handle are `confined`; those that fetch are not.
///
/// # Errors
/// The first error of any transfer or handling.
pub fn run<T: Send>(
    jobs: Vec<Job>,
    threads: usize,
    fetcher: &Fetcher,
    context: &Context,
    confined: &Confined,
    handle: impl Fn(usize, &Verified<Blob>) -> Result<T, Error> + Sync,
) -> Result<Vec<T>, Error> {
    let count = jobs.len();
    let queue = Queue::default();
    let results = thread::scope(|scope| {
        // Fewer threads do the same work; where there can be none, this one does it afterwards.
        let workers: Vec<_> = (0..threads.max(1))
            .filter_map(|_| {
                let work = || {
                    confined.begin();
                    handle_all(&queue, &handle)
                };
                thread::Builder::new().spawn_scoped(scope, work).ok()
            })
            .collect();
        let fetched = fetch_all(jobs, &queue, fetcher, context);
        queue.close();
        let mut results = vec![fetched.map(|()| Vec::new())];
        if workers.is_empty() {
            results.push(handle_all(&queue, &handle));
        }
        results.extend(
            workers
                .into_iter()
                .map(|worker| worker.join().map_err(|_| Error::Worker("unpack")).flatten()),
        );
        results
    });
    context.cancel().check()?;
    let mut done: Vec<Option<T>> = (0..count).map(|_| None).collect();
    // A worker's own error says more than the end of the transfers that it caused.
    for result in results.into_iter().rev() {
        for (place, value) in result? {
            if let Some(slot) = done.get_mut(place) {
                *slot = Some(value);
            }
        }
    }
    done.into_iter()
        .collect::<Option<Vec<T>>>()
        .ok_or(Error::Worker("unpack"))
}

/// Hands every archive to the queue as it comes.
fn fetch_all(jobs: Vec<Job>, queue: &Queue, fetcher: &Fetcher, context: &Context) -> Result<(), Error> {
    let mut order: Vec<(usize, Job)> = jobs.into_iter().enumerate().collect();
    order.sort_by_key(|(place, job)| (std::cmp::Reverse(job.size), *place));
    let first = Mutex::new(None);
    let mut requests = Vec::new();
    let mut places = Vec::new();
    for (place, job) in order {
        match job.origin {
            Origin::Local(blob) => queue.push(place, job.size, blob),
            Origin::Mirror(request) => {
                requests.push(request);
                places.push((place, job.size));
            }
        }
    }
    context.phase(Phase::Fetch, || {
        fetcher.all(&requests, |number, result| {
            match (result, places.get(number)) {
                (Ok(blob), Some(&(place, size))) => queue.push(place, size, blob),
                (Ok(_), None) => {}
                (Err(error), _) => {
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
fn handle_all<T>(
    queue: &Queue,
    handle: &impl Fn(usize, &Verified<Blob>) -> Result<T, Error>,
) -> Result<Vec<(usize, T)>, Error> {
    let mut done = Vec::new();
    while let Some((place, blob)) = queue.pop() {
        match handle(place, &blob) {
            Ok(value) => done.push((place, value)),
            Err(error) => {
                queue.stop();
                return Err(error);
            }
        }
    }
    Ok(done)
}
