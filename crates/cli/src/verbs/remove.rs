//! `bareroot remove`: a root is removed.

use crate::args::Remove;
use crate::exit::Failure;

/// Removes it.
pub fn run(verb: &Remove) -> Result<(), Failure> {
    Ok(bareroot_bootstrap::remove(&verb.root)?)
}
