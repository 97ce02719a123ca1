//! Taking out again what nothing needs: marks that a dead end of the walk left behind.
//!
//! apt's rule (`DoAutomaticRemove`, with its default options): what nobody named stays only when something that stays
//! depends on it, recommends it or suggests it, through whichever alternative.

use std::collections::HashSet;

use super::arena::Pkg;
use super::state::{Mode, States};

impl States<'_, '_> {
    /// Takes out what this stage marked and nothing needs.
    pub(super) fn sweep(&mut self) {
        let kept = self.kept();
        let mut swept = Vec::new();
        for (pkg, _) in self.installed() {
            let state = self.of(pkg);
            if state.auto && state.current.is_none() && !kept.contains(&pkg) {
                self.set_install(pkg, None, Mode::Keep);
                swept.push(pkg);
            }
        }
        self.restore(swept);
    }

    fn kept(&mut self) -> HashSet<Pkg> {
        let mut kept = HashSet::new();
        let mut queue = Vec::new();
        for (pkg, ver) in self.installed() {
            let state = self.of(pkg);
            let named = !state.auto || state.current.is_some();
            let entry = &self.pool.pkgs[pkg];
            if (named || entry.essential || entry.important) && kept.insert(pkg) {
                queue.push(ver);
            }
        }
        while let Some(ver) = queue.pop() {
            let deps = self.pool.deps(ver);
            for dep in deps.iter().filter(|dep| !dep.kind.is_negative()) {
                for &atom in dep.atoms.iter() {
                    for member in self.pool.members(atom).iter() {
                        let pkg = self.pkg(member.ver);
                        if self.of(pkg).install == Some(member.ver) && kept.insert(pkg) {
                            queue.push(member.ver);
                        }
                    }
                }
            }
        }
        kept
    }

    /// Puts back what turns out to be needed after all, by relations that look at versions only.
    fn restore(&mut self, mut swept: Vec<Pkg>) {
        while !swept.is_empty() {
            let incomplete: Vec<_> = self
                .installed()
                .into_iter()
                .filter(|&(pkg, _)| self.is_incomplete(pkg))
                .collect();
            let mut missing = HashSet::new();
            for (_, ver) in incomplete {
                for dep in self.pool.deps(ver).iter() {
                    if !dep.kind.is_negative() && self.matters(dep.kind) && !self.holds(ver, dep) {
                        let members = dep
                            .atoms
                            .iter()
                            .flat_map(|&atom| self.pool.members(atom).to_vec());
                        missing.extend(
                            members
                                .collect::<Vec<_>>()
                                .iter()
                                .map(|member| self.pkg(member.ver)),
                        );
                    }
                }
            }
            let Some(at) = swept.iter().position(|pkg| missing.contains(pkg)) else {
                return;
            };
            let pkg = swept.remove(at);
            self.pull(pkg, false);
        }
    }
}
