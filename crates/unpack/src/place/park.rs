//! A place for what cannot stay at its path until the solution's order has decided.

use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use rustix::fs::Mode;
use rustix::io::Errno;

use super::tree::{Dir, Fds, lock};
use crate::error::Error;
use crate::root::remove_tree;
use crate::staging::random_suffix;

/// A directory at the top of the root, made when it is first needed, under a name that no package can guess.
#[derive(Debug, Default)]
pub(super) struct Parking {
    dir: Mutex<Option<Arc<Dir>>>,
    next: AtomicU64,
}

impl Parking {
    /// The directory.
    pub(super) fn dir(&self, root: &Arc<Dir>, fds: &Fds) -> Result<Arc<Dir>, Error> {
        let mut dir = lock(&self.dir);
        if let Some(dir) = &*dir {
            return Ok(Arc::clone(dir));
        }
        let fd = fds.get(root)?;
        loop {
            let name = format!(".bareroot-parked-{}", random_suffix());
            match rustix::fs::mkdirat(&fd, name.as_str(), Mode::RWXU) {
                Ok(()) => {
                    let made = Dir::new(&Arc::downgrade(root), name.as_bytes(), false);
                    return Ok(Arc::clone(dir.insert(made)));
                }
                Err(Errno::EXIST) => {}
                Err(error) => return Err(Error::io("create", fds.host(name.as_bytes()), error)),
            }
        }
    }

    /// A new number: the name, in decimal, of something in the directory.
    pub(super) fn number(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    /// Moves `name` of the directory `from` here; the number that it has now.
    pub(super) fn take(
        &self,
        root: &Arc<Dir>,
        fds: &Fds,
        from: (&Dir, &OwnedFd),
        name: &[u8],
    ) -> Result<u64, Error> {
        let fd = fds.get(&self.dir(root, fds)?)?;
        let number = self.number();
        rustix::fs::renameat(from.1, name, &fd, number.to_string().as_str())
            .map_err(|e| Error::io("move aside", fds.host(&from.0.path_of(name)), e))?;
        Ok(number)
    }

    /// Removes the directory and what was left in it.
    pub(super) fn remove(&self, root: &Arc<Dir>, fds: &Fds) -> Result<(), Error> {
        let Some(dir) = lock(&self.dir).take() else {
            return Ok(());
        };
        let path = dir.path();
        let name = path.strip_prefix(b"/").unwrap_or(&path);
        remove_tree(std::os::fd::AsFd::as_fd(&fds.get(root)?), name, &fds.host(&path))
    }
}
