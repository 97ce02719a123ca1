//! What a process has of its signals from whoever started it.

use nix::sys::signal::SigSet;

use crate::sys;

/// Lets every signal through to this thread, and to those that it starts. A parent may have left some blocked, and nothing
/// could stop this process but SIGKILL.
pub fn unblock_signals() {
    // It cannot fail with a set that is one.
    let _ = SigSet::empty().thread_set_mask();
}

/// Whether a signal is ignored: nohup(1) does that to SIGHUP, shells to SIGINT of what they start in the background. Who
/// installs a handler all the same takes it back.
pub fn is_ignored(signal: i32) -> bool {
    sys::is_ignored(signal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_ignored_is_known() {
        // Rust's own start ignores this one.
        assert!(is_ignored(libc::SIGPIPE));
        assert!(!is_ignored(libc::SIGUSR2));
        assert!(!is_ignored(-1));
    }

    #[test]
    fn nothing_stays_blocked() {
        let one = std::thread::spawn(|| {
            SigSet::all().thread_block().unwrap();
            unblock_signals();
            SigSet::thread_get_mask().unwrap()
        });
        assert_eq!(one.join().unwrap(), SigSet::empty());
    }
}
