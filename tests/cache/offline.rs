//! `--offline`: nothing but the cache and file: is opened, and what is missing is named.

use std::fs;
use std::path::Path;

use bareroot_testkit::door::{Door, Run, run, signer};
use bareroot_testkit::harness::Case;
use bareroot_testkit::rpm_repo::metalink;
use bareroot_testkit::tree::diff;
use bareroot_testkit::{Compression, cases, rpm_base};

use crate::{EXTRACT, door, extract, files, into, repository, tree, warm};

pub const CASES: &[Case] = cases![
    Root: a_debian_root, an_rpm_root_by_its_metalink, from_a_file_mirror;
    Nothing: a_missing_release_file, no_cache_at_all;
];

/// Removes the files of one kind from a cache.
fn lose(cache: &Path, shelves: &[&str]) {
    for path in files(cache) {
        if shelves
            .iter()
            .any(|shelf| path.to_str().unwrap().contains(&format!("/v1/{shelf}/")))
        {
            fs::remove_file(path).unwrap();
        }
    }
}

/// A run failed for want of the network, named what is missing, and did not ask for it.
#[track_caller]
fn misses(door: &Door, connections: usize, run: Run, words: &[&str]) {
    let run = run.failed(4, words).says(&[
        "the network is not to be used",
        "hint: run it once without `--offline`",
    ]);
    assert!(!run.stderr.contains("changed while"), "{}", run.stderr);
    assert_eq!(door.mirror.connections(), connections);
    door.assert_no_mount_and_no_process();
}

fn a_debian_root() {
    let door = door(&repository());
    warm(&door, "cache");
    let connections = door.mirror.connections();
    extract(&door, "root", "cache", &["--offline"]).succeeded();
    assert_eq!(door.mirror.connections(), connections);

    lose(&door.path("cache"), &["archives", "payloads"]);
    let url = format!("{}/pool/", door.mirror.url());
    let missing = || extract(&door, "other", "cache", &["--offline"]);
    misses(&door, connections, missing(), &[" 1.0 is not in the cache", &url]);
    lose(&door.path("cache"), &["indexes", "parsed"]);
    misses(
        &door,
        connections,
        missing(),
        &["Packages", "is not in the cache", "/dists/tiny/"],
    );
    lose(&door.path("cache"), &["releases"]);
    misses(
        &door,
        connections,
        missing(),
        &["/dists/tiny/InRelease` is not in the cache"],
    );
    door.assert_beside_is(&["root"]);
}

fn a_missing_release_file() {
    let door = door(&repository());
    let run = door.resolve(&["--offline"]);
    misses(
        &door,
        0,
        run,
        &[&door.mirror.url(), "/dists/tiny/InRelease` is not in the cache"],
    );
}

fn no_cache_at_all() {
    let door = door(&repository());
    let run = door.resolve(&["--offline", "--no-cache"]);
    misses(&door, 0, run, &["/dists/tiny/InRelease` is not in the cache"]);
}

fn from_a_file_mirror() {
    let door = door(&repository());
    extract(&door, "right", "cache", &[]).succeeded();
    let connections = door.mirror.connections();
    let directory = door.path("mirror");
    for (path, content) in repository().files(Some(signer())) {
        let path = directory.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    let mut command = door.command(["bootstrap", "debian:tiny", "--offline", "--no-cache", "--mirror"]);
    command
        .arg(format!("file:{}", directory.display()))
        .arg("--keyring")
        .arg(door.keyring())
        .args(EXTRACT)
        .arg(door.path("out/root"));
    run(command).succeeded();
    // The root's own sources name the mirror.
    let sources =
        |path: &Path| path.starts_with("etc/apt/sources.list") || path.starts_with("etc/apt/sources.list.d");
    let differences = diff(&tree(&door, "root"), &tree(&door, "right"), &sources);
    assert!(differences.is_empty(), "{differences:?}");
    // A fallback on the network is not asked.
    fs::remove_dir_all(directory.join("pool")).unwrap();
    let file = format!("file:{}", directory.display());
    let words = [&EXTRACT[..], &["--offline", "--no-cache", "--mirror", &file]].concat();
    let run = run(into(&door, "other", &words));
    misses(&door, connections, run, &[" 1.0", "pool/"]);
}

fn an_rpm_root_by_its_metalink() {
    let hello = rpm_base::package("hello", "1.0-1")
        .file("/usr/share/hello", vec![7; 100_000])
        .compression(Compression::Gzip);
    let repo = rpm_base::repository().package(&hello);
    let files = repo.files("repo/", Some(signer()));
    let repomd = files["repo/repodata/repomd.xml"].clone();
    let door = Door::over(env!("CARGO_BIN_EXE_bareroot"), files, signer().certificate());
    let url = door.mirror.url();
    // The first mirror of the list lacks it: offline, the one that had it must be found.
    let list = metalink(&[format!("{url}/gone"), format!("{url}/repo")], &[&repomd]);
    door.mirror.put("metalink", list);
    let text = format!("[tiny]\nmetalink={url}/metalink?repo=tiny\ngpgcheck=1\nrepo_gpgcheck=1\n");
    let repo = door.file("tiny.repo", text);
    let bootstrap = |name: &str, options: &[&str]| {
        let mut command = door.command([
            "bootstrap",
            "--variant",
            "extract",
            "--include",
            "hello",
            "--repo",
        ]);
        command
            .arg(&repo)
            .arg("--keyring")
            .arg(door.keyring())
            .arg("--cache-dir")
            .arg(door.path("cache"))
            .args(options)
            .arg(door.path("out").join(name));
        run(command)
    };
    bootstrap("online", &[]).succeeded();
    let connections = door.mirror.connections();
    bootstrap("offline", &["--offline"]).succeeded();
    assert_eq!(door.mirror.connections(), connections);
    assert!(tree(&door, "online") == tree(&door, "offline"));

    let missing = || bootstrap("other", &["--offline"]);
    lose(&door.path("cache"), &["archives", "payloads"]);
    misses(
        &door,
        connections,
        missing(),
        &["hello-1.0-1", "is not in the cache", "hello-1.0-1."],
    );
    lose(&door.path("cache"), &["indexes", "parsed"]);
    misses(
        &door,
        connections,
        missing(),
        &[".xml", "of tiny is not in the cache"],
    );
    lose(&door.path("cache"), &["releases"]);
    misses(
        &door,
        connections,
        missing(),
        &["metalink", "is not in the cache"],
    );
}
