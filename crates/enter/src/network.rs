//! A network of the session's own.

use nix::sched::CloneFlags;

use crate::message::Failure;
use crate::sys;

/// Enters a new network namespace (network_namespaces(7)) and brings its loopback interface up.
pub(crate) fn own() -> Result<(), Failure> {
    nix::sched::unshare(CloneFlags::CLONE_NEWNET)
        .map_err(|error| Failure::Namespaces { errno: error as i32 })?;
    sys::loopback_up().map_err(|error| Failure::step("bring the loopback interface up", error))
}
