//! Random packages, placed by us and unpacked by the real dpkg: the same tree, the same lists, the same refusals.
//!
//! Names are few, so that packages meet all the time: files, directories and links of one name, links that were there
//! before, `Replaces` in every direction. Needs root and dpkg; `BAREROOT_CASES` sets the number of cases.

// A test that is skipped says so.
#![allow(clippy::print_stderr)]

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use bareroot_archive::{TarLimits, TarReader};
use bareroot_testkit::Compression;
use bareroot_testkit::deb::{DebBuilder, Item};
use bareroot_testkit::tree::{Tree, TreeOptions, Type};
use bareroot_trust::Verified;
use bareroot_unpack::{
    Error, Md5, NameTable, Order, Outcome, Placer, PlacerSettings, Relations, Root, Subject,
};

const TIME: u64 = 1_000_000_000;

#[derive(Clone, Debug)]
enum Kind {
    Directory(u32),
    File(String),
    Symlink(String),
    Hardlink(String),
    Fifo,
}

type Package = Vec<(String, Kind)>;

/// xorshift: the cases are the same every time.
struct Numbers(u64);

impl Numbers {
    fn new(case: u64) -> Self {
        let mut numbers = Numbers(case.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        (0..10).for_each(|_| _ = numbers.below(2));
        numbers
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % limit
    }

    fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len() as u64) as usize]
    }

    fn mode(&mut self) -> u32 {
        0o755 - self.below(3) as u32
    }
}

/// A package as dpkg-deb could have built it: every parent is listed, no path is two things.
fn package(numbers: &mut Numbers, ordinal: usize) -> Package {
    let mut paths: BTreeMap<String, Kind> = BTreeMap::new();
    for _ in 0..1 + numbers.below(6) {
        let depth = 1 + numbers.below(3) as usize;
        let mut names = vec![numbers.pick(&["a", "b", "c", "bin"])];
        names.extend((1..depth).map(|_| numbers.pick(&["a", "b", "c"])));
        let path = names.join("/");
        let parents: Vec<String> = (1..depth).map(|upto| names[..upto].join("/")).collect();
        let blocked = |parent: &String| {
            paths
                .get(parent)
                .is_some_and(|kind| !matches!(kind, Kind::Directory(_)))
        };
        if paths.contains_key(&path) || parents.iter().any(blocked) {
            continue;
        }
        for parent in parents {
            let mode = numbers.mode();
            paths.entry(parent).or_insert(Kind::Directory(mode));
        }
        let files: Vec<String> = paths
            .iter()
            .filter(|(other, kind)| **other < path && matches!(kind, Kind::File(_)))
            .map(|(p, _)| p.clone())
            .collect();
        let kind = match numbers.below(10) {
            0..=2 => Kind::Directory(numbers.mode()),
            3..=5 => Kind::File(format!("{ordinal}{}", numbers.below(2))),
            // dpkg --root is no chroot: texts that are absolute or climb out would show that.
            6..=7 if depth == 1 => Kind::Symlink(
                numbers
                    .pick(&["a", "b", "a/b", "b/a", "usr/bin", "c", "nowhere"])
                    .to_owned(),
            ),
            6..=7 => Kind::Symlink(
                numbers
                    .pick(&["a", "b", "../a", "../b", "../c", "nowhere", "../a/b"])
                    .to_owned(),
            ),
            8 if !files.is_empty() => {
                Kind::Hardlink(files[numbers.below(files.len() as u64) as usize].clone())
            }
            _ => Kind::Fifo,
        };
        paths.insert(path, kind);
    }
    paths.into_iter().collect()
}

/// Which earlier or later packages a package replaces.
fn replaces(relation: u64, package: &str) -> &'static [&'static str] {
    match (relation, package) {
        (1 | 3, "p1") => &["p0"],
        (1, "p2") => &["p0", "p1"],
        (2, "p0") => &["p1", "p2"],
        (2, "p1") => &["p2"],
        _ => &[],
    }
}

struct Replaces(u64);

