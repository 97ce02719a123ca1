//! A source's Release file: fetched, its signature verified, its suite and dates checked.

use std::time::SystemTime;

use bareroot_deb::release::{Dates, Release, Response};
use bareroot_enter::confine;
use bareroot_fetch::{Fetcher, Location, Unjudged};
use bareroot_model::Digest;
use bareroot_trust::{Policy, Trusted, Waiver};
use sha2::{Digest as _, Sha256};

use super::{ReadIndex, newest};
use crate::context::Context;
use crate::deb::plan::{Check, PlannedSource};
use crate::error::Error;
use crate::older::Older;

/// Debian's largest is a few hundred kilobytes; apt's own limit is 10 MB too.
pub const LARGEST_RELEASE: u64 = 10_000_000;

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

/// A source's Release file, verified.
pub struct Fetched {
    /// The file.
    pub release: Trusted<Release>,
    /// What is known of it.
    pub read: ReadIndex,
    /// What the mirror gave, where this is a newer one of the cache.
    pub older: Option<Older>,
}

/// Fetches and verifies.
pub fn fetch(source: &PlannedSource, fetcher: &Fetcher, context: &Context) -> Result<Fetched, Error> {
    let name = source.name();
    let (file, text, files) = download(&name, source, fetcher, context)?;
    // What the digest is of is the file, and not the text in it.
    let raw = files
        .first()
        .map(|file| file.content.as_slice())
        .unwrap_or_default();
    let (release, read) = parsed(&name, file, raw, text)?;
    let check = |release: &Release| -> Result<(), Error> {
        let warnings = release.check(&source.source.suite, &source.dates())?;
        warnings.into_iter().for_each(|warning| context.warn(warning));
        Ok(())
    };
    check(&release)?;
    match newest::newer(&release, &files, source, fetcher) {
        Some(newer) if source.valid_until == Check::Enforced => {
            if let Err(error) = check(&newer.release) {
                return Err(newer.older.refused(Some(error)));
            }
            context.warn(newer.older.replaced());
            return Ok(Fetched {
                release: newer.release,
                read: newer.read,
                older: Some(newer.older),
            });
        }
        Some(newer) => context.warn(newer.older.waived()),
        None => {}
    }
    files.iter().for_each(|file| fetcher.keep_judged(file));
    Ok(Fetched {
        release,
        read,
        older: None,
    })
}

/// The signed text, and the files that it came in.
type Download = (&'static str, Trusted<Vec<u8>>, Vec<Unjudged>);

fn download(
    name: &str,
    source: &PlannedSource,
    fetcher: &Fetcher,
    context: &Context,
) -> Result<Download, Error> {
    match fetcher.unjudged(&location(source, "InRelease"), LARGEST_RELEASE) {
        Ok(file) => {
            let text = confine::parse(|| clear_signed(name, file.content.clone(), source, context))?;
            Ok(("InRelease", text, vec![file]))
        }
        Err(error) if error.is_not_found() => match detached(name, source, fetcher, context) {
            // Without a network InRelease is what most repositories would have had.
            Err(Error::Fetch(other)) if other.is_offline() => Err(error.into()),
            result => result.map(|(text, files)| ("Release", text, files)),
        },
        Err(error) => Err(error.into()),
    }
}

/// What a verified text says, with what is known of the file that it came in.
pub fn parsed(
    name: &str,
    file: &'static str,
    raw: &[u8],
    text: Trusted<Vec<u8>>,
) -> Result<(Trusted<Release>, ReadIndex), Error> {
    let release = confine::parse(|| text.try_map(|text| Release::parse(name, text)))?;
    let read = ReadIndex {
        file,
        sha256: Digest::new(Sha256::digest(raw).into()),
        date: release.date,
        waiver: release.waiver().cloned(),
    };
    Ok((release, read))
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
) -> Result<(Trusted<Vec<u8>>, Vec<Unjudged>), Error> {
    let file = fetcher.unjudged(&location(source, "Release"), LARGEST_RELEASE)?;
    let text = file.content.clone();
    let mut files = vec![file];
    let signature = fetcher.unjudged(&location(source, "Release.gpg"), LARGEST_RELEASE);
    let verified = match (signature, &source.keyring) {
        (Ok(signature), Some(keyring)) => {
            let policy = source.policy();
            let verified = confine::parse(|| {
                bareroot_trust::verify_detached(name, text.clone(), &signature.content, keyring, &policy)
            });
            files.push(signature);
            verified.map_err(Error::from)
        }
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
    let text = waive(verified, source, context, || {
        Ok(Trusted::waived(text, reason(source)))
    })?;
    Ok((text, files))
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
    /// How its dates are judged.
    fn dates(&self) -> Dates {
        let expired = match self.valid_until {
            Check::Enforced => Response::Refuse,
            Check::Waived => Response::Warn,
        };
        Dates {
            expired,
            ..Dates::strict(SystemTime::now())
        }
    }

    /// How its signatures are judged.
    pub(crate) fn policy(&self) -> Policy {
        Policy {
            now: SystemTime::now(),
            allow_weak_keys: self.weak_keys.clone(),
        }
    }
}
