//! Files that live on between runs, named by their digests.
//!
//! `<root>/v1/{archives,indexes}/ab/<sha256>` are downloads, hashed again each time they are used, with `<sha256>.part` for
//! one that is incomplete and locked (flock(2)) while somebody writes it. `parsed` and `payloads` hold what was derived from
//! a file of that digest, `releases` the last Release files by the digest of their URL; these carry a digest of their
//! own. A file becomes visible by rename(2) and its content never changes afterwards; what is damaged is named, removed and
//! counts as missing.
//!
//! A file's modification time says when it was last used: access times are not kept by many mounts. `runs` has a locked
//! file for each process that works with the cache: what was used since the oldest of them began is not pruned.
//!
//! Shared caches, which `--cache-from` names, have the same layout. They are asked after this one, and never written.

mod derived;
mod owner;
mod part;
mod payloads;
mod prune;
mod runs;
mod survey;
mod verify;

use std::collections::HashSet;
use std::fmt;
use std::fs::{DirBuilder, File};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use bareroot_model::{Digest, Event, Null, Observer};
use rustix::fs::{Access, OFlags, access};

use crate::Error;

pub use derived::Derived;
pub(crate) use part::{Part, Slot};
pub use prune::{Pruned, Removed};
pub use survey::{Kind, Size};
pub use verify::{Broken, Checked};

use payloads::Budget;
use runs::Run;

/// The version of the layout. Another one would live beside it.
const LAYOUT: &str = "v1";

/// Tells backup tools to pass over a directory (<https://bford.info/cachedir/>), and us that it is ours.
const TAG: &str = "CACHEDIR.TAG";
const SIGNATURE: &str = "Signature: 8a477f597d28d172789f06886806bc55";
const OURS: &str = "# The cache of bareroot.";

/// Directories of files that live on between runs: one that is written, and any number of shared ones. Several processes
/// may use them. Clones are the same cache.
#[derive(Clone)]
pub struct Cache {
    own: Option<PathBuf>,
    shared: Vec<PathBuf>,
    /// The directory that was to be written and cannot be.
    read_only: Option<PathBuf>,
    payload_limit: u64,
    observer: Arc<dyn Observer>,
    state: Arc<State>,
}

/// What all clones have in common.
#[derive(Default)]
struct State {
    /// What was warned of already: paths, with the times of their files' last change in nanoseconds.
    told: Mutex<HashSet<(PathBuf, i128)>>,
    no_locks: AtomicBool,
    budget: Mutex<Budget>,
    run: Mutex<Option<Run>>,
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
    const ALL: [Shelf; 5] = [
        Shelf::Archives,
        Shelf::Indexes,
        Shelf::Releases,
        Shelf::Parsed,
        Shelf::Payloads,
    ];

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

/// A file that a cache has under a name. Nothing has been checked yet.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) file: File,
    path: PathBuf,
    own: bool,
}

impl Held {
    /// Whether nobody but this user and root can write it: another's may be another one when it is read again.
    pub(crate) fn is_ours(&self) -> bool {
        owner::is_ours(&self.file)
    }
}

impl Cache {
    /// Makes the directory where it is missing, and marks it for backup tools. A cache that is there and cannot be
    /// written is only read.
    ///
    /// # Errors
    /// [`Error::Write`] when it cannot be made.
    pub fn open(root: impl Into<PathBuf>) -> Result<Cache, Error> {
        let root = root.into();
        let layout = root.join(LAYOUT);
        if layout.is_dir() && access(&layout, Access::WRITE_OK).is_err() {
            let mut cache = Cache::of(None);
            cache.shared.push(root.clone());
            cache.read_only = Some(root);
            return Ok(cache);
        }
        // In a directory with something else in it the mark covers our part alone: a backup would miss the rest.
        let alone = std::fs::read_dir(&root).map_or(true, |mut entries| entries.next().is_none());
        directory(&layout)?;
        no_links(&root, &layout)?;
        let is_there = |path: PathBuf| std::fs::symlink_metadata(path).is_ok();
        if !is_there(root.join(TAG)) && !is_there(layout.join(TAG)) {
            let tag = if alone { root.join(TAG) } else { layout.join(TAG) };
            // Not through a link that somebody else put there meanwhile.
            let made = File::options().write(true).create_new(true).open(&tag);
            made.and_then(|mut file| file.write_all(format!("{SIGNATURE}\n{OURS}\n").as_bytes()))
                .map_err(|source| Error::Write { path: tag, source })?;
        }
        Ok(Cache::of(Some(root)))
    }

    /// A cache of which nothing is written: it has shared ones alone.
    pub fn read_only() -> Cache {
        Cache::of(None)
    }

    fn of(own: Option<PathBuf>) -> Cache {
        Cache {
            own,
            shared: Vec::new(),
            read_only: None,
            payload_limit: payloads::LIMIT,
            observer: Arc::new(Null),
            state: Arc::default(),
        }
    }