impl Relations for Replaces {
    fn replaces(&self, package: &Subject, other: &Subject) -> bool {
        replaces(self.0, &package.name).contains(&other.name.as_str())
    }
}

fn deb(ordinal: usize, package: &Package, relation: u64) -> DebBuilder {
    let name = format!("p{ordinal}");
    let mut deb = DebBuilder::new(&name, "1", "all").compression(Compression::None);
    let others = replaces(relation, &name);
    if !others.is_empty() {
        deb = deb.field("Replaces", &others.join(", "));
    }
    for (path, kind) in package {
        let path = format!("./{path}");
        let item = match kind {
            Kind::Directory(mode) => Item::directory(&path).mode(*mode),
            Kind::File(content) => Item::file(&path, content.clone()),
            Kind::Symlink(text) => Item::symlink(&path, text),
            Kind::Hardlink(target) => Item::hardlink(&path, &format!("./{target}")),
            Kind::Fifo => Item::fifo(&path),
        };
        deb = deb.item(item.mtime(TIME));
    }
    deb
}

/// A root with dpkg's empty database, and with something in the packages' way.
fn prepare(root: &Path, variant: u64) {
    for directory in [
        "var/lib/dpkg/info",
        "var/lib/dpkg/updates",
        "var/lib/dpkg/triggers",
        "usr/bin",
    ] {
        std::fs::create_dir_all(root.join(directory)).unwrap();
    }
    std::fs::write(root.join("var/lib/dpkg/status"), "").unwrap();
    let link = |text: &str, path: &str| std::os::unix::fs::symlink(text, root.join(path)).unwrap();
    if variant & 1 != 0 {
        link("usr/bin", "bin");
    }
    match variant / 2 {
        1 => link("a", "c"),
        2 => {
            std::fs::create_dir_all(root.join("a/b")).unwrap();
            link("a/b", "b");
        }
        3 => std::fs::write(root.join("b"), "old").unwrap(),
        _ => {}
    }
}

fn unpack_by_dpkg(root: &Path, debs: &[DebBuilder], scratch: &Path) -> Result<(), String> {
    for deb in debs {
        let file = scratch.join(deb.file_name());
        std::fs::write(&file, deb.build()).unwrap();
        let output = Command::new("dpkg")
            .arg(format!("--root={}", root.display()))
            .args([
                "--force-unsafe-io",
                "--force-depends",
                "--log=/dev/null",
                "--unpack",
            ])
            .arg(&file)
            .env("LC_ALL", "C.UTF-8")
            .output()
            .unwrap();
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
    }
    Ok(())
}

/// The last package first: the order of arrival must not show.
fn place(root: &Path, debs: &[DebBuilder], relation: u64) -> Result<Outcome, Error> {
    let settings = PlacerSettings {
        relations: Arc::new(Replaces(relation)),
        ..PlacerSettings::default()
    };
    let placer = Placer::new(&Root::open(root)?, settings)?;
    for (ordinal, deb) in debs.iter().enumerate().rev() {
        let (name, version) = (format!("p{ordinal}"), "1".to_owned());
        let subject = Subject {
            name,
            version,
            architecture: "all".to_owned(),
            multi_arch_same: false,
        };
        let order = Order {
            ordinal,
            subject,
            conffiles: HashSet::new(),
            md5: Md5::Conffiles,
        };
        let tar = deb.data_tar();
        placer.place(
            &order,
            Verified::local(TarReader::new(&tar[..], TarLimits::default())),
        )?;
    }
    placer.finish(&NameTable::default(), &bareroot_unpack::Diversions::default())
}

/// What packages made, without directories' times, which dpkg leaves to chance.
fn listing(root: &Path) -> BTreeMap<String, String> {
    let tree = Tree::read(
        root,
        &TreeOptions {
            content: true,
            xattrs: true,
            mtime: true,
        },
    )
    .unwrap();
    let entries = tree
        .entries
        .iter()
        .filter(|(path, _)| !path.starts_with("var") && !path.as_os_str().is_empty());
    entries
        .map(|(path, entry)| {
            let mut entry = entry.clone();
            if entry.kind == Type::Directory || entry.mtime.is_some_and(|time| time != (TIME as i64, 0)) {
                entry.mtime = None;
            }
            (path.display().to_string(), format!("{entry:?}"))
        })
        .collect()
}

