use super::*;

#[test]
fn relations_mean_what_policy_says() {
    for (what, lines, wishes, expected) in [
        (
            "both kinds of dependency",
            "a 1 | Depends: b | Pre-Depends: c\nb 1\nc 1\nd 1",
            "a",
            "a b c",
        ),
        (
            "the left alternative",
            "a 1 | Depends: b || c\nb 1\nc 1",
            "a",
            "a b",
        ),
        (
            "an alternative that is there",
            "a 1 | Depends: b || c\nb 1\nc 1",
            "a",
            "a b",
        ),
        (
            "what is chosen already wins",
            "a 1 | Depends: b || c\nb 1\nc 1",
            "c a",
            "a c",
        ),
        (
            "also when it comes from another wish",
            "a 1 | Depends: b || c\nb 1\nc 1\nz 1 | Depends: c",
            "z a",
            "a c z",
        ),
        (
            "and not when it comes later",
            "a 1 | Depends: b || c\nb 1\nc 1\nz 1 | Depends: c",
            "a z",
            "a b c z",
        ),
        (
            "a version that does not fit",
            "a 1 | Depends: b (>= 2) || c\nb 1\nc 1",
            "a",
            "a c",
        ),
        (
            "an alternative that cannot be installed",
            "a 1 | Depends: b || c\nb 1 | Depends: no\nc 1",
            "a",
            "a c",
        ),
        (
            "a virtual package",
            "a 1 | Depends: v\np 1 | Provides: v",
            "a",
            "a p",
        ),
        (
            "providers: the priority decides",
            "a 1 | Depends: v\np 1 | Provides: v | Priority: optional\n\
          q 1 | Provides: v | Priority: required",
            "a",
            "a q",
        ),
        (
            "providers: the one heard of last",
            "a 1 | Depends: v\np 1 | Provides: v\nq 1 | Provides: v",
            "a",
            "a q",
        ),
        (
            "heard of in a relation counts",
            "a 1 | Depends: v\nb 1 | Suggests: q\np 1 | Provides: v\nq 1 | Provides: v",
            "a",
            "a p",
        ),
        (
            "the package itself before providers",
            "a 1 | Depends: v\nq 1 | Provides: v\nv 1",
            "a",
            "a v",
        ),
        (
            "an essential provider",
            "a 1 | Depends: v\np 1 | Provides: v | Essential: yes\nq 1 | Provides: v",
            "a",
            "a p",
        ),
        (
            "a versioned provide",
            "a 1 | Depends: v (>= 2)\np 1 | Provides: v (= 1)\nq 1 | Provides: v (= 3)\n\
          r 1 | Provides: v",
            "a",
            "a q",
        ),
        (
            "own provides meet own needs",
            "a 1 | Depends: v | Provides: v\nb 1 | Provides: v",
            "a",
            "a",
        ),
        (
            "a conflict with oneself does not count",
            "a 1 | Conflicts: v | Provides: v",
            "a",
            "a",
        ),
        (
            "a conflict chooses the other",
            "a 1 | Depends: b || c | Conflicts: b\nb 1\nc 1",
            "a",
            "a c",
        ),
        (
            "breaks with a version",
            "a 1 | Breaks: b (<< 2)\nb 2",
            "a b",
            "a b",
        ),
        (
            "replaces alone takes nothing out",
            "a 1 | Replaces: b\nb 1",
            "a b",
            "a b",
        ),
        (
            "a wish outside decides an alternative",
            "a 1 | Depends: b || c\nb 1 | Conflicts: z\nc 1\nz 1",
            "a z",
            "a c z",
        ),
        (
            "what a dead end left behind goes",
            "a 1 | Depends: b || c\nb 1 | Depends: x, y\nx 1\n\
          y 1 | Depends: z\nz 1 | Depends: no\nc 1",
            "a",
            "a c",
        ),
        ("a cycle", "a 1 | Depends: b\nb 1 | Depends: a", "a", "a b"),
        (
            "a refused package",
            "a 1 | Depends: b || c\nb 1\nc 1",
            "a b-",
            "a c",
        ),
        ("a pattern", "lib1 1\nlib2 1\nother 1", "lib*", "lib1 lib2"),
        ("a virtual wish with one provider", "p 1 | Provides: v", "v", "p"),
        ("the highest version", "a 1\na 3\na 2", "a", "a"),
    ] {
        assert_eq!(chosen(lines, wishes), expected, "{what}");
    }
}

#[test]
fn recommends_on_request() {
    let lines = "a 1 | Recommends: b, c || d, no | Suggests: e\nb 1 | Recommends: f\nc 1\nd 1\ne 1\nf 1\n\
                 x 1 | Recommends: y\ny 1 | Conflicts: x";
    let mut settings = Settings::new("amd64");
    assert_eq!(run(lines, &settings, "a").unwrap(), "a");
    settings.recommends = true;
    assert_eq!(sorted(&run(lines, &settings, "a").unwrap()), "a b c f");
    assert_eq!(sorted(&run(lines, &settings, "x").unwrap()), "x");
}

#[test]
fn exclusions_do_not_exist() {
    let lines = "a 1 | Depends: b || c\nb 1\nc 1\nd 1 | Depends: b";
    let mut settings = Settings::new("amd64");
    settings.excluded = vec!["b".to_owned()];
    assert_eq!(sorted(&run(lines, &settings, "a").unwrap()), "a c");
    let error = run(lines, &settings, "d").unwrap_err().to_string();
    assert!(
        error.contains("`d 1` depends on `b`, but `b` is excluded"),
        "{error}"
    );
    let error = run(lines, &settings, "b").unwrap_err().to_string();
    assert_eq!(error, "the wish `b` is excluded");
}

