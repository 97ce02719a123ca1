//! Who works with a cache, and when a file of it was last used.

use std::fs::{DirBuilder, File};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rustix::fs::{FlockOperation, Timespec, Timestamps, UTIME_NOW, UTIME_OMIT, flock, futimens};
use rustix::io::Errno;

use super::LAYOUT;
use super::part::same;

const DIRECTORY: &str = "runs";

/// A file that was used less than this long ago is not touched again: a run uses each file several times.
pub(super) const GRAIN: Duration = Duration::from_secs(60);

/// Where locks do not say whether a process lives, what it left is taken for dead after this time.
pub(super) const SURELY_DEAD: Duration = Duration::from_secs(24 * 60 * 60);

/// A process that works with a cache: a file that it holds locked, and whose time is that of its start.
#[derive(Debug)]
pub(super) struct Run {
    path: PathBuf,
    /// Holds the lock.
    _file: File,
}

impl Run {
    /// Notes that this process works with the cache, and forgets those that were killed.
    pub(super) fn begin(root: &Path) -> io::Result<Run> {
        going_on(root);
        let directory = root.join(LAYOUT).join(DIRECTORY);
        super::no_links(root, &directory).map_err(io::Error::other)?;
        DirBuilder::new().recursive(true).mode(0o755).create(&directory)?;
        let process = std::process::id();
        for number in 0..u32::MAX {
            let path = directory.join(format!("{process}-{number}"));
            let opened = File::options()
                .write(true)
                .create_new(true)
                .mode(0o644)
                .open(&path);
            let file = match opened {
                Ok(file) => file,
                Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
                Err(error) => return Err(error),
            };
            // Without locks the file's age has to do. Who looks for dead runs holds the lock for a moment, and has removed
            // the file when it gives it back.
            let _ = flock(&file, FlockOperation::LockExclusive);
            if same(&file, &path) {
                return Ok(Run { path, _file: file });
            }
        }
        Err(ErrorKind::AlreadyExists.into())
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        // One that stays is taken for dead by its lock.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// What runs go on: how many, and the start of the oldest one. The files of dead ones are removed.
pub(super) fn going_on(root: &Path) -> (usize, Option<SystemTime>) {
    let (mut count, mut oldest) = (0, None::<SystemTime>);
    let entries = std::fs::read_dir(root.join(LAYOUT).join(DIRECTORY));
    for entry in entries.into_iter().flatten().flatten() {
        let Some(start) = alive(&entry.path()) else {
            continue;
        };
        count += 1;
        oldest = Some(oldest.map_or(start, |oldest| oldest.min(start)));
    }
    (count, oldest)
}

/// A run's start, where it goes on.
fn alive(path: &Path) -> Option<SystemTime> {
    let flags = (rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK).bits();
    let file = File::options()
        .read(true)
        .custom_flags(flags.cast_signed())
        .open(path)
        .ok()?;
    let start = file.metadata().and_then(|metadata| metadata.modified()).ok()?;
    let dead = match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => true,
        Err(Errno::WOULDBLOCK) => false,
        Err(_) => start.elapsed().is_ok_and(|age| age > SURELY_DEAD),
    };
    if dead && same(&file, path) {
        let _ = std::fs::remove_file(path);
    }
    (!dead).then_some(start)
}

/// Notes in a file's modification time that it is used. Where that is not allowed, it may be pruned early.
pub(super) fn touch(file: &File) {
    let fresh = file
        .metadata()
        .and_then(|metadata| metadata.modified())
        .is_ok_and(|time| time.elapsed().is_ok_and(|age| age < GRAIN));
    if !fresh {
        let nanoseconds = |tv_nsec| Timespec { tv_sec: 0, tv_nsec };
        let times = Timestamps {
            last_access: nanoseconds(UTIME_OMIT),
            last_modification: nanoseconds(UTIME_NOW),
        };
        let _ = futimens(file, &times);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_known_while_they_go_on() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(going_on(root.path()), (0, None));
        let first = Run::begin(root.path()).unwrap();
        let second = Run::begin(root.path()).unwrap();
        let (count, oldest) = going_on(root.path());
        assert!(count == 2 && oldest.is_some());
        drop(first);
        assert_eq!(going_on(root.path()).0, 1);
        // One that was killed holds no lock.
        let left = root.path().join("v1/runs/1-0");
        std::fs::write(&left, "").unwrap();
        assert_eq!(going_on(root.path()).0, 1);
        assert!(!left.exists());
        std::fs::write(&left, "").unwrap();
        drop(Run::begin(root.path()).unwrap());
        assert!(!left.exists());
        drop(second);
        assert_eq!(going_on(root.path()), (0, None));
    }

    #[test]
    fn a_use_is_noted_by_the_minute() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        let file = File::create(&path).unwrap();
        let long_ago = SystemTime::now() - 10 * GRAIN;
        file.set_modified(long_ago).unwrap();
        touch(&file);
        assert!(file.metadata().unwrap().modified().unwrap() > long_ago + 5 * GRAIN);
        let shortly_ago = SystemTime::now() - GRAIN / 2;
        file.set_modified(shortly_ago).unwrap();
        touch(&file);
        assert_eq!(file.metadata().unwrap().modified().unwrap(), shortly_ago);
    }
}
