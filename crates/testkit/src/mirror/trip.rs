use std::fmt;
use std::sync::{Mutex, MutexGuard};

/// A moment of a mirror's life, counted from its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// The n-th request (from 1) has come and is not answered yet.
    Request(u64),
    /// So many bytes of bodies were sent.
    Byte(u64),
}

type Action = Box<dyn FnOnce() + Send>;

/// What happens once, at a [`Moment`].
#[derive(Default)]
pub(super) struct Trip(Mutex<Counts>);

#[derive(Default)]
struct Counts {
    requests: u64,
    bytes: u64,
    waiting: Option<(Moment, Action)>,
}

impl fmt::Debug for Trip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = self.counts();
        let moment = counts.waiting.as_ref().map(|(moment, _)| moment);
        write!(f, "Trip({}, {}, {moment:?})", counts.requests, counts.bytes)
    }
}

impl Trip {
    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    pub(super) fn set(&self, moment: Moment, action: Action) {
        self.counts().waiting = Some((moment, action));
    }

    /// The bytes of bodies so far.
    pub(super) fn bytes(&self) -> u64 {
        self.counts().bytes
    }

    /// A request came.
    pub(super) fn request(&self) {
        let mut counts = self.counts();
        counts.requests += 1;
        let now = counts.requests;
        let action = counts.take(|moment| matches!(moment, Moment::Request(at) if at <= now));
        drop(counts);
        act(action);
    }

    /// How many of so many bytes can be sent before the moment is there.
    pub(super) fn room(&self, length: u64) -> u64 {
        let counts = self.counts();
        match &counts.waiting {
            Some((Moment::Byte(at), _)) => at.saturating_sub(counts.bytes).min(length),
            _ => length,
        }
    }

    /// So many bytes were sent.
    pub(super) fn sent(&self, length: u64) {
        let mut counts = self.counts();
        counts.bytes += length;
        let now = counts.bytes;
        let action = counts.take(|moment| matches!(moment, Moment::Byte(at) if at <= now));
        drop(counts);
        act(action);
    }
}

impl Counts {
    fn take(&mut self, come: impl Fn(Moment) -> bool) -> Option<Action> {
        self.waiting
            .take_if(|(moment, _)| come(*moment))
            .map(|(_, action)| action)
    }
}

fn act(action: Option<Action>) {
    if let Some(action) = action {
        action();
    }
}
