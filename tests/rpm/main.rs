//! The real binary makes roots from RPM repositories of a handful of packages, and refuses what lies.
//!
//! The same binary is the interpreter of scriptlets in those roots.

mod choice;
mod foreign;
mod hostile;
mod indexes;
mod mirror;
mod scripts;
mod stopped;
mod trust;
mod whole;
mod wishes;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use bareroot_testkit::door::{self, Door, Run, signer};
use bareroot_testkit::rpm::RpmBuilder;
use bareroot_testkit::rpm_repo::RpmRepo;
use bareroot_testkit::{harness, programs, rpm_base};

/// How many tests run at once: most of the time they wait.
const THREADS: usize = 4;

/// Where the repository is on the mirror.
const REPO: &str = "repo/";

fn main() -> ExitCode {
    let tables = [
        whole::CASES,
        trust::CASES,
        wishes::CASES,
        choice::CASES,
        scripts::CASES,
        mirror::CASES,
        stopped::CASES,
        hostile::CASES,
        indexes::CASES,
        foreign::CASES,
    ];
    programs::main().unwrap_or_else(|| harness::main(&tables, THREADS))
}

/// The repository of [`rpm_base`] with more packages.
fn repository(packages: &[RpmBuilder]) -> RpmRepo {
    packages.iter().fold(rpm_base::repository(), RpmRepo::package)
}

/// The real binary before a mirror.
struct Ground {
    door: Door,
}

impl Ground {
    /// A mirror of a signed repository.
    fn new(repository: &RpmRepo) -> Self {
        Self::over(repository.files(REPO, Some(signer())))
    }

    /// A mirror of the base and these packages.
    fn with(packages: &[RpmBuilder]) -> Self {
        Self::new(&repository(packages))
    }

    /// A mirror of any files.
    fn over(files: BTreeMap<String, Vec<u8>>) -> Self {
        Ground {
            door: Door::over(env!("CARGO_BIN_EXE_bareroot"), files, signer().certificate()),
        }
    }

    fn url(&self) -> String {
        format!("{}/repo", self.door.mirror.url())
    }

    /// A .repo file of the mirror's repository, of which everything must be signed, with more options.
    fn repo(&self, options: &str) -> PathBuf {
        let text = format!(
            "[tiny]\nname=Tiny\nbaseurl={}\ngpgcheck=1\nrepo_gpgcheck=1\n{options}\n",
            self.url()
        );
        self.door.file("tiny.repo", text)
    }

    /// A verb with a .repo file.
    fn command(&self, verb: &str, repo: &Path, options: &[&str]) -> Command {
        let mut command = self.door.command([verb]);
        command.arg("--repo").arg(repo);
        if !options.contains(&"--keyring") {
            command.arg("--keyring").arg(self.door.keyring());
        }
        if !options.contains(&"--no-cache") {
            command.arg("--cache-dir").arg(self.door.path("cache"));
        }
        command.args(options);
        if verb == "bootstrap" {
            command.arg(self.door.target());
        }
        command
    }

    /// Bootstraps what these options include.
    fn bootstrap(&self, options: &[&str]) -> Run {
        door::run(self.command("bootstrap", &self.repo(""), options))
    }

    /// Bootstraps the core and these, separated by commas.
    fn include(&self, more: &str) -> Run {
        self.bootstrap(&["--include", &format!("{},{more}", rpm_base::CORE)])
    }

    fn resolve(&self, options: &[&str]) -> Run {
        door::run(self.command("resolve", &self.repo(""), options))
    }

    /// A path in the root.
    fn root(&self, path: &str) -> PathBuf {
        self.door.target().join(path)
    }

    fn text(&self, path: &str) -> String {
        text(self.root(path))
    }
}

/// A file's text.
#[track_caller]
fn text(path: impl AsRef<Path>) -> String {
    let path = path.as_ref();
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
