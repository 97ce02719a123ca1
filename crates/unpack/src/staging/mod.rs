//! Where a root grows until it is whole.

mod commit;
mod name;
mod output;
mod scratch;
mod stale;
mod target;

use std::ffi::OsStr;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bareroot_ledger::Ledger;
use rustix::fs::{AtFlags, FlockOperation, Mode, OFlags};
use rustix::io::Errno;

use crate::error::Error;
use crate::root::{Root, Stat, remove_tree};
use name::Naming;
pub use name::is_staging_name;
pub(crate) use name::random_suffix;
pub use output::Output;
pub use scratch::Scratch;
use stale::Sweep;
use target::{Found, Target};

/// A root in the making, in a directory of its own.
///
/// It stands beside the target as `.NAME.bareroot-XXXXXXXXXX`, on the same file system, so that it becomes the target by
/// one rename. Where that cannot be (the target is a mount point, has a `lost+found`, is the current directory, or its
/// parent cannot be written) it stands inside the target as `.bareroot-XXXXXXXXXX`, and its entries are moved up.
///
/// It is locked with flock(2) as long as it lives. What a killed run left of the same target is removed when the next one
/// begins: a directory with exactly such a name, of the same user, whose lock is free.
///
/// Dropped without [`Staging::commit`], it is removed with everything in it, and so are the parents of the target that were
/// made for it.
#[derive(Debug)]
pub struct Staging {
    root: Root,
    /// The same directory, opened on its own: the lock belongs to the open file, and the root's descriptor may be handed to
    /// other processes.
    lock: OwnedFd,
    place: Place,
    name: Vec<u8>,
    target: PathBuf,
    made_parents: Vec<PathBuf>,
    finished: bool,
}

/// Where a staging directory stands.
#[derive(Debug)]
enum Place {
    /// In the target's parent, to be renamed to `target`.
    Beside {
        parent: OwnedFd,
        target: Vec<u8>,
        exists: bool,
    },
    /// In the target itself.
    Inside { target: OwnedFd },
    /// Anywhere: it is only ever removed.
    Scratch { parent: OwnedFd },
}

impl Place {
    fn directory(&self) -> &OwnedFd {
        match self {
            Place::Beside { parent, .. } => parent,
            Place::Inside { target } => target,
            Place::Scratch { parent } => parent,
        }
    }
}

impl Staging {
    /// Begins a root that is to become `target`, which does not exist or is an empty directory (`lost+found` alone counts
    /// as empty). Missing parents are made. A symbolic link to a directory is that directory.
    ///
    /// # Errors
    /// `Target*` for a target that cannot be used, [`Error::Io`] when the file system refuses.
    pub fn create(target: &Path) -> Result<Self, Error> {
        let mut found = Target::find(target)?;
        let result = Self::create_for(&mut found, target);
        if result.is_err() {
            target::remove_parents(&found.made_parents);
        }
        result
    }

    fn create_for(found: &mut Target, target: &Path) -> Result<Self, Error> {
        let beside = Naming::beside(&found.name);
        stale::remove(&found.parent, &found.parent_path, &beside, target, Sweep::Beside)?;
        let mut inside = match &found.found {
            Found::Missing => None,
            Found::Directory {
                fd,
                path,
                beside_is_possible,
            } => {
                stale::remove(fd, path, &Naming::inside(), target, Sweep::Inside)?;
                let has_lost_and_found = target::check_empty(fd, target)?;
                Some((fd, path, !beside_is_possible || has_lost_and_found))
            }
        };
        let (place, path, name) = loop {
            let (directory, path, naming) = match inside {
                Some((fd, path, true)) => (fd, path, Naming::inside()),
                _ => (&found.parent, &found.parent_path, beside.clone()),
            };
            let name = naming.new_name();
            match rustix::fs::mkdirat(directory, name.as_slice(), Mode::RWXU) {
                Ok(()) => break (directory, path, name),
                Err(Errno::EXIST) => continue,
                Err(Errno::ACCESS | Errno::PERM | Errno::ROFS) if matches!(inside, Some((.., false))) => {
                    inside = inside.map(|(fd, path, _)| (fd, path, true));
                }
                Err(error) => return Err(Error::io("create", path.join(OsStr::from_bytes(&name)), error)),
            }
        };
        let place = match inside {
            Some((fd, _, true)) => fd.try_clone().map(|target| Place::Inside { target }),
            _ => place.try_clone().map(|parent| Place::Beside {
                parent,
                target: found.name.clone(),
                exists: inside.is_some(),
            }),
        };
        let made = place
            .map_err(|error| Error::io("open", path, error))
            .and_then(|place| Self::settle(place, &name, path, target));
        match made {
            Ok(Some(mut staging)) => {
                staging.made_parents = std::mem::take(&mut found.made_parents);
                Ok(staging)
            }
            Ok(None) => Self::create_for(found, target),
            Err(error) => {
                // It was made before there was nothing left to open it with.
                let directory = match inside {
                    Some((fd, _, true)) => fd,
                    _ => &found.parent,
                };
                let _ = rustix::fs::unlinkat(directory, name.as_slice(), AtFlags::REMOVEDIR);
                Err(error)
            }
        }
    }

