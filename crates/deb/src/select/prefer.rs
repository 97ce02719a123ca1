//! Which of several candidates apt would take.

use std::cmp::Reverse;

use super::arena::{Arch, Atom, Group, Ver};
use super::relations::Dep;
use super::state::States;
use crate::packages::{MultiArch, Priority};

/// Everything that decides before the order in which names were heard of.
type Key = ([bool; 6], Arch, u8);

impl<'a> States<'_, 'a> {
    /// The candidates for a relation in the order of preference: alternatives from left to right, what is installed
    /// first. Without `sorted`, what is installed counts as well and the order means nothing.
    pub(super) fn solutions(&mut self, owner: Ver, dep: &Dep<'a>, sorted: bool) -> Vec<Ver> {
        let (mut there, mut fresh) = (Vec::new(), Vec::new());
        for &atom in dep.atoms.iter() {
            let mut found = self.available(owner, dep, atom, !sorted);
            if sorted {
                let group = self.pool.plain_group(atom);
                self.sort(&mut found, group);
            }
            for ver in found {
                let pkg = self.pkg(ver);
                if self.of(pkg).current.is_some() {
                    there.push(ver)
                } else {
                    fresh.push(ver)
                }
            }
        }
        there.append(&mut fresh);
        if !sorted {
            there.sort_unstable();
        }
        there.dedup();
        if !dep.kind.is_negative() {
            there.retain(|&ver| {
                let pkg = self.pkg(ver);
                let state = self.of(pkg);
                !(state.protected && state.install.is_none())
            });
        }
        there
    }

    /// The candidates (and with `also_current` the installed versions) that an atom means.
    fn available(&mut self, owner: Ver, dep: &Dep<'a>, atom: Atom, also_current: bool) -> Vec<Ver> {
        let members = self.pool.members(atom);
        let mut found: Vec<Ver> = Vec::new();
        for member in members.iter() {
            let pkg = self.pkg(member.ver);
            let state = self.of(pkg);
            let usable =
                state.candidate == Some(member.ver) || (also_current && state.current == Some(member.ver));
            if usable
                && !self.ignores(owner, dep, member.ver, member.provided)
                && !found.contains(&member.ver)
            {
                found.push(member.ver);
            }
        }
        found
    }

    /// Puts candidates into apt's order; `wanted` is the name that was asked for.
    pub(super) fn sort(&mut self, found: &mut [Ver], wanted: Option<Group>) {
        if found.len() < 2 {
            return;
        }
        let mut keyed: Vec<(Key, Ver)> = found.iter().map(|&ver| (self.key(ver, wanted), ver)).collect();
        keyed.sort_by_key(|(key, _)| *key);
        // Where a name is first heard of is sought in the whole index: only for those that nothing else sets apart.
        for tied in keyed.chunk_by_mut(|(a, _), (b, _)| a == b) {
            if tied.len() > 1 {
                tied.sort_by_cached_key(|&(_, ver)| {
                    let pkg = self.pkg(ver);
                    Reverse(self.pool.rank(pkg))
                });
            }
        }
        for (slot, (_, ver)) in found.iter_mut().zip(keyed) {
            *slot = ver;
        }
    }

    /// What decides between providers before anything else, the smallest first (`CompareProviders`).
    fn key(&mut self, ver: Ver, wanted: Option<Group>) -> Key {
        let pkg = self.pkg(ver);
        let sibling = self.has_sibling(ver);
        let state = self.of(pkg);
        let (protected, current) = (state.protected, state.current.is_some());
        let entry = &self.pool.pkgs[pkg];
        (
            [
                !protected,
                !sibling,
                !current,
                Some(entry.group) != wanted,
                !entry.essential,
                !entry.important,
            ],
            entry.arch,
            importance(self.pool.vers[ver].stanza.priority()),
        )
    }

    fn has_sibling(&mut self, ver: Ver) -> bool {
        if self.pool.vers[ver].stanza.multi_arch() != MultiArch::Same {
            return false;
        }
        let pkg = self.pkg(ver);
        let group = self.pool.pkgs[pkg].group;
        self.pool.groups[group]
            .pkgs
            .clone()
            .into_iter()
            .any(|pkg| self.of(pkg).current.is_some())
    }
}

/// A number that is smaller for what matters more. A package without a priority comes first: apt has 0 for it.
fn importance(priority: Priority) -> u8 {
    match priority {
        Priority::Unknown => 0,
        Priority::Required => 1,
        Priority::Important => 2,
        Priority::Standard => 3,
        Priority::Optional => 4,
        Priority::Extra => 5,
    }
}
