//! The real binary and its cache: many processes at once, damage, shared and read-only caches, no network, cleaning up.

mod corruptions;
mod offline;
mod places;
mod sharing;
mod verbs;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use bareroot_testkit::deb::DebBuilder;
use bareroot_testkit::door::{Door, Run, SUITE, run};
use bareroot_testkit::repo::RepoBuilder;
use bareroot_testkit::tree::{Tree, TreeOptions};
use bareroot_testkit::{Compression, base, harness, programs};

/// How many tests run at once: most of the time they wait.
const THREADS: usize = 4;

fn main() -> ExitCode {
    let tables = [
        sharing::CASES,
        corruptions::CASES,
        places::CASES,
        offline::CASES,
        verbs::CASES,
    ];
    programs::main().unwrap_or_else(|| harness::main(&tables, THREADS))
}

/// The real binary before a mirror of this repository.
fn door(repository: &RepoBuilder) -> Door {
    Door::new(env!("CARGO_BIN_EXE_bareroot"), repository)
}

/// Packages of several sizes, whose payloads are compressed and so can be kept unpacked.
fn packages() -> Vec<DebBuilder> {
    let content = |seed: u32, length: usize| -> Vec<u8> {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        (0..length).map(|_| next()).collect()
    };
    [("one", 1, 300), ("two", 2, 40_000), ("three", 3, 2_200_000)]
        .into_iter()
        .map(|(name, seed, length)| {
            base::package(name, "1.0")
                .file(&format!("/usr/share/{name}"), content(seed, length))
                .compression(Compression::Gzip)
        })
        .collect()
}

/// The repository of [`base`] with the [`packages`].
fn repository() -> RepoBuilder {
    let add = |repository: RepoBuilder, package| repository.package(SUITE, "main", package);
    packages().iter().fold(base::repository(SUITE), add)
}

/// Options that extract the [`packages`] alone: no program runs in such a root.
const EXTRACT: [&str; 4] = ["--variant", "extract", "--include", "one,two,three"];

/// `bootstrap` into a target of that name, with nothing but these options and the mirror.
fn into(door: &Door, name: &str, options: &[&str]) -> Command {
    let mut command = door.command(["bootstrap", &format!("debian:{SUITE}")]);
    command
        .args(["--mirror", &door.mirror.url(), "--keyring"])
        .arg(door.keyring())
        .args(options)
        .arg(door.path("out").join(name));
    command
}

/// Extracts into a target of that name, with the cache of that name.
fn extract(door: &Door, name: &str, cache: &str, options: &[&str]) -> Run {
    let cache = door.path(cache);
    let words = [&EXTRACT[..], &["--cache-dir", cache.to_str().unwrap()], options].concat();
    run(into(door, name, &words))
}

/// What a target holds, byte for byte.
fn tree(door: &Door, name: &str) -> Tree {
    Tree::read(&door.path("out").join(name), &TreeOptions::default()).unwrap()
}

/// Removes a target.
fn remove(door: &Door, name: &str) {
    fs::remove_dir_all(door.path("out").join(name)).unwrap();
}

/// Every file of a cache, sorted, but for the marks of runs.
fn files(cache: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut directories = vec![cache.join("v1")];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(&directory).unwrap() {
            let entry = entry.unwrap();
            match entry.file_type().unwrap().is_dir() {
                true if entry.file_name() == "runs" => {}
                true => directories.push(entry.path()),
                false => found.push(entry.path()),
            }
        }
    }
    found.sort();
    found
}

/// A cache of that name in which everything is that a run can use: archives, indexes, and payloads unpacked.
fn warm(door: &Door, cache: &str) {
    for _ in 0..2 {
        extract(door, "warm", cache, &[]).succeeded();
        remove(door, "warm");
    }
    let kept = |shelf: &str| {
        let shelf = format!("/v1/{shelf}/");
        files(&door.path(cache))
            .iter()
            .filter(|path| path.to_str().unwrap().contains(&shelf))
            .count()
    };
    assert_eq!((kept("archives"), kept("payloads")), (3, 3));
    assert!(kept("parsed") >= 1 && kept("indexes") >= 1 && kept("releases") >= 1);
}

/// Copies a directory of files and directories.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &to),
            false => drop(fs::copy(entry.path(), to).unwrap()),
        }
    }
}
