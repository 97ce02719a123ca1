//! A directory of indexes that belong together: it is laid out aside, and put in place as one.

use std::collections::{BTreeMap, BTreeSet};

use bareroot_trust::Blob;
use bareroot_unpack::FileKind;
use sha2::{Digest as _, Sha256};

use super::dir::{Dir, NEXT};
use super::paths::below;
use super::record::Record;
use crate::error::Error;

/// A directory of indexes.
#[derive(Clone, Debug)]
pub struct Unit {
    /// Where it is below the mirror.
    pub directory: String,
    /// The files that belong to it, below it.
    pub files: BTreeSet<String>,
    /// The SHA-256 of those that nothing else vouches for.
    seals: BTreeMap<String, String>,
    /// Whether packages are in the same directory: it is then not replaced as one.
    flat: bool,
}

impl Unit {
    /// A directory without files.
    pub fn new(directory: String, flat: bool) -> Unit {
        Unit {
            directory,
            files: BTreeSet::new(),
            seals: BTreeMap::new(),
            flat,
        }
    }

    /// A file of it, in its place.
    pub fn published(&self, file: &str) -> String {
        below(&self.directory, file)
    }

    /// A file of it, aside.
    pub fn next(&self, file: &str) -> String {
        format!("{NEXT}/{}", self.published(file))
    }

    /// Lays out a file that nothing but itself vouches for.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn put(&mut self, dir: &Dir, file: &str, bytes: &[u8]) -> Result<(), Error> {
        dir.put(&self.next(file), bytes)?;
        self.seals.insert(file.to_owned(), seal(bytes));
        self.files.insert(file.to_owned());
        Ok(())
    }

    /// Takes one of them away again.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn drop(&mut self, dir: &Dir, file: &str) -> Result<(), Error> {
        self.seals.remove(file);
        if self.files.remove(file) {
            dir.root().remove(self.next(file))?;
        }
        Ok(())
    }

    /// Lays out a file that was fetched and verified.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn keep(&mut self, dir: &Dir, file: &str, blob: &Blob) -> Result<(), Error> {
        dir.keep(blob, &self.next(file))?;
        self.files.insert(file.to_owned());
        Ok(())
    }

    /// Lays out a file that is in its place already, and was verified there.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn link(&mut self, dir: &Dir, file: &str) -> Result<(), Error> {
        dir.link(&self.published(file), &self.next(file))?;
        self.files.insert(file.to_owned());
        Ok(())
    }

    /// Gives a file that is laid out another name.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn also(&mut self, dir: &Dir, file: &str, name: &str) -> Result<(), Error> {
        dir.link(&self.next(file), &self.next(name))?;
        self.files.insert(name.to_owned());
        Ok(())
    }

    /// Tells the record of what is going to be in place: a run that is killed then leaves no file that nobody knows.
    pub fn announce(&self, record: &mut Record) {
        let known = record.indexes.entry(self.directory.clone()).or_default();
        known.extend(self.files.iter().cloned());
        for (file, seal) in &self.seals {
            let known = record.seals.entry(self.published(file)).or_default();
            known.insert(seal.clone());
        }
    }

    /// Puts it in place of what is there, and tells the record. Files there that the record does not name stay.
    ///
    /// # Errors
    /// When the file system refuses; the old state stays then.
    pub fn publish(&self, dir: &Dir, record: &mut Record) -> Result<(), Error> {
        let old = record.indexes.get(&self.directory).cloned().unwrap_or_default();
        match self.flat {
            true => self.one_by_one(dir, &old)?,
            false => self.at_once(dir, &old)?,
        }
        for file in &old {
            record.seals.remove(&self.published(file));
        }
        for (file, seal) in &self.seals {
            record.seals.insert(self.published(file), [seal.clone()].into());
        }
        record.indexes.insert(self.directory.clone(), self.files.clone());
        Ok(())
    }

    fn at_once(&self, dir: &Dir, old: &BTreeSet<String>) -> Result<(), Error> {
        let next = format!("{NEXT}/{}", self.directory);
        if dir.root().lstat(&self.directory)?.is_none() {
            if let Some((above, _)) = self.directory.rsplit_once('/') {
                dir.root().create_dir_all(above, 0o755)?;
            }
            return Ok(dir.root().rename_new(&next, &self.directory)?);
        }
        self.take_along(dir, "", old)?;
        dir.root().exchange(&next, &self.directory)?;
        Ok(dir.root().remove_all(&next)?)
    }

    /// Files that others put into the directory are there afterwards too.
    fn take_along(&self, dir: &Dir, inside: &str, old: &BTreeSet<String>) -> Result<(), Error> {
        let here = match inside {
            "" => self.directory.clone(),
            inside => self.published(inside),
        };
        for entry in dir.root().read_dir(&here)? {
            let name = String::from_utf8_lossy(&entry.name).into_owned();
            let file = match inside {
                "" => name,
                inside => format!("{inside}/{name}"),
            };
            match entry.kind {
                FileKind::Directory => self.take_along(dir, &file, old)?,
                FileKind::File if !old.contains(&file) && !self.files.contains(&file) => {
                    dir.link(&self.published(&file), &self.next(&file))?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Into a directory that also has packages: what vouches for the others comes last.
    fn one_by_one(&self, dir: &Dir, old: &BTreeSet<String>) -> Result<(), Error> {
        let last = |file: &&String| self.seals.contains_key(*file);
        let indexes = self.files.iter().filter(|file| !last(file));
        for file in indexes.chain(self.files.iter().filter(last)) {
            let place = self.published(file);
            if let Some((above, _)) = place.rsplit_once('/') {
                dir.root().create_dir_all(above, 0o755)?;
            }
            dir.root().rename(self.next(file), place)?;
        }
        for file in old.difference(&self.files) {
            dir.root().remove(self.published(file))?;
        }
        Ok(())
    }
}

/// The SHA-256 of a small file.
pub fn seal(bytes: &[u8]) -> String {
    bareroot_model::Digest::new(Sha256::digest(bytes).into()).to_string()
}
