//! The universe as libsolv's pool has it: who provides what, excluded packages among them, in the order of loading.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use bareroot_rpm::Evr;
use bareroot_rpm::rich::Rich;
use bareroot_rpm_repo::{Package, Relation, RelationKind};

use super::Literal;
use crate::universe::{Id, Universe};

/// Packages and providers, looked up once.
pub(crate) struct Stock<'u, 'i> {
    pub(crate) universe: &'u Universe<'i>,
    providers: RefCell<HashMap<Relation<'i>, Rc<[Literal]>>>,
    /// Packages that supplement or enhance others.
    pub(super) attached: Vec<Literal>,
}

impl<'u, 'i> Stock<'u, 'i> {
    pub(crate) fn new(universe: &'u Universe<'i>) -> Self {
        let attaches = |package: &Package<'_>| {
            package.relations(RelationKind::Supplements).next().is_some()
                || package.relations(RelationKind::Enhances).next().is_some()
        };
        Stock {
            universe,
            providers: RefCell::default(),
            attached: (0..universe.len() as u32)
                .filter(|number| {
                    universe
                        .package(Id(*number))
                        .is_some_and(|package| attaches(&package))
                })
                .map(|number| number as Literal + 1)
                .collect(),
        }
    }

    /// How many packages there are.
    pub(super) fn len(&self) -> Literal {
        self.universe.len() as Literal
    }

    /// The package of a positive literal.
    pub(super) fn id(&self, literal: Literal) -> Option<Id> {
        (literal > 0).then(|| Id(literal as u32 - 1))
    }

    pub(super) fn package(&self, literal: Literal) -> Option<Package<'i>> {
        self.universe.package(self.id(literal)?)
    }

    /// Whether a package may be installed.
    pub(super) fn is_installable(&self, literal: Literal) -> bool {
        self.id(literal).is_some_and(|id| !self.universe.is_excluded(id))
    }

    /// Who satisfies a relation that is not boolean, in the order of loading.
    pub(super) fn providers(&self, relation: &Relation<'i>) -> Rc<[Literal]> {
        // Whether scriptlets want it changes nothing.
        let key = Relation {
            pre: false,
            ..*relation
        };
        if let Some(known) = self.providers.borrow().get(&key) {
            return Rc::clone(known);
        }
        let found: Rc<[Literal]> = literals(self.universe.providing(&key));
        self.providers.borrow_mut().insert(key, Rc::clone(&found));
        found
    }

    /// The packages of a name.
    pub(super) fn named(&self, name: &str) -> impl Iterator<Item = Literal> + use<'_, 'u, 'i> {
        self.universe
            .called_name(name)
            .iter()
            .map(|id| id.0 as Literal + 1)
    }

    /// Who satisfies a formula that libsolv takes as a list of packages: one without `and`, `if` and `unless`.
    pub(super) fn packages(&self, rich: &Rich<'i>) -> Vec<Literal> {
        match rich {
            Rich::Simple(dependency) => {
                let relation = Relation {
                    name: dependency.name,
                    sense: dependency.sense.comparison(),
                    evr: Evr::parse(dependency.evr),
                    pre: false,
                };
                self.providers(&relation).to_vec()
            }
            Rich::Or(operands) => {
                let mut all: Vec<Literal> = operands
                    .iter()
                    .flat_map(|operand| self.packages(operand))
                    .collect();
                all.sort_unstable();
                all.dedup();
                all
            }
            Rich::With(operands) | Rich::And(operands) => {
                let mut sets = operands.iter().map(|operand| self.packages(operand));
                let mut all = sets.next().unwrap_or_default();
                for set in sets {
                    all.retain(|literal| set.binary_search(literal).is_ok());
                }
                all
            }
            Rich::Without(first, second) => {
                let without = self.packages(second);
                let mut all = self.packages(first);
                all.retain(|literal| without.binary_search(literal).is_err());
                all
            }
            Rich::If(..) | Rich::Unless(..) => Vec::new(),
        }
    }
}

fn literals(ids: Vec<Id>) -> Rc<[Literal]> {
    ids.into_iter().map(|id| id.0 as Literal + 1).collect()
}
