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
    /// What is installed as well where it fits, tried in this order.
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
    let mut solver = Solver::new(provider);
    let question = Resolvo::new()
        .requirements(requirements)
        .constraints(constraints)
        .soft_requirements(problem.extras.iter().copied().map(solvable));
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
