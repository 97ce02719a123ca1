//! What a mirror holds and for whom: `.bareroot-mirror/record.toml`.
//!
//! It names every file that was put into the mirror, so that nothing else is ever removed, and every closure that was asked
//! for, so that each run brings all of them up to date that share a suite or repository.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::lock;
use crate::request::{LockUse, Request, Variant, Waivers};

/// The version of the format.
const VERSION: u32 = 1;

/// What a mirror holds and for whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    version: u32,
    /// Packages that were put here, or were about to be.
    #[serde(default)]
    pub packages: BTreeSet<String>,
    /// Directories of indexes, and the files in each that came with it.
    #[serde(default)]
    pub indexes: BTreeMap<String, BTreeSet<String>>,
    /// The SHA-256 of files that no other file vouches for: Release files, repomd.xml, signatures. Of one that is about to
    /// be replaced there are two.
    #[serde(default)]
    pub seals: BTreeMap<String, BTreeSet<String>>,
    /// What was asked for.
    #[serde(default, rename = "closure")]
    pub closures: Vec<Closure>,
}

impl Default for Record {
    fn default() -> Self {
        Record {
            version: VERSION,
            packages: BTreeSet::new(),
            indexes: BTreeMap::new(),
            seals: BTreeMap::new(),
            closures: Vec::new(),
        }
    }
}

/// What a request brought into the mirror.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Closure {
    /// The request.
    pub asked: Asked,
    /// Its directories of indexes.
    pub indexes: BTreeSet<String>,
    /// Its packages.
    pub packages: BTreeSet<String>,
}

/// As much of a request as shapes its closure, in the words of the command line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Asked {
    #[serde(skip_serializing_if = "Option::is_none")]
    lock: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    spec: Option<String>,
    variant: String,
    arch: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    include: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    exclude: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recommends: Option<bool>,
    with_optional: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    components: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    updates: Option<bool>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    sources: Vec<PathBuf>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    repos: Vec<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    releasever: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    mirrors: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    keyrings: Vec<PathBuf>,
    no_check_valid_until: bool,
    allow_unauthenticated: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    allow_weak_key: Vec<String>,
}

impl Asked {
    /// What a request asks for, for an architecture; names of files are made absolute.
    pub fn of(request: &Request, arch: &str) -> Asked {
        let absolute = |path: &PathBuf| std::path::absolute(path).unwrap_or_else(|_| path.clone());
        let file = |word: &String| match word.starts_with("./") || word.starts_with("../") {
            true => absolute(&PathBuf::from(word)).display().to_string(),
            false => word.clone(),
        };
        Asked {
            lock: match &request.lock {
                LockUse::Only(path) => Some(absolute(path)),
                LockUse::No | LockUse::IfFresh(_) => None,
            },
            spec: request.spec.clone(),
            variant: request.variant.word().to_owned(),
            arch: arch.to_owned(),
            include: request.include.iter().map(file).collect(),
            exclude: request.exclude.clone(),
            recommends: request.recommends,
            with_optional: request.with_optional,
            components: request.components.clone(),
            updates: request.updates,
            sources: request.sources.iter().map(absolute).collect(),
            repos: request.repos.iter().map(absolute).collect(),
            releasever: request.releasever.clone(),
            // What a mirror remembers may be served to anybody.
            mirrors: request
                .mirrors
                .iter()
                .map(|mirror| bareroot_fetch::without_credentials(mirror))
                .collect(),
            keyrings: request.keyrings.iter().map(absolute).collect(),
            no_check_valid_until: request.waivers.valid_until,
            allow_unauthenticated: request.waivers.signature,
            allow_weak_key: request.waivers.weak_keys.clone(),
        }
    }

    /// The request, with everything that says how and not what from another.
    ///
    /// # Errors
    /// When it is that of a lock which cannot be read any more.
    pub fn request(&self, how: &Request) -> Result<Request, Error> {
        let own = self.own(how);
        let Some(path) = &self.lock else {
            return Ok(own);
        };
        Ok(Request {
            arch: own.arch,
            mirrors: own.mirrors,
            keyrings: own.keyrings,
            waivers: own.waivers,
            cache: own.cache,
            offline: own.offline,
            timeout: own.timeout,
            jobs: own.jobs,
            lock: LockUse::Only(path.clone()),
            ..lock::request_of(&lock::read(path)?.made_from)
        })
    }

