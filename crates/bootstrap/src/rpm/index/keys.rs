//! The keys that may sign a repository and its packages.

use std::sync::Arc;

use bareroot_enter::confine;
use bareroot_fetch::{Fetcher, Location};
use bareroot_trust::Keyring;

use crate::context::Context;
use crate::error::Error;
use crate::rpm::plan::{Keys, PlannedRepo};

/// A file of all of a vendor's keys has some tens of kilobytes.
const LARGEST: u64 = 4 << 20;

/// The repository's keyring.
///
/// # Errors
/// When a key cannot be had or read.
pub fn keyring(repo: &PlannedRepo, fetcher: &Fetcher, context: &Context) -> Result<Arc<Keyring>, Error> {
    let urls = match &repo.keys {
        Keys::Known(keyring) => return Ok(Arc::clone(keyring)),
        Keys::At(urls) => urls,
    };
    let mut all = Keyring::default();
    for url in urls {
        let shown = bareroot_fetch::without_credentials(url);
        let bytes = fetcher.index(&Location::of_url(url), LARGEST)?;
        let keyring = confine::parse(|| Keyring::from_bytes(&shown, &bytes))?;
        if url.starts_with("http://") {
            // Nothing vouches for it but the .repo file that names it.
            context.warn(format!(
                "{}'s key {} came over plain http: {}",
                repo.id,
                shown,
                keyring.fingerprints().join(", ")
            ));
        }
        all.extend(keyring);
    }
    Ok(Arc::new(all))
}
