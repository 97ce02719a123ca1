//! The real binary makes roots from repositories of a handful of packages.
//!
//! The same binary is the dpkg and the interpreter of scripts in those roots.

mod choice;
mod foreign;
mod hooks;
mod options;
mod sources;
mod talk;
mod ubuntu;
mod whole;

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use bareroot_testkit::deb::DebBuilder;
use bareroot_testkit::door::{Door, SUITE};
use bareroot_testkit::repo::RepoBuilder;
use bareroot_testkit::{base, harness, programs};

/// How many tests run at once: most of the time they wait.
const THREADS: usize = 4;

fn main() -> ExitCode {
    let tables = [
        whole::CASES,
        hooks::CASES,
        options::CASES,
        sources::CASES,
        choice::CASES,
        talk::CASES,
        ubuntu::CASES,
        foreign::CASES,
    ];
    programs::main().unwrap_or_else(|| harness::main(&tables, THREADS))
}

/// The real binary before a mirror of this repository.
fn door(repository: &RepoBuilder) -> Door {
    Door::new(env!("CARGO_BIN_EXE_bareroot"), repository)
}

/// The repository of [`base`] with more packages.
fn repository(packages: &[DebBuilder]) -> RepoBuilder {
    let add = |repository: RepoBuilder, package| repository.package(SUITE, "main", package);
    packages.iter().fold(base::repository(SUITE), add)
}

/// A file's text.
#[track_caller]
fn text(path: impl AsRef<Path>) -> String {
    let path = path.as_ref();
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What the root's database says: `name version state` for each package.
#[track_caller]
fn installed(root: &Path) -> Vec<String> {
    let status = text(root.join("var/lib/dpkg/status"));
    let field = |stanza: &str, name: &str| {
        let value = stanza
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        value.unwrap_or_default().to_owned()
    };
    let stanzas = status.split("\n\n").filter(|stanza| !stanza.trim().is_empty());
    stanzas
        .map(|stanza| {
            let state = field(stanza, "Status");
            let state = state.rsplit(' ').next().unwrap_or_default();
            format!(
                "{} {} {state}",
                field(stanza, "Package"),
                field(stanza, "Version")
            )
        })
        .collect()
}
