//! Work on threads of its own, or on the one that there is: a host can have no room for another thread
//! (pthread_create(3), EAGAIN).

use std::sync::{Arc, Mutex};
use std::thread::{Builder, Scope, ScopedJoinHandle};

use crate::error::Error;

/// What comes of work that was started.
pub enum Started<'scope, T> {
    /// Another thread does it.
    There(ScopedJoinHandle<'scope, Option<T>>),
    /// It was done at once.
    Here(Option<T>),
}

/// Starts work that waits for nobody on a thread of its own; where there can be none, does it before this returns.
pub fn start<'scope, 'env, T: Send + 'scope>(
    scope: &'scope Scope<'scope, 'env>,
    work: impl FnOnce() -> T + Send + 'scope,
) -> Started<'scope, T> {
    let work = Arc::new(Mutex::new(Some(work)));
    let take = |work: &Mutex<Option<_>>| {
        work.lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
            .take()
    };
    let theirs = Arc::clone(&work);
    match Builder::new().spawn_scoped(scope, move || Some(take(&theirs)?())) {
        Ok(thread) => Started::There(thread),
        Err(_) => {
            let work = take(&work);
            Started::Here(work.map(|work| work()))
        }
    }
}

impl<T> Started<'_, T> {
    /// Waits for what comes of it.
    ///
    /// # Errors
    /// When its thread died; `doing` says what it was for.
    pub fn join(self, doing: &'static str) -> Result<T, Error> {
        let done = match self {
            Started::There(thread) => thread.join().map_err(|_| Error::Worker(doing))?,
            Started::Here(done) => done,
        };
        done.ok_or(Error::Worker(doing))
    }
}

/// Does the same work on so many threads, this one among them: the more there are, the sooner it is done.
///
/// # Errors
/// The first error of any of them.
pub fn on_all<'env>(
    threads: usize,
    doing: &'static str,
    work: impl Fn() -> Result<(), Error> + Sync + 'env,
) -> Result<(), Error> {
    std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads)
            .filter_map(|_| Builder::new().spawn_scoped(scope, &work).ok())
            .collect();
        let own = work();
        others.into_iter().fold(own, |sum, thread| {
            let result = thread.join().map_err(|_| Error::Worker(doing)).flatten();
            sum.and(result)
        })
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn everything_is_done_and_told() {
        let values: Result<Vec<usize>, Error> = std::thread::scope(|scope| {
            let started: Vec<_> = (0..5).map(|number| start(scope, move || number * 2)).collect();
            started.into_iter().map(|one| one.join("test")).collect()
        });
        assert_eq!(values.unwrap(), [0, 2, 4, 6, 8]);
        let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let work = || {
            while next.fetch_add(1, Ordering::Relaxed) < 100 {
                done.fetch_add(1, Ordering::Relaxed);
            }
            Ok(())
        };
        on_all(4, "test", work).unwrap();
        assert_eq!(done.into_inner(), 100);
        assert!(matches!(
            on_all(3, "test", || Err(Error::Worker("none"))),
            Err(Error::Worker("none"))
        ));
    }

    #[test]
    fn a_panic_is_an_error() {
        let joined = std::thread::scope(|scope| start(scope, || -> u8 { panic!("told") }).join("test"));
        assert!(matches!(joined, Err(Error::Worker("test"))));
    }
}
