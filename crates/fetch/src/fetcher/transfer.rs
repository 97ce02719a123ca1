//! The bytes of one file, on their way into a part.

use std::path::Path;
use std::time::Duration;

use bareroot_trust::{Expected, Proof, Trusted, Verifier};
use url::Url;

use super::download::open;
use super::meter::Going;
use super::rounds::Failure;
use super::telling::Telling;
use super::{Done, Fetcher, Unfit};
use crate::Error;
use crate::cache::Part;
use crate::location::Credentials;
use crate::net::{Ask, Lane, Opened};

/// A broken transfer that has brought this much more than any before it is taken up again at once.
const PROGRESS: u64 = 16 << 10;

/// And so often at most, by one mirror in one attempt.
const RESUMPTIONS: usize = 64;

/// A file in the making.
pub(super) struct Download<'f> {
    fetcher: &'f Fetcher,
    expected: &'f Trusted<Expected>,
    part: Part,
    verifier: Verifier,
    /// Whether what is there came in several pieces, which may be of different files.
    mixed: bool,
    /// The URL that the last bytes came from, with the strong ETag that it had.
    tag: Option<(String, String)>,
    telling: Telling<'f>,
}

impl<'f> Download<'f> {
    /// Takes up what an earlier run has left.
    pub(super) fn new(
        fetcher: &'f Fetcher,
        expected: &'f Trusted<Expected>,
        mut part: Part,
        shown: String,
    ) -> Result<Self, Error> {
        if expected.size().is_some_and(|size| part.len() > size) {
            part.clear()?;
        }
        let mut verifier = Verifier::new(expected.clone());
        // It is not longer than what is expected, and so is no error.
        part.replay(|bytes| drop(verifier.update(bytes)))?;
        let mut telling = Telling::started(&*fetcher.settings.observer, shown, expected.size());
        telling.at(part.len());
        Ok(Download {
            fetcher,
            expected,
            mixed: part.len() > 0,
            part,
            verifier,
            tag: None,
            telling,
        })
    }

    fn restart(&mut self) -> Result<(), Error> {
        self.part.clear()?;
        self.verifier = Verifier::new(self.expected.clone());
        self.mixed = false;
        self.tag = None;
        Ok(())
    }

    /// Everything is here and was judged right.
    pub(super) fn finish(mut self, name: String, proof: Proof) -> Result<Done, Error> {
        self.telling.done(name.clone(), proof.size());
        let (file, failure) = self.part.publish()?;
        if let Some(error) = failure {
            self.fetcher.tell(bareroot_model::Event::Warning {
                text: format!("a file is not kept: {error}"),
            });
        }
        Ok(Done { file, proof, name })
    }

    fn take(&mut self, bytes: &[u8], shown: &str) -> Result<(), Failure> {
        let limit = self.fetcher.settings.limit;
        if self.expected.size().is_none() && self.part.len().saturating_add(bytes.len() as u64) > limit {
            return Err(Failure::Next(Error::TooLarge {
                url: shown.to_owned(),
                limit,
            }));
        }
        self.verifier.update(bytes).map_err(|source| {
            Failure::Next(Error::Mismatch {
                url: shown.to_owned(),
                source,
            })
        })?;
        self.part.append(bytes)?;
        self.telling.at(self.part.len());
        Ok(())
    }

    fn judge(&mut self, shown: &str) -> Result<Proof, Failure> {
        self.verifier.clone().finish().map_err(|source| {
            Failure::Next(Error::Mismatch {
                url: shown.to_owned(),
                source,
            })
        })
    }

    fn is_full(&self) -> bool {
        self.expected.size() == Some(self.part.len())
    }

    /// One attempt at a mirror. A transfer that breaks is resumed as long as it gets on; a file that was put together from
    /// pieces and is wrong is fetched anew, as nothing says which piece was wrong.
    pub(super) fn try_mirror(
        &mut self,
        url: &Url,
        credentials: Option<&Credentials>,
    ) -> Result<Proof, Failure> {
        let mut resumptions = 0;
        let mut reached = self.part.len();
        loop {
            match self.transfer(url, credentials) {
                Ok(proof) => return Ok(proof),
                Err(Failure::Next(error)) if error.is_mismatch() => {
                    let mixed = self.mixed;
                    self.restart()?;
                    if !mixed {
                        return Err(Failure::Next(error));
                    }
                }
                Err(Failure::Again {
                    error: Error::Transfer { .. } | Error::Truncated { .. },
                    ..
                }) if resumptions < RESUMPTIONS && self.part.len() >= reached.saturating_add(PROGRESS) => {
                    resumptions += 1;
                    reached = self.part.len();
                }
                Err(Failure::Next(error @ Error::TooLarge { .. })) => {
                    self.restart()?;
                    return Err(Failure::Next(error));
                }
                Err(failure) => return Err(failure),
            }
        }
    }

    fn transfer(&mut self, url: &Url, credentials: Option<&Credentials>) -> Result<Proof, Failure> {
        let shown = url.as_str();
        // A run that was killed between the last byte and the renaming leaves such a part.
        if self.mixed && self.is_full() {
            return self.judge(shown);
        }
        let fetcher = self.fetcher;
        let mut going = fetcher.meter.start();
        fetcher.lanes.with(|lane| {
            let opened = self.opened(lane, url, credentials)?;
            self.pour(lane, opened, shown, &mut going)
        })?;
        if let Some(expected) = self.expected.size().filter(|&size| self.part.len() < size) {
            let error = Error::Truncated {
                url: shown.to_owned(),
                expected,
                found: self.part.len(),
            };
            return Err(error.into());
        }
        self.judge(shown)
    }

