//! Which files of a package are installed: documentation, languages, colours (rpm's lib/rpmfi.c, lib/psm.c: rpmfs states).

use std::collections::HashMap;

use crate::header::{File, FileFlags, Files};

/// The state of a file in rpm's database (rpmfileState).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum State {
    /// It is there.
    #[default]
    Normal = 0,
    /// Another package's file is in its place.
    Replaced = 1,
    /// Documentation that is not wanted, or a language.
    NotInstalled = 2,
    /// It is on a shared file system.
    NetShared = 3,
    /// It is of the ELF class that is not preferred.
    WrongColor = 4,
}

/// What is wanted of a package's files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileChoice {
    /// Whether documentation stays out.
    pub no_docs: bool,
    /// The languages that are installed; `None` is all of them.
    pub langs: Option<Vec<String>>,
    /// The transaction's colour: 0 takes every file.
    pub color: u32,
}

impl FileChoice {
    /// The state of each file of a header (rpm's lib/transaction.c: skipInstallFiles).
    pub fn states(&self, files: &Files<'_>) -> Vec<State> {
        let mut states: Vec<State> = (0..files.len())
            .map(|place| files.get(place).map_or(State::Normal, |file| self.state(&file)))
            .collect();
        leave_empty_directories(files, &mut states);
        states
    }

    fn state(&self, file: &File<'_>) -> State {
        if self.color != 0 && file.color != 0 && file.color & self.color == 0 {
            return State::WrongColor;
        }
        if file.flags.has(FileFlags::LICENSE) {
            return State::Normal;
        }
        let unspoken = self
            .langs
            .as_ref()
            .is_some_and(|langs| !speaks(langs, file.langs));
        match unspoken || self.no_docs && file.flags.has(FileFlags::DOC) {
            true => State::NotInstalled,
            false => State::Normal,
        }
    }
}

/// Leaves out the directories of a package of which it leaves out everything, the innermost first.
fn leave_empty_directories(files: &Files<'_>, states: &mut [State]) {
    if states.iter().all(|state| *state == State::Normal) {
        return;
    }
    /// What of a directory is left, and whether something was left out.
    #[derive(Clone, Copy, Default)]
    struct Count {
        left: usize,
        lost: bool,
    }
    let mut counts = vec![Count::default(); files.directories().len()];
    let mut entries: HashMap<Vec<u8>, usize> = HashMap::new();
    for (place, state) in states.iter().enumerate() {
        let count = files
            .directory_of(place)
            .and_then(|directory| counts.get_mut(directory));
        if let Some(count) = count {
            match state {
                State::Normal => count.left += 1,
                _ => count.lost = true,
            }
        }
        if let Some(file) = files
            .get(place)
            .filter(|file| file.is_directory() && *state == State::Normal)
        {
            entries.entry(file.path()).or_insert(place);
        }
    }
    for directory in (0..counts.len()).rev() {
        let emptied = counts
            .get(directory)
            .is_some_and(|count| count.left == 0 && count.lost);
        let path = files
            .directories()
            .get(directory)
            .and_then(|path| path.strip_suffix(b"/"));
        let Some(place) = path.filter(|_| emptied).and_then(|path| entries.remove(path)) else {
            continue;
        };
        if let Some(state) = states.get_mut(place) {
            *state = State::NotInstalled;
        }
        if let Some(count) = files
            .directory_of(place)
            .and_then(|parent| counts.get_mut(parent))
        {
            count.left = count.left.saturating_sub(1);
            count.lost = true;
        }
    }
}

/// Whether one of the wanted languages begins with one of the file's; a file without languages is for all.
fn speaks(wanted: &[String], file: &[u8]) -> bool {
    let mut own = file.split(|byte| *byte == b'|').filter(|lang| !lang.is_empty());
    file.is_empty()
        || own.any(|lang| {
            wanted
                .iter()
                .any(|want| want == "all" || want.as_bytes().starts_with(lang))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_match_by_their_beginning() {
        let wanted = |text: &str| vec![text.to_owned()];
        assert!(speaks(&wanted("de_AT"), b"de"));
        assert!(!speaks(&wanted("de"), b"de_AT"));
        assert!(speaks(&wanted("fr"), b"de|fr"));
        assert!(speaks(&wanted("fr"), b""));
        assert!(speaks(&wanted("all"), b"tlh"));
        assert!(!speaks(&[], b"de"));
    }
}
