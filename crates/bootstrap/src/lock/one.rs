//! `lock --upgrade PKG`: one package moves, with what it cannot do without.
//!
//! Of the packages that stay, only those that the indexes still have in their locked version are known with their
//! dependencies. Of any other its newer version stands in: where that one wants exactly a version of something that moved, as
//! packages of one source do of each other, it moves as well.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use bareroot_depot::lock::{Family, Package, Root, Rpm, Source};

use super::relations::{Claim, Need, Relations};
use crate::error::Error;

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
    let is = |package: &&Package| {
        package.name == name
            || format!("{}.{}", package.name, package.arch) == name
            || format!("{}:{}", package.name, package.arch) == name
    };
    let missing = || Error::NotInSolution(name.to_owned());
    if !old.packages.iter().any(|package| is(&package)) {
        return Err(missing());
    }
    let first: BTreeSet<Key> = fresh.packages.iter().filter(is).map(key).collect();
    if first.is_empty() {
        return Err(missing());
    }
    let mut mix = Mix::new(old, fresh, relations, first);
    while let Some(next) = mix.next() {
        match next {
            Next::Move(key) => mix.moved.insert(key),
            Next::Drop(key) => mix.gone.insert(key),
        };
    }
    let mut sources = fresh.sources.clone();
    let places: Vec<usize> = old
        .sources
        .iter()
        .map(|source| place(source, &mut sources))
        .collect();
    let packages = mix.ordered(old, fresh, &places);
    Ok(Root {
        family: family(&old.family, &fresh.family, &packages),
        sources,
        packages,
        ..fresh.clone()
    })
}

/// The place of a locked source among the fresh ones; one that is not there any more comes after them.
fn place(source: &Source, sources: &mut Vec<Source>) -> usize {
    let suite = |source: &Source| -> Option<String> {
        let lines = source.apt.as_deref()?.lines();
        Some(lines.filter(|line| !line.starts_with("URIs:")).collect())
    };
    let id = |source: &Source| source.repository.as_ref().map(|repository| repository.id.clone());
    let same = |other: &Source| (suite(other), id(other)) == (suite(source), id(source));
    let exact = sources
        .iter()
        .position(|other| same(other) && other.uris == source.uris);
    exact
        .or_else(|| sources.iter().position(same))
        .unwrap_or_else(|| {
            sources.push(source.clone());
            sources.len() - 1
        })
}

/// What a family records besides: of RPM's groups those members are installed that are among the packages.
fn family(old: &Family, fresh: &Family, packages: &[Package]) -> Family {
    let (Family::Rpm(old), Family::Rpm(fresh)) = (old, fresh) else {
        return fresh.clone();
    };
    let there: BTreeSet<&str> = packages.iter().map(|package| package.name.as_str()).collect();
    let mut groups = fresh.groups.clone();
    for group in &mut groups {
        let known = old.groups.iter().find(|known| known.id == group.id);
        for (name, _, installed) in &mut group.members {
            let was =
                known.is_some_and(|known| known.members.iter().any(|(other, _, was)| other == name && *was));
            *installed = (*installed || was) && there.contains(name.as_str());
        }
    }
    Family::Rpm(Rpm {
        groups,
        ..fresh.clone()
    })
}

/// Some packages as they were locked, some as they are chosen afresh.
struct Mix<'a> {
    old: BTreeMap<Key, &'a Package>,
    new: BTreeMap<Key, (&'a Package, &'a Relations)>,
    /// The fresh packages that provide a name.
    providers: HashMap<&'a str, BTreeSet<Key>>,
    moved: BTreeSet<Key>,
    gone: BTreeSet<Key>,
}

enum Next {
    Move(Key),
    Drop(Key),
}

impl<'a> Mix<'a> {
    fn new(old: &'a Root, fresh: &'a Root, relations: &'a [Relations], moved: BTreeSet<Key>) -> Mix<'a> {
        let mut providers: HashMap<&str, BTreeSet<Key>> = HashMap::new();
        for (package, relations) in fresh.packages.iter().zip(relations) {
            for provided in &relations.provides {
                providers.entry(&provided.name).or_default().insert(key(package));
            }
        }
        Mix {
            old: old
                .packages
                .iter()
                .map(|package| (key(package), package))
                .collect(),
            new: (fresh.packages.iter().zip(relations))
                .map(|(package, relations)| (key(package), (package, relations)))
                .collect(),
            providers,
            moved,
            gone: BTreeSet::new(),
        }
    }

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

    /// A package as the mix has it.
    fn current(&self, key: &Key) -> Option<&'a Package> {
        match (self.moved.contains(key), self.gone.contains(key)) {
            (true, _) => self.new.get(key).map(|(package, _)| *package),
            (false, true) => None,
            (false, false) => self.old.get(key).copied(),
        }
    }

