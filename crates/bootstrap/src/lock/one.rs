//! `lock --upgrade PKG`: one package moves, with what it cannot do without.
//!
//! Of the packages that stay, only those that the indexes still have in their locked version are known with their
//! dependencies. Of any other its newer version stands in: where that one wants exactly a version of something that moved, as
//! packages of one source do of each other, it moves as well.

use std::collections::{BTreeMap, BTreeSet};

use bareroot_deb::relation::{self, Op, Relation};
use bareroot_depot::lock::{Package, Root};

use crate::error::Error;

/// What a package wants of others, and is for them; the texts of its fields.
#[derive(Clone, Debug, Default)]
pub struct Relations {
    /// `Pre-Depends` and `Depends`.
    pub needs: Vec<String>,
    /// `Breaks` and `Conflicts`.
    pub breaks: Vec<String>,
    /// `Provides`.
    pub provides: String,
}

type Key = (String, String);

fn key(package: &Package) -> Key {
    (package.name.clone(), package.arch.clone())
}

/// The locked packages with one of them, and what must come with it, as they are in the fresh choice. `relations` are those
/// of the fresh packages.
///
/// # Errors
/// [`Error::NotInSolution`] where the lock or the fresh choice does not have the package.
pub fn upgraded(old: &Root, fresh: &Root, relations: &[Relations], name: &str) -> Result<Root, Error> {
    let is =
        |package: &&Package| package.name == name || format!("{}:{}", package.name, package.arch) == name;
    let missing = || Error::NotInSolution(name.to_owned());
    if !old.packages.iter().any(|package| is(&package)) {
        return Err(missing());
    }
    let new: BTreeMap<Key, (&Package, &Relations)> = (fresh.packages.iter().zip(relations))
        .map(|(package, relations)| (key(package), (package, relations)))
        .collect();
    let first: Vec<Key> = fresh.packages.iter().filter(is).map(key).collect();
    if first.is_empty() {
        return Err(missing());
    }
    let mut mix = Mix {
        old: old
            .packages
            .iter()
            .map(|package| (key(package), package))
            .collect(),
        new,
        moved: first.into_iter().collect(),
        gone: BTreeSet::new(),
    };
    while let Some(next) = mix.next() {
        match next {
            Next::Move(key) => mix.moved.insert(key),
            Next::Drop(key) => mix.gone.insert(key),
        };
    }
    Ok(Root {
        packages: mix.ordered(old, fresh),
        ..fresh.clone()
    })
}

/// Some packages as they were locked, some as they are chosen afresh.
struct Mix<'a> {
    old: BTreeMap<Key, &'a Package>,
    new: BTreeMap<Key, (&'a Package, &'a Relations)>,
    moved: BTreeSet<Key>,
    gone: BTreeSet<Key>,
}

enum Next {
    Move(Key),
    Drop(Key),
}

impl<'a> Mix<'a> {
    /// The packages of the mix.
    fn packages(&self) -> impl Iterator<Item = (&Key, &'a Package)> {
        let kept = self
            .old
            .iter()
            .filter(|(key, _)| !self.moved.contains(*key) && !self.gone.contains(*key));
        let moved = self
            .moved
            .iter()
            .filter_map(|key| Some((key, self.new.get(key)?.0)));
        kept.map(|(key, package)| (key, *package)).chain(moved)
    }

    /// What the mix lacks; `None` when it is whole.
    fn next(&self) -> Option<Next> {
        let packages: Vec<(&Key, &Package)> = self.packages().collect();
        for (key, package) in &packages {
            let Some((fresh, relations)) = self.new.get(*key) else {
                continue;
            };
            match fresh.version == package.version {
                true => {
                    if let Some(next) = self.wanted(relations) {
                        return Some(next);
                    }
                }
                false if self.goes_with_moved(relations) => return Some(Next::Move((*key).clone())),
                false => {}
            }
        }
        // What breaks a package that stays makes it move too, or go.
        for moved in &self.moved {
            let Some((_, relations)) = self.new.get(moved) else {
                continue;
            };
            for (key, package) in packages.iter().filter(|(key, _)| !self.moved.contains(*key)) {
                let broken = all(&relations.breaks).any(|relation| meets(&relation, package));
                if broken {
                    return Some(match self.new.contains_key(*key) {
                        true => Next::Move((*key).clone()),
                        false => Next::Drop((*key).clone()),
                    });
                }
            }
        }
        None
    }

