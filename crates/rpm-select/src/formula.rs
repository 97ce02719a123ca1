//! Boolean dependencies as needs: each sub-formula that is no plain list of packages becomes a candidate of its own, that
//! no package stands behind.

use bareroot_rpm::rich::Rich;
use bareroot_rpm::{Dependency, Evr};
use bareroot_rpm_repo::Relation;
use bareroot_solve::{Candidate, Need};

use crate::universe::{Id, Universe};

/// A candidate that stands for a sub-formula.
#[derive(Clone, Debug, Default)]
pub(crate) struct Auxiliary {
    pub(crate) needs: Vec<Need>,
    pub(crate) excludes: Vec<Candidate>,
}

/// Makes auxiliaries, numbered from `first` on.
pub(crate) struct Builder<'u, 'i> {
    pub(crate) universe: &'u Universe<'i>,
    pub(crate) first: u32,
    pub(crate) made: Vec<Auxiliary>,
}

/// A simple dependency as a relation.
fn relation<'a>(dependency: &Dependency<'a>) -> Relation<'a> {
    Relation {
        name: dependency.name,
        sense: dependency.sense.comparison(),
        evr: Evr::parse(dependency.evr),
        pre: false,
    }
}

fn candidates(ids: Vec<Id>) -> Vec<Candidate> {
    ids.into_iter().map(|id| Candidate(id.0)).collect()
}

impl Builder<'_, '_> {
    /// What makes a formula true.
    pub(crate) fn needs(&mut self, rich: &Rich<'_>) -> Vec<Need> {
        match rich {
            Rich::And(operands) => operands.iter().flat_map(|operand| self.needs(operand)).collect(),
            // True where the condition is not: the condition's absence is the first choice.
            Rich::If(then, condition, otherwise) => {
                let mut options = vec![self.absent(condition)];
                options.extend(self.options(then));
                let mut needs = vec![Need { options }];
                if let Some(otherwise) = otherwise {
                    let mut options = self.options(condition);
                    options.extend(self.options(otherwise));
                    needs.push(Need { options });
                }
                needs
            }
            Rich::Unless(then, condition, otherwise) => {
                let both = |builder: &mut Self, wanted: &Rich<'_>, absent: bool| {
                    let mut needs = builder.needs(wanted);
                    needs.push(Need {
                        options: match absent {
                            true => vec![builder.absent(condition)],
                            false => builder.options(condition),
                        },
                    });
                    needs
                };
                match otherwise {
                    None => both(self, then, true),
                    Some(otherwise) => {
                        let one = both(self, then, true);
                        let other = both(self, otherwise, false);
                        let options =
                            vec![self.auxiliary(one, Vec::new()), self.auxiliary(other, Vec::new())];
                        vec![Need { options }]
                    }
                }
            }
            other => vec![Need {
                options: self.options(other),
            }],
        }
    }

    /// What makes a formula false.
    pub(crate) fn needs_not(&mut self, rich: &Rich<'_>) -> Vec<Need> {
        match rich {
            Rich::Or(operands) => operands
                .iter()
                .flat_map(|operand| self.needs_not(operand))
                .collect(),
            Rich::And(operands) => {
                let options = operands.iter().map(|operand| self.absent(operand)).collect();
                vec![Need { options }]
            }
            Rich::If(then, condition, otherwise) => {
                let mut needs = self.needs_not(then);
                let present = self.options(condition);
                match otherwise {
                    None => {
                        needs.push(Need { options: present });
                        needs
                    }
                    Some(otherwise) => {
                        needs.push(Need { options: present });
                        let one = self.auxiliary(needs, Vec::new());
                        let mut others = self.needs_not(otherwise);
                        others.push(Need {
                            options: vec![self.absent(condition)],
                        });
                        let options = vec![one, self.auxiliary(others, Vec::new())];
                        vec![Need { options }]
                    }
                }
            }
            Rich::Unless(then, condition, otherwise) => {
                let mut options = vec![self.absent(then)];
                options.extend(self.options(condition));
                let mut needs = vec![Need { options }];
                if let Some(otherwise) = otherwise {
                    let mut options = vec![self.absent(otherwise)];
                    options.push(self.absent(condition));
                    needs.push(Need { options });
                }
                needs
            }
            other => vec![Need {
                options: vec![self.absent(other)],
            }],
        }
    }

    /// Candidates of which each makes a formula true.
    fn options(&mut self, rich: &Rich<'_>) -> Vec<Candidate> {
        match rich {
            Rich::Simple(dependency) => candidates(self.universe.providers(&relation(dependency))),
            Rich::Or(operands) => operands
                .iter()
                .flat_map(|operand| self.options(operand))
                .collect(),
            Rich::With(operands) => candidates(self.with(operands)),
            Rich::Without(first, second) => {
                let mut ids = self.packages(first);
                let without = self.packages(second);
                ids.retain(|id| !without.contains(id));
                candidates(ids)
            }
            other => {
                let needs = self.needs(other);
                vec![self.auxiliary(needs, Vec::new())]
            }
        }
    }

    /// Packages that satisfy all operands by themselves.
    fn with(&mut self, operands: &[Rich<'_>]) -> Vec<Id> {
        let mut sets = operands.iter().map(|operand| self.packages(operand));
        let mut ids = sets.next().unwrap_or_default();
        for set in sets {
            ids.retain(|id| set.contains(id));
        }
        ids
    }

    /// Packages that satisfy a formula of `with`, `without` and `or` by themselves.
    fn packages(&self, rich: &Rich<'_>) -> Vec<Id> {
        match rich {
            Rich::Simple(dependency) => self.universe.providers(&relation(dependency)),
            Rich::Or(operands) => operands
                .iter()
                .flat_map(|operand| self.packages(operand))
                .collect(),
            Rich::With(operands) | Rich::And(operands) => {
                let mut sets = operands.iter().map(|operand| self.packages(operand));
                let mut ids = sets.next().unwrap_or_default();
                for set in sets {
                    ids.retain(|id| set.contains(id));
                }
                ids
            }
            Rich::Without(first, second) => {
                let mut ids = self.packages(first);
                let without = self.packages(second);
                ids.retain(|id| !without.contains(id));
                ids
            }
            Rich::If(..) | Rich::Unless(..) => Vec::new(),
        }
    }

    /// A candidate that can only be there when a formula is false.
    fn absent(&mut self, rich: &Rich<'_>) -> Candidate {
        match rich {
            Rich::Simple(_) | Rich::With(_) | Rich::Without(..) => {
                let excludes = candidates(self.packages(rich));
                self.auxiliary(Vec::new(), excludes)
            }
            other => {
                let needs = self.needs_not(other);
                self.auxiliary(needs, Vec::new())
            }
        }
    }

    fn auxiliary(&mut self, needs: Vec<Need>, excludes: Vec<Candidate>) -> Candidate {
        self.made.push(Auxiliary { needs, excludes });
        Candidate(self.first + self.made.len() as u32 - 1)
    }
}
