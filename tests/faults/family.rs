use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File};
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use bareroot_testkit::door::{self, Door, SUITE, signer};
use bareroot_testkit::launch::{self, Limits};
use bareroot_testkit::programs::script;
use bareroot_testkit::rpm::When;
use bareroot_testkit::seed::Random;
use bareroot_testkit::tracer::{self, Call, Task};
use bareroot_testkit::tree::{Tree, TreeOptions, diff};
use bareroot_testkit::{Compression, base, rpm_base};

/// The two families of roots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    Debian,
    Rpm,
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Family::Debian => "Debian",
            Family::Rpm => "RPM",
        })
    }
}

/// What a run is that nothing disturbs: all others are held against it.
#[derive(Debug)]
pub struct Reference {
    tree: Tree,
    /// How long it takes.
    pub time: Duration,
    /// How many requests it makes.
    pub requests: u64,
    /// How many bytes of bodies it is sent.
    pub bytes: u64,
    /// How many bytes the root and the cache have.
    pub room: u64,
    /// How many system calls it makes in all; 0 where they cannot be counted.
    pub all: u64,
    /// How many of each kind it makes.
    pub calls: BTreeMap<Call, u64>,
    /// How often it reads the wall clock.
    pub clock: u64,
}

/// The packages beside the base: small, compressible, large, and with scripts.
const MORE: [(&str, usize); 3] = [("small", 300), ("middle", 60_000), ("large", 900_000)];

impl Family {
    /// The files of the mirror.
    fn files(self) -> &'static BTreeMap<String, Vec<u8>> {
        static FILES: [OnceLock<BTreeMap<String, Vec<u8>>>; 2] = [OnceLock::new(), OnceLock::new()];
        match self {
            Family::Debian => FILES[0].get_or_init(|| {
                let packages = MORE.map(|(name, length)| {
                    base::package(name, "1.0")
                        .file(
                            &format!("/usr/share/{name}"),
                            Random::new(length as u64).bytes(length),
                        )
                        .conffile(&format!("/etc/{name}.conf"), "a = b\n")
                        .script("postinst", script(&format!("note /var/log/{name} configured")))
                        .compression(Compression::Gzip)
                });
                let add = |repository: bareroot_testkit::repo::RepoBuilder, package| {
                    repository.package(SUITE, "main", package)
                };
                packages
                    .iter()
                    .fold(base::repository(SUITE), add)
                    .files(Some(signer()))
            }),
            Family::Rpm => FILES[1].get_or_init(|| {
                let packages = MORE.map(|(name, length)| {
                    rpm_base::scripted(name, "1.0-1")
                        .file(
                            &format!("/usr/share/{name}"),
                            Random::new(length as u64).bytes(length),
                        )
                        .script(When::Post, "/bin/sh", &format!("note /var/log/{name} configured"))
                        .compression(Compression::Gzip)
                });
                packages
                    .iter()
                    .fold(
                        rpm_base::repository(),
                        bareroot_testkit::rpm_repo::RpmRepo::package,
                    )
                    .files("repo/", Some(signer()))
            }),
        }
    }

    /// The real binary before a mirror of its own.
    pub fn door(self) -> Door {
        Door::over(
            env!("CARGO_BIN_EXE_bareroot"),
            self.files().clone(),
            signer().certificate(),
        )
    }

    /// A bootstrap into a target, with a cache.
    pub fn command(self, door: &Door, target: &Path, cache: &Path) -> Command {
        let mut command = door.command(["bootstrap"]);
        match self {
            Family::Debian => {
                command.arg(format!("debian:{SUITE}"));
                command.args(["--mirror", &door.mirror.url(), "--include", "small,middle,large"]);
            }
            Family::Rpm => {
                let repo = door.file(
                    "tiny.repo",
                    format!(
                        "[tiny]\nname=Tiny\nbaseurl={}/repo\ngpgcheck=1\nrepo_gpgcheck=1\n",
                        door.mirror.url()
                    ),
                );
                command.arg("--repo").arg(repo);
                command.args(["--include", "@core,small,middle,large"]);
            }
        }
        command
            .args(["--timeout", "1", "--keyring"])
            .arg(door.keyring())
            .arg("--cache-dir")
            .arg(cache)
            .arg(target)
            .env("SOURCE_DATE_EPOCH", "1700000000");
        command
    }

    /// What this family's root is, made once.
    pub fn reference(self) -> &'static Reference {
        static REFERENCES: [OnceLock<Reference>; 2] = [OnceLock::new(), OnceLock::new()];
        REFERENCES[self as usize].get_or_init(|| {
            let door = self.door();
            let (target, cache) = (door.target(), door.path("cache"));
            let begin = Instant::now();
            door::run(self.command(&door, &target, &cache)).succeeded();
            let time = begin.elapsed();
            let (requests, bytes) = (door.mirror.requests().len() as u64, door.mirror.sent());
            let tree = listing(&door, &target);
            let room = size(&target) + size(&cache);
            let (mut all, mut calls, mut clock) = (0, BTreeMap::new(), 0);
            if tracer::AVAILABLE {
                let traced = |task| {
                    fs::remove_dir_all(&target).expect("the root can be removed");
                    fs::remove_dir_all(&cache).expect("the cache can be removed");
                    let limits = Limits {
                        traced: true,
                        ..Limits::default()
                    };
                    let mut command = launch::wrap(&self.command(&door, &target, &cache), &limits);
                    let said = || File::create(door.path("said")).expect("a file in the temporary directory");
                    command.stdout(said()).stderr(said());
                    let traced =
                        tracer::trace(&mut command, task, Duration::from_secs(60)).expect("a traced run");
                    assert_eq!(
                        traced.code,
                        Some(0),
                        "{}",
                        fs::read_to_string(door.path("said")).unwrap_or_default()
                    );
                    assert_eq!(differences(&tree, &listing(&door, &target)), Vec::<String>::new());
                    traced
                };
                let counted = traced(Task::Count);
                (all, calls) = (counted.all, counted.calls);
                let never = Task::Jump {
                    nth: u64::MAX,
                    seconds: 0,
                };
                clock = traced(never).clock;
                assert!(clock > 0, "nobody reads the clock");
            }
            Reference {
                tree,
                time,
                requests,
                bytes,
                room,
                all,
                calls,
                clock,
            }
        })
    }
}

