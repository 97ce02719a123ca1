//! Names that more than one package wants, or a package and what was there before.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use rustix::fs::AtFlags;
use rustix::io::Errno;
use smallvec::SmallVec;

use super::super::Shared;
use super::super::tree::{At, Dir, Existing, Leaf, LeafKind, Slot, lock};
use super::ledger::{Owner, installed};
use crate::error::Error;
use crate::root::{FileKind, Stat};

/// One such name.
#[derive(Debug)]
pub(super) struct Contest {
    pub(super) dir: Arc<Dir>,
    pub(super) name: Box<[u8]>,
    /// Its path when the replay began.
    pub(super) path: Vec<u8>,
    pub(super) leaves: SmallVec<[Leaf; 1]>,
    /// The directory that packages have there.
    pub(super) node: Option<Arc<Dir>>,
    /// The number of `node` in the parking directory, while it is not at its path.
    pub(super) aside: Option<u64>,
    pub(super) occupant: Occupant,
    pub(super) owners: Vec<Owner>,
}

/// What is at the path at this moment of the replay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Occupant {
    Nothing,
    Directory,
    /// A link that was there before, and through which packages were placed.
    Alias,
    /// What a package brought.
    Leaf(LeafKind),
    /// What was there before.
    Existing(FileKind),
}

impl Occupant {
    pub(super) fn is_link(self) -> bool {
        let links = [
            Occupant::Alias,
            Occupant::Leaf(LeafKind::Symlink),
            Occupant::Existing(FileKind::Symlink),
        ];
        links.contains(&self)
    }

    pub(super) fn words(self) -> &'static str {
        match self {
            Occupant::Nothing => "nothing",
            Occupant::Directory => "a directory",
            Occupant::Alias => "a symbolic link to a directory",
            Occupant::Leaf(kind) => kind.words(),
            Occupant::Existing(kind) => kind.words(),
        }
    }
}

impl Contest {
    /// A name at which something was found only now.
    pub(super) fn found(shared: &Shared, dir: &Arc<Dir>, name: &[u8]) -> Result<Self, Error> {
        let fd = shared.fds.get(dir)?;
        let stat = rustix::fs::statat(&fd, name, AtFlags::SYMLINK_NOFOLLOW);
        let occupant = match Stat::of(&stat.map_err(|e| shared.io("look at", dir, name, e))?).kind {
            FileKind::Directory => Occupant::Directory,
            kind => Occupant::Existing(kind),
        };
        let path = dir.path_of(name);
        Ok(Contest {
            dir: Arc::clone(dir),
            name: name.into(),
            owners: installed(shared, &path),
            path,
            leaves: SmallVec::new(),
            node: None,
            aside: None,
            occupant,
        })
    }

    /// Every ordinal that has a part in it.
    pub(super) fn ordinals(&self) -> Vec<u32> {
        let mut ordinals: Vec<u32> = self.leaves.iter().map(|leaf| leaf.ordinal).collect();
        if let Some(node) = &self.node {
            let state = node.state();
            ordinals.extend(state.claims.iter().map(|claim| claim.at.0));
            ordinals.extend(state.implied.map(|(at, _)| at.0));
        }
        ordinals.sort_unstable();
        ordinals.dedup();
        ordinals
    }

    /// A directory that nobody came to need goes with the parking directory.
    pub(super) fn end(&self) {
        if self.aside.is_some()
            && let Some(slot) = self.dir.real().state().slots.get_mut(&self.name)
        {
            slot.dir = None;
        }
    }

    pub(super) fn leaf_of(&self, ordinal: u32) -> Option<Leaf> {
        self.leaves.iter().find(|leaf| leaf.ordinal == ordinal).cloned()
    }

    /// A package's own spelling of the path.
    pub(super) fn spelling(&self, leaf: &Leaf) -> Vec<u8> {
        leaf.spelling.as_deref().unwrap_or(&self.path).to_vec()
    }

