//! Mix and match: files that are signed, each of them, and do not belong together.

use std::fs;

use bareroot_testkit::cases;
use bareroot_testkit::door::SUITE;
use bareroot_testkit::harness::Case;
use bareroot_testkit::mirror::Mirror;
use bareroot_testkit::repo::{RepoBuilder, Suite};
use bareroot_testkit::{Compression, base};

use crate::site::{Files, IN_RELEASE, Site, deb, hello, packages_of, repository, signed, suite};

pub const CASES: &[Case] = cases![
    Nothing: a_release_of_another_suite, a_release_of_another_codename, an_index_of_another_component,
        an_index_of_another_architecture, a_component_that_is_not_there, an_index_of_another_suite,
        an_old_index_behind_by_hash, an_old_index_behind_both_names, signature_and_text_of_two_releases;
    Root: one_version_of_two_repositories, a_mirror_with_other_bytes_of_the_same_version;
];

/// Two suites of one archive, by one key.
fn two_suites() -> Files {
    let other = suite("other");
    let repository = RepoBuilder::new()
        .suite(suite(SUITE))
        .suite(other)
        .package(SUITE, "main", &hello("1.0"))
        .package("other", "main", &hello("6.66"));
    signed(&repository)
}

fn a_release_of_another_suite() {
    let mut files = two_suites();
    for name in ["InRelease", "Release", "Release.gpg"] {
        let other = files[&format!("dists/other/{name}")].clone();
        files.insert(format!("dists/tiny/{name}"), other);
    }
    let site = Site::over(files);
    site.refused(5, &["`tiny`", "other"]);
    site.mirror().remove(IN_RELEASE);
    site.refused(5, &["`tiny`", "other"]);
}

fn a_release_of_another_codename() {
    let moved = Suite {
        suite: Some("stable".into()),
        codename: Some("bullseye".into()),
        ..suite(SUITE)
    };
    let repository = RepoBuilder::new()
        .suite(moved)
        .package(SUITE, "main", &hello("1.0"));
    Site::new(&repository).refused(5, &["`tiny`", "stable", "bullseye"]);
}

fn an_index_of_another_suite() {
    let mut files = two_suites();
    let other = files[&packages_of("other", "main", base::ARCH)].clone();
    files.insert(packages_of("tiny", "main", base::ARCH), other);
    Site::over(files).refused(5, &["Packages.gz", "is not what its index promises"]);
}

/// Two components and two architectures.
fn wide() -> Files {
    let wide = Suite {
        components: vec!["main".into(), "contrib".into()],
        architectures: vec![base::ARCH.into(), "riscv64".into()],
        ..suite(SUITE)
    };
    let foreign = bareroot_testkit::deb::DebBuilder::new("hello", "6.66", "riscv64");
    let repository = RepoBuilder::new()
        .suite(wide)
        .package(SUITE, "main", &hello("1.0"))
        .package(SUITE, "contrib", &hello("6.66"))
        .package(SUITE, "main", &foreign);
    signed(&repository)
}

#[track_caller]
fn swapped(from: &str, to: &str) {
    let mut files = wide();
    let other = files[from].clone();
    assert_ne!(files.insert(to.into(), other.clone()), Some(other));
    Site::over(files).refused(5, &["Packages.gz", "is not what its index promises"]);
}

fn an_index_of_another_component() {
    swapped(
        &packages_of("tiny", "contrib", base::ARCH),
        &packages_of("tiny", "main", base::ARCH),
    );
}

fn an_index_of_another_architecture() {
    swapped(
        &packages_of("tiny", "main", "riscv64"),
        &packages_of("tiny", "main", base::ARCH),
    );
}

/// The mirror has an index at the component's place, and no signed file speaks of it.
fn a_component_that_is_not_there() {
    let mut files = signed(&repository(&[hello("1.0")]));
    let lie = wide()[&packages_of("tiny", "contrib", base::ARCH)].clone();
    let place = packages_of("tiny", "contrib", base::ARCH);
    files.insert(place.clone(), lie);
    let site = Site::over(files);
    site.bootstrap(&["--components", "main,contrib"])
        .failed(4, &["no package index for `contrib`"]);
    assert_eq!(site.mirror().count(&place), 0);
}

