//! Which package of the transaction a relation means (rpm's lib/rpmal.c).

use std::collections::{HashMap, HashSet};

use bareroot_rpm::{Dependency, DependencyKind, FileFlags, Header, Sense, overlap};

use super::OrderChoice;
use super::colors::Colors;

/// How many links a directory's path may go through.
const MOST_LINKS: usize = 40;

/// Everything that the packages provide, each list in the packages' order.
pub(super) struct Available<'h> {
    provides: HashMap<&'h str, Vec<Provided<'h>>>,
    files: HashMap<&'h [u8], Vec<Owned<'h>>>,
    links: HashMap<Vec<u8>, &'h [u8]>,
    colors: Vec<u32>,
    choice: OrderChoice,
}

struct Provided<'h> {
    package: usize,
    sense: Sense,
    evr: &'h str,
}

struct Owned<'h> {
    package: usize,
    directory: &'h [u8],
}

impl<'h> Available<'h> {
    /// `wanted` are the names of files, without their directories, that are asked for at all.
    pub(super) fn new(
        headers: &[&'h Header],
        colors: &[Colors],
        wanted: &HashSet<&[u8]>,
        choice: &OrderChoice,
    ) -> Self {
        let mut available = Available {
            provides: HashMap::new(),
            files: HashMap::new(),
            links: HashMap::new(),
            colors: colors.iter().map(|colors| colors.package).collect(),
            choice: *choice,
        };
        for (package, (header, colors)) in headers.iter().zip(colors).enumerate() {
            available.add_provides(package, header, colors);
            available.add_files(package, header, wanted);
        }
        available
    }

    /// Whether something of this colour is not of the transaction's classes.
    fn is_foreign(&self, color: u32) -> bool {
        self.choice.color != 0 && color != 0 && color & self.choice.color == 0
    }

    fn add_provides(&mut self, package: usize, header: &'h Header, colors: &Colors) {
        for (place, provided) in listed(header, DependencyKind::Provides) {
            if !self.is_foreign(Colors::at(&colors.provides, place)) {
                self.provides.entry(provided.name).or_default().push(Provided {
                    package,
                    sense: provided.sense,
                    evr: provided.evr,
                });
            }
        }
    }

    fn add_files(&mut self, package: usize, header: &'h Header, wanted: &HashSet<&[u8]>) {
        for file in header.files().iter() {
            if file.is_symlink() {
                self.links.entry(file.path()).or_insert(file.link);
            }
            let is_doc = self.choice.no_docs && file.flags.has(FileFlags::DOC);
            if wanted.contains(file.name) && !is_doc && !self.is_foreign(file.color) {
                self.files.entry(file.name).or_default().push(Owned {
                    package,
                    directory: file.directory,
                });
            }
        }
    }

    /// The package that meets a relation of the package `of`: by the colour of the relation, else by the preferred one,
    /// then the package itself, then the first.
    pub(super) fn provider(&self, of: usize, relation: &Dependency<'_>, color: u32) -> Option<usize> {
        let mut found = self.by_file(relation);
        if found.is_empty() {
            found = self.by_name(relation);
        }
        let mut best = *found.first()?;
        let mut highest = 0;
        for provider in found {
            let own = self.colors.get(provider).copied().unwrap_or_default();
            let wanted = match color {
                0 => self.choice.preferred,
                color => color,
            };
            let fits = self.choice.color != 0 && wanted != 0 && wanted == own;
            let score = if fits { 2 } else { 0 } + u8::from(provider == of);
            if score > highest {
                highest = score;
                best = provider;
            }
        }
        Some(best)
    }

    fn by_name(&self, relation: &Dependency<'_>) -> Vec<usize> {
        self.provides
            .get(relation.name)
            .into_iter()
            .flatten()
            .filter(|provided| overlap(provided.sense, provided.evr, relation.sense, relation.evr))
            .map(|provided| provided.package)
            .collect()
    }

    fn by_file(&self, relation: &Dependency<'_>) -> Vec<usize> {
        let Some((directory, name)) = split(relation.name) else {
            return Vec::new();
        };
        let mut real = None;
        self.files
            .get(name)
            .into_iter()
            .flatten()
            .filter(|owned| {
                owned.directory == directory
                    || *real.get_or_insert_with(|| self.real(directory)) == self.real(owned.directory)
            })
            .map(|owned| owned.package)
            .collect()
    }

    /// A directory with the packages' own links followed. rpm asks the file system on which it runs, which has
    /// links such as `/bin` where the root will have them.
    fn real(&self, directory: &[u8]) -> Vec<u8> {
        let mut done: Vec<u8> = Vec::new();
        let mut rest: Vec<&[u8]> = directory.rsplit(|byte| *byte == b'/').collect();
        let mut followed = 0;
        while let Some(part) = rest.pop() {
            match part {
                b"" | b"." => continue,
                b".." => {
                    done.truncate(done.iter().rposition(|byte| *byte == b'/').unwrap_or(0));
                    continue;
                }
                _ => {}
            }
            let before = done.len();
            done.push(b'/');
            done.extend_from_slice(part);
            if let Some(link) = self.links.get(&done)
                && followed < MOST_LINKS
            {
                followed += 1;
                done.truncate(if link.starts_with(b"/") { 0 } else { before });
                rest.extend(link.rsplit(|byte| *byte == b'/'));
            }
        }
        done
    }
}

/// Directory, with its slash, and name of an absolute path.
pub(super) fn split(path: &str) -> Option<(&[u8], &[u8])> {
    let at = path.starts_with('/').then(|| path.rfind('/'))??;
    let (directory, name) = path.as_bytes().split_at(at + 1);
    Some((directory, name))
}

/// The dependencies of a kind with their places in the header.
pub(super) fn listed(header: &Header, kind: DependencyKind) -> impl Iterator<Item = (usize, Dependency<'_>)> {
    let [names, flags, versions] = kind.tags();
    let flags = header.u32s(flags);
    let versions = header.texts(versions);
    header
        .texts(names)
        .into_iter()
        .enumerate()
        .filter(|(_, name)| !name.is_empty())
        .map(move |(place, name)| {
            let dependency = Dependency {
                name,
                sense: Sense(flags.get(place).copied().unwrap_or_default()),
                evr: versions.get(place).copied().unwrap_or_default(),
            };
            (place, dependency)
        })
}