    /// The directory as it is now, and open.
    pub(super) fn open(&self, shared: &Shared) -> Result<(Arc<Dir>, Arc<OwnedFd>), Error> {
        let dir = self.dir.real();
        let fd = shared.fds.get(&dir)?;
        Ok((dir, fd))
    }
}

/// All contests, by path, with everything aside that is not there before the first package.
pub(super) fn prepare(shared: &Shared) -> Result<Vec<Contest>, Error> {
    let names = std::mem::take(&mut *lock(&shared.contested));
    // Their paths, as long as every directory is at its own.
    let mut names: Vec<_> = names
        .into_iter()
        .map(|(dir, name)| (dir.path_of(&name), dir, name))
        .collect();
    names.sort_by(|a, b| a.0.cmp(&b.0));
    names
        .into_iter()
        .map(|(path, dir, name)| begin(shared, path, dir, name))
        .collect()
}

fn begin(shared: &Shared, path: Vec<u8>, dir: Arc<Dir>, name: Box<[u8]>) -> Result<Contest, Error> {
    let fd = shared.fds.get(&dir)?;
    let mut state = dir.state();
    let slot = state.slots.entry(name.clone()).or_default();
    for leaf in slot.leaves.iter_mut().filter(|leaf| leaf.at == At::Place) {
        leaf.at = At::Parked(
            shared
                .parking
                .take(&shared.tree, &shared.fds, (&dir, &fd), &name)?,
        );
    }
    // Where every claim came to be parked or pending, nobody has looked whether something was there before.
    if slot.dir.is_none() && slot.existing.is_none() {
        match rustix::fs::statat(&fd, &*name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => match Stat::of(&stat).kind {
                FileKind::Directory => slot.dir = Some(Dir::new(&Arc::downgrade(&dir), &name, true)),
                kind => slot.existing = Some(Existing { kind, at: At::Place }),
            },
            Err(Errno::NOENT) => {}
            Err(error) => return Err(shared.io("look at", &dir, &name, error)),
        }
    }
    let node = slot.dir.clone().filter(|_| !slot.alias);
    let mut aside = None;
    if let Some(node) = node.as_ref().filter(|node| comes_later(node, slot)) {
        let number = shared
            .parking
            .take(&shared.tree, &shared.fds, (&dir, &fd), &name)?;
        let parking = shared.parking.dir(&shared.tree, &shared.fds)?;
        node.reseat(&parking, number.to_string().as_bytes());
        aside = Some(number);
    }
    if let Some(existing) = &mut slot.existing
        && let At::Parked(number) = existing.at
    {
        let parked = shared.parked()?;
        rustix::fs::renameat(&parked, number.to_string().as_str(), &fd, &*name)
            .map_err(|e| shared.io("move back", &dir, &name, e))?;
        existing.at = At::Place;
    }
    let occupant = match (&node, slot.existing) {
        _ if slot.alias => Occupant::Alias,
        (_, Some(existing)) => Occupant::Existing(existing.kind),
        (Some(node), None) if node.existed => Occupant::Directory,
        _ => Occupant::Nothing,
    };
    let leaves = slot.leaves.clone();
    drop(state);
    let mut spellings: Vec<&[u8]> = leaves
        .iter()
        .filter_map(|leaf| leaf.spelling.as_deref())
        .collect();
    let claims: Vec<_> = node.iter().flat_map(|node| node.state().claims.clone()).collect();
    spellings.extend(claims.iter().filter_map(|claim| claim.spelling.as_deref()));
    spellings.push(&path);
    spellings.sort_unstable();
    spellings.dedup();
    let owners = spellings
        .into_iter()
        .flat_map(|spelling| installed(shared, spelling))
        .collect();
    Ok(Contest {
        dir,
        name,
        path,
        leaves,
        node,
        aside,
        occupant,
        owners,
    })
}

/// Whether something else is at a directory's path before the first package needs the directory.
fn comes_later(node: &Dir, slot: &Slot) -> bool {
    let Some((first, _)) = node.first() else {
        return false;
    };
    slot.existing.is_some() || slot.leaves.iter().any(|leaf| leaf.ordinal < first)
}