impl Reference {
    /// How a root differs from what it must be.
    pub fn differences(&self, door: &Door, root: &Path) -> Vec<String> {
        differences(&self.tree, &listing(door, root))
    }
}

fn differences(wanted: &Tree, found: &Tree) -> Vec<String> {
    diff(wanted, found, &|_| false)
        .iter()
        .map(ToString::to_string)
        .collect()
}

/// Every path of a root with all that belongs to it, times too. The mirror's address is another in each run: it is told
/// from a file's text, and the file's size and digest do not count.
fn listing(door: &Door, root: &Path) -> Tree {
    let options = TreeOptions {
        mtime: true,
        ..TreeOptions::default()
    };
    let mut tree = Tree::read(root, &options).expect("the root can be read");
    let url = door.mirror.url();
    for (path, entry) in &mut tree.entries {
        // Devices are not read.
        let text = (entry.content.is_some() && entry.size < 10_000)
            .then(|| fs::read_to_string(root.join(path)).ok())
            .flatten()
            .filter(|text| text.contains(&url));
        if let Some(text) = text {
            entry.content = None;
            entry.size = 0;
            // Where a link's text would be: a file has none.
            entry.link = Some(text.replace(&url, "http://mirror").into());
        }
    }
    tree
}

/// How many bytes the files of a tree have.
fn size(top: &Path) -> u64 {
    let entries = Tree::read(
        top,
        &TreeOptions {
            content: false,
            xattrs: false,
            mtime: false,
        },
    )
    .expect("a tree");
    entries.entries.values().map(|entry| entry.size).sum()
}
