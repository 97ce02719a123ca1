//! How much depends on each package: apt's measure for which of two stays.

use std::collections::{HashMap, HashSet};

use super::arena::{Arch, Atom, Pkg, Ver};
use super::relations::{Dep, Kind};
use super::state::States;
use crate::packages::Priority;

/// The resolver's own notes about packages.
#[derive(Default)]
pub(super) struct Notes {
    pub(super) scores: HashMap<Pkg, i64>,
    /// What the user asked for or refused.
    pub(super) fixed: HashSet<Pkg>,
    /// What was tried as a replacement already.
    pub(super) tried: HashSet<Pkg>,
}

impl Notes {
    pub(super) fn score(&self, pkg: Pkg) -> i64 {
        self.scores.get(&pkg).copied().unwrap_or(0)
    }

    pub(super) fn add(&mut self, pkg: Pkg, points: i64) {
        *self.scores.entry(pkg).or_default() += points;
    }
}

impl<'a> States<'_, 'a> {
    /// Where apt's table of packages has this one: by the hash of the name, then by the name.
    pub(super) fn place(&self, pkg: Pkg) -> (u32, usize, String, Arch) {
        let name = self.pool.full_name(pkg);
        let arch = self.pool.pkgs[pkg].arch;
        (
            crate::record::bucket(name.split(':').next().unwrap_or_default()),
            name.len(),
            name,
            arch,
        )
    }

    /// How much depends on each package.
    pub(super) fn score(&mut self, notes: &mut Notes) {
        let installed = self.installed();
        for &(pkg, ver) in &installed {
            let entry = &self.pool.pkgs[pkg];
            let mut points = if entry.essential || entry.important {
                100
            } else {
                0
            };
            points += match self.pool.vers[ver].stanza.priority() {
                Priority::Required => 3,
                Priority::Important => 2,
                Priority::Standard => 1,
                Priority::Optional => -1,
                Priority::Extra => -2,
                Priority::Unknown => 0,
            };
            points += i64::from(self.of(pkg).current.is_some());
            notes.add(pkg, points);
            let deps = self.pool.deps(ver);
            for dep in deps.iter() {
                let points = match dep.kind {
                    Kind::Depends | Kind::PreDepends | Kind::Recommends => 1,
                    Kind::Conflicts | Kind::Breaks => -1,
                    Kind::Suggests => continue,
                };
                for &atom in dep.atoms.iter() {
                    for target in self.scored(ver, dep, atom) {
                        notes.add(target, points);
                    }
                }
            }
        }
        // What important packages depend on becomes important: one step only.
        let old: HashMap<Pkg, i64> = notes.scores.clone();
        for &(pkg, ver) in &installed {
            let points = old.get(&pkg).copied().unwrap_or(0);
            if points <= 0 {
                continue;
            }
            let deps = self.pool.deps(ver);
            for dep in deps
                .iter()
                .filter(|dep| dep.kind.is_firm() || dep.kind == Kind::Recommends)
            {
                for &atom in dep.atoms.iter() {
                    for target in self.named(ver, atom) {
                        if self.of(target).install.is_some() {
                            notes.add(target, points);
                        }
                    }
                }
            }
        }
        // And so does what provides such a package.
        let mut list: Vec<(Pkg, Ver)> = installed.clone();
        list.sort_by_cached_key(|&(pkg, _)| self.place(pkg));
        for (pkg, ver) in list {
            let transfer = (notes.score(pkg) - old.get(&pkg).copied().unwrap_or(0)).abs();
            if transfer == 0 {
                continue;
            }
            for provider in self.provide(ver) {
                notes.add(provider, transfer);
            }
        }
        for pkg in self.pkgs() {
            let entry = &self.pool.pkgs[pkg];
            if entry.essential || entry.important {
                notes.add(pkg, 5000);
            }
            if notes.fixed.contains(&pkg) {
                notes.add(pkg, 10_000);
            }
        }
    }

    /// The packages that a relation scores: the one that it names, and what provides it.
    pub(super) fn scored(&mut self, owner: Ver, dep: &Dep<'a>, atom: Atom) -> Vec<Pkg> {
        let versioned = self.pool.atoms[atom].constraint.is_some();
        let members = self.pool.members(atom);
        let named = self.named(owner, atom);
        let mut scored = Vec::new();
        for &target in &named {
            let install = self.of(target).install;
            let fits = install.is_some_and(|ver| members.iter().any(|m| !m.provided && m.ver == ver));
            if versioned && !fits {
                return scored;
            }
            let own = dep.kind.is_negative() && target == self.pkg(owner);
            if !own {
                scored.push(target);
            }
        }
        for member in members.iter() {
            let pkg = self.pkg(member.ver);
            let other = member.provided || !named.contains(&pkg);
            let there = self.of(pkg).install == Some(member.ver);
            if other
                && there
                && !scored.contains(&pkg)
                && !self.ignores(owner, dep, member.ver, member.provided)
            {
                scored.push(pkg);
            }
        }
        scored
    }

    /// The packages that have the very name a relation asks for.
    pub(super) fn named(&self, owner: Ver, atom: Atom) -> Vec<Pkg> {
        let Some(group) = self.pool.plain_group(atom) else {
            return Vec::new();
        };
        let own = self.pool.pkgs[self.pkg(owner)].arch;
        let pkgs = self.pool.groups[group].pkgs.iter().copied();
        pkgs.filter(|&pkg| self.pool.pkgs[pkg].arch == own).collect()
    }

    /// The packages there that provide the name of this version's package.
    pub(super) fn provide(&mut self, ver: Ver) -> Vec<Pkg> {
        let pkg = self.pkg(ver);
        let group = self.pool.pkgs[pkg].group;
        let arch = self.pool.pkgs[pkg].arch;
        let mut found = Vec::new();
        for provider in self.pool.providers(group, arch) {
            let other = self.pkg(provider);
            let provided = other != pkg && self.of(other).install == Some(provider);
            if provided && !found.contains(&other) {
                found.push(other);
            }
        }
        found
    }
}
