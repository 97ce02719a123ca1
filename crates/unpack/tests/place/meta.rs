use std::os::unix::fs::MetadataExt;

use bareroot_model::{Cancel, Class, Classified, Kind};
use bareroot_trust::Verified;
use bareroot_unpack::{
    Conffiles, Devices, Error, Filter, Md5, NameTable, Override, PathKind, Placer, PlacerSettings,
};

use crate::kit::*;

#[test]
fn a_package_as_it_is_shipped() {
    let ground = Ground::new();
    let outcome = ground
        .place(
            settings(),
            vec![(
                order(0, "a"),
                vec![
                    dir("./"),
                    mtime(dir("./usr/"), 1),
                    mtime(mode(dir("./usr/bin/"), 0o2755), 2),
                    mode(mtime(file("./usr/bin/tool", "code"), 3), 0o4755),
                    mode(file("./usr/bin/odd", ""), 0o604),
                    hard("./usr/bin/same", "./usr/bin/tool"),
                    mtime(link("./usr/bin/alias", "tool"), 4),
                    mode(node("./usr/pipe", Kind::Fifo), 0o622),
                    file(b"./usr/\xff\xfe", "bytes"),
                    file("./usr/big", vec![7; 1 << 20]),
                ],
            )],
        )
        .unwrap();
    let stat = |path: &str| std::fs::symlink_metadata(ground.join(path)).unwrap();
    assert_eq!(ground.read("usr/bin/tool"), "code");
    assert_eq!(
        (stat("usr/bin/tool").mode() & 0o7777, stat("usr/bin/tool").mtime()),
        (0o4755, 3)
    );
    assert_eq!(stat("usr/bin/tool").mtime_nsec(), 0);
    assert_eq!(stat("usr/bin/odd").mode() & 0o7777, 0o604);
    assert_eq!(stat("usr/bin/tool").ino(), stat("usr/bin/same").ino());
    assert_eq!(
        (ground.text("usr/bin/alias"), stat("usr/bin/alias").mtime()),
        ("tool".to_owned(), 4)
    );
    assert_eq!(
        (stat("usr/bin").mode() & 0o7777, stat("usr/bin").mtime()),
        (0o2755, 2)
    );
    assert_eq!(stat("usr").mtime(), 1);
    assert_eq!(stat("usr/pipe").mode(), 0o010_622);
    assert_eq!(stat("usr/big").len(), 1 << 20);
    let placed = &outcome.packages[0];
    assert_eq!(placed.bytes, 4 + 5 + (1 << 20));
    let kinds: Vec<_> = placed
        .paths
        .iter()
        .map(|record| (record.path.as_slice(), record.kind))
        .collect();
    assert_eq!(kinds[0], (&b"/."[..], PathKind::Directory));
    assert_eq!(kinds[3], (&b"/usr/bin/tool"[..], PathKind::File));
    assert_eq!(kinds[5], (&b"/usr/bin/same"[..], PathKind::Hardlink));
    assert_eq!(kinds[6], (&b"/usr/bin/alias"[..], PathKind::Symlink));
    assert_eq!(kinds[7], (&b"/usr/pipe"[..], PathKind::Fifo));
    assert_eq!(kinds[8], (&b"/usr/\xff\xfe"[..], PathKind::File));
}

#[test]
fn the_umask_does_not_show() {
    // The mode is set by descriptor whenever the umask took something; the tests run with 022 as a rule.
    let ground = Ground::new();
    let items = vec![
        mode(dir("./a"), 0o777),
        mode(file("./a/b", "x"), 0o666),
        mode(node("./a/c", Kind::Fifo), 0o666),
    ];
    ground.place(settings(), vec![(order(0, "a"), items)]).unwrap();
    for (path, mode) in [("a", 0o777), ("a/b", 0o666), ("a/c", 0o666)] {
        assert_eq!(
            std::fs::metadata(ground.join(path)).unwrap().mode() & 0o7777,
            mode,
            "{path}"
        );
    }
}

