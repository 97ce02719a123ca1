//! `Release` files: what a suite is, how long it is valid, and the digests of its indexes.
//!
//! Only what a verified signature covers may come here. MD5 and SHA-1 lists are not read at all: a file that has no
//! other is an error.

mod check;
mod date;

use std::collections::BTreeMap;
use std::collections::btree_map;
use std::time::SystemTime;

use bareroot_model::Digest;
use bareroot_trust::Expected;

use crate::deb822::{Paragraph, paragraphs};
use crate::{Error, hex, paths};

pub use check::{Dates, Response};
pub use date::{format as format_date, parse as parse_date};

/// A suite's `Release` file. Texts that are absent are empty.
#[derive(Clone, Debug, Default)]
pub struct Release {
    /// The file's name for messages.
    name: String,
    /// `Origin`: who publishes it.
    pub origin: String,
    /// `Label`.
    pub label: String,
    /// `Suite`: `stable`, which moves from release to release.
    pub suite: String,
    /// `Codename`: `trixie`, which stays.
    pub codename: String,
    /// `Version`: `13.8`.
    pub version: String,
    /// `Date`: when it was made; `None` when there is none that can be read, which apt only warns about.
    pub date: Option<SystemTime>,
    /// `Valid-Until`.
    pub valid_until: Option<SystemTime>,
    /// `Architectures`; empty when the file does not say.
    pub architectures: Vec<String>,
    /// `Components` as written (`main`, or `updates/main` in security suites); empty when the file does not say.
    pub components: Vec<String>,
    /// `Acquire-By-Hash`: files are also found under their digest.
    pub acquire_by_hash: bool,
    /// `No-Support-for-Architecture-all: Packages`: packages of every architecture are in each architecture's own
    /// index, and there is no need to read `binary-all`.
    pub no_support_for_all: bool,
    /// `NotAutomatic`: apt gives the suite priority 1.
    pub not_automatic: bool,
    /// `ButAutomaticUpgrades`: apt then gives it priority 100.
    pub but_automatic_upgrades: bool,
    /// `Signed-By`: fingerprints that the next file has to be signed by.
    pub signed_by: Vec<String>,
    files: BTreeMap<String, Listed>,
}

/// What a `Release` file promises about one file. There is at least one digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Bytes.
    pub size: u64,
    /// SHA-256.
    pub sha256: Option<Digest>,
    /// SHA-512.
    pub sha512: Option<[u8; 64]>,
}

impl Listed {
    /// The promise as what a file is verified by.
    ///
    /// # Errors
    ///
    /// When there is no digest, which no `Release` file that was read here has.
    pub fn expected(self) -> Result<Expected, bareroot_trust::Error> {
        Expected::new(Some(self.size), self.sha256, self.sha512)
    }
}

/// One form in which a package index can be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate<'a> {
    /// The path below the directory of the `Release` file.
    pub path: &'a str,
    /// How it is compressed, by its name: `.xz`, or nothing.
    pub extension: &'static str,
    /// What is promised about it.
    pub listed: Listed,
}

/// The extensions of indexes, the best compressed first.
const EXTENSIONS: [&str; 6] = [".xz", ".zst", ".lzma", ".bz2", ".gz", ""];

