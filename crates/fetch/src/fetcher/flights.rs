use std::collections::HashMap;
use std::fs::File;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

use bareroot_model::{Cancel, Cancelled, Digest};

/// How soon a waiting thread notices that the run is to stop.
const TICK: Duration = Duration::from_millis(50);

/// Which files are on their way in this process: each digest is fetched by one thread, and the others wait for it.
#[derive(Debug, Default)]
pub(super) struct Flights(Mutex<HashMap<Digest, Arc<Flight>>>);

#[derive(Debug, Default)]
struct Flight {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Flying,
    Landed(File),
    Lost,
}

/// Whose turn it is.
pub(super) enum Turn<'f> {
    /// Ours: others wait until this is dropped.
    Lead(Leader<'f>),
    /// Another thread has fetched it.
    Follow(File),
    /// Another thread has tried and failed.
    Alone,
}

pub(super) struct Leader<'f> {
    flights: &'f Flights,
    digest: Digest,
    flight: Arc<Flight>,
}

impl Flights {
    fn all(&self) -> MutexGuard<'_, HashMap<Digest, Arc<Flight>>> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Leads, or waits for who leads.
    pub(super) fn board(&self, digest: Digest, cancel: &Cancel) -> Result<Turn<'_>, Cancelled> {
        let flight = {
            let mut all = self.all();
            match all.get(&digest) {
                Some(flight) => Arc::clone(flight),
                None => {
                    let flight = Arc::<Flight>::default();
                    all.insert(digest, Arc::clone(&flight));
                    return Ok(Turn::Lead(Leader {
                        flights: self,
                        digest,
                        flight,
                    }));
                }
            }
        };
        let mut state = flight.state();
        loop {
            cancel.check()?;
            match &*state {
                State::Flying => {}
                State::Landed(file) => return Ok(file.try_clone().map_or(Turn::Alone, Turn::Follow)),
                State::Lost => return Ok(Turn::Alone),
            }
            let waited = flight.changed.wait_timeout(state, TICK);
            state = waited.unwrap_or_else(|poisoned| poisoned.into_inner()).0;
        }
    }
}

impl Flight {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Leader<'_> {
    /// Gives the file to those who wait.
    pub(super) fn land(self, file: File) {
        *self.flight.state() = State::Landed(file);
    }
}

impl Drop for Leader<'_> {
    fn drop(&mut self) {
        self.flights.all().remove(&self.digest);
        let mut state = self.flight.state();
        if matches!(*state, State::Flying) {
            *state = State::Lost;
        }
        self.flight.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_leads_and_the_others_follow_or_learn_that_it_failed() {
        let flights = Flights::default();
        let cancel = Cancel::default();
        let digest = Digest::new([1; 32]);
        for lands in [true, false] {
            let Ok(Turn::Lead(leader)) = flights.board(digest, &cancel) else {
                panic!("nobody flies yet")
            };
            std::thread::scope(|scope| {
                let other = scope.spawn(|| flights.board(digest, &cancel).unwrap());
                // It may board only after the landing, and then leads: wait until it holds the flight too.
                while Arc::strong_count(&leader.flight) < 3 {
                    std::thread::yield_now();
                }
                if lands {
                    leader.land(tempfile::tempfile().unwrap())
                } else {
                    drop(leader)
                }
                assert!(matches!(
                    (lands, other.join().unwrap()),
                    (true, Turn::Follow(_)) | (false, Turn::Alone)
                ));
            });
        }
        let Ok(Turn::Lead(_leader)) = flights.board(digest, &cancel) else {
            panic!("nobody flies any more")
        };
        cancel.set();
        assert!(flights.board(digest, &cancel).is_err());
    }
}
