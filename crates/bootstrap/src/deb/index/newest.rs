//! The newest Release file that an address gave, as the cache has it.

use bareroot_deb::release::{Release, format_date};
use bareroot_enter::confine;
use bareroot_fetch::{Fetcher, Unjudged};
use bareroot_trust::Trusted;

use super::ReadIndex;
use super::release::{LARGEST_RELEASE, parsed};
use crate::deb::plan::PlannedSource;
use crate::older::Older;

/// A Release file of the cache, in the place of an older one.
pub struct Newer {
    /// The file.
    pub release: Trusted<Release>,
    /// What is known of it.
    pub read: ReadIndex,
    /// What the mirror gave.
    pub older: Older,
}

/// What the cache has of the address that a verified `release` came from in `files`, where that is newer. It has to be
/// signed as the source demands, or it says nothing. `InRelease` and `Release` are asked for both: else it would do to
/// answer that there is no such file.
pub fn newer(
    release: &Trusted<Release>,
    files: &[Unjudged],
    source: &PlannedSource,
    fetcher: &Fetcher,
) -> Option<Newer> {
    let found = files.first()?;
    if !found.fresh || release.waiver().is_some() {
        return None;
    }
    let keyring = source.keyring.as_ref()?;
    let (directory, _) = found.url.rsplit_once('/')?;
    let last = |file: &str| {
        let text = fetcher.last(&format!("{directory}/{file}"), LARGEST_RELEASE)?;
        // The usual case: it has not changed.
        (text != found.content).then_some(text)
    };
    let (name, policy) = (source.name(), source.policy());
    let clear = last("InRelease").and_then(|text| {
        let verify = || bareroot_trust::verify_cleartext(&name, &text, keyring, &policy);
        let verified = confine::parse(verify).ok()?;
        parsed(&name, "InRelease", &text, verified).ok()
    });
    let detached = last("Release")
        .zip(last("Release.gpg"))
        .and_then(|(text, signature)| {
            let verify =
                || bareroot_trust::verify_detached(&name, text.clone(), &signature, keyring, &policy);
            let verified = confine::parse(verify).ok()?;
            parsed(&name, "Release", &text, verified).ok()
        });
    let (kept, read) = clear
        .into_iter()
        .chain(detached)
        .filter(|(kept, _)| kept.date > release.date)
        .max_by_key(|(kept, _)| kept.date)?;
    let text = |date: Option<_>| date.map_or_else(|| "no date".to_owned(), format_date);
    Some(Newer {
        older: Older {
            url: found.url.clone(),
            found: text(release.date),
            kept: text(kept.date),
        },
        release: kept,
        read,
    })
}