impl Release {
    /// Reads the text that a signature covers. `name` is for messages: the file's URL without credentials.
    ///
    /// # Errors
    ///
    /// [`Error::Syntax`] when it is no paragraph of fields, [`Error::ReleaseDigests`] when it lists no SHA-256 or
    /// SHA-512, [`Error::Release`] when a list, a path or `Valid-Until` is malformed.
    pub fn parse(name: &str, text: &[u8]) -> Result<Release, Error> {
        let wrong = |reason: String| Error::Release {
            name: name.to_owned(),
            reason,
        };
        let paragraph = paragraphs(name, text)
            .next()
            .ok_or_else(|| wrong("it is empty".to_owned()))??;
        let text = |field| Ok::<_, Error>(paragraph.text(field)?.unwrap_or_default().to_owned());
        let words = |field| {
            let words = paragraph
                .text(field)?
                .unwrap_or_default()
                .split_ascii_whitespace();
            Ok::<Vec<String>, Error>(words.map(str::to_owned).collect())
        };
        let yes = |field| Ok::<_, Error>(paragraph.text(field)?.is_some_and(is_yes));
        let valid_until = match paragraph.text("Valid-Until")? {
            None | Some("") => None,
            Some(value) => Some(parse_date(value).ok_or_else(|| {
                wrong(format!(
                    "its `Valid-Until` is `{}`, which is no date",
                    brief(value)
                ))
            })?),
        };
        let mut release = Release {
            name: name.to_owned(),
            origin: text("Origin")?,
            label: text("Label")?,
            suite: text("Suite")?,
            codename: text("Codename")?,
            version: text("Version")?,
            date: paragraph.text("Date")?.and_then(parse_date),
            valid_until,
            architectures: words("Architectures")?,
            components: words("Components")?,
            acquire_by_hash: yes("Acquire-By-Hash")?,
            no_support_for_all: words("No-Support-for-Architecture-all")?
                .iter()
                .any(|word| word == "Packages"),
            not_automatic: yes("NotAutomatic")?,
            but_automatic_upgrades: yes("ButAutomaticUpgrades")?,
            signed_by: text("Signed-By")?
                .split(|c: char| c == ',' || c.is_ascii_whitespace())
                .filter(|word| !word.is_empty())
                .map(str::to_owned)
                .collect(),
            files: BTreeMap::new(),
        };
        release.list(&paragraph, "SHA256")?;
        release.list(&paragraph, "SHA512")?;
        if release.files.is_empty()
            && !["SHA256", "SHA512"]
                .iter()
                .any(|field| paragraph.get(field).is_some())
        {
            return Err(Error::ReleaseDigests {
                name: name.to_owned(),
            });
        }
        Ok(release)
    }

    /// Takes in one list: lines of digest, size and path.
    fn list(&mut self, paragraph: &Paragraph<'_>, field: &'static str) -> Result<(), Error> {
        let text = paragraph.text(field)?.unwrap_or_default();
        for line in text.lines().map(str::trim_ascii).filter(|line| !line.is_empty()) {
            let wrong = |reason: &str| Error::Release {
                name: self.name.clone(),
                reason: format!("the line `{}` of its `{field}` list {reason}", brief(line)),
            };
            let mut words = line.split_ascii_whitespace();
            let (Some(digest), Some(size), Some(path), None) =
                (words.next(), words.next(), words.next(), words.next())
            else {
                return Err(wrong("is not a digest, a size and a path"));
            };
            if !size.bytes().all(|b| b.is_ascii_digit()) {
                return Err(wrong("has a size that is not a number"));
            }
            let size = size
                .parse()
                .map_err(|_| wrong("has a size that is not a number"))?;
            let mut listed = Listed {
                size,
                sha256: None,
                sha512: None,
            };
            match field {
                "SHA256" => listed.sha256 = hex::decode(digest.as_bytes()).map(Digest::new),
                _ => listed.sha512 = hex::decode(digest.as_bytes()),
            }
            if listed.sha256.is_none() && listed.sha512.is_none() {
                return Err(wrong("has a digest of the wrong form"));
            }
            let path = paths::relative(path).map_err(|reason| wrong(&format!("has a path that {reason}")))?;
            match self.files.entry(path.into_owned()) {
                btree_map::Entry::Vacant(entry) => {
                    entry.insert(listed);
                }
                btree_map::Entry::Occupied(mut entry) => {
                    let known = entry.get_mut();
                    let same = known.size == size
                        && (listed.sha256.is_none()
                            || known.sha256.is_none()
                            || known.sha256 == listed.sha256)
                        && (listed.sha512.is_none()
                            || known.sha512.is_none()
                            || known.sha512 == listed.sha512);
                    if !same {
                        return Err(wrong("says something else than another line about the same path"));
                    }
                    known.sha256 = known.sha256.or(listed.sha256);
                    known.sha512 = known.sha512.or(listed.sha512);
                }
            }
        }
        Ok(())
    }