    /// With another directory that is asked after the ones before it, and never written.
    ///
    /// # Errors
    /// [`Error::NoCache`] when it is none.
    pub fn and_from(mut self, root: impl Into<PathBuf>) -> Result<Cache, Error> {
        let root = root.into();
        survey::recognize(&root)?;
        self.shared.push(root);
        Ok(self)
    }

    /// With another limit for the payloads that are kept unpacked, in bytes; 0 keeps none.
    #[must_use]
    pub fn with_payload_limit(mut self, bytes: u64) -> Cache {
        self.payload_limit = bytes;
        self
    }

    /// Who is told of damage. A run that works with the cache begins: it is known to others until the last clone is gone.
    pub(crate) fn begin(mut self, observer: Arc<dyn Observer>) -> Cache {
        self.observer = observer;
        if let Some(path) = self.read_only.clone() {
            self.warn_once(&path, || {
                format!(
                    "`{}` cannot be written: it is read, and nothing is kept",
                    path.display()
                )
            });
        }
        if let Some(own) = &self.own {
            let mut run = self
                .state
                .run
                .lock()
                .unwrap_or_else(|poisoned| poisoned.into_inner());
            if run.is_none() {
                // A file that cannot be made here cannot be made elsewhere in the cache either: that is told then.
                *run = Run::begin(own).ok();
            }
        }
        self
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

    /// The directory that is written, where there is one.
    pub fn root(&self) -> Option<&Path> {
        self.own.as_deref()
    }

    /// Every directory, in the order in which they are asked, with whether it is the one that is written.
    fn layers(&self) -> impl Iterator<Item = (&Path, bool)> {
        let shared = self.shared.iter().map(|root| (root.as_path(), false));
        self.own.iter().map(|root| (root.as_path(), true)).chain(shared)
    }

    /// A path in the directory that is written, with its own directory made.
    fn path_to_write(&self, shelf: Shelf, digest: &Digest, suffix: &str) -> Result<Option<PathBuf>, Error> {
        let Some(root) = &self.own else {
            return Ok(None);
        };
        let path = path(root, shelf, digest, suffix);
        if let Some(parent) = path.parent() {
            no_links(root, parent)?;
            if !parent.is_dir() {
                directory(parent)?;
            }
        }
        Ok(Some(path))
    }

    /// Whether an archive is here from an earlier run. It has not been hashed yet.
    pub fn has_archive(&self, digest: &Digest) -> bool {
        self.has(Shelf::Archives, digest, "")
    }

    /// Whether an index is here from an earlier run, as it was or as what was derived from it as `kind`. It has not been
    /// checked yet.
    pub fn has_index(&self, digest: &Digest, kind: &str) -> bool {
        self.has(Shelf::Indexes, digest, "") || self.has(Shelf::Parsed, digest, &format!(".{kind}"))
    }

    fn has(&self, shelf: Shelf, digest: &Digest, suffix: &str) -> bool {
        self.layers()
            .any(|(root, _)| path(root, shelf, digest, suffix).is_file())
    }

    /// The files of this name, opened one after the other, the own one first. Nothing has been checked yet.
    pub(crate) fn held(&self, shelf: Shelf, digest: &Digest, suffix: &str) -> impl Iterator<Item = Held> {
        self.layers().filter_map(move |(root, own)| {
            let path = path(root, shelf, digest, suffix);
            match open_file(&path) {
                Opened::File(file) => Some(Held { file, path, own }),
                Opened::Nothing => None,
                Opened::Other => {
                    self.warn_once(&path, || {
                        format!("`{}` of the cache is no file that can be read", path.display())
                    });
                    None
                }
            }
        })
    }

    /// Says that a file was seen to be right and is used: this is what [`prune`](Cache::prune) goes by.
    pub(crate) fn used(&self, held: &Held) {
        if held.own {
            runs::touch(&held.file);
        }
    }

    /// Where what another user can change at any time is copied to before it is judged, if anywhere in particular.
    pub(crate) fn room_for_copies(&self) -> Option<&Path> {
        self.own.as_deref()
    }

    /// Names a file that turned out to be damaged; from the own cache it goes.
    pub(crate) fn damaged(&self, held: &Held, reason: &str) {
        let path = held.path.display();
        let changed = held.file.metadata().map_or(0, |metadata| {
            i128::from(metadata.ctime()) * 1_000_000_000 + i128::from(metadata.ctime_nsec())
        });
        self.warn_once_of(&held.path, changed, || match held.own {
            true => format!("`{path}` of the cache is damaged and dropped: {reason}"),
            false => format!("`{path}` of a shared cache is damaged and not used: {reason}"),
        });
        if !held.own {
            return;
        }
        // Another process may have put a good one there meanwhile. One that cannot be removed cannot be replaced either:
        // that is told then.
        let inside = self.own.as_ref().zip(held.path.parent());
        if inside.is_some_and(|(root, parent)| no_links(root, parent).is_ok())
            && part::same(&held.file, &held.path)
        {
            let _ = std::fs::remove_file(&held.path);
        }
    }

    /// Warns, but not twice of the same path.
    fn warn_once(&self, path: &Path, text: impl FnOnce() -> String) {
        self.warn_once_of(path, 0, text);
    }

    fn warn_once_of(&self, path: &Path, changed: i128, text: impl FnOnce() -> String) {
        if self.is_first_of(path, changed) {
            self.observer.on(Event::Warning { text: text() });
        }
    }

    /// What costs time and nothing else is no warning.
    fn note_once(&self, path: &Path, text: impl FnOnce() -> String) {
        if self.is_first_of(path, 0) {
            self.observer.on(Event::Note { text: text() });
        }
    }

    fn is_first_of(&self, path: &Path, changed: i128) -> bool {
        let mut told = self
            .state
            .told
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        told.insert((path.to_owned(), changed))
    }

    /// Says, once, what a file system without locks means.
    fn note_no_locks(&self, path: &Path) {
        if !self.state.no_locks.swap(true, Ordering::Relaxed) {
            self.observer.on(Event::Note {
                text: format!(
                    "the file system of `{}` has no locks: runs at the same time download the same files, and broken-off downloads are not resumed",
                    path.display()
                ),
            });
        }
    }
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache")
            .field("own", &self.own)
            .field("shared", &self.shared)
            .field("payload_limit", &self.payload_limit)
            .finish_non_exhaustive()
    }
}

