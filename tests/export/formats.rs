//! A root is the same, whatever it is made as.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use bareroot_testkit::cases;
use bareroot_testkit::door::{in_terminal, run};
use bareroot_testkit::harness::Case;
use bareroot_testkit::tree::{Tree, TreeOptions, diff};

use crate::{bootstrap, door, unpacked};

pub const CASES: &[Case] = cases![
    Nothing: what_makes_no_sense;
    Root: every_format_has_the_listing_of_the_directory, the_same_bytes_with_any_number_of_jobs, standard_output,
        without_an_epoch_nothing_is_younger_than_the_run, what_has_the_name_is_replaced, bad_places;
];

/// Everything, times too.
const ALL: TreeOptions = TreeOptions {
    content: true,
    xattrs: true,
    mtime: true,
};

/// What is in an archive.
pub fn listing(bytes: &[u8]) -> Tree {
    Tree::from_tar(bytes, &ALL).unwrap().0
}

/// What is in a directory.
pub fn directory(path: &Path) -> Tree {
    Tree::read(path, &ALL).unwrap()
}

#[track_caller]
pub fn assert_equal(found: &Tree, expected: &Tree, what: &str) {
    let differences = diff(expected, found, &|_| false);
    assert!(differences.is_empty(), "{what}: {differences:#?}");
}

fn every_format_has_the_listing_of_the_directory() {
    let door = door();
    run(bootstrap(&door, door.target(), &[])).succeeded();
    let expected = directory(&door.target());
    assert!(expected.entries.len() > 40 && expected.entries.contains_key(Path::new("dev/null")));
    let names = ["a.tar", "b.tar.gz", "c.tgz", "d.tar.xz", "e.txz", "f.tar.zst"];
    let mut plain = None;
    for name in names {
        let out = door.path("out").join(name);
        let run = run(bootstrap(&door, &out, &[])).succeeded();
        assert!(run.stderr.contains("export "), "{}", run.stderr);
        assert_eq!(run.stdout, "");
        let bytes = unpacked(&out);
        assert_equal(&listing(&bytes), &expected, name);
        // Runs of one epoch are equal, and so is what is in them, however it is packed.
        assert!(*plain.get_or_insert_with(|| bytes.clone()) == bytes, "{name}");
    }
    let by_format = door.path("out/plain");
    run(bootstrap(&door, &by_format, &["--format", "tar"])).succeeded();
    assert!(fs::read(&by_format).unwrap() == plain.unwrap());
    run(bootstrap(
        &door,
        door.path("out/g.tar"),
        &["--format", "directory"],
    ))
    .succeeded();
    assert_equal(
        &directory(&door.path("out/g.tar")),
        &expected,
        "a directory called so",
    );
    let mut left = door.beside();
    left.retain(|name| !names.contains(&name.as_str()));
    assert_eq!(left, ["g.tar", "plain", "root"]);
    door.assert_no_mount_and_no_process();
}

fn the_same_bytes_with_any_number_of_jobs() {
    let door = door();
    for name in ["a.tar.gz", "a.tar.xz", "a.tar.zst"] {
        let (one, many) = (door.path("out/one").join(name), door.path("out/many").join(name));
        run(bootstrap(&door, &one, &["--jobs", "1"])).succeeded();
        run(bootstrap(&door, &many, &["--jobs", "8"])).succeeded();
        assert!(fs::read(&one).unwrap() == fs::read(&many).unwrap(), "{name}");
    }
}

