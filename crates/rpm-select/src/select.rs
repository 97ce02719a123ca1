//! From wishes to packages.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};

use bareroot_rpm_repo::comps::PackageType;
use bareroot_rpm_repo::{Package, Relation, RelationKind};
use bareroot_solve::{Candidate, Need, Packages as _, Problem, solve};

use crate::error::Error;
use crate::explain;
use crate::groups::{self, Groups};
use crate::modules::{self, Activation, EnabledModule};
use crate::pool::Pool;
use crate::universe::{Id, Universe};
use crate::walk::{self, Jobs, Policy, Stock, Walk};
use crate::wish::{self, Wishes};

/// How to choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Whether weak dependencies are followed.
    pub weak: bool,
}

/// Why a package is in, as dnf records it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// The user named it.
    User,
    /// A group has it.
    Group(String),
    /// Another package requires it.
    Dependency {
        /// That package's name.
        of: String,
        /// The requirement.
        relation: String,
    },
    /// Another package would like it.
    Weak {
        /// That package's name.
        of: String,
        /// The relation.
        relation: String,
    },
}

/// A chosen package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pick {
    /// Its index.
    pub index: usize,
    /// Its number there.
    pub package: usize,
    /// Why it is in.
    pub why: Why,
}

/// What was chosen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// The packages, by name.
    pub picks: Vec<Pick>,
    /// The groups that were asked for.
    pub groups: Groups,
    /// The modules whose streams are enabled in the root, by name.
    pub modules: BTreeMap<String, EnabledModule>,
}

/// Chooses packages. A walk takes the steps of libsolv and so finds what dnf would install; the solver confirms it, or
/// explains why there is nothing.
///
/// # Errors
/// See [`Error`].
pub fn select(universe: &Universe<'_>, wishes: &Wishes, settings: &Settings) -> Result<Selection, Error> {
    let asked = Asked::new(universe, wishes)?;
    let stock = Stock::new(universe);
    let pool = Pool::new(&stock);
    let policy = Policy { weak: settings.weak };
    let mut unknown = asked.unknown.clone();
    if !universe.has_all_files() {
        unknown.extend(required_paths(&pool, &asked.jobs));
    }
    if !unknown.is_empty() {
        return Err(Error::NeedsFilelists {
            paths: unknown.into_iter().collect(),
        });
    }
    let (chosen, weak) = match Walk::run(&stock, &asked.jobs, policy) {
        Ok(found) => (confirmed(&pool, &asked.jobs, found.chosen)?, found.weak),
        Err(_) => {
            let inferior = walk::inferior(&stock, &asked.jobs);
            (repaired(&pool, &asked.jobs, &[], &inferior)?, BTreeSet::new())
        }
    };
    if settings.weak && !universe.has_all_files() {
        let paths = wanted_paths(universe, &chosen);
        if !paths.is_empty() {
            return Err(Error::NeedsFilelists { paths });
        }
    }
    Ok(asked.selection(&pool, &chosen, &weak))
}

/// What the solver makes of the walk's packages: the same, where the walk made no mistake.
fn confirmed(pool: &Pool<'_, '_>, jobs: &Jobs, chosen: BTreeSet<Id>) -> Result<BTreeSet<Id>, Error> {
    let problem = Problem {
        needs: chosen.iter().map(|id| Need::any([Candidate(id.0)])).collect(),
        ..Problem::default()
    };
    match solve(pool, &problem) {
        Ok(found) if packages(pool, &found) == chosen => Ok(chosen),
        _ => repaired(pool, jobs, &chosen.into_iter().collect::<Vec<_>>(), &[]),
    }
}

