use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// Fewer bytes than this say more of the distance than of the speed.
const ENOUGH: u64 = 32 << 10;

/// How fast the network has been: bytes over the time in which at least one transfer was going on.
#[derive(Debug, Default)]
pub(super) struct Meter(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    active: usize,
    since: Option<Instant>,
    busy: Duration,
    bytes: u64,
}

/// A transfer that is going on.
pub(super) struct Going<'m> {
    meter: &'m Meter,
    pub(super) bytes: u64,
}

impl Meter {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    pub(super) fn start(&self) -> Going<'_> {
        let mut state = self.state();
        if state.active == 0 {
            state.since = Some(Instant::now());
        }
        state.active += 1;
        Going {
            meter: self,
            bytes: 0,
        }
    }

    /// Bytes a second; `None` while too little has come.
    pub(super) fn rate(&self) -> Option<f64> {
        let state = self.state();
        let busy = state.busy.as_secs_f64();
        (state.bytes >= ENOUGH && busy > 0.0).then(|| state.bytes as f64 / busy)
    }
}

impl Drop for Going<'_> {
    fn drop(&mut self) {
        let mut state = self.meter.state();
        state.bytes = state.bytes.saturating_add(self.bytes);
        state.active = state.active.saturating_sub(1);
        if state.active == 0
            && let Some(since) = state.since.take()
        {
            state.busy += since.elapsed();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn little_says_nothing() {
        let meter = Meter::default();
        meter.start().bytes = 100;
        assert_eq!(meter.rate(), None);
        let mut outer = meter.start();
        meter.start().bytes = 1 << 20;
        outer.bytes = 1 << 20;
        drop(outer);
        assert!(meter.rate().unwrap() > 0.0);
    }
}
