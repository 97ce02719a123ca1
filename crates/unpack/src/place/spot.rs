//! Names that are made: where, and whether at once or aside.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use rustix::fs::AtFlags;

use super::path::CleanPath;
use super::tree::{At, Dir, Existing, Leaf, LeafKind, Slot};
use super::walk::Need;
use super::worker::Worker;
use crate::error::{Error, Escape};
use crate::root::{FileKind, Stat};

/// Where a name is to be made.
pub(super) struct Spot {
    pub(super) dir: Arc<Dir>,
    pub(super) fd: Arc<OwnedFd>,
    pub(super) name: Box<[u8]>,
    /// The path as the package lists it.
    pub(super) listed: Vec<u8>,
    /// Whether that is also its path in the root.
    pub(super) plain: bool,
}

/// The directory of the entry before: the next is nearly always in the same.
pub(super) struct Last {
    /// Its path in the package.
    pub(super) path: Vec<u8>,
    pub(super) dir: Arc<Dir>,
    pub(super) fd: Arc<OwnedFd>,
    /// Whether that is also its path in the root.
    pub(super) plain: bool,
}

impl Worker<'_, '_> {
    /// What this package has under a name.
    pub(super) fn own(&self, dir: &Dir, name: &[u8]) -> Option<Leaf> {
        dir.state()
            .slots
            .get(name)?
            .leaves
            .iter()
            .find(|leaf| leaf.ordinal == self.package.ordinal)
            .cloned()
    }

    /// The open directory, and the name in it, where a leaf is.
    pub(super) fn whereabouts(
        &self,
        dir: &Arc<Dir>,
        name: &[u8],
        at: At,
    ) -> Result<(Arc<OwnedFd>, Box<[u8]>), Error> {
        let shared = self.shared;
        Ok(match at {
            At::Parked(number) => (shared.parked()?, number.to_string().into_bytes().into()),
            At::Place | At::Pending => (shared.fds.get(dir)?, name.into()),
        })
    }

    /// Makes a name: at its path, or aside where another package or what was there before has the path, for the solution's
    /// order to decide. `None` when the package's own symbolic link, which dpkg makes last, takes the name.
    pub(super) fn put<T>(
        &self,
        spot: &Spot,
        mut leaf: Leaf,
        make: impl Fn(&OwnedFd, &[u8]) -> io::Result<T>,
    ) -> Result<Option<T>, Error> {
        let shared = self.shared;
        let fail = |error: io::Error| shared.io("create", &spot.dir, &spot.name, error);
        let mut state = spot.dir.state();
        let slot = state.slots.entry(spot.name.clone()).or_default();
        if let Some(at) = slot.leaves.iter().position(|own| own.ordinal == leaf.ordinal) {
            if slot
                .leaves
                .get(at)
                .is_some_and(|own| own.kind == LeafKind::Symlink)
            {
                return Ok(None);
            }
            let own = slot.leaves.swap_remove(at);
            self.unlink(spot, own.at)?;
        }
        if !self.is_wanted(slot, spot) {
            match make(&spot.fd, &spot.name) {
                Ok(made) => {
                    leaf.at = At::Place;
                    slot.leaves.push(leaf);
                    return Ok(Some(made));
                }
                Err(error) if error.raw_os_error() == Some(libc::EEXIST) => {}
                Err(error) => return Err(fail(error)),
            }
            let stat = rustix::fs::statat(&spot.fd, &*spot.name, AtFlags::SYMLINK_NOFOLLOW);
            match Stat::of(&stat.map_err(|e| fail(e.into()))?).kind {
                FileKind::Directory => {
                    slot.dir = Some(Dir::new(&Arc::downgrade(&spot.dir), &spot.name, true));
                }
                kind => slot.existing = Some(Existing { kind, at: At::Place }),
            }
        }
        shared.contest(&spot.dir, &spot.name, slot);
        let number = shared.parking.number();
        let made = make(&*shared.parked()?, number.to_string().as_bytes()).map_err(fail)?;
        leaf.at = At::Parked(number);
        slot.leaves.push(leaf);
        Ok(Some(made))
    }

    /// Whether anybody else has, or had, the name.
    pub(super) fn is_wanted(&self, slot: &Slot, spot: &Spot) -> bool {
        slot.dir.is_some()
            || slot.existing.is_some()
            || !slot.leaves.is_empty()
            || !self.shared.settings.installed.owners(&spot.listed).is_empty()
    }

    /// Takes back what the package shipped under the same name before.
    pub(super) fn unlink(&self, spot: &Spot, at: At) -> Result<(), Error> {
        if at == At::Pending {
            return Ok(());
        }
        let (fd, name) = self.whereabouts(&spot.dir, &spot.name, at)?;
        rustix::fs::unlinkat(&fd, &*name, AtFlags::empty())
            .map_err(|e| self.shared.io("remove", &spot.dir, &spot.name, e))
    }

    /// The directory that a path goes to, made if need be, and the name in it.
    pub(super) fn spot(&mut self, path: &CleanPath, goes_to: &CleanPath, need: Need) -> Result<Spot, Error> {
        let Some((parent, name)) = goes_to.split() else {
            return Err(self.escape(path.as_bytes(), Escape::Root));
        };
        self.cross(path);
        let known = self.last.take().filter(|last| last.path == parent);
        let last = match known {
            Some(last) => last,
            None => {
                let dir = self.shared.directory(parent, need)?;
                let fd = self.shared.fds.get(&dir)?;
                Last {
                    plain: dir.path() == parent,
                    path: parent.to_vec(),
                    dir,
                    fd,
                }
            }
        };
        let spot = Spot {
            dir: Arc::clone(&last.dir),
            fd: Arc::clone(&last.fd),
            name: name.into(),
            listed: path.as_bytes().to_vec(),
            plain: last.plain && path == goes_to,
        };
        self.last = Some(last);
        Ok(spot)
    }

    /// Notes the directories that a path of the package goes through.
    fn cross(&mut self, path: &CleanPath) {
        let mut above = path.as_bytes();
        while let Some(slash) = above.iter().rposition(|&b| b == b'/').filter(|&at| at > 0) {
            above = above.get(..slash).unwrap_or_default();
            if self.crossed.contains(above) {
                break;
            }
            self.crossed.insert(above.to_vec());
        }
    }

    pub(super) fn leaf(&self, path: &CleanPath, kind: LeafKind, spot: &Spot) -> Leaf {
        Leaf {
            ordinal: self.package.ordinal,
            kind,
            at: At::Pending,
            conffile: self.order.conffiles.contains(path.as_bytes()),
            spelling: (!spot.plain).then(|| path.as_bytes().into()),
        }
    }
}
