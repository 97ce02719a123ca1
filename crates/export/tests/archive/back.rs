//! What was written is read back: by GNU tar onto a disk, by the `tar` crate from memory.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use bareroot_testkit::tree::{Tree, TreeOptions, Type, diff};

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
    let tree = Tree::read(made.path(), &TreeOptions::default()).unwrap();
    let (bytes, summary, warnings) = archive(made.path(), None).unwrap();
    assert_eq!(warnings, [""; 0]);
    let mut names = Vec::new();
    let mut firsts: BTreeMap<PathBuf, PathBuf> = BTreeMap::new();
    for entry in tar::Archive::new(bytes.as_slice()).entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().into_owned();
        let path: PathBuf = name.strip_prefix(".").unwrap().to_path_buf();
        let expected = &tree.entries[&path];
        let kind = match entry.header().entry_type() {
            tar::EntryType::Link => {
                let first = entry.link_name().unwrap().unwrap();
                let first = first.strip_prefix(".").unwrap().to_path_buf();
                assert_eq!(Some(&first), expected.hardlink.as_ref(), "{}", path.display());
                assert!(names.contains(&first), "{} comes after its link", first.display());
                firsts.insert(path.clone(), first);
                names.push(path);
                continue;
            }
            tar::EntryType::Regular => Type::File,
            tar::EntryType::Directory => Type::Directory,
            tar::EntryType::Symlink => Type::Symlink,
            tar::EntryType::Char => Type::Char,
            tar::EntryType::Block => Type::Block,
            tar::EntryType::Fifo => Type::Fifo,
            other => panic!("{other:?}"),
        };
        assert_eq!(kind, expected.kind, "{}", path.display());
        assert_eq!(
            entry.header().mode().unwrap(),
            expected.mode,
            "{}",
            path.display()
        );
        assert_eq!(entry.size(), expected.size, "{}", path.display());
        let link = entry.link_name().unwrap().map(|link| link.into_owned());
        assert_eq!(link, expected.link, "{}", path.display());
        let mut xattrs = BTreeMap::new();
        for record in entry.pax_extensions().unwrap().into_iter().flatten() {
            let record = record.unwrap();
            if let Some(name) = record.key().unwrap().strip_prefix("SCHILY.xattr.") {
                let name = name.replace("%3D", "=").replace("%25", "%");
                xattrs.insert(name.into_bytes(), record.value_bytes().to_vec());
            }
        }
        assert_eq!(xattrs, expected.xattrs, "{}", path.display());
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        if kind == Type::File {
            assert!(
                content == fs::read(made.path().join(&path)).unwrap(),
                "{}",
                path.display()
            );
        }
        names.push(path);
    }
    let expected: Vec<PathBuf> = tree.entries.keys().cloned().collect();
    // A map of paths is in the order of their components: that of `--sort=name`.
    assert_eq!(names, expected);
    assert_eq!(summary.entries, expected.len() as u64);
    assert_eq!(firsts.len(), 5, "{firsts:?}");
}
