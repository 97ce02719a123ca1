//! What would be installed, while a selection is being made: the state that apt's own marking keeps per package.

use super::arena::{Arena, Atom, Pkg, Ver};
use super::pool::Pool;
use super::relations::{Dep, Kind};

/// What happens to a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// It stays as it is.
    Keep,
    /// Its candidate gets installed.
    Install,
}

/// The first relation that asked for a package.
#[derive(Clone, Debug)]
pub(super) struct Why {
    pub(super) by: Ver,
    pub(super) kind: Kind,
    pub(super) text: String,
}

/// The state of one package.
#[derive(Clone, Debug)]
pub(super) struct State {
    /// What an earlier stage installed.
    pub(super) current: Option<Ver>,
    /// What will be there at the end.
    pub(super) install: Option<Ver>,
    /// What could be installed; `None` once that turned out to be impossible.
    pub(super) candidate: Option<Ver>,
    /// What the user asked for by version or suite, or what follows from that: it takes the policy's place.
    pub(super) requested: Option<Ver>,
    pub(super) mode: Mode,
    /// The user asked for this state, or it follows from what the user asked for.
    pub(super) protected: bool,
    /// Must not be installed.
    pub(super) held: bool,
    /// Nobody asked for it by name.
    pub(super) auto: bool,
    pub(super) why: Option<Why>,
    /// The candidate before it was given up, and when that was.
    before: (Option<Ver>, u32),
    /// When the relations that name this package were last looked at.
    updated: u32,
}

/// The states of all packages that were reached.
///
/// apt keeps the result of each relation in a table and refreshes it when a package that the relation names changes.
/// It does not refresh it when a candidate is given up, so later decisions are made on the old result. Choices
/// depend on that; the two times in [`State`] reproduce it.
pub(super) struct States<'p, 'a> {
    pub(super) pool: &'p mut Pool<'a>,
    states: Arena<Pkg, State>,
    clock: u32,
    pub(super) recommends: bool,
}

impl<'p, 'a> States<'p, 'a> {
    pub(super) fn new(pool: &'p mut Pool<'a>, recommends: bool) -> Self {
        States {
            pool,
            states: Arena::default(),
            clock: 0,
            recommends,
        }
    }

    /// The state of a package, which is that of the index as long as nothing happened to it.
    pub(super) fn of(&mut self, pkg: Pkg) -> &mut State {
        let first = self.states.len();
        if usize::from(pkg) >= first {
            let mut next = first;
            let pkgs = &self.pool.pkgs;
            self.states.resize_with(pkgs.len(), || {
                let candidate = pkgs[Pkg::from(next)].candidate;
                next += 1;
                State {
                    current: None,
                    install: None,
                    candidate,
                    requested: None,
                    mode: Mode::Keep,
                    protected: false,
                    held: false,
                    auto: false,
                    why: None,
                    before: (candidate, 0),
                    updated: 0,
                }
            });
        }
        &mut self.states[pkg]
    }

    /// The packages that have a state.
    pub(super) fn pkgs(&self) -> impl Iterator<Item = Pkg> + use<> {
        (0..self.states.len()).map(Pkg::from)
    }

    /// Those that will be there at the end.
    pub(super) fn installed(&mut self) -> Vec<(Pkg, Ver)> {
        self.pkgs()
            .filter_map(|pkg| Some((pkg, self.states[pkg].install?)))
            .collect()
    }

    fn tick(&mut self) -> u32 {
        self.clock += 1;
        self.clock
    }

    /// Changes what will be there, and refreshes what names the package.
    pub(super) fn set_install(&mut self, pkg: Pkg, install: Option<Ver>, mode: Mode) {
        let now = self.tick();
        let state = self.of(pkg);
        state.install = install;
        state.mode = mode;
        state.updated = now;
    }

    /// Gives the candidate up for what will be there. Relations that name it are not looked at again.
    pub(super) fn discard_candidate(&mut self, pkg: Pkg) {
        let install = self.of(pkg).install;
        self.give_up(pkg, install);
    }

