//! Which packages a root gets: the same that apt would install.
//!
//! A [`Universe`] is the package indexes with what decides between them. A selection is made in [`Stage`]s, as
//! mmdebstrap bootstraps: first what is essential, then the rest, for which the first stage counts as installed.
//! [`select`] answers with the packages in an order in which each comes after what it depends on, each with the
//! reason why it is in, or with an [`Error`] that tells the chain that leads to what cannot be had.
//!
//! How it is done: `walk` takes the steps that apt's own marking takes, and so finds which alternative and which
//! provider apt would choose everywhere. [`bareroot_solve`] gets all relations and these choices as preferences; it
//! confirms them where they fit together and finds others where they do not. What it does not do: upgrade or remove
//! what an earlier stage installed.
//!
//! ```
//! use bareroot_deb::packages::{Index, IndexInfo, Limits};
//! use bareroot_deb::select::{Settings, Source, Stage, Universe, Want, select};
//!
//! let text = "Package: hello\nVersion: 2\nArchitecture: amd64\nDepends: libc\n\n\
//!             Package: libc6\nVersion: 1\nArchitecture: amd64\nProvides: libc\n";
//! let indexes = [Index::read(text.as_bytes(), IndexInfo::new(0, "an example"), Limits::default())?];
//! let sources = [Source::new("trixie")];
//! let universe = Universe::new(&indexes, &sources);
//! let stage = Stage::new([Want::Package("hello".parse()?)]);
//! let chosen = select(&universe, &Settings::new("amd64"), &[stage])?.packages;
//! let names: Vec<_> = chosen.iter().map(|package| package.stanza.name()).collect();
//! assert_eq!(names, ["libc6", "hello"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod arena;
mod choose;
mod error;
mod explain;
mod named;
mod pool;
mod prefer;
mod problems;
mod relations;
mod release;
mod result;
mod scores;
mod state;
mod sweep;
mod targets;
#[cfg(test)]
mod tests;
mod universe;
mod walk;
mod wish;

pub use choose::select;
pub use error::{Cause, Error, Link, Unsatisfiable};
pub use result::{Chosen, Selection};
pub use universe::{Source, Universe};
pub use wish::{Choice, Wish};

use crate::packages::Priority;

/// What holds for the whole selection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The architecture of the root.
    pub native: String,
    /// Further architectures, the preferred one first.
    pub foreign: Vec<String>,
    /// Whether what packages recommend is installed as well.
    pub recommends: bool,
    /// Packages that do not exist for this selection.
    pub excluded: Vec<String>,
}

impl Settings {
    /// A root of this architecture alone, without recommends.
    pub fn new(native: impl Into<String>) -> Self {
        Settings {
            native: native.into(),
            foreign: Vec::new(),
            recommends: false,
            excluded: Vec::new(),
        }
    }
}

/// One thing that a stage asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Want {
    /// Every `Essential: yes` package of the native architecture that one of these suites or codenames has; of any
    /// when the list is empty.
    Essential {
        /// The suites or codenames.
        suites: Vec<String>,
    },
    /// Every package of these priorities that is not essential, with suites as for [`Want::Essential`].
    Priority {
        /// The priorities.
        priorities: Vec<Priority>,
        /// The suites or codenames.
        suites: Vec<String>,
    },
    /// What the user named.
    Package(Wish),
    /// A package that a variant names (`apt`, `build-essential`).
    Rule(Wish),
    /// The packages of all local indexes ([`Source::local`]).
    Local,
}

/// What is installed in one go. What earlier stages installed stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stage {
    /// What is asked for, in the order of apt's command line.
    pub wants: Vec<Want>,
}

impl Stage {
    /// A stage that asks for these.
    pub fn new(wants: impl IntoIterator<Item = Want>) -> Self {
        Stage {
            wants: wants.into_iter().collect(),
        }
    }
}
