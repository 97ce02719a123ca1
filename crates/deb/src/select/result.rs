use bareroot_model::Reason;

use crate::packages::Stanza;

/// A package of the selection.
#[derive(Clone, Debug)]
pub struct Chosen<'a> {
    /// Its stanza. Its index says which source it comes from.
    pub stanza: Stanza<'a>,
    /// The number of the stage that installs it.
    pub stage: usize,
    /// Whether it is in only because others need it: apt's `Auto-Installed`.
    pub automatic: bool,
    /// Why it is in: the first thing that asked for it.
    pub reason: Reason,
}

/// What is to be installed.
#[derive(Clone, Debug, Default)]
pub struct Selection<'a> {
    /// The packages, stage by stage, each after what it depends on; cycles in the order of names.
    pub packages: Vec<Chosen<'a>>,
    /// The stages in which the solver had to choose otherwise than apt's walk, which then had left something broken.
    pub repaired: Vec<usize>,
}
