//! What apt does when its marking leaves something broken.
//!
//! Most often that is a wish that conflicts with what another wish pulled in. apt then scores all packages by how much
//! depends on them and goes through the broken ones from the highest score down: it takes out the side with the lower
//! score, or marks another alternative (`pkgProblemResolver::ResolveInternal`). Where that succeeds, it is what a user
//! of apt gets, and so what the solver is told to prefer.

use std::collections::HashSet;

use super::arena::{Atom, Pkg, Ver};
use super::relations::{Dep, Kind};
use super::scores::Notes;
use super::state::{Mode, States};
use super::walk::DEPTH;

/// After so many rounds apt stops.
const ROUNDS: u32 = 20;

/// What becomes of a package whose alternatives all failed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fallback {
    Remove,
    Keep,
}

/// What one look at an alternative led to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Look {
    /// Nothing was decided: the next relation.
    Next,
    /// Something changed: the package is looked at again in the next round.
    Done,
    /// The package is out: no further relation counts.
    Stop,
}

/// The package under consideration.
struct Subject {
    pkg: Pkg,
    ver: Ver,
    round: u32,
    fallback: Fallback,
    /// What would have to go so that it can stay.
    victims: Vec<Pkg>,
    changed: bool,
}

impl<'a> States<'_, 'a> {
    /// Repairs what the marking left broken, as far as apt's rules go.
    pub(super) fn resolve_problems(&mut self, fixed: HashSet<Pkg>) {
        if self.broken().is_empty() {
            return;
        }
        let before: HashSet<Pkg> = self.installed().into_iter().map(|(pkg, _)| pkg).collect();
        let mut notes = Notes {
            fixed,
            ..Notes::default()
        };
        self.score(&mut notes);
        let mut list: Vec<Pkg> = self.pkgs().collect();
        list.sort_by_cached_key(|&pkg| (std::cmp::Reverse(notes.score(pkg)), self.place(pkg)));
        for round in 0..ROUNDS {
            let mut changed = false;
            // What is marked on the way comes after everything that has a score.
            let known = list.len();
            list.extend(self.pkgs().skip(known));
            for pkg in list.clone() {
                if self.is_broken(pkg) {
                    changed |= self.investigate(pkg, round, &mut notes);
                }
            }
            if !changed {
                break;
            }
        }
        for (pkg, _) in self.installed() {
            let state = self.of(pkg);
            if state.current.is_none() && !before.contains(&pkg) {
                state.auto = true;
            }
        }
    }

    fn broken(&mut self) -> Vec<Pkg> {
        self.installed()
            .into_iter()
            .map(|(pkg, _)| pkg)
            .filter(|&pkg| self.is_broken(pkg))
            .collect()
    }

    /// Looks for a way out for one broken package. Says whether something changed.
    fn investigate(&mut self, pkg: Pkg, round: u32, notes: &mut Notes) -> bool {
        let Some(ver) = self.of(pkg).install else {
            return false;
        };
        let mut subject = Subject {
            pkg,
            ver,
            round,
            fallback: Fallback::Remove,
            victims: Vec::new(),
            changed: false,
        };
        let deps = self.pool.deps(ver);
        'deps: for dep in deps.iter().filter(|dep| dep.kind.is_critical()) {
            let several = dep.atoms.len() > 1;
            let victims = subject.victims.len();
            subject.fallback = Fallback::Remove;
            let mut open = several;
            for &atom in dep.atoms.iter() {
                if self.holds(ver, dep) {
                    open = false;
                    continue;
                }
                match self.consider(&mut subject, dep, atom, several, notes) {
                    Look::Stop => break 'deps,
                    Look::Done if !several => break 'deps,
                    Look::Done | Look::Next => {}
                }
            }
            if open && subject.victims.len() == victims {
                match subject.fallback {
                    Fallback::Remove => {
                        if !self.of(pkg).protected {
                            self.take_out(pkg);
                            subject.changed = true;
                        }
                    }
                    Fallback::Keep => {
                        self.keep(pkg, 0);
                        subject.changed = true;
                    }
                }
            }
        }
        if self.of(pkg).install.is_some() {
            for victim in std::mem::take(&mut subject.victims) {
                let gone = self.keep(victim, 0);
                if (!gone || round > 1) && notes.score(pkg) > notes.score(victim) {
                    let score = notes.score(pkg);
                    notes.scores.insert(victim, score);
                    subject.changed = true;
                }
                subject.changed |= gone;
            }
        }
        subject.changed
    }

    /// One alternative of a relation that does not hold.
    fn consider(
        &mut self,
        subject: &mut Subject,
        dep: &Dep<'a>,
        atom: Atom,
        several: bool,
        notes: &mut Notes,
    ) -> Look {
        let Subject { pkg, ver, .. } = *subject;
        let negative = dep.kind.is_negative();
        let targets = self.targets(ver, dep, atom);
        if targets.is_empty() && !negative && !self.of(pkg).protected {
            if several {
                return Look::Next;
            }
            subject.changed = true;
            self.keep(pkg, 0);
            return Look::Stop;
        }
        for target in targets {
            let other = self.pkg(target);
            if negative && self.of(other).install != Some(target) {
                continue;
            }
            if notes.score(pkg) <= notes.score(other) || !negative {
                if self.of(pkg).protected {
                    if self.replace(other, notes) {
                        if notes.score(other) > notes.score(pkg) {
                            let score = notes.score(pkg);
                            notes.scores.insert(other, score);
                        }
                        return Look::Next;
                    }
                    continue;
                }
                self.give_way(subject, other, atom, several, notes);
                subject.changed = true;
                return Look::Done;
            }
            if dep.kind == Kind::Breaks && !self.candidates_hit(ver, dep) {
                self.pull(other, false);
                continue;
            }
            if self.of(other).protected {
                continue;
            }
            subject.victims.push(other);
            if !negative {
                break;
            }
        }
        Look::Next
    }

    /// The package is taken out, or another alternative marked for it.
    fn give_way(&mut self, subject: &mut Subject, other: Pkg, atom: Atom, several: bool, notes: &mut Notes) {
        let pkg = subject.pkg;
        let marked = self.of(pkg).mode == Mode::Install;
        self.keep(pkg, 0);
        if !self.is_broken(pkg) {
            subject.fallback = Fallback::Keep;
            if several && marked {
                self.pull(pkg, false);
            }
        } else if !self.replace(pkg, notes) {
            if !several {
                self.take_out(pkg);
                if subject.round > 1 && notes.score(other) > notes.score(pkg) {
                    let score = notes.score(other);
                    notes.scores.insert(pkg, score);
                }
                return;
            }
            let target = self.named(subject.ver, atom).first().copied();
            let Some(target) = target else { return };
            let state = self.of(target);
            if state.current.is_none() && state.candidate.is_some() {
                let before = self.broken().len();
                self.pull(target, true);
                if self.is_broken(target) || self.broken().len() > before {
                    self.take_out(target);
                }
            }
        }
    }

    /// Marks a package and what it needs, without following further. `false`, and all as it was, when that fails.
    fn replace(&mut self, pkg: Pkg, notes: &mut Notes) -> bool {
        let state = self.of(pkg);
        // As deep as the walk goes at most.
        if notes.tried.len() >= DEPTH
            || notes.tried.contains(&pkg)
            || state.candidate.is_none()
            || notes.fixed.contains(&pkg)
        {
            return false;
        }
        if state.current.is_some() && state.current == state.candidate {
            return false;
        }
        let kept = state.mode == Mode::Keep;
        notes.tried.insert(pkg);
        if !self.pull(pkg, false) {
            return false;
        }
        let Some(ver) = self.of(pkg).install else {
            return false;
        };
        let mut fail = false;
        let deps = self.pool.deps(ver);
        for dep in deps.iter().filter(|dep| dep.kind.is_critical()) {
            for &atom in dep.atoms.iter() {
                if self.holds(ver, dep) {
                    break;
                }
                let Some(other) = self.smart_target(ver, dep, atom) else {
                    fail = true;
                    continue;
                };
                if self.of(other).protected {
                    fail = true;
                } else if self.candidates_hit(
                    ver,
                    &Dep {
                        atoms: [atom].into(),
                        ..dep.clone()
                    },
                ) != dep.kind.is_negative()
                {
                    if self.replace(other, notes) {
                        fail = false;
                        break;
                    }
                    fail = true;
                } else if dep.kind.is_negative() {
                    break;
                } else {
                    fail = true;
                }
            }
            if fail {
                break;
            }
        }
        if fail {
            if kept {
                self.keep(pkg, 0);
            } else {
                self.take_out(pkg);
            }
        }
        !fail
    }

    /// The package that a relation means: the one of that name, or the provider that was heard of last.
    fn smart_target(&mut self, owner: Ver, dep: &Dep<'a>, atom: Atom) -> Option<Pkg> {
        if let Some(&own) = self.named(owner, atom).first() {
            return Some(own);
        }
        let own = self.pkg(owner);
        let targets = self.targets(owner, dep, atom);
        targets
            .into_iter()
            .map(|ver| self.pkg(ver))
            .find(|&pkg| pkg != own)
    }

    /// Everything that an atom means, candidates or not: the name itself, then providers, the last one first.
    fn targets(&mut self, owner: Ver, dep: &Dep<'a>, atom: Atom) -> Vec<Ver> {
        let members = self.pool.members(atom);
        let counts = |m: &&super::targets::Member<'a>| !self.ignores(owner, dep, m.ver, m.provided);
        let real = members
            .iter()
            .filter(|m| !m.provided)
            .filter(counts)
            .map(|m| m.ver);
        let provided = members
            .iter()
            .rev()
            .filter(|m| m.provided)
            .filter(counts)
            .map(|m| m.ver);
        real.chain(provided).collect()
    }

    /// Whether some candidate is among what a relation means.
    fn candidates_hit(&mut self, owner: Ver, dep: &Dep<'a>) -> bool {
        dep.atoms.iter().any(|&atom| {
            self.targets(owner, dep, atom).into_iter().any(|ver| {
                let pkg = self.pkg(ver);
                self.of(pkg).candidate == Some(ver)
            })
        })
    }

    /// Takes a package out that nobody named. What an earlier stage installed stays.
    fn take_out(&mut self, pkg: Pkg) -> bool {
        let entry = &self.pool.pkgs[pkg];
        let guarded = entry.essential || entry.important;
        let state = self.of(pkg);
        if state.install.is_none() {
            return true;
        }
        if state.protected || guarded || state.current.is_some() || !state.auto {
            return false;
        }
        self.set_install(pkg, None, Mode::Keep);
        true
    }
}
