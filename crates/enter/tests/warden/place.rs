//! A root to enter, and short words for what the cases do with it.

use std::fs::{self, File};
use std::io::{PipeReader, PipeWriter, Read};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use bareroot_enter::{Error, Program, Session, Spec, Status, Warden};
use bareroot_model::Cancel;
use tempfile::TempDir;

pub struct Place {
    pub dir: TempDir,
    pub root: PathBuf,
}

/// Puts this binary somewhere under the name by which it is the probe.
pub fn put_probe(at: &Path) {
    let this = std::env::current_exe().unwrap();
    fs::create_dir_all(at.parent().unwrap()).unwrap();
    if fs::hard_link(&this, at).is_err() {
        fs::copy(&this, at).unwrap();
    }
}

/// A root with the probe in it, and mount points.
pub fn make_root(root: &Path) {
    for name in ["proc", "sys", "dev", "tmp", "etc"] {
        fs::create_dir_all(root.join(name)).unwrap();
    }
    put_probe(&root.join("bin/probe"));
}

impl Place {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("root");
        make_root(&root);
        Place { dir, root }
    }

    /// A session with changes to the usual spec.
    pub fn enter_with(&self, warden: &Warden, change: impl FnOnce(&mut Spec<'_>)) -> Result<Session, Error> {
        let root = File::open(&self.root).unwrap();
        let mut spec = Spec::new(root.as_fd(), &self.root);
        change(&mut spec);
        warden.enter(&spec)
    }

    pub fn enter(&self, warden: &Warden) -> Session {
        let session = self.enter_with(warden, |_| {}).unwrap();
        assert_eq!(session.notes(), [] as [String; 0]);
        session
    }
}

/// The probe in the root, told what to do.
pub fn probe(words: &[&str]) -> Program {
    words
        .iter()
        .fold(Program::in_root("/bin/probe"), |program, word| program.arg(*word))
}

/// Runs to the end, with all that was printed.
pub fn run(session: &Session, program: &Program) -> Result<(Status, String), Error> {
    let mut printed = Vec::new();
    let status = session.run(program, &Cancel::default(), &mut |piece| {
        printed.extend_from_slice(piece)
    })?;
    Ok((status, String::from_utf8_lossy(&printed).into_owned()))
}

/// Runs the probe, which must succeed, and returns what it printed.
pub fn say(session: &Session, words: &[&str]) -> String {
    let (status, printed) = run(session, &probe(words)).unwrap();
    assert!(status.success(), "{words:?}: {status}: {printed}");
    printed
}

/// A pipe whose writing end is given to a program as descriptor 9 and to whatever it leaves: its reading end
/// is at its end when all of them are dead.
pub fn life_line(program: &mut Program) -> PipeReader {
    let (reader, writer): (PipeReader, PipeWriter) = std::io::pipe().unwrap();
    program.fds.push((9, writer.into()));
    reader
}

/// Waits for the end of a [`life_line`]; the program must have been dropped.
pub fn wait_for_death(mut line: PipeReader) -> Vec<u8> {
    let mut told = Vec::new();
    line.read_to_end(&mut told).unwrap();
    told
}

pub fn host_mounts() -> String {
    fs::read_to_string("/proc/self/mountinfo").unwrap()
}

/// Everything below a directory, to compare.
pub fn listing(at: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(at).unwrap().map(Result::unwrap) {
        all.push(entry.path());
        if entry.file_type().unwrap().is_dir() {
            all.extend(listing(&entry.path()));
        }
    }
    all.sort();
    all
}
