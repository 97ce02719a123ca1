//! From a path of a package to the directory that it means in the root.

use std::ffi::OsStr;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;

use rustix::fs::{AtFlags, FileType, Mode};
use rustix::io::Errno;

use super::Shared;
use super::path::components;
use super::tree::{At, Dir, Existing, Slot, lock};
use crate::error::Error;
use crate::root::FileKind;

/// As many links as the kernel follows in one lookup.
const MOST_LINKS: usize = 40;
/// How often a name that changes while it is looked at is looked at again.
const MOST_RACES: usize = 16;

/// For whom a directory is looked up, and since when it must be there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Need {
    pub(super) ordinal: u32,
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
            dir = self.child(&dir, name, 0)?;
            imply(&dir, need);
        }
        Ok(dir)
    }

    /// The directory `name` in `dir`, made if need be; `links` counts those that were followed to get here.
    pub(super) fn child(&self, dir: &Arc<Dir>, name: &[u8], links: usize) -> Result<Arc<Dir>, Error> {
        match self.step(dir, name)? {
            Step::Directory(found) => Ok(found),
            Step::Link(text) => {
                let target = self.link_target(dir, &text, links + 1)?;
                let mut state = dir.state();
                let slot = state.slots.entry(name.into()).or_default();
                // Another thread may have been first, with the same answer.
                slot.alias = true;
                Ok(Arc::clone(slot.dir.get_or_insert(target)))
            }
        }
    }

    /// Where the text of a link in `dir` leads. What is missing on the way is made: a link that dangled would else be
    /// followed or not, depending on who came first.
    fn link_target(&self, dir: &Arc<Dir>, text: &[u8], links: usize) -> Result<Arc<Dir>, Error> {
        if links > MOST_LINKS {
            return Err(Error::io("open", self.fds.host(&dir.path()), Errno::LOOP));
        }
        let mut here = if text.starts_with(b"/") {
            Arc::clone(&self.tree)
        } else {
            Arc::clone(dir)
        };
        for name in components(text) {
            here = match name {
                b"." => here,
                b".." => here.parent(),
                _ => self.child(&here, name, links)?,
            };
        }
        Ok(here)
    }

    fn step(&self, dir: &Arc<Dir>, name: &[u8]) -> Result<Step, Error> {
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
                FileType::Symlink if self.may_lead_to_directory(dir, name)? => {
                    match rustix::fs::readlinkat(&fd, name, Vec::new()) {
                        Err(Errno::NOENT | Errno::INVAL) => continue,
                        text => {
                            let text = text.map_err(|e| self.io("read", dir, name, e))?;
                            return Ok(Step::Link(text.into_bytes()));
                        }
                    }
                }
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

    /// Whether a link that was there before leads to a directory, or nowhere yet.
    fn may_lead_to_directory(&self, dir: &Dir, name: &[u8]) -> Result<bool, Error> {
        match self.root.stat(OsStr::from_bytes(&dir.path_of(name))) {
            Ok(found) => Ok(found.is_none_or(|stat| stat.kind == FileKind::Directory)),
            Err(error) if error.raw_os_error() == Some(libc::ELOOP) => Ok(false),
            Err(error) => Err(error),
        }
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
    if state.implied.is_none_or(|(first, _)| need.ordinal < first) {
        state.implied = Some((need.ordinal, need.mtime));
    }
}
