use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use bareroot_testkit::door::{self, Door, Run, signer};
use bareroot_testkit::harness::Case;
use bareroot_testkit::rpm_repo::RpmRepo;
use bareroot_testkit::{Compression, cases, rpm_base};

use crate::{files, served};

pub const CASES: &[Case] = cases![
    Nothing: a_repository_in_its_directory, nothing_new_moves_nothing, every_damaged_file_is_named, one_package_newer;
    Root: a_root_without_a_network;
];

struct Ground {
    door: Door,
}

fn repository(version: &str) -> RpmRepo {
    rpm_base::repository()
        .package(&rpm_base::package("hello", version).file("/usr/bin/hello", version))
        .package(&rpm_base::package("unneeded", "1-1").file("/usr/bin/unneeded", "unneeded"))
        .data("updateinfo", "updateinfo", b"<updates/>", Compression::Gzip)
        .data("other", "other", b"<otherdata/>", Compression::Gzip)
}

impl Ground {
    fn new() -> Self {
        Self::over(repository("1-1").files("repo/", Some(signer())))
    }

    fn over(files: BTreeMap<String, Vec<u8>>) -> Self {
        Ground {
            door: Door::over(env!("CARGO_BIN_EXE_bareroot"), files, signer().certificate()),
        }
    }

    fn dir(&self) -> PathBuf {
        self.door.path("mirror")
    }

    fn command(&self, verb: &str, options: &[&str]) -> Command {
        let text = format!(
            "[tiny]\nname=Tiny\nbaseurl={}/repo\ngpgcheck=1\nrepo_gpgcheck=1\n",
            self.door.mirror.url()
        );
        let mut command = self.door.command([verb, "--repo"]);
        command
            .arg(self.door.file("tiny.repo", text))
            .args(["--include", &format!("{},hello", rpm_base::CORE), "--keyring"])
            .arg(self.door.keyring())
            .args(options);
        command
    }

    fn mirror(&self, options: &[&str]) -> Run {
        let mut command = self.command("mirror", options);
        command.arg(self.dir());
        door::run(command)
    }

    fn check(&self) -> Run {
        let mut command = self.door.command(["mirror", "--check"]);
        command.arg(self.dir());
        door::run(command)
    }
}

fn a_repository_in_its_directory() {
    let origin = repository("1-1").files("repo/", Some(signer()));
    let ground = Ground::over(origin.clone());
    ground.mirror(&[]).succeeded();
    let there = served(&ground.dir());
    for (path, bytes) in &there {
        if path != "bareroot-mirror.toml" {
            let own = path.replacen("tiny/", "repo/", 1);
            assert_eq!(Some(bytes), origin.get(&own), "{path}");
        }
    }
    let has = |part: &str| there.keys().any(|path| path.contains(part));
    for part in [
        "tiny/repodata/repomd.xml",
        "tiny/repodata/repomd.xml.asc",
        "primary",
        "filelists",
        "comps",
        "updateinfo",
        "hello-1-1",
    ] {
        assert!(has(part), "{part} of {:?}", there.keys());
    }
    assert!(!has("unneeded") && !has("other"), "{:?}", there.keys());
    ground.check().succeeded();
}

fn nothing_new_moves_nothing() {
    let ground = Ground::new();
    ground.mirror(&[]).succeeded();
    let (before, there) = (ground.door.mirror.requests().len(), files(&ground.dir()));
    let run = ground.mirror(&["--no-cache"]).succeeded();
    let requests = ground.door.mirror.requests();
    for request in requests.iter().skip(before) {
        assert!(request.path.contains("repodata/repomd.xml"), "{}", request.path);
    }
    assert!(run.stderr.contains("0 bytes"), "{}", run.stderr);
    assert_eq!(files(&ground.dir()), there);
}

fn every_damaged_file_is_named() {
    let ground = Ground::new();
    ground.mirror(&[]).succeeded();
    for (path, bytes) in served(&ground.dir()) {
        if path == "bareroot-mirror.toml" {
            continue;
        }
        let place = ground.dir().join(&path);
        let mut damaged = bytes.clone();
        let at = damaged.len() / 2;
        damaged[at] ^= 0x10;
        fs::write(&place, damaged).unwrap();
        ground.check().failed(5, &[&path]);
        fs::write(&place, bytes).unwrap();
    }
    ground.check().succeeded();
}

fn one_package_newer() {
    let ground = Ground::new();
    ground.mirror(&[]).succeeded();
    let before = ground.door.mirror.requests().len();
    for (path, bytes) in repository("2-1").files("repo/", Some(signer())) {
        ground.door.mirror.put(path, bytes);
    }
    ground.mirror(&["--prune"]).succeeded();
    let requests = ground.door.mirror.requests();
    let packages: Vec<&str> = requests
        .iter()
        .skip(before)
        .map(|request| request.path.as_str())
        .filter(|path| path.ends_with(".rpm"))
        .collect();
    assert_eq!(packages.len(), 1, "{packages:?}");
    assert!(packages[0].contains("hello-2-1"), "{packages:?}");
    assert!(
        !served(&ground.dir())
            .keys()
            .any(|path| path.contains("hello-1-1"))
    );
    ground.check().succeeded();
}

fn a_root_without_a_network() {
    let ground = Ground::new();
    ground.mirror(&[]).succeeded();
    let mirror = ground.dir().display().to_string();
    let mut command = ground.command("bootstrap", &["--mirror", &mirror, "--offline", "--no-cache"]);
    command.arg(ground.door.target());
    door::run(command).succeeded();
    assert!(ground.door.target().join("usr/bin/hello").exists());
}