fn directory(path: &Path) -> Result<(), Error> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o755)
        .create(path)
        .map_err(|source| Error::Write {
            path: path.to_owned(),
            source,
        })
}

/// Refuses a directory of the cache that is a link, or below one: what is made or removed there would be elsewhere. The
/// cache itself may be named by a link.
fn no_links(root: &Path, directory: &Path) -> Result<(), Error> {
    let below = directory.ancestors().take_while(|path| *path != root);
    for path in below {
        if std::fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink()) {
            return Err(Error::Write {
                path: path.to_owned(),
                source: std::io::Error::other("it is a symbolic link"),
            });
        }
    }
    Ok(())
}

fn path(root: &Path, shelf: Shelf, digest: &Digest, suffix: &str) -> PathBuf {
    let name = digest.to_string();
    let fan = name.get(..2).unwrap_or_default();
    root.join(LAYOUT)
        .join(shelf.name())
        .join(fan)
        .join(format!("{name}{suffix}"))
}

/// What a path turned out to name.
enum Opened {
    File(File),
    Nothing,
    /// A link, a directory, a device; or a file that cannot be opened.
    Other,
}

/// Opens a regular file, never through a link: anything else is no file of ours.
fn open_file(path: &Path) -> Opened {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let opened = File::options()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path);
    match opened {
        Ok(file) if file.metadata().is_ok_and(|metadata| metadata.is_file()) => Opened::File(file),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Opened::Nothing
        }
        _ => Opened::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bareroot_model::{Class, Classified, Recorder};

    #[test]
    fn it_says_what_it_is_and_where_it_cannot_be() {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::open(directory.path().join("a/b")).unwrap();
        assert!(cache.root().unwrap().join(TAG).exists());
        assert!(
            cache
                .held(Shelf::Archives, &Digest::new([1; 32]), "")
                .next()
                .is_none()
        );
        std::fs::write(directory.path().join("file"), "").unwrap();
        let error = Cache::open(directory.path().join("file/cache")).unwrap_err();
        assert_eq!(error.class(), Class::Target);
    }

    #[test]
    fn a_directory_with_something_else_in_it_stays_in_backups() {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("thesis"), "").unwrap();
        Cache::open(home.path()).unwrap();
        Cache::open(home.path()).unwrap();
        assert!(!home.path().join(TAG).exists());
        assert!(home.path().join(LAYOUT).join(TAG).exists());
    }

    #[test]
    fn damage_is_told_once_and_a_good_replacement_stays() {
        let directory = tempfile::tempdir().unwrap();
        let recorder = Arc::<Recorder>::default();
        let cache = Cache::open(directory.path())
            .unwrap()
            .begin(Arc::<Recorder>::clone(&recorder));
        let digest = Digest::new([3; 32]);
        let path = cache
            .path_to_write(Shelf::Archives, &digest, "")
            .unwrap()
            .unwrap();
        std::fs::write(&path, "bad").unwrap();
        let held = cache.held(Shelf::Archives, &digest, "").next().unwrap();
        std::fs::write(directory.path().join("good"), "good").unwrap();
        std::fs::rename(directory.path().join("good"), &path).unwrap();
        cache.damaged(&held, "it is bad");
        cache.damaged(&held, "it is bad");
        assert_eq!(std::fs::read(&path).unwrap(), b"good");
        let events = recorder.take();
        let named =
            |event: &Event| matches!(event, Event::Warning { text } if text.contains(path.to_str().unwrap()));
        assert!(events.len() == 1 && named(&events[0]), "{events:?}");
        let held = cache.held(Shelf::Archives, &digest, "").next().unwrap();
        cache.damaged(&held, "it is bad too");
        assert!(!path.exists());
    }
}
