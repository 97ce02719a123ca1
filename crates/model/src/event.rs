use std::sync::Mutex;
use std::time::Duration;

/// The chapters of a run, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Phase {
    /// What was asked for becomes a plan.
    Plan,
    /// Signed indexes are fetched, verified and parsed.
    Index,
    /// The packages are chosen.
    Solve,
    /// The target gets what must be there before the first payload.
    Prepare,
    /// Archives are fetched and verified.
    Fetch,
    /// Payloads are written into the root.
    Unpack,
    /// The package database is written.
    Record,
    /// Maintainer scripts run.
    Configure,
    /// A tree is copied.
    Copy,
    /// The root is written as an archive.
    Export,
    /// The root is cleaned up and moved into place.
    Finish,
}

impl Phase {
    /// The lower-case word for people and for JSON.
    pub fn word(self) -> &'static str {
        match self {
            Phase::Plan => "plan",
            Phase::Index => "index",
            Phase::Solve => "solve",
            Phase::Prepare => "prepare",
            Phase::Fetch => "fetch",
            Phase::Unpack => "unpack",
            Phase::Record => "record",
            Phase::Configure => "configure",
            Phase::Copy => "copy",
            Phase::Export => "export",
            Phase::Finish => "finish",
        }
    }
}

/// Why a path of an input is not in the copy as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum InputProblem {
    /// It changed while it was read.
    Changed,
    /// It was removed or replaced before it was read.
    Vanished,
    /// It cannot be read.
    Unreadable,
}

/// What happened. Libraries tell an [`Observer`]; they never print.
///
/// The JSON form is one object a line with the variant in `event`; it is documented in `docs/events.md`.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Event {
    /// A phase begins. Fetch and unpack overlap.
    PhaseStarted {
        /// Which.
        phase: Phase,
    },
    /// A phase ended.
    PhaseFinished {
        /// Which.
        phase: Phase,
        /// Wall-clock seconds since its start.
        seconds: f64,
    },
    /// The solution is known.
    Planned {
        /// How many packages.
        packages: usize,
        /// Bytes of archives in all.
        bytes: u64,
    },
    /// A transfer begins (not sent for what the cache has).
    FetchStarted {
        /// The file's URL, without credentials.
        url: String,
        /// Its size in bytes, where known.
        bytes: Option<u64>,
    },
    /// More of something has arrived; sent at most every 64 KiB.
    FetchProgress {
        /// Bytes since the last such event of this transfer.
        bytes: u64,
    },
    /// A file is complete and verified, or an index is complete and yet to be verified.
    Fetched {
        /// The file's URL, without credentials.
        url: String,
        /// Its size in bytes.
        bytes: u64,
        /// Whether it came from the cache.
        cached: bool,
    },
    /// A package's payload is in the root.
    Unpacked {
        /// The package's name.
        package: String,
        /// Bytes of file content written.
        bytes: u64,
    },
    /// A maintainer script, or the configuring of a package, begins.
    Configuring {
        /// The package's name.
        package: String,
    },
    /// A package is configured.
    Configured {
        /// The package's name.
        package: String,
    },
    /// A hook begins.
    Hook {
        /// The kind (`setup`, `extract`, `essential`, `customize`).
        kind: String,
        /// The command.
        command: String,
    },
    /// A line that a script, dpkg or a hook printed; shown with `--verbose`.
    Output {
        /// The line, without its end, control characters made visible.
        line: String,
    },
    /// Something that the user should know and that does not stop the run.
    Warning {
        /// One sentence.
        text: String,
    },
    /// Something that explains a choice.
    Note {
        /// One sentence.
        text: String,
    },
    /// A tree is going to be copied; these are bounds from above, where they are known.
    CopyPlanned {
        /// Paths.
        entries: Option<u64>,
        /// Bytes of content.
        bytes: Option<u64>,
    },
    /// More of a tree has been copied; sent at most every 512 paths or 16 MiB by a thread.
    CopyProgress {
        /// Paths since the last such event of the thread.
        entries: u64,
        /// Bytes of content since then.
        bytes: u64,
    },
    /// A path of the input is not in the copy as it was.
    Input {
        /// The path, from the input's top.
        path: String,
        /// What happened to it.
        problem: InputProblem,
        /// What the system said, where it said something.
        reason: Option<String>,
    },
    /// A path is not copied, or without something; sent with `--verbose` or `--dry-run`.
    Passed {
        /// The path, from the input's top.
        path: String,
        /// Why.
        reason: String,
    },
    /// A tree was copied.
    Copied {
        /// Paths in the copy.
        entries: u64,
        /// Bytes of content that were copied.
        bytes: u64,
        /// Bytes of content that the copy shares with its source.
        shared: u64,
        /// Paths that are other names of files.
        hard_links: u64,
        /// Sockets that were passed over.
        sockets: u64,
        /// Paths that globs left out; a directory counts once.
        left_out: u64,
        /// Paths left out or emptied, so that the copy is fresh.
        fresh: u64,
        /// Directories that are empty because something is mounted on them.
        mounts: u64,
        /// Paths that changed or vanished while they were read.
        changed: u64,
        /// Paths that could not be read.
        unreadable: u64,
        /// Wall-clock seconds in all.
        seconds: f64,
    },
    /// A piece of work on one thread, for the trace.
    Span {
        /// What was done (`unpack libc6`).
        name: String,
        /// The phase it belongs to.
        phase: Phase,
        /// A small number for the thread.
        thread: usize,
        /// Start, since the run's start.
        #[serde(serialize_with = "seconds")]
        start: Duration,
        /// How long.
        #[serde(serialize_with = "seconds")]
        length: Duration,
    },
    /// The run succeeded.
    Done {
        /// Packages in the root.
        packages: usize,
        /// Bytes of archives.
        bytes: u64,
        /// Wall-clock seconds in all.
        seconds: f64,
    },
}

fn seconds<S: serde::Serializer>(value: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(value.as_secs_f64())
}

/// Who is told of events. Called from many threads at once, and must not block for long.
pub trait Observer: Send + Sync {
    /// Takes one event.
    fn on(&self, event: Event);
}

/// An observer that ignores everything.
#[derive(Clone, Copy, Debug, Default)]
pub struct Null;

impl Observer for Null {
    fn on(&self, _: Event) {}
}

/// An observer that keeps everything, for tests.
#[derive(Debug, Default)]
pub struct Recorder(Mutex<Vec<Event>>);

impl Recorder {
    /// Takes what was recorded so far.
    pub fn take(&self) -> Vec<Event> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner()))
    }
}

impl Observer for Recorder {
    fn on(&self, event: Event) {
        self.0
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
            .push(event);
    }
}
