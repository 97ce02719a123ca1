use bareroot_testkit::door;
use bareroot_testkit::harness::Case;
use bareroot_testkit::rpm::{Item, Kind, RpmBuilder};
use bareroot_testkit::{cases, rpm_base};

use crate::Ground;

pub const CASES: &[Case] = cases![
    Nothing: unknown_package, unknown_group, excluded, unsatisfiable, in_conflict, no_releasever, no_repository, repo_file_that_is_none,
        repo_file_without_an_address, repo_file_that_means_harm, keys_that_do_not_end, an_unknown_variable, not_in_the_solution;
    Root: a_file_conflict, a_file_and_a_directory;
];

#[track_caller]
fn fails(packages: &[RpmBuilder], include: &str, words: &[&str]) {
    let ground = Ground::with(packages);
    ground.bootstrap(&["--include", include]).failed(3, words);
    ground.door.assert_nothing_left();
}

fn unknown_package() {
    fails(&[], "filesistem", &["no package matches `filesistem`"]);
}

fn unknown_group() {
    fails(&[], "@cor", &["no group or environment is called `@cor`", "core"]);
}

fn excluded() {
    let ground = Ground::with(&[]);
    ground
        .bootstrap(&["--include", "setup", "--exclude", "setup"])
        .failed(3, &["everything that matches `setup` is excluded"]);
    ground.door.assert_nothing_left();
}

fn unsatisfiable() {
    let a = rpm_base::package("a", "1-1").requires("b >= 2");
    let b = rpm_base::package("b", "1-1");
    fails(
        &[a, b],
        "a",
        &["the packages cannot be installed together", "a-1-1", "b >= 2"],
    );
}

fn in_conflict() {
    let a = rpm_base::package("a", "1-1").dependency(Kind::Conflicts, "b < 2", 0);
    let b = rpm_base::package("b", "1-1");
    fails(
        &[a, b],
        "a,b",
        &["the packages cannot be installed together", "a-1-1", "b-1-1"],
    );
}

/// A .repo file of the mirror with this text.
#[track_caller]
fn repo_file(text: &str, options: &[&str], code: i32, words: &[&str]) {
    let ground = Ground::with(&[]);
    let repo = ground.door.file("odd.repo", text.replace("URL", &ground.url()));
    let all = [&["--include", "setup"], options].concat();
    door::run(ground.command("bootstrap", &repo, &all)).failed(code, words);
    ground.door.assert_nothing_left();
}

fn no_releasever() {
    repo_file(
        "[a]\nbaseurl=URL/$releasever/\n",
        &[],
        2,
        &[
            "needs `$releasever`, which is not known",
            "hint: ",
            "--releasever",
        ],
    );
}

fn an_unknown_variable() {
    repo_file("[a]\nbaseurl=URL/$flavour/\n", &[], 2, &["`$flavour`"]);
}

fn no_repository() {
    repo_file(
        "[a]\nbaseurl=URL\nenabled=0\n",
        &[],
        2,
        &["no enabled repository"],
    );
}

fn repo_file_that_is_none() {
    repo_file(
        "this is no option\n",
        &[],
        2,
        &["odd.repo, line 1", "this is no option"],
    );
    repo_file(
        "[a\nbaseurl=URL\n",
        &[],
        2,
        &["odd.repo, line 1", "`]` is missing"],
    );
    repo_file(
        "[../a]\nbaseurl=URL\n",
        &[],
        2,
        &["odd.repo, line 1", "no repository id"],
    );
    repo_file(
        "[a]\nbaseurl=URL\ngpgcheck=maybe\n",
        &[],
        2,
        &["line 3", "gpgcheck is `maybe`"],
    );
    repo_file(
        "[a]\nbaseurl=URL\n[a]\nbaseurl=URL\n",
        &[],
        2,
        &["line 3", "there twice"],
    );
    repo_file("baseurl=URL\n", &[], 2, &["line 1", "before any section"]);
}

fn repo_file_without_an_address() {
    repo_file(
        "[a]\nname=x\n",
        &[],
        2,
        &["`a` has neither baseurl nor mirrorlist nor metalink"],
    );
}

