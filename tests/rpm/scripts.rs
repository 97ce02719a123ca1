use bareroot_testkit::door::{Run, is_there};
use bareroot_testkit::harness::Case;
use bareroot_testkit::rpm::{On, RpmBuilder, When};
use bareroot_testkit::{cases, rpm_base};

use crate::Ground;

pub const CASES: &[Case] = cases![
    Root: a_failing_pre, a_failing_pretrans, a_failing_post_warns, a_failing_posttrans_warns, a_killed_pre,
        an_interpreter_that_is_not_there, what_fails_in_a_trigger_warns, each_hook, a_daemon_that_is_left, in_rpms_order,
        as_rpm_runs_them, nothing_of_it_with_extract;
];

#[track_caller]
fn fails(rpm: RpmBuilder, words: &[&str]) {
    let ground = Ground::with(&[rpm]);
    ground.include("bad").failed(7, words);
    ground.door.assert_nothing_left();
}

fn bad(when: When, body: &str) -> RpmBuilder {
    rpm_base::scripted("bad", "1-1").script(when, "/bin/sh", body)
}

fn a_failing_pre() {
    fails(
        bad(When::Pre, "echo oh dear\nexit 4"),
        &[
            "%prein(bad-1-1.",
            "scriptlet failed with exit code 4",
            "\n  oh dear\n",
            "hint: --verbose",
        ],
    );
}

fn a_failing_pretrans() {
    let rpm = rpm_base::package("bad", "1-1").script(When::Pretrans, "<lua>", "error('oh dear')");
    fails(rpm, &["%pretrans", "bad", "oh dear"]);
    // In an empty root there is no shell.
    fails(bad(When::Pretrans, "exit 0"), &["%pretrans", "bad"]);
}

#[track_caller]
fn warns(rpm: RpmBuilder, words: &[&str]) -> Run {
    let ground = Ground::with(&[rpm]);
    let run = ground.include("bad").succeeded();
    let warning = |line: &str| line.starts_with("warning: ") && words.iter().all(|word| line.contains(word));
    assert!(run.stderr.lines().any(warning), "{}", run.stderr);
    assert!(is_there(&ground.root("usr/bin/sh")));
    ground.door.assert_no_mount_and_no_process();
    run
}

fn a_failing_post_warns() {
    warns(bad(When::Post, "echo oh dear\nexit 4"), &["%post(bad-1-1.", "4"]).says(&["oh dear"]);
}

fn a_failing_posttrans_warns() {
    warns(bad(When::Posttrans, "exit 1"), &["%posttrans(bad-1-1."]);
    warns(
        rpm_base::scripted("bad", "1-1")
            .program(When::Post, "/usr/bin/nothing")
            .provides("/usr/bin/nothing"),
        &["%post(bad-1-1."],
    );
}

fn a_killed_pre() {
    fails(bad(When::Pre, "kill-self"), &["%prein(bad-1-1.", "killed by"]);
}

fn an_interpreter_that_is_not_there() {
    let rpm = rpm_base::scripted("bad", "1-1")
        .script(When::Pre, "/usr/bin/nothing", "exit 0")
        .provides("/usr/bin/nothing");
    fails(rpm, &["%prein(bad-1-1.", "cannot run `/usr/bin/nothing`"]);
}

fn what_fails_in_a_trigger_warns() {
    for on in [On::Packages, On::Files, On::FilesOfAll] {
        let names = match on {
            On::Packages => "setup",
            _ => "/usr/lib",
        };
        let rpm = rpm_base::scripted("bad", "1-1").trigger(on, &[names], "/bin/sh", "exit 3");
        warns(rpm, &["(bad-1-1.", "scriptlet failed with exit code 3"]);
    }
}

fn each_hook() {
    for kind in ["setup", "extract", "essential", "customize"] {
        let ground = Ground::with(&[]);
        ground
            .bootstrap(&[
                "--include",
                "@core",
                &format!("--{kind}-hook"),
                "echo oh dear; exit 9",
            ])
            .failed(
                7,
                &[
                    &format!("the {kind} hook `echo oh dear; exit 9` failed"),
                    "9",
                    "  oh dear",
                ],
            );
        ground.door.assert_nothing_left();
    }
}

