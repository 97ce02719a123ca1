mod download;
mod flights;
mod meter;
mod release;
mod rounds;
mod telling;
mod transfer;

use std::fs::File;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use bareroot_model::Event;
use bareroot_trust::{Blob, Expected, Proof, Trusted, Verified, Verifier};

use crate::cache::{Cache, Part, Shelf};
use crate::location::{Location, Place};
use crate::net::{Lanes, Watch};
use crate::{Error, Settings};

pub use release::Unjudged;

use flights::{Flights, Turn};
use meter::Meter;
use rounds::Health;

/// Fetches files, from any thread. Connections stay open between files.
///
/// It brings its own reactors and must not be used from inside another one.
pub struct Fetcher {
    settings: Settings,
    watch: Watch,
    lanes: Lanes,
    flights: Flights,
    meter: Meter,
    health: Health,
    without_cache: AtomicBool,
}

/// One file of many.
#[derive(Clone, Debug)]
pub struct Request {
    /// Where it is.
    pub location: Location,
    /// What it must be.
    pub expected: Trusted<Expected>,
    /// What to call it in messages.
    pub label: String,
}

/// A file whose bytes were seen to be right.
struct Done {
    file: File,
    proof: Proof,
    name: String,
}

impl Fetcher {
    /// # Errors
    /// [`Error::Proxy`] for a proxy that is none.
    pub fn new(mut settings: Settings) -> Result<Fetcher, Error> {
        let observer = &settings.observer;
        settings.cache = settings
            .cache
            .map(|cache| cache.begin(std::sync::Arc::clone(observer)));
        Ok(Fetcher {
            watch: Watch(settings.cancel.clone()),
            lanes: Lanes::new(settings.clone())?,
            flights: Flights::default(),
            meter: Meter::default(),
            health: Health::default(),
            without_cache: AtomicBool::new(false),
            settings,
        })
    }

    /// The cache, where there is one.
    pub fn cache(&self) -> Option<&Cache> {
        self.settings.cache.as_ref()
    }

    /// Bytes a second that the network has brought so far; `None` while too little has come to tell.
    pub fn throughput(&self) -> Option<f64> {
        self.meter.rate()
    }

    /// A package archive: from the cache, else from the first mirror that has what is expected. `label` names it where
    /// several mirrors fail.
    ///
    /// A file of a `file:` mirror is hashed and then used where it is.
    ///
    /// # Errors
    /// The mirror's error, or [`Error::Mirrors`] with one for each.
    pub fn verified(
        &self,
        location: &Location,
        expected: Trusted<Expected>,
        label: &str,
    ) -> Result<Verified<Blob>, Error> {
        self.get(Shelf::Archives, &location.places()?, &expected, label)
    }

    /// An index that has several names on the same mirrors (by-hash, and its plain one): at each mirror the first that it
    /// has.
    ///
    /// # Errors
    /// As [`verified`](Fetcher::verified).
    pub fn verified_at_any(
        &self,
        locations: &[Location],
        expected: &Trusted<Expected>,
        label: &str,
    ) -> Result<Verified<Blob>, Error> {
        let names = locations
            .iter()
            .map(Location::places)
            .collect::<Result<Vec<_>, _>>()?;
        let mirrors = names.iter().map(Vec::len).max().unwrap_or_default();
        let places: Vec<Place> = (0..mirrors)
            .flat_map(|mirror| names.iter().filter_map(move |places| places.get(mirror)).cloned())
            .collect();
        self.get(Shelf::Indexes, &places, expected, label)
    }

    /// Fetches many, in the order given, [`Settings::jobs`] at a time on threads of its own, and hands each over on the
    /// thread that fetched it, with its number. It stops early when `sink` breaks.
    ///
    /// A `sink` that waits holds its thread back, and so the number of files that are open at the same time.
    ///
    /// # Errors
    /// [`Error::Cancelled`] when the run is to stop; some files may have been handed over then, with the same error.
    pub fn all(
        &self,
        requests: &[Request],
        sink: impl Fn(usize, Result<Verified<Blob>, Error>) -> ControlFlow<()> + Sync,
    ) -> Result<(), Error> {
        let next = AtomicUsize::new(0);
        let stop = AtomicBool::new(false);
        let work = || {
            while !stop.load(Ordering::Relaxed) && !self.watch.0.is_set() {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let Some(request) = requests.get(number) else {
                    break;
                };
                let result = self.verified(&request.location, request.expected.clone(), &request.label);
                if sink(number, result).is_break() {
                    stop.store(true, Ordering::Relaxed);
                }
            }
        };
        let threads = self.settings.jobs.min(requests.len());
        std::thread::scope(|scope| {
            for number in 1..threads {
                // Fewer threads do the same work.
                let _ = std::thread::Builder::new()
                    .name(format!("fetch {number}"))
                    .spawn_scoped(scope, work);
            }
            work();
        });
        Ok(self.watch.0.check()?)
    }

