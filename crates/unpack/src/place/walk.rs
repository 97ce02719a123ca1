//! From a path of a package to the directory that it means in the root.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use rustix::fs::{AtFlags, FileType, Mode};
use rustix::io::Errno;

use super::Shared;
use super::path::components;
use super::tree::{At, Dir, Existing, Moment, Slot, lock};
use crate::error::Error;
use crate::root::FileKind;

/// As many links as the kernel follows in one lookup.
const MOST_LINKS: usize = 40;
/// How often a name that changes while it is looked at is looked at again.
const MOST_RACES: usize = 16;

/// For whom a directory is looked up, and since when it must be there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Need {
    pub(super) at: Moment,
    pub(super) mtime: i64,
}

/// What a name in a directory turned out to be.
enum Step {
    Directory(Arc<Dir>),
    Link(Vec<u8>),
}

impl Shared {
    /// The directory that `path` (clean) means, made with all its parents where it is missing. Links that were there before
    /// the first package are followed inside the root.
    pub(super) fn directory(&self, path: &[u8], need: Need) -> Result<Arc<Dir>, Error> {
        let mut dir = Arc::clone(&self.tree);
        for name in components(path) {
            dir = self.child(&dir, name)?;
            imply(&dir, need);
        }
        Ok(dir)
    }

    /// The directory `name` in `dir`, made if need be.
    pub(super) fn child(&self, dir: &Arc<Dir>, name: &[u8]) -> Result<Arc<Dir>, Error> {
        let mut follow = true;
        loop {
            let text = match self.step(dir, name, follow)? {
                Step::Directory(found) => return Ok(found),
                Step::Link(text) => text,
            };
            if let Some(target) = self.link_target(dir, &text)? {
                let mut state = dir.state();
                let slot = state.slots.entry(name.into()).or_default();
                // Another thread may have been first, with the same answer.
                slot.alias = true;
                return Ok(Arc::clone(slot.dir.get_or_insert(target)));
            }
            follow = false;
        }
    }

    /// The directory to which a link in `dir` led before the first package. `None` where it led to none: whether it leads to
    /// one of a package by the time that it is needed, the order decides later.
    fn link_target(&self, dir: &Arc<Dir>, text: &[u8]) -> Result<Option<Arc<Dir>>, Error> {
        let mut here = Arc::clone(dir);
        let mut left = Vec::new();
        let mut text = text.to_vec();
        for _ in 0..MOST_LINKS {
            if text.starts_with(b"/") {
                here = Arc::clone(&self.tree);
            }
            let names: Vec<_> = components(&text).map(<[u8]>::to_vec).collect();
            left.extend(names.into_iter().rev());
            loop {
                let Some(name) = left.pop() else {
                    return Ok(Some(here));
                };
                match name.as_slice() {
                    b"." => {}
                    b".." => here = here.parent(),
                    _ => match self.existing(&here, &name)? {
                        Some(Step::Directory(next)) => here = next,
                        Some(Step::Link(next)) => {
                            text = next;
                            break;
                        }
                        None => return Ok(None),
                    },
                }
            }
        }
        Ok(None)
    }

