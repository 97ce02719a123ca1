//! Which files of a package are installed: documentation, languages, colours (rpm's
//! lib/transaction.c: skipInstallFiles).

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
    /// The state of each file of a header.
    pub fn states(&self, files: &Files<'_>) -> Vec<State> {
        let mut states: Vec<State> = (0..files.len())
            .map(|place| files.get(place).map_or(State::Normal, |file| self.state(&file)))
            .collect();
        if states.iter().any(|state| *state != State::Normal) {
            leave_out_emptied(files, &mut states);
        }
        states
    }

    fn state(&self, file: &File<'_>) -> State {
        let wanted = |langs: &Vec<String>| speaks(langs, file.langs);
        if self.color != 0 && file.color != 0 && file.color & self.color == 0 {
            State::WrongColor
        } else if file.flags.has(FileFlags::LICENSE) {
            State::Normal
        } else if self.no_docs && file.flags.has(FileFlags::DOC) || !self.langs.as_ref().is_none_or(wanted) {
            State::NotInstalled
        } else {
            State::Normal
        }
    }
}

/// Directories of the package that have lost all their files stay out as well, and so upwards.
fn leave_out_emptied(files: &Files<'_>, states: &mut [State]) {
    let directories = files.directories();
    let mut left = vec![0_usize; directories.len()];
    let mut lost = vec![false; directories.len()];
    let mut own: HashMap<Vec<u8>, usize> = HashMap::new();
    for (place, state) in states.iter().enumerate() {
        let (Some(file), Some(directory)) = (files.get(place), files.directory_of(place)) else {
            continue;
        };
        if *state != State::Normal {
            lost[directory] = true;
            continue;
        }
        left[directory] += 1;
        if file.is_directory() {
            own.entry([file.path().as_slice(), b"/"].concat())
                .or_insert(place);
        }
    }
    // Sorted, so that from their end a directory comes after those in it.
    for directory in (0..directories.len()).rev() {
        if left[directory] != 0 || !lost[directory] {
            continue;
        }
        let Some(place) = directories.get(directory).and_then(|path| own.remove(*path)) else {
            continue;
        };
        if let (Some(state), Some(parent)) = (states.get_mut(place), files.directory_of(place)) {
            *state = State::NotInstalled;
            left[parent] = left[parent].saturating_sub(1);
            lost[parent] = true;
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