fn standard_output() {
    let door = door();
    let file = door.path("out/a.tar");
    run(bootstrap(&door, &file, &[])).succeeded();
    let hook = ["--customize-hook", "echo noise; echo noise >&2"];
    let options = [&hook[..], &["--format", "tar.zst"]].concat();
    for (options, name) in [(&hook[..], "b.tar"), (&options, "b.tar.zst")] {
        let mut command = bootstrap(&door, "-", options);
        let output = command.stderr(Stdio::piped()).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{stderr}");
        assert!(
            stderr.lines().last().unwrap().starts_with("5 packages"),
            "{stderr}"
        );
        let out = door.file(name, &output.stdout);
        assert!(unpacked(&out) == fs::read(&file).unwrap(), "{name}");
    }
    // The root grew where temporary files go, and is gone.
    assert_eq!(fs::read_dir(door.path("tmp")).unwrap().count(), 0);
    door.assert_beside_is(&["a.tar"]);
    // Whoever stops reading ends the run.
    let mut command = bootstrap(&door, "-", &[]);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(6), "{stderr}");
    assert!(
        stderr.contains("the archive cannot be written: Broken pipe"),
        "{stderr}"
    );
    assert_eq!(fs::read_dir(door.path("tmp")).unwrap().count(), 0);
    let (code, text) = in_terminal(bootstrap(&door, "-", &[]));
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("an archive is not written to a terminal"), "{text}");
    door.assert_no_mount_and_no_process();
}

fn without_an_epoch_nothing_is_younger_than_the_run() {
    let door = door();
    let out = door.path("out/a.tar");
    let now = || {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        since.unwrap().as_secs()
    };
    let before = now();
    let mut command = bootstrap(&door, &out, &[]);
    command.env_remove("SOURCE_DATE_EPOCH");
    run(command).succeeded();
    let bytes = unpacked(&out);
    let mut latest = 0;
    for entry in tar::Archive::new(bytes.as_slice()).entries().unwrap() {
        let mut entry = entry.unwrap();
        latest = latest.max(entry.header().mtime().unwrap());
        let records = entry.pax_extensions().unwrap().into_iter().flatten();
        let times = records.filter(|record| record.as_ref().unwrap().key().unwrap() == "mtime");
        assert_eq!(times.count(), 0, "a time with a fraction");
    }
    assert!((before..=before + 5).contains(&latest), "{before} {latest}");
}

fn what_has_the_name_is_replaced() {
    let door = door();
    let out = door.path("out/a.tar");
    fs::write(&out, "old").unwrap();
    door.mirror
        .remove(&format!("dists/{}/InRelease", bareroot_testkit::door::SUITE));
    door.mirror
        .remove(&format!("dists/{}/Release", bareroot_testkit::door::SUITE));
    run(bootstrap(&door, &out, &[])).failed(4, &["Release"]);
    assert_eq!(fs::read(&out).unwrap(), b"old");
    let other = crate::door();
    let elsewhere = other.path("out/a.tar");
    fs::write(&elsewhere, "old").unwrap();
    run(bootstrap(&other, &elsewhere, &[])).succeeded();
    assert!(listing(&unpacked(&elsewhere)).entries.len() > 40);
    for door in [door, other] {
        door.assert_beside_is(&["a.tar"]);
    }
}

fn bad_places() {
    let door = door();
    fs::create_dir(door.path("out/dir")).unwrap();
    let dir = door.path("out/dir");
    run(bootstrap(&door, &dir, &["--format", "tar"]))
        .failed(6, &["out/dir` is a directory, not a file", "hint: "]);
    run(bootstrap(&door, "/dev/null", &["--format", "tar"]))
        .failed(6, &["is a character device", "hint: write to"]);
    run(bootstrap(&door, "/proc/a.tar", &[])).failed(6, &["/proc"]);
    run(bootstrap(&door, door.keyring().join("a.tar"), &[])).failed(6, &["not a directory"]);
    assert_eq!(
        door.mirror.fetches().len(),
        0,
        "it is told before anything is fetched"
    );
    door.assert_beside_is(&["dir"]);
}

fn what_makes_no_sense() {
    let door = door();
    run(bootstrap(&door, "-", &["--json"])).failed(2, &["--json", "standard output"]);
    run(bootstrap(&door, "-", &["--format", "directory"]))
        .failed(2, &["standard output", "hint: --format tar"]);
    let run = run(bootstrap(&door, "a.zip", &["--format", "zip"])).ended_with(2);
    assert!(
        run.stderr.contains("directory, tar, tar.gz, tar.xz, tar.zst"),
        "{}",
        run.stderr
    );
    door.assert_nothing_left();
}
