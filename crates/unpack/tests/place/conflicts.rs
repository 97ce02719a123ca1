use bareroot_model::{Class, Classified, Kind};
use bareroot_unpack::{Diversion, Diversions, Error, Filter, PlacerSettings};

use crate::kit::*;

fn both(first: Item, second: Item) -> Vec<(bareroot_unpack::Order, Vec<Item>)> {
    vec![
        (order(1, "a"), vec![dir("./d"), first]),
        (order(2, "b"), vec![dir("./d"), second]),
    ]
}

#[test]
fn two_packages_with_one_path_are_a_conflict() {
    for second in [file("./d/f", "2"), link("./d/f", "2"), node("./d/f", Kind::Fifo)] {
        let (outcome, _ground) = in_every_order(settings, |_| {}, both(file("./d/f", "1"), second));
        assert_eq!(
            outcome.unwrap_err(),
            "`/d/f` is in the package b 1 and also in a 1, and neither replaces the other"
        );
    }
    let error = Ground::new()
        .place(settings(), both(link("./d/f", "1"), file("./d/f", "2")))
        .unwrap_err();
    assert_eq!(error.class(), Class::Unresolved);
    assert!(matches!(error, Error::Conflict { .. }));
}

#[test]
fn the_replacing_package_wins() {
    // The later replaces the earlier: the earlier loses the path.
    let (outcome, ground) = in_every_order(
        || replacing(&[("b", "a")]),
        |_| {},
        both(file("./d/f", "1"), file("./d/f", "two")),
    );
    let outcome = outcome.unwrap();
    assert_eq!(ground.read("d/f"), "two");
    assert_eq!(paths(&outcome, "a"), ["/d"]);
    assert_eq!(paths(&outcome, "b"), ["/d", "/d/f"]);
    // The earlier replaces the later: its file stays, and the later does not own the path.
    let (outcome, ground) = in_every_order(
        || replacing(&[("a", "b")]),
        |_| {},
        both(file("./d/f", "1"), file("./d/f", "two")),
    );
    let outcome = outcome.unwrap();
    assert_eq!(ground.read("d/f"), "1");
    assert_eq!(paths(&outcome, "a"), ["/d", "/d/f"]);
    assert_eq!(paths(&outcome, "b"), ["/d"]);
    // Both: the package whose turn it is is asked first.
    let (outcome, ground) = in_every_order(
        || replacing(&[("a", "b"), ("b", "a")]),
        |_| {},
        both(file("./d/f", "1"), link("./d/f", "2")),
    );
    outcome.unwrap();
    assert_eq!(ground.text("d/f"), "2");
    let (outcome, ground) = in_every_order(
        || replacing(&[("b", "a")]),
        |_| {},
        both(link("./d/f", "1"), file("./d/f", "two")),
    );
    outcome.unwrap();
    assert_eq!(ground.read("d/f"), "two");
}

#[test]
fn three_packages_are_settled_in_order() {
    // b and c would fight, but both yield to a.
    let package = |ordinal, name: &str| (order(ordinal, name), vec![dir("./d"), file("./d/f", name)]);
    let all = || vec![package(1, "a"), package(2, "b"), package(3, "c")];
    let (outcome, ground) = in_every_order(|| replacing(&[("a", "b"), ("a", "c")]), |_| {}, all());
    let outcome = outcome.unwrap();
    assert_eq!(ground.read("d/f"), "a");
    assert_eq!(paths(&outcome, "c"), ["/d"]);
    // c replaces both, but b comes before it and meets a.
    let (outcome, _ground) = in_every_order(|| replacing(&[("c", "a"), ("c", "b")]), |_| {}, all());
    assert!(outcome.unwrap_err().contains("the package b 1 and also in a 1"));
    // A chain.
    let (outcome, ground) = in_every_order(|| replacing(&[("b", "a"), ("c", "b")]), |_| {}, all());
    let outcome = outcome.unwrap();
    assert_eq!(ground.read("d/f"), "c");
    assert_eq!(paths(&outcome, "a"), ["/d"]);
    assert_eq!(paths(&outcome, "b"), ["/d"]);
}

#[test]
fn hard_links_follow_their_package() {
    let a = vec![dir("./d"), file("./d/f", "of a"), hard("./d/g", "./d/f")];
    let b = vec![dir("./d"), file("./d/f", "of b"), hard("./d/h", "d/f")];
    let packages = vec![(order(1, "a"), a), (order(2, "b"), b)];
    let (outcome, ground) = in_every_order(|| replacing(&[("b", "a")]), |_| {}, packages.clone());
    outcome.unwrap();
    assert_eq!(
        [ground.read("d/f"), ground.read("d/g"), ground.read("d/h")],
        ["of b", "of a", "of b"]
    );
    let (outcome, ground) = in_every_order(|| replacing(&[("a", "b")]), |_| {}, packages);
    outcome.unwrap();
    assert_eq!(
        [ground.read("d/f"), ground.read("d/g"), ground.read("d/h")],
        ["of a", "of a", "of b"]
    );
}

