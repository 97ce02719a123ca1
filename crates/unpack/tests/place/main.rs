//! Packages placed by hand-made entries: what is made, what is settled, and what is refused.

mod conflicts;
mod escapes;
mod kit;
mod links;
mod meta;
mod order;
mod stage;
mod tar;
