//! What moved between two locks.

use std::collections::BTreeMap;
use std::fmt;

use super::{Package, Root};

/// A package whose version is another one, or that came or went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Move {
    /// It is in another version, or another archive of the same version.
    Changed {
        /// Its name.
        name: String,
        /// The version before.
        from: String,
        /// The version after.
        to: String,
    },
    /// It came.
    Added {
        /// Its name.
        name: String,
        /// Its version.
        version: String,
    },
    /// It went.
    Gone {
        /// Its name.
        name: String,
        /// Its version.
        version: String,
    },
}

/// `libc6 2.41-11 -> 2.41-12`, `+ nano 8.4-1`, `- vim 2:9.1`.
impl fmt::Display for Move {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Move::Changed { name, from, to } if from == to => {
                write!(f, "{name} {from} -> another build of {to}")
            }
            Move::Changed { name, from, to } => write!(f, "{name} {from} -> {to}"),
            Move::Added { name, version } => write!(f, "+ {name} {version}"),
            Move::Gone { name, version } => write!(f, "- {name} {version}"),
        }
    }
}

/// What moved, by name.
pub fn moves(before: &Root, after: &Root) -> Vec<Move> {
    let old = by_name(before);
    let new = by_name(after);
    let mut keys: Vec<&(String, usize)> = old.keys().chain(new.keys()).collect();
    keys.sort();
    keys.dedup();
    keys.into_iter()
        .filter_map(|key| match (old.get(key), new.get(key)) {
            (Some(from), Some(to)) if from.version == to.version && from.digest == to.digest => None,
            (Some(from), Some(to)) => Some(Move::Changed {
                name: key.0.clone(),
                from: from.version.clone(),
                to: to.version.clone(),
            }),
            (Some(gone), None) => Some(Move::Gone {
                name: key.0.clone(),
                version: gone.version.clone(),
            }),
            (None, Some(added)) => Some(Move::Added {
                name: key.0.clone(),
                version: added.version.clone(),
            }),
            (None, None) => None,
        })
        .collect()
}

/// Packages by name, those of foreign architectures with it; with a number for names that a root has more than once.
fn by_name(root: &Root) -> BTreeMap<(String, usize), &Package> {
    let mut all = BTreeMap::new();
    for package in &root.packages {
        let own = [root.arch.as_str(), "all", "noarch"].contains(&package.arch.as_str());
        let name = match own {
            true => package.name.clone(),
            false => format!("{}:{}", package.name, package.arch),
        };
        let number = (0..)
            .find(|number| !all.contains_key(&(name.clone(), *number)))
            .unwrap_or_default();
        all.insert((name, number), package);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::super::tests::{package, root};
    use super::*;

    #[test]
    fn versions_that_moved() {
        let before = root(&[
            package("a", "1", 1),
            package("b", "1", 2),
            package("c", "1", 3),
            package("d", "1", 4),
        ]);
        let mut foreign = package("c", "1", 5);
        foreign.arch = "i386".into();
        let after = root(&[
            package("a", "2", 9),
            package("c", "1", 3),
            package("d", "1", 7),
            package("e", "1", 4),
            foreign,
        ]);
        let said: Vec<String> = moves(&before, &after).iter().map(Move::to_string).collect();
        assert_eq!(
            said,
            [
                "a 1 -> 2",
                "- b 1",
                "+ c:i386 1",
                "d 1 -> another build of 1",
                "+ e 1"
            ]
        );
        assert!(moves(&after, &after).is_empty());
    }
}
