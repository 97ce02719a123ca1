//! What a run did, counted by many threads, and what it has to say on the way.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use bareroot_model::{Event, InputProblem, Observer};
use rustix::io::Errno;

use crate::fresh::Rule;

/// What was copied, and what was not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Paths in the copy, hard links and the top included.
    pub entries: u64,
    /// Bytes of content that were copied.
    pub bytes: u64,
    /// Files that share their content with the source's, and the bytes of it.
    pub shared: (u64, u64),
    /// Paths that are other names of files.
    pub hard_links: u64,
    /// Sockets, which mean nothing without the program that listens.
    pub sockets: u64,
    /// Paths that a glob left out; a directory counts once.
    pub left_out: u64,
    /// Paths that were left out or emptied because the copy is to be fresh.
    pub fresh: u64,
    /// Directories on which something is mounted, or that are on another file system: they are empty in the copy.
    pub mounts: u64,
    /// Paths that changed, or vanished, while they were read.
    pub changed: u64,
    /// Paths that could not be read.
    pub unreadable: u64,
    /// Attributes that the copy's file system, or this user, cannot set, and how many paths lack them. `owner` is one.
    pub lost: BTreeMap<String, u64>,
}

impl Summary {
    /// Whether the copy is what the source was.
    pub fn is_faithful(&self) -> bool {
        self.changed == 0 && self.unreadable == 0
    }
}

/// Why a path is not in the copy, or not as it is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Passed {
    LeftOut,
    Fresh(&'static Rule),
    Socket,
    Mount,
    Itself,
}

/// The counters.
pub(crate) struct Tally<'t> {
    observer: &'t dyn Observer,
    /// Whether each path that is not copied is told.
    is_verbose: bool,
    counts: Mutex<Summary>,
    entries: AtomicU64,
    bytes: AtomicU64,
}

/// How often a thread tells how far it is.
const TELL_ENTRIES: u64 = 512;
const TELL_BYTES: u64 = 16 * 1024 * 1024;

/// What one thread has done and not told yet.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    entries: u64,
    bytes: u64,
}

impl<'t> Tally<'t> {
    pub(crate) fn new(observer: &'t dyn Observer, is_verbose: bool) -> Self {
        Tally {
            observer,
            is_verbose,
            counts: Mutex::default(),
            entries: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
        }
    }

    fn count(&self, change: impl FnOnce(&mut Summary)) {
        change(&mut self.counts.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// A path is in the copy, with so many bytes of content.
    pub(crate) fn made(&self, progress: &mut Progress, bytes: u64) {
        progress.entries += 1;
        progress.bytes += bytes;
        if progress.entries >= TELL_ENTRIES || progress.bytes >= TELL_BYTES {
            self.tell(progress);
        }
    }

    /// Tells how far a thread is.
    pub(crate) fn tell(&self, progress: &mut Progress) {
        let Progress { entries, bytes } = std::mem::take(progress);
        self.entries.fetch_add(entries, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        if entries > 0 {
            self.observer.on(Event::CopyProgress { entries, bytes });
        }
    }

    pub(crate) fn shared(&self, bytes: u64) {
        self.count(|counts| counts.shared = (counts.shared.0 + 1, counts.shared.1 + bytes));
    }

    pub(crate) fn linked(&self) {
        self.count(|counts| counts.hard_links += 1);
    }

    /// A path is passed over.
    pub(crate) fn passed(&self, path: &[u8], why: Passed) {
        self.count(|counts| match why {
            Passed::LeftOut => counts.left_out += 1,
            Passed::Fresh(_) => counts.fresh += 1,
            Passed::Socket => counts.sockets += 1,
            Passed::Mount => counts.mounts += 1,
            Passed::Itself => {}
        });
        if self.is_verbose {
            let reason = match why {
                Passed::LeftOut => "a glob leaves it out",
                Passed::Fresh(rule) => rule.reason,
                Passed::Socket => "it is a socket",
                Passed::Mount => {
                    "it is empty in the copy: it is on another file system, or something is mounted on it"
                }
                Passed::Itself => "it is the copy itself",
            };
            self.observer.on(Event::Passed {
                path: shown(path),
                reason: reason.to_owned(),
            });
        }
    }

    /// A path is not what it was when its reading began; `what` says how.
    pub(crate) fn changed(&self, path: &[u8], what: InputProblem) {
        self.count(|counts| counts.changed += 1);
        self.observer.on(Event::Input {
            path: shown(path),
            problem: what,
            reason: None,
        });
    }

    /// A path cannot be read.
    pub(crate) fn unreadable(&self, path: &[u8], error: Errno) {
        self.count(|counts| counts.unreadable += 1);
        self.observer.on(Event::Input {
            path: shown(path),
            problem: InputProblem::Unreadable,
            reason: Some(std::io::Error::from(error).to_string()),
        });
    }

    /// A name that was listed cannot be looked at.
    pub(crate) fn not_there(&self, path: &[u8], error: Errno) {
        match error {
            Errno::NOENT | Errno::LOOP | Errno::NOTDIR => self.changed(path, InputProblem::Vanished),
            error => self.unreadable(path, error),
        }
    }

    /// An attribute cannot be set.
    pub(crate) fn lost(&self, path: &[u8], attribute: &[u8]) {
        let attribute = String::from_utf8_lossy(attribute).into_owned();
        if self.is_verbose {
            self.observer.on(Event::Passed {
                path: shown(path),
                reason: format!("its attribute {attribute} cannot be set here"),
            });
        }
        self.count(|counts| *counts.lost.entry(attribute).or_default() += 1);
    }

    /// All of it.
    pub(crate) fn summary(&self) -> Summary {
        let mut summary = self.counts.lock().unwrap_or_else(PoisonError::into_inner).clone();
        summary.entries = self.entries.load(Ordering::Relaxed);
        summary.bytes = self
            .bytes
            .load(Ordering::Relaxed)
            .saturating_sub(summary.shared.1);
        summary
    }
}

/// A path of the source as it is told: from the source's top.
fn shown(path: &[u8]) -> String {
    Path::new("/").join(OsStr::from_bytes(path)).display().to_string()
}
