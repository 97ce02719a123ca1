use std::collections::{HashSet, VecDeque};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bareroot_model::{Entry, Kind};
use bareroot_testkit::tree::{Tree, TreeOptions};
use bareroot_trust::Verified;
use bareroot_unpack::{
    Alone, Conffiles, Diversions, Error, Installed, Md5, NameTable, Order, Outcome, Ownership, Payload,
    PayloadError, Placer, PlacerSettings, Relations, Root, Subject,
};
use tempfile::TempDir;

pub type Item = (Entry, Vec<u8>);

/// A package's entries, as an archive gives them.
pub struct Made {
    items: VecDeque<Item>,
    content: VecDeque<u8>,
}

impl Made {
    pub fn new(items: Vec<Item>) -> Self {
        Made {
            items: items.into(),
            content: VecDeque::new(),
        }
    }
}

impl Payload for Made {
    fn next_entry(&mut self) -> Result<Option<Entry>, PayloadError> {
        let Some((entry, content)) = self.items.pop_front() else {
            return Ok(None);
        };
        self.content = content.into();
        Ok(Some(entry))
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        io::Read::read(&mut self.content, buffer)
    }
}

fn entry(path: &[u8], kind: Kind, mode: u32) -> Entry {
    Entry {
        path: path.to_vec(),
        kind,
        mode,
        uid: 0,
        gid: 0,
        user: None,
        group: None,
        mtime: 1_000_000_000,
        size: 0,
        xattrs: Vec::new(),
    }
}

pub fn file(path: impl AsRef<[u8]>, content: impl AsRef<[u8]>) -> Item {
    let content = content.as_ref().to_vec();
    (
        Entry {
            size: content.len() as u64,
            ..entry(path.as_ref(), Kind::File, 0o644)
        },
        content,
    )
}

pub fn dir(path: impl AsRef<[u8]>) -> Item {
    (entry(path.as_ref(), Kind::Directory, 0o755), Vec::new())
}

pub fn link(path: impl AsRef<[u8]>, text: impl AsRef<[u8]>) -> Item {
    (
        entry(path.as_ref(), Kind::Symlink(text.as_ref().to_vec()), 0o777),
        Vec::new(),
    )
}

pub fn hard(path: impl AsRef<[u8]>, target: impl AsRef<[u8]>) -> Item {
    (
        entry(path.as_ref(), Kind::Hardlink(target.as_ref().to_vec()), 0o644),
        Vec::new(),
    )
}

pub fn node(path: impl AsRef<[u8]>, kind: Kind) -> Item {
    (entry(path.as_ref(), kind, 0o640), Vec::new())
}

pub fn mode(item: Item, mode: u32) -> Item {
    (Entry { mode, ..item.0 }, item.1)
}

pub fn mtime(item: Item, mtime: i64) -> Item {
    (Entry { mtime, ..item.0 }, item.1)
}

pub fn named(item: Item, uid: u32, gid: u32, user: &str, group: &str) -> Item {
    let (user, group) = (Some(user.as_bytes().to_vec()), Some(group.as_bytes().to_vec()));
    (
        Entry {
            uid,
            gid,
            user,
            group,
            ..item.0
        },
        item.1,
    )
}

pub fn subject(name: &str) -> Subject {
    let (version, architecture) = ("1".to_owned(), "amd64".to_owned());
    Subject {
        name: name.to_owned(),
        version,
        architecture,
        multi_arch_same: false,
    }
}

pub fn order(ordinal: usize, name: &str) -> Order {
    Order {
        ordinal,
        subject: subject(name),
        conffiles: HashSet::new(),
        md5: Md5::Conffiles,
    }
}

