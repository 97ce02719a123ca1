//! Roots in two stages, and of other architectures.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use bareroot_testkit::deb::DebBuilder;
use bareroot_testkit::door::{Door, Run, SUITE, is_there, run};
use bareroot_testkit::harness::Case;
use bareroot_testkit::programs::script;
use bareroot_testkit::repo::{RepoBuilder, Suite};
use bareroot_testkit::tree::{Tree, TreeOptions, diff};
use bareroot_testkit::{base, cases};

use crate::{door, installed, repository, text};

pub const CASES: &[Case] = cases![
    Root: the_second_stage_makes_the_root_that_one_stage_makes, a_second_stage_goes_on_where_it_stopped,
        the_customize_hook_waits_for_the_second_stage, hooks_that_come_too_early, a_root_without_a_second_stage,
        a_second_stage_that_somebody_changed, no_emulator, a_foreign_root_is_unpacked_all_the_same,
        extract_needs_no_emulator;
    Nothing: names_of_architectures, options_of_the_first_stage;
];

/// A machine that nothing emulates.
const MACHINE: &str = "ia64";

fn second_stage(door: &Door, options: &[&str]) -> Run {
    let mut command = door.command(["bootstrap", "--second-stage"]);
    command.arg(door.target()).args(options);
    run(command)
}

/// Packages with scripts of every kind that runs.
fn scripted() -> [DebBuilder; 2] {
    [
        base::package("first", "1")
            .script("preinst", script("note /preinsts first\nenv /environment"))
            .script("postinst", script("note /postinsts first")),
        base::package("second", "2")
            .field("Depends", "first")
            .conffile("/etc/second.conf", "c\n")
            .script("preinst", script("note /preinsts second"))
            .script(
                "postinst",
                script("note /postinsts second\nchown /etc/second.conf 1 42"),
            ),
    ]
}

fn the_second_stage_makes_the_root_that_one_stage_makes() {
    let door = door(&repository(&scripted()));
    let make = |options: &[&str]| {
        let mut command = door.bootstrap_command(&[&["--include", "second"], options].concat());
        command.env("SOURCE_DATE_EPOCH", "1700000000");
        run(command).succeeded();
    };
    make(&[]);
    let direct = door.path("direct");
    fs::rename(door.target(), &direct).unwrap();

    make(&["--foreign"]);
    let root = door.target();
    let states = installed(&root);
    assert!(
        states.len() == 6 && states.iter().all(|state| state.ends_with(" unpacked")),
        "{states:?}"
    );
    assert!(!is_there(&root.join("etc/passwd")) && !is_there(&root.join("preinsts")));
    let script = fs::metadata(root.join("bareroot/second-stage")).unwrap();
    assert_eq!(script.permissions().mode() & 0o7777, 0o755);
    let course = text(root.join("bareroot/course"));
    assert!(course.starts_with("preinst 0 base-passwd install\n"), "{course}");
    assert!(course.ends_with("\nconfigure\n"), "{course}");

    second_stage(&door, &[]).succeeded();
    let options = TreeOptions {
        mtime: true,
        ..TreeOptions::default()
    };
    let read = |root: &Path| Tree::read(root, &options).unwrap();
    let differences = diff(&read(&direct), &read(&root), &|_| false);
    assert!(differences.is_empty(), "{differences:?}");
    assert!(!is_there(&root.join("bareroot")));
    assert_eq!(text(root.join("preinsts")), "first install\nsecond install\n");
    assert!(text(root.join("environment")).contains("DPKG_MAINTSCRIPT_NAME=preinst\n"));
}

fn a_second_stage_goes_on_where_it_stopped() {
    let late = base::package("late", "1")
        .script("preinst", script("note /preinsts late"))
        .script("postinst", script("copy /needed /done"));
    let door = door(&repository(&[late]));
    door.bootstrap(&["--include", "late", "--foreign"]).succeeded();
    let root = door.target();
    second_stage(&door, &[]).failed(7, &["the postinst script of package `late` failed"]);
    assert!(is_there(&root.join("bareroot/second-stage")));
    assert!(!is_there(&root.join("usr/sbin/policy-rc.d")));
    fs::write(root.join("needed"), "n").unwrap();
    second_stage(&door, &[]).succeeded();
    assert_eq!(text(root.join("done")), "n");
    // What was done is not done again.
    assert_eq!(text(root.join("preinsts")), "late install\n");
    assert!(installed(&root).iter().all(|state| state.ends_with(" installed")));
    assert!(!is_there(&root.join("bareroot")) && !is_there(&root.join("usr/sbin/policy-rc.d")));
}

