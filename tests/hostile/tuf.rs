//! The attacks on repositories of The Update Framework's list, on Debian's: by whoever answers for a mirror and has no key,
//! and by whoever has an old state that was signed.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bareroot_testkit::harness::Case;
use bareroot_testkit::keys::Key;
use bareroot_testkit::mirror::Fault;
use bareroot_testkit::{base, cases};

use crate::site::{Files, IN_RELEASE, Site, deb, hello, packages_of, repository, signed, signed_anew, suite};

pub const CASES: &[Case] = cases![
    Nothing: arbitrary_install_by_another_key, extraneous_dependency, fast_forward, freeze, slow_retrieval_of_an_index,
        an_unsigned_release_is_no_way_around, a_release_that_is_not_signed_at_all, a_keyring_that_is_missing,
        sizes_that_are_lies, two_digests_for_one_path;
    Root: arbitrary_install_of_another_signed_package, same_size_other_bytes, slow_retrieval_of_a_package;
];

const DAY: i64 = 86_400;

fn now() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |now| now.as_secs() as i64)
}

fn arbitrary_install_by_another_key() {
    let site = Site::over(repository(&[hello("6.66")]).files(Some(&Key::new(66))));
    site.refused(
        5,
        &["no key of the keyring has signed", &Key::new(66).fingerprint()],
    );
    assert_eq!(site.mirror().count(&packages_of("tiny", "main", base::ARCH)), 0);
}

/// The mirror answers for one package with another one, which is signed as well.
fn arbitrary_install_of_another_signed_package() {
    let evil = base::package("evil", "1").file("/usr/share/hello", "dead");
    let mut files = signed(&repository(&[hello("1.0"), evil]));
    let other = files[&deb("evil", "1")].clone();
    files.insert(deb("hello", "1.0"), other);
    Site::over(files).refused(5, &[&deb("hello", "1.0"), "is not what its index promises"]);
}

fn same_size_other_bytes() {
    let mut files = signed(&repository(&[hello("1.0")]));
    let bytes = files.get_mut(&deb("hello", "1.0")).expect("hello");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    let site = Site::over(files);
    let words = [&deb("hello", "1.0"), "wrong SHA-256: expected ", ", found "];
    site.refused(5, &words);
    // Nor is it in the cache for the next run.
    site.refused(5, &words);
}

/// The mirror writes into an index that a package needs another one.
fn extraneous_dependency() {
    let evil = base::package("evil", "1");
    let honest = repository(&[hello("1.0"), evil]);
    let mut altered = honest.clone();
    altered.packages_mut()[0].stanza += "Depends: evil\n";
    let mut files = signed(&honest);
    let index = packages_of("tiny", "main", base::ARCH);
    let lie = signed(&altered)[&index].clone();
    assert_ne!(files.insert(index, lie.clone()), Some(lie));
    Site::over(files).refused(5, &["Packages", "is not what its index promises"]);
}

/// A release of the far future would make every later one look old.
fn fast_forward() {
    let future = bareroot_testkit::repo::Suite {
        date: Some(now() + 3650 * DAY),
        ..suite("tiny")
    };
    let honest = signed(&repository(&[hello("1.0")]));
    let mut ahead = repository(&[hello("1.0")]);
    ahead.suites_mut()[0] = future;
    let ahead = signed(&ahead);
    let site = Site::over(ahead.clone());
    site.refused(5, &["future", "tiny"]);
    // It is not remembered: the honest mirror is as good as ever.
    site.publish(&ahead, &honest);
    let run = site.resolve(&[]).succeeded();
    assert!(!run.stderr.contains("warning"), "{}", run.stderr);
}

/// An old state for ever: it says itself how long it counts.
fn freeze() {
    let mut old = repository(&[hello("1.0")]);
    old.suites_mut()[0].date = Some(now() - 9 * DAY);
    old.suites_mut()[0].valid_until = Some(now() - 2 * DAY);
    Site::new(&old).refused(5, &["expired", "tiny", "hint: ", "--no-check-valid-until"]);
}

