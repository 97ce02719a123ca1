//! What packages share: files of several packages, and links that lead to directories.

use std::collections::HashMap;

use bareroot_rpm::{File, FileChoice, FileFlags, Files, State};
use bareroot_unpack::Root;

use super::Arrived;
use super::links::{Follow, Links};
use crate::error::Error;

/// How the packages' files get along.
pub struct Shared {
    states: Vec<Vec<State>>,
    /// By package and place, whether the package leaves the file out.
    skipped: Vec<Vec<bool>>,
    /// By package, the places of files that are not to be written: those that are left out, and those that a later
    /// package writes once more.
    unwritten: Vec<Vec<usize>>,
}

/// What becomes of a file (rpm's rpmFileAction).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Action {
    /// It is made.
    Create,
    /// A package before has made the same.
    Skip,
    /// It is left out, which the database says as well.
    SkipState(State),
}

impl Action {
    fn is_skip(self) -> bool {
        self != Action::Create
    }
}

/// Which ELF classes are taken, and which of them wins a file.
struct Rainbow {
    transaction: u32,
    preferred: u32,
}

/// A file by its package and its place there.
type Spot = (usize, usize);

impl Shared {
    /// Settles every path that more than one package has, as rpm does (rpm's lib/transaction.c: handleOverlappedFiles,
    /// handleColorConflict). The packages are in the order of installation, and each file is held against the one that
    /// had its path last; paths are the same if links lead them to the same place.
    ///
    /// # Errors
    /// [`Error::FileConflict`] for two files that are not the same; what the root says when it cannot be read.
    pub fn settle(arrived: &[Arrived], choice: &FileChoice, root: &Root) -> Result<(Shared, Links), Error> {
        let all: Vec<Files<'_>> = arrived
            .iter()
            .map(|package| package.file.header().files())
            .collect();
        let names = |package: usize| {
            let header = arrived.get(package).map(|package| package.file.header());
            header
                .map(|header| header.nevra().to_string())
                .unwrap_or_default()
        };
        Shared::of(&all, choice, root, names)
    }

