//! What an RPM package is: EVR, dependencies, headers, package files and their payloads, scriptlets, transaction order.

mod dependency;
mod evr;
pub mod rich;

pub use dependency::{Dependency, Sense, overlap, ranges_overlap};
pub use evr::{Evr, rpmvercmp};
