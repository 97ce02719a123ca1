//! Debian repositories built on the spot, honest ones and broken ones.
//!
//! ```
//! use bareroot_testkit::deb::DebBuilder;
//! use bareroot_testkit::repo::{RepoBuilder, Suite};
//!
//! let repo = RepoBuilder::new()
//!     .suite(Suite::new("trixie"))
//!     .package("trixie", "main", &DebBuilder::new("hello", "1.0", "amd64"));
//! let files = repo.files(None);
//! assert!(files.contains_key("pool/main/hello/hello_1.0_amd64.deb"));
//! assert!(files.contains_key("dists/trixie/main/binary-amd64/Packages.xz"));
//! ```

mod date;
mod suite;

use std::collections::BTreeMap;
use std::path::Path;
use std::{fs, io};

use bareroot_model::Digest;
use sha2::Digest as _;

use crate::deb::DebBuilder;
use crate::sign::Signer;

pub use suite::Suite;

/// A repository in the making: suites, and packages in them.
#[derive(Clone, Debug, Default)]
pub struct RepoBuilder {
    suites: Vec<Suite>,
    packages: Vec<Published>,
    extra: BTreeMap<String, Vec<u8>>,
}

/// A package in a repository.
#[derive(Clone, Debug)]
pub struct Published {
    /// Its name.
    pub package: String,
    /// Its version.
    pub version: String,
    /// Its architecture.
    pub architecture: String,
    /// The suite (its directory) that has it.
    pub suite: String,
    /// The component that has it.
    pub component: String,
    /// The archive's path from the repository's root.
    pub path: String,
    /// The archive.
    pub bytes: Vec<u8>,
    /// SHA-256 of the archive.
    pub sha256: Digest,
    /// Its stanza in `Packages`, with the last newline. Change it to make the index lie.
    pub stanza: String,
}

impl RepoBuilder {
    /// An empty repository.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a suite.
    pub fn suite(mut self, suite: Suite) -> Self {
        self.suites.push(suite);
        self
    }

    /// Adds a package to a suite (named by its directory) and component; the archive goes into `pool/`, in a flat
    /// repository beside the index.
    pub fn package(self, suite: &str, component: &str, deb: &DebBuilder) -> Self {
        self.package_with(suite, component, deb, &[])
    }

    /// As [`RepoBuilder::package`], with fields that only the index has, or has otherwise (an archive's override of
    /// `Priority`, a lie about `SHA256`).
    pub fn package_with(
        mut self,
        suite: &str,
        component: &str,
        deb: &DebBuilder,
        fields: &[(&str, &str)],
    ) -> Self {
        let get = |name| deb.get(name).unwrap_or_default().to_owned();
        let bytes = deb.build();
        let sha256 = Digest::new(sha2::Sha256::digest(&bytes).into());
        let name = deb.file_name();
        let path = match suite.strip_suffix('/') {
            Some(flat) => format!("{flat}/{name}")
                .trim_start_matches("./")
                .trim_start_matches('/')
                .to_owned(),
            None => format!("pool/{component}/{}/{name}", get("Package")),
        };
        let own = [
            ("Filename", path.clone()),
            ("Size", bytes.len().to_string()),
            ("SHA256", sha256.to_string()),
        ];
        let mut stanza: Vec<(String, String)> = deb.fields().map(|(n, v)| (n.into(), v.into())).collect();
        for (name, value) in own
            .iter()
            .map(|(n, v)| (*n, v.as_str()))
            .chain(fields.iter().copied())
        {
            match stanza.iter_mut().find(|(have, _)| have == name) {
                Some((_, have)) => *have = value.into(),
                None => stanza.push((name.into(), value.into())),
            }
        }
        self.packages.push(Published {
            package: get("Package"),
            version: get("Version"),
            architecture: get("Architecture"),
            suite: suite.into(),
            component: component.into(),
            path,
            bytes,
            sha256,
            stanza: stanza
                .iter()
                .map(|(name, value)| format!("{name}: {value}\n"))
                .collect(),
        });
        self
    }

    /// Adds or replaces any file, by its path from the root.
    pub fn file(mut self, path: &str, bytes: impl Into<Vec<u8>>) -> Self {
        self.extra.insert(path.into(), bytes.into());
        self
    }

