//! How rpm runs scriptlets: which ones, in which order, with which arguments and input; macros, query formats, the embedded
//! Lua.

pub mod format;
mod glob;
mod lua;
pub mod macros;
mod order;
mod plan;
mod scriptlet;
pub mod sysusers;
mod words;

pub use order::{OrderChoice, order};
pub use plan::{Failure, Installed, Moment, Placed, Plan, Program, Step, plan};
pub use scriptlet::{Action, BODY, BUILTINS, EXPAND, HEADER, INPUT, PROGRAM, QUERY_FORMAT, Task};