    /// What the mix lacks; `None` when it is whole.
    fn next(&self) -> Option<Next> {
        let packages: Vec<(&Key, &Package)> = self.packages().collect();
        for (key, package) in &packages {
            let Some((fresh, relations)) = self.new.get(*key) else {
                // Of a name whose architecture changed there is one.
                let is_moved = |moved: &Key| moved.0 == key.0 && !self.old.contains_key(moved);
                if self.moved.iter().any(is_moved) {
                    return Some(Next::Drop((*key).clone()));
                }
                continue;
            };
            match fresh.version == package.version {
                true => {
                    let lacking = relations.needs.iter().filter(|need| !self.holds(need));
                    if let Some(key) = { lacking }.find_map(|need| self.supply(need)) {
                        return Some(Next::Move(key));
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
                let broken = (relations.breaks.iter())
                    .any(|claim| claim.name == package.name && claim.admits(&package.version));
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

    fn holds(&self, need: &Need) -> bool {
        match need {
            Need::One(claim) => self.is_met(claim),
            Need::All(needs) => needs.iter().all(|need| self.holds(need)),
            Need::Any(needs) => needs.iter().any(|need| self.holds(need)),
            Need::If(then, condition, otherwise) => match self.holds(condition) {
                true => self.holds(then),
                false => otherwise.as_ref().is_none_or(|need| self.holds(need)),
            },
        }
    }

    /// Whether a package of the mix is meant. What one provides whose version is in no index, its newer version says.
    fn is_met(&self, claim: &Claim) -> bool {
        let named = self.packages_named(&claim.name);
        let providers = self.providers.get(claim.name.as_str()).into_iter().flatten();
        { named }.any(|package| claim.admits(&package.version)) || { providers }.any(|key| {
            let (Some(package), Some((fresh, relations))) = (self.current(key), self.new.get(key)) else {
                return false;
            };
            relations
                .provides
                .iter()
                .any(|provided| claim.is_met_by(&provided.of_version(&fresh.version, &package.version)))
        })
    }

    fn packages_named(&self, name: &str) -> impl Iterator<Item = &'a Package> {
        let from = (name.to_owned(), String::new());
        let is = move |key: &&Key| key.0 == from.0;
        let start = (name.to_owned(), String::new());
        let old = self
            .old
            .range(start.clone()..)
            .map(|(key, _)| key)
            .take_while(is.clone());
        let moved = self.moved.range(start..).take_while(is);
        old.chain(moved).filter_map(|key| self.current(key))
    }

    /// A fresh package by which a need would hold, or come nearer to it.
    fn supply(&self, need: &Need) -> Option<Key> {
        match need {
            Need::One(claim) if self.is_met(claim) => None,
            Need::One(claim) => {
                let provided = self.providers.get(claim.name.as_str()).into_iter().flatten();
                let start = (claim.name.clone(), String::new());
                let named = self.new.range(start..).map(|(key, _)| key);
                { named }
                    .take_while(|key| key.0 == claim.name)
                    .chain(provided)
                    .filter(|key| !self.moved.contains(*key))
                    .find(|key| {
                        self.new.get(*key).is_some_and(|(package, relations)| {
                            (package.name == claim.name && claim.admits(&package.version))
                                || relations
                                    .provides
                                    .iter()
                                    .any(|provided| claim.is_met_by(provided))
                        })
                    })
                    .cloned()
            }
            Need::All(needs) => needs.iter().find_map(|need| self.supply(need)),
            Need::Any(needs) => needs.iter().find_map(|need| self.supply(need)),
            Need::If(then, condition, otherwise) => match self.holds(condition) {
                true => self.supply(then),
                false => self.supply(otherwise.as_ref()?),
            },
        }
    }

    /// Whether a package wants exactly a version of something that moved, by its name or by what that provides.
    fn goes_with_moved(&self, relations: &Relations) -> bool {
        let has_moved = |claim: &Claim| {
            let provided = self.providers.get(claim.name.as_str()).into_iter().flatten();
            let named = self.moved.iter().filter(|key| key.0 == claim.name);
            { provided }
                .filter(|key| self.moved.contains(*key))
                .chain(named)
                .any(|key| {
                    let before = self.old.get(key).map(|package| &package.version);
                    self.new.get(key).map(|(package, _)| &package.version) != before
                })
        };
        let mut claims = Vec::new();
        relations.needs.iter().for_each(|need| leaves(need, &mut claims));
        claims
            .into_iter()
            .any(|claim| claim.is_exact() && has_moved(claim))
    }

    /// The mix in the order of the fresh choice; what that does not have stands where it stood: before the package that
    /// followed it. `places` are those of the old sources.
    fn ordered(&self, old: &Root, fresh: &Root, places: &[usize]) -> Vec<Package> {
        let kept = |package: &Package| Package {
            source: package.source.and_then(|source| places.get(source).copied()),
            ..package.clone()
        };
        let mix: BTreeMap<Key, Package> = self
            .packages()
            .map(|(key, package)| match self.moved.contains(key) {
                true => (key.clone(), package.clone()),
                false => (key.clone(), kept(package)),
            })
            .collect();
        let mut waiting: BTreeMap<Key, Vec<Package>> = BTreeMap::new();
        let mut held: Vec<Package> = Vec::new();
        for package in &old.packages {
            let key = key(package);
            match (self.new.contains_key(&key), mix.get(&key)) {
                (true, Some(_)) => {
                    waiting.entry(key).or_default().append(&mut held);
                }
                (false, Some(kept)) => held.push(kept.clone()),
                (_, None) => {}
            }
        }
        let mut packages = Vec::new();
        for package in &fresh.packages {
            let key = key(package);
            packages.extend(waiting.remove(&key).unwrap_or_default());
            packages.extend(mix.get(&key).cloned());
        }
        packages.append(&mut held);
        packages
    }
}

fn leaves<'n>(need: &'n Need, all: &mut Vec<&'n Claim>) {
    match need {
        Need::One(claim) => all.push(claim),
        Need::All(needs) | Need::Any(needs) => needs.iter().for_each(|need| leaves(need, all)),
        Need::If(then, _, otherwise) => {
            leaves(then, all);
            if let Some(otherwise) = otherwise {
                leaves(otherwise, all);
            }
        }
    }
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
        let relations = |(_, _, needs, breaks, provides): &Row| Relations::deb(&[needs], &[breaks], provides);
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