    /// A directory, or a link, that was there before the first package. Until the last part every link on disk was.
    fn existing(&self, dir: &Arc<Dir>, name: &[u8]) -> Result<Option<Step>, Error> {
        let fd = self.fds.get(dir)?;
        let mut state = dir.state();
        if let Some(found) = state.slots.get(name).and_then(|slot| slot.dir.as_ref()) {
            return Ok(found.existed.then(|| Step::Directory(Arc::clone(found))));
        }
        let stat = match rustix::fs::statat(&fd, name, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT | Errno::NAMETOOLONG) => return Ok(None),
            result => result.map_err(|e| self.io("look at", dir, name, e))?,
        };
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => {
                let slot = state.slots.entry(name.into()).or_default();
                Ok(Some(Step::Directory(self.enter(dir, name, slot, true))))
            }
            FileType::Symlink => {
                let text = rustix::fs::readlinkat(&fd, name, Vec::new());
                let text = text.map_err(|e| self.io("read", dir, name, e))?;
                Ok(Some(Step::Link(text.into_bytes())))
            }
            _ => Ok(None),
        }
    }

    /// The directory `name` in `dir`, made if need be; or the link of that name, if links are to be followed.
    fn step(&self, dir: &Arc<Dir>, name: &[u8], follow: bool) -> Result<Step, Error> {
        if let Some(found) = dir.state().slots.get(name).and_then(|slot| slot.dir.clone()) {
            return Ok(Step::Directory(found));
        }
        let fd = self.fds.get(dir)?;
        let mut state = dir.state();
        let slot = state.slots.entry(name.into()).or_default();
        if let Some(found) = &slot.dir {
            return Ok(Step::Directory(Arc::clone(found)));
        }
        // A package has a file where another has a directory: the order decides later; until then the directory stands.
        if let Some(leaf) = slot.leaves.iter_mut().find(|leaf| leaf.at == At::Place) {
            leaf.at = At::Parked(self.parking.take(&self.tree, &self.fds, (dir, &fd), name)?);
        }
        if !slot.leaves.is_empty() {
            self.contest(dir, name, slot);
        }
        for _ in 0..MOST_RACES {
            match rustix::fs::mkdirat(&fd, name, Mode::RWXU) {
                Ok(()) => return Ok(Step::Directory(self.enter(dir, name, slot, false))),
                Err(Errno::EXIST) => {}
                Err(error) => return Err(self.io("create", dir, name, error)),
            }
            let stat = match rustix::fs::statat(&fd, name, AtFlags::SYMLINK_NOFOLLOW) {
                Err(Errno::NOENT) => continue,
                result => result.map_err(|e| self.io("look at", dir, name, e))?,
            };
            match FileType::from_raw_mode(stat.st_mode) {
                FileType::Directory => return Ok(Step::Directory(self.enter(dir, name, slot, true))),
                FileType::Symlink if follow => match rustix::fs::readlinkat(&fd, name, Vec::new()) {
                    Err(Errno::NOENT | Errno::INVAL) => continue,
                    text => {
                        let text = text.map_err(|e| self.io("read", dir, name, e))?;
                        return Ok(Step::Link(text.into_bytes()));
                    }
                },
                kind => {
                    let at = At::Parked(self.parking.take(&self.tree, &self.fds, (dir, &fd), name)?);
                    slot.existing = Some(Existing {
                        kind: FileKind::of(kind),
                        at,
                    });
                    self.contest(dir, name, slot);
                }
            }
        }
        Err(self.io("create", dir, name, Errno::AGAIN))
    }

    fn enter(&self, dir: &Arc<Dir>, name: &[u8], slot: &mut Slot, existed: bool) -> Arc<Dir> {
        Arc::clone(slot.dir.insert(Dir::new(&Arc::downgrade(dir), name, existed)))
    }

    /// Puts a name on the list of what the solution's order must settle.
    pub(super) fn contest(&self, dir: &Arc<Dir>, name: &[u8], slot: &mut Slot) {
        if !std::mem::replace(&mut slot.contested, true) {
            lock(&self.contested).push((Arc::clone(dir), name.into()));
        }
    }

    /// The open parking directory.
    pub(super) fn parked(&self) -> Result<Arc<OwnedFd>, Error> {
        self.fds.get(&self.parking.dir(&self.tree, &self.fds)?)
    }

    /// A failed system call on `name` in `dir`.
    pub(super) fn io(
        &self,
        action: &'static str,
        dir: &Dir,
        name: &[u8],
        error: impl Into<io::Error>,
    ) -> Error {
        Error::io(action, self.fds.host(&dir.path_of(name)), error)
    }
}

/// Notes that a directory is needed, by whom first.
fn imply(dir: &Dir, need: Need) {
    let mut state = dir.state();
    if state.implied.is_none_or(|(first, _)| need.at < first) {
        state.implied = Some((need.at, need.mtime));
    }
}
