//! Placing the payloads of many packages into one root.

mod content;
mod divert;
mod filter;
mod glob;
mod names;
mod owner;
mod park;
mod path;
mod placed;
mod settings;
mod settle;
mod spot;
mod tree;
mod walk;
mod worker;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use bareroot_trust::Verified;

pub use divert::{Diversion, Diversions};
pub use filter::Filter;
pub use names::NameTable;
use park::Parking;
pub use placed::{Outcome, PathKind, PathRecord, Placed, Summary, Taken};
pub use settings::{
    Alone, Conffiles, Devices, Directories, Installed, Md5, Order, Override, Ownership, PlacerSettings,
    Relations, Subject,
};
use tree::{Dir, Fds, Name, dismantle, lock};
use worker::{Package, Worker};

use crate::error::Error;
use crate::owners::Owners;
use crate::payload::Payload;
use crate::root::Root;

/// Places packages into a root, from many threads at once.
///
/// The outcome is the one that dpkg has when it unpacks the packages one after the other in the order of their ordinals,
/// whatever the threads do:
///
/// * Two packages with the same path are a conflict, unless one `Replaces` the other; then the replacing package's file
///   stays, and the other package no longer owns the path. Architectures of one `Multi-Arch: same` package share identical
///   files.
/// * A directory that several packages ship has owner, mode and time of the first of them; one that was there before keeps
///   its own. Directories that an archive needs and does not list are made, 0755 and root's.
/// * Symbolic links are made in [`Placer::finish`], so that until then only links are in the root that were there before;
///   those are followed, inside the root, as dpkg follows them: where `/bin` is a link to `usr/bin`, `/bin/x` lands in
///   `/usr/bin` and is listed as `/bin/x`. A directory is never replaced by a link, and a link to a directory never by a
///   directory.
/// * What a package ships twice counts as it is shipped last, directories as they are shipped first.
///
/// What dpkg leaves to trust is refused: names that are absolute or climb, hard links to anything but a file of the same
/// package, paths that go through a link of the same package, and devices (see [`Devices`]).
///
/// A placer that returned an error has left the root in disorder: discard it.
#[derive(Debug)]
pub struct Placer {
    shared: Shared,
    /// `None` while the package is being placed.
    packages: Mutex<BTreeMap<u32, Option<Package>>>,
}

/// What all threads use.
#[derive(Debug)]
struct Shared {
    settings: PlacerSettings,
    owners: Owners,
    tree: Arc<Dir>,
    fds: Fds,
    parking: Parking,
    /// Names that more than one package, or a package and what was there, want.
    contested: Mutex<Vec<Name>>,
    /// Who ships a path that a filter keeps out, where it is no directory.
    filtered: Mutex<HashMap<Vec<u8>, Vec<u32>>>,
    buffers: Mutex<Vec<Vec<u8>>>,
}

impl Placer {
    /// A placer for `root`, in which no other process should be at work.
    ///
    /// # Errors
    /// [`Error::Io`] when there are no descriptors left.
    pub fn new(root: &Root, settings: PlacerSettings) -> Result<Self, Error> {
        let fd = root.open_dir("/")?;
        let shared = Shared {
            settings,
            owners: root.owners().clone(),
            tree: Dir::root(fd),
            fds: Fds::new(root.path().to_path_buf()),
            parking: Parking::default(),
            contested: Mutex::default(),
            filtered: Mutex::default(),
            buffers: Mutex::default(),
        };
        Ok(Placer {
            shared,
            packages: Mutex::default(),
        })
    }

    /// Places one package. Conflicts with other packages show in [`Placer::finish`], when all are known.
    ///
    /// # Errors
    /// [`Error::Escape`], [`Error::Size`], [`Error::Hardlink`] and [`Error::Payload`] for an archive that lies, [`Error::Io`]
    /// and [`Error::NoSpace`] when the file system refuses, [`Error::OverDiverted`], [`Error::Cancelled`].
    pub fn place<P: Payload>(&self, order: &Order, payload: Verified<P>) -> Result<Summary, Error> {
        let bad = |reason| Error::Ordinal {
            package: order.subject.name.clone(),
            ordinal: order.ordinal,
            reason,
        };
        let ordinal = u32::try_from(order.ordinal).map_err(|_| bad("is out of range"))?;
        {
            let mut packages = lock(&self.packages);
            if packages.contains_key(&ordinal) {
                return Err(bad("is taken"));
            }
            packages.insert(ordinal, None);
        }
        let package = Worker::new(&self.shared, order, ordinal).run(payload.into_inner())?;
        let summary = package.summary();
        lock(&self.packages).insert(ordinal, Some(package));
        Ok(summary)
    }

    /// Settles what packages share or fight over, makes the symbolic links, gives files their named owners, and directories
    /// their owners, modes and times. `names` are the users and groups of the root; `declared` what the packages' own preinsts
    /// divert, by which a package's file makes room for that of the one that diverts it.
    ///
    /// # Errors
    /// [`Error::Conflict`], [`Error::KindConflict`], [`Error::SharedDiffers`] between packages, [`Error::Obstructed`] by
    /// what was there before, [`Error::Escape`], [`Error::Io`], [`Error::NoSpace`].
    pub fn finish(self, names: &NameTable, declared: &Diversions) -> Result<Outcome, Error> {
        let mut packages = Vec::new();
        for (ordinal, package) in std::mem::take(&mut *lock(&self.packages)) {
            let unfinished = || Error::Ordinal {
                package: "that failed".to_owned(),
                ordinal: usize::try_from(ordinal).unwrap_or(usize::MAX),
                reason: "was not placed to its end",
            };
            packages.push(package.ok_or_else(unfinished)?);
        }
        settle::finish(&self.shared, packages, names, declared)
    }
}

impl Drop for Placer {
    fn drop(&mut self) {
        dismantle(&self.shared.tree);
    }
}
