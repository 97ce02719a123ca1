//! The packages that a selection reaches, and what their relations mean.
//!
//! Nothing is read before it is reached: a name is looked up when a relation or a wish mentions it, a version's
//! relations are parsed when the version is considered. So the cost goes with the solution, not with the index.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::ops::{Index, IndexMut};
use std::rc::Rc;

use super::relations::{self, Dep, Kind};
use super::{Settings, Universe};
use crate::packages::{Mention, MultiArch, Stanza};
use crate::relation::{Op, Relation};
use crate::version;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub(super) struct $name(pub(super) u32);
        impl From<usize> for $name {
            fn from(index: usize) -> Self {
                $name(index as u32)
            }
        }
        impl From<$name> for usize {
            fn from(id: $name) -> usize {
                id.0 as usize
            }
        }
    )*};
}

ids! {
    /// All packages of one name.
    Group
    /// A name for one architecture.
    Pkg
    /// A version of a [`Pkg`].
    Ver
    /// A name as a relation asks for it, without the version.
    Target
    /// A [`Target`] with a version.
    Atom
    /// An architecture: 0 is the native one.
    Arch
}

/// A vector with its own kind of index. The ids come from [`Arena::push`] only, so indexing does not fail.
#[derive(Debug)]
pub(super) struct Arena<I, T>(Vec<T>, std::marker::PhantomData<I>);

impl<I, T> Default for Arena<I, T> {
    fn default() -> Self {
        Arena(Vec::new(), std::marker::PhantomData)
    }
}

impl<I: From<usize> + Into<usize>, T> Arena<I, T> {
    pub(super) fn push(&mut self, value: T) -> I {
        self.0.push(value);
        I::from(self.0.len() - 1)
    }

    pub(super) fn resize_with(&mut self, count: usize, value: impl FnMut() -> T) {
        self.0.resize_with(count, value);
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

impl<I: Into<usize>, T> Index<I> for Arena<I, T> {
    type Output = T;
    fn index(&self, id: I) -> &T {
        &self.0[id.into()]
    }
}

impl<I: Into<usize>, T> IndexMut<I> for Arena<I, T> {
    fn index_mut(&mut self, id: I) -> &mut T {
        &mut self.0[id.into()]
    }
}

pub(super) struct GroupEntry<'a> {
    pub(super) name: &'a str,
    /// The packages with this name that have a version, the native one first.
    pub(super) pkgs: Vec<Pkg>,
}

pub(super) struct PkgEntry {
    pub(super) group: Group,
    pub(super) arch: Arch,
    /// The highest version first.
    pub(super) versions: Vec<Ver>,
    /// What apt's policy would install.
    pub(super) candidate: Option<Ver>,
    pub(super) essential: bool,
    pub(super) important: bool,
}

pub(super) struct VerEntry<'a> {
    pub(super) pkg: Pkg,
    pub(super) stanza: Stanza<'a>,
    /// The indexes that have this very version, by their place in the universe.
    pub(super) indexes: Vec<usize>,
    deps: Option<Rc<[Dep<'a>]>>,
}

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

struct TargetEntry<'a> {
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
type AtomKey<'a> = (Target, Option<(Op, &'a str)>);

/// Everything reached so far.
pub(super) struct Pool<'a> {
    universe: Universe<'a>,
    arches: Vec<String>,
    excluded: Vec<String>,
    by_name: HashMap<&'a str, Group>,
    by_stanza: HashMap<(usize, u32), Ver>,
    by_target: HashMap<(Group, Wanted), Target>,
    by_atom: HashMap<AtomKey<'a>, Atom>,
    pub(super) groups: Arena<Group, GroupEntry<'a>>,
    pub(super) pkgs: Arena<Pkg, PkgEntry>,
    pub(super) vers: Arena<Ver, VerEntry<'a>>,
    targets: Arena<Target, TargetEntry<'a>>,
    pub(super) atoms: Arena<Atom, AtomEntry<'a>>,
    ranks: HashMap<(Group, Arch), Rank>,
    essential: Option<Rc<HashSet<&'a str>>>,
    /// The first relation that could not be read, with the package that has it.
    pub(super) trouble: Option<crate::Error>,
}