/// Which package replaces which, by name.
pub struct Replaces(pub &'static [(&'static str, &'static str)]);

impl Relations for Replaces {
    fn replaces(&self, package: &Subject, other: &Subject) -> bool {
        self.0.contains(&(&package.name, &other.name))
    }
}

/// Installed packages and one path of each.
pub struct Has(pub &'static [(&'static str, &'static str)]);

impl Installed for Has {
    fn owners(&self, path: &[u8]) -> Vec<Subject> {
        self.0
            .iter()
            .filter(|(_, own)| own.as_bytes() == path)
            .map(|(name, _)| subject(name))
            .collect()
    }
}

pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Says that a test, or a part of it, needs root.
pub fn skip_without_root(name: &str) -> bool {
    if !is_root() {
        eprintln!("skipped: {name} needs root");
    }
    !is_root()
}

pub fn settings() -> PlacerSettings {
    PlacerSettings {
        ownership: if is_root() {
            Ownership::Apply
        } else {
            Ownership::Ignore
        },
        ..PlacerSettings::default()
    }
}

pub fn replacing(pairs: &'static [(&'static str, &'static str)]) -> PlacerSettings {
    PlacerSettings {
        relations: Arc::new(Replaces(pairs)),
        ..settings()
    }
}

pub fn over(
    installed: &'static [(&'static str, &'static str)],
    replaces: &'static [(&'static str, &'static str)],
    conffiles: Conffiles,
) -> PlacerSettings {
    PlacerSettings {
        installed: Arc::new(Has(installed)),
        relations: Arc::new(Replaces(replaces)),
        conffiles,
        ..settings()
    }
}

/// A root with something beside it that must never change.
pub struct Ground {
    temp: TempDir,
    before: String,
}

impl Ground {
    pub fn new() -> Self {
        let temp = tempfile::tempdir().unwrap();
        std::fs::create_dir(temp.path().join("root")).unwrap();
        std::fs::create_dir(temp.path().join("canary")).unwrap();
        std::fs::write(temp.path().join("canary/bird"), b"alive").unwrap();
        let before = list(&temp.path().join("canary"));
        Ground { temp, before }
    }

    pub fn path(&self) -> PathBuf {
        self.temp.path().join("root")
    }

    pub fn canary(&self) -> PathBuf {
        self.temp.path().join("canary")
    }

    pub fn join(&self, path: &str) -> PathBuf {
        self.path().join(path)
    }

    pub fn root(&self) -> Root {
        Root::open(self.path()).unwrap()
    }

    pub fn read(&self, path: &str) -> String {
        String::from_utf8(std::fs::read(self.join(path)).unwrap()).unwrap()
    }

    pub fn text(&self, path: &str) -> String {
        std::fs::read_link(self.join(path))
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned()
    }

    pub fn list(&self) -> String {
        list(&self.path())
    }

    /// Places packages one after the other, in the order given.
    pub fn place(
        &self,
        settings: PlacerSettings,
        packages: Vec<(Order, Vec<Item>)>,
    ) -> Result<Outcome, Error> {
        self.place_by(settings, packages, &Diversions::default())
    }

    /// The same with what the packages' preinsts divert.
    pub fn place_by(
        &self,
        settings: PlacerSettings,
        packages: Vec<(Order, Vec<Item>)>,
        declared: &Diversions,
    ) -> Result<Outcome, Error> {
        let placer = Placer::new(&self.root(), settings)?;
        for (order, items) in packages {
            placer.place(&order, Verified::local(Made::new(items)))?;
        }
        placer.finish(&NameTable::default(), declared)
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let names: Vec<_> = std::fs::read_dir(self.temp.path())
                .unwrap()
                .map(|e| e.unwrap().file_name())
                .collect();
            assert_eq!(names.len(), 2, "beside the root: {names:?}");
            assert_eq!(list(&self.canary()), self.before);
        }
    }
}

pub fn list(path: &Path) -> String {
    let tree = Tree::read(
        path,
        &TreeOptions {
            content: true,
            xattrs: true,
            mtime: true,
        },
    )
    .unwrap();
    let mut text = String::new();
    for (path, entry) in &tree.entries {
        // The root's own time is that of the test.
        if !path.as_os_str().is_empty() {
            text.push_str(&format!("{path:?} {entry:?}\n"));
        }
    }
    text
}

/// The outcome must be the same in whichever order packages arrive: gives the outcome and the root of the given one.
pub fn in_every_order(
    settings: impl Fn() -> PlacerSettings,
    before: impl Fn(&Ground),
    packages: Vec<(Order, Vec<Item>)>,
) -> (Result<Outcome, String>, Ground) {
    in_every_order_by(settings, before, packages, &Diversions::default())
}

/// The same with what the packages' preinsts divert.
pub fn in_every_order_by(
    settings: impl Fn() -> PlacerSettings,
    before: impl Fn(&Ground),
    packages: Vec<(Order, Vec<Item>)>,
    declared: &Diversions,
) -> (Result<Outcome, String>, Ground) {
    let run = |order: &[usize]| {
        let ground = Ground::new();
        before(&ground);
        let arrival = order.iter().map(|&index| packages[index].clone()).collect();
        let here = ground.path().display().to_string();
        let outcome = ground
            .place_by(settings(), arrival, declared)
            .map_err(|error| error.to_string().replace(&here, ""));
        // What was there before has the time of the test.
        ground.root().clamp_mtimes(1_500_000_000).unwrap();
        (outcome, ground)
    };
    let mut arrival: Vec<usize> = (0..packages.len()).collect();
    let (outcome, ground) = run(&arrival);
    // Heap's algorithm.
    let mut counters = vec![0; arrival.len()];
    let mut at = 0;
    while at < arrival.len() {
        if counters[at] < at {
            arrival.swap(if at % 2 == 0 { 0 } else { counters[at] }, at);
            counters[at] += 1;
            at = 0;
            let (other, elsewhere) = run(&arrival);
            assert_eq!(other, outcome, "arrival {arrival:?}");
            if outcome.is_ok() {
                assert_eq!(elsewhere.list(), ground.list(), "arrival {arrival:?}");
            }
        } else {
            counters[at] = 0;
            at += 1;
        }
    }
    (outcome, ground)
}

/// The paths that a package still owns.
pub fn paths(outcome: &Outcome, name: &str) -> Vec<String> {
    let package = outcome
        .packages
        .iter()
        .find(|package| package.subject.name == name)
        .unwrap();
    package
        .paths
        .iter()
        .map(|record| String::from_utf8_lossy(&record.path).into_owned())
        .collect()
}

pub fn alone() -> Arc<Alone> {
    Arc::new(Alone)
}
