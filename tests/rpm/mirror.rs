use bareroot_testkit::door::{self, signer};
use bareroot_testkit::harness::Case;
use bareroot_testkit::mirror::Fault;
use bareroot_testkit::rpm_repo::metalink;
use bareroot_testkit::{Compression, cases, rpm_base};

use crate::{Ground, REPO, repository};

pub const CASES: &[Case] = cases![
    Nothing: nothing_there, no_primary_there, fails_once, fails_always, broken_off_always, endless_repomd, endless_primary, hung_up,
        lies_about_its_length, says_nothing_more, a_metalink_that_is_gone, a_mirrorlist_that_is_empty, the_next_mirror_of_a_list, offline_without_a_cache;
    Root: a_package_is_gone, an_endless_package, a_package_in_pieces, a_package_that_stalls, a_server_that_goes_away,
        a_lost_package_elsewhere;
];

const REPOMD: &str = "repo/repodata/repomd.xml";
const PACKAGE: &str = "repo/Packages/hello-1.0-1.";

#[track_caller]
fn fails(ground: &Ground, options: &[&str], code: i32, words: &[&str]) {
    let all = [&["--include", "setup", "--variant", "extract"], options].concat();
    ground.bootstrap(&all).failed(code, words);
    ground.door.assert_nothing_left();
}

fn ground() -> Ground {
    Ground::with(&[])
}

fn nothing_there() {
    let ground = ground();
    ground.door.mirror.remove(REPOMD);
    fails(&ground, &[], 4, &[REPOMD, "does not exist"]);
}

fn no_primary_there() {
    let mut files = repository(&[]).files(REPO, Some(signer()));
    files.retain(|path, _| !path.contains("-primary."));
    fails(
        &Ground::over(files),
        &[],
        4,
        &["primary.xml.gz", "does not exist"],
    );
}

fn fails_once() {
    let ground = ground();
    ground.door.mirror.fault(REPOMD, 1, Fault::Status(500));
    ground.door.mirror.fault("*", 1, Fault::Hangup);
    ground.resolve(&["--include", "setup"]).succeeded();
}

fn fails_always() {
    let ground = ground();
    ground.door.mirror.always(REPOMD, Fault::Status(500));
    fails(&ground, &[], 4, &[REPOMD, "the server says 500"]);
    assert!((2..10).contains(&ground.door.mirror.count(REPOMD)));
}

fn broken_off_always() {
    let ground = ground();
    ground.door.mirror.always(REPOMD, Fault::Truncate(100));
    fails(&ground, &[], 4, &[REPOMD]);
}

fn endless_repomd() {
    let ground = ground();
    ground.door.mirror.always(REPOMD, Fault::Endless);
    fails(&ground, &[], 5, &[REPOMD, "too large"]);
}

fn endless_primary() {
    let files = repository(&[]).files(REPO, Some(signer()));
    let primary = files.keys().find(|path| path.contains("-primary.")).cloned();
    let ground = Ground::over(files);
    ground
        .door
        .mirror
        .always(&primary.expect("it is there"), Fault::Endless);
    fails(&ground, &[], 5, &["primary.xml.gz", "expected "]);
}

fn hung_up() {
    let ground = ground();
    ground.door.mirror.always("*", Fault::Hangup);
    fails(&ground, &[], 4, &[REPOMD]);
}

fn lies_about_its_length() {
    let ground = ground();
    ground.door.mirror.always(REPOMD, Fault::LieLength(10));
    fails(&ground, &[], 4, &[REPOMD]);
}

fn says_nothing_more() {
    let ground = ground();
    ground.door.mirror.always(REPOMD, Fault::Stall(100));
    fails(&ground, &["--timeout", "1"], 4, &[REPOMD]);
    assert!(ground.door.mirror.count(REPOMD) >= 2);
}

/// Resolves with a .repo file of this text.
#[track_caller]
fn resolved(ground: &Ground, text: &str) -> door::Run {
    let repo = ground
        .door
        .file("list.repo", text.replace("URL", &ground.door.mirror.url()));
    door::run(ground.command("resolve", &repo, &["--include", "setup"]))
}

