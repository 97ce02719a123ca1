//! What the user asks for, in dnf's syntax: names, versions, architectures, patterns, provisions, paths, groups.

use bareroot_rpm::{Evr, Sense};
use bareroot_rpm_repo::Relation;
use bareroot_solve::{Candidate, Need};

use crate::error::Error;
use crate::glob;
use crate::pool::Pool;
use crate::universe::{Id, names};

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

/// The needs of one word that is no group.
///
/// # Errors
/// [`Error::NoMatch`], [`Error::Excluded`].
pub(crate) fn needs(word: &str, pool: &Pool<'_, '_>) -> Result<Vec<Need>, Error> {
    let universe = pool.universe;
    // dnf goes from the most exact reading to the least: name.arch and NEVRA, names, provisions, paths.
    if glob::is_pattern(word) {
        let mut matching: Vec<&str> = universe
            .all()
            .filter_map(|id| universe.package(id))
            .filter(|package| names(word, package))
            .map(|package| package.name())
            .collect();
        matching.sort_unstable();
        matching.dedup();
        let needs: Vec<Need> = matching
            .into_iter()
            .map(|name| {
                need(
                    universe
                        .named(name)
                        .into_iter()
                        .filter(|id| universe.package(*id).is_some_and(|package| names(word, &package))),
                )
            })
            .collect();
        return match needs.is_empty() {
            true => Err(no_match(word, pool)),
            false => Ok(needs),
        };
    }
    let mut ids = universe.named(word);
    if !ids.is_empty() {
        // What takes the place of a package comes instead of it.
        let newer: Vec<Id> = pool
            .obsoleters(word)
            .iter()
            .copied()
            .filter(|obsoleter| {
                let obsoletes = |package: bareroot_rpm_repo::Package<'_>| {
                    package
                        .relations(bareroot_rpm_repo::RelationKind::Obsoletes)
                        .any(|relation| {
                            relation.name == word
                                && package.name() != word
                                && ids
                                    .first()
                                    .is_some_and(|best| universe.called(&relation).contains(best))
                        })
                };
                universe.package(*obsoleter).is_some_and(obsoletes)
            })
            .collect();
        let mut all = newer;
        universe.prefer(&mut all);
        all.append(&mut ids);
        return Ok(vec![need(all)]);
    }
    // Longer forms end in the name at some dash or dot.
    let exact: Vec<Id> = {
        let mut found = Vec::new();
        for (at, _) in word.match_indices(['-', '.']) {
            let Some(name) = word.get(..at) else { continue };
            found.extend(
                universe
                    .named(name)
                    .into_iter()
                    .filter(|id| universe.package(*id).is_some_and(|package| names(word, &package))),
            );
        }
        universe.prefer(&mut found);
        found
    };
    if !exact.is_empty() {
        return Ok(vec![need(exact)]);
    }
    if universe.knows(word) {
        return Err(Error::Excluded {
            wish: word.to_owned(),
        });
    }
    let provided = universe.providers(&provision(word));
    if !provided.is_empty() {
        return Ok(vec![need(provided)]);
    }
    if word.starts_with('/') && !universe.has_all_files() {
        return Err(Error::NeedsFilelists {
            paths: vec![word.to_owned()],
        });
    }
    Err(no_match(word, pool))
}

fn need(ids: impl IntoIterator<Item = Id>) -> Need {
    Need::any(ids.into_iter().map(|id| Candidate(id.0)))
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

pub(crate) fn no_match(word: &str, pool: &Pool<'_, '_>) -> Error {
    Error::NoMatch {
        wish: word.to_owned(),
        similar: pool.universe.similar(word),
    }
}
