use bareroot_testkit::cases;
use bareroot_testkit::door::{self, SUITE};
use bareroot_testkit::harness::Case;
use bareroot_testkit::mirror::Fault;

use crate::{Ground, package};

pub const CASES: &[Case] = cases![
    Nothing: another_version, edited, another_architecture, no_lock, options_that_the_lock_was_not_made_from, no_lock_at_all,
        snapshots, words_of_a_lock_are_shown_safely;
    Root: a_package_that_differs;
];

fn locked() -> Ground {
    let ground = Ground::with(&[package("hello", "1"), package("other", "1")]);
    ground.lock(&["--include", "hello"]).succeeded();
    ground
}

fn another_version() {
    let ground = locked();
    let text = ground
        .text("bareroot.lock")
        .replace("version = 1\ncontent", "version = 2\ncontent");
    ground.write("bareroot.lock", &text);
    let words = [
        "bareroot.lock is a lock of version 2; expected version 1",
        "hint: ",
    ];
    ground.bootstrap("bareroot.lock", "root", &[]).failed(8, &words);
    ground.run(&["resolve", "bareroot.lock"]).failed(8, &words);
    ground.lock(&["--include", "hello"]).failed(8, &words);
    let run = ground.lock(&["--include", "hello", "--upgrade"]).succeeded();
    assert!(run.stderr.contains("it is made anew"), "{}", run.stderr);
    ground.run(&["resolve", "bareroot.lock"]).succeeded();
}

fn edited() {
    let ground = locked();
    let text = ground
        .text("bareroot.lock")
        .replace("version = \"1\"", "version = \"2\"");
    ground.write("bareroot.lock", &text);
    ground
        .bootstrap("bareroot.lock", "root", &[])
        .failed(8, &["bareroot.lock was changed after it was written", "hint: "]);
    ground.write("bareroot.lock", "nothing like it");
    ground
        .bootstrap("bareroot.lock", "root", &[])
        .failed(8, &["bareroot.lock is not a lock"]);
    assert!(!ground.path("root").exists());
}

fn another_architecture() {
    let ground = locked();
    if bareroot_testkit::base::ARCH != "amd64" {
        return;
    }
    ground
        .bootstrap("bareroot.lock", "root", &["--arch", "i386"])
        .failed(
            8,
            &[
                "has nothing for `i386`",
                "amd64",
                "hint: `bareroot lock --arch i386`",
            ],
        );
}

fn no_lock() {
    let ground = locked();
    ground
        .bootstrap("none.lock", "root", &[])
        .failed(8, &["there is no lock `none.lock`"]);
    ground
        .lock(&["-o", "none.lock", "--upgrade", "hello"])
        .failed(8, &["there is no lock"]);
}

fn options_that_the_lock_was_not_made_from() {
    let ground = locked();
    for (options, changes) in [
        (&["--include", "other"][..], "include (+other)"),
        (&["--variant", "custom"], "variant (\"minbase\" -> \"custom\")"),
        (
            &["--exclude", "apt", "--recommends"],
            "exclude (+apt), recommends (absent -> true)",
        ),
        (&["--updates"], "updates (false -> true)"),
        (&["--components", "main,contrib"], "components (+main, +contrib)"),
    ] {
        ground
            .bootstrap("bareroot.lock", "root", options)
            .failed(8, &["bareroot.lock was made from something else", changes]);
    }
    // Options that the packages do not depend on are no change.
    ground
        .run(&[
            "resolve",
            "bareroot.lock",
            "--offline",
            "--jobs",
            "2",
            "--mirror",
            "http://none.invalid",
        ])
        .succeeded();
}

fn no_lock_at_all() {
    let ground = Ground::with(&[package("hello", "1")]);
    let spec = format!("debian:{SUITE}");
    let resolve = |options: &[&str]| {
        let mut command = ground.command(&["resolve", &spec, "--locked"]);
        command.args(ground.sources()).args(options);
        door::run(command)
    };
    resolve(&[]).failed(8, &["there is no lock `bareroot.lock`", "hint: `bareroot lock`"]);
    ground.lock(&[]).succeeded();
    let run = resolve(&[]).succeeded();
    assert!(run.stderr.contains("bareroot.lock is used"), "{}", run.stderr);
    resolve(&["--include", "hello"]).failed(8, &["include (+hello)"]);
}

fn snapshots() {
    let ground = locked();
    ground
        .bootstrap("bareroot.lock", "root", &["--snapshot", "yesterday"])
        .failed(2, &["`yesterday` is no moment"]);
    let rpm = ["resolve", "fedora:43", "--snapshot", "2026-01-31"];
    ground.run(&rpm).failed(2, &["--snapshot is not for RPM roots"]);
    let laid_over = ["resolve", "raspberrypi", "--snapshot", "2026-01-31"];
    ground
        .run(&laid_over)
        .failed(2, &["no snapshot service is known"]);
}

fn words_of_a_lock_are_shown_safely() {
    let ground = locked();
    ground.write("bad.lock", "version = 1\ncontent = \"\x1b[2J\"\n");
    let run = ground.bootstrap("bad.lock", "root", &[]).failed(8, &["bad.lock"]);
    assert!(!run.stderr.contains('\x1b'), "{}", run.stderr);
}

fn a_package_that_differs() {
    let ground = locked();
    let arch = bareroot_testkit::base::ARCH;
    let path = format!("pool/main/hello/hello_1_{arch}.deb");
    ground.door.mirror.always(
        &path,
        Fault::Replace(package("hello", "1").file("/evil", "x").build()),
    );
    ground
        .bootstrap("bareroot.lock", "root", &["--no-standins"])
        .failed(5, &["hello_1"]);
    assert!(!ground.path("root").exists());
}
