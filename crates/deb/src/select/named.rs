//! From what a stage asks for to versions.

use super::arena::{Arch, Pkg, Ver};
use super::pool::Pool;
use super::wish::matches;
use super::{Choice, Error, Want, Wish};
use crate::packages::Priority;

/// A version that a stage asks for.
#[derive(Clone, Debug)]
pub(super) struct Named {
    pub(super) ver: Ver,
    /// The variant's rule; `None` when the user named it.
    pub(super) rule: Option<String>,
    /// The suite, where the wish has one: what the package needs may come from there as well.
    pub(super) release: Option<String>,
}

/// What a stage asks for and what it refuses.
#[derive(Debug, Default)]
pub(super) struct Asked {
    pub(super) named: Vec<Named>,
    pub(super) refused: Vec<Pkg>,
}

impl Asked {
    pub(super) fn read(pool: &mut Pool<'_>, wants: &[Want]) -> Result<Self, Error> {
        let mut asked = Asked::default();
        for want in wants {
            match want {
                Want::Essential { suites } => {
                    let rule = || Some("essential".to_owned());
                    asked.rule(pool, suites, |_, essential| essential.then(rule).flatten());
                }
                Want::Priority { priorities, suites } => asked.rule(pool, suites, |priority, essential| {
                    let wanted = !essential && priorities.contains(&priority);
                    wanted
                        .then(|| priority.word().map(|word| format!("priority {word}")))
                        .flatten()
                }),
                Want::Package(wish) => asked.wish(pool, wish, None)?,
                Want::Rule(wish) => asked.wish(pool, wish, Some(wish.name.clone()))?,
                Want::Local => asked.local(pool),
            }
        }
        Ok(asked)
    }

    fn add(&mut self, ver: Ver, rule: Option<String>, release: Option<String>) {
        if !self.named.iter().any(|named| named.ver == ver) {
            self.named.push(Named { ver, rule, release });
        }
    }

    /// Every native package with a version in one of the suites for which the rule has a word.
    fn rule(
        &mut self,
        pool: &mut Pool<'_>,
        suites: &[String],
        word: impl Fn(Priority, bool) -> Option<String>,
    ) {
        let universe = pool.universe();
        let essential = pool.essential_names();
        let mut found: Vec<(Pkg, String)> = Vec::new();
        for (place, index) in universe.indexes.iter().enumerate() {
            let in_suite = |suite: &String| {
                universe
                    .source(place)
                    .is_some_and(|source| source.is_suite(suite))
            };
            if !suites.is_empty() && !suites.iter().any(in_suite) {
                continue;
            }
            for stanza in index.iter() {
                let Some(rule) = word(stanza.priority(), essential.contains(stanza.name())) else {
                    continue;
                };
                if pool.arch(stanza.architecture()) != Some(Arch(0)) {
                    continue;
                }
                let Some(ver) = pool.ver_of(place, stanza) else {
                    continue;
                };
                let pkg = pool.vers[ver].pkg;
                if !found.iter().any(|(known, _)| *known == pkg) {
                    found.push((pkg, rule));
                }
            }
        }
        // apt keeps what a pattern finds in the order in which it first heard of the names.
        found.sort_by_cached_key(|(pkg, _)| pool.rank(*pkg));
        for (pkg, rule) in found {
            if let Some(ver) = pool.pkgs[pkg].candidate {
                self.add(ver, Some(rule), None);
            }
        }
    }

    fn local(&mut self, pool: &mut Pool<'_>) {
        let universe = pool.universe();
        for (place, index) in universe.indexes.iter().enumerate() {
            if !universe.source(place).is_some_and(|source| source.local) {
                continue;
            }
            for stanza in index.iter() {
                if let Some(ver) = pool.ver_of(place, stanza) {
                    self.add(ver, None, None);
                }
            }
        }
    }

    fn wish(&mut self, pool: &mut Pool<'_>, wish: &Wish, rule: Option<String>) -> Result<(), Error> {
        let arch = match &wish.architecture {
            None => None,
            Some(name) => {
                let known = pool.arch(name);
                Some(known.ok_or_else(|| Error::NoSuchArchitecture {
                    wish: wish.to_string(),
                    name: name.clone(),
                })?)
            }
        };
        if wish.is_pattern() {
            return self.pattern(pool, wish, arch.unwrap_or(Arch(0)), rule);
        }
        let pkg = package(pool, wish, arch)?;
        match pkg {
            Found::Package(pkg) => {
                if wish.refused {
                    self.refused.push(pkg);
                    return Ok(());
                }
                let ver = version(pool, wish, pkg)?;
                let release = match &wish.choice {
                    Choice::Release(release) => Some(release.clone()),
                    _ => None,
                };
                self.add(ver, rule, release);
            }
            Found::Provider(ver) if !wish.refused => self.add(ver, rule, None),
            Found::Provider(ver) => self.refused.push(pool.vers[ver].pkg),
        }
        Ok(())
    }

