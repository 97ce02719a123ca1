//! Debian's relations in rpm's words.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use bareroot_deb::relation::{self, Op, Relation};
use bareroot_rpm::Evr;

use super::debs::Deb;

/// A package's version as epoch, version and release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// The epoch, where there is one.
    pub epoch: Option<String>,
    /// The version.
    pub version: String,
    /// The release.
    pub release: String,
}

impl Version {
    /// Debian's version: what follows its last dash is the release, which is 0 where there is none.
    pub fn of(debian: &str) -> Version {
        let (epoch, rest) = match debian.split_once(':') {
            Some((epoch, rest)) => (Some(epoch.to_owned()), rest),
            None => (None, debian),
        };
        let (version, release) = rest.rsplit_once('-').unwrap_or((rest, "0"));
        Version {
            epoch,
            // `+dfsg` says that Debian left something out: other distributions' versions have nothing like it.
            version: version.replace("+dfsg", "").replace('-', "."),
            release: release.to_owned(),
        }
    }

    /// `[epoch:]version-release`.
    pub fn evr(&self) -> String {
        let epoch = self.epoch.as_ref().map(|epoch| format!("{epoch}:"));
        format!("{}{}-{}", epoch.unwrap_or_default(), self.version, self.release)
    }
}

/// Every name that a package or a Provides of the distribution has.
pub struct Names {
    versions: BTreeMap<String, Version>,
    provided: BTreeSet<String>,
    without: BTreeSet<String>,
}

impl Names {
    /// Of these packages; relations with those of `without` are taken as met.
    ///
    /// # Errors
    /// When a Provides cannot be read.
    pub fn of(debs: &[Deb], without: &BTreeSet<String>) -> Result<Names> {
        let mut names = Names {
            versions: BTreeMap::new(),
            provided: BTreeSet::new(),
            without: without.clone(),
        };
        for deb in debs {
            names
                .versions
                .insert(deb.name.clone(), Version::of(deb.field("Version")));
            for provided in relation::parse_groups(deb.field("Provides"))?.iter().flatten() {
                names.provided.insert(provided.name.to_owned());
            }
        }
        Ok(names)
    }

    /// A field of dependencies, a line each; alternatives become a rich dependency.
    ///
    /// # Errors
    /// When the field cannot be read.
    pub fn requires(&self, field: &str) -> Result<Vec<String>> {
        let mut lines = Vec::new();
        for group in relation::parse_groups(field)? {
            if group.iter().any(|one| self.without.contains(one.name)) {
                continue;
            }
            let mut any: Vec<String> = group.iter().filter_map(|one| self.one(one)).collect();
            any.dedup();
            match any.len() {
                0 => {}
                1 => lines.append(&mut any),
                _ => lines.push(format!("({})", any.join(" or "))),
            }
        }
        lines.sort();
        lines.dedup();
        Ok(lines)
    }

    /// Conflicts with versions of packages that the distribution does not have: they hold, and never matter.
    ///
    /// # Errors
    /// When the field cannot be read.
    pub fn conflicts(&self, own: &str, field: &str) -> Result<Vec<String>> {
        let mut lines = Vec::new();
        for one in relation::parse_groups(field)?.iter().flatten() {
            let (Some(version), Some((op, bound))) = (self.versions.get(one.name), one.constraint) else {
                continue;
            };
            let bound = bound_of(bound);
            // rpm takes an unversioned Provides for any version.
            if one.name == own || self.provided.contains(one.name) || holds(version, op, &bound) {
                continue;
            }
            if matches!(op, Op::Lt | Op::Le) {
                lines.push(format!("{} < {bound}", one.name));
            }
        }
        lines.sort();
        lines.dedup();
        Ok(lines)
    }

    /// A Provides, a line each.
    ///
    /// # Errors
    /// When the field cannot be read.
    pub fn provides(&self, own: &str, field: &str) -> Result<Vec<String>> {
        let mut lines = Vec::new();
        for one in relation::parse_groups(field)?
            .iter()
            .flatten()
            .filter(|one| one.name != own)
        {
            lines.push(match one.constraint {
                Some((_, version)) => format!("{} = {}", one.name, Version::of(version).evr()),
                None => one.name.to_owned(),
            });
        }
        lines.sort();
        lines.dedup();
        Ok(lines)
    }

    fn one(&self, one: &Relation<'_>) -> Option<String> {
        let name = one.name;
        let Some(version) = self.versions.get(name) else {
            return self.provided.contains(name).then(|| name.to_owned());
        };
        let Some((op, bound)) = one.constraint else {
            return Some(name.to_owned());
        };
        let bound = bound_of(bound);
        let symbol = match op {
            Op::Lt => "<",
            Op::Le => "<=",
            Op::Eq => "=",
            // Without a release rpm takes 1-2 for equal to 1, dpkg for later.
            Op::Ge | Op::Gt => ">=",
        };
        Some(
            match holds(version, if op == Op::Gt { Op::Ge } else { op }, &bound) {
                true => format!("{name} {symbol} {bound}"),
                false => name.to_owned(),
            },
        )
    }
}

/// The bound of a relation: without a release, where Debian's has none.
fn bound_of(debian: &str) -> String {
    let bound = Version::of(debian);
    match debian.contains('-') {
        true => bound.evr(),
        false => bound.evr().trim_end_matches("-0").to_owned(),
    }
}

fn holds(version: &Version, op: Op, bound: &str) -> bool {
    let evr = version.evr();
    let order = Evr::parse(&evr).compare(&Evr::parse(bound));
    match op {
        Op::Lt => order.is_lt(),
        Op::Le => order.is_le(),
        Op::Eq => order.is_eq(),
        Op::Ge => order.is_ge(),
        Op::Gt => order.is_gt(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_split_as_rpm_wants_them() {
        let evr = |debian| Version::of(debian).evr();
        assert_eq!(evr("1:2.3-4+deb12u1"), "1:2.3-4+deb12u1");
        assert_eq!(evr("4.18.0+dfsg-1"), "4.18.0-1");
        assert_eq!(evr("2.3"), "2.3-0");
        assert_eq!(evr("0~20210727-1-2"), "0~20210727.1-2");
        assert_eq!(bound_of("2.3"), "2.3");
        assert_eq!(bound_of("2.3-0"), "2.3-0");
    }

    #[test]
    fn relations_in_rpms_words() {
        let names = Names {
            versions: [("a", "1-2"), ("b", "2-1"), ("v", "1-1")]
                .map(|(name, version)| (name.to_owned(), Version::of(version)))
                .into(),
            provided: ["virtual".to_owned()].into(),
            without: ["dpkg".to_owned()].into(),
        };
        let table: &[(&str, &[&str])] = &[
            ("a (>= 1), b", &["a >= 1", "b"]),
            ("a (>> 1)", &["a >= 1"]),
            ("dpkg (>= 9) | a, b (= 2-1)", &["b = 2-1"]),
            ("none | a (>= 1-2) | virtual", &["(a >= 1-2 or virtual)"]),
            ("a:any", &["a"]),
            ("none", &[]),
        ];
        for (field, expected) in table {
            assert_eq!(names.requires(field).unwrap(), *expected, "{field}");
        }
        assert_eq!(
            names.conflicts("v", "a (<< 1), b (<< 3), c (<< 1)").unwrap(),
            ["a < 1"]
        );
    }
}
