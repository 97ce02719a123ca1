//! The real binary writes recipes and locks, and makes roots of them.
//!
//! The same binary is the dpkg and the interpreter of scripts in those roots.

mod deb;
mod recipes;
mod refusals;
mod rpm;
mod upgrades;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use bareroot_testkit::deb::DebBuilder;
use bareroot_testkit::door::{self, Door, Run, SUITE, signer};
use bareroot_testkit::repo::RepoBuilder;
use bareroot_testkit::tree::{Tree, TreeOptions, diff};
use bareroot_testkit::{base, harness, programs};

/// How many tests run at once: most of the time they wait.
const THREADS: usize = 4;

fn main() -> ExitCode {
    let tables = [
        deb::CASES,
        recipes::CASES,
        refusals::CASES,
        rpm::CASES,
        upgrades::CASES,
    ];
    programs::main().unwrap_or_else(|| harness::main(&tables, THREADS))
}

/// The repository of [`base`] with more packages.
fn repository(packages: &[DebBuilder]) -> RepoBuilder {
    let add = |repository: RepoBuilder, package| repository.package(SUITE, "main", package);
    packages.iter().fold(base::repository(SUITE), add)
}

/// A mirror of a repository, and what is made of it.
struct Ground {
    door: Door,
}

impl Ground {
    /// A mirror of the base and these packages.
    fn with(packages: &[DebBuilder]) -> Ground {
        Ground {
            door: Door::new(env!("CARGO_BIN_EXE_bareroot"), &repository(packages)),
        }
    }

    /// The mirror's suite moves on: its indexes are those of other packages, what it had before stays in its pool.
    fn move_to(&self, packages: &[DebBuilder]) {
        for (path, content) in repository(packages).files(Some(signer())) {
            self.door.mirror.put(path, content);
        }
    }

    /// The mirror and its keyring, as options.
    fn sources(&self) -> Vec<String> {
        let keyring = self.door.keyring().display().to_string();
        [
            "--mirror".to_owned(),
            self.door.mirror.url(),
            "--keyring".to_owned(),
            keyring,
        ]
        .into()
    }

    /// The binary with words and a cache.
    fn command(&self, words: &[&str]) -> Command {
        let mut command = self.door.command(words);
        command.arg("--cache-dir").arg(self.path("cache"));
        command
    }

    fn run(&self, words: &[&str]) -> Run {
        door::run(self.command(words))
    }

    /// `lock` of the suite.
    fn lock(&self, options: &[&str]) -> Run {
        let mut command = self.command(&["lock", &format!("debian:{SUITE}")]);
        command.args(self.sources()).args(options);
        door::run(command)
    }

    /// `bootstrap` of a lock or a recipe.
    fn bootstrap(&self, spec: &str, target: &str, options: &[&str]) -> Run {
        let words = [&["bootstrap", spec, target], options].concat();
        self.run(&words)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.door.path(name)
    }

    fn text(&self, name: &str) -> String {
        text(self.path(name))
    }

    fn write(&self, name: &str, text: &str) {
        self.door.file(name, text);
    }

    /// The epoch of `bareroot.lock`.
    fn epoch(&self) -> String {
        let text = self.text("bareroot.lock");
        let epoch = text.lines().find_map(|line| line.strip_prefix("epoch = "));
        epoch.expect("an epoch").to_owned()
    }

    /// Two roots are the same, times included.
    #[track_caller]
    fn assert_same(&self, one: &str, other: &str) {
        assert_same(&self.path(one), &self.path(other));
    }
}

/// Two roots are the same, times included.
#[track_caller]
fn assert_same(one: &Path, other: &Path) {
    let with_times = TreeOptions {
        mtime: true,
        ..TreeOptions::default()
    };
    let read = |path: &Path| Tree::read(path, &with_times).expect("the root can be read");
    let (one, other) = (read(one), read(other));
    assert!(
        one.entries.len() > 10,
        "a root has more than {} paths",
        one.entries.len()
    );
    let differences = diff(&one, &other, &|_| false);
    assert!(differences.is_empty(), "{differences:#?}");
}

/// A file's text.
#[track_caller]
fn text(path: impl AsRef<Path>) -> String {
    let path = path.as_ref();
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A package of a version with a file that says so.
fn package(name: &str, version: &str) -> DebBuilder {
    base::package(name, version).file(&format!("/usr/share/{name}"), version)
}
