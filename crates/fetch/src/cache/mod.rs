//! Files that live on between runs, named by their digests.
//!
//! `<root>/v1/{archives,indexes}/ab/<sha256>` are downloads, hashed again each time they are used, with `<sha256>.part` for
//! one that is incomplete and locked (flock(2)) while somebody writes it. `parsed` and `payloads` hold what was derived from
//! a file of that digest, `releases` the last Release files by the digest of their URL; these carry a digest of their
//! own. A file becomes visible by rename(2) and never changes afterwards; what is damaged counts as missing.

mod derived;
mod part;

use std::fs::{DirBuilder, File};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use bareroot_model::Digest;

use crate::Error;

pub use derived::Derived;
pub(crate) use part::{Part, Slot};

/// The version of the layout. Another one would live beside it.
const LAYOUT: &str = "v1";

/// A directory of files that live on between runs. Several processes may share it. Clones are the same cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cache {
    root: PathBuf,
}

/// The kinds of what is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Shelf {
    Archives,
    Indexes,
    Releases,
    Parsed,
    Payloads,
}

impl Shelf {
    fn name(self) -> &'static str {
        match self {
            Shelf::Archives => "archives",
            Shelf::Indexes => "indexes",
            Shelf::Releases => "releases",
            Shelf::Parsed => "parsed",
            Shelf::Payloads => "payloads",
        }
    }
}

impl Cache {
    /// Makes the directory where it is missing, and marks it for backup tools (<https://bford.info/cachedir/>).
    ///
    /// # Errors
    /// [`Error::Write`] when it cannot be made or written.
    pub fn open(root: impl Into<PathBuf>) -> Result<Cache, Error> {
        let cache = Cache { root: root.into() };
        cache.directory(&cache.root.join(LAYOUT))?;
        let tag = cache.root.join("CACHEDIR.TAG");
        if !tag.exists() {
            std::fs::write(
                &tag,
                "Signature: 8a477f597d28d172789f06886806bc55\n# The cache of bareroot.\n",
            )
            .map_err(|source| Error::Write { path: tag, source })?;
        }
        Ok(cache)
    }

    /// `$XDG_CACHE_HOME/bareroot`, else `~/.cache/bareroot`; `None` where the environment names no home. The password
    /// database is not asked: that needs the C library's modules.
    pub fn default_dir() -> Option<PathBuf> {
        let absolute = |name| {
            std::env::var_os(name)
                .map(PathBuf::from)
                .filter(|path| path.is_absolute())
        };
        let base = absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")))?;
        Some(base.join("bareroot"))
    }

    /// The directory.
    pub fn root(&self) -> &Path {
        &self.root
    }

    fn directory(&self, path: &Path) -> Result<(), Error> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o755)
            .create(path)
            .map_err(|source| Error::Write {
                path: path.to_owned(),
                source,
            })
    }

    fn path(&self, shelf: Shelf, digest: &Digest, suffix: &str) -> PathBuf {
        let name = digest.to_string();
        let fan = name.get(..2).unwrap_or_default();
        self.root
            .join(LAYOUT)
            .join(shelf.name())
            .join(fan)
            .join(format!("{name}{suffix}"))
    }

    /// Like [`path`](Self::path), with the directory made.
    fn path_to_write(&self, shelf: Shelf, digest: &Digest, suffix: &str) -> Result<PathBuf, Error> {
        let path = self.path(shelf, digest, suffix);
        if let Some(directory) = path.parent().filter(|directory| !directory.is_dir()) {
            self.directory(directory)?;
        }
        Ok(path)
    }

    /// Whether an archive is here from an earlier run. It has not been hashed yet.
    pub fn has_archive(&self, digest: &Digest) -> bool {
        self.path(Shelf::Archives, digest, "").is_file()
    }

    /// Opens a download that is complete. It has not been hashed yet.
    pub(crate) fn whole(&self, shelf: Shelf, digest: &Digest) -> Option<File> {
        open_file(&self.path(shelf, digest, ""))
    }

    /// Takes away a download that turned out to be damaged.
    pub(crate) fn remove(&self, shelf: Shelf, digest: &Digest) -> Result<(), Error> {
        let path = self.path(shelf, digest, "");
        match std::fs::remove_file(&path) {
            Err(source) if source.kind() != ErrorKind::NotFound => Err(Error::Write { path, source }),
            _ => Ok(()),
        }
    }
}

/// A regular file, never through a link; anything else is no file of ours.
fn open_file(path: &Path) -> Option<File> {
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let file = File::options()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path)
        .ok()?;
    file.metadata()
        .is_ok_and(|metadata| metadata.is_file())
        .then_some(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bareroot_model::{Class, Classified};

    #[test]
    fn it_says_what_it_is_and_where_it_cannot_be() {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::open(directory.path().join("a/b")).unwrap();
        assert!(cache.root().join("CACHEDIR.TAG").exists());
        assert!(cache.whole(Shelf::Archives, &Digest::new([1; 32])).is_none());
        std::fs::write(directory.path().join("file"), "").unwrap();
        let error = Cache::open(directory.path().join("file/cache")).unwrap_err();
        assert_eq!(error.class(), Class::Target);
    }
}