#[test]
fn directories_that_are_not_shipped_are_made() {
    let package = |ordinal, name: &str, mtime_of: i64| {
        (
            order(ordinal, name),
            vec![mtime(file(format!("./opt/deep/{name}"), name), mtime_of)],
        )
    };
    let (outcome, ground) = in_every_order(settings, |_| {}, vec![package(0, "a", 100), package(1, "b", 50)]);
    outcome.unwrap();
    let stat = std::fs::metadata(ground.join("opt/deep")).unwrap();
    assert_eq!((stat.mode() & 0o7777, stat.mtime()), (0o755, 100));
    // Whoever ships it decides, whenever that is.
    let shipped = (
        order(2, "c"),
        vec![
            mtime(mode(dir("./opt"), 0o711), 5),
            mtime(mode(dir("./opt/deep"), 0o1777), 6),
        ],
    );
    let packages = vec![package(0, "a", 100), package(1, "b", 50), shipped];
    let (outcome, ground) = in_every_order(settings, |_| {}, packages);
    outcome.unwrap();
    let stat = std::fs::metadata(ground.join("opt/deep")).unwrap();
    assert_eq!((stat.mode() & 0o7777, stat.mtime()), (0o1777, 6));
}

#[test]
fn the_first_package_decides_a_directory() {
    let package =
        |ordinal, name: &str, bits, time| (order(ordinal, name), vec![mtime(mode(dir("./var"), bits), time)]);
    let packages = vec![
        package(3, "a", 0o700, 1),
        package(1, "b", 0o751, 2),
        package(2, "c", 0o755, 3),
    ];
    let (outcome, ground) = in_every_order(settings, |_| {}, packages);
    assert_eq!(
        outcome
            .unwrap()
            .packages
            .iter()
            .map(|p| p.ordinal)
            .collect::<Vec<_>>(),
        [1, 2, 3]
    );
    let stat = std::fs::metadata(ground.join("var")).unwrap();
    assert_eq!((stat.mode() & 0o7777, stat.mtime()), (0o751, 2));
}

#[test]
fn a_directory_without_rights_holds_its_content() {
    let ground = Ground::new();
    let items = vec![
        mode(dir("./shut"), 0o000),
        file("./shut/in", "x"),
        mode(dir("./shut/sub"), 0o500),
        file("./shut/sub/in", "y"),
    ];
    ground.place(settings(), vec![(order(0, "a"), items)]).unwrap();
    let stat = std::fs::metadata(ground.join("shut")).unwrap();
    assert_eq!(stat.mode() & 0o7777, 0);
    std::fs::set_permissions(
        ground.join("shut"),
        std::os::unix::fs::PermissionsExt::from_mode(0o755),
    )
    .unwrap();
    assert_eq!(ground.read("shut/sub/in"), "y");
}

#[test]
fn owners_by_number_and_by_name() {
    if skip_without_root("owners_by_number_and_by_name") {
        return;
    }
    let ground = Ground::new();
    let placer = Placer::new(&ground.root(), settings()).unwrap();
    let items = vec![
        named(dir("./d"), 0, 50, "root", "staff"),
        mode(named(file("./d/shadow", "x"), 0, 42, "root", "shadow"), 0o2755),
        mode(named(file("./d/moved", "x"), 0, 99, "root", "shadow"), 0o6755),
        named(file("./d/unknown", "x"), 77, 78, "nobody-knows", "nor-this"),
        named(file("./d/root", "x"), 1000, 1000, "root", "root"),
        named(link("./d/link", "x"), 0, 99, "root", "shadow"),
        named(node("./d/pipe", Kind::Fifo), 0, 99, "", "shadow"),
    ];
    placer
        .place(&order(0, "a"), Verified::local(Made::new(items)))
        .unwrap();
    let names = NameTable::from_files(b"root:x:0:0::/:\n", b"shadow:x:42:\nstaff:x:51:\n");
    placer
        .finish(&names, &bareroot_unpack::Diversions::default())
        .unwrap();
    for (path, uid, gid, mode) in [
        ("d", 0, 51, 0o755),
        ("d/shadow", 0, 42, 0o2755),
        ("d/moved", 0, 42, 0o6755),
        ("d/unknown", 77, 78, 0o644),
        ("d/root", 0, 0, 0o644),
        ("d/link", 0, 42, 0o777),
        ("d/pipe", 0, 42, 0o640),
    ] {
        let stat = std::fs::symlink_metadata(ground.join(path)).unwrap();
        assert_eq!(
            (stat.uid(), stat.gid(), stat.mode() & 0o7777),
            (uid, gid, mode),
            "{path}"
        );
        assert_eq!(stat.mtime(), 1_000_000_000, "{path}");
    }
}