fn instances(first: Item, second: Item) -> Vec<(bareroot_unpack::Order, Vec<Item>)> {
    let mut packages = vec![
        (order(1, "lib"), vec![dir("./d"), first]),
        (order(2, "lib"), vec![dir("./d"), second]),
    ];
    packages[1].0.subject.architecture = "i386".to_owned();
    for (order, _) in &mut packages {
        order.subject.multi_arch_same = true;
    }
    packages
}

#[test]
fn architectures_share_what_is_identical() {
    for item in [
        file("./d/f", "same"),
        link("./d/f", "nowhere"),
        node("./d/f", Kind::Fifo),
    ] {
        let later = mtime(item.clone(), 5);
        let (outcome, ground) = in_every_order(settings, |_| {}, instances(item, later));
        let outcome = outcome.unwrap();
        assert!(outcome.packages.iter().all(|package| package.paths.len() == 2));
        let stat = std::fs::symlink_metadata(ground.join("d/f")).unwrap();
        assert_eq!(std::os::unix::fs::MetadataExt::mtime(&stat), 1_000_000_000);
    }
    for (first, second) in [
        (file("./d/f", "same"), file("./d/f", "else")),
        (file("./d/f", "same"), file("./d/f", "longer")),
        (file("./d/f", "same"), link("./d/f", "same")),
        (link("./d/f", "x"), link("./d/f", "y")),
        (node("./d/f", Kind::Fifo), file("./d/f", "")),
    ] {
        let (outcome, _ground) = in_every_order(settings, |_| {}, instances(first, second));
        assert_eq!(
            outcome.unwrap_err(),
            "`/d/f` is shared by lib:amd64 1 and lib:i386 1 and differs between them"
        );
    }
    // Two packages of one name that are not `same` do fight.
    let mut packages = instances(file("./d/f", "x"), file("./d/f", "x"));
    packages[1].0.subject.multi_arch_same = false;
    assert!(Ground::new().place(settings(), packages).is_err());
}

#[test]
fn a_directory_and_something_else() {
    // A file where another package has a directory, in both orders.
    let with_dir = |ordinal| {
        (
            order(ordinal, "dirs"),
            vec![dir("./x"), dir("./x/y"), file("./x/y/z", "z")],
        )
    };
    let with_file = |ordinal| (order(ordinal, "files"), vec![dir("./x"), file("./x/y", "file")]);
    let (outcome, _ground) = in_every_order(settings, |_| {}, vec![with_dir(1), with_file(2)]);
    assert_eq!(
        outcome.unwrap_err(),
        "`/x/y` is a file in the package files 1 and a directory in dirs 1"
    );
    let (outcome, _ground) = in_every_order(settings, |_| {}, vec![with_file(1), with_dir(2)]);
    assert_eq!(
        outcome.unwrap_err(),
        "`/x/y` is a directory in the package dirs 1 and a file in files 1"
    );
    // The directory's package replaces the file's and comes later: the file goes.
    let (outcome, ground) = in_every_order(
        || replacing(&[("dirs", "files")]),
        |_| {},
        vec![with_file(1), with_dir(2)],
    );
    let outcome = outcome.unwrap();
    assert_eq!(ground.read("x/y/z"), "z");
    assert_eq!(paths(&outcome, "files"), ["/x"]);
    // The file's package replaces the directory's: nobody could have both.
    let (outcome, _ground) = in_every_order(
        || replacing(&[("files", "dirs")]),
        |_| {},
        vec![with_file(1), with_dir(2)],
    );
    assert!(outcome.unwrap_err().contains("a directory in the package dirs"));
    // Within one package.
    let own = vec![dir("./x"), file("./x", "x")];
    assert!(
        Ground::new()
            .place(settings(), vec![(order(0, "a"), own)])
            .is_err()
    );
}

#[test]
fn filtered_paths_are_fought_over_too() {
    let filter = |settings: PlacerSettings| PlacerSettings {
        filters: vec![Filter::exclude("/d/*")],
        ..settings
    };
    let packages = || both(file("./d/f", "1"), file("./d/f", "2"));
    let (outcome, _ground) = in_every_order(|| filter(settings()), |_| {}, packages());
    assert!(
        outcome
            .unwrap_err()
            .starts_with("`/d/f` is in the package b 1 and also in a 1")
    );
    let (outcome, _ground) = in_every_order(|| filter(replacing(&[("a", "b")])), |_| {}, packages());
    let outcome = outcome.unwrap();
    assert_eq!(paths(&outcome, "a"), ["/d", "/d/f"]);
    assert_eq!(paths(&outcome, "b"), ["/d"]);
}

