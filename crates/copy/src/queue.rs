//! Work for many threads. Each takes what it put in last, so that few directories are open at once; one that has nothing takes
//! what another put in first, so that two seldom work in one directory, where the kernel lets one at a time make files.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Work that may bring more work.
#[derive(Debug)]
pub(crate) struct Queue<J> {
    state: Mutex<State<J>>,
    more: Condvar,
}

#[derive(Debug)]
struct State<J> {
    /// Of each thread.
    waiting: Vec<VecDeque<J>>,
    /// How many pieces are worked on.
    taken: usize,
    is_closed: bool,
}

impl<J> Queue<J> {
    /// For so many threads.
    pub(crate) fn new(threads: usize, first: J) -> Self {
        let mut waiting: Vec<VecDeque<J>> = (0..threads.max(1)).map(|_| VecDeque::new()).collect();
        if let Some(own) = waiting.first_mut() {
            own.push_back(first);
        }
        Queue {
            state: Mutex::new(State {
                waiting,
                taken: 0,
                is_closed: false,
            }),
            more: Condvar::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State<J>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts work in for a thread.
    pub(crate) fn push(&self, thread: usize, jobs: impl IntoIterator<Item = J>) {
        let mut state = self.state();
        let Some(own) = state.waiting.get_mut(thread) else {
            return;
        };
        let before = own.len();
        own.extend(jobs);
        if own.len() > before {
            self.more.notify_all();
        }
    }

    /// The next piece of work of a thread, which must be told to be [`Queue::finished`]; none when all is done, or it was closed.
    pub(crate) fn next(&self, thread: usize) -> Option<J> {
        let mut state = self.state();
        loop {
            if state.is_closed {
                return None;
            }
            let own = state.waiting.get_mut(thread).and_then(VecDeque::pop_back);
            let job = own.or_else(|| {
                let richest = state.waiting.iter_mut().max_by_key(|waiting| waiting.len());
                richest.and_then(VecDeque::pop_front)
            });
            if let Some(job) = job {
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
        if state.taken == 0 && state.waiting.iter().all(VecDeque::is_empty) {
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
        let (queue, done) = (Queue::new(4, 12_u32), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            let (queue, done) = (&queue, &done);
            for thread in 0..4 {
                scope.spawn(move || {
                    while let Some(depth) = queue.next(thread) {
                        if depth > 0 {
                            queue.push(thread, [depth - 1, depth - 1]);
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
