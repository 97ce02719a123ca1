//! A repository's repomd.xml: fetched, held against the metalink and its signature.

use std::time::SystemTime;

use bareroot_enter::confine;
use bareroot_fetch::{Fetcher, Location, Unjudged};
use bareroot_model::Digest;
use bareroot_rpm_repo::repomd::{Digests, Repomd};
use bareroot_trust::{Keyring, Policy, Trusted, Waiver};
use sha2::{Digest as _, Sha256};

use super::mirrors::Mirrors;
use super::newest;
use crate::context::Context;
use crate::error::Error;
use crate::older::Older;
use crate::rpm::plan::{Check, PlannedRepo};

/// Real ones have a few kilobytes; librepo sets no limit.
pub const LARGEST: u64 = 10_000_000;

/// A repository's repomd.xml, verified.
pub struct Fetched {
    /// The file.
    pub repomd: Trusted<Repomd>,
    /// Its SHA-256.
    pub sha256: Digest,
    /// What the mirror gave, where this is a newer one of the cache.
    pub older: Option<Older>,
}

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
) -> Result<Fetched, Error> {
    let name = title(repo);
    let text = known(repo, mirrors, fetcher)?;
    let mut files = vec![text.clone()];
    let trusted = match repo.repo_gpgcheck {
        Check::Off => {
            if repo.gpgcheck == Check::Waived {
                context.warn(format!("nothing vouches for the metadata of {}", repo.id));
            }
            Trusted::waived(text.content.clone(), reason(repo))
        }
        check => match (signed(&text, repo, mirrors, keyring, fetcher), check) {
            (Ok((trusted, signature)), _) => {
                files.push(signature);
                trusted
            }
            (Err(error), Check::Waived) => {
                context.warn(format!("{} is not verified: {error}", repo.id));
                Trusted::waived(text.content.clone(), reason(repo))
            }
            (Err(error), _) => return Err(error),
        },
    };
    let sha256 = Digest::new(Sha256::digest(trusted.get()).into());
    let repomd = confine::parse(|| trusted.try_into_map(|text| Repomd::parse(&name, &text)))?;
    match newest::newer(&repomd, &text, repo, mirrors, keyring, fetcher) {
        Some(newer) if repo.older == Check::Enforced => {
            context.warn(newer.older.replaced());
            return Ok(Fetched {
                repomd: newer.repomd,
                sha256: newer.sha256,
                older: Some(newer.older),
            });
        }
        Some(newer) => context.warn(newer.older.waived()),
        None => {}
    }
    files.iter().for_each(|file| fetcher.keep_judged(file));
    Ok(Fetched {
        repomd,
        sha256,
        older: None,
    })
}

/// What a repository's repomd.xml is called in messages.
pub fn title(repo: &PlannedRepo) -> String {
    format!("repomd.xml of {}", repo.id)
}

/// The file, as the metalink knows it where there is one: mirrors that lag behind may have one of its alternates.
///
/// # Errors
/// When no mirror has it.
pub fn known(repo: &PlannedRepo, mirrors: &Mirrors, fetcher: &Fetcher) -> Result<Unjudged, Error> {
    let location = Location::new(mirrors.urls.iter().map(String::as_str), "repodata/repomd.xml");
    if mirrors.repomd.is_empty() {
        return Ok(fetcher.unjudged(&location, LARGEST)?);
    }
    // A mirror that is gone says less than one that has something else.
    let (mut gone, mut other) = (None, None);
    for url in &mirrors.urls {
        let location = Location::new([url.as_str()], "repodata/repomd.xml");
        match fetcher.unjudged(&location, LARGEST) {
            Ok(text) if mirrors.repomd.iter().any(|file| file.matches(&text.content)) => return Ok(text),
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

/// The text by its signature, and the signature.
fn signed(
    text: &Unjudged,
    repo: &PlannedRepo,
    mirrors: &Mirrors,
    keyring: &Keyring,
    fetcher: &Fetcher,
) -> Result<(Trusted<Vec<u8>>, Unjudged), Error> {
    let name = title(repo);
    let location = Location::new(mirrors.urls.iter().map(String::as_str), "repodata/repomd.xml.asc");
    let signature = match fetcher.unjudged(&location, LARGEST) {
        Err(error) if error.is_not_found() && !error.is_offline() => {
            return Err(Error::Trust(bareroot_trust::Error::NoSignature { name }));
        }
        result => result?,
    };
    let policy = repo.policy(SystemTime::now());
    let text = text.content.clone();
    let verify = || bareroot_trust::verify_detached(&name, text, &signature.content, keyring, &policy);
    let trusted = confine::parse(verify)?;
    Ok((trusted, signature))
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
