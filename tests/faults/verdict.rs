use std::fs;
use std::path::{Path, PathBuf};

use bareroot_testkit::door::{self, Run};
use bareroot_testkit::tracer::{Call, Task};

use crate::choice::{Choice, Trouble};
use crate::family::Reference;
use crate::run::Ground;

const SIGABRT: i32 = 6;
const SIGKILL: i32 = 9;
const SIGTERM: i32 = 15;

/// How a disturbed run ended.
#[derive(Clone, Debug, Default)]
pub struct Ending {
    pub code: Option<i32>,
    pub signal: Option<i32>,
    pub stderr: String,
    /// Whether the tracer did what it was to do.
    pub struck: bool,
    /// How many processes the kernel killed in its control group.
    pub killed_for_memory: u64,
}

impl Ending {
    pub fn of(run: Run) -> Self {
        Ending {
            code: run.code,
            signal: run.signal,
            stderr: run.stderr,
            ..Ending::default()
        }
    }

    /// In a word or two.
    pub fn words(&self) -> String {
        match (self.code, self.signal) {
            (Some(0), _) => "done".into(),
            (Some(code), _) => format!("exit {code}"),
            (_, Some(SIGKILL)) => "killed".into(),
            (_, Some(signal)) => format!("signal {signal}"),
            (None, None) => "nothing".into(),
        }
    }
}

/// What a run may leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leaves {
    /// The root.
    Root,
    /// Nothing.
    Nothing,
    /// A staging directory, or the root where it had its name already.
    Staging,
}

/// The run ended as one may that met such trouble, and left what it may.
#[track_caller]
pub fn judge(quiet: &Reference, choice: &Choice, ground: &Ground, ending: &Ending) {
    let stderr = &ending.stderr;
    // Programs of the root are made of the test kit, and report their own panics. Without memory for a thread's second
    // stack Rust's own start of that thread panics, and aborts.
    let starved =
        ending.signal == Some(SIGABRT) && stderr.contains("failed to allocate an alternative stack");
    let panics = stderr
        .lines()
        .filter(|_| !starved)
        .filter(|line| line.contains("panicked at") && !line.contains("crates/testkit/"));
    assert_eq!(panics.count(), 0, "it panicked: {ending:?}");
    let leaves = allowed(choice, ending).unwrap_or_else(|| panic!("no documented ending: {ending:?}"));
    if leaves == Leaves::Nothing {
        let errors = stderr.lines().filter(|line| line.starts_with("error: ")).count();
        // A signal that comes before it is caught ends the process at once.
        assert_eq!(
            errors,
            usize::from(ending.code.is_some()),
            "its errors: {ending:?}"
        );
    }
    ground.door.assert_no_mount_and_no_process();
    nothing_elsewhere(ground, ending);
    let beside = beside(ground);
    match leaves {
        Leaves::Root => assert_eq!(beside, ["root"], "{ending:?}"),
        Leaves::Nothing => assert_eq!(beside, Vec::<String>::new(), "{ending:?}"),
        Leaves::Staging => assert!(
            beside.len() <= 1
                && beside
                    .iter()
                    .all(|name| name == "root" || name.starts_with(".root.bareroot-")),
            "{beside:?} after {ending:?}"
        ),
    }
    if beside == ["root"] {
        let differences = quiet.differences(&ground.door, &ground.target);
        assert!(differences.is_empty(), "{differences:#?} after {ending:?}");
    }
}

