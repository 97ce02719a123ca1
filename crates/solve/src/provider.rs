//! [`Packages`] as resolvo wants to see them.
//!
//! resolvo's contract is narrow: the candidates of a version set share one name, and a requirement over several names
//! is a union of such sets. So each [`Need`] becomes a union with one set for each run of options of one name, and
//! what a candidate excludes becomes, for each name, the set of those that remain.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt::Display;

use resolvo::{
    Candidates, Condition, ConditionId, ConditionalRequirement, DenseIndex, Dependencies, DependencyProvider,
    HintDependenciesAvailable, Interner, KnownDependencies, NameId, Requirement, SolvableId, SolverCache,
    StringId, VersionSetId, VersionSetUnionId,
};

use crate::{Candidate, Name, Need, Packages};

/// A set of candidates of one name.
struct Set {
    /// `None` is the name that nothing has.
    name: Option<Name>,
    members: Vec<Candidate>,
    /// Whether the set is everything but the members.
    complement: bool,
}

#[derive(Default)]
struct Sets {
    sets: Vec<Set>,
    unions: Vec<Vec<VersionSetId>>,
    /// One requirement for equal needs: the solver then shares what it learns about them.
    known: HashMap<Vec<Candidate>, Requirement>,
}

/// The adapter. It lives as long as one call of [`crate::solve`].
pub(crate) struct Provider<'a> {
    packages: &'a dyn Packages,
    sets: RefCell<Sets>,
}

pub(crate) fn solvable(candidate: Candidate) -> SolvableId {
    SolvableId::from_index(candidate.0 as usize)
}

pub(crate) fn candidate(solvable: SolvableId) -> Candidate {
    Candidate(solvable.to_index() as u32)
}

/// resolvo keeps tables by name, so that names have to be small numbers: 0 is the name that nothing has.
fn name_id(name: Option<Name>) -> NameId {
    NameId::from_index(name.map_or(0, |name| name.0 as usize + 1))
}

fn name_of(name: NameId) -> Option<Name> {
    name.to_index().checked_sub(1).map(|index| Name(index as u32))
}

impl<'a> Provider<'a> {
    pub(crate) fn new(packages: &'a dyn Packages) -> Self {
        Provider {
            packages,
            sets: RefCell::default(),
        }
    }

    /// A need as a requirement. A need without options becomes an empty set of a name that nothing has.
    pub(crate) fn requirement(&self, need: &Need) -> Requirement {
        let mut sets = self.sets.borrow_mut();
        if let Some(&known) = sets.known.get(&need.options) {
            return known;
        }
        let mut runs: Vec<Set> = Vec::new();
        let mut last = None;
        for &option in &need.options {
            let name = self.packages.name(option);
            let place = self
                .packages
                .candidates(name)
                .iter()
                .position(|&other| other == option);
            // resolvo goes through a set in the order of the name's candidates; another order takes another set.
            match runs.last_mut() {
                Some(run) if run.name == Some(name) && last < place => run.members.push(option),
                _ => runs.push(Set {
                    name: Some(name),
                    members: vec![option],
                    complement: false,
                }),
            }
            last = place;
        }
        if runs.is_empty() {
            runs.push(Set {
                name: None,
                members: Vec::new(),
                complement: false,
            });
        }
        let ids: Vec<VersionSetId> = runs.into_iter().map(|set| sets.add(set)).collect();
        let requirement = match ids.as_slice() {
            [single] => Requirement::Single(*single),
            _ => {
                sets.unions.push(ids);
                Requirement::Union(VersionSetUnionId::from_index(sets.unions.len() - 1))
            }
        };
        sets.known.insert(need.options.clone(), requirement);
        requirement
    }

    /// The constraints that keep these candidates out. `but` is who says so: nothing excludes itself.
    pub(crate) fn constraints(&self, excluded: Vec<Candidate>, but: Option<Candidate>) -> Vec<VersionSetId> {
        let mut by_name: Vec<(Name, Vec<Candidate>)> = Vec::new();
        let mut place: HashMap<Name, usize> = HashMap::new();
        for other in excluded {
            let name = self.packages.name(other);
            // Of one name there is only one anyway.
            if Some(other) == but || but.is_some_and(|but| self.packages.name(but) == name) {
                continue;
            }
            let at = *place.entry(name).or_insert(by_name.len());
            match by_name.get_mut(at) {
                Some((_, members)) => members.push(other),
                None => by_name.push((name, vec![other])),
            }
        }
        let mut sets = self.sets.borrow_mut();
        by_name
            .into_iter()
            .map(|(name, members)| {
                sets.add(Set {
                    name: Some(name),
                    members,
                    complement: true,
                })
            })
            .collect()
    }

