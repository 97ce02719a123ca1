//! Which files of a package are installed: documentation, languages, colours (rpm's lib/rpmfi.c, lib/psm.c: rpmfs states).

use crate::header::{FileFlags, Files};

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
        files
            .iter()
            .map(|file| {
                if self.color != 0 && file.color != 0 && file.color & self.color == 0 {
                    State::WrongColor
                } else if self.no_docs && file.flags.has(FileFlags::DOC)
                    || self
                        .langs
                        .as_ref()
                        .is_some_and(|langs| !speaks(langs, file.langs))
                {
                    State::NotInstalled
                } else {
                    State::Normal
                }
            })
            .collect()
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
