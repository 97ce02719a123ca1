//! What the user asks for, in dnf's syntax: names, versions, architectures, patterns, provisions, paths, groups.

use std::collections::BTreeMap;

use bareroot_rpm::{Evr, Sense};
use bareroot_rpm_repo::{Package, Relation, RelationKind};

use crate::error::Error;
use crate::glob;
use crate::universe::{Id, Universe};

/// What is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wishes {
    /// Package specs and `@groups`.
    pub words: Vec<String>,
    /// Indexes all of whose packages are wished: files of the command line.
    pub whole: Vec<usize>,
    /// Whether groups bring their optional packages.
    pub optional: bool,
}

/// A spec's parts, as far as it has them; patterns are allowed in each (libdnf's `Nevra`).
#[derive(Clone, Copy, Debug, Default)]
struct Spec<'w> {
    name: &'w str,
    epoch: Option<u32>,
    version: Option<&'w str>,
    release: Option<&'w str>,
    arch: Option<&'w str>,
}

fn text_is(pattern: &str, text: &str) -> bool {
    match glob::is_pattern(pattern) {
        true => glob::matches(pattern, text),
        false => pattern == text,
    }
}

impl<'w> Spec<'w> {
    /// The readings of a word, the most exact one first: NEVRA, name and architecture, name, NEVR, name and version.
    fn readings(word: &'w str) -> Vec<Spec<'w>> {
        let is_name = |name: &str| !name.is_empty() && !name.contains([':', '(', '/', '=', '<', '>', ' ']);
        let versions = |text: &'w str, release: bool| -> Option<Spec<'w>> {
            let (rest, release) = match release {
                true => text
                    .rsplit_once('-')
                    .map(|(rest, release)| (rest, Some(release)))?,
                false => (text, None),
            };
            let (name, version) = rest.rsplit_once('-')?;
            let (epoch, version) = match version.split_once(':') {
                Some((epoch, version)) => (Some(epoch.parse().ok()?), version),
                None => (None, version),
            };
            let filled = is_name(name) && !version.is_empty() && release != Some("");
            filled.then_some(Spec {
                name,
                epoch,
                version: Some(version),
                release,
                arch: None,
            })
        };
        let dotted = word.rsplit_once('.').filter(|(_, arch)| !arch.is_empty());
        let nevra = dotted.and_then(|(rest, arch)| {
            let spec = versions(rest, true)?;
            Some(Spec {
                arch: Some(arch),
                ..spec
            })
        });
        let name = |name: &'w str, arch: Option<&'w str>| {
            is_name(name).then_some(Spec {
                name,
                arch,
                ..Spec::default()
            })
        };
        [
            nevra,
            dotted.and_then(|(rest, arch)| name(rest, Some(arch))),
            name(word, None),
            versions(word, true),
            versions(word, false),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    fn means(&self, package: &Package<'_>) -> bool {
        let part = |pattern: Option<&str>, text: &str| pattern.is_none_or(|pattern| text_is(pattern, text));
        text_is(self.name, package.name())
            && self.epoch.is_none_or(|epoch| epoch == package.epoch())
            && part(self.version, package.version())
            && part(self.release, package.release())
            && part(self.arch, package.arch())
    }

    fn is_just_name(&self) -> bool {
        self.version.is_none() && self.arch.is_none()
    }
}

/// The packages that a name, a NEVRA or a pattern of either means, excluded or not: the first reading that means any.
pub(crate) fn meant(word: &str, universe: &Universe<'_>) -> Vec<Id> {
    let of = |name: &str, wanted: &dyn Fn(&Package<'_>) -> bool| -> Vec<Id> {
        let fits = |id: &Id| universe.package(*id).is_some_and(|package| wanted(&package));
        match glob::is_pattern(name) {
            true => (0..universe.len() as u32).map(Id).filter(fits).collect(),
            false => universe.called_name(name).iter().copied().filter(fits).collect(),
        }
    };
    Spec::readings(word)
        .into_iter()
        .map(|spec| of(spec.name, &|package| spec.means(package)))
        .find(|found| !found.is_empty())
        .unwrap_or_else(|| match glob::is_pattern(word) {
            true => of(word, &|package| glob::matches(word, &package.nevra())),
            false => Vec::new(),
        })
}

/// What one word that is no group asks for: of each list one package, in the order of loading.
///
/// # Errors
/// [`Error::NoMatch`], [`Error::Excluded`], [`Error::NeedsFilelists`].
pub(crate) fn jobs(word: &str, universe: &Universe<'_>) -> Result<Vec<Vec<Id>>, Error> {
    let is_pattern = glob::is_pattern(word);
    let candidates = |name: &str, wanted: &dyn Fn(&Package<'_>) -> bool| -> Vec<Id> {
        let fits = |id: &Id| universe.package(*id).is_some_and(|package| wanted(&package));
        match glob::is_pattern(name) {
            true => universe.all().filter(fits).collect(),
            false => {
                let named = universe.called_name(name).iter().copied();
                named
                    .filter(|id| !universe.is_excluded(*id))
                    .filter(fits)
                    .collect()
            }
        }
    };
    let mut found = Vec::new();
    let (mut by_arch, mut just_name) = (false, false);
    for spec in Spec::readings(word) {
        found = candidates(spec.name, &|package| spec.means(package));
        if !found.is_empty() {
            (by_arch, just_name) = (spec.arch.is_some(), spec.is_just_name());
            break;
        }
    }
    if found.is_empty() && is_pattern {
        found = candidates(word, &|package| glob::matches(word, &package.nevra()));
    }
    if found.is_empty() {
        found = provided(word, universe);
    }
    if found.is_empty() {
        return Err(unmatched(word, universe));
    }
    let group = |key: &dyn Fn(&Package<'_>) -> String| -> Vec<Vec<Id>> {
        let mut groups: BTreeMap<String, Vec<Id>> = BTreeMap::new();
        for id in &found {
            if let Some(package) = universe.package(*id) {
                groups.entry(key(&package)).or_default().push(*id);
            }
        }
        groups.into_values().collect()
    };
    let lists = match (by_arch, is_pattern && !word.starts_with('/')) {
        (true, _) => group(&|package| format!("{} {}", package.name(), package.arch())),
        (false, true) => group(&|package| package.name().to_owned()),
        (false, false) => vec![found],
    };
    // What takes the place of a package may come instead of it.
    let with_newer = |mut list: Vec<Id>| {
        if by_arch || just_name {
            list.extend(obsoleters(&list, universe));
            list.sort_unstable();
            list.dedup();
        }
        list
    };
    Ok(lists.into_iter().map(with_newer).collect())
}

/// The packages that obsolete any of some.
pub(crate) fn obsoleters(ids: &[Id], universe: &Universe<'_>) -> Vec<Id> {
    let mut found = Vec::new();
    for id in ids {
        let Some(package) = universe.package(*id) else {
            continue;
        };
        let obsoletes = |other: &Id| {
            universe.package(*other).is_some_and(|other| {
                other
                    .relations(RelationKind::Obsoletes)
                    .any(|relation| crate::universe::is_called(&relation, &package))
            })
        };
        let all = universe.obsoleting(package.name()).iter().copied();
        found.extend(
            all.filter(|other| !universe.is_excluded(*other))
                .filter(obsoletes),
        );
    }
    found
}

/// Who provides a word, or has the file of that path.
fn provided(word: &str, universe: &Universe<'_>) -> Vec<Id> {
    if !glob::is_pattern(word) {
        let mut found = universe.providing(&provision(word));
        found.retain(|id| !universe.is_excluded(*id));
        return found;
    }
    let provides = |package: &Package<'_>| {
        package
            .relations(RelationKind::Provides)
            .any(|provided| glob::matches(word, provided.name))
    };
    let has = |package: &Package<'_>| package.files().any(|(path, _)| glob::matches(word, path));
    let of = |wanted: &dyn Fn(&Package<'_>) -> bool| -> Vec<Id> {
        let fits = |id: &Id| universe.package(*id).is_some_and(|package| wanted(&package));
        universe.all().filter(fits).collect()
    };
    let found = of(&provides);
    match found.is_empty() && (word.starts_with('/') || word.starts_with("*/")) {
        true => of(&has),
        false => found,
    }
}

/// `name`, or `name >= version`.
fn provision(word: &str) -> Relation<'_> {
    let words: Vec<&str> = word.split_whitespace().collect();
    match words[..] {
        [name, operator, evr] => Relation {
            name,
            sense: Sense::from_operator(operator).unwrap_or_default(),
            evr: Evr::parse(evr),
            pre: false,
        },
        _ => Relation {
            name: word,
            sense: Sense::ANY,
            evr: Evr::default(),
            pre: false,
        },
    }
}

fn unmatched(word: &str, universe: &Universe<'_>) -> Error {
    if universe.knows(word) {
        return Error::Excluded {
            wish: word.to_owned(),
        };
    }
    if word.starts_with('/') && !universe.has_all_files() {
        return Error::NeedsFilelists {
            paths: vec![word.to_owned()],
        };
    }
    no_match(word, universe)
}

pub(crate) fn no_match(word: &str, universe: &Universe<'_>) -> Error {
    Error::NoMatch {
        wish: word.to_owned(),
        similar: universe.similar(word),
    }
}
