//! A suite in a mirror: its Release files and every index that `apt-get update` asks for.

use std::collections::BTreeSet;

use bareroot_deb::release::{Candidate, Release};
use bareroot_deb::sources::ByHash;
use bareroot_fetch::{Fetcher, Location};
use bareroot_trust::{Expected, Trusted};

use super::dir::{Dir, NEXT};
use super::paths::{self, below};
use super::unit::Unit;
use crate::context::Context;
use crate::deb::index;
use crate::deb::plan::{Check, PlannedSource};
use crate::error::Error;

/// apt's own limit of a Release file.
const LARGEST: u64 = 10_000_000;

/// The language whose descriptions are mirrored: apt asks for it whatever its locale is.
const LANGUAGE: &str = "en";

/// A suite as all closures together want it.
#[derive(Clone)]
pub struct Suite {
    /// Where its archive is below the mirror.
    pub place: String,
    /// The source.
    pub source: PlannedSource,
    /// The components.
    pub components: BTreeSet<String>,
    /// The architectures.
    pub architectures: BTreeSet<String>,
}

impl Suite {
    /// Its directory below the mirror.
    pub fn directory(&self) -> String {
        directory(&self.place, &self.source.source.suite)
    }

    /// The source as it is read from a mirror's directory below `base`.
    pub fn at(&self, dir: &Dir, base: &str) -> PlannedSource {
        at(&self.source, dir, &below_base(base, &self.place))
    }

    /// The groups of forms that are wanted, each of one content; and whether one of them must be there.
    fn groups<'r>(&self, release: &'r Release) -> Vec<(Vec<Candidate<'r>>, bool)> {
        if self.source.source.is_flat() {
            return vec![(release.flat_packages(), true)];
        }
        let mut groups = Vec::new();
        for component in &self.components {
            for arch in &self.architectures {
                if release.has_architecture(arch) {
                    groups.push((release.packages(component, arch), true));
                }
            }
            if release.has_index_of_all() {
                groups.push((release.packages(component, "all"), true));
            }
            groups.push((release.translations(component, LANGUAGE), false));
        }
        groups.retain(|(forms, _)| !forms.is_empty());
        groups
    }
}

/// The directory of a suite, whose files are below `dists`, or of a flat repository.
pub fn directory(place: &str, suite: &str) -> String {
    let own = match suite.strip_suffix('/') {
        Some(path) => paths::plain(path),
        None => format!("dists/{suite}"),
    };
    match own.as_str() {
        "" => place.to_owned(),
        own => below(place, own),
    }
}

/// A source as it is read from a directory of a mirror.
pub fn at(source: &PlannedSource, dir: &Dir, directory: &str) -> PlannedSource {
    let mut source = source.clone();
    source.source.uris = vec![dir.url(directory)];
    source.addresses = None;
    // By its plain names: not every repository has others.
    source.source.by_hash = Some(ByHash::No);
    source
}

/// A place below a base, either of which may be the mirror itself.
pub fn below_base(base: &str, place: &str) -> String {
    match place {
        "." => base.to_owned(),
        place => below(base, place),
    }
}

/// Fetches what is to be put in place, and lays it out below [`NEXT`]. What the mirror has already is not fetched.
///
/// # Errors
/// When a file cannot be had or trusted.
pub fn stage(suite: &Suite, dir: &Dir, fetcher: &Fetcher, context: &Context) -> Result<Unit, Error> {
    match try_stage(suite, dir, fetcher, context) {
        Err(Error::Fetch(error)) if error.is_not_found() || error.is_mismatch() => {
            context.note(format!("{error}; reading {} again", suite.source.name()));
            dir.root()
                .remove_all(paths::plain(&format!("{NEXT}/{}", suite.directory())))?;
            try_stage(suite, dir, fetcher, context)
        }
        result => result,
    }
}

fn try_stage(suite: &Suite, dir: &Dir, fetcher: &Fetcher, context: &Context) -> Result<Unit, Error> {
    let source = &suite.source;
    let name = source.source.suite.trim_end_matches('/');
    if !matches!(name, "" | ".") {
        super::client::below(&suite.place, name, &source.name())?;
    }
    let mut unit = Unit::new(suite.directory(), source.source.is_flat());
    let mut files = Vec::new();
    let mut fetch = |file: &str| match fetcher.unjudged(&index::location(source, file), LARGEST) {
        Ok(found) => {
            files.push(found.clone());
            Ok(Some(found.content))
        }
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    };
    let signed = fetch("InRelease")?;
    let published = dir.root().read_if_exists(unit.published("InRelease"))?;
    let same = signed.is_some() && signed == published;
    if let Some(bytes) = &signed {
        unit.put(dir, "InRelease", bytes)?;
    }
    for file in ["Release", "Release.gpg"] {
        // They say the same as InRelease: where that is what it was, so are they.
        let bytes = match same {
            true => dir.root().read_if_exists(unit.published(file))?,
            false => fetch(file)?,
        };
        if let Some(bytes) = bytes {
            unit.put(dir, file, &bytes)?;
        }
    }
    // From here on nothing but the bytes that are to be put in place is believed.
    let release = index::release(&suite.at(dir, NEXT), fetcher, context)?;
    match index::newer(&release, &files, source, fetcher) {
        Some(newer) if source.valid_until == Check::Enforced => return Err(newer.older.refused(None)),
        Some(newer) => context.warn(newer.older.waived()),
        None => {}
    }
    files.iter().for_each(|file| fetcher.keep_judged(file));
    if signed.is_some() && !says_the_same(&unit, &release, dir)? {
        context.note(format!(
            "Release of {} is not of the same moment as InRelease and is left out",
            source.name()
        ));
        unit.drop(dir, "Release")?;
        unit.drop(dir, "Release.gpg")?;
    }
    let staging = Staging {
        suite,
        release: &release,
        dir,
        fetcher,
    };
    for (forms, needed) in suite.groups(&release) {
        staging.group(&forms, needed, &mut unit)?;
    }
    Ok(unit)
}