    fn own(&self, how: &Request) -> Request {
        Request {
            spec: self.spec.clone(),
            variant: Variant::named(&self.variant).unwrap_or_default(),
            arch: Some(self.arch.clone()),
            include: self.include.clone(),
            exclude: self.exclude.clone(),
            recommends: self.recommends,
            with_optional: self.with_optional,
            components: self.components.clone(),
            updates: self.updates,
            sources: self.sources.clone(),
            repos: self.repos.clone(),
            releasever: self.releasever.clone(),
            mirrors: self.mirrors.clone(),
            keyrings: self.keyrings.clone(),
            waivers: Waivers {
                valid_until: self.no_check_valid_until,
                signature: self.allow_unauthenticated,
                weak_keys: self.allow_weak_key.clone(),
            },
            cache: how.cache.clone(),
            offline: how.offline,
            timeout: how.timeout,
            jobs: how.jobs,
            ..Request::default()
        }
    }

    /// Whether both ask for the same packages, wherever these come from.
    pub fn is_same(&self, other: &Asked) -> bool {
        let bare = |asked: &Asked| Asked {
            mirrors: Vec::new(),
            keyrings: Vec::new(),
            no_check_valid_until: false,
            allow_unauthenticated: false,
            allow_weak_key: Vec::new(),
            ..asked.clone()
        };
        bare(self) == bare(other)
    }

    /// The distribution that the SPEC names.
    pub fn distribution(&self) -> Option<&str> {
        let spec = self.spec.as_deref()?;
        Some(spec.split_once(':').map_or(spec, |(id, _)| id))
    }

    /// A short name for messages.
    pub fn title(&self) -> String {
        let files = self.sources.iter().chain(&self.repos);
        let what = match &self.spec {
            Some(spec) => spec.clone(),
            None => files
                .map(|path| path.display().to_string())
                .collect::<Vec<_>>()
                .join(", "),
        };
        format!("{what} ({})", self.arch)
    }
}

impl Record {
    /// Reads a record; the error says what is wrong, as the end of a sentence.
    ///
    /// # Errors
    /// When it is no such file, or of another version.
    pub fn parse(text: &str) -> Result<Record, String> {
        let record: Record = toml::from_str(text).map_err(|error| error.message().to_owned())?;
        match record.version {
            VERSION => Ok(record),
            other => Err(format!("its version is {other}; expected {VERSION}")),
        }
    }

    /// The text of the file.
    ///
    /// # Errors
    /// When the serializer refuses, which no record makes it do.
    pub fn render(&self) -> Result<String, toml::ser::Error> {
        toml::to_string(self)
    }

    /// Files that no closure needs.
    pub fn superfluous(&self) -> Vec<String> {
        let needed: BTreeSet<&String> = (self.closures.iter())
            .flat_map(|closure| &closure.packages)
            .collect();
        let packages = self
            .packages
            .iter()
            .filter(|path| !needed.contains(path))
            .cloned();
        let kept: BTreeSet<&String> = (self.closures.iter())
            .flat_map(|closure| &closure.indexes)
            .collect();
        let gone = self
            .indexes
            .iter()
            .filter(|(directory, _)| !kept.contains(directory));
        let indexes =
            gone.flat_map(|(directory, files)| files.iter().map(move |file| format!("{directory}/{file}")));
        packages.chain(indexes).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(words: &[&str]) -> BTreeSet<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let request = Request {
            spec: Some("debian:trixie".to_owned()),
            include: vec!["vim".to_owned()],
            mirrors: vec!["http://user:secret@m/debian".to_owned()],
            updates: Some(false),
            ..Request::default()
        };
        let asked = Asked::of(&request, "amd64");
        assert!(!format!("{asked:?}").contains("secret"));
        let again = asked.request(&Request::default()).unwrap();
        assert_eq!(Asked::of(&again, "amd64"), asked);
        let elsewhere = Request {
            mirrors: Vec::new(),
            ..request.clone()
        };
        assert!(asked.is_same(&Asked::of(&elsewhere, "amd64")));
        assert!(!asked.is_same(&Asked::of(&elsewhere, "i386")));
        let record = Record {
            packages: set(&["pool/a", "pool/b"]),
            indexes: [
                ("dists/trixie".to_owned(), set(&["InRelease"])),
                ("dists/sid".to_owned(), set(&["InRelease"])),
            ]
            .into(),
            closures: vec![Closure {
                asked,
                indexes: set(&["dists/trixie"]),
                packages: set(&["pool/b"]),
            }],
            ..Record::default()
        };
        let text = record.render().unwrap();
        assert_eq!(Record::parse(&text), Ok(record.clone()));
        assert_eq!(record.superfluous(), ["pool/a", "dists/sid/InRelease"]);
        assert!(Record::parse("version = 7").unwrap_err().contains("expected 1"));
    }
}
