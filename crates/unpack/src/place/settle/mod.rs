//! The last part of placing, on one thread: what the solution's order decides, and what waits for it.

mod arrive;
mod contest;
mod diverted;
mod dress;
mod follow;
mod ledger;
mod merge;

use std::collections::BTreeMap;
use std::sync::Arc;

use rustix::io::Errno;

use super::Shared;
use super::divert::{Diversion, Diversions};
use super::names::NameTable;
use super::placed::{Outcome, Placed};
use super::tree::{Dir, LeafKind, lock};
use super::worker::{Link, Package};
use crate::error::Error;
use contest::Contest;
use ledger::Ledger;

/// Replays the packages in their order as far as that matters, and gives everything its final form.
pub(super) fn finish(
    shared: &Shared,
    packages: Vec<Package>,
    names: &NameTable,
    declared: &Diversions,
) -> Result<Outcome, Error> {
    for package in &packages {
        shared.settings.cancel.check()?;
        dress::name_files(shared, package, names)?;
    }
    let mut contests = contest::prepare(shared)?;
    let mut turns: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    let mut by_name = BTreeMap::new();
    for (index, contest) in contests.iter().enumerate() {
        by_name.insert(key(&contest.dir, &contest.name), index);
        for ordinal in contest.ordinals() {
            turns.entry(ordinal).or_default().push(index);
        }
    }
    let mut replay = Replay {
        shared,
        names,
        ledger: Ledger::new(shared, &packages),
        declared,
        diverted: Vec::new(),
    };
    for package in &packages {
        shared.settings.cancel.check()?;
        for &index in turns.get(&package.ordinal).into_iter().flatten() {
            let Some(contest) = contests.get_mut(index) else {
                continue;
            };
            replay.directory_arrives(contest, package.ordinal)?;
            if let Some(leaf) = contest
                .leaf_of(package.ordinal)
                .filter(|leaf| leaf.kind != LeafKind::Symlink)
            {
                replay.leaf_arrives(contest, &leaf)?;
            }
        }
        let contest_of = |link: &Link| by_name.get(&key(&link.dir, &link.name)).copied();
        // dpkg renames a package's links into place only after it has looked at all of them.
        let mut stay = Vec::new();
        for link in &package.links {
            let contest = contest_of(link).and_then(|index| contests.get(index));
            stay.push(contest.map_or(Ok(false), |contest| replay.stays(contest, package.ordinal, link))?);
        }
        for (link, stays) in package.links.iter().zip(stay) {
            match contest_of(link).and_then(|index| contests.get_mut(index)) {
                Some(contest) => replay.link_arrives(contest, package.ordinal, link, stays)?,
                None => replay.lone_link(package.ordinal, link)?,
            }
        }
    }
    contests.iter().for_each(Contest::end);
    let filtered = std::mem::take(&mut *lock(&shared.filtered));
    replay.ledger.filtered(filtered)?;
    shared.parking.remove(&shared.tree, &shared.fds)?;
    dress::directories(shared, names)?;
    Ok(outcome(packages, replay.ledger, replay.diverted))
}

/// The state of the replay that is not on disk.
struct Replay<'f> {
    shared: &'f Shared,
    names: &'f NameTable,
    ledger: Ledger<'f>,
    /// What the packages' preinsts divert.
    declared: &'f Diversions,
    /// What of it was needed.
    diverted: Vec<Diversion>,
}

/// A name in a directory, however the directory is reached.
fn key(dir: &Arc<Dir>, name: &[u8]) -> (usize, Box<[u8]>) {
    (Arc::as_ptr(dir) as usize, name.into())
}

fn outcome(packages: Vec<Package>, ledger: Ledger<'_>, diverted: Vec<Diversion>) -> Outcome {
    let (mut lost, taken) = ledger.into_parts();
    let packages = packages.into_iter().map(|mut package| {
        if let Some(lost) = lost.remove(&package.ordinal) {
            package.paths.retain(|record| !lost.contains(&record.path));
            package.md5.retain(|path, _| !lost.contains(path));
        }
        Placed {
            ordinal: usize::try_from(package.ordinal).unwrap_or(usize::MAX),
            subject: package.subject,
            paths: package.paths,
            md5: package.md5,
            bytes: package.bytes,
        }
    });
    Outcome {
        packages: packages.collect(),
        taken,
        diverted,
    }
}

impl Replay<'_> {
    /// A link whose name nobody else was known to want.
    fn lone_link(&mut self, ordinal: u32, link: &Link) -> Result<(), Error> {
        let dir = link.dir.real();
        if self.make_link(&dir, link, &link.name)? {
            return Ok(());
        }
        // Something was there before, or came there with the content of a directory that a link replaced.
        if self.placed(&dir, &link.name).is_some_and(|other| other > ordinal) {
            return Ok(());
        }
        let later = |node: &Arc<Dir>| node.first().is_some_and(|(first, _)| first > ordinal);
        if dir
            .state()
            .slots
            .get(&link.name)
            .and_then(|slot| slot.dir.as_ref())
            .is_some_and(later)
        {
            return Err(self.in_the_way(&dir, &link.name, ordinal, &link.listed, Errno::EXIST));
        }
        let mut contest = Contest::found(self.shared, &dir, &link.name)?;
        let stays = self.stays(&contest, ordinal, link)?;
        self.link_arrives(&mut contest, ordinal, link, stays)
    }
}
