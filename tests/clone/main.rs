//! The real binary clones trees: whole, chosen, fresh, while they change, into directories and archives.

mod archives;
mod changing;
mod chosen;
mod ending;
mod made;
mod whole;

use std::path::Path;
use std::process::{Command, ExitCode};

use bareroot_testkit::door::{Door, SUITE};
use bareroot_testkit::tree::{Tree, TreeOptions, diff};
use bareroot_testkit::{base, harness, programs};

/// How many tests run at once.
const THREADS: usize = 4;

/// Everything that a tree is.
const ALL: TreeOptions = TreeOptions {
    content: true,
    xattrs: true,
    mtime: true,
};

fn main() -> ExitCode {
    let tables = [
        whole::CASES,
        chosen::CASES,
        archives::CASES,
        changing::CASES,
        ending::CASES,
    ];
    programs::main().unwrap_or_else(|| harness::main(&tables, THREADS))
}

/// The real binary in a directory of its own, with a directory `source`.
fn door() -> Door {
    let door = Door::new(env!("CARGO_BIN_EXE_bareroot"), &base::repository(SUITE));
    std::fs::create_dir(door.path("source")).unwrap();
    door
}

/// `clone --from source` into a path of the scratch directory.
fn clone(door: &Door, target: &str, options: &[&str]) -> Command {
    let mut command = door.command(["clone", target, "--from", "source"]);
    command.args(options);
    command
}

fn tree(path: &Path) -> Tree {
    Tree::read(path, &ALL).unwrap()
}

/// Two trees are the same, but for paths that `ignore` picks.
#[track_caller]
fn assert_same(first: &Path, second: &Path, ignore: &dyn Fn(&Path) -> bool) {
    let differences: Vec<String> = diff(&tree(first), &tree(second), ignore)
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(differences, Vec::<String>::new());
}

/// The paths of a tree, sorted, without its top.
fn paths(path: &Path) -> Vec<String> {
    let tree = tree(path);
    let all = tree.entries.keys().map(|path| path.display().to_string());
    all.filter(|path| !path.is_empty()).collect()
}
