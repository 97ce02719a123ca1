//! How rpm runs scriptlets: which ones, in which order, with which arguments and input.

mod order;
mod plan;

pub use order::{OrderChoice, order};
pub use plan::{Failure, Installed, Moment, Placed, Plan, Program, Step, plan};
