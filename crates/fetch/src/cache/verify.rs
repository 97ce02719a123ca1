//! Everything is held against what its name or its seal says.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use bareroot_model::{Cancel, Digest};
use sha2::{Digest as _, Sha256};

use super::survey::What;
use super::{Cache, Opened, derived, open_file, part};
use crate::Error;

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// How many files were read.
    pub files: usize,
    /// How many bytes they have.
    pub bytes: u64,
    /// Those that are not what they should be, by path.
    pub broken: Vec<Broken>,
}

/// A file that is not what its name or its seal says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub reason: String,
    /// Whether it was removed.
    pub removed: bool,
}

/// A file to check.
struct Job {
    path: PathBuf,
    what: What,
    bytes: u64,
}

impl Cache {
    /// Reads every file that is complete, and finds those that are broken; `repair` removes them.
    ///
    /// # Errors
    /// [`Error::ReadCache`] where a directory cannot be read, [`Error::Cancelled`].
    pub fn verify(&self, repair: bool, cancel: &Cancel) -> Result<Checked, Error> {
        let mut jobs = Vec::new();
        self.walk(|entry| {
            if entry.what != What::Part {
                jobs.push(Job {
                    path: entry.path.clone(),
                    what: entry.what.clone(),
                    bytes: entry.bytes,
                });
            }
            Ok(())
        })?;
        let broken = Mutex::new(Vec::new());
        let next = AtomicUsize::new(0);
        let work = || {
            while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                if cancel.is_set() {
                    break;
                }
                if let Some((file, reason)) = wrong_with(job) {
                    let found = (job.path.clone(), file, reason);
                    broken
                        .lock()
                        .unwrap_or_else(|poisoned| poisoned.into_inner())
                        .push(found);
                }
            }
        };
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        std::thread::scope(|scope| {
            for _ in 1..threads {
                // Fewer threads do the same work.
                let _ = std::thread::Builder::new().spawn_scoped(scope, work);
            }
            work();
        });
        cancel.check()?;
        let mut broken = broken
            .into_inner()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        broken.sort_by(|(one, ..), (other, ..)| one.cmp(other));
        let mut checked = Checked {
            files: jobs.len(),
            bytes: jobs.iter().map(|job| job.bytes).sum(),
            broken: broken
                .iter()
                .map(|(path, _, reason)| Broken {
                    path: path.clone(),
                    reason: reason.clone(),
                    removed: false,
                })
                .collect(),
        };
        if repair {
            self.remove_broken(&broken, &mut checked.broken)?;
        }
        Ok(checked)
    }

    /// Removes broken files, but none that has been replaced meanwhile.
    fn remove_broken(
        &self,
        found: &[(PathBuf, Option<File>, String)],
        broken: &mut [Broken],
    ) -> Result<(), Error> {
        self.walk(|entry| {
            let Ok(place) = found.binary_search_by(|(path, ..)| path.cmp(&entry.path)) else {
                return Ok(());
            };
            let (Some((_, file, _)), Some(broken)) = (found.get(place), broken.get_mut(place)) else {
                return Ok(());
            };
            if file.as_ref().is_none_or(|file| part::same(file, &entry.path)) {
                // A directory stays, and whatever else cannot be removed: the report says so.
                broken.removed = entry.remove().is_ok();
            } else {
                broken.removed = true;
            }
            Ok(())
        })
    }
}

/// What is wrong with a file, and the file where it could be opened.
fn wrong_with(job: &Job) -> Option<(Option<File>, String)> {
    let file = match open_file(&job.path) {
        Opened::File(file) => file,
        Opened::Nothing => return None,
        Opened::Other => return Some((None, "it is no file that can be read".to_owned())),
    };
    let reason = match &job.what {
        What::Part => return None,
        What::Unknown => Some("nothing in the cache has such a name".to_owned()),
        What::Whole(digest) => match sha256(&file) {
            Ok(found) if found == *digest => None,
            Ok(found) => Some(format!("its SHA-256 is {found}")),
            Err(error) => Some(error.to_string()),
        },
        What::Derived(digest, kind) => match derived::checked(&file, digest, kind) {
            Ok(Some(_)) => None,
            Ok(None) => Some("it is not what it was when it was sealed".to_owned()),
            Err(error) => Some(error.to_string()),
        },
    };
    reason.map(|reason| (Some(file), reason))
}

fn sha256(file: &File) -> io::Result<Digest> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 256 << 10];
    let mut at = 0u64;
    loop {
        match file.read_at(&mut buffer, at) {
            Ok(0) => return Ok(Digest::new(hash.finalize().into())),
            Ok(length) => {
                hash.update(buffer.get(..length).unwrap_or_default());
                at = at.saturating_add(length as u64);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::Shelf;

    #[test]
    fn what_is_broken_is_named_and_repair_removes_it() {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::open(directory.path()).unwrap();
        let put = |shelf, content: &[u8], digest: Option<Digest>, suffix: &str| {
            let digest = digest.unwrap_or_else(|| Digest::new(Sha256::digest(content).into()));
            let path = cache.path_to_write(shelf, &digest, suffix).unwrap().unwrap();
            std::fs::write(&path, content).unwrap();
            path
        };
        let key = Digest::new([9; 32]);
        let good = put(Shelf::Archives, b"good", None, "");
        put(Shelf::Indexes, b"half", None, ".part");
        assert!(cache.keep_derived(&key, "packages-1", b"parsed"));
        let cancel = Cancel::default();
        let checked = cache.verify(false, &cancel).unwrap();
        assert_eq!((checked.files, checked.broken), (2, vec![]));

        let mut broken = vec![
            put(Shelf::Archives, b"bad", Some(Digest::new([1; 32])), ""),
            put(Shelf::Indexes, b"misnamed", None, ".deb"),
            put(Shelf::Payloads, b"never sealed", Some(key), ".tar-1"),
            directory.path().join("v1/archives/zz"),
        ];
        std::os::unix::fs::symlink("/dev/zero", &broken[3]).unwrap();
        // Sealed for another file.
        let sealed = cache
            .path_to_write(Shelf::Parsed, &key, ".packages-1")
            .unwrap()
            .unwrap();
        broken.push(put(
            Shelf::Parsed,
            &std::fs::read(&sealed).unwrap(),
            Some(Digest::new([2; 32])),
            ".packages-1",
        ));
        broken.sort();
        let checked = cache.verify(false, &cancel).unwrap();
        let paths: Vec<_> = checked.broken.iter().map(|broken| broken.path.clone()).collect();
        assert_eq!(paths, broken);
        assert!(checked.broken.iter().all(|broken| !broken.removed));
        let repaired = cache.verify(true, &cancel).unwrap();
        assert!(
            repaired.broken.iter().all(|broken| broken.removed),
            "{repaired:?}"
        );
        assert!(broken.iter().all(|path| std::fs::symlink_metadata(path).is_err()));
        assert!(good.exists() && cache.verify(false, &cancel).unwrap().broken.is_empty());
        cancel.set();
        assert!(cache.verify(false, &cancel).is_err());
    }
}
