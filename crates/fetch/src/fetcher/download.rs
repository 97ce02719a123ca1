//! One file from one mirror or another, into a part that survives a broken transfer.

use std::fs::File;
use std::path::Path;

use bareroot_model::{Digest, Event};
use bareroot_trust::{Expected, Proof, Trusted, Verifier};

use super::rounds::Failure;
use super::telling::Telling;
use super::transfer::Download;
use super::{Done, Fetcher, Unfit};
use crate::Error;
use crate::cache::{Part, Shelf, Slot};
use crate::location::Place;

/// A place for bytes, or the file that somebody else has put there meanwhile.
enum Room {
    Part(Part),
    Whole(File, Proof),
}

impl Fetcher {
    /// Fetches a file that the cache does not have.
    pub(super) fn download(
        &self,
        shelf: Shelf,
        places: &[Place],
        expected: &Trusted<Expected>,
        label: &str,
    ) -> Result<Done, Error> {
        if let Some(error) = self.offline(label, places) {
            return Err(error);
        }
        // What one mirror has brought, the next one goes on with.
        let mut kept: Option<Download<'_>> = None;
        self.rounds(label, places, |place| {
            let shown = place.shown();
            if self.settings.offline && !place.is_local() {
                return Err(Failure::Next(Error::Offline {
                    label: label.to_owned(),
                    url: shown,
                    others: 0,
                }));
            }
            if let Place::File(path) = place {
                return self.in_place(path, shown, expected);
            }
            let mut download = match kept.take() {
                Some(download) => download,
                None => match self.room(shelf, expected)? {
                    Room::Whole(file, proof) => {
                        return Ok(self.cached(file, proof, std::slice::from_ref(place)));
                    }
                    Room::Part(part) => Download::new(self, expected, part, shown.clone())?,
                },
            };
            let result = match place {
                Place::Http { url, credentials } => download.try_mirror(url, credentials.as_ref()),
                Place::Copy(path) | Place::File(path) => download.copy(path, &shown),
            };
            match result {
                Ok(proof) => Ok(download.finish(shown, proof)?),
                Err(failure) => {
                    kept = Some(download);
                    Err(failure)
                }
            }
        })
    }

    /// Where bytes can be written: in the cache, else, with a warning, in a file without a name.
    fn room(&self, shelf: Shelf, expected: &Trusted<Expected>) -> Result<Room, Error> {
        let temporary = || Part::temporary(&self.settings.temporary).map(Room::Part);
        let Some(digest) = expected.sha256() else {
            return temporary();
        };
        match self.room_in_cache(shelf, &digest, expected) {
            Ok(Some(room)) => Ok(room),
            Ok(None) => temporary(),
            Err(error @ Error::Cancelled(_)) => Err(error),
            // Elsewhere may be memory: filling that in silence would be worse.
            Err(error) if error.is_full() => Err(error),
            Err(error) => {
                if !self
                    .without_cache
                    .swap(true, std::sync::atomic::Ordering::Relaxed)
                {
                    self.tell(Event::Warning {
                        text: format!("going on without the cache: {error}"),
                    });
                }
                temporary()
            }
        }
    }

    fn room_in_cache(
        &self,
        shelf: Shelf,
        digest: &Digest,
        expected: &Trusted<Expected>,
    ) -> Result<Option<Room>, Error> {
        let Some(cache) = self.cache() else {
            return Ok(None);
        };
        // A process that removes what another one publishes can make this fail more than once; not for ever.
        for _ in 0..8 {
            match cache.part(shelf, digest, &self.watch, self.settings.timeout)? {
                Some(Slot::Free(part)) => return Ok(Some(Room::Part(part))),
                Some(Slot::Stuck) | None => return Ok(None),
                Some(Slot::Taken) => {}
            }
            if let Some((file, proof)) = self.in_cache(shelf, expected)? {
                return Ok(Some(Room::Whole(file, proof)));
            }
        }
        Ok(None)
    }

    /// A file that is used where it is.
    fn in_place(&self, path: &Path, name: String, expected: &Trusted<Expected>) -> Result<Done, Failure> {
        let file = open(path, &name)?;
        let mut telling = Telling::started(&*self.settings.observer, name.clone(), expected.size());
        let mut verifier = Verifier::new(expected.clone());
        let mut wrong = None;
        let read = self.read(&file, |bytes| {
            verifier
                .update(bytes)
                .map_err(|error| Unfit::Wrong(wrong.insert(error).to_string()))?;
            telling.at(verifier.seen());
            Ok(())
        });
        match (read, wrong) {
            (_, Some(source)) => return Err(Failure::Next(Error::Mismatch { url: name, source })),
            (Err(Unfit::Stopped(error)), _) => return Err(error.into()),
            (Err(Unfit::Wrong(text)), _) => {
                let source = std::io::Error::other(text);
                return Err(Failure::Next(Error::Read {
                    path: path.to_owned(),
                    source,
                }));
            }
            (Ok(()), None) => {}
        }
        let proof = verifier.finish().map_err(|source| Error::Mismatch {
            url: name.clone(),
            source,
        })?;
        telling.done(name.clone(), proof.size());
        Ok(Done { file, proof, name })
    }
}

/// Opens a regular file of a local mirror.
pub(super) fn open(path: &Path, shown: &str) -> Result<File, Error> {
    use std::io::ErrorKind;
    let wrong = |source: std::io::Error| match source.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => Error::NotFound {
            url: shown.to_owned(),
        },
        _ => Error::Read {
            path: path.to_owned(),
            source,
        },
    };
    let file = File::open(path).map_err(wrong)?;
    match file.metadata().map_err(wrong)?.is_file() {
        true => Ok(file),
        false => Err(wrong(ErrorKind::IsADirectory.into())),
    }
}
