//! The packages that are built for the targets of deny.toml, tests' own among them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::run;

/// What `cargo metadata` says (format version 1), as far as it is needed.
#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    resolve: Resolve,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
}

/// A package.
#[derive(Clone, Deserialize)]
pub struct Package {
    id: String,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its SPDX expression.
    pub license: Option<String>,
    /// Where it is from; nothing for a directory.
    pub source: Option<String>,
}

/// All of them, by name and version.
pub struct Tree(Vec<Package>);

impl Tree {
    /// Asks cargo, which reads Cargo.lock as it is.
    ///
    /// # Errors
    /// When cargo fails, as where Cargo.lock does not fit the manifests.
    pub fn read(top: &Path, targets: &[String]) -> Result<Tree> {
        let mut found = BTreeMap::new();
        for target in targets {
            let ran = run::must(
                Command::new("cargo")
                    .args([
                        "metadata",
                        "--format-version",
                        "1",
                        "--locked",
                        "--filter-platform",
                        target,
                    ])
                    .current_dir(top),
            )?;
            let metadata: Metadata = serde_json::from_str(&ran.stdout).context("what cargo metadata says")?;
            // Packages for other platforms are listed, too; only what is built has a node.
            let built: BTreeSet<String> = metadata.resolve.nodes.into_iter().map(|node| node.id).collect();
            for package in metadata.packages {
                if built.contains(&package.id) {
                    found.insert((package.name.clone(), package.version.clone()), package);
                }
            }
        }
        Ok(Tree(found.into_values().collect()))
    }

    /// Every package.
    pub fn all(&self) -> impl Iterator<Item = &Package> {
        self.0.iter()
    }

    /// Those that are not this project's own.
    pub fn foreign(&self) -> impl Iterator<Item = &Package> {
        self.all().filter(|package| package.source.is_some())
    }

    /// Names that are there in several versions, with these.
    pub fn duplicates(&self) -> Vec<String> {
        let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for package in self.all() {
            versions.entry(&package.name).or_default().push(&package.version);
        }
        versions.retain(|_, versions| versions.len() > 1);
        let line = |(name, versions): (&str, Vec<&str>)| format!("{name} {}", versions.join(", "));
        versions.into_iter().map(line).collect()
    }

    #[cfg(test)]
    pub(super) fn of(packages: &[(&str, Option<&str>, Option<&str>)]) -> Tree {
        let package = |&(name, license, source): &(&str, Option<&str>, Option<&str>)| Package {
            id: name.to_owned(),
            name: name.to_owned(),
            version: "1.0.0".to_owned(),
            license: license.map(str::to_owned),
            source: source.map(str::to_owned),
        };
        Tree(packages.iter().map(package).collect())
    }
}
