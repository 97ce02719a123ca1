use std::os::unix::fs::symlink;
use std::sync::atomic::{AtomicBool, Ordering};

use bareroot_model::{Class, Classified};
use bareroot_unpack::{Error, Escape};

use crate::kit::*;

fn refused(items: Vec<Item>) -> Error {
    let ground = Ground::new();
    let error = ground
        .place(settings(), vec![(order(0, "evil"), items)])
        .unwrap_err();
    assert_eq!(error.class(), Class::Trust, "{error}");
    error
}

#[test]
fn names_that_leave() {
    for name in [
        "../canary/bird",
        "./../canary/bird",
        "a/../../canary/bird",
        "/etc/passwd",
        "./a/..",
        "..",
        "",
    ] {
        for item in [file(name, "dead"), dir(name), link(name, "x")] {
            assert!(
                matches!(refused(vec![dir("./a"), item]), Error::Escape { .. }),
                "{name}"
            );
        }
    }
    refused(vec![file(b"./a\0b", "x")]);
    refused(vec![file(b"./a\nb", "x")]);
    refused(vec![file([b'n'; 256], "x")]);
    refused(vec![file("./", "x")]);
    refused(vec![link("./", "x")]);
    refused(vec![file("d/".repeat(2100) + "f", "x")]);
    refused(vec![link("./l", "")]);
    refused(vec![link("./l", b"a\0b")]);
    refused(vec![link("./l", vec![b'x'; 5000])]);
}

#[test]
fn a_link_and_then_a_path_through_it() {
    let ground = Ground::new();
    let canary = ground.canary().into_os_string().into_encoded_bytes();
    for text in [canary.as_slice(), b"../canary", b"/etc", b"inside"] {
        for items in [
            vec![link("./l", text), file("./l/bird", "dead")],
            vec![file("./l/bird", "dead"), link("./l", text)],
            vec![link("./l", text), dir("./l"), file("./l/bird", "dead")],
            vec![link("./l", text), dir("./l/sub")],
            vec![link("./l", text), file("./l/sub/bird", "dead")],
            vec![link("./l", text), link("./l/bird", "x")],
        ] {
            let error = refused(items);
            assert!(
                matches!(
                    error,
                    Error::Escape {
                        escape: Escape::ThroughOwnLink,
                        ..
                    }
                ),
                "{error}"
            );
        }
    }
}

#[test]
fn a_link_of_one_package_and_a_path_of_another() {
    let ground = Ground::new();
    let canary = ground.canary().into_os_string().into_encoded_bytes();
    for text in [canary.as_slice(), b"../canary", b"../../../../../../etc"] {
        let a = (order(1, "a"), vec![link("./l", text)]);
        let b = (order(2, "b"), vec![dir("./l"), file("./l/bird", "dead")]);
        // The canary is looked at when the ground is dropped.
        let (_outcome, _ground) = in_every_order(settings, |_| {}, vec![a, b]);
    }
}

#[test]
fn hard_links_that_leave() {
    let ground = Ground::new();
    let bird = ground.canary().join("bird").into_os_string().into_encoded_bytes();
    for target in [
        bird.as_slice(),
        b"../canary/bird",
        b"./f/../../canary/bird",
        b"/f",
        b"",
        b"./",
        b"./later",
        b"d",
    ] {
        let error = refused(vec![
            file("./f", "x"),
            dir("./d"),
            hard("./h", target),
            file("./later", "x"),
        ]);
        assert!(matches!(error, Error::Hardlink { .. }), "{error}");
    }
    // Not to what another package, or nobody, has either.
    let ground = Ground::new();
    std::fs::write(ground.join("there"), b"x").unwrap();
    let error = ground
        .place(settings(), vec![(order(0, "a"), vec![hard("./h", "./there")])])
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "`/h` of the package a is a hard link to `./there`, which is no file before it in the package"
    );
    let error = refused(vec![link("./l", "../canary/bird"), hard("./h", "./l")]);
    assert!(error.to_string().ends_with("which is a symbolic link"), "{error}");
    let filters = vec![bareroot_unpack::Filter::exclude("/f")];
    let settings = bareroot_unpack::PlacerSettings {
        filters,
        ..settings()
    };
    let items = vec![file("./f", "x"), hard("./h", "./f")];
    let error = Ground::new()
        .place(settings, vec![(order(0, "a"), items)])
        .unwrap_err();
    assert!(error.to_string().ends_with("which a filter keeps out"), "{error}");
}

#[test]
fn links_that_were_there_and_lead_out() {
    let ground = Ground::new();
    symlink(ground.canary(), ground.join("out")).unwrap();
    symlink("../canary", ground.join("up")).unwrap();
    symlink("/proc/self/cwd", ground.join("magic")).unwrap();
    symlink(ground.canary().join("bird"), ground.join("bird")).unwrap();
    let items = vec![
        dir("./out"),
        file("./out/bird", "dead"),
        dir("./up"),
        file("./up/bird", "dead"),
        file("./magic/bird", "dead"),
        file("./bird", "dead"),
    ];
    ground.place(settings(), vec![(order(0, "a"), items)]).unwrap();
    // Seen from inside they lead nowhere, so that dpkg puts directories in their place.
    for path in ["out/bird", "up/bird", "magic/bird", "bird"] {
        assert_eq!(ground.read(path), "dead");
        assert!(
            std::fs::symlink_metadata(ground.join(path.split('/').next().unwrap()))
                .is_ok_and(|s| !s.is_symlink())
        );
    }
}

/// Somebody renames directories away and puts links to the outside in their place while packages are placed.
#[test]
fn a_race_for_the_directories() {
    let ground = Ground::new();
    let canary = ground.canary();
    std::fs::create_dir(ground.join("d")).unwrap();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let (d, away) = (ground.join("d"), ground.join("away"));
            while !stop.load(Ordering::Relaxed) {
                if std::fs::rename(&d, &away).is_ok() {
                    let _ = symlink(&canary, &d);
                    std::thread::yield_now();
                    let _ = std::fs::remove_file(&d);
                    let _ = std::fs::rename(&away, &d);
                }
            }
        });
        for round in 0..20 {
            let items = (0..10).flat_map(|n| {
                let sub = format!("./d/{round}-{n}");
                [
                    dir("./d"),
                    file(format!("./d/bird{round}-{n}"), "dead"),
                    dir(&sub),
                    file(format!("{sub}/bird"), "dead"),
                    link(format!("{sub}/l"), "x"),
                ]
            });
            // It may fail, and it may land in `away`; it must not land outside.
            let _ = ground.place(settings(), vec![(order(0, "a"), items.collect())]);
        }
        stop.store(true, Ordering::Relaxed);
    });
    let birds: Vec<_> = std::fs::read_dir(&canary)
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .collect();
    assert_eq!(birds, ["bird"]);
}

#[test]
fn very_deep_paths() {
    let ground = Ground::new();
    let deep = "d/".repeat(2000);
    let items = vec![file(format!("./{deep}f"), "x"), link(format!("./{deep}l"), "f")];
    ground.place(settings(), vec![(order(0, "a"), items)]).unwrap();
    ground.root().remove_all("d").unwrap();
    assert!(!ground.join("d").exists());
}
