use bareroot_testkit::deb::DebBuilder;
use bareroot_testkit::door::Door;
use bareroot_testkit::harness::Case;
use bareroot_testkit::programs::script;
use bareroot_testkit::{base, cases};

use crate::{door, repository};

pub const CASES: &[Case] = cases![
    Root: preinst, postinst, of_several_the_one_that_failed, a_killed_script, a_script_without_its_interpreter,
        a_script_for_no_machine, each_hook, a_hook_that_is_not_there, an_early_hook_stops_all, a_script_that_leaves_a_daemon;
];

#[track_caller]
fn fails(packages: &[DebBuilder], include: &str, words: &[&str]) -> String {
    let door = door(&repository(packages));
    let run = door.bootstrap(&["--include", include]).failed(7, words);
    door.assert_nothing_left();
    run.stderr
}

fn preinst() {
    let bad = base::package("bad", "1").script("preinst", script("echo oh dear\nexit 4"));
    fails(
        &[bad],
        "bad",
        &["the preinst script of package `bad` failed", "4", "\n  oh dear\n"],
    );
}

fn postinst() {
    let bad = base::package("bad", "1").script("postinst", script("echo oh dear\nexit 4"));
    fails(
        &[bad],
        "bad",
        &[
            "the postinst script of package `bad` failed",
            "4",
            "\n  oh dear\n",
            "hint: --verbose",
        ],
    );
}

fn of_several_the_one_that_failed() {
    let good = base::package("zzz", "1").script("postinst", script("echo all is well"));
    let bad = base::package("bad", "1").script("postinst", script("echo oh dear\nexit 4"));
    let before = base::package("aaa", "1").script("postinst", script("echo so far so good"));
    let said = fails(&[good, bad, before], "zzz,bad,aaa", &["`bad`", "  oh dear"]);
    assert!(
        !said.contains("all is well") && !said.contains("so far"),
        "{said}"
    );
}

fn a_killed_script() {
    for name in ["preinst", "postinst"] {
        let bad = base::package("bad", "1").script(name, script("kill-self"));
        fails(
            &[bad],
            "bad",
            &[&format!("the {name} script of package `bad` failed"), "killed by"],
        );
    }
}

fn a_script_without_its_interpreter() {
    let bad = base::package("bad", "1").script("preinst", "#!/usr/bin/nothing\n");
    fails(&[bad], "bad", &["`bad`", "preinst"]);
}

fn a_script_for_no_machine() {
    let bad = base::package("bad", "1").script("preinst", "\x7fELF no program");
    fails(&[bad], "bad", &["`bad`", "preinst"]);
}

fn each_hook() {
    for kind in ["setup", "extract", "essential", "customize"] {
        let door = door(&repository(&[]));
        door.bootstrap(&[&format!("--{kind}-hook"), "echo oh dear; exit 9"])
            .failed(
                7,
                &[
                    &format!("the {kind} hook `echo oh dear; exit 9` failed"),
                    "9",
                    "  oh dear",
                ],
            );
        door.assert_nothing_left();
    }
}

fn a_hook_that_is_not_there() {
    let door = door(&repository(&[]));
    door.bootstrap(&["--customize-hook", "/nowhere/hook"])
        .failed(7, &["`/nowhere/hook`"]);
    door.assert_nothing_left();
}

fn an_early_hook_stops_all() {
    let door: Door = door(&repository(&[]));
    let seen = format!("touch {}", door.path("seen").display());
    door.bootstrap(&[
        "--setup-hook",
        "false",
        "--setup-hook",
        &seen,
        "--customize-hook",
        &seen,
    ])
    .failed(7, &["`false`"]);
    assert!(!door.path("seen").exists());
    let archives = door
        .mirror
        .requests()
        .into_iter()
        .filter(|request| request.path.starts_with("pool/"));
    assert_eq!(archives.count(), 0);
}

fn a_script_that_leaves_a_daemon() {
    let bad = base::package("bad", "1").script("postinst", script("daemon\nexit 1"));
    fails(&[bad], "bad", &["`bad`"]);
}