/// What the solver finds by itself; the packages that are preferred are taken where they fit.
fn repaired(
    pool: &Pool<'_, '_>,
    jobs: &Jobs,
    preferred: &[Id],
    excluded: &[Id],
) -> Result<BTreeSet<Id>, Error> {
    let problem = Problem {
        needs: jobs
            .install
            .iter()
            .map(|list| need(pool.universe, list))
            .collect(),
        excluded: excluded.iter().map(|id| Candidate(id.0)).collect(),
        extras: preferred.iter().map(|id| Candidate(id.0)).collect(),
    };
    match solve(pool, &problem) {
        Ok(found) => Ok(packages(pool, &found)),
        Err(unsatisfiable) => Err(Error::Unsatisfiable {
            lines: explain::lines(&unsatisfiable, pool),
        }),
    }
}

/// One of some packages, the preferred one first.
fn need(universe: &Universe<'_>, list: &[Id]) -> Need {
    let mut list = list.to_vec();
    universe.prefer(&mut list);
    Need::any(list.into_iter().map(|id| Candidate(id.0)))
}

fn packages(pool: &Pool<'_, '_>, found: &[Candidate]) -> BTreeSet<Id> {
    let packages = found.iter().filter(|candidate| pool.is_package(**candidate));
    packages.map(|candidate| Id(candidate.0)).collect()
}

/// Paths that nobody is known to have, and that a package requires which the jobs may lead to.
fn required_paths(pool: &Pool<'_, '_>, jobs: &Jobs) -> BTreeSet<String> {
    let mut unknown = BTreeSet::new();
    let mut queue: Vec<Candidate> = jobs.install.iter().flatten().map(|id| Candidate(id.0)).collect();
    let mut seen: HashSet<Candidate> = queue.iter().copied().collect();
    while let Some(candidate) = queue.pop() {
        let package = pool.universe.package(Id(candidate.0));
        let required = package.filter(|_| pool.is_package(candidate));
        for required in required
            .iter()
            .flat_map(|package| package.relations(RelationKind::Requires))
        {
            if is_unknown_path(pool.universe, &required) {
                unknown.insert(required.name.to_owned());
            }
        }
        let options = pool.needs(candidate).into_iter().flat_map(|need| need.options);
        queue.extend(options.filter(|option| seen.insert(*option)));
    }
    unknown
}

fn is_unknown_path(universe: &Universe<'_>, relation: &Relation<'_>) -> bool {
    relation.name.starts_with('/') && universe.providing(relation).is_empty()
}

/// Paths that nobody is known to have, and that what was chosen recommends.
fn wanted_paths(universe: &Universe<'_>, chosen: &BTreeSet<Id>) -> Vec<String> {
    let paths: BTreeSet<String> = chosen
        .iter()
        .filter_map(|id| universe.package(*id))
        .flat_map(|package| package.relations(RelationKind::Recommends))
        .filter(|relation| is_unknown_path(universe, relation))
        .map(|relation| relation.name.to_owned())
        .collect();
    paths.into_iter().collect()
}

/// What the wishes come to.
struct Asked<'u> {
    jobs: Jobs,
    /// So many jobs at the beginning, but for those of modules, are the user's own.
    user: std::ops::Range<usize>,
    /// Members of groups and profiles, and whose they are.
    members: BTreeMap<String, String>,
    groups: Groups,
    activation: Option<Activation<'u>>,
    /// Paths that only the lists of all files know.
    unknown: BTreeSet<String>,
}

