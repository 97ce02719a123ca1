//! Everything that can go wrong, as a user meets it: the exit code, the message, and that nothing is left.

mod confined;
mod family;
mod interrupted;
mod killed;
mod mirror;
mod old_repository;
mod phases;
mod scripts;
mod target;
mod trust;
mod wishes;

use std::collections::BTreeMap;
use std::process::ExitCode;

use bareroot_testkit::deb::DebBuilder;
use bareroot_testkit::door::{Door, SUITE};
use bareroot_testkit::repo::RepoBuilder;
use bareroot_testkit::{base, harness, programs};

/// How many tests run at once: most of the time they wait.
const THREADS: usize = 4;

fn main() -> ExitCode {
    let tables = [
        trust::CASES,
        mirror::CASES,
        old_repository::CASES,
        wishes::CASES,
        family::CASES,
        target::CASES,
        scripts::CASES,
        interrupted::CASES,
        killed::CASES,
        confined::CASES,
    ];
    programs::main().unwrap_or_else(|| harness::main(&tables, THREADS))
}

/// The real binary before a mirror of this repository.
fn door(repository: &RepoBuilder) -> Door {
    Door::new(env!("CARGO_BIN_EXE_bareroot"), repository)
}

/// The real binary before a mirror of these files.
fn over(files: BTreeMap<String, Vec<u8>>, keyring: &[u8]) -> Door {
    Door::over(env!("CARGO_BIN_EXE_bareroot"), files, keyring)
}

/// The repository of [`base`] with more packages.
fn repository(packages: &[DebBuilder]) -> RepoBuilder {
    let add = |repository: RepoBuilder, package| repository.package(SUITE, "main", package);
    packages.iter().fold(base::repository(SUITE), add)
}
