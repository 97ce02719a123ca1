use std::collections::HashSet;

use resolvo::{ConditionalRequirement, Problem as Resolvo, Solver, UnsolvableOrCancelled};

use crate::provider::{Provider, candidate, solvable};
use crate::{Candidate, Need, Packages, Unsatisfiable, conflict};

/// What is asked for.
#[derive(Clone, Debug, Default)]
pub struct Problem {
    /// What has to be met.
    pub needs: Vec<Need>,
    /// What must not be installed.
    pub excluded: Vec<Candidate>,
    /// What is installed as well where it fits, tried in this order. The first of a name counts.
    pub extras: Vec<Candidate>,
}

/// Chooses candidates that meet all needs.
///
/// The answer is sorted by number. It is the same for the same question, whatever the machine.
///
/// # Errors
///
/// [`Unsatisfiable`] with the facts that together leave no solution.
pub fn solve(packages: &dyn Packages, problem: &Problem) -> Result<Vec<Candidate>, Unsatisfiable> {
    let provider = Provider::new(packages);
    let requirements = problem
        .needs
        .iter()
        .map(|need| ConditionalRequirement {
            condition: None,
            requirement: provider.requirement(need),
        })
        .collect();
    let constraints = provider.constraints(problem.excluded.clone(), None);
    let mut names = HashSet::new();
    let extras = problem
        .extras
        .iter()
        .copied()
        .filter(|&extra| names.insert(packages.name(extra)));
    let mut solver = Solver::new(provider);
    let question = Resolvo::new()
        .requirements(requirements)
        .constraints(constraints)
        .soft_requirements(extras.map(solvable));
    match solver.solve(question) {
        Ok(chosen) => {
            let mut chosen: Vec<_> = chosen.into_iter().map(candidate).collect();
            chosen.sort_unstable();
            chosen.dedup();
            Ok(chosen)
        }
        Err(UnsolvableOrCancelled::Unsolvable(found)) => {
            let graph = found.graph(&solver);
            Err(conflict::facts(&graph, solver.provider()))
        }
        // Nothing asks it to stop; an empty explanation is the honest rest.
        Err(UnsolvableOrCancelled::Cancelled(_)) => Err(Unsatisfiable::default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Fact, Name};

    /// Candidates by number; of candidate `n` the name is `n / 10`.
    #[derive(Default)]
    struct World {
        needs: Vec<(u32, Vec<u32>)>,
        excludes: Vec<(u32, u32)>,
        all: Vec<u32>,
    }

    impl Packages for World {
        fn name(&self, candidate: Candidate) -> Name {
            Name(candidate.0 / 10)
        }

        fn candidates(&self, name: Name) -> Vec<Candidate> {
            let of_name = |number: &&u32| **number / 10 == name.0;
            self.all.iter().filter(of_name).copied().map(Candidate).collect()
        }

        fn needs(&self, candidate: Candidate) -> Vec<Need> {
            let own = |(by, _): &&(u32, Vec<u32>)| *by == candidate.0;
            self.needs
                .iter()
                .filter(own)
                .map(|(_, options)| need(options))
                .collect()
        }

        fn excludes(&self, candidate: Candidate) -> Vec<Candidate> {
            let own = |(by, _): &&(u32, u32)| *by == candidate.0;
            self.excludes
                .iter()
                .filter(own)
                .map(|(_, other)| Candidate(*other))
                .collect()
        }
    }

    fn need(options: &[u32]) -> Need {
        Need::any(options.iter().copied().map(Candidate))
    }

    fn world(needs: &[(u32, &[u32])], excludes: &[(u32, u32)]) -> World {
        World {
            needs: needs
                .iter()
                .map(|(by, options)| (*by, options.to_vec()))
                .collect(),
            excludes: excludes.to_vec(),
            // The higher version first.
            all: (0..10).flat_map(|name| [name * 10 + 1, name * 10]).collect(),
        }
    }

    fn ask(world: &World, wishes: &[u32], extras: &[u32]) -> Result<Vec<u32>, Unsatisfiable> {
        let problem = Problem {
            needs: wishes.iter().map(|wish| need(&[*wish])).collect(),
            extras: extras.iter().copied().map(Candidate).collect(),
            ..Problem::default()
        };
        solve(world, &problem).map(|chosen| chosen.into_iter().map(|candidate| candidate.0).collect())
    }

    #[test]
    fn first_options_are_taken_where_they_fit() {
        let plain = world(&[(0, &[10, 20]), (10, &[30])], &[]);
        assert_eq!(ask(&plain, &[0], &[]).unwrap(), [0, 10, 30]);
        assert_eq!(ask(&plain, &[0, 20], &[]).unwrap(), [0, 20]);
        let excluding = world(&[(0, &[10, 20])], &[(0, 10)]);
        assert_eq!(ask(&excluding, &[0], &[]).unwrap(), [0, 20]);
        let dead_end = world(&[(0, &[10, 20]), (10, &[])], &[]);
        assert_eq!(ask(&dead_end, &[0], &[]).unwrap(), [0, 20]);
        // Two versions of one name, the older one preferred; then a newer one needed elsewhere.
        let versions = world(&[(0, &[10, 11]), (20, &[11])], &[]);
        assert_eq!(ask(&versions, &[0], &[]).unwrap(), [0, 10]);
        assert_eq!(ask(&versions, &[0, 20], &[]).unwrap(), [0, 11, 20]);
    }

    #[test]
    fn extras_come_where_they_fit() {
        let world = world(&[(0, &[10]), (40, &[50])], &[(0, 20), (60, 60)]);
        assert_eq!(
            ask(&world, &[0], &[20, 30, 40, 60]).unwrap(),
            [0, 10, 30, 40, 50, 60]
        );
        assert_eq!(ask(&world, &[0], &[30, 31]).unwrap(), [0, 10, 30]);
    }

    #[test]
    fn a_conflict_says_what_is_wrong() {
        let missing = world(&[(0, &[10]), (10, &[])], &[]);
        let facts = ask(&missing, &[0], &[]).unwrap_err().facts;
        assert!(
            facts.contains(&Fact::Needs {
                by: Some(Candidate(0)),
                options: vec![Candidate(10)]
            }),
            "{facts:?}"
        );
        assert!(
            facts.contains(&Fact::Missing {
                by: Some(Candidate(10))
            }),
            "{facts:?}"
        );

        let rivals = world(&[(0, &[10])], &[(20, 10)]);
        let facts = ask(&rivals, &[0, 20], &[]).unwrap_err().facts;
        let expected = Fact::Excludes {
            by: Some(Candidate(20)),
            other: Candidate(10),
        };
        assert!(facts.contains(&expected), "{facts:?}");

        let same = world(&[], &[]);
        let facts = ask(&same, &[10, 11], &[]).unwrap_err().facts;
        assert!(
            facts.iter().any(|fact| matches!(fact, Fact::Same { .. })),
            "{facts:?}"
        );

        let excluded = Problem {
            needs: vec![need(&[0])],
            excluded: vec![Candidate(0)],
            ..Problem::default()
        };
        let facts = solve(&same, &excluded).unwrap_err().facts;
        assert!(
            facts.contains(&Fact::Excludes {
                by: None,
                other: Candidate(0)
            }),
            "{facts:?}"
        );
    }
}