fn a_daemon_that_is_left() {
    let ground = Ground::with(&[bad(When::Post, "daemon\necho started")]);
    let options = ["--include", "@core,bad", "--verbose"];
    ground.bootstrap(&options).succeeded().says(&["started"]);
    ground.door.assert_no_mount_and_no_process();
}

/// rpm's order for a new root: each package with its triggers, then what runs after the transaction.
fn in_rpms_order() {
    let noting = |name: &str| {
        let note = |what: &str| format!("note /order {name} {what}");
        rpm_base::scripted(name, "1-1")
            .script(When::Pre, "/bin/sh", &note("pre"))
            .script(When::Post, "/bin/sh", &note("post"))
            .script(When::Preun, "/bin/sh", "exit 1")
            .script(When::Postun, "/bin/sh", "exit 1")
            .script(When::Posttrans, "/bin/sh", &note("posttrans"))
            .file(&format!("/usr/share/{name}/file"), name)
    };
    let first = noting("first")
        .trigger(
            On::Packages,
            &["second"],
            "/bin/sh",
            "note /order first triggerin",
        )
        .trigger(
            On::Files,
            &["/usr/share/second"],
            "/bin/sh",
            "note /order first early",
        )
        .priority(2_000_000)
        .trigger(
            On::Files,
            &["/usr/share/second"],
            "/bin/sh",
            "note /order first late",
        )
        .priority(100)
        .trigger(
            On::FilesOfAll,
            &["/usr/share/first", "/usr/share/second"],
            "/bin/sh",
            "note /order first all\nstdin /files",
        );
    let second = noting("second").requires("first");
    let ground = Ground::with(&[first, second]);
    ground.include("first,second").succeeded();
    let expected = [
        "first pre 1",
        "first post 1",
        "second pre 1",
        "first early 1 1",
        "second post 1",
        "first triggerin 1 1",
        "first late 1 1",
        "first posttrans 1",
        "second posttrans 1",
        "first all 1",
    ];
    // The numbers of a file trigger's arguments are rpm's to choose: what counts is the order.
    let found = ground.text("order");
    let words = |line: &str| line.split(' ').take(2).collect::<Vec<_>>().join(" ");
    assert_eq!(
        found.lines().map(words).collect::<Vec<_>>(),
        expected.map(words),
        "{found}"
    );
    assert!(
        found.contains("first pre 1\n") && found.contains("first triggerin 1 1\n"),
        "{found}"
    );
    assert_eq!(
        ground.text("files"),
        "/usr/share/first/file\n/usr/share/second/file\n"
    );
}

fn as_rpm_runs_them() {
    let rpm = rpm_base::scripted("hello", "1-1").script(
        When::Post,
        "/bin/sh",
        "env /env\nargs /args\nexists /proc/1/status\nexists /dev/null\nstdin /stdin",
    );
    let ground = Ground::with(&[rpm]);
    let mut command = ground.command("bootstrap", &ground.repo(""), &["--include", "@core,hello"]);
    command
        .env("MINE", "1")
        .env("LD_PRELOAD", "/nowhere.so")
        .env("LC_ALL", "de_DE.UTF-8");
    bareroot_testkit::door::run(command).succeeded();
    assert_eq!(ground.text("args"), "1\n");
    assert_eq!(ground.text("stdin"), "");
    let environment = ground.text("env");
    for line in ["HOME=/root", "LANG=C.UTF-8"] {
        assert!(environment.lines().any(|own| own == line), "{environment}");
    }
    for name in ["MINE", "LD_PRELOAD", "LC_ALL"] {
        assert!(!environment.contains(name), "{environment}");
    }
}

fn nothing_of_it_with_extract() {
    let ground = Ground::with(&[bad(When::Pre, "exit 1").file("/usr/share/bad", "x")]);
    let options = ["--include", "@core,bad", "--variant", "extract"];
    ground.bootstrap(&options).succeeded();
    assert!(is_there(&ground.root("usr/share/bad")));
    assert!(!is_there(&ground.root("var/lib/rpm")) && !is_there(&ground.root("usr/lib/sysimage")));
}
