//! A program and all that it needs to run, found without running it, and placed in a root.
//!
//! [`Plan::make`] reads a source root: the program, its interpreter and libraries as the dynamic loader would find them
//! (ld.so(8)), and what is loaded later by name, each by a named [`Rule`]. [`Plan::place`] writes that into a root.
//!
//! Nothing of the source is executed, every path is looked up inside it, and no byte of it is believed: [`elf`] and
//! [`cache`] read hostile files.

pub mod cache;
mod collect;
pub mod elf;
mod error;
mod item;
mod link;
mod path;
mod place;
mod plan;
mod rule;
mod rules;
mod source;

pub use error::Error;
pub use item::{Item, What};
pub use place::Placed;
pub use plan::{Plan, Request};
pub use rule::Rule;
