use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use sha2::Digest;

use super::Published;
use super::date::date;
use crate::compress::Compression;
use crate::sign::Signer;

/// A suite of a repository: which indexes it has and what its `Release` says.
///
/// The fields are meant to be changed: each makes one kind of repository that exists, or one kind of broken one.
#[derive(Clone, Debug)]
pub struct Suite {
    /// The directory below `dists/`; for a flat repository the directory itself, ending in `/` (`./`).
    pub path: String,
    /// `Suite`, or no such field.
    pub suite: Option<String>,
    /// `Codename`, or no such field.
    pub codename: Option<String>,
    /// `Components`; a path before the last part (`updates/main`) stays out of the indexes' paths, as Debian has it.
    pub components: Vec<String>,
    /// `Architectures`, without `all`.
    pub architectures: Vec<String>,
    /// Seconds since 1970 of `Date`, or no such field; an hour ago by default.
    pub date: Option<i64>,
    /// Seconds since 1970 of `Valid-Until`, or no such field (by default).
    pub valid_until: Option<i64>,
    /// In which forms `Packages` is there.
    pub compressions: Vec<Compression>,
    /// Forms that `Release` lists although they are not there, as Debian lists the plain one.
    pub listed_only: Vec<Compression>,
    /// Whether `by-hash` is there, and said to be.
    pub by_hash: bool,
    /// Whether the plain names are there beside `by-hash`.
    pub plain_names: bool,
    /// Whether packages for all architectures have an index of their own instead of being in each.
    pub separate_all: bool,
    /// Digests in `Release`: `MD5Sum`, `SHA1`, `SHA256`, `SHA512` (MD5Sum and SHA256 by default).
    pub digests: Vec<&'static str>,
    /// Whether `InRelease` is there.
    pub in_release: bool,
    /// Whether `Release` is there, with `Release.gpg` when it is signed.
    pub release: bool,
    /// Other fields of `Release` (`NotAutomatic: yes`), in order.
    pub fields: Vec<(String, String)>,
}