#[test]
fn diversions_send_paths_elsewhere() {
    let divert = || PlacerSettings {
        diversions: [
            Diversion {
                from: b"/d/sh".into(),
                to: b"/d/sh.distrib".into(),
                package: Some("a".into()),
            },
            Diversion {
                from: b"/d/local".into(),
                to: b"/d/local.real".into(),
                package: None,
            },
        ]
        .into_iter()
        .collect(),
        ..settings()
    };
    let a = (
        order(1, "a"),
        vec![dir("./d"), file("./d/sh", "a"), hard("./d/sh2", "./d/sh")],
    );
    let b = (
        order(2, "b"),
        vec![
            dir("./d"),
            file("./d/sh", "b"),
            hard("./d/sh3", "./d/sh"),
            link("./d/local", "t"),
        ],
    );
    let (outcome, ground) = in_every_order(divert, |_| {}, vec![a.clone(), b]);
    let outcome = outcome.unwrap();
    assert_eq!([ground.read("d/sh"), ground.read("d/sh.distrib")], ["a", "b"]);
    assert_eq!([ground.read("d/sh2"), ground.read("d/sh3")], ["a", "b"]);
    assert_eq!(ground.text("d/local.real"), "t");
    assert_eq!(paths(&outcome, "b"), ["/d", "/d/sh", "/d/sh3", "/d/local"]);
    // Two that are both diverted fight all the same.
    let c = (order(3, "c"), vec![file("./d/sh", "c")]);
    let b = (order(2, "b"), vec![file("./d/sh", "b")]);
    let (outcome, _ground) = in_every_order(divert, |_| {}, vec![a, b, c]);
    assert!(
        outcome
            .unwrap_err()
            .starts_with("`/d/sh` is in the package c 1 and also in b 1")
    );
    // Nobody ships what others are diverted to.
    let error = Ground::new()
        .place(divert(), vec![(order(1, "b"), vec![file("./d/sh.distrib", "b")])])
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "`/d/sh.distrib` of the package b is where `/d/sh` is diverted to by a"
    );
}

#[test]
fn what_a_preinst_diverts_makes_room() {
    let diversion = |from: &str, to: &str| Diversion {
        from: from.into(),
        to: to.into(),
        package: Some("doc".into()),
    };
    let declared: Diversions = [
        diversion("/d/tool", "/d/tool.stub"),
        diversion("/d/link", "/d/link.stub"),
        // Of these nobody else has the first, and nobody at all the second; the third leads elsewhere.
        diversion("/d/own", "/d/own.stub"),
        diversion("/d/none", "/d/none.stub"),
        diversion("/d/far", "/e/far"),
    ]
    .into_iter()
    .collect();
    let base = |n, name: &str| {
        let items = vec![
            dir("./d"),
            file("./d/tool", "base"),
            hard("./d/tool2", "./d/tool"),
            link("./d/link", "base"),
        ];
        (order(n, name), items)
    };
    let doc = |n| {
        let items = vec![
            dir("./d"),
            file("./d/tool", "doc"),
            link("./d/link", "doc"),
            file("./d/own", "doc"),
        ];
        (order(n, "doc"), items)
    };
    for packages in [vec![base(1, "base"), doc(2)], vec![doc(1), base(2, "base")]] {
        let (outcome, ground) = in_every_order_by(settings, |_| {}, packages, &declared);
        let outcome = outcome.unwrap();
        assert_eq!(
            [ground.read("d/tool"), ground.read("d/tool.stub")],
            ["doc", "base"]
        );
        assert_eq!(ground.read("d/tool2"), "base");
        assert_eq!(
            [ground.text("d/link"), ground.text("d/link.stub")],
            ["doc", "base"]
        );
        assert_eq!(ground.read("d/own"), "doc");
        // Both have the paths in their lists, as dpkg has it.
        assert_eq!(paths(&outcome, "base"), ["/d", "/d/tool", "/d/tool2", "/d/link"]);
        assert_eq!(paths(&outcome, "doc"), ["/d", "/d/tool", "/d/link", "/d/own"]);
        let mut from: Vec<&[u8]> = outcome.diverted.iter().map(|one| one.from.as_slice()).collect();
        from.sort_unstable();
        assert_eq!(from, [b"/d/link".as_slice(), b"/d/tool"]);
    }
    // Nobody diverts here: not the one who would, a third one, or the same into another directory.
    for (packages, path) in [
        (vec![base(1, "base"), base(2, "other")], "/d/tool"),
        (vec![base(1, "base"), base(2, "other"), doc(3)], "/d/tool"),
        (
            vec![
                (order(1, "base"), vec![file("./d/far", "base")]),
                (order(2, "doc"), vec![file("./d/far", "doc")]),
            ],
            "/d/far",
        ),
    ] {
        let (outcome, _ground) = in_every_order_by(settings, |_| {}, packages, &declared);
        let error = outcome.unwrap_err();
        assert!(error.contains(path), "{error}");
    }
}