    /// A fresh package that a dependency wants and the mix does not have.
    fn wanted(&self, relations: &Relations) -> Option<Next> {
        for field in &relations.needs {
            for group in relation::groups(field) {
                let alternatives: Vec<Relation<'_>> = group.alternatives().filter_map(Result::ok).collect();
                let met = self.packages().any(|(key, package)| {
                    let provides = self
                        .new
                        .get(key)
                        .map_or("", |(_, relations)| relations.provides.as_str());
                    alternatives
                        .iter()
                        .any(|relation| meets(relation, package) || provided(relation, provides))
                });
                if met {
                    continue;
                }
                let fresh = self.new.iter().find(|(key, (package, relations))| {
                    !self.moved.contains(*key)
                        && alternatives.iter().any(|relation| {
                            meets(relation, package) || provided(relation, &relations.provides)
                        })
                });
                if let Some((key, _)) = fresh {
                    return Some(Next::Move(key.clone()));
                }
            }
        }
        None
    }

    /// Whether a package wants exactly a version of something that moved.
    fn goes_with_moved(&self, relations: &Relations) -> bool {
        all(&relations.needs).any(|relation| {
            let exact = matches!(relation.constraint, Some((Op::Eq, _)));
            exact && self.moved.iter().any(|(name, _)| *name == relation.name)
        })
    }

    /// The mix in the order of the fresh choice; what that does not have stands where it stood: before the package that
    /// followed it.
    fn ordered(&self, old: &Root, fresh: &Root) -> Vec<Package> {
        let mix: BTreeMap<Key, &Package> = self
            .packages()
            .map(|(key, package)| (key.clone(), package))
            .collect();
        let mut waiting: BTreeMap<Key, Vec<Package>> = BTreeMap::new();
        let mut held: Vec<Package> = Vec::new();
        for package in &old.packages {
            let key = key(package);
            match (self.new.contains_key(&key), mix.get(&key)) {
                (true, Some(_)) => {
                    waiting.entry(key).or_default().append(&mut held);
                }
                (false, Some(kept)) => held.push((*kept).clone()),
                (_, None) => {}
            }
        }
        let mut packages = Vec::new();
        for package in &fresh.packages {
            let key = key(package);
            packages.extend(waiting.remove(&key).unwrap_or_default());
            packages.extend(mix.get(&key).map(|package| (*package).clone()));
        }
        packages.append(&mut held);
        packages
    }
}

/// Every relation of some fields, alternatives too.
fn all(fields: &[String]) -> impl Iterator<Item = Relation<'_>> {
    let groups = fields.iter().flat_map(|field| relation::groups(field));
    groups.flat_map(|group| group.alternatives().filter_map(Result::ok).collect::<Vec<_>>())
}

fn meets(relation: &Relation<'_>, package: &Package) -> bool {
    relation.name == package.name && relation.admits(&package.version)
}

/// Whether a field `Provides` has what a relation wants: without a version it provides none (Debian policy 7.5).
fn provided(relation: &Relation<'_>, provides: &str) -> bool {
    relation::groups(provides)
        .filter_map(|group| relation::parse(group.text()).ok())
        .filter(|provided| provided.name == relation.name)
        .any(|provided| match (relation.constraint, provided.constraint) {
            (None, _) => true,
            (Some((operator, wanted)), Some((_, version))) => operator.matches(version, wanted),
            (Some(_), None) => false,
        })
}

#[cfg(test)]
mod tests {
    use bareroot_depot::lock::{Checksum, Deb, Family};
    use bareroot_model::{Digest, Reason};

    use super::*;