impl Suite {
    /// A suite with one component `main` for amd64, whose `Suite` and `Codename` are its directory's name.
    pub fn new(name: &str) -> Self {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |now| now.as_secs() as i64);
        Suite {
            path: name.into(),
            suite: Some(name.into()),
            codename: Some(name.into()),
            components: vec!["main".into()],
            architectures: vec!["amd64".into()],
            date: Some(now - 3600),
            valid_until: None,
            compressions: vec![Compression::Xz, Compression::Gzip],
            listed_only: vec![Compression::None],
            by_hash: true,
            plain_names: true,
            separate_all: false,
            digests: vec!["MD5Sum", "SHA256"],
            in_release: true,
            release: true,
            fields: Vec::new(),
        }
    }

    /// A flat repository in a directory (`./` for the root): no components, one plain and one gz index.
    pub fn flat(directory: &str) -> Self {
        Suite {
            components: Vec::new(),
            suite: None,
            codename: None,
            by_hash: false,
            compressions: vec![Compression::None, Compression::Gzip],
            listed_only: Vec::new(),
            ..Suite::new(directory)
        }
    }

    /// Whether it is flat.
    pub fn is_flat(&self) -> bool {
        self.path.ends_with('/')
    }

    /// Where its `Release` is, with a slash at the end, from the repository's root.
    pub fn directory(&self) -> String {
        if self.is_flat() {
            self.path
                .trim_start_matches("./")
                .trim_start_matches('/')
                .to_owned()
        } else {
            format!("dists/{}/", self.path)
        }
    }

    /// Its files, by path from the repository's root.
    pub(super) fn files(
        &self,
        packages: &[&Published],
        signer: Option<&dyn Signer>,
    ) -> BTreeMap<String, Vec<u8>> {
        let directory = self.directory();
        let mut files = BTreeMap::new();
        let mut listed = BTreeMap::new();
        for (path, text) in self.indexes(packages) {
            for compression in self.compressions.iter().chain(&self.listed_only) {
                let name = format!("{path}{}", compression.extension());
                let bytes = compression.compress(text.as_bytes());
                if self.compressions.contains(compression) {
                    if self.plain_names {
                        files.insert(format!("{directory}{name}"), bytes.clone());
                    }
                    for digest in self.digests.iter().filter(|_| self.by_hash) {
                        let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
                        let hash = hash(digest, &bytes);
                        files.insert(
                            format!("{directory}{parent}/by-hash/{digest}/{hash}"),
                            bytes.clone(),
                        );
                    }
                }
                listed.insert(name, bytes);
            }
        }
        let release = self.release_text(&listed).into_bytes();
        let clear = signer.map_or_else(|| release.clone(), |signer| signer.clear_sign(&release));
        if self.in_release {
            files.insert(format!("{directory}InRelease"), clear);
        }
        if self.release {
            if let Some(signer) = signer {
                files.insert(format!("{directory}Release.gpg"), signer.detach_sign(&release));
            }
            files.insert(format!("{directory}Release"), release);
        }
        files
    }

    /// The plain indexes by their paths from the `Release`.
    fn indexes(&self, packages: &[&Published]) -> BTreeMap<String, String> {
        let text = |wanted: &dyn Fn(&Published) -> bool| {
            let stanzas = packages
                .iter()
                .filter(|package| wanted(package))
                .map(|package| package.stanza.as_str());
            stanzas.collect::<Vec<_>>().join("\n")
        };
        if self.is_flat() {
            return BTreeMap::from([("Packages".to_owned(), text(&|_| true))]);
        }
        let mut indexes = BTreeMap::new();
        let all = self.separate_all.then(|| "all".to_owned());
        for component in &self.components {
            let short = component.rsplit('/').next().unwrap_or(component);
            for arch in self.architectures.iter().chain(&all) {
                let wanted = |package: &Published| {
                    let with_all = package.architecture == "all" && !self.separate_all;
                    package.component == *component && (package.architecture == *arch || with_all)
                };
                indexes.insert(format!("{short}/binary-{arch}/Packages"), text(&wanted));
            }
        }
        indexes
    }

    fn release_text(&self, listed: &BTreeMap<String, Vec<u8>>) -> String {
        let mut text = String::from("Origin: Test\nLabel: Test\n");
        let mut field = |name: &str, value: Option<&str>| {
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                text.push_str(&format!("{name}: {value}\n"));
            }
        };
        field("Suite", self.suite.as_deref());
        field("Codename", self.codename.as_deref());
        field("Date", self.date.map(date).as_deref());
        field("Valid-Until", self.valid_until.map(date).as_deref());
        field("Acquire-By-Hash", self.by_hash.then_some("yes"));
        let all = if self.is_flat() { "" } else { "all " };
        field(
            "No-Support-for-Architecture-all",
            (!self.separate_all && !self.is_flat()).then_some("Packages"),
        );
        field(
            "Architectures",
            Some(&format!("{all}{}", self.architectures.join(" "))),
        );
        field("Components", Some(&self.components.join(" ")));
        for (name, value) in &self.fields {
            field(name, Some(value));
        }
        for digest in &self.digests {
            text.push_str(&format!("{digest}:\n"));
            for (name, bytes) in listed {
                text.push_str(&format!(" {} {:>8} {name}\n", hash(digest, bytes), bytes.len()));
            }
        }
        text
    }
}

/// A digest by the name that it has in `Release`.
fn hash(name: &str, bytes: &[u8]) -> String {
    let hex = |digest: &[u8]| digest.iter().map(|byte| format!("{byte:02x}")).collect();
    match name {
        "MD5Sum" => hex(&md5::Md5::digest(bytes)),
        "SHA512" => hex(&sha2::Sha512::digest(bytes)),
        "SHA256" => hex(&sha2::Sha256::digest(bytes)),
        // Nothing here can compute SHA-1, and whoever trusts it is wrong: any 40 digits will do.
        _ => hex(&sha2::Sha256::digest(bytes)[..20]),
    }
}
