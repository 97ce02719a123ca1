//! A source's Release file: fetched, its signature verified, its suite and dates checked.

use std::time::SystemTime;

use bareroot_deb::release::{Dates, Release, Response};
use bareroot_enter::confine;
use bareroot_fetch::{Fetcher, Location};
use bareroot_model::Digest;
use bareroot_trust::{Policy, Trusted, Waiver};
use sha2::{Digest as _, Sha256};

use super::ReadIndex;
use crate::context::Context;
use crate::deb::plan::{Check, PlannedSource};
use crate::error::Error;

/// Debian's largest is a few hundred kilobytes; apt's own limit is 10 MB too.
const LARGEST_RELEASE: u64 = 10_000_000;

/// Where a file of a source's suite is: below dists/SUITE, or, in a flat repository, below the suite's own path.
pub fn location(source: &PlannedSource, path: &str) -> Location {
    let suite = &source.source.suite;
    let path = match suite.strip_suffix('/') {
        Some("." | "") => path.to_owned(),
        Some(directory) => format!("{}/{path}", directory.trim_start_matches("./")),
        None => format!("dists/{suite}/{path}"),
    };
    Location::new(source.source.uris.clone(), path)
}

/// Fetches and verifies.
pub fn fetch(
    source: &PlannedSource,
    fetcher: &Fetcher,
    context: &Context,
) -> Result<(Trusted<Release>, ReadIndex), Error> {
    let name = source.name();
    let (file, sha256, text) = match fetcher.index(&location(source, "InRelease"), LARGEST_RELEASE) {
        Ok(text) => (
            "InRelease",
            digest(&text),
            confine::parse(|| clear_signed(&name, text, source, context))?,
        ),
        Err(error) if error.is_not_found() => match detached(&name, source, fetcher, context) {
            // Without a network InRelease is what most repositories would have had.
            Err(Error::Fetch(other)) if other.is_offline() => return Err(error.into()),
            result => {
                let text = result?;
                ("Release", digest(text.get()), text)
            }
        },
        Err(error) => return Err(error.into()),
    };
    let release = confine::parse(|| text.try_map(|text| Release::parse(&name, text)))?;
    let expired = match source.valid_until {
        Check::Enforced => Response::Refuse,
        Check::Waived => Response::Warn,
    };
    let dates = Dates {
        expired,
        ..Dates::strict(SystemTime::now())
    };
    for warning in release.check(&source.source.suite, &dates)? {
        context.warn(warning);
    }
    let read = ReadIndex {
        file,
        sha256,
        date: release.date,
        waiver: release.waiver().cloned(),
    };
    Ok((release, read))
}

fn digest(text: &[u8]) -> Digest {
    Digest::new(Sha256::digest(text).into())
}

fn clear_signed(
    name: &str,
    text: Vec<u8>,
    source: &PlannedSource,
    context: &Context,
) -> Result<Trusted<Vec<u8>>, Error> {
    let verified = match &source.keyring {
        Some(keyring) => {
            bareroot_trust::verify_cleartext(name, &text, keyring, &source.policy()).map_err(Error::from)
        }
        None => Err(Error::NoKeyring {
            source_name: name.to_owned(),
        }),
    };
    waive(verified, source, context, || {
        Ok(bareroot_trust::waive_cleartext(name, &text, reason(source))?)
    })
}

/// Release and Release.gpg, for repositories that have no InRelease.
fn detached(
    name: &str,
    source: &PlannedSource,
    fetcher: &Fetcher,
    context: &Context,
) -> Result<Trusted<Vec<u8>>, Error> {
    let text = fetcher.index(&location(source, "Release"), LARGEST_RELEASE)?;
    let signature = fetcher.index(&location(source, "Release.gpg"), LARGEST_RELEASE);
    let verified = match (signature, &source.keyring) {
        (Ok(signature), Some(keyring)) => confine::parse(|| {
            bareroot_trust::verify_detached(name, text.clone(), &signature, keyring, &source.policy())
                .map_err(Error::from)
        }),
        (Err(error), _) if error.is_not_found() && !error.is_offline() => {
            Err(Error::Trust(bareroot_trust::Error::NoSignature {
                name: name.to_owned(),
            }))
        }
        (Err(error), _) => return Err(error.into()),
        (Ok(_), None) => Err(Error::NoKeyring {
            source_name: name.to_owned(),
        }),
    };
    waive(verified, source, context, || {
        Ok(Trusted::waived(text, reason(source)))
    })
}

/// Lets an unverified text pass where the user or the source gave the check up, and says so.
fn waive(
    verified: Result<Trusted<Vec<u8>>, Error>,
    source: &PlannedSource,
    context: &Context,
    unverified: impl FnOnce() -> Result<Trusted<Vec<u8>>, Error>,
) -> Result<Trusted<Vec<u8>>, Error> {
    match (verified, source.signature) {
        (Err(error), Check::Waived) => {
            context.warn(format!("{} is not verified: {error}", source.name()));
            unverified()
        }
        (result, _) => result,
    }
}

fn reason(source: &PlannedSource) -> Waiver {
    Waiver {
        reason: format!("the signature of {} was waived", source.name()),
    }
}

impl PlannedSource {
    fn policy(&self) -> Policy {
        Policy {
            now: SystemTime::now(),
            allow_weak_keys: self.weak_keys.clone(),
        }
    }
}
