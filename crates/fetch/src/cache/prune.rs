//! What nobody has used for long goes.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::Cache;
use super::part::{are_no_locks, same};
use super::runs::{self, GRAIN, SURELY_DEAD};
use super::survey::{Entry, Kind, What};
use crate::Error;

/// What was removed, or would be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pruned {
    /// Each file, in the order in which they were found.
    pub removed: Vec<Removed>,
    /// How many runs go on.
    pub runs: usize,
    /// How many files stay only because one of them may use them.
    pub in_use: usize,
}

/// A file that was removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removed {
    /// The file.
    pub path: PathBuf,
    /// What it was.
    pub kind: Kind,
    /// Its length.
    pub bytes: u64,
    /// When it was used last.
    pub used: SystemTime,
}

impl Cache {
    /// Removes what was not used for so long, and the parts that no process writes any more. What may have been used
    /// since the oldest run that goes on began stays. Files that are no cache's by their names are left alone.
    ///
    /// # Errors
    /// [`Error::ReadCache`], and [`Error::Write`] for the first file that cannot be removed.
    pub fn prune(&self, older_than: Duration, dry_run: bool) -> Result<Pruned, Error> {
        let (runs, oldest) = self.root().map_or((0, None), runs::going_on);
        let limit = SystemTime::now().checked_sub(older_than);
        let used_by_runs = oldest.and_then(in_use_since);
        let mut pruned = Pruned {
            removed: Vec::new(),
            runs,
            in_use: 0,
        };
        self.walk(|entry| {
            let goes = match entry.what {
                What::Unknown => false,
                What::Part => return remove_part(entry, dry_run, &mut pruned),
                What::Whole(_) | What::Derived(..) => limit.is_some_and(|limit| entry.used <= limit),
            };
            if goes && used_by_runs.is_some_and(|since| entry.used >= since) {
                pruned.in_use += 1;
            } else if goes {
                remove(entry, dry_run, &mut pruned)?;
            }
            Ok(())
        })?;
        Ok(pruned)
    }
}

/// What a run that began at this time uses has at least this time: a use is not noted where the last one is young.
pub(super) fn in_use_since(start: SystemTime) -> Option<SystemTime> {
    start.checked_sub(GRAIN)
}

fn remove(entry: &Entry<'_>, dry_run: bool, pruned: &mut Pruned) -> Result<(), Error> {
    if !dry_run {
        entry.remove()?;
    }
    pruned.removed.push(Removed {
        path: entry.path.clone(),
        kind: entry.kind,
        bytes: entry.bytes,
        used: entry.used,
    });
    Ok(())
}

/// A part goes while its lock is held, so that nobody begins to write it meanwhile.
fn remove_part(entry: &Entry<'_>, dry_run: bool, pruned: &mut Pruned) -> Result<(), Error> {
    let Ok(file) = entry.open() else {
        return Ok(());
    };
    let dead = match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => same(&file, &entry.path),
        Err(Errno::WOULDBLOCK) => false,
        Err(error) => are_no_locks(error) && entry.used.elapsed().is_ok_and(|age| age > SURELY_DEAD),
    };
    match dead {
        true => remove(entry, dry_run, pruned),
        false => {
            pruned.in_use += 1;
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bareroot_model::{Cancel, Digest, Null};

    use super::*;
    use crate::cache::{Shelf, Slot};
    use crate::net::Watch;

    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    fn put(cache: &Cache, number: u8, age: Duration) -> PathBuf {
        let path = cache
            .path_to_write(Shelf::Archives, &Digest::new([number; 32]), "")
            .unwrap()
            .unwrap();
        std::fs::write(&path, [number; 100]).unwrap();
        let file = std::fs::File::options().write(true).open(&path).unwrap();
        file.set_modified(SystemTime::now() - age).unwrap();
        path
    }

    fn paths(pruned: &Pruned) -> Vec<&PathBuf> {
        pruned.removed.iter().map(|removed| &removed.path).collect()
    }

    #[test]
    fn what_is_old_goes_and_what_a_run_uses_stays() {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::open(directory.path()).unwrap();
        let (young, old) = (put(&cache, 1, Duration::ZERO), put(&cache, 2, 40 * DAY));
        let foreign = directory.path().join("v1/archives/01/notes");
        std::fs::write(&foreign, "").unwrap();
        let pruned = cache.prune(30 * DAY, true).unwrap();
        assert_eq!(paths(&pruned), [&old]);
        assert!(old.exists() && pruned.removed[0].bytes == 100);
        assert_eq!(cache.prune(30 * DAY, false).unwrap(), pruned);
        assert!(!old.exists() && young.exists());

        let run = Cache::open(directory.path()).unwrap().begin(Arc::new(Null));
        let pruned = cache.prune(Duration::ZERO, false).unwrap();
        assert_eq!((pruned.runs, pruned.in_use, paths(&pruned)), (1, 1, vec![]));
        // A run's use of an old file is noted in its time.
        let old = put(&cache, 2, 40 * DAY);
        let held = run
            .held(Shelf::Archives, &Digest::new([2; 32]), "")
            .next()
            .unwrap();
        run.used(&held);
        assert_eq!(cache.prune(30 * DAY, false).unwrap().removed, []);
        drop(run);
        let pruned = cache.prune(Duration::ZERO, false).unwrap();
        assert_eq!(pruned.removed.len(), 2);
        assert!(!old.exists() && !young.exists() && foreign.exists());
    }

    #[test]
    fn a_part_goes_unless_it_is_being_written() {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::open(directory.path()).unwrap();
        let digest = Digest::new([5; 32]);
        let watch = Watch(Cancel::default());
        let slot = cache.part(Shelf::Archives, &digest, &watch, DAY).unwrap();
        let Some(Slot::Free(mut part)) = slot else {
            panic!("{slot:?}")
        };
        part.append(b"half").unwrap();
        let path = cache
            .path_to_write(Shelf::Archives, &digest, ".part")
            .unwrap()
            .unwrap();
        assert_eq!(cache.prune(DAY, false).unwrap().removed, []);
        drop(part);
        assert!(path.exists());
        let pruned = cache.prune(DAY, false).unwrap();
        assert_eq!(
            (paths(&pruned), pruned.removed[0].kind),
            (vec![&path], Kind::Parts)
        );
        assert!(!path.exists());
    }
}
