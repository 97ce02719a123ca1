//! What relations ask for, and what answers.

use std::rc::Rc;

use super::arena::{Arch, Atom, Group, Target, Ver};
use super::pool::{Pool, VerEntry};
use super::relations::Kind;
use crate::packages::MultiArch;
use crate::relation::{Op, Relation};

/// For which architectures a relation asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Wanted {
    /// The architecture of the package that has the relation.
    Own(Arch),
    /// `:any`.
    Any,
    /// `:native` or `:amd64`.
    Exactly(Arch),
    /// An architecture that this system does not have.
    Unknown,
    /// All of them: conflicts without an architecture.
    All,
}

/// Something that satisfies a [`Target`], and in which version.
#[derive(Clone, Copy, Debug)]
pub(super) struct Member<'a> {
    pub(super) ver: Ver,
    /// The version that counts; `None` for a provided name without one.
    version: Option<&'a str>,
    /// Whether it is by `Provides`.
    pub(super) provided: bool,
}

pub(super) struct TargetEntry<'a> {
    group: Group,
    wanted: Wanted,
    members: Option<Rc<[Member<'a>]>>,
}

pub(super) struct AtomEntry<'a> {
    pub(super) target: Target,
    pub(super) constraint: Option<(Op, &'a str)>,
    members: Option<Rc<[Member<'a>]>>,
}

/// What makes two atoms the same.
pub(super) type AtomKey<'a> = (Target, Option<(Op, &'a str)>);

impl<'a> Pool<'a> {
    /// The atom of a relation that a package of architecture `own` has.
    pub(super) fn atom(&mut self, relation: &Relation<'a>, own: Arch, kind: Kind) -> Atom {
        let wanted = match relation.arch {
            None if kind.is_negative() => Wanted::All,
            None => Wanted::Own(own),
            Some("any") => Wanted::Any,
            Some(name) => self.arch(name).map_or(Wanted::Unknown, Wanted::Exactly),
        };
        let group = self.group(relation.name);
        let target = match self.by_target.get(&(group, wanted)) {
            Some(&target) => target,
            None => {
                let target = self.targets.push(TargetEntry {
                    group,
                    wanted,
                    members: None,
                });
                self.by_target.insert((group, wanted), target);
                target
            }
        };
        let key = (target, relation.constraint);
        if let Some(&atom) = self.by_atom.get(&key) {
            return atom;
        }
        let atom = self.atoms.push(AtomEntry {
            target,
            constraint: relation.constraint,
            members: None,
        });
        self.by_atom.insert(key, atom);
        atom
    }

    /// An atom that means exactly these versions of another architecture's package of the same name.
    pub(super) fn sibling_atom(&mut self, group: Group, arch: Arch, versions: Vec<Ver>) -> Atom {
        let target = self.targets.push(TargetEntry {
            group,
            wanted: Wanted::Exactly(arch),
            members: None,
        });
        let members = versions
            .into_iter()
            .map(|ver| Member {
                ver,
                version: None,
                provided: false,
            })
            .collect();
        self.atoms.push(AtomEntry {
            target,
            constraint: None,
            members: Some(members),
        })
    }

    /// Everything that has or provides what a target names, whatever its version.
    pub(super) fn target_members(&mut self, target: Target) -> Rc<[Member<'a>]> {
        if let Some(members) = &self.targets[target].members {
            return Rc::clone(members);
        }
        let (group, wanted) = (self.targets[target].group, self.targets[target].wanted);
        let mut members = Vec::new();
        for &pkg in &self.groups[group].pkgs {
            for &ver in &self.pkgs[pkg].versions {
                let stanza = self.vers[ver].stanza;
                if self.has_arch(ver, wanted) {
                    members.push(Member {
                        ver,
                        version: Some(stanza.version()),
                        provided: false,
                    });
                }
            }
        }
        let name = self.groups[group].name;
        let universe = self.universe();
        for (place, index) in universe.indexes.iter().enumerate() {
            for (stanza, relation) in index.providers(name) {
                if self.is_excluded(stanza.name()) || !matches!(relation.constraint, None | Some((Op::Eq, _)))
                {
                    continue;
                }
                let version = relation.constraint.map(|(_, version)| version);
                // A package that provides its own name says nothing new.
                let own = stanza.name() == name && version.is_none_or(|version| version == stanza.version());
                let Some(ver) = self.ver_of(place, stanza).filter(|_| !own) else {
                    continue;
                };
                let fits = match relation.arch {
                    None => self.has_arch(ver, wanted),
                    Some("any") => matches!(wanted, Wanted::Any | Wanted::All),
                    Some(arch) => match wanted {
                        Wanted::Own(own) | Wanted::Exactly(own) => self.arch(arch) == Some(own),
                        Wanted::Any | Wanted::Unknown => false,
                        Wanted::All => true,
                    },
                };
                let known =
                    |member: &Member<'_>| member.provided && member.ver == ver && member.version == version;
                if fits && !members.iter().any(known) {
                    members.push(Member {
                        ver,
                        version,
                        provided: true,
                    });
                }
            }
        }
        let members: Rc<[Member<'a>]> = members.into();
        self.targets[target].members = Some(Rc::clone(&members));
        members
    }

    /// Whether a version, under its own or a provided name, serves the architecture that is asked for (multiarch).
    fn has_arch(&self, ver: Ver, wanted: Wanted) -> bool {
        let VerEntry { pkg, stanza, .. } = self.vers[ver];
        let arch = self.pkgs[pkg].arch;
        match wanted {
            Wanted::Own(own) => arch == own || stanza.multi_arch() == MultiArch::Foreign,
            Wanted::Any => stanza.multi_arch() == MultiArch::Allowed,
            Wanted::Exactly(own) => arch == own,
            Wanted::Unknown => false,
            Wanted::All => true,
        }
    }

    /// What satisfies an atom.
    pub(super) fn members(&mut self, atom: Atom) -> Rc<[Member<'a>]> {
        if let Some(members) = &self.atoms[atom].members {
            return Rc::clone(members);
        }
        let AtomEntry {
            target, constraint, ..
        } = self.atoms[atom];
        let all = self.target_members(target);
        let members: Rc<[Member<'a>]> = match constraint {
            None => all,
            Some((op, want)) => {
                let fits = |member: &&Member<'_>| member.version.is_some_and(|have| op.matches(have, want));
                all.iter().filter(fits).copied().collect()
            }
        };
        self.atoms[atom].members = Some(Rc::clone(&members));
        members
    }

    /// The candidates that provide a name to packages of an architecture.
    pub(super) fn providers(&mut self, group: Group, own: Arch) -> Vec<Ver> {
        let relation = Relation {
            name: self.groups[group].name,
            arch: None,
            constraint: None,
            architectures: None,
        };
        let atom = self.atom(&relation, own, Kind::Depends);
        let members = self.members(atom);
        let candidate = |ver: &Ver| self.pkgs[self.vers[*ver].pkg].candidate == Some(*ver);
        members
            .iter()
            .map(|member| member.ver)
            .filter(candidate)
            .collect()
    }

    /// The name that a plain relation asks for; `None` where an architecture stands beside it, which for apt is
    /// another name.
    pub(super) fn plain_group(&self, atom: Atom) -> Option<Group> {
        let target = &self.targets[self.atoms[atom].target];
        matches!(target.wanted, Wanted::Own(_) | Wanted::All).then_some(target.group)
    }

    pub(super) fn target_name(&self, atom: Atom) -> &'a str {
        self.groups[self.targets[self.atoms[atom].target].group].name
    }
}
