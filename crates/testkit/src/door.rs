//! The real binary, run against a mirror of this process: how it ends, what it says, what it leaves.

mod going;
mod left;
mod pty;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use crate::keys::Key;
use crate::mirror::Mirror;
use crate::repo::RepoBuilder;

pub use going::{Going, Signal};
pub use left::{assert_none as assert_nothing_left_of, found as left_of};
pub use pty::{COLUMNS, Terminal, in_terminal};

/// The suite that [`Door::bootstrap`] and [`Door::resolve`] name: one that no catalogue knows.
pub const SUITE: &str = "tiny";

/// A mirror, a keyring, a cache and a place for targets, which vanish together.
#[derive(Debug)]
pub struct Door {
    binary: PathBuf,
    scratch: tempfile::TempDir,
    /// The mirror.
    pub mirror: Mirror,
}

/// The key that signs repositories, unless a test wants another.
pub fn signer() -> &'static Key {
    static KEY: OnceLock<Key> = OnceLock::new();
    KEY.get_or_init(|| Key::new(1))
}

/// How a run ended, and what it said.
#[derive(Clone, Debug)]
pub struct Run {
    /// The exit code; `None` after a signal.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Door {
    /// The binary, and a mirror of a repository that is signed by [`signer`], whose certificate is the keyring.
    ///
    /// # Panics
    ///
    /// When the loopback interface or the temporary directory cannot be used.
    pub fn new(binary: &str, repository: &RepoBuilder) -> Self {
        Self::over(binary, repository.files(Some(signer())), signer().certificate())
    }

    /// The binary, and a mirror over any files.
    ///
    /// # Panics
    ///
    /// As [`Door::new`].
    pub fn over(binary: &str, files: BTreeMap<String, Vec<u8>>, keyring: &[u8]) -> Self {
        let scratch = tempfile::Builder::new()
            .prefix("bareroot-test-")
            .tempdir()
            .expect("a temporary directory");
        let mirror = Mirror::serve(files).expect("a listening socket");
        for directory in ["out", "home", "xdg", "tmp"] {
            fs::create_dir(scratch.path().join(directory)).expect("a directory in the temporary one");
        }
        fs::write(scratch.path().join("keyring.pgp"), keyring).expect("a file in the temporary directory");
        Door {
            binary: binary.into(),
            scratch,
            mirror,
        }
    }

    /// A path in the scratch directory.
    pub fn path(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    /// Writes a file into the scratch directory and gives its path.
    ///
    /// # Panics
    ///
    /// When it cannot be written.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, content).expect("a file in the temporary directory");
        path
    }

    /// Where [`Door::bootstrap`] makes its root; nothing else is in its directory.
    pub fn target(&self) -> PathBuf {
        self.path("out/root")
    }

    /// The keyring file.
    pub fn keyring(&self) -> PathBuf {
        self.path("keyring.pgp")
    }

    /// The binary with words, in an environment that has nothing of this one's.
    pub fn command<W: AsRef<std::ffi::OsStr>>(&self, words: impl IntoIterator<Item = W>) -> Command {
        let mut command = Command::new(&self.binary);
        command
            .args(words)
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("HOME", self.path("home"))
            .env("XDG_CACHE_HOME", self.path("xdg"))
            .env("TMPDIR", self.path("tmp"))
            .current_dir(self.scratch.path())
            .stdin(Stdio::null());
        command
    }

    /// `bootstrap` of [`SUITE`] into [`Door::target`].
    pub fn bootstrap_command(&self, options: &[&str]) -> Command {
        let mut command = self.command(["bootstrap", &format!("debian:{SUITE}")]);
        command.arg(self.target());
        self.with_sources(command, options)
    }

    /// `resolve` of [`SUITE`].
    pub fn resolve_command(&self, options: &[&str]) -> Command {
        let command = self.command(["resolve", &format!("debian:{SUITE}")]);
        self.with_sources(command, options)
    }

    fn with_sources(&self, mut command: Command, options: &[&str]) -> Command {
        command
            .args(["--mirror", &self.mirror.url(), "--keyring"])
            .arg(self.keyring());
        if !options.contains(&"--no-cache") && !options.contains(&"--cache-dir") {
            command.arg("--cache-dir").arg(self.path("cache"));
        }
        command.args(options);
        command
    }

    /// Bootstraps, with more options.
    pub fn bootstrap(&self, options: &[&str]) -> Run {
        run(self.bootstrap_command(options))
    }

    /// Resolves, with more options.
    pub fn resolve(&self, options: &[&str]) -> Run {
        run(self.resolve_command(options))
    }

    /// What is beside the target, the target included.
    ///
    /// # Panics
    ///
    /// When the directory cannot be read.
    pub fn beside(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path("out")).expect("the target's directory");
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

    /// Exactly these names are beside the target, the target included.
    ///
    /// # Panics
    ///
    /// When there are others, or one is missing.
    #[track_caller]
    pub fn assert_beside_is(&self, names: &[&str]) {
        assert_eq!(self.beside(), names, "beside the target");
    }

    /// Neither a target nor a staging directory, a mount, or a process.
    ///
    /// # Panics
    ///
    /// When there is one.
    pub fn assert_nothing_left(&self) {
        assert_eq!(self.beside(), Vec::<String>::new(), "left beside the target");
        self.assert_no_mount_and_no_process();
    }

    /// No mount below the scratch directory, and no process that has to do with it. What a killed run's processes need
    /// to see that it is gone is waited for.
    ///
    /// # Panics
    ///
    /// When there is one.
    #[track_caller]
    pub fn assert_no_mount_and_no_process(&self) {
        left::assert_none(self.scratch.path());
    }
}

/// Runs a command to its end.
///
/// # Panics
///
/// When it cannot be started.
pub fn run(mut command: Command) -> Run {
    let output = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .output()
        .expect("the binary starts");
    output.into()
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Run {
            code: output.status.code(),
            signal: output.status.signal(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Run {
    /// The run succeeded.
    ///
    /// # Panics
    ///
    /// When it did not.
    #[track_caller]
    pub fn succeeded(self) -> Self {
        self.ended_with(0)
    }

    /// The run ended with that code.
    ///
    /// # Panics
    ///
    /// When it did not.
    #[track_caller]
    pub fn ended_with(self, code: i32) -> Self {
        assert_eq!(
            self.code,
            Some(code),
            "stderr:\n{}\nstdout:\n{}",
            self.stderr,
            self.stdout
        );
        self
    }

    /// Standard error has all of these words.
    ///
    /// # Panics
    ///
    /// When one is not there.
    #[track_caller]
    pub fn says(self, words: &[&str]) -> Self {
        for words in words {
            assert!(self.stderr.contains(words), "no `{words}` in\n{}", self.stderr);
        }
        self
    }

    /// The run failed as a user should see it: that code, one message that has all of these words, and no panic.
    ///
    /// # Panics
    ///
    /// When it did not.
    #[track_caller]
    pub fn failed(self, code: i32, words: &[&str]) -> Self {
        let run = self.ended_with(code).says(words);
        let errors = run
            .stderr
            .lines()
            .filter(|line| line.starts_with("error: "))
            .count();
        assert_eq!(errors, 1, "{}", run.stderr);
        assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
        run
    }
}

/// Whether a path is there, without following it.
pub fn is_there(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}
