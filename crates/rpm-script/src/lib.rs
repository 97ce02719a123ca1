//! How rpm runs scriptlets: which ones, in which order, with which arguments and input.

mod plan;

pub use plan::{Failure, Installed, Moment, Plan, Program, Step, plan};
