//! Owners by name, and what directories get last: as long as names are made in them, their times change.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use bareroot_ledger::{FileId, Owned};
use rustix::fs::Mode;

use super::super::Shared;
use super::super::names::NameTable;
use super::super::owner::Owner;
use super::super::settings::{Directories, Ownership};
use super::super::tree::{At, Dir};
use super::super::worker::Package;
use crate::error::Error;
use crate::root::{Stat, list, mtime};
use crate::sys;

/// Gives the files whose owners have names the numbers that the root knows them by.
pub(super) fn name_files(shared: &Shared, package: &Package, names: &NameTable) -> Result<(), Error> {
    for named in &package.named {
        let (uid, gid) = named.owner.resolve(names);
        if (uid, gid) == (named.owner.uid, named.owner.gid) {
            continue;
        }
        let at = {
            let state = named.dir.state();
            let leaves = state
                .slots
                .get(&named.name)
                .map(|slot| slot.leaves.as_slice())
                .unwrap_or_default();
            leaves
                .iter()
                .find(|leaf| leaf.ordinal == package.ordinal)
                .map(|leaf| leaf.at)
        };
        let (fd, name) = match at {
            Some(At::Place) => (shared.fds.get(&named.dir)?, named.name.clone()),
            Some(At::Parked(number)) => (shared.parked()?, number.to_string().into_bytes().into()),
            Some(At::Pending) | None => continue,
        };
        let fail = |action, e| shared.io(action, &named.dir, &named.name, e);
        shared
            .owners
            .set_at(&fd, &name, uid, gid)
            .map_err(|e| fail("set the owner of", e))?;
        // chown(2) takes setuid and setgid away.
        if named.mode & 0o6000 != 0 {
            sys::chmod_nofollow(fd.as_fd(), &name, named.mode).map_err(|e| fail("set the mode of", e))?;
        }
    }
    Ok(())
}

/// Gives every directory that was made, and those that were there where the settings say so, owner, mode and time of the first package that has it.
pub(super) fn directories(shared: &Shared, names: &NameTable) -> Result<(), Error> {
    let mut all = vec![Arc::clone(&shared.tree)];
    let mut next = 0;
    while let Some(dir) = all.get(next).cloned() {
        next += 1;
        let state = dir.state();
        let below = state
            .slots
            .values()
            .filter(|slot| !slot.alias)
            .filter_map(|slot| slot.dir.clone());
        all.extend(below);
    }
    // Those below first: a directory without x, or of another owner, is not entered any more.
    let dressed = |dir: &&Arc<Dir>| match shared.settings.directories {
        Directories::Keep => !dir.existed,
        Directories::Dress => !dir.existed || !dir.state().claims.is_empty(),
    };
    for dir in all.iter().rev().filter(dressed) {
        dress(shared, dir, names)?;
    }
    Ok(())
}

fn dress(shared: &Shared, dir: &Arc<Dir>, names: &NameTable) -> Result<(), Error> {
    let (owner, mode, time) = {
        let state = dir.state();
        match (state.claims.iter().min_by_key(|claim| claim.at), state.implied) {
            (Some(claim), _) => (claim.owner.resolve(names), claim.mode, Some(claim.mtime)),
            (None, implied) => (Owner::ROOT.resolve(names), 0o755, implied.map(|(_, mtime)| mtime)),
        }
    };
    let fd = shared.fds.get(dir)?;
    let fail = |action, e: rustix::io::Errno| Error::io(action, shared.fds.host(&dir.path()), e);
    let is = Stat::of(&rustix::fs::fstat(&fd).map_err(|e| fail("look at", e))?);
    if shared.settings.ownership == Ownership::Apply && (is.uid, is.gid) != owner {
        shared
            .owners
            .set(&fd, owner.0, owner.1)
            .map_err(|e| Error::io("set the owner of", shared.fds.host(&dir.path()), e))?;
    }
    if mode & 0o2000 != 0 {
        settle_below(shared, dir, &fd)?;
    }
    // Always: the owner may have taken bits away, and nearly every directory was made 0700.
    rustix::fs::fchmod(&fd, Mode::from_raw_mode(mode)).map_err(|e| fail("set the mode of", e))?;
    match time {
        Some(time) => rustix::fs::futimens(&fd, &mtime(time)).map_err(|e| fail("set the time of", e)),
        None => Ok(()),
    }
}

/// Records what a directory with the set-group-id bit holds as root's, where nothing else is recorded: later, a file
/// without a record in it is taken for one that the kernel gave to the directory's group.
fn settle_below(shared: &Shared, dir: &Dir, fd: &OwnedFd) -> Result<(), Error> {
    let Some(ledger) = shared.owners.kept() else {
        return Ok(());
    };
    let fail = |e: std::io::Error| Error::io("look at", shared.fds.host(&dir.path()), e);
    for name in list(fd.as_fd()).map_err(|e| fail(e.into()))? {
        let id = FileId::at(fd, &name).map_err(fail)?;
        if ledger.get(id).is_none() {
            ledger.set(id, Owned::default());
        }
    }
    Ok(())
}
