//! The real binary makes partial mirrors, keeps them whole whatever happens, and makes roots of them without a network.
//!
//! The same binary is the dpkg and the interpreter of scripts in those roots.

mod check;
mod deb;
mod killed;
mod rpm;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use bareroot_testkit::deb::DebBuilder;
use bareroot_testkit::door::{self, Door, Run, SUITE, signer};
use bareroot_testkit::repo::RepoBuilder;
use bareroot_testkit::{base, harness, launch, programs};

/// How many tests run at once: most of the time they wait.
const THREADS: usize = 4;

fn main() -> ExitCode {
    let tables = [deb::CASES, rpm::CASES, check::CASES, killed::CASES];
    programs::main()
        .or_else(launch::main)
        .unwrap_or_else(|| harness::main(&tables, THREADS))
}

/// The real binary, a repository that is served, and a place for a mirror of it.
struct Ground {
    door: Door,
}

/// The repository of [`base`] with more packages.
fn repository(packages: &[DebBuilder]) -> RepoBuilder {
    let add = |repository: RepoBuilder, package| repository.package(SUITE, "main", package);
    packages.iter().fold(base::repository(SUITE), add)
}

/// Packages of which `hello` and `libhello1` are wished, and `unneeded` is not.
fn packages(version: &str) -> [DebBuilder; 3] {
    [
        base::package("hello", version)
            .field("Depends", "libhello1")
            .file("/usr/bin/hello", version),
        base::package("libhello1", "1.0").file("/usr/lib/libhello.so.1", "library"),
        base::package("unneeded", "1.0").file("/usr/bin/unneeded", "unneeded"),
    ]
}

impl Ground {
    fn new(repository: &RepoBuilder) -> Self {
        Self::over(repository.files(Some(signer())))
    }

    fn over(files: BTreeMap<String, Vec<u8>>) -> Self {
        Ground {
            door: Door::over(env!("CARGO_BIN_EXE_bareroot"), files, signer().certificate()),
        }
    }

    /// The mirror's directory.
    fn dir(&self) -> PathBuf {
        self.door.path("mirror")
    }

    fn shown(&self) -> String {
        self.dir().display().to_string()
    }

    /// `mirror` of the suite and `hello`, with more options.
    fn command(&self, options: &[&str]) -> Command {
        let mut command = self.door.command(["mirror", &format!("debian:{SUITE}")]);
        command
            .arg(self.dir())
            .args([
                "--include",
                "hello",
                "--mirror",
                &self.door.mirror.url(),
                "--keyring",
            ])
            .arg(self.door.keyring())
            .arg("--cache-dir")
            .arg(self.door.path("cache"))
            .args(options);
        command
    }

    fn mirror(&self, options: &[&str]) -> Run {
        door::run(self.command(options))
    }

    fn check(&self) -> Run {
        let mut command = self.door.command(["mirror", "--check"]);
        command.arg(self.dir());
        door::run(command)
    }

    /// A verb with the mirror alone: no network and no cache.
    fn alone(&self, verb: &str, options: &[&str]) -> Command {
        let mut command = self.door.command([verb, &format!("debian:{SUITE}")]);
        if verb == "bootstrap" {
            command.arg(self.door.target());
        }
        command
            .args(["--include", "hello", "--offline", "--no-cache", "--keyring"])
            .arg(self.door.keyring())
            .args(options);
        command
    }

    /// Puts other files on the server in the place of those that it has.
    fn publish(&self, repository: &RepoBuilder) {
        for (path, bytes) in repository.files(Some(signer())) {
            self.door.mirror.put(path, bytes);
        }
    }

    /// What was asked of the server since the given number of requests.
    fn asked(&self, before: usize) -> Vec<String> {
        let requests = self.door.mirror.requests();
        let mut paths: Vec<String> = requests
            .iter()
            .skip(before)
            .map(|request| request.path.clone())
            .collect();
        paths.sort();
        paths
    }

    fn requests(&self) -> usize {
        self.door.mirror.requests().len()
    }
}

/// Every file below a directory, with its content.
fn files(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    fn walk(top: &Path, here: &Path, into: &mut BTreeMap<String, Vec<u8>>) {
        for entry in fs::read_dir(here).expect("a directory") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                walk(top, &path, into);
            } else {
                let name = path.strip_prefix(top).expect("it is below").display().to_string();
                into.insert(name, fs::read(&path).expect("a file"));
            }
        }
    }
    let mut all = BTreeMap::new();
    walk(directory, directory, &mut all);
    all
}

/// The files that are there for clients.
fn served(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut all = files(directory);
    all.retain(|path, _| !path.starts_with(".bareroot-mirror/"));
    all
}
