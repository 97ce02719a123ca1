//! SIGINT, SIGTERM and SIGHUP ask the run to stop and clean up.

use bareroot_model::Cancel;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

/// A flag that the signals set.
pub fn cancel_on_signals() -> Cancel {
    let cancel = Cancel::default();
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        // Where a signal cannot be caught its default action stays, which ends the process: nothing else to do.
        let _ = signal_hook::flag::register(signal, cancel.flag());
    }
    cancel
}
