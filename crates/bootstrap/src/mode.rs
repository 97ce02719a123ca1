//! What a mode means for a root.

use std::sync::Arc;

use bareroot_enter::mode::Mode;
use bareroot_ledger::{FILE, Ledger, Scope};

use crate::context::Context;

/// The ledger of a new root: for what its file system cannot hold without root's rights.
pub fn ledger(mode: Mode) -> Option<Arc<Ledger>> {
    let scope = match mode {
        Mode::Root => return None,
        Mode::Unshare => Scope::Devices,
        Mode::Single => Scope::All,
    };
    Some(Arc::new(Ledger::new(scope)))
}

/// Says what a directory made in this mode is not.
pub fn say_what_is_missing(mode: Mode, context: &Context) {
    match mode {
        Mode::Root => {}
        Mode::Unshare => context.note(format!(
            "the root's files belong to your subordinate ids, and its devices, where it has any, are empty files that {FILE} \
             lists: `bareroot enter`, `export` and `remove` know them"
        )),
        Mode::Single => context.warn(format!(
            "every file of the root belongs to you: what owners and devices should be stands in {FILE}, which `bareroot enter` \
             and `export` go by; chroot(1), containers and programs that change their user do not"
        )),
    }
}
