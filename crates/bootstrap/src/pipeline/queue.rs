//! Archives that have arrived and are not placed yet, the largest first.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard};

use bareroot_trust::{Blob, Verified};

/// A queue between the threads that fetch and those that place.
#[derive(Debug, Default)]
pub struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// By size and ordinal.
    waiting: BTreeMap<(u64, usize), Verified<Blob>>,
    closed: bool,
    stopped: bool,
}

impl Queue {
    /// Adds an archive.
    pub fn push(&self, ordinal: usize, size: u64, blob: Verified<Blob>) {
        self.lock().waiting.insert((size, ordinal), blob);
        self.changed.notify_one();
    }

    /// The largest archive; waits for one. `None` when there will be none.
    pub fn pop(&self) -> Option<(usize, Verified<Blob>)> {
        let mut state = self.lock();
        loop {
            if state.stopped {
                return None;
            }
            if let Some(((_, ordinal), blob)) = state.waiting.pop_last() {
                return Some((ordinal, blob));
            }
            if state.closed {
                return None;
            }
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(|poisoned| poisoned.into_inner());
        }
    }

    /// Says that nothing more comes.
    pub fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    /// Says that what is here and what comes is of no use any more.
    pub fn stop(&self) {
        self.lock().stopped = true;
        self.changed.notify_all();
    }

    /// Whether [`Queue::stop`] was called.
    pub fn is_stopped(&self) -> bool {
        self.lock().stopped
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}
