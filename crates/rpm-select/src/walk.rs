//! The steps that libsolv takes: unit propagation, decisions in the order of its rules, learning from conflicts, and the
//! choice among several candidates by its policy. What comes of it is what dnf would install.
//!
//! A literal is a package's number plus one, negative for its absence. Clauses are sorted as libsolv sorts them, so that
//! the first undecided one is the same.

pub(crate) mod blocks;
mod clauses;
mod decide;
mod learn;
mod minimize;
mod policy;
mod sort;
mod stock;
mod weak;

use std::collections::BTreeSet;

use crate::universe::Id;
pub(crate) use blocks::Form;
use clauses::Clause;
pub(crate) use clauses::inferior;
pub(crate) use stock::Stock;

/// A package, or its absence when negative; never 0.
type Literal = i32;

/// Steps are bounded, as a hostile repository may be made to be slow.
const MOST_STEPS: usize = 2_000_000;

/// What is asked of the walk: of each list one package.
#[derive(Clone, Debug, Default)]
pub(crate) struct Jobs {
    /// Packages of which one is installed.
    pub(crate) install: Vec<Vec<Id>>,
    /// A package's name that is installed if there is another of the second name.
    pub(crate) conditional: Vec<(String, String)>,
}

/// How the walk chooses.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Policy {
    /// Whether weak dependencies are followed.
    pub(crate) weak: bool,
}

/// What the walk found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Found {
    /// The packages.
    pub(crate) chosen: BTreeSet<Id>,
    /// Those that came by a weak dependency.
    pub(crate) weak: BTreeSet<Id>,
}

/// Several candidates were possible here: another may be tried later.
#[derive(Clone, Debug)]
struct Branch {
    /// The candidates, and whether each was tried.
    candidates: Vec<(Literal, bool)>,
    level: i32,
}

/// The state of the walk.
pub(crate) struct Walk<'w, 'u, 'i> {
    stock: &'w Stock<'u, 'i>,
    policy: Policy,
    clauses: Vec<Clause>,
    /// Where job clauses begin and end.
    jobs: (usize, usize),
    /// Where learnt clauses begin.
    learnt: usize,
    /// Clauses of one literal, in order.
    assertions: Vec<usize>,
    /// First clause that watches a literal, by the literal plus `half`.
    watches: Vec<usize>,
    half: i32,
    /// The level at which each package was decided; negative for its absence.
    levels: Vec<i32>,
    queue: Vec<Decision>,
    propagated: usize,
    branches: Vec<Branch>,
    wanted: weak::Wanted,
    steps: usize,
}

/// A decision, and the clause that made it: 0 is a free one.
#[derive(Clone, Copy, Debug)]
struct Decision {
    literal: Literal,
    because: usize,
    /// Of a free decision: the clause that it is to satisfy.
    for_clause: usize,
    weak: bool,
}

/// There is no solution, or the bound on steps was reached.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stuck;

impl<'w, 'u, 'i> Walk<'w, 'u, 'i> {
    /// Walks.
    pub(crate) fn run(stock: &'w Stock<'u, 'i>, jobs: &Jobs, policy: Policy) -> Result<Found, Stuck> {
        let made = clauses::make(stock, jobs);
        let half = stock.len() + 1;
        let mut walk = Walk {
            stock,
            policy,
            learnt: made.clauses.len(),
            assertions: Vec::new(),
            watches: vec![0; 2 * half as usize + 1],
            half,
            levels: vec![0; half as usize + 1],
            queue: Vec::new(),
            propagated: 0,
            branches: Vec::new(),
            wanted: weak::Wanted::default(),
            steps: 0,
            jobs: made.jobs,
            clauses: made.clauses,
        };
        walk.watch_all();
        walk.main()?;
        let mut found = Found::default();
        for decision in &walk.queue {
            if let Some(id) = walk.stock.id(decision.literal) {
                found.chosen.insert(id);
                if decision.weak {
                    found.weak.insert(id);
                }
            }
        }
        Ok(found)
    }

    /// libsolv's main loop, for a system without installed packages.
    fn main(&mut self) -> Result<(), Stuck> {
        let mut level = 0;
        let mut system_level = 1;
        loop {
            if level <= 0 {
                level = self.assert_all()?;
                if self.propagate(level).is_some() {
                    return Err(Stuck);
                }
                system_level = level + 1;
            }
            if level < system_level {
                let before = level;
                level = self.resolve_jobs(level)?;
                if level < before {
                    continue;
                }
                system_level = level + 1;
            }
            if level < system_level {
                system_level = level;
            }
            let before = level;
            level = self.resolve_dependencies(level)?;
            if level < before {
                continue;
            }
            if self.policy.weak {
                let (now, again) = self.resolve_weak(level)?;
                level = now;
                if again {
                    continue;
                }
            }
            match self.minimize()? {
                Some(now) => level = now,
                None => return Ok(()),
            }
        }
    }

    fn step(&mut self) -> Result<(), Stuck> {
        self.steps += 1;
        match self.steps > MOST_STEPS {
            true => Err(Stuck),
            false => Ok(()),
        }
    }

    /// The signed level of a package.
    fn level(&self, literal: Literal) -> i32 {
        let place = literal.unsigned_abs() as usize;
        self.levels.get(place).copied().unwrap_or_default()
    }

    fn is_true(&self, literal: Literal) -> bool {
        let level = self.level(literal);
        if literal > 0 { level > 0 } else { level < 0 }
    }

    fn is_false(&self, literal: Literal) -> bool {
        let level = self.level(literal);
        if literal > 0 { level < 0 } else { level > 0 }
    }

    fn is_open(&self, literal: Literal) -> bool {
        self.level(literal) == 0
    }
}
