use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use bareroot_model::Event;

use super::Fetcher;
use crate::Error;
use crate::location::Place;

/// Why an attempt failed, and what that means for the next one.
#[derive(Debug)]
pub(super) enum Failure {
    /// It may pass. `after`: not before this much time.
    Again { error: Error, after: Duration },
    /// This mirror will not do.
    Next(Error),
    /// No mirror will do.
    Fatal(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Cancelled(_) | Error::Write { .. } | Error::SetUp { .. } => Failure::Fatal(error),
            Error::Connect { .. }
            | Error::Transfer { .. }
            | Error::Stalled { .. }
            | Error::Truncated { .. } => Failure::Again {
                error,
                after: Duration::ZERO,
            },
            _ => Failure::Next(error),
        }
    }
}

/// Origins that could not be reached, or failed, when they were last asked: they are asked last.
#[derive(Debug, Default)]
pub(super) struct Health(Mutex<HashSet<String>>);

impl Health {
    fn sick(&self) -> MutexGuard<'_, HashSet<String>> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn note(&self, place: &Place, well: bool) {
        let Some(origin) = place.origin() else { return };
        if well {
            self.sick().remove(&origin);
        } else {
            self.sick().insert(origin);
        }
    }

    /// Places in the order in which they are best tried: as given, those that fail last.
    fn order<'p>(&self, places: &'p [Place]) -> Vec<&'p Place> {
        let sick = self.sick();
        let mut ordered: Vec<&Place> = places.iter().collect();
        ordered.sort_by_key(|place| place.origin().is_some_and(|origin| sick.contains(&origin)));
        ordered
    }
}

struct Candidate<'p> {
    place: &'p Place,
    alive: bool,
    failure: Option<Error>,
}

impl Fetcher {
    /// Tries each place in turn; then, after a pause, those again whose failure may pass; and so on. The error names what
    /// went wrong last at each place.
    pub(super) fn rounds<T>(
        &self,
        label: &str,
        places: &[Place],
        mut attempt: impl FnMut(&Place) -> Result<T, Failure>,
    ) -> Result<T, Error> {
        let mut candidates: Vec<Candidate<'_>> = (self.health.order(places).into_iter())
            .map(|place| Candidate {
                place,
                alive: true,
                failure: None,
            })
            .collect();
        let mut pause = self.settings.pause;
        for round in 0..=self.settings.retries {
            let mut wait = Duration::ZERO;
            let places = candidates.len();
            for (number, candidate) in candidates.iter_mut().enumerate().filter(|(_, one)| one.alive) {
                self.watch.0.check()?;
                let error = match attempt(candidate.place) {
                    Ok(done) => {
                        self.health.note(candidate.place, true);
                        return Ok(done);
                    }
                    Err(Failure::Fatal(error)) => return Err(error),
                    Err(Failure::Next(error)) => {
                        candidate.alive = false;
                        error
                    }
                    Err(Failure::Again { error, after }) => {
                        self.health.note(candidate.place, false);
                        wait = wait.max(after.min(self.settings.timeout));
                        error
                    }
                };
                // That a file has no by-hash name is nothing to tell.
                if number + 1 < places && !error.is_not_found() {
                    self.tell(Event::Note {
                        text: format!("{error}; trying the next mirror"),
                    });
                }
                candidate.failure = Some(error);
            }
            // Where one mirror has answered, waiting for those that are not there would bring nothing else.
            let answered = candidates.iter().any(|candidate| !candidate.alive);
            let hopeful = candidates.iter().any(|candidate| {
                let unreachable = candidate.failure.as_ref().is_some_and(Error::is_unreachable);
                candidate.alive && !(answered && unreachable)
            });
            if !hopeful || round == self.settings.retries {
                break;
            }
            for error in candidates
                .iter()
                .filter(|candidate| candidate.alive)
                .filter_map(|one| one.failure.as_ref())
            {
                self.tell(Event::Note {
                    text: format!("{error}; trying again"),
                });
            }
            self.watch.pause(wait.max(pause))?;
            pause = pause.saturating_mul(2);
        }
        Err(Error::of(
            label,
            candidates
                .into_iter()
                .filter_map(|candidate| candidate.failure)
                .collect(),
        ))
    }
}
