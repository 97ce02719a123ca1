//! Packages placed by hand-made entries: what is made, what is settled, and what is refused.

// A test that is skipped says so.
#![allow(clippy::print_stderr)]

mod conflicts;
mod escapes;
mod kit;
mod links;
mod meta;
mod order;
mod random;
mod stage;
mod tar;