fn differences(theirs: &Path, ours: &Path, outcome: &Outcome) -> String {
    let mut words = String::new();
    let (their, our) = (listing(theirs), listing(ours));
    for path in their.keys().chain(our.keys()).collect::<BTreeSet<_>>() {
        if their.get(path) != our.get(path) {
            let _ = writeln!(
                words,
                "{path}\n  dpkg {:?}\n  ours {:?}",
                their.get(path),
                our.get(path)
            );
        }
    }
    for package in &outcome.packages {
        let list = theirs.join(format!("var/lib/dpkg/info/{}.list", package.subject.name));
        let Ok(list) = std::fs::read_to_string(list) else {
            continue;
        };
        let their: BTreeSet<&str> = list.lines().filter(|line| *line != "/.").collect();
        let our: BTreeSet<_> = package
            .paths
            .iter()
            .map(|record| std::str::from_utf8(&record.path).unwrap())
            .collect();
        let our: BTreeSet<&str> = our.into_iter().filter(|line| *line != "/.").collect();
        // dpkg lets a package vanish whose every file another has taken; for that nobody asks here.
        if !their.is_empty() && their != our {
            let _ = writeln!(
                words,
                "list of {}\n  dpkg {their:?}\n  ours {our:?}",
                package.subject.name
            );
        }
    }
    words
}

/// What we refuse and dpkg does, on purpose: to put something else in a directory's place, or in that of a link through
/// which packages were placed.
fn on_purpose(error: &Error) -> bool {
    match error {
        Error::Obstructed { .. } | Error::Escape { .. } => true,
        Error::KindConflict {
            first_kind,
            second_kind,
            ..
        } => *first_kind == "a directory" && *second_kind != "a directory",
        _ => false,
    }
}

#[test]
fn as_dpkg_unpacks_them() {
    if !rustix::process::geteuid().is_root() || Command::new("dpkg").arg("--version").output().is_err() {
        eprintln!("skipped: as_dpkg_unpacks_them needs root and dpkg");
        return;
    }
    let cases = std::env::var("BAREROOT_CASES")
        .ok()
        .and_then(|cases| cases.parse().ok())
        .unwrap_or(60);
    let mut equal = 0;
    for case in 0..cases {
        let mut numbers = Numbers::new(case);
        let (variant, relation, count) = (numbers.below(8), numbers.below(4), 1 + numbers.below(3) as usize);
        let packages: Vec<Package> = (0..count).map(|ordinal| package(&mut numbers, ordinal)).collect();
        let debs: Vec<DebBuilder> = packages
            .iter()
            .enumerate()
            .map(|(o, package)| deb(o, package, relation))
            .collect();
        let temp = tempfile::tempdir().unwrap();
        let (theirs, ours) = (temp.path().join("theirs"), temp.path().join("ours"));
        for root in [&theirs, &ours] {
            std::fs::create_dir(root).unwrap();
            prepare(root, variant);
        }
        let wrong = match (
            unpack_by_dpkg(&theirs, &debs, temp.path()),
            place(&ours, &debs, relation),
        ) {
            (Ok(()), Ok(outcome)) => {
                equal += 1;
                differences(&theirs, &ours, &outcome)
            }
            (Ok(()), Err(error)) if !on_purpose(&error) => format!("dpkg unpacks them; we say: {error}"),
            // Where dpkg trips over two spellings of one path in one package, we need not.
            (Ok(()), Err(_)) | (Err(_), _) => String::new(),
        };
        assert!(
            wrong.is_empty(),
            "case {case}, variant {variant}, relation {relation}: {packages:#?}\n{wrong}"
        );
    }
    assert!(equal * 3 > cases, "{equal} of {cases} could be compared");
}
