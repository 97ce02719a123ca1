//! An RPM repository in a mirror: repomd.xml, its signature, and the metadata that `dnf makecache` asks for.

use std::sync::Arc;

use bareroot_fetch::{Fetcher, Location};
use bareroot_rpm_repo::repomd::{Data, Digests, Repomd};
use bareroot_trust::{Expected, Keyring, Trusted};

use super::client::below;
use super::deb::below_base;
use super::dir::{Dir, NEXT};
use super::unit::Unit;
use crate::context::Context;
use crate::error::Error;
use crate::rpm::index::{self, Mirrors};
use crate::rpm::plan::{Check, PlannedRepo};

/// librepo sets no limit; real ones have a few kilobytes.
const LARGEST: u64 = 10_000_000;

/// A repository.
#[derive(Clone)]
pub struct Repository {
    /// Where it is below the mirror.
    pub place: String,
    /// The repository.
    pub repo: PlannedRepo,
}

impl Repository {
    /// Its directory of metadata below the mirror.
    pub fn directory(&self) -> String {
        super::paths::below(&self.place, "repodata")
    }

    /// Verifies its repomd.xml as it is below `base`.
    ///
    /// # Errors
    /// When it is not signed as it must be, or cannot be read.
    pub fn repomd(
        &self,
        dir: &Dir,
        base: &str,
        fetcher: &Fetcher,
        context: &Context,
    ) -> Result<Metadata, Error> {
        let keyring = index::keyring(&self.repo, fetcher, context)?;
        let here = at(&self.repo, dir, &below_base(base, &self.place));
        let mirrors = Mirrors {
            urls: here.base_urls.clone(),
            repomd: Vec::new(),
        };
        let fetched = index::repomd(&here, &mirrors, &keyring, fetcher, context)?;
        Ok(Metadata {
            name: format!("repomd.xml of {}", self.repo.id),
            digests: self.repo.digests(&keyring),
            repomd: fetched.repomd,
            keyring,
        })
    }
}

/// A repomd.xml that was verified.
pub struct Metadata {
    name: String,
    digests: Digests,
    repomd: Trusted<Repomd>,
    keyring: Arc<Keyring>,
}

impl Metadata {
    /// The files of it that are mirrored.
    pub fn files(&self) -> impl Iterator<Item = &Data> {
        self.repomd.data.iter().filter(|data| is_asked_for(&data.kind))
    }

    /// What a file must be.
    ///
    /// # Errors
    /// For a digest that vouches for nothing.
    pub fn expected(&self, data: &Data) -> Result<Trusted<Expected>, Error> {
        Ok(self.repomd.try_map(|_| data.expected(&self.name, self.digests))?)
    }
}

/// A repository as it is read from a directory of a mirror.
pub fn at(repo: &PlannedRepo, dir: &Dir, directory: &str) -> PlannedRepo {
    PlannedRepo {
        base_urls: vec![dir.url(directory)],
        mirror_list: None,
        metalink: None,
        ..repo.clone()
    }
}

/// Whether dnf asks for a kind of metadata by itself: not for the databases of yum 3, for changelogs, and for what
/// describes deltas.
fn is_asked_for(kind: &str) -> bool {
    let plain = ["_zst", "_xz", "_gz", "_bz2", "_zck"]
        .iter()
        .find_map(|suffix| kind.strip_suffix(suffix))
        .unwrap_or(kind);
    !plain.ends_with("_db") && !["other", "prestodelta", "deltainfo", "susedata"].contains(&plain)
}

/// Fetches what is to be put in place, and lays it out below [`NEXT`]; then the addresses of the packages.
///
/// # Errors
/// When a file cannot be had or trusted.
pub fn stage(
    repository: &Repository,
    dir: &Dir,
    fetcher: &Fetcher,
    context: &Context,
) -> Result<(Unit, Vec<String>), Error> {
    let mirrors = index::mirrors_of(&repository.repo, fetcher)?;
    match try_stage(repository, &mirrors, dir, fetcher, context) {
        Err(Error::Fetch(error)) if error.is_not_found() || error.is_mismatch() => {
            context.note(format!("{error}; reading {} again", repository.repo.id));
            dir.root()
                .remove_all(format!("{NEXT}/{}", repository.directory()))?;
            try_stage(repository, &mirrors, dir, fetcher, context)
        }
        result => result,
    }
    .map(|unit| (unit, mirrors.urls))
}

fn try_stage(
    repository: &Repository,
    mirrors: &Mirrors,
    dir: &Dir,
    fetcher: &Fetcher,
    context: &Context,
) -> Result<Unit, Error> {
    let repo = &repository.repo;
    let mut unit = Unit::new(repository.directory(), false);
    let at = |path: &str| Location::new(mirrors.urls.iter().map(String::as_str), path);
    let text = index::repomd_text(repo, mirrors, fetcher)?;
    unit.put(dir, "repomd.xml", &text.content)?;
    let mut files = vec![text];
    match fetcher.unjudged(&at("repodata/repomd.xml.asc"), LARGEST) {
        Ok(signature) => {
            unit.put(dir, "repomd.xml.asc", &signature.content)?;
            files.push(signature);
        }
        Err(error) if error.is_not_found() => {}
        // Where nobody asks for a signature, that there is none to be had is nobody's business.
        Err(_) if repo.repo_gpgcheck == Check::Off => {}
        Err(error) => return Err(error.into()),
    }
    // From here on nothing but the bytes that are to be put in place is believed.
    let metadata = repository.repomd(dir, NEXT, fetcher, context)?;
    match files
        .first()
        .and_then(|text| index::newer(&metadata.repomd, text, repo, mirrors, &metadata.keyring, fetcher))
    {
        Some(newer) if repo.older == Check::Enforced => return Err(newer.older.refused(None)),
        Some(newer) => context.warn(newer.older.waived()),
        None => {}
    }
    files.iter().for_each(|file| fetcher.keep_judged(file));
    for data in metadata.files() {
        let path = below(".", &data.location, &format!("repomd.xml of {}", repo.id))?;
        let Some(file) = path.strip_prefix("repodata/") else {
            return Err(Error::MirrorPath {
                path,
                source_name: format!("repomd.xml of {}", repo.id),
                reason: "is not in the directory of the metadata",
            });
        };
        let expected = metadata.expected(data)?;
        if dir.judge(&unit.published(file), &expected)?.is_ok() {
            unit.link(dir, file)?;
        } else if !unit.files.contains(file) {
            let label = format!("{} of {}", data.location, repo.id);
            let blob = fetcher.verified_at_any(&[at(&data.location)], &expected, &label)?;
            unit.keep(dir, file, blob.get())?;
        }
    }
    Ok(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_dnf_asks_for() {
        for kind in [
            "primary",
            "primary_zck",
            "filelists",
            "group",
            "group_gz",
            "updateinfo",
            "modules",
            "productid",
        ] {
            assert!(is_asked_for(kind), "{kind}");
        }
        for kind in [
            "primary_db",
            "other",
            "other_zck",
            "other_db",
            "prestodelta",
            "filelists_db",
        ] {
            assert!(!is_asked_for(kind), "{kind}");
        }
    }
}