    /// Adds a package that was published before, here or elsewhere.
    pub fn published(mut self, package: Published) -> Self {
        self.packages.push(package);
        self
    }

    /// The packages, in the order in which they were added.
    pub fn packages(&self) -> &[Published] {
        &self.packages
    }

    /// The packages, to be changed.
    pub fn packages_mut(&mut self) -> &mut [Published] {
        &mut self.packages
    }

    /// The suites, to be changed.
    pub fn suites_mut(&mut self) -> &mut [Suite] {
        &mut self.suites
    }

    /// Every file of the repository by its path from the root. Without a signer, `InRelease` is the bare text.
    pub fn files(&self, signer: Option<&dyn Signer>) -> BTreeMap<String, Vec<u8>> {
        let mut files = BTreeMap::new();
        for suite in &self.suites {
            let own: Vec<&Published> = self
                .packages
                .iter()
                .filter(|package| package.suite == suite.path)
                .collect();
            files.extend(suite.files(&own, signer));
        }
        files.extend(
            self.packages
                .iter()
                .map(|package| (package.path.clone(), package.bytes.clone())),
        );
        files.extend(self.extra.clone());
        files
    }

    /// Writes the repository into a directory, which is made when it is missing.
    ///
    /// # Errors
    ///
    /// What the file system says.
    pub fn write(&self, directory: &Path, signer: Option<&dyn Signer>) -> io::Result<()> {
        for (path, bytes) in self.files(signer) {
            let path = directory.join(path);
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent)?;
            }
            fs::write(path, bytes)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compress::Compression;

    fn text(files: &BTreeMap<String, Vec<u8>>, path: &str) -> String {
        String::from_utf8(files[path].clone()).unwrap()
    }

    #[test]
    fn a_repository_has_what_its_release_lists() {
        let hello = DebBuilder::new("hello", "1:1.0", "amd64").field("Priority", "optional");
        let data = DebBuilder::new("data", "2", "all");
        let mut suite = Suite::new("stable-security");
        suite.components = vec!["updates/main".into()];
        suite.compressions = Compression::ALL.to_vec();
        let repo = RepoBuilder::new()
            .suite(suite)
            .package_with(
                "stable-security",
                "updates/main",
                &hello,
                &[("Priority", "required")],
            )
            .package("stable-security", "updates/main", &data);
        let files = repo.files(None);
        let release = text(&files, "dists/stable-security/Release");
        assert_eq!(release, text(&files, "dists/stable-security/InRelease"));
        assert!(!files.contains_key("dists/stable-security/Release.gpg"));
        let packages = text(&files, "dists/stable-security/main/binary-amd64/Packages");
        assert!(packages.contains("Package: hello\n") && packages.contains("Priority: required\n"));
        assert!(packages.contains("\n\nPackage: data\n"));
        assert!(packages.contains("Filename: pool/updates/main/hello/hello_1.0_amd64.deb\n"));
        let (_, sums) = release.split_once("SHA256:\n").unwrap();
        assert_eq!(sums.lines().count(), 5);
        for line in sums.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            let [digest, size, name] = words[..] else {
                panic!("{line}")
            };
            let bytes = &files[&format!("dists/stable-security/{name}")];
            assert_eq!(bytes.len().to_string(), size);
            let by_hash = format!("dists/stable-security/main/binary-amd64/by-hash/SHA256/{digest}");
            assert_eq!(&files[&by_hash], bytes);
        }
    }

    #[test]
    fn flat_and_separate_indexes() {
        let data = DebBuilder::new("data", "2", "all");
        let mut separate = Suite::new("a");
        separate.separate_all = true;
        let repo = RepoBuilder::new()
            .suite(Suite::flat("./"))
            .suite(separate)
            .package("./", "", &data)
            .package("a", "main", &data);
        let files = repo.files(None);
        assert!(text(&files, "Packages").contains("Filename: data_2_all.deb\n"));
        assert!(files.contains_key("Packages.gz") && files.contains_key("data_2_all.deb"));
        assert!(
            !files.contains_key("dists/a/main/binary-amd64/Packages"),
            "listed only"
        );
        assert!(files.contains_key("dists/a/main/binary-all/Packages.xz"));
        assert!(!text(&files, "dists/a/Release").contains("No-Support"));
        assert!(text(&files, "dists/a/Release").contains(" main/binary-amd64/Packages\n"));
    }
}