#[test]
fn the_order_is_that_of_dependencies_then_of_names() {
    let lines =
        "z 1 | Depends: m\nm 1 | Depends: k\nk 1\na 1 | Depends: z\nb 1 | Depends: c\nc 1 | Depends: b";
    let names = run(lines, &Settings::new("amd64"), "z c a").unwrap();
    assert_eq!(names, "k m z a b c");
    assert_eq!(names, run(lines, &Settings::new("amd64"), "a c z").unwrap());
}

#[test]
fn versions_and_releases_by_pins_and_wishes() {
    let stable = "a 1 | Depends: b (>= 1)\nb 1\nc 1";
    let newer = "a 2 | Depends: b (>= 2)\nb 2\nc 2";
    let backports = Source {
        suite: "stable-backports".to_owned(),
        codename: "trixie-backports".to_owned(),
        priority: Source::default_priority(true, true),
        ..Source::new("")
    };
    let lower = [Source::new("trixie"), backports];
    let equal = [Source::new("trixie"), Source::new("forky")];
    let target = [
        Source {
            priority: 990,
            ..Source::new("trixie")
        },
        Source::new("forky"),
    ];
    for (sources, wishes, expected) in [
        (&lower, "a", "a=1 b=1"),
        (&equal, "a", "a=2 b=2"),
        (&target, "a", "a=1 b=1"),
        (&lower, "a/trixie-backports", "a=2 b=2"),
        (&lower, "a/stable-backports c", "a=2 b=2 c=1"),
        (&equal, "c=1", "c=1"),
        (&equal, "c=1*", "c=1"),
        (&lower, "b=2 a", "a=1 b=2"),
        (&equal, "a/trixie", "a=1 b=2"),
    ] {
        let indexes = [index(0, stable), index(1, newer)];
        let result = select(
            &Universe::new(&indexes, sources),
            &Settings::new("amd64"),
            &[packages(wishes)],
        );
        assert_eq!(sorted(&shown(&result.unwrap(), true)), expected, "{wishes}");
    }
}

#[test]
fn a_version_alone_does_not_bring_its_dependencies_from_its_suite() {
    let indexes = [index(0, "a 1\nb 1"), index(1, "a 2 | Depends: b (>= 2)\nb 2")];
    let sources = [
        Source {
            priority: 990,
            ..Source::new("trixie")
        },
        Source::new("forky"),
    ];
    let result = select(
        &Universe::new(&indexes, &sources),
        &Settings::new("amd64"),
        &[packages("a=2")],
    );
    let error = result.unwrap_err().to_string();
    assert!(
        error.contains("`a 2` depends on `b (>= 2)`, but trixie, forky has b 2, b 1"),
        "{error}"
    );
}

#[test]
fn local_packages_win() {
    let indexes = [index(0, "a 2\nb 1"), index(1, "a 1 | Depends: b")];
    let sources = [Source::new("trixie"), Source::local()];
    let stage = Stage::new([Want::Local]);
    let result = select(
        &Universe::new(&indexes, &sources),
        &Settings::new("amd64"),
        &[stage],
    )
    .unwrap();
    assert_eq!(shown(&result, true), "b=1 a=1");
}

#[test]
fn multiarch() {
    let lines = "app 1 i386 | Depends: lib, tool, data\n\
                 lib 1 amd64 | Multi-Arch: same\nlib 1 i386 | Multi-Arch: same\n\
                 tool 1 amd64 | Multi-Arch: foreign\n\
                 data 1 all | Multi-Arch: foreign\n\
                 py 1 amd64 | Multi-Arch: allowed\n\
                 script 1 i386 | Depends: py:any\n\
                 module 1 i386 | Depends: py\n\
                 mine 1 amd64 | Depends: lib:i386\n\
                 build 1 i386 | Depends: lib:native\n\
                 old 1 amd64 | Multi-Arch: same\nold 2 i386 | Multi-Arch: same\n\
                 one 1 amd64\none 1 i386\n\
                 hater 1 amd64 | Conflicts: lib\n\
                 select 1 amd64 | Conflicts: lib:amd64";
    let mut settings = Settings::new("amd64");
    settings.foreign = vec!["i386".to_owned()];
    for (wishes, expected) in [
        ("lib", "lib"),
        ("lib:i386", "lib:i386"),
        ("lib lib:i386", "lib lib:i386"),
        ("app:i386", "app:i386 data lib:i386 tool"),
        ("script:i386", "py script:i386"),
        ("mine", "lib:i386 mine"),
        ("build:i386", "build:i386 lib"),
        ("select lib:i386", "lib:i386 select"),
    ] {
        assert_eq!(
            sorted(&run(lines, &settings, wishes).unwrap()),
            expected,
            "{wishes}"
        );
    }
    for wishes in [
        "module:i386",
        "old old:i386",
        "one one:i386",
        "hater lib:i386",
        "select lib",
        "data:armhf",
    ] {
        assert!(run(lines, &settings, wishes).is_err(), "{wishes}");
    }
    // Without the architecture, nothing of it is seen.
    assert!(run(lines, &Settings::new("amd64"), "mine").is_err());
    assert_eq!(run(lines, &Settings::new("i386"), "lib").unwrap(), "lib:i386");
}

#[test]
fn a_deep_chain_is_no_trouble() {
    let lines: Vec<String> = (0..2500)
        .map(|n| format!("p{n} 1 | Depends: p{}", n + 1))
        .collect();
    let lines = lines.join("\n") + "\np2500 1";
    let names = run(&lines, &Settings::new("amd64"), "p0").unwrap();
    assert_eq!(names.split(' ').count(), 2501);
    assert!(names.starts_with("p2500 ") && names.ends_with(" p0"));
}