impl<'u> Asked<'u> {
    /// The jobs in dnf's order: profiles of modules, files, names, members of groups.
    fn new(universe: &Universe<'u>, wishes: &Wishes) -> Result<Asked<'u>, Error> {
        let mut asked = Asked {
            jobs: Jobs::default(),
            user: 0..0,
            members: BTreeMap::new(),
            groups: Groups::default(),
            activation: universe.activation.clone(),
            unknown: BTreeSet::new(),
        };
        for word in wishes.words.iter().filter_map(|word| word.strip_prefix('@')) {
            let activation = asked.activation.as_mut();
            let wished = activation.map(|activation| modules::wished(word, activation));
            let Some(wished) = wished.transpose()?.flatten() else {
                groups::add(word, universe, &mut asked.groups)?;
                continue;
            };
            for wished in wished {
                let list = named(universe, &wished.package);
                if list.is_empty() {
                    return Err(wish::no_match(&wished.package, universe));
                }
                asked.jobs.install.push(list);
                asked.members.insert(wished.package, wished.group);
            }
        }
        let first = asked.jobs.install.len();
        for id in universe
            .all()
            .filter(|id| wishes.whole.contains(&universe.place(*id).0))
        {
            asked.jobs.install.push(vec![id]);
        }
        for word in wishes.words.iter().filter(|word| !word.starts_with('@')) {
            match wish::jobs(word, universe) {
                Ok(lists) => asked.jobs.install.extend(lists),
                Err(Error::NeedsFilelists { paths }) => asked.unknown.extend(paths),
                Err(error) => return Err(error),
            }
        }
        asked.user = first..asked.jobs.install.len();
        asked.add_members(universe, wishes.optional);
        Ok(asked)
    }

    fn add_members(&mut self, universe: &Universe<'_>, optional: bool) {
        for (id, group) in &self.groups.groups {
            for member in &group.packages {
                let wanted = match member.kind {
                    PackageType::Mandatory | PackageType::Default | PackageType::Conditional => true,
                    PackageType::Optional => optional,
                };
                let mut list = named(universe, &member.name);
                if member.basearch_only {
                    let base = |id: &Id| universe.package(*id).is_some_and(|p| universe.is_base_arch(&p));
                    list.retain(base);
                }
                // Members that no repository has are nobody's mistake: groups name packages of all architectures.
                if !wanted || list.is_empty() {
                    continue;
                }
                match (&member.requires, member.kind) {
                    (Some(requires), PackageType::Conditional) => {
                        let pair = (member.name.clone(), requires.clone());
                        if !self.jobs.conditional.contains(&pair) {
                            self.jobs.conditional.push(pair);
                        }
                    }
                    _ => {
                        list.extend(wish::obsoleters(&list, universe));
                        list.sort_unstable();
                        list.dedup();
                        if !self.jobs.install.contains(&list) {
                            self.jobs.install.push(list);
                        }
                    }
                }
                self.members
                    .entry(member.name.clone())
                    .or_insert_with(|| id.clone());
            }
        }
    }

    fn selection(mut self, pool: &Pool<'_, '_>, chosen: &BTreeSet<Id>, weak: &BTreeSet<Id>) -> Selection {
        let universe = pool.universe;
        let user: HashSet<Id> = self
            .jobs
            .install
            .get(self.user.clone())
            .into_iter()
            .flatten()
            .flat_map(|list| list.iter().filter(|id| chosen.contains(id)))
            .copied()
            .collect();
        let why = self.reasons(pool, chosen, &user, weak);
        let mut picks: Vec<(&str, &str, Pick)> = chosen
            .iter()
            .filter_map(|id| {
                let package = universe.package(*id)?;
                let (index, number) = universe.place(*id);
                let pick = Pick {
                    index,
                    package: number,
                    why: why.get(id).cloned().unwrap_or(Why::User),
                };
                Some((package.name(), package.arch(), pick))
            })
            .collect();
        picks.sort_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)));
        let present: HashSet<&str> = picks.iter().map(|(name, _, _)| *name).collect();
        for group in self.groups.groups.values_mut() {
            for member in &mut group.packages {
                member.installed = present.contains(member.name.as_str());
            }
        }
        let modules = match self.activation {
            Some(mut activation) => {
                let packages = chosen.iter().filter_map(|id| universe.package(*id));
                activation.enable_installed(&packages.map(|package| package.nevra_with_epoch()).collect());
                activation.enabled
            }
            None => BTreeMap::new(),
        };
        Selection {
            picks: picks.into_iter().map(|(_, _, pick)| pick).collect(),
            groups: self.groups,
            modules,
        }
    }

    /// Why each package is in: what was asked for, then what that needs.
    fn reasons(
        &self,
        pool: &Pool<'_, '_>,
        chosen: &BTreeSet<Id>,
        user: &HashSet<Id>,
        weak: &BTreeSet<Id>,
    ) -> HashMap<Id, Why> {
        let universe = pool.universe;
        let mut why: HashMap<Id, Why> = HashMap::new();
        let mut queue = VecDeque::new();
        let mut conditional = Vec::new();
        for id in chosen {
            let name = universe.package(*id).map_or("", |package| package.name());
            let reason = match (user.contains(id), self.members.get(name)) {
                (true, _) => Why::User,
                (_, Some(group)) if self.only_conditional(*id, name) => {
                    conditional.push((*id, Why::Group(group.clone())));
                    continue;
                }
                (_, Some(group)) => Why::Group(group.clone()),
                _ if weak.contains(id) => liked(pool, *id, chosen),
                _ => continue,
            };
            why.insert(*id, reason);
            queue.push_back(*id);
        }
        // Every other package is there because one before it requires it. That comes before a group's condition: the
        // solver of dnf takes the rules of packages first.
        because_required(pool, chosen, &mut queue, &mut why);
        for (id, reason) in conditional {
            why.entry(id).or_insert_with(|| {
                queue.push_back(id);
                reason
            });
        }
        because_required(pool, chosen, &mut queue, &mut why);
        why
    }

    /// Whether a package is asked for by no job but those of groups' conditional members.
    fn only_conditional(&self, id: Id, name: &str) -> bool {
        self.jobs.conditional.iter().any(|(member, _)| member == name)
            && !self.jobs.install.iter().any(|list| list.contains(&id))
    }
}

