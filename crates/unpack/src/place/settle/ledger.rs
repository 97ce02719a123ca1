//! Who owns what, as dpkg's lists would have it at each moment of the replay.

use std::collections::{HashMap, HashSet};

use super::super::Shared;
use super::super::placed::Taken;
use super::super::settings::Subject;
use super::super::worker::Package;
use crate::error::{Error, lossy};

/// A package that has a path.
#[derive(Clone, Debug)]
pub(super) struct Owner {
    pub(super) who: Who,
    /// The path in the package's own spelling. dpkg sees a conflict only between equal spellings.
    pub(super) path: Vec<u8>,
    /// What it is there, for messages.
    pub(super) kind: &'static str,
}

#[derive(Clone, Debug)]
pub(super) enum Who {
    /// Known to the root's database.
    Installed(Subject),
    /// One of those that are being placed.
    Placed(u32),
}

/// What a package may do with a path that others have.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    /// Another package replaces it: what is there stays.
    pub(super) yields: bool,
    /// Another architecture of the package has the same file.
    pub(super) shares: bool,
    /// Whom it replaces, by position.
    replaces: Vec<usize>,
}

pub(super) struct Ledger<'f> {
    shared: &'f Shared,
    subjects: HashMap<u32, Subject>,
    lost: HashMap<u32, HashSet<Vec<u8>>>,
    taken: Vec<Taken>,
}

impl<'f> Ledger<'f> {
    pub(super) fn new(shared: &'f Shared, packages: &[Package]) -> Self {
        let subjects = packages
            .iter()
            .map(|package| (package.ordinal, package.subject.clone()))
            .collect();
        Ledger {
            shared,
            subjects,
            lost: HashMap::new(),
            taken: Vec::new(),
        }
    }

    pub(super) fn into_parts(self) -> (HashMap<u32, HashSet<Vec<u8>>>, Vec<Taken>) {
        (self.lost, self.taken)
    }

    /// A package for a message.
    pub(super) fn words(&self, ordinal: u32) -> String {
        self.subjects
            .get(&ordinal)
            .map_or_else(|| format!("number {ordinal}"), Subject::to_string)
    }

    /// A package's name.
    pub(super) fn name(&self, ordinal: u32) -> Option<&str> {
        self.subjects.get(&ordinal).map(|subject| subject.name.as_str())
    }

    fn subject<'a>(&'a self, who: &'a Who) -> Option<&'a Subject> {
        match who {
            Who::Installed(subject) => Some(subject),
            Who::Placed(ordinal) => self.subjects.get(ordinal),
        }
    }

    /// What the package may do with `path`, which it has as a `kind` and which `owners` have already.
    pub(super) fn judge(
        &self,
        owners: &[Owner],
        ordinal: u32,
        path: &[u8],
        kind: &'static str,
    ) -> Result<Verdict, Error> {
        let mut verdict = Verdict::default();
        let Some(package) = self.subjects.get(&ordinal) else {
            return Ok(verdict);
        };
        let relations = &self.shared.settings.relations;
        for (index, owner) in owners.iter().enumerate().filter(|(_, owner)| owner.path == path) {
            let Some(other) = self.subject(&owner.who) else {
                continue;
            };
            if package.is_same_package(other) {
                continue;
            }
            if package.shares_with(other) {
                verdict.shares = true;
            } else if relations.replaces(package, other) {
                verdict.replaces.push(index);
            } else if relations.replaces(other, package) {
                verdict.yields = true;
            } else {
                return Err(conflict(
                    path,
                    other.to_string(),
                    owner.kind,
                    package.to_string(),
                    kind,
                ));
            }
        }
        Ok(verdict)
    }

    /// Takes the path from those whom the package replaces.
    pub(super) fn take(&mut self, owners: &mut Vec<Owner>, verdict: &Verdict, ordinal: u32) {
        for &index in verdict.replaces.iter().rev() {
            if index >= owners.len() {
                continue;
            }
            let Owner { who, path, .. } = owners.remove(index);
            match (who, self.subjects.get(&ordinal)) {
                (Who::Installed(from), Some(by)) => self.taken.push(Taken {
                    from,
                    path,
                    by: by.clone(),
                }),
                (Who::Placed(other), _) => self.lose(other, path),
                (Who::Installed(_), None) => {}
            }
        }
    }

    /// A package does not own a path of its archive.
    pub(super) fn lose(&mut self, ordinal: u32, path: Vec<u8>) {
        self.lost.entry(ordinal).or_default().insert(path);
    }

    /// The paths that filters keep out of the root are owned all the same, and fought over.
    pub(super) fn filtered(&mut self, filtered: HashMap<Vec<u8>, Vec<u32>>) -> Result<(), Error> {
        let mut paths: Vec<_> = filtered.into_iter().collect();
        paths.sort();
        for (path, mut ordinals) in paths {
            ordinals.sort_unstable();
            ordinals.dedup();
            let kind = "a file";
            let mut owners = self.installed(&path);
            for ordinal in ordinals {
                if self.judge(&owners, ordinal, &path, kind)?.yields {
                    self.lose(ordinal, path.clone());
                } else {
                    owners.push(Owner {
                        who: Who::Placed(ordinal),
                        path: path.clone(),
                        kind,
                    });
                }
            }
        }
        Ok(())
    }

    fn installed(&self, path: &[u8]) -> Vec<Owner> {
        installed(self.shared, path)
    }
}

/// The installed packages that have a path.
pub(super) fn installed(shared: &Shared, path: &[u8]) -> Vec<Owner> {
    let owners = shared.settings.installed.owners(path).into_iter();
    owners
        .map(|subject| Owner {
            who: Who::Installed(subject),
            path: path.to_vec(),
            kind: "a file",
        })
        .collect()
}

/// The error for two packages that cannot both have a path.
pub(super) fn conflict(
    path: &[u8],
    first: String,
    first_kind: &'static str,
    second: String,
    second_kind: &'static str,
) -> Error {
    let path = lossy(path);
    let directory = "a directory";
    if (first_kind == directory) == (second_kind == directory) {
        Error::Conflict { path, first, second }
    } else {
        Error::KindConflict {
            path,
            first,
            first_kind,
            second,
            second_kind,
        }
    }
}