    /// The options that a requirement stands for.
    pub(crate) fn options(&self, requirement: Requirement) -> Vec<Candidate> {
        let sets = self.sets.borrow();
        let ids = match requirement {
            Requirement::Single(id) => vec![id],
            Requirement::Union(id) => sets.unions.get(id.to_index()).cloned().unwrap_or_default(),
        };
        ids.iter()
            .filter_map(|id| sets.sets.get(id.to_index()))
            .flat_map(|set| set.members.clone())
            .collect()
    }
}

impl Sets {
    fn add(&mut self, set: Set) -> VersionSetId {
        self.sets.push(set);
        VersionSetId::from_index(self.sets.len() - 1)
    }
}

// The explanation is ours, built from the graph: what resolvo would print is never shown.
impl Interner for Provider<'_> {
    type NameId = NameId;
    type SolvableId = SolvableId;

    fn display_solvable(&self, solvable: SolvableId) -> impl Display + '_ {
        solvable.to_index()
    }

    fn display_name(&self, name: NameId) -> impl Display + '_ {
        name.to_index()
    }

    fn display_version_set(&self, version_set: VersionSetId) -> impl Display + '_ {
        version_set.to_index()
    }

    fn display_string(&self, string: StringId) -> impl Display + '_ {
        string.to_index()
    }

    fn version_set_name(&self, version_set: VersionSetId) -> NameId {
        let sets = self.sets.borrow();
        name_id(sets.sets.get(version_set.to_index()).and_then(|set| set.name))
    }

    fn solvable_name(&self, solvable: SolvableId) -> NameId {
        name_id(Some(self.packages.name(candidate(solvable))))
    }

    fn version_sets_in_union(&self, union: VersionSetUnionId) -> impl Iterator<Item = VersionSetId> {
        let sets = self.sets.borrow();
        sets.unions
            .get(union.to_index())
            .cloned()
            .unwrap_or_default()
            .into_iter()
    }

    fn resolve_condition(&self, _: ConditionId) -> Condition {
        unreachable!("no requirement has a condition")
    }
}

impl DependencyProvider for Provider<'_> {
    async fn filter_candidates(
        &self,
        candidates: &[SolvableId],
        version_set: VersionSetId,
        inverse: bool,
    ) -> Vec<SolvableId> {
        let sets = self.sets.borrow();
        let Some(set) = sets.sets.get(version_set.to_index()) else {
            return Vec::new();
        };
        let inside = |id: SolvableId| set.members.contains(&candidate(id)) != set.complement;
        candidates
            .iter()
            .copied()
            .filter(|&id| inside(id) != inverse)
            .collect()
    }

    async fn get_candidates(&self, name: NameId) -> Option<Candidates> {
        let candidates = self.packages.candidates(name_of(name)?);
        let candidates: Vec<_> = candidates.into_iter().map(solvable).collect();
        Some(Candidates {
            candidates,
            hint_dependencies_available: HintDependenciesAvailable::None,
            ..Candidates::default()
        })
    }

    async fn sort_candidates(&self, _: &SolverCache<Self>, solvables: &mut [SolvableId]) {
        let Some(&first) = solvables.first() else { return };
        let preferred = self.packages.candidates(self.packages.name(candidate(first)));
        solvables.sort_by_key(|&id| preferred.iter().position(|&other| other == candidate(id)));
    }

    async fn get_dependencies(&self, solvable: SolvableId) -> Dependencies {
        let this = candidate(solvable);
        Dependencies::Known(KnownDependencies {
            requirements: self
                .packages
                .needs(this)
                .iter()
                .map(|need| ConditionalRequirement {
                    condition: None,
                    requirement: self.requirement(need),
                })
                .collect(),
            constrains: self.constraints(self.packages.excludes(this), Some(this)),
        })
    }
}