/// A repository whose index has a name by its digest too.
fn with_by_hash(version: &str) -> (Files, String) {
    let by_hash = Suite {
        by_hash: true,
        compressions: vec![Compression::Gzip],
        digests: vec!["SHA256"],
        ..suite(SUITE)
    };
    let repository = RepoBuilder::new()
        .suite(by_hash)
        .package(SUITE, "main", &hello(version));
    let files = signed(&repository);
    let name = files
        .keys()
        .find(|path| path.contains("/by-hash/SHA256/"))
        .expect("a name by the digest")
        .clone();
    (files, name)
}

/// An old index at one of its names is passed over for the right one at the other.
fn an_old_index_behind_by_hash() {
    let (files, name) = with_by_hash("2.0");
    let (old, former) = with_by_hash("1.0");
    let plain = packages_of("tiny", "main", base::ARCH);
    for place in [&name, &plain] {
        let mut mixed = files.clone();
        mixed.insert(place.clone(), old[&former].clone());
        let run = Site::over(mixed).resolve(&[]).succeeded();
        assert!(
            run.stdout.contains("2.0") && !run.stdout.contains("1.0"),
            "{place}: {}",
            run.stdout
        );
    }
}

fn an_old_index_behind_both_names() {
    let (mut files, name) = with_by_hash("2.0");
    let (old, former) = with_by_hash("1.0");
    for place in [name, packages_of("tiny", "main", base::ARCH)] {
        files.insert(place, old[&former].clone());
    }
    Site::over(files).refused(5, &["Packages.gz", "is not what its index promises"]);
}

/// Release of one moment, Release.gpg of another.
fn signature_and_text_of_two_releases() {
    let mut files = signed(&repository(&[hello("2.0")]));
    let old = signed(&repository(&[hello("1.0")]));
    files.remove(IN_RELEASE);
    files.insert("dists/tiny/Release".into(), old["dists/tiny/Release"].clone());
    Site::over(files).refused(5, &["bad signature"]);
}

/// Two packages of one name and version that are not the same.
fn two() -> [Files; 2] {
    ["one", "other"].map(|content| {
        let hello = base::package("hello", "1.0").file("/usr/share/hello", content);
        signed(&repository(&[hello]))
    })
}

/// Each is fetched from its own repository, and held against what that one says.
fn one_version_of_two_repositories() {
    let [first, second] = two();
    let site = Site::over(first.clone());
    let other = Mirror::serve(second.clone()).expect("a listening socket");
    let entry = |url: String| format!("deb {url} tiny main");
    let bootstrap = |site: &Site| {
        let mut command = site.door().command(["bootstrap", "debian:tiny"]);
        command.args(["--mirror", &entry(site.url()), "--mirror", &entry(other.url())]);
        command.args(["--variant", "extract", "--include", "hello", "--no-host-files"]);
        command.arg("--keyring").arg(site.door().keyring());
        command.arg("--cache-dir").arg(site.door().path("cache"));
        command.arg(site.door().target());
        site.run(command)
    };
    bootstrap(&site).succeeded();
    assert_eq!(site.said(), "one");
    site.clear();
    fs::remove_dir_all(site.door().path("cache")).expect("a cache");
    // The first gives the other's: nothing says that this will do.
    let path = deb("hello", "1.0");
    site.mirror().put(path.as_str(), second[&path].clone());
    bootstrap(&site).failed(5, &[&path, "is not what its index promises"]);
}

/// A fallback that has other bytes is none.
fn a_mirror_with_other_bytes_of_the_same_version() {
    let [first, second] = two();
    let site = Site::over(first);
    let other = Mirror::serve(second).expect("a listening socket");
    let path = deb("hello", "1.0");
    site.mirror().remove(&path);
    site.bootstrap(&["--mirror", &other.url()])
        .failed(5, &[&path, "is not what its index promises"]);
    assert_eq!(other.count(&path), 1);
}
