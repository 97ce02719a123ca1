//! The universe as the solver wants to see it: what each candidate needs and excludes, worked out when it is reached.

use std::cell::RefCell;
use std::collections::HashMap;

use bareroot_rpm::rich;
use bareroot_rpm_repo::{Package, Relation, RelationKind};
use bareroot_solve::{Candidate, Name, Need, Packages};

use crate::formula::{Auxiliary, Builder};
use crate::universe::{Id, Universe};

/// What is known of a candidate.
#[derive(Clone, Debug, Default)]
struct Facts {
    needs: Vec<Need>,
    excludes: Vec<Candidate>,
}

/// A universe in the solver's numbers: a package's is its own, auxiliaries come after all packages.
pub(crate) struct Pool<'u, 'i> {
    pub(crate) universe: &'u Universe<'i>,
    /// Slots in the order in which they were met.
    slots: HashMap<(&'i str, bool), u32>,
    slot_of: Vec<u32>,
    members: Vec<Vec<Candidate>>,
    facts: RefCell<HashMap<u32, Facts>>,
    auxiliaries: RefCell<Vec<Auxiliary>>,
}

impl<'u, 'i> Pool<'u, 'i> {
    pub(crate) fn new(universe: &'u Universe<'i>) -> Self {
        let mut pool = Pool {
            universe,
            slots: HashMap::new(),
            slot_of: Vec::with_capacity(universe.len()),
            members: Vec::new(),
            facts: RefCell::default(),
            auxiliaries: RefCell::default(),
        };
        for number in 0..universe.len() as u32 {
            let next = pool.slots.len() as u32;
            let slot = *pool.slots.entry(universe.slot(Id(number))).or_insert(next);
            if slot == next {
                pool.members.push(Vec::new());
            }
            pool.slot_of.push(slot);
            if universe.is_excluded(Id(number)) {
                continue;
            }
            if let Some(members) = pool.members.get_mut(slot as usize) {
                members.push(Candidate(number));
            }
        }
        for members in &mut pool.members {
            let mut ids: Vec<Id> = members.iter().map(|candidate| Id(candidate.0)).collect();
            universe.prefer(&mut ids);
            *members = ids.into_iter().map(|id| Candidate(id.0)).collect();
        }
        pool
    }

    /// Whether a candidate stands for a package.
    pub(crate) fn is_package(&self, candidate: Candidate) -> bool {
        (candidate.0 as usize) < self.universe.len()
    }

    /// The needs that a boolean dependency makes.
    pub(crate) fn rich_needs(&self, text: &str, negated: bool) -> Option<Vec<Need>> {
        let parsed = rich::parse(text).ok()?;
        let mut auxiliaries = self.auxiliaries.borrow_mut();
        let mut builder = Builder {
            universe: self.universe,
            first: self.universe.len() as u32,
            made: std::mem::take(&mut *auxiliaries),
        };
        let needs = match negated {
            false => builder.needs(&parsed),
            true => builder.needs_not(&parsed),
        };
        *auxiliaries = builder.made;
        Some(needs)
    }

    /// What a relation needs; one that cannot be read cannot be met.
    pub(crate) fn relation_needs(&self, relation: &Relation<'_>) -> Vec<Need> {
        if relation.name.starts_with('(') {
            return self
                .rich_needs(relation.name, false)
                .unwrap_or_else(|| vec![Need::default()]);
        }
        vec![Need::any(
            self.universe
                .providers(relation)
                .into_iter()
                .map(|id| Candidate(id.0)),
        )]
    }

    fn with_facts<T>(&self, candidate: Candidate, read: impl FnOnce(&Facts) -> T) -> T {
        if let Some(facts) = self.facts.borrow().get(&candidate.0) {
            return read(facts);
        }
        let facts = match self.universe.package(Id(candidate.0)) {
            Some(package) if self.is_package(candidate) => self.facts_of(candidate, &package),
            _ => {
                let auxiliaries = self.auxiliaries.borrow();
                let place = (candidate.0 as usize).saturating_sub(self.universe.len());
                let auxiliary = auxiliaries.get(place).cloned().unwrap_or_default();
                Facts {
                    needs: auxiliary.needs,
                    excludes: auxiliary.excludes,
                }
            }
        };
        let value = read(&facts);
        self.facts.borrow_mut().insert(candidate.0, facts);
        value
    }

    fn facts_of(&self, candidate: Candidate, package: &Package<'i>) -> Facts {
        let mut facts = Facts::default();
        let own = Id(candidate.0);
        for required in package.relations(RelationKind::Requires) {
            // What the package itself provides is met.
            for need in self.relation_needs(&required) {
                if !need.options.contains(&candidate) {
                    facts.needs.push(need);
                }
            }
        }
        for conflict in package.relations(RelationKind::Conflicts) {
            if conflict.name.starts_with('(') {
                facts
                    .needs
                    .extend(self.rich_needs(conflict.name, true).unwrap_or_default());
                continue;
            }
            let others = self.universe.providers(&conflict);
            facts.excludes.extend(
                others
                    .into_iter()
                    .filter(|other| *other != own)
                    .map(|other| Candidate(other.0)),
            );
        }
        for obsoleted in package.relations(RelationKind::Obsoletes) {
            let others = self.universe.called(&obsoleted);
            // A package that obsoletes its own name means older versions, which its slot keeps out anyway.
            let others = others
                .into_iter()
                .filter(|other| *other != own && self.universe.slot(*other).0 != package.name());
            facts.excludes.extend(others.map(|other| Candidate(other.0)));
        }
        // Two word sizes of one package can only be there in one version.
        let (name, foreign) = self.universe.slot(own);
        if let Some(members) = self
            .slots
            .get(&(name, !foreign))
            .and_then(|slot| self.members.get(*slot as usize))
        {
            for other in members {
                let clashes = self.universe.package(Id(other.0)).is_some_and(|other| {
                    other.evr().compare(&package.evr()).is_ne()
                        || other.arch() == "noarch"
                        || package.arch() == "noarch"
                });
                if clashes {
                    facts.excludes.push(*other);
                }
            }
        }
        facts
    }
}

impl Packages for Pool<'_, '_> {
    fn name(&self, candidate: Candidate) -> Name {
        match self.slot_of.get(candidate.0 as usize) {
            Some(slot) => Name(*slot),
            // Each auxiliary is alone.
            None => Name(self.members.len() as u32 + candidate.0 - self.universe.len() as u32),
        }
    }

    fn candidates(&self, name: Name) -> Vec<Candidate> {
        match self.members.get(name.0 as usize) {
            Some(members) => members.clone(),
            None => vec![Candidate(
                name.0 - self.members.len() as u32 + self.universe.len() as u32,
            )],
        }
    }

    fn needs(&self, candidate: Candidate) -> Vec<Need> {
        self.with_facts(candidate, |facts| facts.needs.clone())
    }

    fn excludes(&self, candidate: Candidate) -> Vec<Candidate> {
        self.with_facts(candidate, |facts| facts.excludes.clone())
    }
}
