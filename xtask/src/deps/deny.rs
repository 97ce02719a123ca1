//! deny.toml, cargo-deny's own file: as much of it as this project uses. A key that is not known here is an error, so that
//! no rule stands in it that nobody holds.

use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use spdx::{Expression, LicenseReq, ParseMode};

use super::tree::{Package, Tree};

/// The one registry that packages may come from, as cargo names it.
const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    graph: Graph,
    licenses: Licenses,
    bans: Bans,
    sources: Sources,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Graph {
    targets: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Licenses {
    allow: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Bans {
    multiple_versions: String,
    deny: Vec<Banned>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Banned {
    name: String,
    reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Sources {
    unknown_registry: String,
    unknown_git: String,
}

/// The rules.
pub struct Policy {
    /// The targets whose tree is looked at.
    pub targets: Vec<String>,
    allowed: Vec<LicenseReq>,
    banned: Vec<Banned>,
}

impl Policy {
    /// Reads the file.
    ///
    /// # Errors
    /// When it cannot be read, has a key or a value that is not held here, or a licence that SPDX does not know.
    pub fn read(path: &Path) -> Result<Policy> {
        let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
        Policy::parse(&text).with_context(|| path.display().to_string())
    }

    fn parse(text: &str) -> Result<Policy> {
        let file: File = toml::from_str(text)?;
        for (key, value, held) in [
            ("bans.multiple-versions", &file.bans.multiple_versions, "warn"),
            ("sources.unknown-registry", &file.sources.unknown_registry, "deny"),
            ("sources.unknown-git", &file.sources.unknown_git, "deny"),
        ] {
            if value != held {
                bail!("{key} is {value:?}, and only {held:?} is held here");
            }
        }
        let mut allowed = Vec::new();
        for licence in &file.licenses.allow {
            let expression = Expression::parse(licence).with_context(|| format!("licence {licence:?}"))?;
            allowed.extend(expression.requirements().map(|found| found.req.clone()));
        }
        Ok(Policy {
            targets: file.graph.targets,
            allowed,
            banned: file.bans.deny,
        })
    }

    /// Packages whose licence is not among those that are allowed.
    pub fn licences(&self, tree: &Tree) -> Vec<String> {
        let wrong = |package: &Package| {
            let Some(licence) = &package.license else {
                return Some(format!("{} {} names no licence", package.name, package.version));
            };
            // `MIT/Apache-2.0` is how it was written before SPDX.
            match Expression::parse_mode(licence, ParseMode::LAX) {
                Ok(expression) if expression.evaluate(|needed| self.allowed.contains(needed)) => None,
                Ok(_) => Some(format!("{} {}: {licence}", package.name, package.version)),
                Err(error) => Some(format!(
                    "{} {}: {licence}: {error}",
                    package.name, package.version
                )),
            }
        };
        tree.all().filter_map(wrong).collect()
    }

    /// Packages from anywhere but crates.io.
    pub fn sources(&self, tree: &Tree) -> Vec<String> {
        tree.foreign()
            .filter(|package| package.source.as_deref() != Some(CRATES_IO))
            .map(|package| format!("{} {} is not from crates.io", package.name, package.version))
            .collect()
    }

    /// Packages that must not be there.
    pub fn banned(&self, tree: &Tree) -> Vec<String> {
        let wrong = |package: &Package| {
            let banned = self.banned.iter().find(|banned| banned.name == package.name)?;
            Some(format!("{} {}: {}", package.name, package.version, banned.reason))
        };
        tree.all().filter_map(wrong).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: &str = r#"
        [graph]
        targets = ["x86_64-unknown-linux-gnu"]
        [licenses]
        allow = ["MIT", "Apache-2.0 WITH LLVM-exception"]
        [bans]
        multiple-versions = "warn"
        deny = [{ name = "bad", reason = "it is bad" }]
        [sources]
        unknown-registry = "deny"
        unknown-git = "deny"
    "#;

    #[test]
    fn each_rule_finds_what_breaks_it() {
        let policy = Policy::parse(RULES).unwrap();
        let tree = Tree::of(&[
            ("own", Some("MIT"), None),
            ("fine", Some("MIT/GPL-3.0-only"), Some(CRATES_IO)),
            (
                "exception",
                Some("Apache-2.0 WITH LLVM-exception"),
                Some(CRATES_IO),
            ),
            ("both", Some("MIT AND GPL-3.0-only"), Some(CRATES_IO)),
            ("plain", Some("Apache-2.0"), Some(CRATES_IO)),
            ("none", None, Some(CRATES_IO)),
            ("odd", Some("Beerware, I guess"), Some(CRATES_IO)),
            ("bad", Some("MIT"), Some("git+https://example.org/bad")),
        ]);
        let names = |found: Vec<String>| -> Vec<String> {
            let first = |line: &String| line.split(' ').next().unwrap().to_owned();
            found.iter().map(first).collect()
        };
        assert_eq!(names(policy.licences(&tree)), ["both", "plain", "none", "odd"]);
        assert_eq!(names(policy.sources(&tree)), ["bad"]);
        assert_eq!(policy.banned(&tree), ["bad 1.0.0: it is bad"]);
    }

    #[test]
    fn a_rule_that_is_not_held_is_an_error() {
        for (from, to) in [
            ("unknown-git = \"deny\"", "unknown-git = \"warn\""),
            ("[sources]", "[sources]\nallow-git = []"),
            ("\"MIT\"", "\"My own\""),
        ] {
            assert!(Policy::parse(&RULES.replace(from, to)).is_err(), "{to}");
        }
    }
}
