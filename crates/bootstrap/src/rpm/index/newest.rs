//! The newest signed repomd.xml that an address gave, as the cache has it.

use std::time::{Duration, SystemTime};

use bareroot_deb::release::format_date;
use bareroot_enter::confine;
use bareroot_fetch::{Fetcher, Unjudged};
use bareroot_model::Digest;
use bareroot_rpm_repo::repomd::Repomd;
use bareroot_trust::{Keyring, Trusted};
use sha2::{Digest as _, Sha256};

use super::mirrors::Mirrors;
use super::repomd::{LARGEST, title};
use crate::older::Older;
use crate::rpm::plan::PlannedRepo;

/// A repomd.xml of the cache, in the place of an older one.
pub struct Newer {
    /// The file.
    pub repomd: Trusted<Repomd>,
    /// Its SHA-256.
    pub sha256: Digest,
    /// What the mirror gave.
    pub older: Older,
}

/// What the cache has of the address that a verified `repomd` came from as `text`, where that is newer and signed as the
/// repository demands. Where a metalink vouches, it says itself which states still count.
pub fn newer(
    repomd: &Trusted<Repomd>,
    text: &Unjudged,
    repo: &PlannedRepo,
    mirrors: &Mirrors,
    keyring: &Keyring,
    fetcher: &Fetcher,
) -> Option<Newer> {
    if !text.fresh || repomd.waiver().is_some() || !mirrors.repomd.is_empty() {
        return None;
    }
    let kept = fetcher
        .last(&text.url, LARGEST)
        .filter(|kept| *kept != text.content)?;
    let signature = fetcher.last(&format!("{}.asc", text.url), LARGEST)?;
    let name = title(repo);
    let sha256 = Digest::new(Sha256::digest(&kept).into());
    let policy = repo.policy(SystemTime::now());
    let kept = confine::parse(|| {
        let verified = bareroot_trust::verify_detached(&name, kept, &signature, keyring, &policy).ok()?;
        verified.try_into_map(|text| Repomd::parse(&name, &text)).ok()
    })?;
    repomd.is_older_than(&kept).then(|| Newer {
        older: Older {
            url: text.url.clone(),
            found: moment(repomd),
            kept: moment(&kept),
        },
        repomd: kept,
        sha256,
    })
}

/// When a repomd.xml was made, for people.
fn moment(repomd: &Repomd) -> String {
    let made = repomd
        .made()
        .and_then(|seconds| SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds)));
    made.map_or_else(|| "no date".to_owned(), format_date)
}
