//! A root to enter, and what there is to say about it afterwards.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use bareroot_testkit::door::{Run, assert_nothing_left_of, run};
use bareroot_testkit::programs::program;
use tempfile::TempDir;

pub struct Place {
    dir: TempDir,
}

impl Place {
    /// A root of a few directories, users, and the probe.
    pub fn new() -> Place {
        let place = Place::empty();
        let at = |path: &str| place.root().join(path);
        for directory in [
            "bin",
            "dev",
            "etc",
            "home/seven",
            "proc",
            "root",
            "run",
            "sys",
            "tmp",
        ] {
            fs::create_dir_all(at(directory)).unwrap();
        }
        fs::write(at("bin/probe"), program()).unwrap();
        fs::set_permissions(at("bin/probe"), fs::Permissions::from_mode(0o755)).unwrap();
        fs::hard_link(at("bin/probe"), at("bin/sh")).unwrap();
        fs::write(
            at("etc/passwd"),
            "root:x:0:0:root:/root:/bin/sh\nseven:x:7:8:,,,:/home/seven:/bin/sh\nfar:x:9:9::/none:/bin/none\n",
        )
        .unwrap();
        fs::write(
            at("etc/group"),
            "root:x:0:\neight:x:8:\nmore:x:44:seven\nnine:x:9:root,seven\n",
        )
        .unwrap();
        place
    }

    /// An empty directory.
    pub fn empty() -> Place {
        let dir = tempfile::Builder::new()
            .prefix("bareroot-enter-")
            .tempdir()
            .unwrap();
        fs::create_dir(dir.path().join("root")).unwrap();
        // As a directory that anybody may enter.
        for path in [dir.path().to_owned(), dir.path().join("root")] {
            fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        Place { dir }
    }

    pub fn root(&self) -> PathBuf {
        self.dir.path().join("root")
    }

    /// A path beside the root.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// `bareroot enter`, options, the root, then `--` and the words. Its environment tells that its processes belong here.
    pub fn command(&self, options: &[&str], words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bareroot"));
        command.arg("enter").args(options).arg(self.root());
        if !words.is_empty() {
            command.arg("--").args(words);
        }
        command
            .env_clear()
            .env("TERM", "vt100")
            .env("PLACE", self.dir.path())
            .current_dir(self.dir.path())
            .stdin(Stdio::null());
        command
    }

    /// Runs the probe with words.
    pub fn probe(&self, options: &[&str], words: &[&str]) -> Run {
        let words: Vec<&str> = std::iter::once("/bin/probe")
            .chain(words.iter().copied())
            .collect();
        run(self.command(options, &words))
    }

    /// What the probe says, which succeeds and says nothing to standard error.
    #[track_caller]
    pub fn says(&self, options: &[&str], words: &[&str]) -> String {
        let run = self.probe(options, words).succeeded();
        assert_eq!(run.stderr, "", "{words:?}");
        run.stdout
    }

    /// Everything below the root, with sizes and modes, to compare.
    pub fn listing(&self) -> Vec<String> {
        let mut all = Vec::new();
        list(&self.root(), &mut all);
        all.sort();
        all
    }

    /// Neither a process nor a mount has to do with this place.
    #[track_caller]
    pub fn assert_nothing_left(&self) {
        assert_nothing_left_of(self.dir.path());
    }
}

fn list(at: &Path, all: &mut Vec<String>) {
    for entry in fs::read_dir(at).unwrap().map(Result::unwrap) {
        let about = entry.metadata().unwrap();
        all.push(format!(
            "{} {:o} {}",
            entry.path().display(),
            about.permissions().mode(),
            if about.is_file() { about.len() } else { 0 }
        ));
        if about.is_dir() {
            list(&entry.path(), all);
        }
    }
}

/// Runs a command with text as its standard input.
pub fn run_with_input(mut command: Command, input: &[u8]) -> Run {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let output = std::thread::scope(|scope| {
        scope.spawn(move || {
            // A program that does not read it all is a matter of the test.
            let _ = stdin.write_all(input);
        });
        child.wait_with_output().unwrap()
    });
    output.into()
}
