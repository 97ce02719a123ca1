//! What there is: the packages of all repositories, without those that are excluded, and who provides what.

use std::cmp::{Ordering, Reverse};
use std::collections::{HashMap, HashSet};

use bareroot_rpm::{Evr, Sense, ranges_overlap};
use bareroot_rpm_repo::comps::Comps;
use bareroot_rpm_repo::modules::Modules;
use bareroot_rpm_repo::{Index, Package, Relation, RelationKind, arch};

use crate::error::Error;
use crate::modules::{self, Activation};
use crate::wish::meant;

/// A repository, as far as the choice of packages depends on it.
#[derive(Clone, Debug)]
pub struct Repository {
    /// The lower, the more preferred.
    pub priority: i32,
    /// The lower, the more preferred of equal packages.
    pub cost: i32,
    /// Packages that are not seen.
    pub excludes: Vec<String>,
    /// If there are any, the only packages that are seen.
    pub includes: Vec<String>,
    /// Whether its packages are seen whatever module streams say.
    pub module_hotfixes: bool,
    /// Whether it is the files of the command line: they come after all others, and modules hide none of them.
    pub command_line: bool,
}

impl Repository {
    /// The repository of the command line's files, preferred to all others.
    pub fn of_command_line() -> Repository {
        Repository {
            priority: 0,
            command_line: true,
            ..Repository::default()
        }
    }
}

impl Default for Repository {
    fn default() -> Self {
        Repository {
            priority: 99,
            cost: 1000,
            excludes: Vec::new(),
            includes: Vec::new(),
            module_hotfixes: false,
            command_line: false,
        }
    }
}

/// A package of a universe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id(pub u32);

/// All packages of all repositories.
pub struct Universe<'i> {
    indexes: &'i [Index],
    repositories: &'i [Repository],
    pub(crate) comps: Vec<&'i Comps>,
    arch: &'i str,
    /// Index and number of each package.
    places: Vec<(u32, u32)>,
    /// Whether it is excluded: it is only known so that messages can say so.
    excluded: Vec<bool>,
    by_name: HashMap<&'i str, Vec<Id>>,
    by_provide: HashMap<&'i str, Vec<Id>>,
    by_file: HashMap<&'i str, Vec<Id>>,
    /// Looked up the other way round than it is written.
    by_obsoleted: HashMap<&'i str, Vec<Id>>,
    /// Whether the lists of all files were looked at: what is not known then is nowhere.
    all_files: bool,
    /// The module streams that are active, where there are modules.
    pub(crate) activation: Option<Activation<'i>>,
}

