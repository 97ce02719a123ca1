use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use bareroot_unpack::{Conffiles, Directories, Order, PlacerSettings};

use crate::kit::*;

fn one(items: Vec<Item>) -> Vec<(Order, Vec<Item>)> {
    vec![(order(5, "new"), items)]
}

#[test]
fn what_no_package_owns_is_replaced() {
    let ground = Ground::new();
    std::fs::create_dir(ground.join("d")).unwrap();
    std::fs::set_permissions(ground.join("d"), PermissionsExt::from_mode(0o750)).unwrap();
    std::fs::write(ground.join("d/f"), b"old").unwrap();
    std::fs::write(ground.join("d/l"), b"old").unwrap();
    symlink("f", ground.join("d/s")).unwrap();
    symlink("nowhere", ground.join("d/t")).unwrap();
    std::fs::create_dir(ground.join("d/empty")).unwrap();
    std::fs::write(ground.join("d/was-a-file"), b"x").unwrap();
    let items = vec![
        dir("./d"),
        file("./d/f", "new"),
        link("./d/l", "f"),
        file("./d/s", "file"),
        link("./d/t", "f"),
        file("./d/empty", "full"),
        dir("./d/was-a-file"),
        file("./d/was-a-file/x", "y"),
    ];
    ground.place(settings(), one(items)).unwrap();
    assert_eq!(
        [ground.read("d/f"), ground.read("d/s"), ground.read("d/empty")],
        ["new", "file", "full"]
    );
    assert_eq!([ground.text("d/l"), ground.text("d/t")], ["f", "f"]);
    assert_eq!(ground.read("d/was-a-file/x"), "y");
    // An existing directory keeps its mode.
    assert_eq!(
        std::fs::metadata(ground.join("d")).unwrap().mode() & 0o7777,
        0o750
    );
    assert!(!ground.list().contains("bareroot"));
}

#[test]
fn directories_that_were_there_are_dressed_on_request() {
    let ground = Ground::new();
    for path in ["d", "other"] {
        std::fs::create_dir(ground.join(path)).unwrap();
        std::fs::set_permissions(ground.join(path), PermissionsExt::from_mode(0o750)).unwrap();
    }
    let dressed = PlacerSettings {
        directories: Directories::Dress,
        ..settings()
    };
    let items = vec![
        mode(dir("."), 0o555),
        mode(dir("./d"), 0o511),
        file("./other/f", "x"),
    ];
    ground.place(dressed, one(items)).unwrap();
    let is = |path: &str| std::fs::metadata(ground.join(path)).unwrap();
    assert_eq!((is("d").mode() & 0o7777, is("d").mtime()), (0o511, 1_000_000_000));
    assert_eq!((is(".").mode() & 0o7777, is(".").mtime()), (0o555, 1_000_000_000));
    // No package has it, although a path goes through it.
    assert_eq!(is("other").mode() & 0o7777, 0o750);
    std::fs::set_permissions(ground.join("."), PermissionsExt::from_mode(0o755)).unwrap();
}

#[test]
fn a_directory_with_content_is_not_replaced() {
    let ground = Ground::new();
    std::fs::create_dir_all(ground.join("d/sub")).unwrap();
    let error = ground.place(settings(), one(vec![file("./d", "x")])).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`/d` of the package new 1 cannot be placed: a directory is in its way in the root"
    );
    // A link leaves it alone.
    ground.place(settings(), one(vec![link("./d", "x")])).unwrap();
    assert!(ground.join("d/sub").is_dir());
}

#[test]
fn installed_packages_have_their_paths() {
    let before = |ground: &Ground| std::fs::write(ground.join("f"), b"old").unwrap();
    let items = || vec![file("./f", "new"), file("./gone", "new")];
    let (outcome, _ground) = in_every_order(
        || over(&[("old", "/f")], &[], Conffiles::Keep),
        before,
        one(items()),
    );
    assert_eq!(
        outcome.unwrap_err(),
        "`/f` is in the package new 1 and also in old 1, and neither replaces the other"
    );
    // A path of an installed package is its own even when the file was deleted.
    let (outcome, _ground) = in_every_order(
        || over(&[("old", "/gone")], &[], Conffiles::Keep),
        before,
        one(items()),
    );
    assert!(outcome.unwrap_err().starts_with("`/gone`"));
    let (outcome, ground) = in_every_order(
        || over(&[("old", "/f")], &[("new", "old")], Conffiles::Keep),
        before,
        one(items()),
    );
    let outcome = outcome.unwrap();
    assert_eq!(ground.read("f"), "new");
    assert_eq!(outcome.taken.len(), 1);
    assert_eq!(
        (&outcome.taken[0].path[..], &outcome.taken[0].from.name[..]),
        (&b"/f"[..], "old")
    );
    let (outcome, ground) = in_every_order(
        || over(&[("old", "/f")], &[("old", "new")], Conffiles::Keep),
        before,
        one(items()),
    );
    let outcome = outcome.unwrap();
    assert_eq!(ground.read("f"), "old");
    assert_eq!(paths(&outcome, "new"), ["/gone"]);
    // Links fight too.
    let (outcome, _ground) = in_every_order(
        || over(&[("old", "/f")], &[], Conffiles::Keep),
        before,
        one(vec![link("./f", "x")]),
    );
    assert!(outcome.is_err());
    // Its own old version is no other package.
    let (outcome, ground) = in_every_order(
        || over(&[("new", "/f")], &[], Conffiles::Keep),
        before,
        one(items()),
    );
    outcome.unwrap();
    assert_eq!(ground.read("f"), "new");
}

#[test]
fn conffiles_that_are_there() {
    let before = |ground: &Ground| {
        std::fs::create_dir(ground.join("etc")).unwrap();
        std::fs::write(ground.join("etc/c"), b"mine").unwrap();
    };
    let mut packages = one(vec![
        dir("./etc"),
        file("./etc/c", "theirs"),
        file("./etc/d", "theirs"),
    ]);
    packages[0].0.conffiles = [b"/etc/c".to_vec(), b"/etc/d".to_vec()].into();
    for (policy, expected) in [(Conffiles::Keep, "mine"), (Conffiles::Replace, "theirs")] {
        let (outcome, ground) = in_every_order(|| over(&[], &[], policy), before, packages.clone());
        let outcome = outcome.unwrap();
        assert_eq!(ground.read("etc/c"), expected);
        assert_eq!(ground.read("etc/d"), "theirs");
        assert_eq!(outcome.packages[0].md5.len(), 2);
        assert_eq!(
            outcome.packages[0].md5[&b"/etc/c"[..]],
            outcome.packages[0].md5[&b"/etc/d"[..]]
        );
    }
}

#[test]
fn a_second_stage_over_a_first() {
    let ground = Ground::new();
    ground
        .place(
            settings(),
            vec![(
                order(0, "base"),
                vec![dir("./usr"), dir("./usr/share"), link("./doc", "usr/share")],
            )],
        )
        .unwrap();
    let items = vec![
        dir("./doc"),
        file("./doc/x", "x"),
        dir("./usr"),
        dir("./usr/share"),
        dir("./usr/share/n"),
        link("./doc/l", "x"),
    ];
    ground.place(settings(), one(items)).unwrap();
    assert_eq!(ground.text("doc"), "usr/share");
    assert_eq!(ground.read("usr/share/x"), "x");
    assert_eq!(ground.text("usr/share/l"), "x");
}