#[test]
fn a_set_group_id_directory_that_was_there_does_not_leak_its_group() {
    if skip_without_root("a_set_group_id_directory_that_was_there_does_not_leak_its_group") {
        return;
    }
    let ground = Ground::new();
    let local = ground.join("local");
    std::fs::create_dir(&local).unwrap();
    std::os::unix::fs::chown(&local, Some(0), Some(50)).unwrap();
    std::fs::set_permissions(&local, std::os::unix::fs::PermissionsExt::from_mode(0o2775)).unwrap();
    let items = vec![
        dir("./local"),
        file("./local/f", "x"),
        dir("./local/d"),
        link("./local/l", "x"),
    ];
    ground.place(settings(), vec![(order(0, "a"), items)]).unwrap();
    for path in ["local/f", "local/d", "local/l"] {
        let stat = std::fs::symlink_metadata(ground.join(path)).unwrap();
        assert_eq!((stat.gid(), stat.mode() & 0o7000), (0, 0), "{path}");
    }
    assert_eq!(std::fs::metadata(local).unwrap().mode() & 0o7777, 0o2775);
}

#[test]
fn the_administrators_overrides() {
    let ground = Ground::new();
    let me = std::fs::metadata(ground.path()).unwrap();
    let by = Override {
        uid: me.uid(),
        gid: me.gid(),
        mode: 0o4700,
    };
    let settings = PlacerSettings {
        overrides: [(b"/f".to_vec(), by)].into(),
        ..settings()
    };
    ground
        .place(
            settings,
            vec![(order(0, "a"), vec![file("./f", "x"), file("./g", "x")])],
        )
        .unwrap();
    assert_eq!(
        std::fs::metadata(ground.join("f")).unwrap().mode() & 0o7777,
        0o4700
    );
    assert_eq!(
        std::fs::metadata(ground.join("g")).unwrap().mode() & 0o7777,
        0o644
    );
}

#[test]
fn filters_keep_paths_out_and_list_them() {
    let ground = Ground::new();
    let filters = vec![
        Filter::exclude("/usr/share/doc/*"),
        Filter::include("/usr/share/doc/*/copyright"),
        Filter::exclude("/usr/share/man/*"),
    ];
    let items = vec![
        dir("./usr/share/doc/a"),
        file("./usr/share/doc/a/copyright", "free"),
        file("./usr/share/doc/a/README", "long"),
        link("./usr/share/doc/b", "a"),
        dir("./usr/share/man/man1"),
        file("./usr/share/man/man1/a.1", "page"),
        file("./usr/share/a", "data"),
    ];
    let settings = PlacerSettings {
        filters,
        ..settings()
    };
    let order = bareroot_unpack::Order {
        md5: Md5::All,
        ..order(0, "a")
    };
    let outcome = ground.place(settings, vec![(order, items)]).unwrap();
    let filtered: Vec<bool> = outcome.packages[0]
        .paths
        .iter()
        .map(|record| record.filtered)
        .collect();
    assert_eq!(filtered, [false, false, true, false, true, true, false]);
    assert!(ground.join("usr/share/doc/a/copyright").exists());
    assert!(!ground.join("usr/share/doc/a/README").exists());
    assert!(!ground.join("usr/share/man").exists());
    assert_eq!(ground.text("usr/share/doc/b"), "a");
    assert!(outcome.packages[0].md5.contains_key(&b"/usr/share/a"[..]));
    assert!(
        !outcome.packages[0]
            .md5
            .contains_key(&b"/usr/share/doc/a/README"[..])
    );
}

#[test]
fn md5_of_what_is_asked_for() {
    let hello = [
        0x5d, 0x41, 0x40, 0x2a, 0xbc, 0x4b, 0x2a, 0x76, 0xb9, 0x71, 0x9d, 0x91, 0x10, 0x17, 0xc5, 0x92,
    ];
    let items = || {
        vec![
            file("./etc/a", "hello"),
            file("./etc/b", "hello"),
            hard("./etc/c", "etc/a"),
        ]
    };
    let mut wish = order(0, "a");
    wish.conffiles = [b"/etc/a".to_vec()].into();
    let outcome = Ground::new()
        .place(settings(), vec![(wish.clone(), items())])
        .unwrap();
    assert_eq!(outcome.packages[0].md5, [(b"/etc/a".to_vec(), hello)].into());
    wish.md5 = Md5::All;
    let outcome = Ground::new().place(settings(), vec![(wish, items())]).unwrap();
    assert_eq!(outcome.packages[0].md5.len(), 3);
    assert!(outcome.packages[0].md5.values().all(|sum| *sum == hello));
}