/// A server that sends a little now and then, for ever.
#[track_caller]
fn trickles(path: &str) {
    let site = Site::new(&repository(&[hello("1.0")]));
    site.mirror()
        .always(path, Fault::Slow(8, Duration::from_millis(100)));
    let begin = Instant::now();
    let run = site.bootstrap(&["--timeout", "1"]);
    run.failed(4, &[path, "stalled for 1 s"]);
    // Four attempts of a second, and the pauses between them.
    assert!(begin.elapsed() < Duration::from_secs(30), "{:?}", begin.elapsed());
}

fn slow_retrieval_of_an_index() {
    trickles(IN_RELEASE);
}

fn slow_retrieval_of_a_package() {
    trickles(&deb("hello", "1.0"));
}

/// debootstrap went on without a signature where there was none to be had.
fn an_unsigned_release_is_no_way_around() {
    let mut files = signed(&repository(&[hello("1.0")]));
    files.remove(IN_RELEASE);
    files.remove("dists/tiny/Release.gpg");
    let site = Site::over(files);
    site.refused(5, &["carries no signature", "hint: `--allow-unauthenticated`"]);
    assert_eq!(site.mirror().count(&packages_of("tiny", "main", base::ARCH)), 0);
    // An empty one is none either.
    site.mirror().put("dists/tiny/Release.gpg", "");
    site.refused(5, &["carries no signature"]);
}

fn a_release_that_is_not_signed_at_all() {
    let files = repository(&[hello("1.0")]).files(None);
    let site = Site::over(files.clone());
    site.refused(5, &["carries no signature"]);
    // Signed as a file of its own, it still is no InRelease.
    let honest = signed(&repository(&[hello("1.0")]));
    let mut files = honest.clone();
    files.insert(IN_RELEASE.into(), honest["dists/tiny/Release"].clone());
    site.publish(&honest, &files);
    site.refused(5, &["carries no signature"]);
}

/// A keyring that is not there is an error, and no reason to look for another one.
fn a_keyring_that_is_missing() {
    let site = Site::new(&repository(&[hello("1.0")]));
    std::fs::remove_file(site.door().keyring()).expect("the keyring was there");
    site.refused(2, &["cannot read keyring", "keyring.pgp"]);
    assert_eq!(site.mirror().fetches(), []);
    site.door().file("keyring.pgp", Key::new(7).certificate());
    site.refused(5, &["no key of the keyring has signed"]);
}

/// Changes the line of Release's list about the index: digest, size, path.
fn listed(change: impl Fn(&str, &str, &str) -> String) -> Files {
    let mut files = signed(&repository(&[hello("1.0")]));
    signed_anew(&mut files, |text| {
        let (before, list) = text.split_once("SHA256:\n").expect("a list");
        let lines = list.lines().map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            change(words[0], words[1], words[2])
        });
        // The weaker list would say something else.
        let (before, _) = before.split_once("MD5Sum:\n").expect("a list");
        format!("{before}SHA256:\n{}", lines.collect::<String>())
    });
    files
}

/// Whoever signs may be wrong about a size as well: it is a limit that holds both ways.
fn sizes_that_are_lies() {
    for size in ["0", "1", "18446744073709551615", "99999999999999999999999", "-1"] {
        let files = listed(|digest, _, path| format!(" {digest} {size} {path}\n"));
        Site::over(files).refused(5, &["tiny"]);
    }
    let longer = listed(|digest, size, path| {
        format!(" {digest} {} {path}\n", size.parse::<u64>().expect("a size") + 1)
    });
    Site::over(longer).refused(5, &["Packages.gz", "expected "]);
}

fn two_digests_for_one_path() {
    let other = "0".repeat(64);
    for turned in [false, true] {
        let files = listed(|digest, size, path| {
            let mut lines = [
                format!(" {digest} {size} {path}\n"),
                format!(" {other} {size} {path}\n"),
            ];
            if turned {
                lines.reverse();
            }
            lines.concat()
        });
        Site::over(files).refused(5, &["says something else than another line about the same path"]);
    }
}
