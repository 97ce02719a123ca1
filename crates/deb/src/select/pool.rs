//! The packages that a selection reaches, and what their relations mean.
//!
//! Nothing is read before it is reached: a name is looked up when a relation or a wish mentions it, a version's
//! relations are parsed when the version is considered. So the cost goes with the solution, not with the index.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use super::arena::{Arch, Arena, Atom, Group, Pkg, Target, Ver};
use super::relations::{self, Dep};
use super::targets::{AtomEntry, AtomKey, TargetEntry, Wanted};
use super::{Settings, Universe};
use crate::packages::{Mention, Stanza};
use crate::version;

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

/// Everything reached so far.
pub(super) struct Pool<'a> {
    universe: Universe<'a>,
    arches: Vec<String>,
    excluded: Vec<String>,
    by_name: HashMap<&'a str, Group>,
    by_stanza: HashMap<(usize, u32), Ver>,
    pub(super) by_target: HashMap<(Group, Wanted), Target>,
    pub(super) by_atom: HashMap<AtomKey<'a>, Atom>,
    pub(super) groups: Arena<Group, GroupEntry<'a>>,
    pub(super) pkgs: Arena<Pkg, PkgEntry>,
    pub(super) vers: Arena<Ver, VerEntry<'a>>,
    pub(super) targets: Arena<Target, TargetEntry<'a>>,
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
