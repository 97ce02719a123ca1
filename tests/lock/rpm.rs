use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use bareroot_testkit::cases;
use bareroot_testkit::door::{self, Door, Run, signer};
use bareroot_testkit::harness::Case;
use bareroot_testkit::mirror::Fault;
use bareroot_testkit::rpm::{RpmBuilder, When};
use bareroot_testkit::rpm_base;
use bareroot_testkit::rpm_repo::{RpmRepo, group};

use crate::assert_same;

pub const CASES: &[Case] = cases![
    Nothing: one_package_moves;
    Root: the_same_root_as_without, the_same_root_after_the_repository_moved, local_files, what_differs;
];

/// The base with dnf of both kinds and yum, so that what they record is seen, and a group of the user's own.
fn repository(version: &str) -> RpmRepo {
    let packages = [
        rpm_base::scripted("hello", &format!("2:{version}-1"))
            .requires("libhello")
            .script(When::Post, "/bin/sh", "touch /var/hello"),
        rpm_base::package("libhello", "1.0-2"),
        rpm_base::package("libdnf", "0.70-1"),
        rpm_base::package("libdnf5", "5.2-1"),
        rpm_base::package("yum", "3.4.3-168.el7"),
        rpm_base::package("extra", "1-1"),
    ];
    let own = group("own", "My Own", &[("extra", "default"), ("absent", "optional")]);
    let add = |repository: RpmRepo, package: &RpmBuilder| repository.package(package);
    packages.iter().fold(rpm_base::with_groups(&[own]), add)
}

const INCLUDE: &str = "@core,@minimal-environment,@own,hello,libdnf,libdnf5,yum";

struct Ground(Door);

impl Ground {
    fn new() -> Ground {
        let door = Door::over(
            env!("CARGO_BIN_EXE_bareroot"),
            files("1.0"),
            signer().certificate(),
        );
        let text = format!(
            "[tiny]\nname=Tiny\nbaseurl={}/repo\ngpgcheck=1\nrepo_gpgcheck=1\n",
            door.mirror.url()
        );
        door.file("tiny.repo", text);
        Ground(door)
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = self.0.command(words);
        command
            .arg("--keyring")
            .arg(self.0.keyring())
            .arg("--cache-dir")
            .arg(self.0.path("cache"));
        command
    }

    fn lock(&self, include: &str, options: &[&str]) -> Run {
        let mut command = self.command(&["lock", "--repo", "tiny.repo", "--include", include]);
        command.args(options);
        door::run(command)
    }

    fn locked(&self, target: &str) -> Run {
        door::run(self.command(&["bootstrap", "bareroot.lock", target]))
    }

    /// The root as it is made without a lock, by the lock's epoch.
    fn plain(&self, include: &str) {
        let text = crate::text(self.0.path("bareroot.lock"));
        let epoch = text
            .lines()
            .find_map(|line| line.strip_prefix("epoch = "))
            .expect("an epoch");
        let mut command = self.command(&["bootstrap", "--repo", "tiny.repo", "--include", include, "plain"]);
        command.env("SOURCE_DATE_EPOCH", epoch);
        door::run(command).succeeded();
    }
}

fn files(version: &str) -> BTreeMap<String, Vec<u8>> {
    repository(version).files("repo/", Some(signer()))
}

fn the_same_root_as_without() {
    let ground = Ground::new();
    ground.lock(INCLUDE, &[]).succeeded();
    ground.plain(INCLUDE);
    let before = ground.0.mirror.requests().len();
    let run = ground.locked("locked").succeeded();
    assert!(
        run.stderr.contains("bareroot.lock is used: 10 packages"),
        "{}",
        run.stderr
    );
    assert_eq!(
        ground.0.mirror.requests().len(),
        before,
        "all is in the cache, and no index is asked for"
    );
    assert_same(&ground.0.path("plain"), &ground.0.path("locked"));
    for path in [
        "var/lib/dnf/history.sqlite",
        "usr/lib/sysimage/libdnf5/packages.toml",
        "usr/lib/sysimage/libdnf5/groups.toml",
    ] {
        assert!(ground.0.path("locked").join(path).exists(), "{path}");
    }
    assert_eq!(
        yum_says(&ground.0.path("locked"), "reason"),
        [("extra", "user"), ("hello", "user"), ("libhello", "dep")]
            .map(|(name, reason)| (name.to_owned(), reason.to_owned()))
    );
}