    /// `name version` for each package, and its `Depends`, `Breaks` and `Provides`.
    type Row = (
        &'static str,
        &'static str,
        &'static str,
        &'static str,
        &'static str,
    );

    fn root(rows: &[Row]) -> (Root, Vec<Relations>) {
        let package = |(name, version, ..): &Row| Package {
            name: (*name).to_owned(),
            version: (*version).to_owned(),
            arch: "amd64".into(),
            source: Some(0),
            path: String::new(),
            base: None,
            size: 1,
            digest: Checksum::Sha256(Digest::new([0; 32])),
            stage: 0,
            automatic: false,
            multi_arch_same: false,
            replaces: String::new(),
            reason: Reason::Wished,
        };
        let relations = |(_, _, needs, breaks, provides): &Row| Relations {
            needs: vec![(*needs).to_owned()],
            breaks: vec![(*breaks).to_owned()],
            provides: (*provides).to_owned(),
        };
        let root = Root {
            arch: "amd64".into(),
            epoch: None,
            family: Family::Deb(Deb::default()),
            sources: Vec::new(),
            packages: rows.iter().map(package).collect(),
        };
        (root, rows.iter().map(relations).collect())
    }

    fn after(old: &[Row], fresh: &[Row], name: &str) -> Vec<String> {
        let (old, _) = root(old);
        let (fresh, relations) = root(fresh);
        let mixed = upgraded(&old, &fresh, &relations, name).unwrap();
        mixed
            .packages
            .iter()
            .map(|package| format!("{} {}", package.name, package.version))
            .collect()
    }

    #[test]
    fn what_comes_with_it() {
        let old: [Row; 3] = [
            ("a", "1", "", "", ""),
            ("b", "1", "", "", ""),
            ("c", "1", "", "", ""),
        ];
        // Nothing but itself, in the order of the fresh choice.
        let fresh = [
            ("c", "2", "", "", ""),
            ("a", "2", "", "", ""),
            ("b", "2", "", "", ""),
        ];
        assert_eq!(after(&old, &fresh, "a"), ["c 1", "a 2", "b 1"]);
        // A version of another that it needs, and by that one's needs a package more.
        let fresh = [
            ("d", "1", "", "", ""),
            ("b", "2", "d", "", ""),
            ("a", "2", "b (>= 2)", "", ""),
            ("c", "2", "", "", ""),
        ];
        assert_eq!(after(&old, &fresh, "a"), ["d 1", "b 2", "a 2", "c 1"]);
        // A need that what stays meets, by its name or by what it provides.
        let fresh = [
            ("b", "2", "", "", "v (= 5)"),
            ("a", "2", "v (>= 4) | x, c (>= 1)", "", ""),
            ("c", "2", "", "", ""),
        ];
        assert_eq!(after(&old, &fresh, "a"), ["b 1", "a 2", "c 1"]);
        // What it breaks moves, or goes where it is chosen no more.
        let fresh = [("a", "2", "", "b (<< 2), c", ""), ("b", "2", "", "", "")];
        assert_eq!(after(&old, &fresh, "a"), ["a 2", "b 2"]);
        // Packages of one source want each other's very version.
        let fresh = [
            ("a", "2", "", "", ""),
            ("b", "2", "a (= 2)", "", ""),
            ("c", "2", "a (>= 1)", "", ""),
        ];
        assert_eq!(after(&old, &fresh, "a"), ["a 2", "b 2", "c 1"]);
        // One that is chosen no more stays where it stood.
        let fresh = [("c", "2", "", "", ""), ("b", "2", "", "", "")];
        assert_eq!(after(&old, &fresh, "b"), ["c 1", "a 1", "b 2"]);
    }

    #[test]
    fn what_is_not_there() {
        let (old, _) = root(&[("a", "1", "", "", "")]);
        let (fresh, relations) = root(&[("b", "1", "", "", "")]);
        for name in ["a", "b", "c"] {
            assert!(
                matches!(
                    upgraded(&old, &fresh, &relations, name),
                    Err(Error::NotInSolution(_))
                ),
                "{name}"
            );
        }
    }
}
