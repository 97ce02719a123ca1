//! Packages and wishes in, an ordered solution or an explanation out.
//!
//! This room knows no family and does no I/O. A family describes its packages through [`Packages`]: candidates are
//! numbers, a relation is the list of candidates that satisfy it, in the order of preference. resolvo decides which of
//! them are installed together; nothing of resolvo shows in this interface.
//!
//! What it guarantees: every [`Need`] of every chosen candidate is met, no two chosen candidates exclude each other,
//! and of each name there is at most one. Where the first options of all needs fit together, they are what is chosen.
//! What it does not do: it does not look for the smallest or the newest solution; preference is the order of options.
//!
//! ```
//! use bareroot_solve::{Candidate, Name, Need, Packages, Problem, solve};
//!
//! struct Two;
//! impl Packages for Two {
//!     fn name(&self, candidate: Candidate) -> Name {
//!         Name(candidate.0)
//!     }
//!     fn candidates(&self, name: Name) -> Vec<Candidate> {
//!         vec![Candidate(name.0)]
//!     }
//!     fn needs(&self, candidate: Candidate) -> Vec<Need> {
//!         if candidate == Candidate(0) { vec![Need::any([Candidate(1)])] } else { Vec::new() }
//!     }
//!     fn excludes(&self, _: Candidate) -> Vec<Candidate> {
//!         Vec::new()
//!     }
//! }
//! let problem = Problem { needs: vec![Need::any([Candidate(0)])], ..Problem::default() };
//! assert_eq!(solve(&Two, &problem).unwrap(), [Candidate(0), Candidate(1)]);
//! ```

mod conflict;
mod order;
mod provider;
mod solver;

pub use conflict::{Fact, Unsatisfiable};
pub use order::order;
pub use solver::{Problem, solve};

/// One thing that can be installed: a version of a package for an architecture. Tables are kept by these numbers, so
/// they should be small.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Candidate(pub u32);

/// What of which at most one candidate can be installed. As small as the numbers of candidates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name(pub u32);

/// One of these has to be installed; the first is preferred. No options means that it cannot be met.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Need {
    /// The candidates, the preferred one first.
    pub options: Vec<Candidate>,
}

impl Need {
    /// A need for any of these, the first one preferred.
    pub fn any(options: impl IntoIterator<Item = Candidate>) -> Self {
        Need {
            options: options.into_iter().collect(),
        }
    }
}

/// The packages of a family, described when they are reached and not before.
///
/// The answers must not change while [`solve`] runs.
pub trait Packages {
    /// The name of a candidate.
    fn name(&self, candidate: Candidate) -> Name;

    /// All candidates of a name, the preferred one first.
    fn candidates(&self, name: Name) -> Vec<Candidate>;

    /// What this candidate needs.
    fn needs(&self, candidate: Candidate) -> Vec<Need>;

    /// Which other candidates cannot be installed beside this one, because this one says so.
    fn excludes(&self, candidate: Candidate) -> Vec<Candidate>;
}
