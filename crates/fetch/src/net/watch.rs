use std::pin::pin;
use std::time::{Duration, Instant};

use bareroot_model::{Cancel, Cancelled};
use tokio::time::timeout;

/// How soon a wait notices that the run is to stop.
const TICK: Duration = Duration::from_millis(50);

/// Why a wait ended without its result.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Stop {
    Cancelled(Cancelled),
    /// It lasted too long.
    Late,
}

/// Waits that end early when the run is to stop.
#[derive(Clone, Debug)]
pub(crate) struct Watch(pub(crate) Cancel);

impl Watch {
    pub(crate) async fn over<F: Future>(&self, limit: Duration, future: F) -> Result<F::Output, Stop> {
        let mut future = pin!(future);
        let began = Instant::now();
        loop {
            self.0.check().map_err(Stop::Cancelled)?;
            let left = limit.saturating_sub(began.elapsed());
            if let Ok(output) = timeout(left.min(TICK), &mut future).await {
                return Ok(output);
            }
            if began.elapsed() >= limit {
                return Err(Stop::Late);
            }
        }
    }

    /// Sleeps on this thread.
    pub(crate) fn pause(&self, length: Duration) -> Result<(), Cancelled> {
        let began = Instant::now();
        loop {
            self.0.check()?;
            let left = length.saturating_sub(began.elapsed());
            if left.is_zero() {
                return Ok(());
            }
            std::thread::sleep(left.min(TICK));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_ends_by_itself_by_its_limit_or_by_the_flag() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let watch = Watch(Cancel::default());
        let limit = Duration::from_millis(30);
        assert!(matches!(runtime.block_on(watch.over(limit, async { 3 })), Ok(3)));
        assert!(matches!(
            runtime.block_on(watch.over(limit, std::future::pending::<()>())),
            Err(Stop::Late)
        ));
        let flag = watch.0.clone();
        let thread = std::thread::spawn(move || flag.set());
        let long = Duration::from_secs(60);
        assert!(matches!(
            runtime.block_on(watch.over(long, std::future::pending::<()>())),
            Err(Stop::Cancelled(_))
        ));
        assert!(watch.pause(long).is_err());
        thread.join().unwrap();
    }
}