/// What yum's own records have of some packages under a key, by the packages' names.
fn yum_says(root: &Path, key: &str) -> Vec<(String, String)> {
    let mut said = Vec::new();
    for letter in std::fs::read_dir(root.join("var/lib/yum/yumdb")).unwrap() {
        for package in std::fs::read_dir(letter.unwrap().path()).unwrap() {
            let path = package.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            // The header's SHA-1 comes first.
            let (id, rest) = name.split_once('-').unwrap();
            assert_eq!(id.len(), 40, "{name}");
            let name = rest.split('-').next().unwrap();
            if ["extra", "hello", "libhello"].contains(&name) {
                said.push((name.to_owned(), crate::text(path.join(key))));
            }
        }
    }
    said.sort();
    said
}

fn the_same_root_after_the_repository_moved() {
    let ground = Ground::new();
    ground.lock(INCLUDE, &[]).succeeded();
    ground.locked("before").succeeded();
    for (path, content) in files("2.0") {
        ground.0.mirror.put(path, content);
    }
    std::fs::remove_dir_all(ground.0.path("cache")).unwrap();
    // The lock has what the .repo file said.
    std::fs::remove_file(ground.0.path("tiny.repo")).unwrap();
    ground.locked("after").succeeded();
    assert_same(&ground.0.path("before"), &ground.0.path("after"));
    let repodata = ground.0.mirror.requests();
    let asked = repodata
        .iter()
        .filter(|request| request.path.contains("repodata/"))
        .count();
    ground.locked("again").succeeded();
    let after = ground.0.mirror.requests();
    assert_eq!(
        after
            .iter()
            .filter(|request| request.path.contains("repodata/"))
            .count(),
        asked
    );
}

fn local_files() {
    let ground = Ground::new();
    ground.0.file("own.rpm", rpm_base::package("own", "1-1").build());
    let include = "@core,libdnf,./own.rpm";
    ground.lock(include, &[]).succeeded();
    ground.plain(include);
    ground.locked("locked").succeeded();
    assert_same(&ground.0.path("plain"), &ground.0.path("locked"));
    ground.0.file("own.rpm", rpm_base::package("own", "2-1").build());
    ground
        .locked("other")
        .failed(5, &["own.rpm", "is not the file of bareroot.lock"]);
}

fn what_differs() {
    let ground = Ground::new();
    ground.lock(INCLUDE, &[]).succeeded();
    let text = crate::text(ground.0.path("bareroot.lock"));
    let path = text
        .split('"')
        .find(|word| word.contains("libhello") && word.ends_with(".rpm"))
        .expect("its path");
    let other = rpm_base::package("libhello", "1.0-2").requires("sh").build();
    ground
        .0
        .mirror
        .always(&format!("repo/{path}"), Fault::Replace(other));
    ground.locked("root").failed(5, &["libhello"]);
    assert!(!ground.0.path("root").exists());
    let mut command = ground.command(&["bootstrap", "bareroot.lock", "root", "--include", "extra"]);
    command.arg("--no-recommends");
    door::run(command).failed(8, &["include (+extra)", "recommends (absent -> false)"]);
}

fn one_package_moves() {
    let ground = Ground::new();
    ground.lock(INCLUDE, &[]).succeeded();
    ground
        .lock(INCLUDE, &["--upgrade", "nano"])
        .failed(2, &["`nano` is not part of the solution"]);
    let moved = |hello: &str, library: &str| {
        let exact = format!("libhello(x86-64) = {library}");
        let packages = [
            rpm_base::scripted("hello", hello).requires(&exact),
            rpm_base::package("libhello", library).provides(&exact),
            rpm_base::package("libdnf", "0.71-1"),
        ];
        let add = |repository: RpmRepo, package: &RpmBuilder| repository.package(package);
        packages
            .iter()
            .fold(repository("1.0"), add)
            .files("repo/", Some(signer()))
    };
    for (path, content) in moved("2:2.0-1", "2.0-1") {
        ground.0.mirror.put(path, content);
    }
    // What wants a package's very version comes with it, and nothing else does.
    let run = ground.lock(INCLUDE, &["--upgrade", "libhello"]).succeeded();
    assert!(
        run.stdout
            .starts_with("hello 2:1.0-1 -> 2:2.0-1\nlibhello 1.0-2 -> 2.0-1\nbareroot.lock: 10 packages"),
        "{}",
        run.stdout
    );
    let run = ground.lock(INCLUDE, &["--upgrade", "libdnf"]).succeeded();
    assert!(
        run.stdout
            .starts_with("libdnf 0.70-1 -> 0.71-1\nbareroot.lock: 10 packages"),
        "{}",
        run.stdout
    );
    let run = ground.lock(INCLUDE, &["--upgrade"]).succeeded();
    assert!(run.stdout.contains("nothing moved"), "{}", run.stdout);
}
