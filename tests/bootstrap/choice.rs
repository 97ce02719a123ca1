use bareroot_testkit::deb::DebBuilder;
use bareroot_testkit::door::{Door, SUITE};
use bareroot_testkit::harness::Case;
use bareroot_testkit::repo::{RepoBuilder, Suite};
use bareroot_testkit::{base, cases};

use crate::{door, installed, repository, text};

pub const CASES: &[Case] = cases![
    Nothing: versions, suites, priorities_of_sources, left_out, not_wished, recommends, another_architecture, why,
        resolve_touches_nothing;
    Root: a_version_in_the_root, marks_of_apt, another_architecture_in_the_root,
];

/// `name version` of every package but the base.
#[track_caller]
fn chosen(door: &Door, options: &[&str]) -> Vec<String> {
    let run = door.resolve(options).succeeded();
    let mut lines: Vec<&str> = run.stdout.lines().collect();
    lines.pop();
    let mut found: Vec<String> = lines
        .iter()
        .map(|line| line.split_whitespace().take(2).collect::<Vec<_>>().join(" "))
        .filter(|line| {
            !["apt ", "base-files ", "base-passwd ", "dpkg "]
                .iter()
                .any(|name| line.starts_with(name))
        })
        .collect();
    found.sort();
    found
}

/// Three suites: tiny, tiny-updates with a newer hello, and tiny-backports, which is not automatic, with a newer one.
fn three_suites() -> Door {
    let backports = Suite {
        fields: vec![
            ("NotAutomatic".into(), "yes".into()),
            ("ButAutomaticUpgrades".into(), "yes".into()),
        ],
        ..base::suite("tiny-backports")
    };
    let suites = RepoBuilder::new()
        .suite(base::suite(SUITE))
        .suite(base::suite("tiny-updates"))
        .suite(backports);
    let repository = base::with_base(suites, SUITE)
        .package(
            SUITE,
            "main",
            &base::package("hello", "1.0").field("Depends", "libhello"),
        )
        .package(SUITE, "main", &base::package("libhello", "1.0"))
        .package(
            "tiny-updates",
            "main",
            &base::package("hello", "1.1").field("Depends", "libhello"),
        )
        .package(
            "tiny-backports",
            "main",
            &base::package("hello", "2.0").field("Depends", "libhello (>= 2)"),
        )
        .package("tiny-backports", "main", &base::package("libhello", "2.0"))
        .package("tiny-backports", "main", &base::package("only-here", "2.0"));
    door(&repository)
}

#[track_caller]
fn of_three(door: &Door, include: &str) -> Vec<String> {
    let entry = |suite: &str| format!("deb {} {suite} main", door.mirror.url());
    let options = [
        "--mirror",
        &entry("tiny-updates"),
        "--mirror",
        &entry("tiny-backports"),
        "--include",
        include,
    ];
    chosen(door, &options)
}

fn versions() {
    let door = three_suites();
    assert_eq!(of_three(&door, "hello=1.0"), ["hello 1.0", "libhello 1.0"]);
    assert_eq!(of_three(&door, "hello=1.1"), ["hello 1.1", "libhello 1.0"]);
    door.resolve(&["--include", "hello=9"]).failed(3, &["hello", "9"]);
}

fn suites() {
    let door = three_suites();
    assert_eq!(of_three(&door, "hello/tiny"), ["hello 1.0", "libhello 1.0"]);
    assert_eq!(
        of_three(&door, "hello/tiny-backports"),
        ["hello 2.0", "libhello 2.0"]
    );
    door.resolve(&["--include", "hello/nowhere"])
        .failed(3, &["hello", "nowhere"]);
}

fn priorities_of_sources() {
    let door = three_suites();
    // The newest of those that are automatic; what only backports have is had from there.
    assert_eq!(of_three(&door, "hello"), ["hello 1.1", "libhello 1.0"]);
    assert_eq!(of_three(&door, "only-here"), ["only-here 2.0"]);
}

fn mailers() -> RepoBuilder {
    repository(&[
        base::package("news", "1")
            .field("Depends", "exim | mailer")
            .field("Recommends", "reader"),
        base::package("exim", "1").field("Provides", "mailer"),
        base::package("postfix", "1").field("Provides", "mailer"),
        base::package("reader", "1"),
        base::package("lone", "1").field("Depends", "exim"),
    ])
}

fn left_out() {
    let door = door(&mailers());
    assert_eq!(chosen(&door, &["--include", "news"]), ["exim 1", "news 1"]);
    assert_eq!(
        chosen(&door, &["--include", "news,exim-"]),
        ["news 1", "postfix 1"]
    );
    assert_eq!(
        chosen(&door, &["--include", "news,postfix"]),
        ["news 1", "postfix 1"]
    );
}