    fn get(
        &self,
        shelf: Shelf,
        places: &[Place],
        expected: &Trusted<Expected>,
        label: &str,
    ) -> Result<Verified<Blob>, Error> {
        if places.is_empty() {
            return Err(Error::NoMirror {
                path: label.to_owned(),
            });
        }
        let done = match expected.sha256() {
            None => self.download(shelf, places, expected, label)?,
            Some(digest) => match self.flights.board(digest, &self.watch.0)? {
                Turn::Lead(leader) => {
                    let done = self.find_or_download(shelf, places, expected, label)?;
                    if let Ok(file) = done.file.try_clone() {
                        leader.land(file);
                    }
                    done
                }
                Turn::Alone => self.find_or_download(shelf, places, expected, label)?,
                // It is judged again: what this caller expects may rest on something else.
                Turn::Follow(file) => match self.hashed(&file, expected) {
                    Ok(proof) => self.cached(file, proof, places),
                    Err(_) => self.find_or_download(shelf, places, expected, label)?,
                },
            },
        };
        let blob = Blob::new(done.file, done.proof.size(), done.proof.sha256(), done.name);
        Ok(Verified::new(blob, done.proof))
    }

    fn find_or_download(
        &self,
        shelf: Shelf,
        places: &[Place],
        expected: &Trusted<Expected>,
        label: &str,
    ) -> Result<Done, Error> {
        if let Some((file, proof)) = self.in_cache(shelf, expected)? {
            return Ok(self.cached(file, proof, places));
        }
        self.download(shelf, places, expected, label)
    }

    /// A file of the cache, hashed again; of one that another user can write, a copy that is ours. One that is damaged is
    /// named, and goes from the own cache.
    fn in_cache(&self, shelf: Shelf, expected: &Trusted<Expected>) -> Result<Option<(File, Proof)>, Error> {
        let Some((cache, digest)) = self.cache().zip(expected.sha256()) else {
            return Ok(None);
        };
        for held in cache.held(shelf, &digest, "") {
            let judged = match held.is_ours() {
                true => self.hashed(&held.file, expected).map(|proof| (None, proof)),
                false => self.copied(&held.file, cache, expected),
            };
            match judged {
                Ok((copy, proof)) => {
                    cache.used(&held);
                    return Ok(Some((copy.unwrap_or(held.file), proof)));
                }
                Err(Unfit::Stopped(error)) => return Err(error),
                Err(Unfit::Wrong(reason)) => cache.damaged(&held, &reason),
            }
        }
        Ok(None)
    }

    /// What is wrong where the network is not to be used and no place is local.
    fn offline(&self, label: &str, places: &[Place]) -> Option<Error> {
        (self.settings.offline && !places.iter().any(Place::is_local)).then(|| Error::Offline {
            label: label.to_owned(),
            url: places.first().map(Place::shown).unwrap_or_default(),
            others: places.len().saturating_sub(1),
        })
    }

    fn cached(&self, file: File, proof: Proof, places: &[Place]) -> Done {
        let name = places.first().map(Place::shown).unwrap_or_default();
        self.tell(Event::Fetched {
            url: name.clone(),
            bytes: proof.size(),
            cached: true,
        });
        Done { file, proof, name }
    }

    /// Reads a whole file through a verifier.
    fn hashed(&self, file: &File, expected: &Trusted<Expected>) -> Result<Proof, Unfit> {
        let mut verifier = Verifier::new(expected.clone());
        self.read(file, |bytes| {
            verifier
                .update(bytes)
                .map_err(|error| Unfit::Wrong(error.to_string()))
        })?;
        verifier.finish().map_err(|error| Unfit::Wrong(error.to_string()))
    }

    /// Copies a whole file through a verifier into a nameless one: it cannot change after it was judged.
    fn copied(
        &self,
        file: &File,
        cache: &Cache,
        expected: &Trusted<Expected>,
    ) -> Result<(Option<File>, Proof), Unfit> {
        let directory = cache.room_for_copies().unwrap_or(&self.settings.temporary);
        let mut copy = Part::temporary(directory).map_err(Unfit::Stopped)?;
        let mut verifier = Verifier::new(expected.clone());
        self.read(file, |bytes| {
            let fits = verifier.update(bytes);
            fits.map_err(|error| Unfit::Wrong(error.to_string()))?;
            copy.append(bytes).map_err(Unfit::Stopped)
        })?;
        let proof = verifier
            .finish()
            .map_err(|error| Unfit::Wrong(error.to_string()))?;
        let (copy, _) = copy.publish().map_err(Unfit::Stopped)?;
        Ok((Some(copy), proof))
    }

    fn read(&self, file: &File, mut take: impl FnMut(&[u8]) -> Result<(), Unfit>) -> Result<(), Unfit> {
        use std::os::unix::fs::FileExt;
        let mut buffer = vec![0; 256 << 10];
        let mut at = 0u64;
        loop {
            self.watch
                .0
                .check()
                .map_err(|cancelled| Unfit::Stopped(cancelled.into()))?;
            match file.read_at(&mut buffer, at) {
                Ok(0) => return Ok(()),
                Ok(length) => {
                    take(buffer.get(..length).unwrap_or_default())?;
                    at = at.saturating_add(length as u64);
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Unfit::Wrong(error.to_string())),
            }
        }
    }

    fn tell(&self, event: Event) {
        self.settings.observer.on(event);
    }
}

/// Why a file that is there cannot be used.
enum Unfit {
    Stopped(Error),
    Wrong(String),
}

impl std::fmt::Debug for Fetcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fetcher")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
