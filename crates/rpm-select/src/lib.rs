//! Which packages of RPM repositories make a root, as dnf and libsolv choose them.
//!
//! [`Universe`] is what there is, [`Wishes`] what is asked for, [`select`] what comes of it. Weak dependencies and
//! conditional members of groups are tried after everything else, one round after the other, until nothing changes.

mod error;
mod explain;
mod glob;
mod groups;
mod modules;
mod pool;
mod select;
mod universe;
mod walk;
mod wish;

pub use error::Error;
pub use groups::{GroupPackage, Groups, InstalledEnvironment, InstalledGroup};
pub use modules::EnabledModule;
pub use select::{Pick, Selection, Settings, Why, select};
pub use universe::{Id, Repository, Universe};
pub use wish::Wishes;

#[cfg(test)]
mod real;
