//! The update repository of openSUSE 11.0 as it was in 2008: signed with DSA and SHA-1 by a key that expired in 2010, with SHA-1
//! digests. The real binary reads it from files.

use std::fs;
use std::path::Path;

use bareroot_testkit::cases;
use bareroot_testkit::door::{Door, Run, run};
use bareroot_testkit::harness::Case;

pub const CASES: &[Case] = cases![
    Nothing: is_refused, is_accepted_by_its_key, is_refused_by_another_key, is_held_against_its_digests, is_held_against_its_signature;
];

const KEY: &str = "79C179B2E1C820C1890F9994A84EDAE89C800ACA";

/// A package of the repository for every architecture, which requires nothing that the repository has not.
const PACKAGE: &str = "kernel-docs";

/// The repository in files, and a .repo file that has its key.
fn repository() -> Door {
    let door = crate::over(Default::default(), b"");
    fs::create_dir_all(door.path("old/repodata")).unwrap();
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/opensuse-11.0-update");
    for name in ["repomd.xml", "repomd.xml.asc", "repomd.xml.key", "primary.xml.gz"] {
        door.file(
            &format!("old/repodata/{name}"),
            fs::read(fixture.join(name)).unwrap(),
        );
    }
    let url = format!("file://{}", door.path("old").display());
    door.file(
        "old.repo",
        format!(
            "[update]\nname=Updates of openSUSE 11.0\nbaseurl={url}\nrepo_gpgcheck=1\ngpgcheck=1\n\
             gpgkey={url}/repodata/repomd.xml.key\n"
        ),
    );
    door
}

fn resolve(door: &Door, options: &[&str]) -> Run {
    let words = [
        "resolve",
        "--repo",
        "old.repo",
        "--releasever",
        "11.0",
        "--include",
        PACKAGE,
    ];
    run(door.command(words.iter().chain(options)))
}

fn is_refused() {
    let hint = format!("--allow-weak-key {KEY}");
    resolve(&repository(), &[]).failed(5, &["repomd.xml of update", KEY, "SHA1", &hint]);
}

fn is_accepted_by_its_key() {
    let run = resolve(&repository(), &["--allow-weak-key", KEY]).succeeded();
    assert!(run.stdout.starts_with(PACKAGE), "{}", run.stdout);
}

fn is_refused_by_another_key() {
    let other = KEY.replace('7', "8");
    resolve(&repository(), &["--allow-weak-key", &other]).failed(5, &["repomd.xml of update", KEY]);
}

fn is_held_against_its_digests() {
    let door = repository();
    let mut primary = fs::read(door.path("old/repodata/primary.xml.gz")).unwrap();
    *primary.last_mut().unwrap() ^= 1;
    door.file("old/repodata/primary.xml.gz", primary);
    resolve(&door, &["--allow-weak-key", KEY]).failed(5, &["primary.xml.gz", "SHA-1"]);
}

fn is_held_against_its_signature() {
    let door = repository();
    let repomd = fs::read_to_string(door.path("old/repodata/repomd.xml")).unwrap();
    door.file(
        "old/repodata/repomd.xml",
        repomd.replace("1224755528", "1224755529"),
    );
    resolve(&door, &["--allow-weak-key", KEY]).failed(5, &["repomd.xml of update", "bad signature"]);
}
