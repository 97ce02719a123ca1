//! Work for many threads: the last that was put in is the first that comes out, so that few directories are open at once.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Work that may bring more work.
#[derive(Debug)]
pub(crate) struct Queue<J> {
    state: Mutex<State<J>>,
    more: Condvar,
}

#[derive(Debug)]
struct State<J> {
    waiting: Vec<J>,
    /// Those that are worked on.
    taken: usize,
    is_closed: bool,
}

impl<J> Queue<J> {
    pub(crate) fn new(first: J) -> Self {
        Queue {
            state: Mutex::new(State {
                waiting: vec![first],
                taken: 0,
                is_closed: false,
            }),
            more: Condvar::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State<J>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn push(&self, jobs: impl IntoIterator<Item = J>) {
        let mut state = self.state();
        let before = state.waiting.len();
        state.waiting.extend(jobs);
        match state.waiting.len() - before {
            0 => {}
            1 => self.more.notify_one(),
            _ => self.more.notify_all(),
        }
    }

    /// The next piece of work, which must be told to be [`Queue::finished`]; none when all is done, or it was closed.
    pub(crate) fn next(&self) -> Option<J> {
        let mut state = self.state();
        loop {
            if state.is_closed {
                return None;
            }
            if let Some(job) = state.waiting.pop() {
                state.taken += 1;
                return Some(job);
            }
            if state.taken == 0 {
                return None;
            }
            state = self.more.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    pub(crate) fn finished(&self) {
        let mut state = self.state();
        state.taken -= 1;
        if state.taken == 0 && state.waiting.is_empty() {
            self.more.notify_all();
        }
    }

    /// Nothing more is to be done.
    pub(crate) fn close(&self) {
        self.state().is_closed = true;
        self.more.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn all_is_done_and_then_it_ends() {
        let (queue, done) = (Queue::new(12_u32), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    while let Some(depth) = queue.next() {
                        if depth > 0 {
                            queue.push([depth - 1, depth - 1]);
                        }
                        done.fetch_add(1, Ordering::Relaxed);
                        queue.finished();
                    }
                });
            }
        });
        assert_eq!(done.into_inner(), (1 << 13) - 1);
    }
}