fn the_customize_hook_waits_for_the_second_stage() {
    let door = door(&repository(&[]));
    door.bootstrap(&["--foreign"]).succeeded();
    second_stage(&door, &["--customize-hook", "cp \"$1\"/etc/passwd \"$1\"/copied"]).succeeded();
    assert!(text(door.target().join("copied")).starts_with("root:"));
}

fn hooks_that_come_too_early() {
    let door = door(&repository(&[]));
    for (option, hint) in [("--customize-hook", "--second-stage"), ("--essential-hook", "")] {
        door.bootstrap(&["--foreign", option, "true"])
            .failed(2, &[&format!("{option} needs configured packages"), hint]);
        door.assert_nothing_left();
    }
}

fn a_root_without_a_second_stage() {
    let door = door(&repository(&[]));
    fs::create_dir(door.target()).unwrap();
    second_stage(&door, &[]).failed(6, &["has no second stage", "bareroot/about", "--foreign"]);
    fs::remove_dir(door.target()).unwrap();
    second_stage(&door, &[]).failed(6, &["No such file or directory"]);
}

fn a_second_stage_that_somebody_changed() {
    let door = door(&repository(&[]));
    door.bootstrap(&["--foreign"]).succeeded();
    let root = door.target();
    fs::write(root.join("bareroot/course"), "run /bin/something\n").unwrap();
    second_stage(&door, &[]).failed(
        6,
        &["/bareroot/course is not as bareroot writes it: `run /bin/something`"],
    );
    // A link out of the root is read inside of it, where there is nothing.
    fs::remove_file(root.join("bareroot/course")).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", root.join("bareroot/course")).unwrap();
    second_stage(&door, &[]).failed(6, &["bareroot/course"]);
}

/// The base's packages as far as they have to be there to be unpacked, for another machine.
fn other_repository() -> RepoBuilder {
    let suite = Suite {
        architectures: vec![MACHINE.into()],
        ..Suite::new(SUITE)
    };
    let package = |name: &str| {
        DebBuilder::new(name, "1", MACHINE)
            .field("Priority", "required")
            .field("Essential", "yes")
            .file(&format!("/usr/share/{name}"), name)
    };
    ["base-files", "base-passwd", "dpkg", "apt"]
        .into_iter()
        .fold(RepoBuilder::new().suite(suite), |repository, name| {
            repository.package(SUITE, "main", &package(name))
        })
}

fn no_emulator() {
    let door = door(&other_repository());
    door.bootstrap(&["--arch", MACHINE]).failed(
        6,
        &[
            "nothing on this host runs programs of `ia64`",
            "binfmt_misc",
            "no emulator for them is known",
            "--foreign",
        ],
    );
    door.assert_nothing_left();
}

fn a_foreign_root_is_unpacked_all_the_same() {
    let door = door(&other_repository());
    door.bootstrap(&["--arch", MACHINE, "--foreign"]).succeeded();
    let root = door.target();
    assert_eq!(text(root.join("var/lib/dpkg/arch")), "ia64\n");
    assert_eq!(text(root.join("usr/share/dpkg")), "dpkg");
    assert!(text(root.join("bareroot/about")).contains("arch ia64\n"));
    second_stage(&door, &[]).failed(6, &["nothing on this host runs programs of `ia64`"]);
    assert!(is_there(&root.join("bareroot/second-stage")));
}

fn extract_needs_no_emulator() {
    let door = door(&other_repository());
    door.bootstrap(&["--arch", MACHINE, "--variant", "extract", "--include", "dpkg"])
        .succeeded();
    assert_eq!(text(door.target().join("usr/share/dpkg")), "dpkg");
    assert!(!is_there(&door.target().join("bareroot")));
}

fn names_of_architectures() {
    let door = door(&repository(&[]));
    door.resolve(&["--arch", "aarch64"]).failed(
        2,
        &[
            "Debian has no architecture called `aarch64`",
            "its name is `arm64` there",
        ],
    );
    door.resolve(&["--arch", "vax"]).failed(
        2,
        &["Debian has no architecture called `vax`", "amd64, i386, arm64"],
    );
}

fn options_of_the_first_stage() {
    let door = door(&repository(&[]));
    second_stage(&door, &["--arch", "arm64"]).failed(2, &["--second-stage", "--arch"]);
    second_stage(&door, &["--foreign"]).failed(2, &["--second-stage", "--foreign"]);
    let mut command = door.command(["bootstrap", "--second-stage", "debian:trixie"]);
    command.arg(door.target());
    run(command).failed(2, &["--second-stage takes a root only", "`debian:trixie`"]);
}
