//! `pkg/suite`: what the package needs comes from that suite too, where nothing else would do.

use super::arena::{Pkg, Ver};
use super::state::States;
use super::walk::DEPTH;

impl<'a> States<'_, 'a> {
    /// Switches candidates to the suite as far as a version of it is needed (`SetCandidateRelease`).
    pub(super) fn follow_release(&mut self, ver: Ver, release: &str) {
        let mut changed = Vec::new();
        self.switch(ver, release, &mut changed);
    }

    /// Makes a version the candidate, and for each of its relations that candidates do not meet, one of the suite.
    /// `false` and nothing changed when that is not possible.
    fn switch(&mut self, ver: Ver, release: &str, changed: &mut Vec<(Pkg, Option<Ver>)>) -> bool {
        let start = changed.len();
        if start > DEPTH {
            return false;
        }
        let pkg = self.pkg(ver);
        let old = self.of(pkg).candidate;
        changed.push((pkg, old));
        self.set_candidate(pkg, Some(ver));
        let deps = self.pool.deps(ver);
        for dep in deps.iter() {
            if dep.kind.is_negative() || !self.matters(dep.kind) {
                continue;
            }
            let met = dep.atoms.iter().any(|&atom| {
                let members = self.pool.members(atom);
                members.iter().any(|member| {
                    let pkg = self.pkg(member.ver);
                    let state = self.of(pkg);
                    state.current == Some(member.ver) || state.candidate == Some(member.ver)
                })
            });
            if met {
                continue;
            }
            let switched = dep.atoms.iter().any(|&atom| {
                // Only a version asks for another candidate.
                if self.pool.atoms[atom].constraint.is_none() {
                    return false;
                }
                let members = self.pool.members(atom);
                let own = members
                    .iter()
                    .filter(|member| !member.provided)
                    .map(|member| member.ver);
                let found = own.into_iter().find(|&ver| self.is_of(ver, release));
                found.is_some_and(|ver| {
                    let pkg = self.pkg(ver);
                    changed.iter().any(|(known, _)| *known == pkg) || self.switch(ver, release, changed)
                })
            });
            if !switched && dep.kind.is_firm() {
                for (pkg, old) in changed.split_off(start).into_iter().rev() {
                    self.set_candidate(pkg, old);
                }
                return false;
            }
        }
        true
    }

    fn is_of(&self, ver: Ver, release: &str) -> bool {
        let universe = self.pool.universe();
        let entry = &self.pool.vers[ver];
        entry.indexes.iter().any(|&place| {
            universe
                .source(place)
                .is_some_and(|source| source.is_release(release))
        })
    }
}