    /// Takes the directory of that name, which has just been made; `None` when another run has taken it for a stale one.
    fn settle(place: Place, name: &[u8], path: &Path, target: &Path) -> Result<Option<Self>, Error> {
        let host = path.join(OsStr::from_bytes(name));
        let open = || {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            rustix::fs::openat(place.directory(), name, flags, Mode::empty())
                .map_err(|error| Error::io("create", &host, error))
        };
        let locked = open()?;
        if !lock(place.directory(), name, &locked) {
            return Ok(None);
        }
        let root = Root::from_fd(open()?, &host);
        let staging = Staging {
            root,
            lock: locked,
            place,
            name: name.to_vec(),
            target: target.to_path_buf(),
            made_parents: Vec::new(),
            finished: false,
        };
        // Programs in the root run as other users, too.
        rustix::fs::fchmod(&staging.lock, Mode::from_raw_mode(0o755))
            .map_err(|e| Error::io("create", &host, e))?;
        // What a default ACL of the parent gives to others (acl(5)), everything in the root would give to them.
        for name in ["system.posix_acl_default", "system.posix_acl_access"] {
            let _ = rustix::fs::fremovexattr(&staging.lock, name);
        }
        // Below a directory with a set-group-id bit its group would be that one's. File systems without owners cannot.
        let group = rustix::process::getegid();
        let own = rustix::fs::fstat(&staging.lock).map_err(|e| Error::io("create", &host, e))?;
        if own.st_gid != group.as_raw() {
            let _ = rustix::fs::fchown(&staging.lock, None, Some(group));
        }
        Ok(Some(staging))
    }

    /// The root.
    pub fn root(&self) -> &Root {
        &self.root
    }

    /// Gives the root a ledger for what the file system cannot hold; its text is written into the root when the root is
    /// whole.
    pub fn keep_ledger(&mut self, ledger: Arc<Ledger>) {
        self.root.set_ledger(ledger);
    }

    /// Where it is on the host now: an absolute path, for hooks and messages.
    pub fn path(&self) -> &Path {
        self.root.path()
    }

    /// The target, as it was given.
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// Device and inode number of what is there because of it: itself, the target where that is there already, and the
    /// outermost directory that was made for the target.
    pub fn ids(&self) -> Vec<(u64, u64)> {
        let name = match &self.place {
            Place::Beside { parent, target, .. } => {
                rustix::fs::statat(parent, target.as_slice(), AtFlags::SYMLINK_NOFOLLOW).ok()
            }
            Place::Inside { target } => rustix::fs::fstat(target).ok(),
            Place::Scratch { .. } => None,
        };
        let made = self
            .made_parents
            .first()
            .and_then(|made| rustix::fs::stat(made).ok());
        let stats = [rustix::fs::fstat(&self.lock).ok(), name, made]
            .into_iter()
            .flatten();
        stats
            .map(|stat| Stat::of(&stat))
            .map(|stat| (stat.dev, stat.ino))
            .collect()
    }

    /// Removes the root, as dropping it does, and says what could not be removed.
    ///
    /// # Errors
    /// [`Error::Io`] for the first thing that could not be removed.
    pub fn discard(mut self) -> Result<(), Error> {
        self.remove()
    }

    fn remove(&mut self) -> Result<(), Error> {
        if std::mem::replace(&mut self.finished, true) {
            return Ok(());
        }
        let directory = self.place.directory();
        // Whoever renamed it has it.
        if same_file(directory, &self.name, &self.lock) {
            remove_tree(directory.as_fd(), &self.name, self.root.path())?;
        }
        target::remove_parents(&self.made_parents);
        Ok(())
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // There is nobody to tell; the next run on the target tries again.
        let _ = self.remove();
    }
}

/// Locks what was just made; whether it is still there and ours. A run that cleans up may take it for a stale one in the
/// moment before it is locked. Then its lock is taken, or it is gone.
fn lock(dir: &OwnedFd, name: &[u8], fd: &OwnedFd) -> bool {
    match rustix::fs::flock(fd, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => same_file(dir, name, fd),
        Err(Errno::WOULDBLOCK) => false,
        // A file system without locks: there is nothing to hold.
        Err(_) => true,
    }
}

/// Whether `name` in `dir` is what `fd` has open.
fn same_file(dir: &OwnedFd, name: &[u8], fd: impl AsFd) -> bool {
    let there = rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW);
    match (there, rustix::fs::fstat(fd)) {
        (Ok(there), Ok(here)) => (there.st_dev, there.st_ino) == (here.st_dev, here.st_ino),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