    fn of(
        all: &[Files<'_>],
        choice: &FileChoice,
        root: &Root,
        names: impl Fn(usize) -> String,
    ) -> Result<(Shared, Links), Error> {
        let rainbow = Rainbow {
            transaction: choice.color,
            preferred: super::super::order::PREFERRED_COLOR,
        };
        let mut states: Vec<Vec<State>> = all.iter().map(|files| choice.states(files)).collect();
        let mut links = Links::default();
        for (files, states) in all.iter().zip(&states) {
            let wanted = files
                .iter()
                .zip(states)
                .filter(|(_, state)| **state == State::Normal);
            for (file, _) in wanted.filter(|(file, _)| file.is_symlink()) {
                links.add(file.path(), &file);
            }
        }
        let mut actions: Vec<Vec<Action>> = states.iter().map(|states| began(states)).collect();
        let mut holders: HashMap<Vec<u8>, Spot> = HashMap::new();
        let mut writers: HashMap<Vec<u8>, Spot> = HashMap::new();
        let mut unwritten: Vec<Vec<usize>> = all.iter().map(|_| Vec::new()).collect();
        for (package, files) in all.iter().enumerate() {
            for (place, file) in files.iter().enumerate() {
                if at(&actions, (package, place)).is_none_or(Action::is_skip) {
                    continue;
                }
                let path = links.real(file.directory, Follow::Owned, root)?;
                let path = [path.as_slice(), b"/", file.name].concat();
                let mut action = Action::Create;
                if let Some(holder) = holders.get(&path).copied() {
                    let other = all.get(holder.0).and_then(|files| files.get(holder.1));
                    let held = at(&actions, holder);
                    if let (Some(other), Some(held)) = (other, held) {
                        let conflict = || Error::FileConflict {
                            path: String::from_utf8_lossy(&file.path()).into_owned(),
                            one: names(holder.0),
                            other: names(package),
                        };
                        let (own, others) = rainbow.meet(&file, &other, held).ok_or_else(conflict)?;
                        action = own;
                        set(&mut actions, holder, others);
                    }
                }
                set(&mut actions, (package, place), action);
                if action == Action::Create && !file.flags.has(FileFlags::GHOST) {
                    // Of several that are made, the last one is what stays.
                    let made = links.real(file.directory, Follow::Made, root)?;
                    let made = [made.as_slice(), b"/", file.name].concat();
                    if let Some((package, place)) = writers.insert(made, (package, place))
                        && let Some(list) = unwritten.get_mut(package)
                    {
                        list.push(place);
                    }
                }
                holders.insert(path, (package, place));
            }
        }
        for (package, actions) in actions.iter().enumerate() {
            for (place, action) in actions.iter().enumerate() {
                if let (Action::SkipState(state), Some(states)) = (action, states.get_mut(package))
                    && let Some(slot) = states.get_mut(place)
                {
                    *slot = *state;
                }
                if let (true, Some(list)) = (action.is_skip(), unwritten.get_mut(package)) {
                    list.push(place);
                }
            }
        }
        let skips = |actions: &Vec<Action>| actions.iter().map(|action| action.is_skip()).collect();
        let shared = Shared {
            skipped: actions.iter().map(skips).collect(),
            states,
            unwritten,
        };
        Ok((shared, links))
    }

    /// The places of a package's files that are not to be written.
    pub fn unwritten(&self, package: usize) -> Vec<usize> {
        self.unwritten.get(package).cloned().unwrap_or_default()
    }

    /// The states of all files, and which of them their packages leave out.
    pub fn into_parts(self) -> (Vec<Vec<State>>, Vec<Vec<bool>>) {
        (self.states, self.skipped)
    }
}

fn began(states: &[State]) -> Vec<Action> {
    let action = |state: &State| match state {
        State::Normal => Action::Create,
        other => Action::SkipState(*other),
    };
    states.iter().map(action).collect()
}

fn at(actions: &[Vec<Action>], (package, place): Spot) -> Option<Action> {
    actions.get(package)?.get(place).copied()
}

fn set(actions: &mut [Vec<Action>], (package, place): Spot, action: Action) {
    if let Some(slot) = actions.get_mut(package).and_then(|list| list.get_mut(place)) {
        *slot = action;
    }
}

impl Rainbow {
    /// What becomes of a file and of the other one that has its path already; `None` for a conflict.
    fn meet(&self, file: &File<'_>, other: &File<'_>, held: Action) -> Option<(Action, Action)> {
        const LOST: Action = Action::SkipState(State::WrongColor);
        if equal(file, other) {
            let own = match held {
                // What is not in a payload is not there.
                Action::Create if other.flags.has(FileFlags::GHOST) => Action::Create,
                Action::Create => Action::Skip,
                LOST => LOST,
                _ => Action::Create,
            };
            return Some((own, held));
        }
        let (own, others) = (file.color & self.transaction, other.color & self.transaction);
        if own == 0 || others == 0 || own == others {
            return None;
        }
        if own & self.preferred != 0 {
            Some((Action::Create, LOST))
        } else if others & self.preferred != 0 {
            Some((LOST, held))
        } else {
            None
        }
    }
}

/// Whether two packages mean the same file (rpmfilesCompare): kind and mode, size, owner, link, content. What one of them
/// only owns is the same as anything.
fn equal(one: &File<'_>, other: &File<'_>) -> bool {
    if one.flags.has(FileFlags::GHOST) || other.flags.has(FileFlags::GHOST) {
        return true;
    }
    let links = one.is_symlink() && other.is_symlink();
    if !links && one.mode != other.mode {
        return false;
    }
    if one.user != other.user || one.group != other.group {
        return false;
    }
    if links {
        return one.size == other.size && one.link == other.link;
    }
    if one.is_regular() {
        return one.size == other.size
            && one.algorithm == other.algorithm
            && one.digest.eq_ignore_ascii_case(other.digest);
    }
    !one.is_device() || one.rdev == other.rdev
}

#[cfg(test)]
mod tests;
