use std::collections::{HashMap, HashSet, VecDeque};

use resolvo::SolvableId;
use resolvo::conflict::{ConflictCause, ConflictEdge, ConflictGraph, ConflictNode};

use crate::Candidate;
use crate::provider::{Provider, candidate};

/// One step of an explanation. `by` is `None` for what was asked for at the start.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Fact {
    /// `by` needs one of `options`, each of which fails for a reason given by other facts.
    Needs {
        /// Who needs it.
        by: Option<Candidate>,
        /// What would do.
        options: Vec<Candidate>,
    },
    /// `by` needs something that no candidate is.
    Missing {
        /// Who needs it.
        by: Option<Candidate>,
    },
    /// `by` cannot be installed beside `other`.
    Excludes {
        /// Who says so.
        by: Option<Candidate>,
        /// What it excludes.
        other: Candidate,
    },
    /// Two candidates have the same name.
    Same {
        /// The one.
        one: Candidate,
        /// The other.
        other: Candidate,
    },
}

/// There is no solution: the facts that together rule every one out, nearest to the wishes first.
#[derive(Clone, Debug, Default, PartialEq, Eq, thiserror::Error)]
#[error("the wishes cannot be met together ({} facts)", facts.len())]
pub struct Unsatisfiable {
    /// The facts.
    pub facts: Vec<Fact>,
}

/// Walks the conflict graph from the wishes on, so that a chain reads in its own order.
pub(crate) fn facts(graph: &ConflictGraph<SolvableId>, provider: &Provider<'_>) -> Unsatisfiable {
    let edges = graph.graph.raw_edges();
    let weight = |node| graph.graph.node_weight(node).copied();
    let who = |node| match weight(node) {
        Some(ConflictNode::Solvable(id)) => Some(candidate(id)),
        _ => None,
    };
    let mut outgoing: HashMap<_, Vec<usize>> = HashMap::new();
    for (number, edge) in edges.iter().enumerate() {
        outgoing.entry(edge.source()).or_default().push(number);
    }
    for numbers in outgoing.values_mut() {
        // The graph's own order depends on the solver's path; this one does not.
        numbers.sort_by_key(|&number| edges.get(number).map(|edge| (who(edge.target()), edge.target())));
    }

    let mut facts = Vec::new();
    let mut told = HashSet::new();
    let mut seen = HashSet::from([graph.root_node]);
    let mut queue = VecDeque::from([graph.root_node]);
    while let Some(node) = queue.pop_front() {
        let by = who(node);
        for edge in outgoing
            .get(&node)
            .into_iter()
            .flatten()
            .filter_map(|&number| edges.get(number))
        {
            let other = who(edge.target());
            let fact = match (edge.weight, other) {
                (ConflictEdge::Requires(_), None) => Fact::Missing { by },
                (ConflictEdge::Requires(requirement), _) => Fact::Needs {
                    by,
                    options: provider.options(requirement),
                },
                (ConflictEdge::Conflict(ConflictCause::ForbidMultipleInstances), Some(other)) => match by {
                    Some(one) => Fact::Same { one, other },
                    None => continue,
                },
                (ConflictEdge::Conflict(_), Some(other)) => Fact::Excludes { by, other },
                (ConflictEdge::Conflict(_), None) => continue,
            };
            if told.insert(fact.clone()) {
                facts.push(fact);
            }
            if seen.insert(edge.target()) {
                queue.push_back(edge.target());
            }
        }
    }
    Unsatisfiable { facts }
}
