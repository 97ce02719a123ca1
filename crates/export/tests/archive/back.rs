//! What was written is read back: by GNU tar onto a disk, by the `tar` crate from memory.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use bareroot_testkit::tree::{Tree, TreeOptions, diff};

use crate::{archive, is_root, tree};

#[test]
fn gnu_tar_makes_the_same_tree() {
    if !is_root() {
        eprintln!("skipped: gnu_tar_makes_the_same_tree needs root, to give files to others");
        return;
    }
    let made = tree::make();
    let (bytes, ..) = archive(made.path(), None).unwrap();
    let copy = tempfile::tempdir().unwrap();
    let mut command = Command::new("tar");
    command.args(["-xp", "--numeric-owner", "--xattrs", "--xattrs-include=*", "-C"]);
    let child = command.arg(copy.path()).stdin(Stdio::piped()).spawn();
    let Ok(mut child) = child else {
        eprintln!("skipped: gnu_tar_makes_the_same_tree needs tar");
        return;
    };
    child.stdin.take().unwrap().write_all(&bytes).unwrap();
    assert!(child.wait().unwrap().success());
    let options = TreeOptions {
        content: true,
        xattrs: true,
        mtime: true,
    };
    let (expected, found) = (
        Tree::read(made.path(), &options).unwrap(),
        Tree::read(copy.path(), &options).unwrap(),
    );
    let differences = diff(&expected, &found, &|_| false);
    assert!(differences.is_empty(), "{differences:#?}");
}

#[test]
fn the_tar_crate_reads_the_same_tree() {
    if !is_root() {
        eprintln!(
            "skipped: the_tar_crate_reads_the_same_tree needs root, to read what it cannot read otherwise"
        );
        return;
    }
    let made = tree::make();
    let options = TreeOptions {
        content: true,
        xattrs: true,
        mtime: true,
    };
    let expected = Tree::read(made.path(), &options).unwrap();
    let (bytes, summary, warnings) = archive(made.path(), None).unwrap();
    assert_eq!(warnings, [""; 0]);
    let (found, order) = Tree::from_tar(bytes.as_slice(), &options).unwrap();
    let differences = diff(&expected, &found, &|_| false);
    assert!(differences.is_empty(), "{differences:#?}");
    let links = found.entries.values().filter(|entry| entry.hardlink.is_some());
    assert_eq!(links.count(), 9);
    // A map of paths is in the order of their components: that of `--sort=name`.
    let paths: Vec<PathBuf> = expected.entries.keys().cloned().collect();
    assert_eq!(order, paths);
    assert_eq!(summary.entries, paths.len() as u64);
}
