//! Where a link leads at a moment of the replay.

use std::sync::Arc;

use rustix::fs::{AtFlags, FileType};
use rustix::io::Errno;

use super::super::path::components;
use super::super::tree::{Dir, Moment};
use super::Replay;
use crate::error::Error;

/// As many links as the kernel follows in one lookup.
const MOST_LINKS: usize = 40;

impl Replay<'_> {
    /// The directory that a link in `dir` with this text leads to at a moment; `None` where it leads to nothing, to something
    /// else, or to a directory that comes only later.
    pub(super) fn follow(&self, dir: &Arc<Dir>, text: &[u8], at: Moment) -> Result<Option<Arc<Dir>>, Error> {
        let mut here = dir.real();
        let mut left: Vec<Vec<u8>> = Vec::new();
        let mut links = 1;
        self.push(&mut here, &mut left, text);
        while let Some(name) = left.pop() {
            match name.as_slice() {
                b"." => continue,
                b".." => {
                    here = here.parent();
                    continue;
                }
                _ => {}
            }
            let fd = self.shared.fds.get(&here)?;
            let stat = match rustix::fs::statat(&fd, name.as_slice(), AtFlags::SYMLINK_NOFOLLOW) {
                Err(Errno::NOENT | Errno::NOTDIR | Errno::NAMETOOLONG) => return Ok(None),
                result => result.map_err(|e| self.shared.io("look at", &here, &name, e))?,
            };
            match FileType::from_raw_mode(stat.st_mode) {
                FileType::Directory => {
                    let next = known(&here, &name);
                    if next.first().is_some_and(|first| first > at) {
                        return Ok(None);
                    }
                    here = next.real();
                }
                FileType::Symlink if links < MOST_LINKS => {
                    links += 1;
                    let text = rustix::fs::readlinkat(&fd, name.as_slice(), Vec::new());
                    let text = text
                        .map_err(|e| self.shared.io("read", &here, &name, e))?
                        .into_bytes();
                    self.push(&mut here, &mut left, &text);
                }
                _ => return Ok(None),
            }
        }
        Ok(Some(here))
    }

    fn push(&self, here: &mut Arc<Dir>, left: &mut Vec<Vec<u8>>, text: &[u8]) {
        if text.starts_with(b"/") {
            *here = Arc::clone(&self.shared.tree);
        }
        let names: Vec<_> = components(text).map(<[u8]>::to_vec).collect();
        left.extend(names.into_iter().rev());
    }
}

/// The node of a directory that is on disk; one that no package has touched was there before.
pub(super) fn known(dir: &Arc<Dir>, name: &[u8]) -> Arc<Dir> {
    let mut state = dir.state();
    let slot = state.slots.entry(name.into()).or_default();
    if slot.alias {
        // The link is gone; what is there now is something else.
        slot.alias = false;
        slot.dir = None;
    }
    Arc::clone(
        slot.dir
            .get_or_insert_with(|| Dir::new(&Arc::downgrade(dir), name, true)),
    )
}
