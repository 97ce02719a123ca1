//! rpm's lock for whoever changes a database: `%{_dbpath}/.rpm.lock`, by fcntl(2) (rpm's lib/rpmlock.c).

use std::fs::File;
use std::path::Path;
use std::time::{Duration, Instant};

use bareroot_unpack::Root;
use rustix::fs::{FlockOperation, fcntl_lock};
use rustix::io::Errno;

use super::Error;
use crate::error::Error as Any;

/// The lock's name in the database's directory.
pub(super) const NAME: &str = ".rpm.lock";

/// How long somebody else's is waited for: longer than a small transaction.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often it is asked for meanwhile.
const PAUSE: Duration = Duration::from_millis(50);

/// The lock, until this is dropped. Its file stays, as rpm's does: whoever waits has it open.
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of the database in `directory`.
    ///
    /// # Errors
    /// [`Error::Locked`]; when its file cannot be made.
    pub(super) fn take(root: &Root, directory: &Path) -> Result<Lock, Any> {
        let path = directory.join(NAME);
        let file = root.open_or_create_file(&path, 0o644)?;
        let begin = Instant::now();
        loop {
            match fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Ok(Lock { _file: file }),
                Err(Errno::AGAIN | Errno::ACCESS) if begin.elapsed() < PATIENCE => std::thread::sleep(PAUSE),
                Err(Errno::AGAIN | Errno::ACCESS) => {
                    let path = root.path().join(path);
                    return Err(Error::Locked { path }.into());
                }
                // A file system without locks has none of rpm's either.
                Err(Errno::NOLCK | Errno::NOSYS | Errno::OPNOTSUPP) => return Ok(Lock { _file: file }),
                Err(errno) => {
                    let source = std::io::Error::from(errno);
                    return Err(bareroot_unpack::Error::io("lock", root.path().join(path), source).into());
                }
            }
        }
    }
}
