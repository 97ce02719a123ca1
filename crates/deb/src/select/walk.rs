//! The order of preference: which packages apt would choose.
//!
//! apt's resolver is a walk, depth first: it marks a package, then goes through its relations in the order of the
//! fields and marks, for each that is not met yet, the first candidate whose own relations can be met. The set that
//! comes out depends on that order, on what was marked before, and on how providers compare. This module takes the
//! same steps (apt 2.6 and 3.0 with the internal solver, `depcache.cc`), so that the solver can be told what to
//! prefer. It proves nothing: whether the marked packages fit together is for [`bareroot_solve`] to say.

use super::arena::{Pkg, Ver};
use super::relations::Dep;
use super::state::{Mode, States, Why};
use crate::packages::MultiArch;

/// Deeper chains are given up, as apt does.
pub(super) const DEPTH: usize = 3000;

/// The arguments that one step of the walk hands to the next.
#[derive(Clone, Debug, Default)]
struct Step {
    /// Whether relations are followed.
    follow: bool,
    depth: usize,
    /// Whether the user named the package.
    user: bool,
    why: Option<Why>,
}

impl<'a> States<'_, 'a> {
    /// Marks what the user named, without what it needs.
    pub(super) fn request(&mut self, ver: Ver) {
        let pkg = self.pkg(ver);
        self.set_candidate(pkg, Some(ver));
        self.of(pkg).protected = true;
        self.mark(
            pkg,
            Step {
                user: true,
                ..Step::default()
            },
        );
        let state = self.of(pkg);
        if state.mode != Mode::Install {
            state.auto = false;
        }
    }

    /// Marks what the user refused: it stays out.
    pub(super) fn refuse(&mut self, pkg: Pkg) {
        let state = self.of(pkg);
        state.protected = true;
        state.held = true;
    }

    /// Marks what a requested package needs.
    pub(super) fn complete(&mut self, pkg: Pkg) {
        self.mark(
            pkg,
            Step {
                follow: true,
                user: true,
                ..Step::default()
            },
        );
    }

    /// Marks a package that nobody asked for by name.
    pub(super) fn pull(&mut self, pkg: Pkg, follow: bool) -> bool {
        self.mark(
            pkg,
            Step {
                follow,
                ..Step::default()
            },
        )
    }

    fn may_change(&mut self, pkg: Pkg, to: Mode, step: &Step) -> bool {
        if step.depth > DEPTH || self.pool.pkgs[pkg].versions.is_empty() {
            return false;
        }
        let state = self.of(pkg);
        step.user || state.mode == to || !(state.protected || (state.held && to == Mode::Install))
    }

    /// Takes a package out again, or leaves it as it was.
    pub(super) fn keep(&mut self, pkg: Pkg, depth: usize) -> bool {
        if !self.may_change(
            pkg,
            Mode::Keep,
            &Step {
                depth,
                ..Step::default()
            },
        ) {
            return false;
        }
        let state = self.of(pkg);
        if state.mode != Mode::Keep {
            let current = state.current;
            self.set_install(pkg, current, Mode::Keep);
        }
        true
    }

    fn discard_install(&mut self, pkg: Pkg) {
        let state = self.of(pkg);
        if state.mode == Mode::Keep && state.install == state.candidate && state.candidate == state.current {
            return;
        }
        let current = state.current;
        self.set_install(pkg, current, Mode::Keep);
        self.discard_candidate(pkg);
    }

    /// The walk's step: marks the package and, with `follow`, what it needs. `false` when that cannot be.
    fn mark(&mut self, pkg: Pkg, step: Step) -> bool {
        let state = self.of(pkg);
        let settled = state.protected
            && state.mode == Mode::Keep
            && state.candidate.is_some()
            && state.candidate == state.current;
        if !settled && !self.may_change(pkg, Mode::Install, &step) {
            return false;
        }
        let state = self.of(pkg);
        let Some(candidate) = state.candidate else {
            return false;
        };
        let (protected, mode, current) = (state.protected, state.mode, state.current);
        if !protected && !self.is_incomplete(pkg) {
            if current == Some(candidate) {
                return self.of(pkg).install.is_some() || self.keep(pkg, step.depth + 1);
            }
            if mode == Mode::Install {
                return true;
            }
        }
        if !self.in_step_with_siblings(pkg, candidate, &step)
            || !self.satisfiable(pkg, candidate, step.follow)
        {
            return false;
        }
        if step.user {
            self.change(pkg, candidate, &step);
        }
        let early = !protected && !step.user;
        let mut failed = false;
        let mut wanted = Vec::new();
        if step.follow {
            let unwanted = self.collect(candidate, protected, &mut wanted);
            if !self.remove_conflicts(candidate, &unwanted, &step, protected) {
                if early {
                    return false;
                }
                failed = true;
            }
        }
        if !step.user {
            self.change(pkg, candidate, &step);
        }
        if !step.follow {
            return !failed;
        }
        self.of(pkg).protected = true;
        let installed = self.install_needs(pkg, candidate, &wanted, &step, protected);
        if !installed && early {
            self.discard_install(pkg);
        }
        self.of(pkg).protected = protected;
        installed && !failed
    }

    fn change(&mut self, pkg: Pkg, candidate: Ver, step: &Step) {
        let state = self.of(pkg);
        if state.protected && state.install == Some(candidate) {
            return;
        }
        let fresh = state.current.is_none();
        if step.user {
            state.auto = false;
        } else if fresh {
            state.auto = true;
        }
        if state.install != Some(candidate) || state.why.is_none() {
            state.why.clone_from(&step.why);
        }
        let mode = if state.current == Some(candidate) {
            Mode::Keep
        } else {
            Mode::Install
        };
        self.set_install(pkg, Some(candidate), mode);
    }

    /// `Multi-Arch: same` packages of several architectures have one version.
    fn in_step_with_siblings(&mut self, pkg: Pkg, candidate: Ver, step: &Step) -> bool {
        let state = self.of(pkg);
        let marked = state.mode == Mode::Install && state.install == Some(candidate);
        let stanza = self.pool.vers[candidate].stanza;
        if step.user
            || marked
            || self.of(pkg).current == Some(candidate)
            || stanza.multi_arch() != MultiArch::Same
        {
            return true;
        }
        let group = self.pool.pkgs[pkg].group;
        self.pool.groups[group].pkgs.clone().into_iter().all(|other| {
            if other == pkg || self.of(other).current.is_none() {
                return true;
            }
            self.of(other).candidate.is_none_or(|ver| {
                let sibling = self.pool.vers[ver].stanza;
                sibling.version() == stanza.version() || sibling.multi_arch() != MultiArch::Same
            })
        })
    }

    /// Whether some candidate would do for each relation. If not, the package is given up for good.
    fn satisfiable(&mut self, pkg: Pkg, candidate: Ver, follow: bool) -> bool {
        if !follow || self.of(pkg).current == Some(candidate) {
            return true;
        }
        let deps = self.pool.deps(candidate);
        for dep in deps
            .iter()
            .filter(|dep| dep.kind.is_critical() && !dep.kind.is_negative())
        {
            if self.holds(candidate, dep) || self.could_hold(dep) {
                continue;
            }
            let state = self.of(pkg);
            if !state.protected {
                let current = state.current;
                state.mode = Mode::Keep;
                self.give_up(pkg, current);
            }
            return false;
        }
        true
    }

    /// The relations to act on: the positive ones into `wanted`, the negative ones as the result.
    fn collect(&mut self, ver: Ver, protected: bool, wanted: &mut Vec<Dep<'a>>) -> Vec<Dep<'a>> {
        let mut unwanted = Vec::new();
        for dep in self
            .pool
            .deps(ver)
            .iter()
            .filter(|dep| self.matters(dep.kind))
            .cloned()
            .collect::<Vec<_>>()
        {
            if self.holds(ver, &dep) && !protected {
                continue;
            }
            if dep.kind.is_negative() {
                unwanted.push(dep);
            } else {
                wanted.push(dep);
            }
        }
        unwanted
    }

    /// Takes out what conflicts. `false` when something has to stay.
    fn remove_conflicts(&mut self, owner: Ver, unwanted: &[Dep<'a>], step: &Step, protected: bool) -> bool {
        let mut all = true;
        let stop = !protected && !step.user;
        for dep in unwanted {
            for rival in self.solutions(owner, dep, true) {
                let other = self.pkg(rival);
                let state = self.of(other);
                if state.candidate != Some(rival) {
                    continue;
                }
                let (current, marked) = (state.current, state.mode == Mode::Install);
                if current == Some(rival) {
                    // Nothing of an earlier stage is removed.
                    all = false;
                } else if marked && !self.keep(other, step.depth) {
                    all = false;
                } else if protected {
                    self.discard_candidate(other);
                    if current.is_none() {
                        self.of(other).protected = true;
                    }
                }
                if !all && stop {
                    return false;
                }
            }
        }
        all
    }

    /// Marks something for each relation that is not met. `false` when a critical one stays unmet.
    fn install_needs(
        &mut self,
        pkg: Pkg,
        owner: Ver,
        wanted: &[Dep<'a>],
        step: &Step,
        protected: bool,
    ) -> bool {
        let mut all = true;
        for dep in wanted {
            let critical = dep.kind.is_critical();
            let why = Some(Why {
                by: owner,
                kind: dep.kind,
                text: dep.text.to_owned(),
            });
            let next = Step {
                follow: true,
                depth: step.depth + 1,
                user: false,
                why,
            };
            if self.holds(owner, dep) {
                if protected && critical {
                    all &= self.protect_single(owner, dep, &next);
                }
                continue;
            }
            // What an installed package recommended already and did not get is not installed later.
            if self.of(pkg).current.is_some() && !critical {
                continue;
            }
            let solutions = self.solutions(owner, dep, true);
            let only = solutions.len() == 1;
            let mut found = false;
            for solution in solutions {
                let other = self.pkg(solution);
                if self.of(other).candidate != Some(solution) {
                    continue;
                }
                if protected && critical && only {
                    if !self.mark(
                        other,
                        Step {
                            follow: false,
                            ..next.clone()
                        },
                    ) {
                        continue;
                    }
                    self.of(other).protected = true;
                }
                if self.mark(other, next.clone()) {
                    found = true;
                    break;
                }
            }
            if !found && critical {
                all = false;
                if !protected && !step.user {
                    break;
                }
            }
        }
        all
    }

    /// What a protected package needs and only one package has is protected too.
    fn protect_single(&mut self, owner: Ver, dep: &Dep<'a>, next: &Step) -> bool {
        let solutions = self.solutions(owner, dep, false);
        let [solution] = solutions.as_slice() else {
            return true;
        };
        let other = self.pkg(*solution);
        if self.of(other).protected {
            return true;
        }
        self.of(other).protected = true;
        self.mark(other, next.clone())
    }
}
