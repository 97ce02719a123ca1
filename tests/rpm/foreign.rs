//! Roots in two stages, and of other architectures.

use std::fs;
use std::path::Path;

use bareroot_testkit::door::{Run, is_there, run};
use bareroot_testkit::harness::Case;
use bareroot_testkit::rpm::{Item, On, RpmBuilder, When};
use bareroot_testkit::tree::{Tree, TreeOptions, diff};
use bareroot_testkit::{cases, rpm_base};

use crate::Ground;

pub const CASES: &[Case] = cases![
    Root: the_second_stage_makes_the_root_that_one_stage_makes, a_second_stage_goes_on_where_it_stopped, no_emulator,
        a_second_stage_that_somebody_changed;
    Nothing: names_of_architectures;
];

/// A machine that nothing emulates.
const MACHINE: &str = "ia64";

fn second_stage(ground: &Ground) -> Run {
    let mut command = ground.door.command(["bootstrap", "--second-stage"]);
    command.arg(ground.door.target());
    run(command)
}

/// Scriptlets of every moment, a trigger of each kind, a user and a file of it.
fn scripted() -> RpmBuilder {
    let note = |when: &str| format!("note /scriptlets {when}");
    rpm_base::scripted("scripted", "1-1")
        .script(When::Pretrans, "<lua>", "posix.mkdir('/made-by-lua')")
        .script(When::Pre, "/bin/sh", &note("pre"))
        .script(
            When::Post,
            "<lua>",
            "rpm.execute('/bin/sh', '/usr/share/scripted/more')",
        )
        .script(When::Posttrans, "/bin/sh", &note("posttrans"))
        .trigger(On::Packages, &["setup"], "/bin/sh", &note("trigger"))
        .trigger(On::Files, &["/usr/lib"], "/bin/sh", "stdin /files")
        .item(Item::file("/usr/share/scripted/more", "note /scriptlets lua"))
        .item(
            Item::file("/usr/share/scripted/daemons", "d")
                .owner("daemon", "tty")
                .mode(0o2750),
        )
}

fn the_second_stage_makes_the_root_that_one_stage_makes() {
    let ground = Ground::with(&[scripted()]);
    let make = |options: &[&str]| {
        let include = format!("{},scripted", rpm_base::CORE);
        let options = [&["--include", &include], options].concat();
        let mut command = ground.command("bootstrap", &ground.repo(""), &options);
        command.env("SOURCE_DATE_EPOCH", "1700000000");
        run(command).succeeded()
    };
    make(&[]);
    let direct = ground.door.path("direct");
    fs::rename(ground.door.target(), &direct).unwrap();
    assert!(crate::text(direct.join("scriptlets")).contains("lua"));

    make(&["--foreign"]).says(&["bareroot bootstrap --second-stage"]);
    assert!(is_there(&ground.root("made-by-lua")));
    assert!(!is_there(&ground.root("scriptlets")) && !is_there(&ground.root("files")));
    second_stage(&ground).succeeded();
    let options = TreeOptions {
        mtime: true,
        ..TreeOptions::default()
    };
    let read = |root: &Path| Tree::read(root, &options).unwrap();
    let differences = diff(&read(&direct), &read(&ground.door.target()), &|_| false);
    assert!(differences.is_empty(), "{differences:?}");
    assert!(!is_there(&ground.root("bareroot")));
}

fn a_second_stage_goes_on_where_it_stopped() {
    let late =
        rpm_base::scripted("late", "1-1").script(When::Pre, "/bin/sh", "note /runs late\ncopy /needed /done");
    let early = rpm_base::scripted("early", "1-1").script(When::Pre, "/bin/sh", "note /runs early");
    let ground = Ground::with(&[early, late.requires("early")]);
    let include = format!("{},late", rpm_base::CORE);
    ground
        .bootstrap(&["--include", &include, "--foreign"])
        .succeeded();
    second_stage(&ground).failed(7, &["%prein(late-1-1."]);
    fs::write(ground.root("needed"), "n").unwrap();
    second_stage(&ground).succeeded();
    assert_eq!(ground.text("done"), "n");
    // The one that failed is run again; the one before it is not.
    assert_eq!(ground.text("runs"), "early 1\nlate 1\nlate 1\n");
    assert!(!is_there(&ground.root("bareroot")));
    second_stage(&ground).failed(6, &["has no second stage"]);
}

fn no_emulator() {
    let ground = Ground::with(&[]);
    ground
        .bootstrap(&["--include", rpm_base::CORE, "--arch", MACHINE])
        .failed(6, &["nothing on this host runs programs of `ia64`", "--foreign"]);
    ground.door.assert_nothing_left();
}

fn a_second_stage_that_somebody_changed() {
    let ground = Ground::with(&[]);
    ground
        .bootstrap(&["--include", rpm_base::CORE, "--foreign"])
        .succeeded();
    fs::write(ground.root("bareroot/files/0"), "9+").unwrap();
    second_stage(&ground).failed(6, &["/bareroot/files/0 is not as bareroot writes it: `9+`"]);
    fs::write(ground.root("bareroot/headers/0"), "header").unwrap();
    second_stage(&ground).failed(5, &["/bareroot/headers/0"]);
}

fn names_of_architectures() {
    let ground = Ground::with(&[]);
    ground
        .resolve(&["--include", rpm_base::CORE, "--arch", "arm64"])
        .failed(
            2,
            &[
                "RPM has no architecture called `arm64`",
                "its name is `aarch64` there",
            ],
        );
}
