//! A package came first with a link, others later with a directory of that name: what they have in it belongs where the
//! link leads.

use std::sync::Arc;

use rustix::fs::AtFlags;
use rustix::io::Errno;

use super::super::tree::{At, Dir, Leaf, Slot};
use super::Replay;
use super::contest::Contest;
use super::follow::known;
use crate::error::{Error, lossy};
use crate::root::{FileKind, Stat};

/// A directory whose content moves, to where, and its path in the packages that have it.
type Move = (Arc<Dir>, Arc<Dir>, Vec<u8>);

impl Replay<'_> {
    /// Moves everything in `node`, which is parked as `number`, into `target`.
    pub(super) fn merge(
        &self,
        contest: &Contest,
        node: &Arc<Dir>,
        number: u64,
        target: &Arc<Dir>,
    ) -> Result<(), Error> {
        let mut left: Vec<Move> = vec![(Arc::clone(node), Arc::clone(target), contest.path.clone())];
        let mut emptied = Vec::new();
        while let Some((from, to, path)) = left.pop() {
            let mut slots: Vec<_> = std::mem::take(&mut from.state().slots).into_iter().collect();
            slots.sort_by(|a, b| a.0.cmp(&b.0));
            for (name, slot) in slots {
                let mut below = path.clone();
                below.push(b'/');
                below.extend_from_slice(&name);
                if let Some(more) = self.move_slot(&from, &to, &name, slot, below)? {
                    emptied.push((Arc::clone(&from), name));
                    left.push(more);
                }
            }
            from.merge_into(&to);
        }
        for (dir, name) in emptied.iter().rev() {
            let fd = self.shared.fds.get(dir)?;
            rustix::fs::unlinkat(&fd, &**name, AtFlags::REMOVEDIR)
                .map_err(|e| self.shared.io("remove", dir, name, e))?;
        }
        let parked = self.shared.parked()?;
        rustix::fs::unlinkat(&parked, number.to_string().as_str(), AtFlags::REMOVEDIR)
            .map_err(|e| self.shared.io("remove", &contest.dir, &contest.name, e))?;
        if let Some(slot) = contest.dir.state().slots.get_mut(&contest.name) {
            slot.dir = None;
        }
        Ok(())
    }

    /// Moves one name; what it gives back is a directory whose content moves next.
    fn move_slot(
        &self,
        from: &Arc<Dir>,
        to: &Arc<Dir>,
        name: &[u8],
        slot: Slot,
        path: Vec<u8>,
    ) -> Result<Option<Move>, Error> {
        let here = slot.leaves.iter().position(|leaf| leaf.at == At::Place);
        let there = self.kind_of(to, name)?;
        // Two orders of events would have to be woven into one: nobody ships such packages.
        let fought = to.state().slots.get(name).is_some_and(|slot| slot.contested);
        if let Some(sub) = slot.dir.filter(|_| !slot.alias) {
            // One that a contest of its own has put aside comes back by its own turn.
            if !Arc::ptr_eq(&sub.parent(), from) {
                return Ok(None);
            }
            let at = sub.first().unwrap_or_default();
            let ordinal = at.0;
            let into = match there {
                None if fought => return Err(self.obstructed(ordinal, &path, FileKind::Directory)),
                None => {
                    self.rename(from, to, name)?;
                    sub.reseat(to, name);
                    to.state().slots.entry(name.into()).or_default().dir = Some(sub);
                    return Ok(None);
                }
                Some(FileKind::Directory) => known(to, name),
                Some(FileKind::Symlink) => {
                    let fd = self.shared.fds.get(to)?;
                    let text = rustix::fs::readlinkat(&fd, name, Vec::new());
                    let text = text
                        .map_err(|e| self.shared.io("read", to, name, e))?
                        .into_bytes();
                    self.follow(to, &text, at)?
                        .ok_or_else(|| self.obstructed(ordinal, &path, FileKind::Symlink))?
                }
                Some(kind) => return Err(self.obstructed(ordinal, &path, kind)),
            };
            let (claims, implied) = {
                let state = sub.state();
                (state.claims.clone(), state.implied)
            };
            let mut state = into.state();
            state.claims.extend(claims);
            state.implied = state
                .implied
                .into_iter()
                .chain(implied)
                .min_by_key(|(ordinal, _)| *ordinal);
            drop(state);
            return Ok(Some((sub, into, path)));
        }
        let Some(mut leaf) = here.and_then(|at| slot.leaves.into_iter().nth(at)) else {
            return Ok(None);
        };
        match there {
            Some(FileKind::Directory) => {
                return Err(self.obstructed(leaf.ordinal, &path, FileKind::Directory));
            }
            _ if fought => return Err(self.obstructed(leaf.ordinal, &path, FileKind::File)),
            // Two spellings of one path: dpkg sees no conflict, and the later package's file stays.
            Some(_) if self.placed(to, name).is_some_and(|other| other > leaf.ordinal) => {
                let fd = self.shared.fds.get(from)?;
                rustix::fs::unlinkat(&fd, name, AtFlags::empty())
                    .map_err(|e| self.shared.io("remove", from, name, e))?;
            }
            _ => {
                self.rename(from, to, name)?;
                leaf.spelling.get_or_insert_with(|| path.into());
                take_place(to, name, leaf);
            }
        }
        Ok(None)
    }

    fn rename(&self, from: &Arc<Dir>, to: &Arc<Dir>, name: &[u8]) -> Result<(), Error> {
        let (from_fd, to_fd) = (self.shared.fds.get(from)?, self.shared.fds.get(to)?);
        rustix::fs::renameat(&from_fd, name, &to_fd, name).map_err(|e| self.shared.io("move", from, name, e))
    }

    pub(super) fn kind_of(&self, dir: &Arc<Dir>, name: &[u8]) -> Result<Option<FileKind>, Error> {
        let fd = self.shared.fds.get(dir)?;
        match rustix::fs::statat(&fd, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(Stat::of(&stat).kind)),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(self.shared.io("look at", dir, name, error)),
        }
    }

    /// The ordinal of the package whose file is at a name.
    pub(super) fn placed(&self, dir: &Dir, name: &[u8]) -> Option<u32> {
        let state = dir.state();
        let leaf = state
            .slots
            .get(name)?
            .leaves
            .iter()
            .find(|leaf| leaf.at == At::Place)?;
        Some(leaf.ordinal)
    }

    fn obstructed(&self, ordinal: u32, path: &[u8], found: FileKind) -> Error {
        Error::Obstructed {
            package: self.ledger.words(ordinal),
            path: lossy(path),
            found: found.words(),
        }
    }
}

fn take_place(dir: &Dir, name: &[u8], leaf: Leaf) {
    let mut state = dir.state();
    let slot = state.slots.entry(name.into()).or_default();
    slot.leaves.retain(|other| other.at != At::Place);
    slot.leaves.push(leaf);
}
