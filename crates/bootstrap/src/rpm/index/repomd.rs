//! A repository's repomd.xml: fetched, held against the metalink and its signature.

use std::time::SystemTime;

use bareroot_enter::confine;
use bareroot_fetch::{Fetcher, Location};
use bareroot_model::Digest;
use bareroot_rpm_repo::repomd::{Digests, Repomd};
use bareroot_trust::{Keyring, Policy, Trusted, Waiver};
use sha2::{Digest as _, Sha256};

use super::mirrors::Mirrors;
use crate::context::Context;
use crate::error::Error;
use crate::rpm::plan::{Check, PlannedRepo};

/// Real ones have a few kilobytes; librepo sets no limit.
const LARGEST: u64 = 10_000_000;

/// Fetches and verifies.
///
/// # Errors
/// When no mirror has it, it is none of those that the metalink knows, or its signature is not good and must be.
pub fn fetch(
    repo: &PlannedRepo,
    mirrors: &Mirrors,
    keyring: &Keyring,
    fetcher: &Fetcher,
    context: &Context,
) -> Result<(Trusted<Repomd>, Digest), Error> {
    let name = format!("repomd.xml of {}", repo.id);
    let text = known(repo, mirrors, fetcher)?;
    let trusted = match repo.repo_gpgcheck {
        Check::Off => {
            if repo.gpgcheck == Check::Waived {
                context.warn(format!("nothing vouches for the metadata of {}", repo.id));
            }
            Trusted::waived(text, reason(repo))
        }
        check => {
            let verified = signed(&name, text.clone(), repo, mirrors, keyring, fetcher);
            match (verified, check) {
                (Err(error), Check::Waived) => {
                    context.warn(format!("{} is not verified: {error}", repo.id));
                    Trusted::waived(text, reason(repo))
                }
                (result, _) => result?,
            }
        }
    };
    let sha256 = Digest::new(Sha256::digest(trusted.get()).into());
    let repomd = confine::parse(|| trusted.try_into_map(|text| Repomd::parse(&name, &text)))?;
    Ok((repomd, sha256))
}

/// The file, as the metalink knows it where there is one: mirrors that lag behind may have one of its alternates.
///
/// # Errors
/// When no mirror has it.
pub fn known(repo: &PlannedRepo, mirrors: &Mirrors, fetcher: &Fetcher) -> Result<Vec<u8>, Error> {
    let location = Location::new(mirrors.urls.iter().map(String::as_str), "repodata/repomd.xml");
    if mirrors.repomd.is_empty() {
        return Ok(fetcher.index(&location, LARGEST)?);
    }
    // A mirror that is gone says less than one that has something else.
    let (mut gone, mut other) = (None, None);
    for url in &mirrors.urls {
        let location = Location::new([url.as_str()], "repodata/repomd.xml");
        match fetcher.index(&location, LARGEST) {
            Ok(text) if mirrors.repomd.iter().any(|file| file.matches(&text)) => return Ok(text),
            Ok(_) => {
                other.get_or_insert_with(|| Error::Metalink {
                    repository: repo.id.clone(),
                    mirror: bareroot_fetch::without_credentials(url),
                });
            }
            Err(error) => {
                gone.get_or_insert_with(|| error.into());
            }
        }
    }
    Err(other.or(gone).unwrap_or_else(|| Error::NoMirrors {
        repository: repo.id.clone(),
    }))
}

fn signed(
    name: &str,
    text: Vec<u8>,
    repo: &PlannedRepo,
    mirrors: &Mirrors,
    keyring: &Keyring,
    fetcher: &Fetcher,
) -> Result<Trusted<Vec<u8>>, Error> {
    let location = Location::new(mirrors.urls.iter().map(String::as_str), "repodata/repomd.xml.asc");
    let signature = match fetcher.index(&location, LARGEST) {
        Err(error) if error.is_not_found() && !error.is_offline() => {
            return Err(Error::Trust(bareroot_trust::Error::NoSignature {
                name: name.to_owned(),
            }));
        }
        result => result?,
    };
    let policy = repo.policy(SystemTime::now());
    confine::parse(|| {
        Ok(bareroot_trust::verify_detached(
            name, text, &signature, keyring, &policy,
        )?)
    })
}

fn reason(repo: &PlannedRepo) -> Waiver {
    Waiver {
        reason: format!("the metadata of {} is not signed", repo.id),
    }
}

impl PlannedRepo {
    /// How its signatures are judged.
    pub fn policy(&self, now: SystemTime) -> Policy {
        Policy {
            now,
            allow_weak_keys: self.weak_keys.clone(),
        }
    }

    /// Which digests vouch for its files: old ones too where the user takes its key in spite of its age, or asks for no
    /// signature.
    pub fn digests(&self, keyring: &Keyring) -> Digests {
        let accepted = keyring.fingerprints().iter().any(|own| {
            let plain = |text: &String| text.split_whitespace().collect::<String>().to_ascii_uppercase();
            let same = |weak: String| weak.strip_prefix("0X").unwrap_or(&weak) == own;
            self.weak_keys.iter().map(plain).any(same)
        });
        let waived = self.repo_gpgcheck == Check::Waived;
        match accepted || waived {
            true => Digests::Old,
            false => Digests::Strong,
        }
    }
}
