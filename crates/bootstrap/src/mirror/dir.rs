//! A mirror's directory: who writes it, what is half done, and files that appear when they are whole.

use std::fs::{DirBuilder, File, TryLockError};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use bareroot_model::Cancel;
use bareroot_trust::{Blob, Expected, Trusted, Verifier};
use bareroot_unpack::{FileKind, Root};

use super::map::{self, Map};
use super::record::Record;
use crate::error::Error;

/// The mirror's own directory.
const OWN: &str = ".bareroot-mirror";
/// What the mirror holds and for whom.
const RECORD: &str = ".bareroot-mirror/record.toml";
/// Held by whoever writes.
const LOCK: &str = ".bareroot-mirror/lock";
/// Files that are not whole yet.
const PARTS: &str = ".bareroot-mirror/parts";
/// Indexes that are to be put in place.
pub const NEXT: &str = ".bareroot-mirror/next";

/// A mirror's directory.
pub struct Dir {
    root: Root,
    path: PathBuf,
    cancel: Cancel,
    parts: AtomicUsize,
    /// Held as long as this lives.
    _lock: Option<File>,
}

/// What is wrong with a file of a mirror.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is not there.
    Missing,
    /// It is not what its index promises, as the end of a sentence.
    Wrong(String),
}

impl Dir {
    /// Opens a mirror to be written, making it where there is none. What a run that was killed left half done goes.
    ///
    /// # Errors
    /// [`Error::MirrorBusy`] where another run writes it.
    pub fn write(path: &Path, cancel: &Cancel) -> Result<Dir, Error> {
        let read = |source| Error::Read {
            path: path.to_owned(),
            source,
        };
        DirBuilder::new().recursive(true).create(path).map_err(read)?;
        let mut dir = Dir::open(path, cancel)?;
        dir.root.create_dir_all(OWN, 0o755)?;
        if !dir.root.exists(LOCK)? {
            // Another run may be as quick.
            let _ = dir.root.create_file(LOCK, 0o644);
        }
        let lock = dir.root.open_file(LOCK)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::MirrorBusy {
                    path: path.to_owned(),
                });
            }
            Err(TryLockError::Error(source)) => return Err(read(source)),
        }
        dir._lock = Some(lock);
        dir.root.remove_all(PARTS)?;
        dir.root.remove_all(NEXT)?;
        dir.root.create_dir_all(PARTS, 0o755)?;
        dir.root.create_dir_all(NEXT, 0o755)?;
        Ok(dir)
    }

    /// Opens a mirror to be read.
    ///
    /// # Errors
    /// When it is no directory.
    pub fn open(path: &Path, cancel: &Cancel) -> Result<Dir, Error> {
        let path = path.canonicalize().map_err(|source| Error::Read {
            path: path.to_owned(),
            source,
        })?;
        Ok(Dir {
            root: Root::open(&path)?,
            path,
            cancel: cancel.clone(),
            parts: AtomicUsize::new(0),
            _lock: None,
        })
    }

    /// Ends the writing: nothing half done is left.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn finish(&self) -> Result<(), Error> {
        self.root.remove_all(PARTS)?;
        Ok(self.root.remove_all(NEXT)?)
    }

    /// The directory, out of which no path leads.
    pub fn root(&self) -> &Root {
        &self.root
    }

    /// A directory of it as a mirror's address.
    pub fn url(&self, below: &str) -> String {
        super::url_of(&self.path.join(super::paths::plain(below)))
    }

    /// A file's name for messages.
    pub fn shown(&self, path: &str) -> String {
        self.path.join(path).display().to_string()
    }

    /// The map and the record; empty ones where there are none.
    ///
    /// # Errors
    /// When either is broken.
    pub fn records(&self) -> Result<(Map, Record), Error> {
        let map = self.text(map::FILE)?.map(|text| Map::parse(&text));
        let record = self.text(RECORD)?.map(|text| Record::parse(&text));
        let wrong = |file: &str, reason| Error::MirrorRecord {
            path: self.shown(file),
            reason,
        };
        Ok((
            map.transpose()
                .map_err(|reason| wrong(map::FILE, reason))?
                .unwrap_or_default(),
            record
                .transpose()
                .map_err(|reason| wrong(RECORD, reason))?
                .unwrap_or_default(),
        ))
    }

    fn text(&self, path: &str) -> Result<Option<String>, Error> {
        let bytes = self.root.read_if_exists(path)?;
        Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// Writes the record.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn keep_record(&self, record: &Record) -> Result<(), Error> {
        let text = record.render().map_err(|_| Error::Worker("record"))?;
        self.put(RECORD, text.as_bytes())
    }

    /// Writes the map.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn keep_map(&self, map: &Map) -> Result<(), Error> {
        let text = map.render().map_err(|_| Error::Worker("map"))?;
        self.put(map::FILE, text.as_bytes())
    }

    /// Writes a small file, unless it is there with that very content.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn put(&self, path: &str, bytes: &[u8]) -> Result<(), Error> {
        if self.root.read_if_exists(path)?.as_deref() == Some(bytes) {
            return Ok(());
        }
        // What a killed run leaves of it is where the next one removes it.
        let part = self.part();
        self.root.write(&part, 0o644, bytes)?;
        self.parent(path)?;
        Ok(self.root.rename(&part, path)?)
    }

    /// A name for a file that is not whole yet.
    fn part(&self) -> String {
        format!("{PARTS}/{}", self.parts.fetch_add(1, Ordering::Relaxed))
    }

    fn parent(&self, path: &str) -> Result<(), Error> {
        if let Some((directory, _)) = path.rsplit_once('/') {
            self.root.create_dir_all(directory, 0o755)?;
        }
        Ok(())
    }

    /// Writes a file that was verified; it appears when it is whole.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn keep(&self, blob: &Blob, path: &str) -> Result<(), Error> {
        let part = self.part();
        let mut file = self.root.create_file(&part, 0o644)?;
        let copied = self.copy(blob, &mut file);
        if let Err(source) = copied {
            let _ = self.root.remove(&part);
            // A copy that is left in the middle because the run is to stop is no error of the disk's.
            self.cancel.check()?;
            return Err(bareroot_unpack::Error::io("write", self.path.join(path), source).into());
        }
        self.parent(path)?;
        Ok(self.root.rename(&part, path)?)
    }

    fn copy(&self, blob: &Blob, file: &mut File) -> std::io::Result<()> {
        use std::io::Write as _;
        let mut reader = blob.reader();
        let mut buffer = vec![0; 256 << 10];
        loop {
            if self.cancel.is_set() {
                return Err(std::io::ErrorKind::Interrupted.into());
            }
            match reader.read(&mut buffer)? {
                0 => return Ok(()),
                length => file.write_all(buffer.get(..length).unwrap_or_default())?,
            }
        }
    }

    /// Gives a file another name; a copy where the file system has no hard links.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn link(&self, existing: &str, path: &str) -> Result<(), Error> {
        self.parent(path)?;
        if self.root.hard_link(existing, path).is_ok() || self.root.exists(path)? {
            return Ok(());
        }
        let mut from = self.root.open_file(existing)?;
        let mut to = self.root.create_file(path, 0o644)?;
        std::io::copy(&mut from, &mut to)
            .map_err(|source| bareroot_unpack::Error::io("write", self.path.join(path), source))?;
        Ok(())
    }

    /// Whether a file is there and what it must be.
    ///
    /// # Errors
    /// When the run is to stop.
    pub fn judge(&self, path: &str, expected: &Trusted<Expected>) -> Result<Result<Blob, Fault>, Error> {
        match self.root.lstat(path)? {
            None => return Ok(Err(Fault::Missing)),
            Some(stat) if stat.kind != FileKind::File => {
                return Ok(Err(Fault::Wrong(format!("is {}", stat.kind.words()))));
            }
            Some(_) => {}
        }
        let wrong = |reason: String| Ok(Err(Fault::Wrong(reason)));
        let mut file = match self.root.open_file(path) {
            Ok(file) => file,
            Err(error) => return wrong(format!("cannot be read: {error}")),
        };
        let mut verifier = Verifier::new(expected.clone());
        let mut buffer = vec![0; 256 << 10];
        loop {
            self.cancel.check()?;
            match file.read(&mut buffer) {
                Ok(0) => break,
                Ok(length) => {
                    if let Err(error) = verifier.update(buffer.get(..length).unwrap_or_default()) {
                        return wrong(error.to_string());
                    }
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return wrong(format!("cannot be read: {error}")),
            }
        }
        match verifier.finish() {
            Ok(proof) => Ok(Ok(Blob::new(
                file,
                proof.size(),
                proof.sha256(),
                self.shown(path),
            ))),
            Err(error) => wrong(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_that_is_stopped_is_no_error_of_the_disk() {
        let temp = tempfile::tempdir().unwrap();
        let cancel = Cancel::default();
        let dir = Dir::write(&temp.path().join("mirror"), &cancel).unwrap();
        std::fs::write(temp.path().join("file"), "content").unwrap();
        let file = File::open(temp.path().join("file")).unwrap();
        let blob = Blob::new(file, 7, bareroot_model::Digest::new([0; 32]), "file");
        dir.keep(&blob, "pool/file").unwrap();
        cancel.set();
        let error = dir.keep(&blob, "pool/other").unwrap_err();
        assert!(matches!(error, Error::Cancelled(_)), "{error}");
        assert!(!dir.root.exists("pool/other").unwrap());
        assert!(dir.root.read_dir(PARTS).unwrap().is_empty());
    }
}
