//! Files that no digest is known for yet.

use std::fs::File;
use std::io::Read;

use bareroot_model::{Digest, Event};
use sha2::{Digest as _, Sha256};

use super::Fetcher;
use super::download::open;
use super::rounds::Failure;
use super::transfer::refused;
use crate::Error;
use crate::cache::Shelf;
use crate::location::{Credentials, Location, Place};
use crate::net::Ask;

/// The version of what is kept of them.
const KIND: &str = "release-1";

/// A small file as it came, that its signature is yet to vouch for.
#[derive(Clone, Debug)]
pub struct Unjudged {
    /// Its bytes.
    pub content: Vec<u8>,
    /// Where it was asked for, without credentials: the mirror's own address, whatever that redirects to.
    pub url: String,
    /// Whether it came over the network in this run: not from the cache or a local mirror.
    pub fresh: bool,
}

impl Fetcher {
    /// A small file that nothing on this side vouches for (a key, a list of mirrors), of at most `limit` bytes. Offline, it is
    /// what this very URL brought last.
    ///
    /// # Errors
    /// The mirror's error, or [`Error::Mirrors`] with one for each; [`Error::is_not_found`] tells that it does not exist.
    pub fn index(&self, location: &Location, limit: u64) -> Result<Vec<u8>, Error> {
        let found = self.unjudged(location, limit)?;
        self.keep_judged(&found);
        Ok(found.content)
    }

    /// As [`index`](Fetcher::index), for a file that a signature will vouch for (`InRelease`, `repomd.xml`): it is not kept
    /// until [`keep_judged`](Fetcher::keep_judged) says that it was seen to be good, so that no forged or old one takes the
    /// place of a good one.
    ///
    /// # Errors
    /// As [`index`](Fetcher::index).
    pub fn unjudged(&self, location: &Location, limit: u64) -> Result<Unjudged, Error> {
        let places = location.places()?;
        if places.is_empty() {
            return Err(Error::NoMirror {
                path: location.path.clone(),
            });
        }
        let found = self.rounds(&location.path, &places, |place| {
            let shown = place.shown();
            let mut fresh = false;
            let (content, cached) = match place {
                Place::File(path) | Place::Copy(path) => {
                    (self.small(open(path, &shown)?, limit, path, &shown)?, false)
                }
                Place::Http { .. } if self.settings.offline => (self.kept(&shown, limit)?, true),
                Place::Http { url, credentials } => {
                    self.tell(Event::FetchStarted {
                        url: shown.clone(),
                        bytes: None,
                    });
                    fresh = true;
                    (self.ask(url, credentials.as_ref(), limit, &shown)?, false)
                }
            };
            self.tell(Event::Fetched {
                url: shown.clone(),
                bytes: content.len() as u64,
                cached,
            });
            Ok(Unjudged {
                content,
                url: shown,
                fresh,
            })
        });
        found.map_err(|error| match &error {
            Error::Mirrors { failures, .. } if failures.iter().all(Error::is_offline) => {
                self.offline(&location.path, &places).unwrap_or(error)
            }
            _ => error,
        })
    }

    /// Keeps a file in the cache as what its address brought last.
    pub fn keep_judged(&self, found: &Unjudged) {
        if let Some(cache) = self.cache().filter(|_| found.fresh) {
            // Without it, the next run without a network fails, and says why.
            let _ = cache.keep(Shelf::Releases, &key(&found.url), KIND, |writer| {
                writer.write_all(&found.content)
            });
        }
    }

    /// What an address brought last, of at most `limit` bytes: only its own signature vouches for it.
    pub fn last(&self, url: &str, limit: u64) -> Option<Vec<u8>> {
        self.kept(url, limit).ok()
    }

    fn small(&self, file: File, limit: u64, path: &std::path::Path, shown: &str) -> Result<Vec<u8>, Error> {
        let mut content = Vec::new();
        file.take(limit.saturating_add(1))
            .read_to_end(&mut content)
            .map_err(|source| Error::Read {
                path: path.to_owned(),
                source,
            })?;
        within(content, limit, shown)
    }

    fn ask(
        &self,
        url: &url::Url,
        credentials: Option<&Credentials>,
        limit: u64,
        shown: &str,
    ) -> Result<Vec<u8>, Failure> {
        let mut going = self.meter.start();
        let too_large = || {
            Failure::Next(Error::TooLarge {
                url: shown.to_owned(),
                limit,
            })
        };
        self.lanes.with(|lane| {
            let opened = lane.open(Ask {
                url,
                credentials,
                from: 0,
                tag: None,
            })?;
            if opened.status().as_u16() != 200 {
                return Err(refused(lane, opened));
            }
            if opened.length().is_some_and(|length| length > limit) {
                return Err(too_large());
            }
            let mut content = Vec::new();
            lane.pour(opened, |bytes| {
                going.bytes = going.bytes.saturating_add(bytes.len() as u64);
                if going.bytes > limit {
                    return Err(too_large());
                }
                content.extend_from_slice(bytes);
                Ok(())
            })?;
            Ok(content)
        })
    }

    fn kept(&self, shown: &str, limit: u64) -> Result<Vec<u8>, Error> {
        let found = self
            .cache()
            .and_then(|cache| cache.find(Shelf::Releases, &key(shown), KIND));
        let offline = || Error::Offline {
            label: shown.to_owned(),
            url: shown.to_owned(),
            others: 0,
        };
        let mut content = Vec::new();
        found
            .ok_or_else(offline)?
            .take(limit.saturating_add(1))
            .read_to_end(&mut content)
            .map_err(|_| offline())?;
        within(content, limit, shown)
    }
}

fn within(content: Vec<u8>, limit: u64, shown: &str) -> Result<Vec<u8>, Error> {
    match content.len() as u64 > limit {
        true => Err(Error::TooLarge {
            url: shown.to_owned(),
            limit,
        }),
        false => Ok(content),
    }
}

fn key(url: &str) -> Digest {
    Digest::new(Sha256::digest(url).into())
}