    fn pattern(
        &mut self,
        pool: &mut Pool<'_>,
        wish: &Wish,
        arch: Arch,
        rule: Option<String>,
    ) -> Result<(), Error> {
        let mut found: Vec<Pkg> = Vec::new();
        for index in pool.universe().indexes {
            for stanza in index.iter().filter(|stanza| matches(&wish.name, stanza.name())) {
                let group = pool.group(stanza.name());
                let pkgs = pool.groups[group].pkgs.iter().copied();
                let fitting = pkgs
                    .filter(|&pkg| pool.pkgs[pkg].arch == arch && !found.contains(&pkg))
                    .collect::<Vec<_>>();
                found.extend(fitting);
            }
        }
        if found.is_empty() {
            return Err(Error::NoSuchPackage {
                wish: wish.to_string(),
                near: Vec::new(),
                title: pool.universe().title(),
            });
        }
        found.sort_by_cached_key(|&pkg| pool.rank(pkg));
        for pkg in found {
            if wish.refused {
                self.refused.push(pkg);
            } else if let Ok(ver) = version(pool, wish, pkg) {
                let release = match &wish.choice {
                    Choice::Release(release) => Some(release.clone()),
                    _ => None,
                };
                self.add(ver, rule.clone(), release);
            }
        }
        Ok(())
    }
}

enum Found {
    Package(Pkg),
    Provider(Ver),
}

/// The package that a wish names, or the only one that provides the name.
fn package(pool: &mut Pool<'_>, wish: &Wish, arch: Option<Arch>) -> Result<Found, Error> {
    let title = pool.universe().title();
    if pool.is_excluded(&wish.name) && !wish.refused {
        return Err(Error::Excluded {
            wish: wish.to_string(),
        });
    }
    let Some(group) = pool.find(&wish.name) else {
        return Err(Error::NoSuchPackage {
            wish: wish.to_string(),
            near: near(pool, &wish.name),
            title,
        });
    };
    let pkgs = &pool.groups[group].pkgs;
    let fitting = match arch {
        None => pkgs.first().copied(),
        Some(arch) => pkgs.iter().copied().find(|&pkg| pool.pkgs[pkg].arch == arch),
    };
    if let Some(pkg) = fitting {
        return Ok(Found::Package(pkg));
    }
    let arch = arch.unwrap_or(Arch(0));
    // For apt a name of another architecture is one only when something of that architecture speaks of it.
    let known = arch == Arch(0) || pool.heard_of(group, arch).is_some();
    let mut providers = if known {
        pool.providers(group, arch)
    } else {
        Vec::new()
    };
    providers.sort_unstable();
    providers.dedup();
    match providers.as_slice() {
        [] => Err(Error::NoSuchPackage {
            wish: wish.to_string(),
            near: near(pool, &wish.name),
            title,
        }),
        [ver] => Ok(Found::Provider(*ver)),
        _ => {
            let mut names: Vec<String> = providers
                .iter()
                .map(|&ver| pool.full_name(pool.vers[ver].pkg))
                .collect();
            names.sort_unstable();
            names.dedup();
            Err(Error::Virtual {
                wish: wish.to_string(),
                providers: names,
            })
        }
    }
}

/// The version of a package that a wish asks for.
fn version(pool: &Pool<'_>, wish: &Wish, pkg: Pkg) -> Result<Ver, Error> {
    let entry = &pool.pkgs[pkg];
    let text = |ver: Ver| pool.vers[ver].stanza.version();
    let found = match &wish.choice {
        Choice::Candidate => entry.candidate,
        Choice::Version(wanted) => {
            let fits = |ver: &Ver| text(*ver) == wanted || matches(wanted, text(*ver));
            entry.versions.iter().copied().find(fits)
        }
        Choice::Release(word) => {
            let universe = pool.universe();
            let from = |place: &usize| {
                universe
                    .source(*place)
                    .is_some_and(|source| source.is_release(word))
            };
            entry
                .versions
                .iter()
                .copied()
                .find(|&ver| pool.vers[ver].indexes.iter().any(from))
        }
    };
    found.ok_or_else(|| Error::NoSuchVersion {
        wish: wish.to_string(),
        versions: entry.versions.iter().map(|&ver| text(ver).to_owned()).collect(),
        title: pool.universe().title(),
    })
}

/// Names that differ by a letter or two, for the hint.
fn near(pool: &Pool<'_>, name: &str) -> Vec<String> {
    let mut found: Vec<(usize, &str)> = Vec::new();
    for index in pool.universe().indexes {
        for stanza in index.iter() {
            let other = stanza.name();
            if other.len().abs_diff(name.len()) <= 2 && found.iter().all(|(_, known)| *known != other) {
                let distance = distance(name.as_bytes(), other.as_bytes());
                if distance <= 2 && distance < name.len() {
                    found.push((distance, other));
                }
            }
        }
    }
    found.sort_unstable();
    found
        .into_iter()
        .take(3)
        .map(|(_, name)| name.to_owned())
        .collect()
}

/// How many letters have to be inserted, removed or changed (Levenshtein).
fn distance(a: &[u8], b: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut corner = i;
        let mut left = i + 1;
        for (y, cell) in b.iter().zip(row.iter_mut().skip(1)) {
            let next = (corner + usize::from(x != y)).min(left + 1).min(*cell + 1);
            corner = *cell;
            *cell = next;
            left = next;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    #[test]
    fn distances() {
        for (a, b, expected) in [
            ("", "", 0),
            ("vim", "vim", 0),
            ("vmi", "vim", 2),
            ("vm", "vim", 1),
            ("abc", "", 3),
        ] {
            assert_eq!(super::distance(a.as_bytes(), b.as_bytes()), expected, "{a} {b}");
        }
    }
}
