//! The order of a transaction, by the same steps as rpm 4.18 (rpm's lib/order.c, lib/rpmal.c), so that packages get the
//! same numbers in the database and scriptlets the same surroundings.
//!
//! Relations become edges between the packages of the transaction ([`relations`]); which package a relation means is
//! looked up in [`available`], with the ELF classes that [`colors`] finds. [`sort`] takes packages whose predecessors are
//! all there, those first that most others wait for, and cuts cycles where scriptlets suffer least.

mod available;
mod colors;
mod relations;
mod sort;

use bareroot_rpm::Header;

/// What decides the order beside the packages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OrderChoice {
    /// The transaction's colour: the ELF classes that it takes, 0 for all (`_transaction_color`).
    pub color: u32,
    /// The ELF class that is preferred (`_prefer_color`).
    pub preferred: u32,
    /// Whether documentation stays out: it meets no requirement then.
    pub no_docs: bool,
}

/// The places of the packages in the order of their installation. The packages come as they were added to the
/// transaction, which decides where nothing else does.
pub fn order(headers: &[&Header], choice: &OrderChoice) -> Vec<usize> {
    let graph = relations::graph(headers, choice);
    sort::sort(&graph, choice.preferred)
}