/// What the documentation allows: exit codes 3 to 7, 130 for a signal that asks it to end, and no signal but those that
/// it cannot catch.
fn allowed(choice: &Choice, ending: &Ending) -> Option<Leaves> {
    let trouble = &choice.trouble;
    let killed = match trouble {
        Trouble::KillAt(_) | Trouble::KillAfter(_) => true,
        Trouble::Traced(Task::Kill(_) | Task::KillCaller(_) | Task::KillAfter { .. }) => ending.struck,
        Trouble::Memory(_) => ending.killed_for_memory > 0,
        _ => false,
    };
    // Rust's own answer to an allocation that fails.
    let starved = match trouble {
        Trouble::AddressSpace(_) | Trouble::Memory(_) => true,
        Trouble::Traced(Task::Fail { call: Call::Map, .. }) => ending.struck,
        _ => false,
    };
    // What cannot be removed because the disk fails stays, and that is said.
    let stuck = match trouble {
        Trouble::Traced(Task::Fail { .. }) => {
            ending.stderr.contains("the unfinished root could not be removed")
        }
        _ => false,
    };
    match (ending.code, ending.signal) {
        (Some(0), _) => Some(Leaves::Root),
        (Some(3..=7), _) if stuck => Some(Leaves::Staging),
        (Some(3..=7), _) => Some(Leaves::Nothing),
        (Some(130), _) | (_, Some(SIGTERM)) if matches!(trouble, Trouble::TermAfter(_)) => {
            Some(Leaves::Nothing)
        }
        (_, Some(SIGKILL)) if killed => Some(Leaves::Staging),
        (_, Some(SIGABRT)) if starved => Some(Leaves::Staging),
        _ => None,
    }
}

/// After the next run: the right root, and nothing else anywhere.
#[track_caller]
pub fn whole(quiet: &Reference, ground: &Ground) {
    assert_eq!(beside(ground), ["root"], "beside the target after the next run");
    let differences = quiet.differences(&ground.door, &ground.target);
    assert!(differences.is_empty(), "the next run's root: {differences:#?}");
    ground.door.assert_no_mount_and_no_process();
    nothing_elsewhere(ground, &Ending::default());
    let mut verify = ground.door.command(["cache", "verify", "--cache-dir"]);
    verify.arg(&ground.cache);
    door::run(verify).succeeded();
    let left: Vec<PathBuf> = files(&ground.cache)
        .into_iter()
        .filter(|path| {
            path.extension().is_some_and(|extension| extension == "part")
                || path.parent().is_some_and(|parent| parent.ends_with("runs"))
        })
        .collect();
    assert_eq!(left, Vec::<PathBuf>::new(), "in the cache after the next run");
}

/// Takes the target away, if it is there.
pub fn clear(ground: &Ground) {
    if door::is_there(&ground.target) {
        fs::remove_dir_all(&ground.target).expect("the root can be removed");
    }
}

/// Where the small disk is; a path that nothing is below when there is none.
pub fn disk(ground: &Ground) -> &Path {
    match &ground.disk {
        Some((_, place)) => place.path(),
        None => Path::new("/nowhere"),
    }
}

/// How many bytes the files below a directory have.
pub fn bytes_below(directory: &Path) -> u64 {
    let length = |path: &PathBuf| fs::metadata(path).map_or(0, |metadata| metadata.len());
    files(directory).iter().map(length).sum()
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).expect("a directory of the test");
    let mut names: Vec<String> = entries
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    names.sort();
    names
}

fn beside(ground: &Ground) -> Vec<String> {
    names(ground.target.parent().expect("the target has a parent"))
}

/// Nothing in the directory for temporary files, the home or the working directory, and no mount on the small disk.
#[track_caller]
fn nothing_elsewhere(ground: &Ground, ending: &Ending) {
    let door = &ground.door;
    for directory in ["tmp", "home", "xdg"] {
        let left = names(&door.path(directory));
        assert_eq!(left, Vec::<String>::new(), "in {directory} after {ending:?}");
    }
    let known = ["cache", "home", "keyring.pgp", "out", "tiny.repo", "tmp", "xdg"];
    let mut left = names(&door.path("."));
    left.retain(|name| !known.contains(&name.as_str()));
    assert_eq!(
        left,
        Vec::<String>::new(),
        "in the working directory after {ending:?}"
    );
    let mounts = fs::read_to_string("/proc/self/mountinfo").expect("the mounts");
    let below = format!(" {}/", disk(ground).display());
    let left: Vec<&str> = mounts.lines().filter(|line| line.contains(&below)).collect();
    assert_eq!(
        left,
        Vec::<&str>::new(),
        "mounts on the small disk after {ending:?}"
    );
}

/// Every file below a directory; none where it is missing.
fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        match entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            true => found.extend(files(&entry.path())),
            false => found.push(entry.path()),
        }
    }
    found
}