fn a_metalink_that_is_gone() {
    resolved(&ground(), "[a]\nmetalink=URL/metalink\n").failed(4, &["/metalink", "does not exist"]);
    let ground = ground();
    ground.door.mirror.put("metalink", "<html>moved</html>");
    resolved(&ground, "[a]\nmetalink=URL/metalink\n").failed(5, &["/metalink", "is malformed"]);
}

fn a_mirrorlist_that_is_empty() {
    let ground = ground();
    ground.door.mirror.put("list", "# no mirrors today\n");
    resolved(&ground, "[a]\nmirrorlist=URL/list\n").failed(4, &["`a` has no mirrors"]);
}

fn the_next_mirror_of_a_list() {
    let ground = ground();
    let url = ground.door.mirror.url();
    ground
        .door
        .mirror
        .put("list", format!("# two\n{url}/gone/\n{url}/repo\n"));
    resolved(&ground, "[a]\nmirrorlist=URL/list\n").succeeded();
    assert!(ground.door.mirror.count("gone/repodata/repomd.xml") > 0);
    // A list that is a metalink is one.
    let files = repository(&[]).files(REPO, Some(signer()));
    let text = metalink(&[format!("{url}/gone"), format!("{url}/repo")], &[&files[REPOMD]]);
    ground.door.mirror.put("list", text);
    resolved(&ground, "[a]\nmirrorlist=URL/list\n").succeeded();
}

fn offline_without_a_cache() {
    let ground = ground();
    fails(
        &ground,
        &["--offline"],
        4,
        &["not in the cache", "hint: run it once without `--offline`"],
    );
    assert_eq!(ground.door.mirror.requests().len(), 0);
}

/// A mirror with one more package, and the path of its file.
fn hello() -> (Ground, String) {
    let hello = rpm_base::package("hello", "1.0-1")
        .file("/usr/share/hello", vec![7; 100_000])
        .compression(Compression::None);
    let path = format!("{PACKAGE}{}.rpm", rpm_base::ARCH);
    (Ground::with(&[hello]), path)
}

const HELLO: &[&str] = &["--include", "hello", "--variant", "extract"];

fn a_package_is_gone() {
    let (ground, path) = hello();
    ground.door.mirror.remove(&path);
    ground.bootstrap(HELLO).failed(4, &[&path, "does not exist"]);
    ground.door.assert_nothing_left();
}

fn an_endless_package() {
    let (ground, path) = hello();
    ground.door.mirror.always(&path, Fault::Endless);
    ground.bootstrap(HELLO).failed(5, &[&path, "expected "]);
    ground.door.assert_nothing_left();
}

fn a_package_in_pieces() {
    let (ground, path) = hello();
    ground.door.mirror.fault(&path, 2, Fault::Truncate(30_000));
    ground.bootstrap(HELLO).succeeded();
    let requests = ground.door.mirror.requests();
    let own: Vec<_> = requests.iter().filter(|request| request.path == path).collect();
    assert_eq!(own.len(), 3);
    assert_eq!(own[1].header("range"), Some("bytes=30000-"), "{own:?}");
}

fn a_package_that_stalls() {
    let (ground, path) = hello();
    ground.door.mirror.always(&path, Fault::Stall(1000));
    ground
        .bootstrap(&[HELLO, &["--timeout", "1"]].concat())
        .failed(4, &[&path]);
    ground.door.assert_nothing_left();
}

fn a_server_that_goes_away() {
    let (ground, path) = hello();
    ground.door.mirror.fault(&path, 1, Fault::Truncate(30_000));
    ground.door.mirror.always(&path, Fault::Hangup);
    ground.bootstrap(HELLO).failed(4, &[&path]);
    ground.door.assert_nothing_left();
}

fn a_lost_package_elsewhere() {
    let (ground, path) = hello();
    let (other, _) = hello();
    ground.door.mirror.always(&path, Fault::Status(404));
    let text = format!(
        "[tiny]\nbaseurl={} {}\nrepo_gpgcheck=1\n",
        ground.url(),
        other.url()
    );
    let repo = ground.door.file("two.repo", text);
    door::run(ground.command("bootstrap", &repo, HELLO)).succeeded();
    assert_eq!(other.door.mirror.count(&path), 1);
}