fn repo_file_that_means_harm() {
    let ground = Ground::with(&[]);
    let long = "x".repeat(8 << 20);
    for text in [
        "[a\x1b[2J]\nbaseurl=x\n".to_owned(),
        "[a]\nbaseurl=\x1b]0;owned\x07\n".to_owned(),
        "[a]\nbaseurl=URL\ncost=\x1b[2J\n".to_owned(),
        "\x1b[2J\n".to_owned(),
        "\0\0\0[a]\0\n".to_owned(),
        format!("[{long}]\nbaseurl=x\n"),
        format!("[a]\nbaseurl={long}\n"),
        format!("[a]\nbaseurl=\n{}", " x\n".repeat(200_000)),
        "[a]\nbaseurl=../../etc\n".to_owned(),
        "[a]\nbaseurl=file:///proc/self/mem\n".to_owned(),
        "[a]\nbaseurl=URL/${${a}}/$$/${\n".to_owned(),
        "[a]\nbaseurl=URL\npriority=99999999999999999999\n".to_owned(),
    ] {
        let repo = ground.door.file("odd.repo", text.replace("URL", &ground.url()));
        let run = door::run(ground.command("resolve", &repo, &["--include", "setup"]));
        let start: String = text.chars().take(60).collect();
        assert!(matches!(run.code, Some(2 | 4)), "{start:?}: {:?}", run.code);
        assert!(!run.stderr.contains("panicked"), "{start:?}");
        assert!(
            !run.stderr.contains(['\x1b', '\x07', '\0']),
            "{start:?}: {:?}",
            run.stderr
        );
    }
}

/// Keys are fetched before anything is verified.
fn keys_that_do_not_end() {
    use bareroot_testkit::mirror::Fault;
    let ground = Ground::with(&[]);
    ground.door.mirror.put("key", "x");
    ground.door.mirror.always("key", Fault::Endless);
    for key in [
        format!("{}/key", ground.door.mirror.url()),
        "file:///dev/zero".to_owned(),
    ] {
        let text = format!("[a]\nbaseurl={}\ngpgkey={key}\n", ground.url());
        let repo = ground.door.file("key.repo", text);
        let mut command = ground
            .door
            .command(["resolve", "--no-cache", "--include", "setup", "--repo"]);
        command.arg(repo);
        let run = door::run(command);
        assert!(matches!(run.code, Some(4..=6)), "{key}: {run:?}");
    }
}

fn not_in_the_solution() {
    let ground = Ground::with(&[]);
    ground
        .resolve(&["--include", "setup", "--why", "filesystem"])
        .failed(2, &["`filesystem` is not part of the solution"]);
}

#[track_caller]
fn conflict(one: RpmBuilder, other: RpmBuilder, words: &[&str]) {
    for variant in ["extract", "minbase"] {
        let ground = Ground::with(&[one.clone(), other.clone()]);
        ground
            .bootstrap(&["--include", "one,other", "--variant", variant])
            .failed(3, words);
        ground.door.assert_nothing_left();
    }
}

fn a_file_conflict() {
    let rpm = |name, content| rpm_base::package(name, "1-1").file("/usr/share/same", content);
    conflict(
        rpm("one", "1"),
        rpm("other", "2"),
        &["`/usr/share/same` is in ", "one-1-1", "other-1-1"],
    );
    let mode =
        |name, mode| rpm_base::package(name, "1-1").item(Item::file("/usr/share/same", "x").mode(mode));
    conflict(
        mode("one", 0o644),
        mode("other", 0o600),
        &["`/usr/share/same`", "one-1-1", "other-1-1"],
    );
    // Through a link that a third package brings it is the same path.
    let through = rpm_base::package("other", "1-1")
        .file("/bin/same", "2")
        .requires("filesystem");
    conflict(
        rpm_base::package("one", "1-1")
            .file("/usr/bin/same", "1")
            .requires("filesystem"),
        through,
        &["same", "one-1-1", "other-1-1"],
    );
}

fn a_file_and_a_directory() {
    let one = rpm_base::package("one", "1-1").file("/usr/share/same", "1");
    let other = rpm_base::package("other", "1-1").directory("/usr/share/same");
    let ground = Ground::with(&[one, other]);
    ground
        .bootstrap(&["--include", "one,other", "--variant", "extract"])
        .failed(3, &["/usr/share/same", "one", "other"]);
    ground.door.assert_nothing_left();
}
