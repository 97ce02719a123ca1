use std::os::unix::fs::symlink;

use bareroot_model::{Class, Classified};

use crate::kit::*;

/// A merged root, as `prepare` leaves it.
fn merged(ground: &Ground) {
    for name in ["bin", "sbin", "lib"] {
        std::fs::create_dir_all(ground.join("usr").join(name)).unwrap();
        symlink(format!("usr/{name}"), ground.join(name)).unwrap();
    }
    // Nobody has made where it leads.
    symlink("usr/lib64", ground.join("lib64")).unwrap();
}

#[test]
fn merged_directories() {
    let a = vec![
        dir("./"),
        dir("./bin"),
        file("./bin/sh", "sh"),
        dir("./usr"),
        dir("./usr/bin"),
        file("./usr/bin/env", "env"),
        hard("./bin/dash", "./bin/sh"),
        link("./bin/rbash", "bash"),
        dir("./lib"),
        dir("./lib/x86"),
        file("./lib/x86/libc", "c"),
    ];
    let b = vec![
        dir("./usr/lib64"),
        file("./usr/lib64/ld", "ld"),
        dir("./lib64"),
        file("./lib64/ld2", "ld2"),
    ];
    let base = vec![
        link("./bin", "usr/bin"),
        link("./lib", "usr/lib"),
        link("./lib64", "usr/lib64"),
        link("./sbin", "/usr/sbin"),
    ];
    let packages = vec![
        (order(1, "a"), a),
        (order(2, "b"), b),
        (order(3, "base-files"), base),
    ];
    let (outcome, ground) = in_every_order(settings, merged, packages);
    let outcome = outcome.unwrap();
    assert_eq!(ground.read("usr/bin/sh"), "sh");
    assert_eq!(ground.read("usr/bin/dash"), "sh");
    assert_eq!(ground.text("usr/bin/rbash"), "bash");
    assert_eq!(ground.read("usr/lib/x86/libc"), "c");
    assert_eq!(ground.read("usr/lib64/ld2"), "ld2");
    for name in ["bin", "sbin", "lib", "lib64"] {
        assert_eq!(ground.text(name), format!("usr/{name}"));
    }
    assert!(paths(&outcome, "a").contains(&"/bin/sh".to_owned()));
    assert_eq!(paths(&outcome, "base-files"), ["/bin", "/lib", "/lib64", "/sbin"]);
}

#[test]
fn two_spellings_of_one_path_are_no_conflict_and_the_later_stays() {
    let a = (order(1, "a"), vec![file("./bin/x", "a")]);
    let b = (order(2, "b"), vec![file("./usr/bin/x", "b")]);
    let (outcome, ground) = in_every_order(settings, merged, vec![a.clone(), b.clone()]);
    let outcome = outcome.unwrap();
    assert_eq!(ground.read("usr/bin/x"), "b");
    assert_eq!(
        (paths(&outcome, "a"), paths(&outcome, "b")),
        (vec!["/bin/x".into()], vec!["/usr/bin/x".into()])
    );
    let again = (order(3, "c"), vec![file("./bin/x", "c")]);
    let (outcome, _ground) = in_every_order(settings, merged, vec![a, b, again]);
    assert!(
        outcome
            .unwrap_err()
            .starts_with("`/bin/x` is in the package c 1 and also in a 1")
    );
}

#[test]
fn a_merge_link_is_not_redirected() {
    for text in ["usr/lib", "/etc", "../canary", "usr/nowhere"] {
        let evil = (order(1, "evil"), vec![link("./bin", text)]);
        let user = (order(2, "user"), vec![file("./bin/x", "x")]);
        let ground = Ground::new();
        merged(&ground);
        let error = ground.place(settings(), vec![evil, user]).unwrap_err();
        assert_eq!(error.class(), Class::Trust, "{error}");
    }
    // Nor replaced by a file.
    let ground = Ground::new();
    merged(&ground);
    let packages = vec![
        (order(1, "a"), vec![file("./bin/x", "x")]),
        (order(2, "b"), vec![file("./bin", "x")]),
    ];
    assert!(ground.place(settings(), packages).is_err());
}

#[test]
fn links_that_were_there_are_followed_inside_the_root() {
    let before = |ground: &Ground| {
        std::fs::create_dir_all(ground.join("run/deep")).unwrap();
        std::fs::create_dir(ground.join("var")).unwrap();
        symlink("/run", ground.join("var/run")).unwrap();
        symlink("../../../../run/deep", ground.join("var/up")).unwrap();
        symlink("a", ground.join("var/b")).unwrap();
        symlink("b", ground.join("var/a")).unwrap();
    };
    let items = vec![
        dir("./var"),
        dir("./var/run"),
        file("./var/run/pid", "1"),
        file("./var/up/x", "2"),
    ];
    let (outcome, ground) = in_every_order(settings, before, vec![(order(1, "a"), items)]);
    outcome.unwrap();
    assert_eq!([ground.read("run/pid"), ground.read("run/deep/x")], ["1", "2"]);
    assert_eq!(ground.text("var/run"), "/run");
    // A loop leads to no directory: dpkg puts a directory in its place.
    let ground = Ground::new();
    before(&ground);
    ground
        .place(settings(), vec![(order(1, "a"), vec![file("./var/a/x", "3")])])
        .unwrap();
    assert_eq!(ground.read("var/a/x"), "3");
}

