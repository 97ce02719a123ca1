//! The universe as the solver wants to see it: what each candidate needs and excludes, worked out when it is reached.

use std::cell::RefCell;
use std::collections::HashMap;

use bareroot_rpm_repo::{Package, Relation, RelationKind};
use bareroot_solve::{Candidate, Name, Need, Packages};

use crate::universe::{Id, Universe};
use crate::walk::{Form, Stock, blocks};

/// What is known of a candidate.
#[derive(Clone, Debug, Default)]
struct Facts {
    needs: Vec<Need>,
    excludes: Vec<Candidate>,
}

/// A universe in the solver's numbers: a package's is its own, auxiliaries come after all packages.
pub(crate) struct Pool<'u, 'i> {
    pub(crate) universe: &'u Universe<'i>,
    stock: &'u Stock<'u, 'i>,
    /// Slots in the order in which they were met.
    slots: HashMap<(&'i str, bool), u32>,
    slot_of: Vec<u32>,
    members: Vec<Vec<Candidate>>,
    facts: RefCell<HashMap<u32, Facts>>,
    /// What must be absent, for each auxiliary.
    absent: RefCell<Vec<Candidate>>,
}

impl<'u, 'i> Pool<'u, 'i> {
    pub(crate) fn new(stock: &'u Stock<'u, 'i>) -> Self {
        let universe = stock.universe;
        let mut pool = Pool {
            universe,
            stock,
            slots: HashMap::new(),
            slot_of: Vec::with_capacity(universe.len()),
            members: Vec::new(),
            facts: RefCell::default(),
            absent: RefCell::default(),
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

    /// The needs that a boolean dependency makes, or its negation. One that can never hold is a need without options.
    fn rich_needs(&self, form: Form) -> Vec<Need> {
        match form {
            Form::Always => Vec::new(),
            Form::Never => vec![Need::default()],
            Form::Blocks(blocks) => blocks
                .into_iter()
                .map(|block| Need::any(self.in_preference(&block)))
                .collect(),
        }
    }

    /// The candidates of a clause: absences first, then packages, the preferred one first.
    fn in_preference(&self, block: &[i32]) -> Vec<Candidate> {
        let absences = block.iter().filter(|literal| **literal < 0);
        let mut options: Vec<Candidate> = absences.map(|literal| self.absence(-literal)).collect();
        let mut ids: Vec<Id> = block
            .iter()
            .filter(|literal| **literal > 0)
            .map(|literal| Id(*literal as u32 - 1))
            .filter(|id| !self.universe.is_excluded(*id))
            .collect();
        self.universe.prefer(&mut ids);
        options.extend(ids.into_iter().map(|id| Candidate(id.0)));
        options
    }

    /// A candidate that no package stands behind and that excludes one.
    fn absence(&self, literal: i32) -> Candidate {
        let other = Candidate(literal as u32 - 1);
        let mut absent = self.absent.borrow_mut();
        let place = absent
            .iter()
            .position(|known| *known == other)
            .unwrap_or_else(|| {
                absent.push(other);
                absent.len() - 1
            });
        Candidate(self.universe.len() as u32 + place as u32)
    }

    /// What a relation needs; one that cannot be read cannot be met.
    pub(crate) fn relation_needs(&self, relation: &Relation<'i>) -> Vec<Need> {
        if relation.name.starts_with('(') {
            return self.rich_needs(blocks::clauses(self.stock, relation.name));
        }
        let found = self.universe.providers(relation);
        vec![Need::any(found.into_iter().map(|id| Candidate(id.0)))]
    }

    fn with_facts<T>(&self, candidate: Candidate, read: impl FnOnce(&Facts) -> T) -> T {
        if let Some(facts) = self.facts.borrow().get(&candidate.0) {
            return read(facts);
        }
        let facts = match self.universe.package(Id(candidate.0)) {
            Some(package) if self.is_package(candidate) => self.facts_of(candidate, &package),
            _ => {
                let place = (candidate.0 as usize).saturating_sub(self.universe.len());
                Facts {
                    needs: Vec::new(),
                    excludes: self.absent.borrow().get(place).copied().into_iter().collect(),
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
                let mut form = blocks::negated(self.stock, conflict.name);
                if let Form::Blocks(blocks) = &mut form {
                    // A package does not conflict with itself.
                    blocks.retain(|block| block[..] != [-(own.0 as i32 + 1)]);
                }
                facts.needs.extend(self.rich_needs(form));
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
        // Beside a package for all architectures there is none of its name for one.
        let (name, foreign) = self.universe.slot(own);
        if let Some(members) = self
            .slots
            .get(&(name, !foreign))
            .and_then(|slot| self.members.get(*slot as usize))
        {
            for other in members {
                let clashes = self
                    .universe
                    .package(Id(other.0))
                    .is_some_and(|other| other.arch() == "noarch" || package.arch() == "noarch");
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