/// Whether Release, where it is there, lists what InRelease does.
fn says_the_same(unit: &Unit, release: &Release, dir: &Dir) -> Result<bool, Error> {
    let Some(text) = dir.root().read_if_exists(unit.next("Release"))? else {
        return Ok(true);
    };
    let Ok(other) = Release::parse("Release", &text) else {
        return Ok(false);
    };
    Ok(other.date == release.date && other.files().eq(release.files()))
}

struct Staging<'a> {
    suite: &'a Suite,
    release: &'a Trusted<Release>,
    dir: &'a Dir,
    fetcher: &'a Fetcher,
}

impl Staging<'_> {
    /// Every compressed form of an index that the mirror has, or the plain one where that is all.
    fn group(&self, forms: &[Candidate<'_>], needed: bool, unit: &mut Unit) -> Result<(), Error> {
        let (plain, compressed): (Vec<_>, Vec<_>) = forms.iter().partition(|form| form.extension.is_empty());
        let mut missing = None;
        let mut had = false;
        for form in compressed.into_iter().chain(plain) {
            if form.extension.is_empty() && had {
                break;
            }
            match self.form(form, unit) {
                Ok(()) => had = true,
                Err(Error::Fetch(error)) if error.is_not_found() => missing = Some(error),
                Err(error) => return Err(error),
            }
        }
        match (had || !needed, missing) {
            (false, Some(error)) => Err(error.into()),
            _ => Ok(()),
        }
    }

    fn form(&self, form: &Candidate<'_>, unit: &mut Unit) -> Result<(), Error> {
        let source = &self.suite.source;
        super::client::below(".", form.path, &source.name())?;
        let expected = self.release.try_map(|_| form.listed.expected())?;
        if self.dir.judge(&unit.published(form.path), &expected)?.is_ok() {
            unit.link(self.dir, form.path)?;
        } else {
            let by_hash = self.release.acquire_by_hash && source.source.by_hash != Some(ByHash::No);
            let names = by_hash.then(|| form.by_hash()).into_iter();
            let locations: Vec<Location> = names
                .chain([form.path.to_owned()])
                .map(|path| index::location(source, &path))
                .collect();
            let label = format!("{} {}", source.name(), form.path);
            let blob = self.fetcher.verified_at_any(&locations, &expected, &label)?;
            unit.keep(self.dir, form.path, blob.get())?;
        }
        if self.release.acquire_by_hash {
            for name in by_hash_names(form.path, &expected) {
                unit.also(self.dir, form.path, &name)?;
            }
        }
        Ok(())
    }
}

/// The names of a file by its digests.
pub fn by_hash_names(path: &str, expected: &Expected) -> Vec<String> {
    let directory = path
        .rsplit_once('/')
        .map_or(String::new(), |(directory, _)| format!("{directory}/"));
    let sha256 = expected
        .sha256()
        .map(|digest| format!("{directory}by-hash/SHA256/{digest}"));
    let sha512 = expected.sha512().map(|digest| {
        let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{directory}by-hash/SHA512/{digest}")
    });
    sha256.into_iter().chain(sha512).collect()
}

/// What a file of a suite must be: by its own name, or by its digest.
pub fn promised(release: &Trusted<Release>, file: &str) -> Option<Trusted<Expected>> {
    let find = |release: &Release| {
        if let Some(listed) = release.listed(file) {
            return listed.expected().ok();
        }
        let (directory, _) = file.split_once("by-hash/")?;
        let mut beside = release.files().filter(|(path, _)| {
            let rest = path.strip_prefix(directory);
            rest.is_some_and(|rest| !rest.contains('/'))
        });
        beside.find_map(|(path, listed)| {
            let expected = listed.expected().ok()?;
            let names = by_hash_names(path, &expected);
            names.iter().any(|name| name == file).then_some(expected)
        })
    };
    let found = find(release.get())?;
    Some(release.map(|_| found))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_of_suites() {
        for (place, suite, wanted) in [
            (".", "trixie", "dists/trixie"),
            ("security", "trixie-security", "security/dists/trixie-security"),
            ("x", "./", "x"),
            (".", "stable/", "stable"),
            (".", "./", "."),
        ] {
            assert_eq!(directory(place, suite), wanted);
        }
    }
}
