//! Files that packages share, against what rpm made of them.
//!
//! `recorded.txt` holds random transactions of packages that share paths: built with rpmbuild 4.18.0 and installed by
//! `rpm --root` 4.18.0 (x86_64) in this order into an empty root, with or without `--excludedocs` (`nodocs`) and
//! `--define '_install_langs de'` (`de`). `file` has mode, size, mtime, digest, user, group, colour, flags, languages, link,
//! directory, name, and last the state that the database has; `conflict` is a path that rpm complained of, `is` a regular file
//! or link that was there afterwards, with its mtime, which says whose it is. Transactions that rpm could begin and not end are
//! left out: it fails where a link comes after the directory that stands in its place.

use std::collections::{BTreeMap, BTreeSet};

use bareroot_rpm::{Header, Limits, Tag};
use bareroot_testkit::headers::Builder;

use super::*;

const RECORDED: &str = include_str!("recorded.txt");

#[derive(Default)]
struct Run {
    number: String,
    choice: FileChoice,
    packages: Vec<(Builder, Vec<u8>)>,
    conflicts: BTreeSet<String>,
    tree: BTreeMap<String, u32>,
}

fn runs() -> Vec<Run> {
    let mut all: Vec<Run> = Vec::new();
    for line in RECORDED.lines() {
        let fields: Vec<&str> = line.split(' ').collect();
        if fields[0] == "run" {
            all.push(Run {
                number: fields[1].to_owned(),
                choice: FileChoice {
                    no_docs: fields[2] == "nodocs",
                    langs: (fields[3] != "all").then(|| vec![fields[3].to_owned()]),
                    color: 3,
                },
                ..Run::default()
            });
            continue;
        }
        let run = all.last_mut().expect("a run");
        match fields[0] {
            "package" => run.packages.push((Builder::new(fields[1]), Vec::new())),
            "conflict" => {
                run.conflicts.insert(fields[1].to_owned());
            }
            "is" => {
                run.tree
                    .insert(fields[2].to_owned(), fields[1].parse().expect("a time"));
            }
            _ => {
                let (builder, states) = run.packages.last_mut().expect("a package");
                file(builder, &fields[1..]);
                states.push(fields[13].parse().expect("a state"));
            }
        }
    }
    all
}

fn file(builder: &mut Builder, fields: &[&str]) {
    let text = |number: usize| if fields[number] == "-" { "" } else { fields[number] };
    let number = |number: usize| fields[number].parse::<u32>().expect("a number");
    let mode = u16::from_str_radix(fields[0], 8).expect("a mode");
    builder.short(Tag::FILEMODES.0, mode);
    for (tag, value) in [
        (Tag::FILESIZES, number(1)),
        (Tag::FILEMTIMES, number(2)),
        (Tag::FILECOLORS, number(6)),
        (Tag::FILEFLAGS, number(7)),
    ] {
        builder.word(tag.0, value);
    }
    for (tag, value) in [
        (Tag::FILEDIGESTS, text(3)),
        (Tag::FILEUSERNAME, text(4)),
        (Tag::FILEGROUPNAME, text(5)),
        (Tag::FILELANGS, text(8)),
        (Tag::FILELINKTOS, text(9)),
        (Tag::BASENAMES, text(11)),
    ] {
        builder.string(tag.0, value);
    }
    let directory = builder.place_of(Tag::DIRNAMES.0, text(10));
    builder.word(Tag::DIRINDEXES.0, directory);
}

/// What is wrong with a run; nothing is right.
fn wrong(run: Run) -> Option<String> {
    let temp = tempfile::tempdir().unwrap();
    let root = Root::open(temp.path()).unwrap();
    let (builders, states): (Vec<Builder>, Vec<Vec<u8>>) = run.packages.into_iter().unzip();
    let parse = |builder: Builder| {
        Header::parse("made", builder.bytes(), Tag::HEADERIMMUTABLE, &Limits::default()).unwrap()
    };
    let headers: Vec<Header> = builders.into_iter().map(parse).collect();
    let files: Vec<Files<'_>> = headers.iter().map(Header::files).collect();
    let name = |package: usize| headers[package].nevra().name;
    let (shared, mut links) = match Shared::of(&files, &run.choice, &root, name) {
        Ok(shared) => shared,
        Err(Error::FileConflict { path, .. }) if run.conflicts.contains(&path) => return None,
        Err(error) => return Some(format!("{error}, rpm: {:?}", run.conflicts)),
    };
    if !run.conflicts.is_empty() {
        return Some(format!("no conflict, rpm: {:?}", run.conflicts));
    }
    let found: Vec<Vec<u8>> = shared
        .states
        .iter()
        .map(|states| states.iter().map(|state| *state as u8).collect())
        .collect();
    if found != states {
        return Some(format!("states {found:?}, rpm: {states:?}"));
    }
    let mut tree = BTreeMap::new();
    for (package, files) in files.iter().enumerate() {
        let unwritten = shared.unwritten(package);
        for (place, file) in files.iter().enumerate() {
            let written = !unwritten.contains(&place) && !file.flags.has(FileFlags::GHOST);
            if written && !file.is_directory() {
                let mut path = links.real(file.directory, Follow::Made, &root).unwrap();
                path.push(b'/');
                path.extend_from_slice(file.name);
                let path = String::from_utf8(path).unwrap();
                let twice = tree.insert(path.clone(), file.mtime);
                if twice.is_some() {
                    return Some(format!("{path} is written twice"));
                }
            }
        }
    }
    (tree != run.tree).then(|| format!("{tree:?}, rpm: {:?}", run.tree))
}

#[test]
fn packages_share_files_as_rpm_has_it() {
    let all = runs();
    assert!(all.len() >= 50, "{}", all.len());
    let conflicts = all.iter().filter(|run| !run.conflicts.is_empty()).count();
    assert!(conflicts >= 10, "{conflicts}");
    let wrong: Vec<String> = all
        .into_iter()
        .filter_map(|run| {
            let number = run.number.clone();
            wrong(run).map(|wrong| format!("run {number}: {wrong}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}: {}", wrong.len(), wrong.join("\n"));
}