/// Gives a reason to each package that one in the queue requires, and to what those require.
fn because_required(
    pool: &Pool<'_, '_>,
    chosen: &BTreeSet<Id>,
    queue: &mut VecDeque<Id>,
    why: &mut HashMap<Id, Why>,
) {
    while let Some(id) = queue.pop_front() {
        let Some(package) = pool.universe.package(id) else {
            continue;
        };
        for required in package.relations(RelationKind::Requires) {
            let options = pool.relation_needs(&required);
            for option in options.iter().flat_map(|need| &need.options) {
                let other = Id(option.0);
                if chosen.contains(&other) && !why.contains_key(&other) {
                    let reason = Why::Dependency {
                        of: package.name().to_owned(),
                        relation: required.to_string(),
                    };
                    why.insert(other, reason);
                    queue.push_back(other);
                }
            }
        }
    }
}

/// The packages of a name that may be installed, in the order of loading.
fn named(universe: &Universe<'_>, name: &str) -> Vec<Id> {
    let all = universe.called_name(name).iter().copied();
    all.filter(|id| !universe.is_excluded(*id)).collect()
}

/// Who would like a package: one that recommends it, else itself, by what it supplements.
fn liked(pool: &Pool<'_, '_>, id: Id, chosen: &BTreeSet<Id>) -> Why {
    let universe = pool.universe;
    let weak = |package: &Package<'_>, relation: &Relation<'_>| Why::Weak {
        of: package.name().to_owned(),
        relation: relation.to_string(),
    };
    for package in chosen.iter().filter_map(|other| universe.package(*other)) {
        for recommended in package.relations(RelationKind::Recommends) {
            let mut options = pool
                .relation_needs(&recommended)
                .into_iter()
                .flat_map(|need| need.options);
            if options.any(|option| option == Candidate(id.0)) {
                return weak(&package, &recommended);
            }
        }
    }
    let own = universe.package(id);
    let supplements =
        own.and_then(|package| Some((package, package.relations(RelationKind::Supplements).next()?)));
    match supplements {
        Some((package, relation)) => weak(&package, &relation),
        None => Why::User,
    }
}
