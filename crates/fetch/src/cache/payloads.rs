//! How much room payloads may take that are kept unpacked.
//!
//! They only save time, and are several times as large as their archives. When the limit is reached, those that were not
//! used for longest make room; where all are in use by a run that goes on, no more are kept: giving up what this run has
//! just read for what it reads next would help no run.

use std::sync::MutexGuard;
use std::time::SystemTime;

use bareroot_model::{Digest, Event};

use super::prune::in_use_since;
use super::survey::What;
use super::{Cache, Shelf, path, runs};
use crate::Error;

/// The limit, unless the user has another: some ten roots of the usual size.
pub(super) const LIMIT: u64 = 4 << 30;

/// Other processes keep payloads too: after so many of its own, a process looks again how much there is.
const LOOK_AGAIN: u32 = 32;

/// What is known of the room.
#[derive(Debug, Default)]
pub(super) struct Budget {
    /// Bytes, as far as this process knows.
    total: Option<u64>,
    since_look: u32,
    full: bool,
}

impl Cache {
    fn budget(&self) -> MutexGuard<'_, Budget> {
        self.state
            .budget
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Whether another payload may be kept.
    pub(super) fn has_room_for_payloads(&self) -> bool {
        if self.own.is_none() || self.payload_limit == 0 {
            return false;
        }
        let mut budget = self.budget();
        if budget.total.is_none() {
            budget.total = self.make_room(0, false).ok();
        }
        !budget.full && budget.total.is_some()
    }

    /// Counts a payload; where there is too much then, others go, or it goes itself.
    pub(super) fn payload_was_kept(&self, digest: &Digest, kind: &str, length: u64) {
        let mut budget = self.budget();
        let known = budget.total.unwrap_or_default().saturating_add(length);
        budget.total = Some(known);
        budget.since_look += 1;
        if known <= self.payload_limit && budget.since_look < LOOK_AGAIN {
            return;
        }
        budget.since_look = 0;
        let total = self.make_room(0, true).unwrap_or(known);
        budget.total = Some(total);
        if total > self.payload_limit {
            budget.full = true;
            budget.total = Some(total.saturating_sub(length));
            if let Some(root) = self.root() {
                let _ = std::fs::remove_file(path(root, Shelf::Payloads, digest, &format!(".{kind}")));
            }
            self.observer.on(Event::Note {
                text: format!(
                    "no more payloads are kept unpacked: those in use have reached the limit of {} bytes",
                    self.payload_limit
                ),
            });
        }
    }

    /// How many bytes there are; where they are more than the limit and `evict` is set, the oldest go first, until a
    /// tenth is free, or what is left is in use.
    fn make_room(&self, start: u64, evict: bool) -> Result<u64, Error> {
        let mut all: Vec<(SystemTime, std::path::PathBuf, u64)> = Vec::new();
        let mut total = start;
        self.walk(|entry| {
            if entry.payload && matches!(entry.what, What::Derived(..)) {
                total = total.saturating_add(entry.bytes);
                all.push((entry.used, entry.path.clone(), entry.bytes));
            }
            Ok(())
        })?;
        if !evict || total <= self.payload_limit {
            return Ok(total);
        }
        let oldest = self.root().and_then(|root| runs::going_on(root).1);
        let in_use = oldest.and_then(in_use_since);
        all.sort();
        let wanted = self.payload_limit / 10 * 9;
        let mut gone = std::collections::HashSet::new();
        let mut left = total;
        for (used, path, bytes) in all {
            if left <= wanted || in_use.is_some_and(|since| used >= since) {
                break;
            }
            left = left.saturating_sub(bytes);
            gone.insert(path);
        }
        self.walk(|entry| {
            if gone.contains(&entry.path) {
                entry.remove()?;
            }
            Ok(())
        })?;
        Ok(left)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use bareroot_model::Recorder;

    use super::*;

    fn keep(cache: &Cache, number: u8, length: usize) -> Digest {
        let digest = Digest::new([number; 32]);
        cache
            .keep_payload(&digest, "tar-1", |writer| writer.write_all(&vec![number; length]))
            .unwrap();
        digest
    }

    fn age(cache: &Cache, digest: &Digest, seconds: u64) {
        let path = cache.path_to_write(Shelf::Payloads, digest, ".tar-1");
        let file = std::fs::File::options()
            .write(true)
            .open(path.unwrap().unwrap())
            .unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(seconds))
            .unwrap();
    }

    #[test]
    fn the_oldest_make_room() {
        let directory = tempfile::tempdir().unwrap();
        let open = || Cache::open(directory.path()).unwrap().with_payload_limit(100_000);
        let cache = open();
        let [first, second, third] = [1, 2, 3].map(|number| keep(&cache, number, 29_000));
        for (digest, seconds) in [(&first, 3000), (&second, 5000), (&third, 4000)] {
            age(&cache, digest, seconds);
        }
        let fourth = keep(&cache, 4, 29_000);
        let kept = [first, second, third, fourth].map(|digest| cache.payload(&digest, "tar-1").is_some());
        assert_eq!(kept, [true, false, true, true]);
        // Another process finds what is there.
        age(&open(), &third, 4000);
        let fifth = keep(&open(), 5, 29_000);
        let kept = [first, third, fourth, fifth].map(|digest| cache.payload(&digest, "tar-1").is_some());
        assert_eq!(kept, [true, false, true, true]);
    }

    #[test]
    fn what_a_run_uses_stays_and_nothing_is_kept_beyond_the_limit() {
        let directory = tempfile::tempdir().unwrap();
        let recorder = Arc::<Recorder>::default();
        let cache = Cache::open(directory.path())
            .unwrap()
            .with_payload_limit(70_000)
            .begin(Arc::<Recorder>::clone(&recorder));
        let all = [1, 2, 3, 4].map(|number| keep(&cache, number, 30_000));
        let kept = all.map(|digest| cache.payload(&digest, "tar-1").is_some());
        assert_eq!(kept, [true, true, false, false]);
        assert_eq!(recorder.take().len(), 1);
        let none = Cache::open(directory.path()).unwrap().with_payload_limit(0);
        assert!(none.payload(&keep(&none, 5, 10), "tar-1").is_none());
    }
}
