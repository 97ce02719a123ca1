//! From wishes to packages.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use bareroot_rpm_repo::comps::PackageType;
use bareroot_rpm_repo::{Relation, RelationKind};
use bareroot_solve::{Candidate, Need, Problem, solve};

use crate::error::Error;
use crate::explain;
use crate::groups::{self, Groups};
use crate::modules::{self, EnabledModule, Wished};
use crate::pool::Pool;
use crate::universe::{Id, Universe, satisfies};
use crate::wish::{self, Wishes};

/// Rounds of weak dependencies and conditional members: each adds at least one package.
const MOST_ROUNDS: usize = 200;

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

/// Chooses packages.
///
/// # Errors
/// See [`Error`].
pub fn select(universe: &Universe<'_>, wishes: &Wishes, settings: &Settings) -> Result<Selection, Error> {
    let pool = Pool::new(universe);
    let mut found = Groups::default();
    let mut needs: Vec<Need> = Vec::new();
    let mut unknown = BTreeSet::new();
    let mut activation = universe.activation.clone();
    let mut profiles: Vec<Wished> = Vec::new();
    for word in &wishes.words {
        match word.strip_prefix('@') {
            Some(group) => {
                let wished = activation
                    .as_mut()
                    .map(|activation| modules::wished(group, activation));
                match wished.transpose()?.flatten() {
                    Some(wished) => profiles.extend(wished),
                    None => groups::add(group, universe, &mut found)?,
                }
            }
            None => match wish::needs(word, &pool) {
                Ok(more) => needs.extend(more),
                Err(Error::NeedsFilelists { paths }) => unknown.extend(paths),
                Err(error) => return Err(error),
            },
        }
    }
    for id in universe
        .all()
        .filter(|id| wishes.whole.contains(&universe.place(*id).0))
    {
        needs.push(Need::any([Candidate(id.0)]));
    }
    let user_needs = needs.len();
    let mut members: BTreeMap<String, String> = BTreeMap::new();
    for wished in profiles {
        let ids = universe.named(&wished.package);
        if ids.is_empty() {
            return Err(wish::no_match(&wished.package, &pool));
        }
        needs.push(Need::any(ids.into_iter().map(|id| Candidate(id.0))));
        members.insert(wished.package, wished.group);
    }
    for (id, group) in &found.groups {
        for member in &group.packages {
            let wanted = match member.kind {
                PackageType::Mandatory | PackageType::Default => true,
                PackageType::Optional => wishes.optional,
                PackageType::Conditional => false,
            };
            // Members that no repository has are nobody's mistake: groups name packages of all architectures.
            let ids = universe.named(&member.name);
            if wanted && !ids.is_empty() && members.insert(member.name.clone(), id.clone()).is_none() {
                needs.push(Need::any(ids.into_iter().map(|id| Candidate(id.0))));
            }
        }
    }
    let mut search = Search {
        pool: &pool,
        problem: Problem {
            needs,
            ..Problem::default()
        },
        weak: BTreeMap::new(),
        tried: HashSet::new(),
    };
    if !universe.has_all_files() {
        let unknown = search.unknown_paths(unknown);
        if !unknown.is_empty() {
            return Err(Error::NeedsFilelists { paths: unknown });
        }
    }
    let chosen = search.run(settings, &found, &mut members)?;
    let user: HashSet<Candidate> = search
        .problem
        .needs
        .iter()
        .take(user_needs)
        .filter_map(|need| need.options.iter().find(|option| chosen.contains(option)))
        .copied()
        .collect();
    let mut selection = search.selection(&chosen, &user, &members, found);
    if let Some(mut activation) = activation {
        let installed = chosen
            .iter()
            .filter_map(|candidate| universe.package(Id(candidate.0)))
            .map(|package| package.nevra_with_epoch())
            .collect();
        activation.enable_installed(&installed);
        selection.modules = activation.enabled;
    }
    Ok(selection)
}

struct Search<'p, 'u, 'i> {
    pool: &'p Pool<'u, 'i>,
    problem: Problem,
    /// Weak dependencies that were followed: who would like the package, and by which relation.
    weak: BTreeMap<Candidate, (String, String)>,
    tried: HashSet<Candidate>,
}