/// Where a name is first mentioned in the order of the indexes; the later one wins a tie.
pub(super) type Rank = (usize, Option<Mention>);

impl<'a> Pool<'a> {
    pub(super) fn new(universe: Universe<'a>, settings: &Settings) -> Self {
        let mut arches = vec![settings.native.clone()];
        arches.extend(
            settings
                .foreign
                .iter()
                .filter(|&arch| *arch != settings.native)
                .cloned(),
        );
        Pool {
            universe,
            arches,
            excluded: settings.excluded.clone(),
            by_name: HashMap::new(),
            by_stanza: HashMap::new(),
            by_target: HashMap::new(),
            by_atom: HashMap::new(),
            groups: Arena::default(),
            pkgs: Arena::default(),
            vers: Arena::default(),
            targets: Arena::default(),
            atoms: Arena::default(),
            ranks: HashMap::new(),
            essential: None,
            trouble: None,
        }
    }

    pub(super) fn universe(&self) -> Universe<'a> {
        self.universe
    }

    pub(super) fn is_excluded(&self, name: &str) -> bool {
        self.excluded.iter().any(|excluded| excluded == name)
    }

    pub(super) fn arch_name(&self, arch: Arch) -> &str {
        self.arches.get(usize::from(arch)).map_or("", |name| name)
    }

    /// An architecture by its name; `all` and `native` are the native one.
    pub(super) fn arch(&self, name: &str) -> Option<Arch> {
        match name {
            "all" | "native" => Some(Arch(0)),
            _ => self.arches.iter().position(|arch| arch == name).map(Arch::from),
        }
    }

    /// The names that are essential. apt has this flag per package: one index that says so is enough.
    pub(super) fn essential_names(&mut self) -> Rc<HashSet<&'a str>> {
        let indexes = self.universe.indexes;
        let essential = self.essential.get_or_insert_with(|| {
            let stanzas = indexes.iter().flat_map(|index| index.iter());
            Rc::new(
                stanzas
                    .filter(|stanza| stanza.essential())
                    .map(|stanza| stanza.name())
                    .collect(),
            )
        });
        Rc::clone(essential)
    }

    /// The group of a name that is known to live as long as the indexes.
    pub(super) fn group(&mut self, name: &'a str) -> Group {
        if let Some(&group) = self.by_name.get(name) {
            return group;
        }
        let group = self.groups.push(GroupEntry {
            name,
            pkgs: Vec::new(),
        });
        self.by_name.insert(name, group);
        self.load(group, name);
        group
    }

    /// The group of any name, if some index has or provides it.
    pub(super) fn find(&mut self, name: &str) -> Option<Group> {
        if let Some(&group) = self.by_name.get(name) {
            return Some(group);
        }
        let universe = self.universe;
        for index in universe.indexes {
            let own = index.by_name(name).next().map(|stanza| stanza.id());
            if let Some(id) = own {
                return Some(self.group(index.get(id).name()));
            }
            let provider = index.providers(name).next().map(|(stanza, _)| stanza.id());
            let provided = provider.and_then(|id| {
                crate::relation::groups(index.get(id).provides())
                    .filter_map(|group| crate::relation::parse(group.text()).ok())
                    .find(|relation| relation.name == name)
            });
            if let Some(relation) = provided {
                return Some(self.group(relation.name));
            }
        }
        None
    }

    fn load(&mut self, group: Group, name: &'a str) {
        if self.is_excluded(name) {
            return;
        }
        let universe = self.universe;
        for (place, index) in universe.indexes.iter().enumerate() {
            for stanza in index.by_name(name) {
                let Some(arch) = self.arch(stanza.architecture()) else {
                    continue;
                };
                let pkg = self.pkg(group, arch);
                self.add(pkg, place, stanza);
            }
        }
        let mut pkgs = self.groups[group].pkgs.clone();
        pkgs.sort_by_key(|&pkg| self.pkgs[pkg].arch);
        for &pkg in &pkgs {
            self.pkgs[pkg].candidate = self.policy(pkg);
        }
        self.groups[group].pkgs = pkgs;
    }

    fn pkg(&mut self, group: Group, arch: Arch) -> Pkg {
        let known = self.groups[group]
            .pkgs
            .iter()
            .copied()
            .find(|&pkg| self.pkgs[pkg].arch == arch);
        if let Some(pkg) = known {
            return pkg;
        }
        let pkg = self.pkgs.push(PkgEntry {
            group,
            arch,
            versions: Vec::new(),
            candidate: None,
            essential: false,
            important: false,
        });
        self.groups[group].pkgs.push(pkg);
        pkg
    }

    /// Enters a stanza at its place among the versions, or joins it with the same version of another index.
    fn add(&mut self, pkg: Pkg, place: usize, stanza: Stanza<'a>) {
        let entry = &mut self.pkgs[pkg];
        entry.essential |= stanza.essential();
        entry.important |= stanza.important() || stanza.protected();
        let mut at = entry.versions.len();
        for (number, &other) in entry.versions.iter().enumerate() {
            let known = &mut self.vers[other];
            match version::compare(stanza.version(), known.stanza.version()) {
                std::cmp::Ordering::Greater => {
                    at = number;
                    break;
                }
                std::cmp::Ordering::Equal if relations::same(stanza, known.stanza) => {
                    known.indexes.push(place);
                    self.by_stanza.insert((place, stanza.id()), other);
                    return;
                }
                _ => {}
            }
        }
        let ver = self.vers.push(VerEntry {
            pkg,
            stanza,
            indexes: vec![place],
            deps: None,
        });
        self.by_stanza.insert((place, stanza.id()), ver);
        self.pkgs[pkg].versions.insert(at, ver);
    }

    /// The version that apt's policy prefers: of the highest priority, then the highest version.
    fn policy(&self, pkg: Pkg) -> Option<Ver> {
        let priority = |ver: Ver| {
            let of = |&place: &usize| self.universe.priority(place);
            self.vers[ver].indexes.iter().map(of).max().unwrap_or(0)
        };
        let versions = self.pkgs[pkg].versions.iter().copied();
        versions
            .map(|ver| (priority(ver), ver))
            .filter(|&(p, _)| p > 0)
            .min_by_key(|&(p, _)| Reverse(p))
            .map(|(_, v)| v)
    }

    /// The version object of a stanza, its name being loaded first where needed.
    pub(super) fn ver_of(&mut self, place: usize, stanza: Stanza<'a>) -> Option<Ver> {
        self.group(stanza.name());
        self.by_stanza.get(&(place, stanza.id())).copied()
    }

    /// The relations of a version, in the order in which apt considers them.
    pub(super) fn deps(&mut self, ver: Ver) -> Rc<[Dep<'a>]> {
        if let Some(deps) = &self.vers[ver].deps {
            return Rc::clone(deps);
        }
        let deps: Rc<[Dep<'a>]> = relations::read(self, ver).into();
        self.vers[ver].deps = Some(Rc::clone(&deps));
        deps
    }

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
        let universe = self.universe;
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

    /// What decides between two packages that nothing else sets apart: apt prefers the one it heard of last.
    pub(super) fn rank(&mut self, pkg: Pkg) -> Rank {
        let PkgEntry { group, arch, .. } = self.pkgs[pkg];
        let known = self.ranks.get(&(group, arch)).copied();
        known.unwrap_or_else(|| {
            let rank = self
                .heard_of(group, arch)
                .unwrap_or((self.universe.indexes.len(), None));
            self.ranks.insert((group, arch), rank);
            rank
        })
    }

    /// Where a name for an architecture first comes up: in stanzas of that architecture, or for the native one also
    /// in those of all.
    pub(super) fn heard_of(&self, group: Group, arch: Arch) -> Option<Rank> {
        let own = self.arch_name(arch);
        let arches = if arch == Arch(0) { [own, "all"] } else { [own, own] };
        let name = self.groups[group].name;
        let indexes = self.universe.indexes.iter().enumerate();
        indexes
            .filter_map(|(place, index)| Some((place, Some(index.first_mention(name, &arches)?))))
            .min()
    }

    /// `name`, with the architecture where it is not the native one.
    pub(super) fn full_name(&self, pkg: Pkg) -> String {
        let PkgEntry { group, arch, .. } = self.pkgs[pkg];
        let name = self.groups[group].name;
        if arch == Arch(0) {
            name.to_owned()
        } else {
            format!("{name}:{}", self.arch_name(arch))
        }
    }
}