#[test]
fn what_is_shipped_twice_counts_last() {
    let ground = Ground::new();
    let items = vec![
        mode(dir("./d"), 0o700),
        mode(dir("./d"), 0o711),
        file("./d/f", "first"),
        hard("./d/g", "./d/f"),
        file("./d/f", "second"),
        link("./d/l", "old"),
        link("./d/l", "new"),
        file("./d/m", "file"),
        link("./d/m", "link"),
        link("./d/n", "link"),
        file("./d/n", "file"),
    ];
    ground.place(settings(), vec![(order(0, "a"), items)]).unwrap();
    assert_eq!(ground.read("d/f"), "second");
    assert_eq!(ground.read("d/g"), "first");
    assert_eq!(ground.text("d/l"), "new");
    assert_eq!(ground.text("d/m"), "link");
    assert_eq!(ground.text("d/n"), "link");
    assert_eq!(
        std::fs::metadata(ground.join("d")).unwrap().mode() & 0o7777,
        0o700
    );
}

#[test]
fn sizes_must_agree() {
    for (declared, content, more) in [
        (10, "short", false),
        (2, "longer", true),
        (0, "x", true),
        (u64::MAX, "", false),
    ] {
        let mut item = file("./f", content);
        item.0.size = declared;
        let error = Ground::new()
            .place(settings(), vec![(order(0, "a"), vec![item])])
            .unwrap_err();
        assert!(
            matches!(&error, Error::Size { more: m, .. } if *m == more),
            "{error}"
        );
        assert_eq!(error.class(), Class::Trust);
    }
}

#[test]
fn devices_need_permission() {
    let items = || vec![node("./dev/null", Kind::Char(1, 3))];
    let error = Ground::new()
        .place(settings(), vec![(order(0, "a"), items())])
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the package a holds `./dev/null`: a device node, which packages may not bring"
    );
    assert_eq!(error.class(), Class::Trust);
    if skip_without_root("devices_need_permission (the part that makes one)") {
        return;
    }
    let ground = Ground::new();
    let settings = PlacerSettings {
        devices: Devices::Create,
        ..settings()
    };
    match ground.place(settings, vec![(order(0, "a"), items())]) {
        Ok(_) => {
            let stat = std::fs::metadata(ground.join("dev/null")).unwrap();
            assert_eq!((stat.mode(), stat.rdev()), (0o020_640, rustix::fs::makedev(1, 3)));
        }
        Err(error) => assert_eq!(error.raw_os_error(), Some(libc::EPERM), "{error}"),
    }
}

#[test]
fn a_stop_is_heard() {
    let cancel = Cancel::default();
    let settings = PlacerSettings {
        cancel: cancel.clone(),
        ..settings()
    };
    cancel.set();
    let error = Ground::new()
        .place(settings, vec![(order(0, "a"), vec![file("./f", "x")])])
        .unwrap_err();
    assert_eq!(error.class(), Class::Interrupted);
}

#[test]
fn ordinals_are_used_once() {
    let ground = Ground::new();
    let placer = Placer::new(&ground.root(), settings()).unwrap();
    placer
        .place(&order(0, "a"), Verified::local(Made::new(Vec::new())))
        .unwrap();
    let error = placer
        .place(&order(0, "b"), Verified::local(Made::new(Vec::new())))
        .unwrap_err();
    assert_eq!(error.class(), Class::Internal);
    // A package that failed is not forgotten.
    placer
        .place(&order(1, "c"), Verified::local(Made::new(vec![dir("/abs")])))
        .unwrap_err();
    assert!(
        placer
            .finish(&NameTable::default(), &bareroot_unpack::Diversions::default())
            .is_err()
    );
}

#[test]
fn settings_say_what_they_are() {
    let text = format!("{:?}", over(&[], &[], Conffiles::Replace));
    assert!(text.contains("Replace"), "{text}");
    let _ = alone();
}

#[test]
fn a_disk_that_fills() {
    if skip_without_root("a_disk_that_fills") {
        return;
    }
    let ground = Ground::new();
    let error = {
        let _disk = bareroot_testkit::disk::Disk::mount(&ground.path(), 1 << 20);
        ground
            .place(
                settings(),
                vec![(order(0, "a"), vec![file("./usr/big", vec![1; 4 << 20])])],
            )
            .unwrap_err()
    };
    let path = ground.join("usr/big").display().to_string();
    assert_eq!(error.to_string(), format!("no space left to write `{path}`"));
    assert_eq!(error.class(), Class::Target);
    assert!(error.hint().is_some());
}
