//! What packages share: files of several packages, and links that lead to directories.

use std::collections::{HashMap, HashSet};

use bareroot_rpm::{File, FileChoice, FileFlags, State};
use bareroot_unpack::Root;

use super::{Arrived, inside};
use crate::error::Error;

/// How the packages' files get along.
pub struct Shared {
    states: Vec<Vec<State>>,
    /// Places of files, by package, that another package's equal file stands for.
    skipped: Vec<Vec<usize>>,
    /// Links that paths of packages go through: path and text.
    links: Vec<(Vec<u8>, Vec<u8>)>,
}

/// The file that stands at a path.
struct Holder {
    package: usize,
    place: usize,
}

impl Shared {
    /// Settles every path that more than one package has, as rpm does (rpm's lib/transaction.c: handleColorConflict,
    /// rpmfilesCompare): equal files are shared, of two ELF classes the wider stays, anything else is a conflict.
    pub fn settle(arrived: &[Arrived], choice: &FileChoice) -> Result<Shared, Error> {
        let mut shared = Shared {
            states: Vec::with_capacity(arrived.len()),
            skipped: arrived.iter().map(|_| Vec::new()).collect(),
            links: Vec::new(),
        };
        let all: Vec<_> = arrived
            .iter()
            .map(|package| package.file.header().files())
            .collect();
        for files in &all {
            shared.states.push(choice.states(files));
        }
        let mut holders: HashMap<Vec<u8>, Holder> = HashMap::new();
        let mut directories: HashSet<Vec<u8>> = HashSet::new();
        let mut links: HashMap<Vec<u8>, Vec<u8>> = HashMap::new();
        for (package, files) in all.iter().enumerate() {
            for (place, file) in files.iter().enumerate() {
                let state = shared.states[package].get(place).copied().unwrap_or_default();
                if state != State::Normal || file.flags.has(FileFlags::GHOST) {
                    continue;
                }
                let path = file.path();
                if let Some(parent) = file.directory.strip_suffix(b"/") {
                    if !directories.contains(parent) {
                        directories.insert(parent.to_vec());
                    }
                }
                if file.is_symlink() {
                    links.insert(path.clone(), file.link.to_vec());
                }
                let Some(holder) = holders.get(&path) else {
                    holders.insert(path, Holder { package, place });
                    continue;
                };
                let Some(other) = all.get(holder.package).and_then(|files| files.get(holder.place)) else {
                    continue;
                };
                if file.is_directory() && other.is_directory() {
                    // rpm sets a directory's owner and mode with each package: the last one's stay.
                    shared.skip(holder.package, holder.place);
                    holders.insert(path, Holder { package, place });
                } else if equal(&file, &other) {
                    shared.skip(package, place);
                } else if file.color != other.color && file.color != 0 && other.color != 0 {
                    // The wider class is preferred.
                    if file.color > other.color {
                        shared.lose(holder.package, holder.place);
                        holders.insert(path, Holder { package, place });
                    } else {
                        shared.lose(package, place);
                    }
                } else {
                    return Err(Error::FileConflict {
                        path: String::from_utf8_lossy(&path).into_owned(),
                        one: arrived[holder.package].file.header().nevra().to_string(),
                        other: arrived[package].file.header().nevra().to_string(),
                    });
                }
            }
        }
        shared.links = links
            .into_iter()
            .filter(|(path, _)| directories.contains(path) || under(&directories, path))
            .collect();
        shared.links.sort();
        Ok(shared)
    }

    fn skip(&mut self, package: usize, place: usize) {
        if let Some(skipped) = self.skipped.get_mut(package) {
            skipped.push(place);
        }
    }

    fn lose(&mut self, package: usize, place: usize) {
        self.skip(package, place);
        if let Some(state) = self
            .states
            .get_mut(package)
            .and_then(|states| states.get_mut(place))
        {
            *state = State::WrongColor;
        }
    }

    /// Files of a package that are not to be written.
    pub fn skipped(&self, package: usize) -> Vec<usize> {
        self.skipped.get(package).cloned().unwrap_or_default()
    }

    /// The states of all files.
    pub fn into_states(self) -> Vec<Vec<State>> {
        self.states
    }

    /// Makes the links that paths go through, and the directories that they lead to. The package that ships such a link
    /// finds it there and leaves it.
    pub fn make_links(&self, root: &Root) -> Result<(), Error> {
        for (path, text) in &self.links {
            let path = inside(path);
            if root.lstat(path)?.is_some() {
                continue;
            }
            if let Some(parent) = path.parent() {
                root.create_dir_all(parent, 0o755)?;
            }
            root.symlink(inside_text(text), path)?;
            // What it leads to, looked up as the root sees it.
            let target = match text.starts_with(b"/") {
                true => inside(text).to_owned(),
                false => path.parent().unwrap_or(path).join(inside_text(text)),
            };
            root.create_dir_all(target, 0o755)?;
        }
        Ok(())
    }
}

fn inside_text(text: &[u8]) -> &std::path::Path {
    use std::os::unix::ffi::OsStrExt as _;
    std::path::Path::new(std::ffi::OsStr::from_bytes(text))
}

/// Whether a path is above one of the directories.
fn under(directories: &HashSet<Vec<u8>>, path: &[u8]) -> bool {
    let prefix = [path, b"/"].concat();
    directories.iter().any(|directory| directory.starts_with(&prefix))
}

/// Whether two packages mean the same file: kind, mode, owner, link and content.
fn equal(one: &File<'_>, other: &File<'_>) -> bool {
    one.mode == other.mode
        && one.user == other.user
        && one.group == other.group
        && match one.is_symlink() {
            true => one.link == other.link,
            false => one.digest == other.digest && one.size == other.size && one.rdev == other.rdev,
        }
}