fn not_wished() {
    let door = door(&mailers());
    assert_eq!(
        chosen(&door, &["--include", "news", "--exclude", "exim"]),
        ["news 1", "postfix 1"]
    );
    door.resolve(&["--include", "lone", "--exclude", "exim"])
        .failed(3, &["lone", "exim"]);
}

fn recommends() {
    let door = door(&mailers());
    assert_eq!(
        chosen(&door, &["--include", "news", "--recommends"]),
        ["exim 1", "news 1", "reader 1"]
    );
    assert_eq!(
        chosen(&door, &["--include", "news", "--recommends", "--no-recommends"]),
        ["exim 1", "news 1"]
    );
    assert_eq!(
        chosen(
            &door,
            &["--include", "news", "--recommends", "--exclude", "reader"]
        ),
        ["exim 1", "news 1"]
    );
}

/// A library of two architectures, and a program of the foreign one.
fn two_architectures() -> Door {
    let suite = Suite {
        architectures: vec!["amd64".into(), "i386".into()],
        ..base::suite(SUITE)
    };
    let same = |arch: &str| {
        DebBuilder::new("libold", "1", arch)
            .field("Multi-Arch", "same")
            .file("/usr/share/doc/libold/copyright", "c")
            .file(&format!("/usr/lib/{arch}/libold.so"), arch)
    };
    let game = DebBuilder::new("game", "1", "i386").field("Depends", "libold");
    let repository = base::with_base(RepoBuilder::new().suite(suite), SUITE)
        .package(SUITE, "main", &same("amd64"))
        .package(SUITE, "main", &same("i386"))
        .package(SUITE, "main", &game);
    door(&repository)
}

fn another_architecture() {
    if base::ARCH != "amd64" {
        return;
    }
    let run = two_architectures()
        .resolve(&["--include", "game:i386,libold"])
        .succeeded();
    let of = |name: &str| -> Vec<String> {
        let lines = run
            .stdout
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>());
        let mut found: Vec<String> = lines
            .filter(|words| words[0] == name)
            .map(|words| words[2].to_owned())
            .collect();
        found.sort();
        found
    };
    assert_eq!(of("game"), ["i386"]);
    assert_eq!(of("libold"), ["amd64", "i386"]);
}

fn another_architecture_in_the_root() {
    if base::ARCH != "amd64" {
        return;
    }
    let door = two_architectures();
    door.bootstrap(&["--include", "game:i386,libold"]).succeeded();
    let root = door.target();
    assert_eq!(text(root.join("var/lib/dpkg/arch")), "amd64\ni386\n");
    for arch in ["amd64", "i386"] {
        let list = text(root.join(format!("var/lib/dpkg/info/libold:{arch}.list")));
        assert!(list.contains("/usr/share/doc/libold/copyright\n"), "{list}");
        assert_eq!(text(root.join(format!("usr/lib/{arch}/libold.so"))), arch);
    }
    let libraries = installed(&root)
        .into_iter()
        .filter(|line| line == "libold 1 installed");
    assert_eq!(libraries.count(), 2);
}

fn why() {
    let door = door(&mailers());
    let run = door.resolve(&["--include", "news", "--why", "exim"]).succeeded();
    let lines: Vec<&str> = run.stdout.lines().collect();
    let (exim, news) = (
        format!("exim 1 {}: ", base::ARCH),
        format!("news 1 {}: ", base::ARCH),
    );
    assert_eq!(
        lines,
        [
            format!("{exim}news Depends: exim | mailer"),
            format!("{news}included")
        ]
    );
    door.resolve(&["--why", "exim"])
        .failed(2, &["`exim` is not part of the solution"]);
}

fn resolve_touches_nothing() {
    let door = door(&mailers());
    door.resolve(&["--include", "news"]).succeeded();
    door.assert_nothing_left();
    let archives = door
        .mirror
        .requests()
        .iter()
        .filter(|request| request.path.starts_with("pool/"))
        .count();
    assert_eq!(archives, 0);
}

fn a_version_in_the_root() {
    let door = three_suites();
    let entry = |suite: &str| format!("deb {} {suite} main", door.mirror.url());
    door.bootstrap(&[
        "--mirror",
        &entry("tiny-backports"),
        "--include",
        "hello/tiny-backports",
    ])
    .succeeded();
    let found = installed(&door.target());
    assert!(
        found.contains(&"hello 2.0 installed".to_owned())
            && found.contains(&"libhello 2.0 installed".to_owned())
    );
}

fn marks_of_apt() {
    let door = door(&mailers());
    door.bootstrap(&["--include", "news", "--recommends"]).succeeded();
    let states = text(door.target().join("var/lib/apt/extended_states"));
    let mut automatic: Vec<&str> = states
        .lines()
        .filter_map(|line| line.strip_prefix("Package: "))
        .collect();
    automatic.sort_unstable();
    assert_eq!(automatic, ["exim", "reader"]);
}