impl<'i> Universe<'i> {
    /// The packages of these indexes, of which each belongs to the repository of the same place, for a root of an
    /// architecture. `excludes` are names, NEVRAs and patterns of the user.
    pub fn new(
        indexes: &'i [Index],
        repositories: &'i [Repository],
        comps: Vec<&'i Comps>,
        arch: &'i str,
        excludes: &[String],
    ) -> Universe<'i> {
        let mut universe = Universe {
            indexes,
            repositories,
            comps,
            arch,
            places: Vec::new(),
            excluded: Vec::new(),
            by_name: HashMap::new(),
            by_provide: HashMap::new(),
            by_file: HashMap::new(),
            by_obsoleted: HashMap::new(),
            all_files: false,
            activation: None,
        };
        // dnf loads repositories by priority and cost, and files of the command line after them.
        let mut order: Vec<usize> = (0..indexes.len()).collect();
        order.sort_by_key(|number| {
            let repository = repositories.get(*number);
            repository.map_or((false, 99, 1000), |repository| {
                (repository.command_line, repository.priority, repository.cost)
            })
        });
        for number in order {
            let Some(index) = indexes.get(number) else {
                continue;
            };
            for package in index.packages() {
                let id = Id(universe.places.len() as u32);
                universe.places.push((number as u32, package.number() as u32));
                universe.excluded.push(false);
                universe.by_name.entry(package.name()).or_default().push(id);
                for provided in package.relations(RelationKind::Provides) {
                    let list = universe.by_provide.entry(provided.name).or_default();
                    if list.last() != Some(&id) {
                        list.push(id);
                    }
                }
                for obsoleted in package.relations(RelationKind::Obsoletes) {
                    universe.by_obsoleted.entry(obsoleted.name).or_default().push(id);
                }
                for (path, _) in package.files() {
                    universe.by_file.entry(path).or_default().push(id);
                }
            }
        }
        universe.exclude(excludes);
        universe
    }

    /// Hides what the user and the repositories exclude, and what repositories with a list of packages do not list.
    fn exclude(&mut self, excludes: &[String]) {
        let mut hidden: Vec<Id> = excludes.iter().flat_map(|pattern| meant(pattern, self)).collect();
        let repositories = self.repositories;
        for (number, repository) in repositories.iter().enumerate() {
            let own = |id: &Id| self.place(*id).0 == number;
            let listed = |list: &[String]| -> Vec<Id> {
                let all = list.iter().flat_map(|pattern| meant(pattern, self));
                all.filter(|id| own(id)).collect()
            };
            hidden.extend(listed(&repository.excludes));
            if !repository.includes.is_empty() {
                let seen: HashSet<Id> = listed(&repository.includes).into_iter().collect();
                let all = (0..self.places.len() as u32).map(Id);
                hidden.extend(all.filter(|id| own(id) && !seen.contains(id)));
            }
        }
        for id in hidden {
            if let Some(excluded) = self.excluded.get_mut(id.0 as usize) {
                *excluded = true;
            }
        }
    }

    /// Activates module streams: those that `words` wish, the defaults, and what they depend on; what inactive ones have
    /// is not seen any more. Each list of modules belongs to the repository of that number. The platform's stream, `el8`,
    /// comes from the release package where none is given.
    ///
    /// # Errors
    /// [`Error::ManyStreams`], [`Error::Modules`].
    pub fn with_modules(
        mut self,
        modules: &[(usize, &'i Modules)],
        words: &[String],
        platform: Option<&str>,
    ) -> Result<Universe<'i>, Error> {
        if modules.is_empty() {
            return Ok(self);
        }
        let platform = platform.map(str::to_owned).or_else(|| self.platform());
        let activation = Activation::of_words(words, modules, platform.as_deref())?;
        let filtered = self.all().filter(|id| {
            let repository = self.repositories.get(self.place(*id).0);
            !repository.is_some_and(|repository| repository.module_hotfixes || repository.command_line)
        });
        let packages = filtered.filter_map(|id| Some((id, self.package(id)?)));
        for id in modules::hidden(packages, &activation) {
            if let Some(excluded) = self.excluded.get_mut(id.0 as usize) {
                *excluded = true;
            }
        }
        self.activation = Some(activation);
        Ok(self)
    }

    /// The platform's stream, as the newest release package gives it: `el8` of `base-module(platform:el8)`. Release
    /// packages that do not agree give none.
    fn platform(&self) -> Option<String> {
        let release = Relation {
            name: "system-release",
            sense: Sense::ANY,
            evr: Evr::default(),
            pre: false,
        };
        let packages: Vec<Package<'_>> = self
            .providers(&release)
            .into_iter()
            .filter_map(|id| self.package(id))
            .collect();
        let newer = |one: &Package<'_>, two: &Package<'_>| {
            one.name() == two.name() && one.arch() == two.arch() && one.evr().compare(&two.evr()).is_gt()
        };
        let mut streams: Vec<&str> = packages
            .iter()
            .filter(|package| !packages.iter().any(|other| newer(other, package)))
            .flat_map(|package| package.relations(RelationKind::Provides))
            .filter_map(|provided| {
                let module = provided.name.strip_prefix("base-module(")?.strip_suffix(')')?;
                module.strip_prefix("platform:")
            })
            .collect();
        streams.sort_unstable();
        streams.dedup();
        match streams[..] {
            [stream] => Some(stream.to_owned()),
            _ => None,
        }
    }

    /// Says that the indexes have every path that was ever asked for.
    pub fn with_all_files(mut self) -> Self {
        self.all_files = true;
        self
    }

    /// Whether the indexes have every path that was asked for.
    pub(crate) fn has_all_files(&self) -> bool {
        self.all_files
    }

    /// How many packages there are, excluded ones included.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Index and number of a package.
    pub fn place(&self, id: Id) -> (usize, usize) {
        let (index, number) = self.places.get(id.0 as usize).copied().unwrap_or_default();
        (index as usize, number as usize)
    }

    /// The package.
    pub fn package(&self, id: Id) -> Option<Package<'i>> {
        let (index, number) = self.place(id);
        self.indexes.get(index)?.package(number)
    }

    /// Whether it must not be installed.
    pub(crate) fn is_excluded(&self, id: Id) -> bool {
        self.excluded.get(id.0 as usize).copied().unwrap_or(true)
    }

    /// The packages of a name in the order of loading, excluded ones among them.
    pub(crate) fn called_name(&self, name: &str) -> &[Id] {
        self.by_name.get(name).map_or(&[], Vec::as_slice)
    }

    /// Whether a package is of the root's own architecture, by the name that repositories have for it.
    pub(crate) fn is_base_arch(&self, package: &Package<'_>) -> bool {
        package.arch() == arch::base(self.arch)
    }

    /// The packages that obsolete something of a name, in whatever version.
    pub(crate) fn obsoleting(&self, name: &str) -> &[Id] {
        self.by_obsoleted.get(name).map_or(&[], Vec::as_slice)
    }

    /// How far a package's architecture is from the root's.
    pub(crate) fn arch_score(&self, package: &Package<'_>) -> usize {
        arch::score(package.arch(), self.arch).unwrap_or(usize::MAX)
    }

    /// The priority of a package's repository: the lower, the more preferred.
    pub(crate) fn priority(&self, id: Id) -> i32 {
        let repository = self.repositories.get(self.place(id).0);
        repository.map_or(99, |repository| repository.priority)
    }

    /// The cost of a package's repository.
    pub(crate) fn cost(&self, id: Id) -> i32 {
        let repository = self.repositories.get(self.place(id).0);
        repository.map_or(1000, |repository| repository.cost)
    }

    /// Who satisfies a relation, in the order of loading, excluded packages among them.
    pub(crate) fn providing(&self, relation: &Relation<'_>) -> Vec<Id> {
        let mut found: Vec<Id> = self
            .by_provide
            .get(relation.name)
            .into_iter()
            .flatten()
            .copied()
            .filter(|id| self.provides(*id, relation))
            .collect();
        if relation.name.starts_with('/') {
            found.extend(self.by_file.get(relation.name).into_iter().flatten());
            found.sort_unstable();
            found.dedup();
        }
        found
    }

    /// Whether there is a package of that name, excluded or not.
    pub(crate) fn knows(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
    }

    /// All names.
    pub(crate) fn all_names(&self) -> impl Iterator<Item = &'i str> + '_ {
        self.by_name.keys().copied()
    }

    /// All packages that may be installed.
    pub(crate) fn all(&self) -> impl Iterator<Item = Id> + '_ {
        (0..self.places.len() as u32)
            .map(Id)
            .filter(|id| !self.is_excluded(*id))
    }

    /// Who satisfies a relation, the preferred one first.
    pub(crate) fn providers(&self, relation: &Relation<'_>) -> Vec<Id> {
        let mut found: Vec<Id> = self
            .by_provide
            .get(relation.name)
            .into_iter()
            .flatten()
            .copied()
            .filter(|id| !self.is_excluded(*id) && self.provides(*id, relation))
            .collect();
        if relation.name.starts_with('/') {
            for id in self.by_file.get(relation.name).into_iter().flatten() {
                if !self.is_excluded(*id) && !found.contains(id) {
                    found.push(*id);
                }
            }
        }
        self.prefer(&mut found);
        found
    }

    fn provides(&self, id: Id, wanted: &Relation<'_>) -> bool {
        self.package(id).is_some_and(|package| {
            package
                .relations(RelationKind::Provides)
                .any(|provided| provided.name == wanted.name && satisfies(&provided, wanted))
        })
    }

    /// The packages that a relation's name and versions mean by their own name: what Obsoletes looks at.
    pub(crate) fn called(&self, relation: &Relation<'_>) -> Vec<Id> {
        self.by_name
            .get(relation.name)
            .into_iter()
            .flatten()
            .copied()
            .filter(|id| {
                self.package(*id)
                    .is_some_and(|package| is_called(relation, &package))
            })
            .collect()
    }

    /// Sorts by preference: the repository's priority, the nearest architecture, the newest version of a name, the
    /// cheapest repository; between names, the metadata's order.
    pub(crate) fn prefer(&self, ids: &mut [Id]) {
        ids.sort_by(|a, b| self.order(*a, *b));
    }

    fn order(&self, a: Id, b: Id) -> Ordering {
        let (Some(one), Some(two)) = (self.package(a), self.package(b)) else {
            return a.cmp(&b);
        };
        let repository = |id: Id| self.repositories.get(self.place(id).0);
        let priority = |id| repository(id).map_or(99, |repository| repository.priority);
        let cost = |id| repository(id).map_or(1000, |repository| repository.cost);
        let near = |package: &Package<'_>| arch::score(package.arch(), self.arch).unwrap_or(usize::MAX);
        priority(a)
            .cmp(&priority(b))
            .then_with(|| near(&one).cmp(&near(&two)))
            .then_with(|| match one.name() == two.name() {
                true => two.evr().compare(&one.evr()).then_with(|| cost(a).cmp(&cost(b))),
                false => Ordering::Equal,
            })
            .then_with(|| a.cmp(&b))
    }

    /// Of which at most one can be installed: packages of one name, and of the same word size.
    pub(crate) fn slot(&self, id: Id) -> (&'i str, bool) {
        match self.package(id) {
            Some(package) => {
                let foreign = package.arch() != "noarch" && arch::score(package.arch(), self.arch) > Some(0);
                (package.name(), foreign)
            }
            None => ("", false),
        }
    }

    /// Names that are nearly a word, for messages.
    pub(crate) fn similar(&self, word: &str) -> Vec<String> {
        let mut near: Vec<(Reverse<usize>, &str)> = self
            .all_names()
            .filter(|name| name.contains(word) || word.contains(*name) && name.len() > 3)
            .map(|name| {
                let common = name.chars().zip(word.chars()).take_while(|(a, b)| a == b).count();
                (Reverse(common), name)
            })
            .collect();
        near.sort_unstable();
        near.into_iter()
            .take(5)
            .map(|(_, name)| name.to_owned())
            .collect()
    }
}

/// Whether a relation's name and versions mean a package by its own name.
pub(crate) fn is_called(relation: &Relation<'_>, package: &Package<'_>) -> bool {
    relation.name == package.name()
        && (relation.sense == Sense::ANY
            || ranges_overlap(Sense::EQUAL, &package.evr(), relation.sense, &relation.evr))
}

/// Whether what is provided satisfies what is wanted: as in rpm, something without a version is of every version.
pub(crate) fn satisfies(provided: &Relation<'_>, wanted: &Relation<'_>) -> bool {
    wanted.sense == Sense::ANY
        || provided.sense == Sense::ANY
        || ranges_overlap(provided.sense, &provided.evr, wanted.sense, &wanted.evr)
}