    /// The file's name for messages, as it was given.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What is promised about a path.
    pub fn listed(&self, path: &str) -> Option<Listed> {
        self.files.get(path).copied()
    }

    /// All files that are promised, by path.
    pub fn files(&self) -> impl ExactSizeIterator<Item = (&str, Listed)> {
        self.files.iter().map(|(path, listed)| (path.as_str(), *listed))
    }

    /// Whether the suite has this component. In security suites `main` is called `updates/main` by the file and
    /// `main` by the paths; both names will do, as with apt.
    pub fn has_component(&self, component: &str) -> bool {
        self.components.is_empty()
            || self.components.iter().any(|known| {
                known == component
                    || last_part(known) == component
                    || (component.contains('/') && last_part(component) == known)
            })
    }

    /// Whether the suite has this architecture.
    pub fn has_architecture(&self, architecture: &str) -> bool {
        self.architectures.is_empty() || self.architectures.iter().any(|known| known == architecture)
    }

    /// Whether packages of `Architecture: all` have to be read from an index of their own, beside each
    /// architecture's.
    pub fn has_index_of_all(&self) -> bool {
        !self.no_support_for_all && self.architectures.iter().any(|known| known == "all")
    }

    /// The forms of the package index of a component and an architecture, the best compressed first. There are none
    /// when the file lists none.
    pub fn packages(&self, component: &str, architecture: &str) -> Vec<Candidate<'_>> {
        let found = self.candidates(&format!("{component}/binary-{architecture}/Packages"));
        if !found.is_empty() || !component.contains('/') {
            return found;
        }
        self.candidates(&format!(
            "{}/binary-{architecture}/Packages",
            last_part(component)
        ))
    }

    /// The forms of the translated descriptions of a component in a language (`en`), the best compressed first.
    pub fn translations(&self, component: &str, language: &str) -> Vec<Candidate<'_>> {
        let found = self.candidates(&format!("{component}/i18n/Translation-{language}"));
        if !found.is_empty() || !component.contains('/') {
            return found;
        }
        self.candidates(&format!("{}/i18n/Translation-{language}", last_part(component)))
    }

    /// The forms of the one package index of a flat repository.
    pub fn flat_packages(&self) -> Vec<Candidate<'_>> {
        self.candidates("Packages")
    }

    fn candidates(&self, plain: &str) -> Vec<Candidate<'_>> {
        let find = |extension| {
            let (path, listed) = self.files.get_key_value(&format!("{plain}{extension}"))?;
            Some(Candidate {
                path,
                extension,
                listed: *listed,
            })
        };
        EXTENSIONS.into_iter().filter_map(find).collect()
    }
}

impl Candidate<'_> {
    /// The path under which a repository with `Acquire-By-Hash` keeps this very content.
    pub fn by_hash(&self) -> String {
        let directory = self
            .path
            .rsplit_once('/')
            .map_or(String::new(), |(directory, _)| format!("{directory}/"));
        // apt asks by the strongest digest that is listed.
        match (self.listed.sha512, self.listed.sha256) {
            (Some(digest), _) => {
                let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
                format!("{directory}by-hash/SHA512/{digest}")
            }
            (None, Some(digest)) => format!("{directory}by-hash/SHA256/{digest}"),
            (None, None) => self.path.to_owned(),
        }
    }
}

fn last_part(component: &str) -> &str {
    component.rsplit('/').next().unwrap_or(component)
}

/// What apt takes for true.
pub(crate) fn is_yes(value: &str) -> bool {
    ["yes", "true", "with", "on", "enable", "1"]
        .iter()
        .any(|word| value.eq_ignore_ascii_case(word))
}

/// What apt takes for false.
pub(crate) fn is_no(value: &str) -> bool {
    ["no", "false", "without", "off", "disable", "0"]
        .iter()
        .any(|word| value.eq_ignore_ascii_case(word))
}

/// A piece of somebody else's text for a message, on one line: a line of its own could pass for a message of ours.
pub(crate) fn brief(text: &str) -> String {
    text.replace('\n', "\\n").chars().take(120).collect()
}

#[cfg(test)]
mod tests;