impl Search<'_, '_, '_> {
    /// Solves, then adds conditional members and weak dependencies until nothing is left to be added.
    fn run(
        &mut self,
        settings: &Settings,
        found: &Groups,
        members: &mut BTreeMap<String, String>,
    ) -> Result<BTreeSet<Candidate>, Error> {
        let mut chosen = self.solve()?;
        for _ in 0..MOST_ROUNDS {
            let before = (self.problem.needs.len(), self.problem.extras.len());
            self.conditional(&chosen, found, members);
            if settings.weak {
                self.weak(&chosen);
            }
            if before == (self.problem.needs.len(), self.problem.extras.len()) {
                break;
            }
            chosen = self.solve()?;
        }
        Ok(chosen)
    }

    fn solve(&self) -> Result<BTreeSet<Candidate>, Error> {
        match solve(self.pool, &self.problem) {
            Ok(chosen) => Ok(chosen
                .into_iter()
                .filter(|candidate| self.pool.is_package(*candidate))
                .collect()),
            Err(unsatisfiable) => Err(Error::Unsatisfiable {
                lines: explain::lines(&unsatisfiable, self.pool),
            }),
        }
    }

    /// Members of groups that the presence of another package makes wanted.
    fn conditional(
        &mut self,
        chosen: &BTreeSet<Candidate>,
        found: &Groups,
        members: &mut BTreeMap<String, String>,
    ) {
        let universe = self.pool.universe;
        let present = |name: &str| {
            universe
                .named(name)
                .iter()
                .any(|id| chosen.contains(&Candidate(id.0)))
        };
        for (id, group) in &found.groups {
            for member in group
                .packages
                .iter()
                .filter(|member| member.kind == PackageType::Conditional)
            {
                if members.contains_key(&member.name) || !member.requires.as_deref().is_some_and(present) {
                    continue;
                }
                let ids = universe.named(&member.name);
                if !ids.is_empty() {
                    members.insert(member.name.clone(), id.clone());
                    self.problem
                        .needs
                        .push(Need::any(ids.into_iter().map(|id| Candidate(id.0))));
                }
            }
        }
    }

    /// What chosen packages recommend and what supplements them, where nothing of it is there yet.
    fn weak(&mut self, chosen: &BTreeSet<Candidate>) {
        let universe = self.pool.universe;
        let mut wanted: Vec<(Candidate, String, String)> = Vec::new();
        for candidate in chosen {
            let Some(package) = universe.package(Id(candidate.0)) else {
                continue;
            };
            for recommended in package.relations(RelationKind::Recommends) {
                for need in self.pool.relation_needs(&recommended) {
                    if need.options.iter().any(|option| chosen.contains(option)) {
                        continue;
                    }
                    // A condition that does not hold needs nothing.
                    let real = need
                        .options
                        .iter()
                        .copied()
                        .find(|option| self.pool.is_package(*option));
                    if need.options.iter().all(|option| self.pool.is_package(*option))
                        || self.conditions_fail(&need, chosen)
                    {
                        wanted.extend(
                            real.map(|option| (option, package.name().to_owned(), recommended.to_string())),
                        );
                    }
                }
            }
        }
        for id in universe.all() {
            let candidate = Candidate(id.0);
            if chosen.contains(&candidate) || self.tried.contains(&candidate) {
                continue;
            }
            let Some(package) = universe.package(id) else {
                continue;
            };
            // Only the best of a name comes by itself.
            let supplements = package
                .relations(RelationKind::Supplements)
                .find(|relation| self.holds(relation, chosen));
            if let Some(relation) = supplements
                && universe.named(package.name()).first() == Some(&id)
            {
                wanted.push((candidate, package.name().to_owned(), relation.to_string()));
            }
        }
        for (option, of, relation) in wanted {
            if self.tried.insert(option) {
                self.weak.insert(option, (of, relation));
                self.problem.extras.push(option);
            }
        }
    }

    /// Whether every auxiliary of a need is impossible beside what is chosen.
    fn conditions_fail(&self, need: &Need, chosen: &BTreeSet<Candidate>) -> bool {
        use bareroot_solve::Packages as _;
        need.options
            .iter()
            .filter(|option| !self.pool.is_package(**option))
            .all(|option| {
                self.pool
                    .excludes(*option)
                    .iter()
                    .any(|other| chosen.contains(other))
            })
    }

    /// Whether a relation holds for what is chosen.
    fn holds(&self, relation: &Relation<'_>, chosen: &BTreeSet<Candidate>) -> bool {
        use bareroot_rpm::rich::{self, Rich};
        let simple = |relation: &Relation<'_>| {
            self.pool
                .universe
                .providers(relation)
                .iter()
                .any(|id| chosen.contains(&Candidate(id.0)))
        };
        if !relation.name.starts_with('(') {
            return simple(relation);
        }
        fn holds(
            rich: &Rich<'_>,
            simple: &dyn Fn(&Relation<'_>) -> bool,
            by: &dyn Fn(&[Rich<'_>]) -> bool,
        ) -> bool {
            match rich {
                Rich::Simple(dependency) => simple(&Relation {
                    name: dependency.name,
                    sense: dependency.sense.comparison(),
                    evr: bareroot_rpm::Evr::parse(dependency.evr),
                    pre: false,
                }),
                Rich::And(all) => all.iter().all(|operand| holds(operand, simple, by)),
                Rich::Or(all) => all.iter().any(|operand| holds(operand, simple, by)),
                Rich::With(all) => by(all),
                Rich::Without(first, second) => holds(first, simple, by) && !holds(second, simple, by),
                Rich::If(then, condition, otherwise) => match holds(condition, simple, by) {
                    true => holds(then, simple, by),
                    false => otherwise
                        .as_ref()
                        .is_none_or(|otherwise| holds(otherwise, simple, by)),
                },
                Rich::Unless(then, condition, otherwise) => match holds(condition, simple, by) {
                    false => holds(then, simple, by),
                    true => otherwise
                        .as_ref()
                        .is_some_and(|otherwise| holds(otherwise, simple, by)),
                },
            }
        }
        let universe = self.pool.universe;
        let one_has_all = |all: &[Rich<'_>]| {
            chosen
                .iter()
                .filter_map(|candidate| universe.package(Id(candidate.0)))
                .any(|package| {
                    all.iter().all(|operand| match operand {
                        Rich::Simple(dependency) => {
                            package.relations(RelationKind::Provides).any(|provided| {
                                provided.name == dependency.name
                                    && satisfies(
                                        &provided,
                                        &Relation {
                                            name: dependency.name,
                                            sense: dependency.sense.comparison(),
                                            evr: bareroot_rpm::Evr::parse(dependency.evr),
                                            pre: false,
                                        },
                                    )
                            })
                        }
                        _ => false,
                    })
                })
        };
        rich::parse(relation.name).is_ok_and(|rich| holds(&rich, &simple, &one_has_all))
    }

    /// Paths that nobody is known to have, and that a package requires which the wishes may lead to.
    fn unknown_paths(&self, mut unknown: BTreeSet<String>) -> Vec<String> {
        use bareroot_solve::Packages as _;
        let mut queue: Vec<Candidate> = self
            .problem
            .needs
            .iter()
            .flat_map(|need| need.options.iter().copied())
            .collect();
        let mut seen: HashSet<Candidate> = queue.iter().copied().collect();
        while let Some(candidate) = queue.pop() {
            if let Some(package) = self.pool.universe.package(Id(candidate.0)) {
                for required in package.relations(RelationKind::Requires) {
                    if required.name.starts_with('/') && self.pool.universe.providers(&required).is_empty() {
                        unknown.insert(required.name.to_owned());
                    }
                }
            }
            for option in self
                .pool
                .needs(candidate)
                .into_iter()
                .flat_map(|need| need.options)
            {
                if seen.insert(option) {
                    queue.push(option);
                }
            }
        }
        unknown.into_iter().collect()
    }

    fn selection(
        &self,
        chosen: &BTreeSet<Candidate>,
        user: &HashSet<Candidate>,
        members: &BTreeMap<String, String>,
        mut groups: Groups,
    ) -> Selection {
        let universe = self.pool.universe;
        let mut why: BTreeMap<Candidate, Why> = BTreeMap::new();
        let mut queue = std::collections::VecDeque::new();
        for candidate in chosen {
            let name = universe
                .package(Id(candidate.0))
                .map_or("", |package| package.name());
            let reason = match (
                user.contains(candidate),
                members.get(name),
                self.weak.get(candidate),
            ) {
                (true, ..) => Why::User,
                (_, Some(group), _) => Why::Group(group.clone()),
                (_, _, Some((of, relation))) => Why::Weak {
                    of: of.clone(),
                    relation: relation.clone(),
                },
                _ => continue,
            };
            why.insert(*candidate, reason);
            queue.push_back(*candidate);
        }
        // Every other package is there because one before it requires it.
        while let Some(candidate) = queue.pop_front() {
            let Some(package) = universe.package(Id(candidate.0)) else {
                continue;
            };
            for required in package.relations(RelationKind::Requires) {
                let options = self.pool.relation_needs(&required);
                for option in options.iter().flat_map(|need| &need.options) {
                    if chosen.contains(option) && !why.contains_key(option) {
                        why.insert(
                            *option,
                            Why::Dependency {
                                of: package.name().to_owned(),
                                relation: required.to_string(),
                            },
                        );
                        queue.push_back(*option);
                    }
                }
            }
        }
        let mut picks: Vec<(&str, &str, Pick)> = chosen
            .iter()
            .filter_map(|candidate| {
                let package = universe.package(Id(candidate.0))?;
                let (index, number) = universe.place(Id(candidate.0));
                let pick = Pick {
                    index,
                    package: number,
                    why: why.remove(candidate).unwrap_or(Why::User),
                };
                Some((package.name(), package.arch(), pick))
            })
            .collect();
        picks.sort_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)));
        let present: HashSet<&str> = picks.iter().map(|(name, _, _)| *name).collect();
        for group in groups.groups.values_mut() {
            for member in &mut group.packages {
                member.installed = present.contains(member.name.as_str());
            }
        }
        Selection {
            picks: picks.into_iter().map(|(_, _, pick)| pick).collect(),
            groups,
            modules: BTreeMap::new(),
        }
    }
}