    pub(super) fn give_up(&mut self, pkg: Pkg, candidate: Option<Ver>) {
        let now = self.tick();
        let state = self.of(pkg);
        if state.candidate != candidate {
            state.before = (state.candidate, now);
            state.candidate = candidate;
        }
    }

    /// Makes another version the candidate.
    pub(super) fn set_candidate(&mut self, pkg: Pkg, candidate: Option<Ver>) {
        let now = self.tick();
        let state = self.of(pkg);
        state.requested = candidate;
        if state.candidate == candidate {
            return;
        }
        if state.mode == Mode::Install && state.install == state.candidate {
            state.install = candidate;
        }
        state.candidate = candidate;
        state.before = (candidate, 0);
        state.updated = now;
    }

    pub(super) fn pkg(&self, ver: Ver) -> Pkg {
        self.pool.vers[ver].pkg
    }

    /// Whether what will be there meets an atom; for a negative one, whether something there violates it.
    pub(super) fn hit(&mut self, owner: Ver, dep: &Dep<'a>, atom: Atom) -> bool {
        let members = self.pool.members(atom);
        members.iter().any(|member| {
            let pkg = self.pkg(member.ver);
            self.of(pkg).install == Some(member.ver) && !self.ignores(owner, dep, member.ver, member.provided)
        })
    }

    /// Whether a relation holds in what will be there.
    pub(super) fn holds(&mut self, owner: Ver, dep: &Dep<'a>) -> bool {
        dep.atoms.iter().any(|&atom| self.hit(owner, dep, atom)) != dep.kind.is_negative()
    }

    /// Whether candidates could meet a positive relation, as far as apt knows.
    pub(super) fn could_hold(&mut self, dep: &Dep<'a>) -> bool {
        dep.atoms.iter().any(|&atom| {
            let target = self.pool.atoms[atom].target;
            let namers = self.pool.target_members(target);
            let mut looked = 0;
            for member in namers.iter() {
                let pkg = self.pkg(member.ver);
                looked = looked.max(self.of(pkg).updated);
            }
            let members = self.pool.members(atom);
            members.iter().any(|member| {
                let pkg = self.pkg(member.ver);
                let state = self.of(pkg);
                let (before, at) = state.before;
                let seen = if at > looked { before } else { state.candidate };
                seen == Some(member.ver)
            })
        })
    }

    /// Whether a conflict does not count: of a package with itself, also by what it provides (Policy 7.4), and of a
    /// `Multi-Arch: same` package with its siblings.
    pub(super) fn ignores(&self, owner: Ver, dep: &Dep<'a>, other: Ver, provided: bool) -> bool {
        if !dep.kind.is_negative() {
            return false;
        }
        let (own, other) = (self.pkg(owner), self.pkg(other));
        let pool = &self.pool;
        if pool.pkgs[own].group != pool.pkgs[other].group {
            return false;
        }
        let same = pool.vers[owner].stanza.multi_arch() == crate::packages::MultiArch::Same;
        own == other || provided || (same && !dep.implicit)
    }

    /// Whether a relation has to hold for an installation, given the options: always the critical ones.
    pub(super) fn matters(&self, kind: Kind) -> bool {
        kind.is_critical() || (kind == Kind::Recommends && self.recommends)
    }

    /// Whether the package, as it will be, misses something that it needs.
    pub(super) fn is_broken(&mut self, pkg: Pkg) -> bool {
        self.misses(pkg, Kind::is_critical)
    }

    /// Whether the package, as it will be, misses something that it needs or, with recommends, recommends.
    pub(super) fn is_incomplete(&mut self, pkg: Pkg) -> bool {
        let recommends = self.recommends;
        self.misses(pkg, |kind| {
            kind.is_critical() || (kind == Kind::Recommends && recommends)
        })
    }

    fn misses(&mut self, pkg: Pkg, counts: impl Fn(Kind) -> bool) -> bool {
        let Some(ver) = self.of(pkg).install else {
            return false;
        };
        let deps = self.pool.deps(ver);
        deps.iter().any(|dep| counts(dep.kind) && !self.holds(ver, dep))
    }
}
