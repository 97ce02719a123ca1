//! Programs with what they need, put into a root.

use std::path::Path;

use bareroot_carry::{Placed, Plan};
use bareroot_enter::mode::Mode;

use crate::context::Context;
use crate::error::Error;
use crate::mode;

/// Puts what a plan holds into the root at `target`, by the rights that `mode` has.
///
/// # Errors
/// When something that is there differs (nothing was written then), or the file system refuses.
pub fn carry(
    plan: &Plan,
    target: &Path,
    force: bool,
    mode: Mode,
    context: &Context,
) -> Result<Placed, Error> {
    let placed = plan.place(target, force, mode::ledger(mode), context.cancel())?;
    for warning in &placed.warnings {
        context.warn(warning.clone());
    }
    Ok(placed)
}