#[test]
fn a_directory_stays_when_it_was_first() {
    let dirs = |ordinal| {
        (
            order(ordinal, "dirs"),
            vec![dir("./x"), dir("./x/y"), file("./x/y/f", "f")],
        )
    };
    let links = |ordinal| {
        (
            order(ordinal, "links"),
            vec![dir("./x"), dir("./x/z"), link("./x/y", "z")],
        )
    };
    let (outcome, ground) = in_every_order(settings, |_| {}, vec![dirs(1), links(2)]);
    let outcome = outcome.unwrap();
    assert!(std::fs::symlink_metadata(ground.join("x/y")).unwrap().is_dir());
    assert_eq!(ground.read("x/y/f"), "f");
    assert_eq!(paths(&outcome, "links"), ["/x", "/x/z", "/x/y"]);
}

#[test]
fn a_link_stays_when_it_was_first() {
    let dirs = vec![
        dir("./x"),
        dir("./x/y"),
        file("./x/y/f", "f"),
        dir("./x/y/sub"),
        dir("./x/y/sub/deep"),
        file("./x/y/sub/deep/g", "g"),
        link("./x/y/l", "f"),
        hard("./x/y/h", "./x/y/f"),
        file("./x/y/both", "of dirs"),
    ];
    let links = vec![
        dir("./x"),
        dir("./x/z"),
        mode(dir("./x/z/sub"), 0o711),
        file("./x/z/own", "own"),
        file("./x/z/both", "of links"),
        link("./x/y", "z"),
    ];
    let packages = vec![(order(1, "links"), links), (order(2, "dirs"), dirs)];
    let (outcome, ground) = in_every_order(settings, |_| {}, packages);
    let outcome = outcome.unwrap();
    assert_eq!(ground.text("x/y"), "z");
    assert_eq!(
        [
            ground.read("x/z/f"),
            ground.read("x/z/sub/deep/g"),
            ground.read("x/z/own")
        ],
        ["f", "g", "own"]
    );
    assert_eq!(ground.text("x/z/l"), "f");
    assert_eq!(ground.read("x/z/h"), "f");
    assert_eq!(ground.read("x/z/both"), "of dirs");
    let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(ground.join("x/z/sub")).unwrap());
    assert_eq!(mode & 0o7777, 0o711);
    assert_eq!(paths(&outcome, "dirs").len(), 9);
    assert!(!ground.list().contains("bareroot"));
}

#[test]
fn a_link_that_leads_out_or_nowhere_is_no_directory() {
    let dirs = || {
        (
            order(2, "dirs"),
            vec![dir("./x"), dir("./x/y"), file("./x/y/bird", "dead")],
        )
    };
    for text in ["nowhere", "f", "/nowhere/at/all", "y"] {
        let links = (
            order(1, "links"),
            vec![dir("./x"), file("./x/f", "f"), link("./x/y", text)],
        );
        let (outcome, _ground) = in_every_order(settings, |_| {}, vec![links, dirs()]);
        assert_eq!(
            outcome.unwrap_err(),
            "`/x/y` is a directory in the package dirs 1 and a symbolic link in links 1"
        );
    }
    // With Replaces the link goes.
    let links = (order(1, "links"), vec![dir("./x"), link("./x/y", "nowhere")]);
    let (outcome, ground) = in_every_order(|| replacing(&[("dirs", "links")]), |_| {}, vec![links, dirs()]);
    let outcome = outcome.unwrap();
    assert_eq!(ground.read("x/y/bird"), "dead");
    assert_eq!(paths(&outcome, "links"), ["/x"]);
    // Outside is inside: `..` stops at the root, and an absolute path begins there.
    let links = (
        order(1, "links"),
        vec![dir("./x"), dir("./canary"), link("./x/y", "../../../canary")],
    );
    let (outcome, ground) = in_every_order(settings, |_| {}, vec![links, dirs()]);
    outcome.unwrap();
    assert_eq!(ground.read("canary/bird"), "dead");
}

#[test]
fn only_directories_that_are_there_by_then_count() {
    // The link leads to a directory that a still later package brings.
    let links = (order(1, "links"), vec![dir("./x"), link("./x/y", "z")]);
    let dirs = (
        order(2, "dirs"),
        vec![dir("./x"), dir("./x/y"), file("./x/y/f", "f")],
    );
    let late = (order(3, "late"), vec![dir("./x"), dir("./x/z")]);
    let (outcome, _ground) = in_every_order(settings, |_| {}, vec![links, dirs, late]);
    assert!(outcome.unwrap_err().contains("a symbolic link in links"));
}

#[test]
fn links_to_one_directory_are_no_conflict() {
    let a = (order(1, "a"), vec![dir("./x"), dir("./x/z"), link("./x/y", "z")]);
    let b = (order(2, "b"), vec![dir("./x"), link("./x/y", "/x/z")]);
    let (outcome, ground) = in_every_order(settings, |_| {}, vec![a.clone(), b]);
    let outcome = outcome.unwrap();
    assert_eq!(ground.text("x/y"), "z");
    assert_eq!(paths(&outcome, "b"), ["/x", "/x/y"]);
    let other = (order(2, "b"), vec![dir("./x"), link("./x/y", "elsewhere")]);
    let (outcome, _ground) = in_every_order(settings, |_| {}, vec![a, other]);
    assert!(
        outcome
            .unwrap_err()
            .starts_with("`/x/y` is in the package b 1 and also in a 1")
    );
}

#[test]
fn links_through_links_of_other_packages() {
    // doc -> share; a later package has its link in doc.
    let a = (order(1, "a"), vec![dir("./share"), link("./doc", "share")]);
    let b = (
        order(2, "b"),
        vec![
            dir("./doc"),
            link("./doc/l", "t"),
            dir("./doc/d"),
            link("./doc/d/m", "u"),
        ],
    );
    let (outcome, ground) = in_every_order(settings, |_| {}, vec![a, b]);
    outcome.unwrap();
    assert_eq!(ground.text("doc"), "share");
    assert_eq!([ground.text("share/l"), ground.text("share/d/m")], ["t", "u"]);
}