    fn pour(
        &mut self,
        lane: &Lane,
        opened: Opened,
        shown: &str,
        going: &mut Going<'_>,
    ) -> Result<(), Failure> {
        lane.pour(opened, |bytes| {
            going.bytes = going.bytes.saturating_add(bytes.len() as u64);
            self.take(bytes, shown)
        })
    }

    /// Asks for what is missing, or, where the server has no such part, for the whole.
    fn opened(
        &mut self,
        lane: &mut Lane,
        url: &Url,
        credentials: Option<&Credentials>,
    ) -> Result<Opened, Failure> {
        loop {
            let from = self.part.len();
            let tag = self
                .tag
                .as_ref()
                .filter(|(of, _)| of == url.as_str())
                .map(|(_, tag)| tag.as_str());
            let opened = lane.open(Ask {
                url,
                credentials,
                from,
                tag,
            })?;
            match opened.status().as_u16() {
                200 => {
                    if from > 0 {
                        self.restart()?;
                    }
                }
                206 if from > 0 => {
                    if !continues(opened.header("content-range"), from, self.expected.size()) {
                        self.restart()?;
                        continue;
                    }
                    self.mixed = true;
                }
                416 if from > 0 => {
                    lane.drain(opened);
                    self.restart()?;
                    continue;
                }
                _ => return Err(refused(lane, opened)),
            }
            self.check_length(&opened)?;
            let strong = opened
                .header("etag")
                .filter(|tag| tag.starts_with('"'))
                .map(str::to_owned);
            self.tag = strong.map(|tag| (url.as_str().to_owned(), tag));
            return Ok(opened);
        }
    }

    /// An announced length that cannot be right saves the transfer.
    fn check_length(&self, opened: &Opened) -> Result<(), Failure> {
        let (Some(expected), Some(rest)) = (self.expected.size(), opened.length()) else {
            return Ok(());
        };
        let found = self.part.len().saturating_add(rest);
        let source = match found.cmp(&expected) {
            std::cmp::Ordering::Equal => return Ok(()),
            std::cmp::Ordering::Less => bareroot_trust::Error::Size { expected, found },
            std::cmp::Ordering::Greater => bareroot_trust::Error::TooLong { expected },
        };
        Err(Failure::Next(Error::Mismatch {
            url: opened.shown().to_owned(),
            source,
        }))
    }

    pub(super) fn copy(&mut self, path: &Path, shown: &str) -> Result<Proof, Failure> {
        let file = open(path, shown)?;
        self.restart()?;
        let mut failure = None;
        let fetcher = self.fetcher;
        let read = fetcher.read(&file, |bytes| {
            self.take(bytes, shown).map_err(|error| {
                failure = Some(error);
                Unfit::Wrong(String::new())
            })
        });
        match (read, failure) {
            (_, Some(failure)) => {
                self.restart()?;
                return Err(failure);
            }
            (Err(Unfit::Stopped(error)), None) => return Err(error.into()),
            (Err(Unfit::Wrong(text)), None) => {
                let source = std::io::Error::other(text);
                return Err(Failure::Next(Error::Read {
                    path: path.to_owned(),
                    source,
                }));
            }
            (Ok(()), None) => {}
        }
        let judged = self.judge(shown);
        if judged.is_err() {
            self.restart()?;
        }
        judged
    }
}

/// Whether a Content-Range goes on where the part ends, in a file of the expected size.
fn continues(stated: Option<&str>, from: u64, size: Option<u64>) -> bool {
    let parsed = || {
        let (range, total) = stated?.trim().strip_prefix("bytes ")?.split_once('/')?;
        let start: u64 = range.split_once('-')?.0.parse().ok()?;
        let total: Option<u64> = if total == "*" {
            None
        } else {
            Some(total.parse().ok()?)
        };
        Some(start == from && total.is_none_or(|total| size.is_none_or(|size| size == total)))
    };
    parsed().unwrap_or(false)
}

/// What a status that gives no file means.
pub(super) fn refused(lane: &Lane, opened: Opened) -> Failure {
    let status = opened.status();
    let url = opened.shown().to_owned();
    let after = opened
        .header("retry-after")
        .and_then(|text| text.trim().parse().ok())
        .map(Duration::from_secs);
    lane.drain(opened);
    match status.as_u16() {
        404 | 410 => Failure::Next(Error::NotFound { url }),
        code => {
            let error = Error::Status {
                url,
                status: status.to_string(),
                code,
            };
            if matches!(code, 408 | 425 | 429) || status.is_server_error() {
                Failure::Again {
                    error,
                    after: after.unwrap_or_default(),
                }
            } else {
                Failure::Next(error)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_range_of_the_right_file_continues() {
        assert!(continues(Some("bytes 5-9/10"), 5, Some(10)));
        assert!(continues(Some("bytes 5-9/*"), 5, Some(10)));
        assert!(continues(Some("bytes 5-9/10"), 5, None));
        for text in [
            "bytes 0-9/10",
            "bytes 5-9/11",
            "bytes 5-9",
            "items 5-9/10",
            "bytes 5-9/x",
            "bytes */10",
            "",
        ] {
            assert!(!continues(Some(text), 5, Some(10)), "{text}");
        }
        assert!(!continues(None, 5, Some(10)));
    }
}
