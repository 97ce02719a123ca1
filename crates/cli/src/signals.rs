//! SIGINT, SIGTERM and SIGHUP ask the run to stop and clean up.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use bareroot_enter::inherited;
use bareroot_model::Cancel;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};

/// Makes of the signals that this process has from its parent what it can work with: none is blocked, and a file that grows
/// beyond RLIMIT_FSIZE (setrlimit(2)) is an error of its write and not the end of the process, which would clean up nothing.
pub fn settle() {
    inherited::unblock_signals();
    let _ = signal_hook::flag::register(SIGXFSZ, Arc::<AtomicBool>::default());
}

/// A flag that the signals set. SIGINT and SIGHUP that were ignored when this process was started stay so, as nohup(1) and
/// shells mean it.
pub fn cancel_on_signals() -> Cancel {
    let cancel = Cancel::default();
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        if signal != SIGTERM && inherited::is_ignored(signal) {
            continue;
        }
        // Where a signal cannot be caught its default action stays, which ends the process: nothing else to do.
        let _ = signal_hook::flag::register(signal, cancel.flag());
    }
    cancel
}
