use bareroot_testkit::door::{Door, signer};
use bareroot_testkit::harness::Case;
use bareroot_testkit::mirror::Fault;
use bareroot_testkit::{base, cases};

use crate::{door, over, repository};

pub const CASES: &[Case] = cases![
    Nothing: nothing_there, no_index_there, fails_once, fails_always, broken_off_once, broken_off_always, endless_release,
        endless_index, not_http, in_circles, hung_up, lies_about_its_length, offline_without_a_cache,
        says_nothing_more;
    Root: an_archive_is_gone, an_endless_archive, an_archive_in_pieces, an_archive_after_a_failure, a_lost_archive_elsewhere;
];

const IN_RELEASE: &str = "dists/tiny/InRelease";

#[track_caller]
fn fails(door: &Door, code: i32, words: &[&str]) {
    door.bootstrap(&[]).failed(code, words);
    door.assert_nothing_left();
}

fn nothing_there() {
    let door = door(&repository(&[]));
    for name in ["InRelease", "Release", "Release.gpg"] {
        door.mirror.remove(&format!("dists/tiny/{name}"));
    }
    fails(
        &door,
        4,
        &["dists/tiny/Release` does not exist", "hint: another mirror"],
    );
}

fn no_index_there() {
    let mut files = repository(&[]).files(Some(signer()));
    files.retain(|path, _| !path.contains("/binary-"));
    fails(
        &over(files, signer().certificate()),
        4,
        &["Packages", "does not exist"],
    );
}

fn fails_once() {
    let door = door(&repository(&[]));
    let map = "bareroot-mirror.toml";
    for (path, code) in [(map, 503), (IN_RELEASE, 500), (IN_RELEASE, 503)] {
        door.mirror.fault(path, 1, Fault::Status(code));
    }
    door.resolve(&[]).succeeded();
    assert_eq!((door.mirror.count(map), door.mirror.count(IN_RELEASE)), (2, 3));
}

fn fails_always() {
    let door = door(&repository(&[]));
    door.mirror.always(IN_RELEASE, Fault::Status(500));
    fails(&door, 4, &[IN_RELEASE, "the server says 500"]);
    assert!(
        (2..10).contains(&door.mirror.count(IN_RELEASE)),
        "{}",
        door.mirror.count(IN_RELEASE)
    );
}

fn broken_off_once() {
    let door = door(&repository(&[]));
    door.mirror.fault(IN_RELEASE, 1, Fault::Truncate(100));
    door.mirror.fault("*", 1, Fault::Hangup);
    door.resolve(&[]).succeeded();
}

fn broken_off_always() {
    let door = door(&repository(&[]));
    door.mirror.always(IN_RELEASE, Fault::Truncate(0));
    fails(&door, 4, &[IN_RELEASE]);
}

fn endless_release() {
    let door = door(&repository(&[]));
    door.mirror.always(IN_RELEASE, Fault::Endless);
    fails(&door, 5, &[IN_RELEASE, "too large"]);
}

fn endless_index() {
    let files = repository(&[]).files(Some(signer()));
    let indexes: Vec<String> = files
        .keys()
        .filter(|path| path.contains("/main/"))
        .cloned()
        .collect();
    let door = over(files, signer().certificate());
    for path in indexes {
        door.mirror.always(&path, Fault::Endless);
    }
    fails(&door, 5, &["Packages", "expected "]);
}

fn not_http() {
    let door = door(&repository(&[]));
    door.mirror
        .always(IN_RELEASE, Fault::Raw(b"220 mail.example ESMTP\r\n".to_vec()));
    fails(&door, 4, &[IN_RELEASE]);
}

fn in_circles() {
    let door = door(&repository(&[]));
    door.mirror
        .always(IN_RELEASE, Fault::Redirect(format!("/{IN_RELEASE}")));
    fails(&door, 4, &["redirect"]);
}

fn hung_up() {
    let door = door(&repository(&[]));
    door.mirror.always(IN_RELEASE, Fault::Hangup);
    fails(&door, 4, &[IN_RELEASE]);
    // The question for a map is the first one.
    door.mirror.always("*", Fault::Hangup);
    fails(&door, 4, &["bareroot-mirror.toml"]);
}

fn lies_about_its_length() {
    let door = door(&repository(&[]));
    door.mirror.always(IN_RELEASE, Fault::LieLength(10));
    let run = door.bootstrap(&[]);
    run.failed(4, &[IN_RELEASE]);
    door.assert_nothing_left();
}

fn offline_without_a_cache() {
    let door = door(&repository(&[]));
    door.bootstrap(&["--offline"])
        .failed(4, &["not in the cache", "hint: run it once without `--offline`"]);
    assert_eq!(door.mirror.requests().len(), 0);
    door.assert_nothing_left();
}

/// A repository with one more package, and the path of its archive.
fn hello() -> (Door, String) {
    let hello = base::package("hello", "1.0")
        .file("/usr/bin/hello", vec![7; 100_000])
        .compression(bareroot_testkit::Compression::None);
    (
        door(&repository(&[hello])),
        format!("pool/main/hello/hello_1.0_{}.deb", base::ARCH),
    )
}

fn an_archive_is_gone() {
    let (door, path) = hello();
    door.mirror.remove(&path);
    door.bootstrap(&["--include", "hello"])
        .failed(4, &[&path, "does not exist"]);
    door.assert_nothing_left();
}

fn an_endless_archive() {
    let (door, path) = hello();
    door.mirror.always(&path, Fault::Endless);
    door.bootstrap(&["--include", "hello"])
        .failed(5, &[&path, "expected "]);
    door.assert_nothing_left();
}

fn an_archive_in_pieces() {
    let (door, path) = hello();
    door.mirror.fault(&path, 2, Fault::Truncate(30_000));
    door.bootstrap(&["--include", "hello"]).succeeded();
    let ranges: Vec<_> = door
        .mirror
        .requests()
        .into_iter()
        .filter(|request| request.path == path)
        .collect();
    assert_eq!(ranges.len(), 3);
    assert_eq!(ranges[1].header("range"), Some("bytes=30000-"), "{ranges:?}");
}

fn an_archive_after_a_failure() {
    let (door, path) = hello();
    door.mirror.fault(&path, 1, Fault::Status(500));
    door.bootstrap(&["--include", "hello"]).succeeded();
    assert_eq!(door.mirror.count(&path), 2);
}

fn a_lost_archive_elsewhere() {
    let (door, path) = hello();
    let (other, _) = hello();
    door.mirror.always(&path, Fault::Status(404));
    door.bootstrap(&["--include", "hello", "--mirror", &other.mirror.url()])
        .succeeded();
    assert_eq!(other.mirror.count(&path), 1);
}

/// A server that stops in the middle of a file, every time: given up after the retries, each as long as `--timeout`.
fn says_nothing_more() {
    let door = door(&repository(&[]));
    door.mirror.always(IN_RELEASE, Fault::Stall(100));
    door.bootstrap(&["--timeout", "1"]).failed(4, &[IN_RELEASE]);
    door.assert_nothing_left();
    assert!(door.mirror.count(IN_RELEASE) >= 2);
}
