//! Runs that are held in one phase until they are told to stop, or are killed.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use bareroot_testkit::door::{Going, Signal};
use bareroot_testkit::harness::Case;
use bareroot_testkit::mirror::Fault;
use bareroot_testkit::rpm::{On, When};
use bareroot_testkit::{Compression, cases, rpm_base};

use crate::Ground;

pub const CASES: &[Case] = cases![
    Nothing: interrupted_while_the_mirror_is_silent, interrupted_while_an_index_stalls;
    Root: interrupted_in_every_phase, by_other_signals, killed_in_every_phase, interrupted_at_any_moment, killed_at_any_moment;
];

/// How long a run may take to clean up.
const SOON: Duration = Duration::from_secs(10);

/// How many moments are tried.
const MOMENTS: u32 = 8;

/// Where a run can be held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hold {
    /// The mirror does not answer.
    Repomd,
    /// An index stops in the middle.
    Primary,
    /// A package stops in the middle.
    Fetch,
    SetupHook,
    ExtractHook,
    EssentialHook,
    CustomizeHook,
    Pre,
    Post,
    Posttrans,
    Trigger,
}

impl Hold {
    const ALL: [Hold; 11] = [
        Hold::Repomd,
        Hold::Primary,
        Hold::Fetch,
        Hold::SetupHook,
        Hold::ExtractHook,
        Hold::EssentialHook,
        Hold::CustomizeHook,
        Hold::Pre,
        Hold::Post,
        Hold::Posttrans,
        Hold::Trigger,
    ];
}

const REPOMD: &str = "repo/repodata/repomd.xml";

/// A mirror, and packages, that can hold a run.
fn ground() -> Ground {
    let body = "echo here\nsleep 300";
    let scripted = |name: &str, when| rpm_base::scripted(name, "1-1").script(when, "/bin/sh", body);
    Ground::with(&[
        scripted("pre", When::Pre),
        scripted("post", When::Post),
        scripted("posttrans", When::Posttrans),
        rpm_base::scripted("trigger", "1-1").trigger(On::FilesOfAll, &["/usr/lib"], "/bin/sh", body),
        // It is larger than what a socket takes at once.
        rpm_base::package("large", "1-1")
            .file("/large", vec![1; 4 << 20])
            .compression(Compression::None),
    ])
}

/// Starts a run and waits until it is held.
fn held(ground: &Ground, hold: Hold) -> Going {
    let mirror = &ground.door.mirror;
    let package = format!("repo/Packages/large-1-1.{}.rpm", rpm_base::ARCH);
    let sleep = "echo here; sleep 300";
    let mut options = vec!["--verbose"];
    let mut include = "@core".to_owned();
    let mut more = |name: &str| include += &format!(",{name}");
    match hold {
        Hold::Repomd => mirror.always(REPOMD, Fault::Silence),
        Hold::Primary => {
            // repomd.xml and its signature, and then nothing.
            mirror.fault(REPOMD, 1, Fault::NoRange);
            mirror.fault(&format!("{REPOMD}.asc"), 1, Fault::NoRange);
            mirror.always("*", Fault::Stall(10));
        }
        Hold::Fetch => {
            mirror.always(&package, Fault::Stall(1 << 20));
            more("large");
        }
        Hold::SetupHook => options.extend(["--setup-hook", sleep]),
        Hold::ExtractHook => options.extend(["--extract-hook", sleep]),
        Hold::EssentialHook => options.extend(["--essential-hook", sleep]),
        Hold::CustomizeHook => options.extend(["--customize-hook", sleep]),
        Hold::Pre => more("pre"),
        Hold::Post => more("post"),
        Hold::Posttrans => more("posttrans"),
        Hold::Trigger => more("trigger"),
    }
    options.extend(["--include", &include]);
    let mut going = Going::start(ground.command("bootstrap", &ground.repo(""), &options));
    match hold {
        Hold::Repomd => going.until_so("the first request", || mirror.count(REPOMD) > 0),
        Hold::Primary => going.until_so("a request for an index", || {
            let requests = mirror.requests();
            requests.iter().any(|request| request.path.contains("-primary."))
        }),
        Hold::Fetch => going.until_so("the request for the package", || mirror.count(&package) > 0),
        _ => going.until_said("  here"),
    }
    going
}

#[track_caller]
fn interrupted(hold: Hold, stop: impl Fn(&Going)) {
    let ground = ground();
    let going = held(&ground, hold);
    let begin = Instant::now();
    stop(&going);
    let run = going.end();
    assert!(begin.elapsed() < SOON, "{hold:?}: it took {:?}", begin.elapsed());
    assert_eq!(run.code, Some(130), "{hold:?}: {}", run.stderr);
    let errors = run.stderr.lines().filter(|line| line.starts_with("error: "));
    assert_eq!(errors.count(), 1, "{hold:?}: {}", run.stderr);
    ground.door.assert_nothing_left();
}

/// A terminal sends it to the whole group: to whatever runs in the root, too.
fn ctrl_c(going: &Going) {
    going.signal_group(Signal::INT);
}

fn interrupted_while_the_mirror_is_silent() {
    interrupted(Hold::Repomd, ctrl_c);
}

fn interrupted_while_an_index_stalls() {
    interrupted(Hold::Primary, ctrl_c);
}

fn interrupted_in_every_phase() {
    for hold in Hold::ALL {
        interrupted(hold, ctrl_c);
    }
}

fn by_other_signals() {
    for (signal, hold) in [
        (Signal::TERM, Hold::Fetch),
        (Signal::HUP, Hold::Post),
        (Signal::TERM, Hold::Trigger),
        (Signal::INT, Hold::Pre),
    ] {
        interrupted(hold, |going| going.signal(signal));
    }
}

/// What may be left after SIGKILL: a staging directory that the next run removes; no target, no mount, no process.
#[track_caller]
fn assert_only_staging(ground: &Ground, when: &str) {
    ground.door.assert_no_mount_and_no_process();
    let left = ground.door.beside();
    assert!(
        left.len() <= 1 && left.iter().all(|name| name.starts_with(".root.bareroot-")),
        "{when}: {left:?}"
    );
}

#[track_caller]
fn assert_next_run_succeeds(ground: &Ground) {
    ground.door.mirror.behave();
    ground.bootstrap(&["--include", "@core"]).succeeded();
    ground.door.assert_beside_is(&["root"]);
    ground.door.assert_no_mount_and_no_process();
}

fn killed_in_every_phase() {
    for hold in Hold::ALL {
        let ground = ground();
        let going = held(&ground, hold);
        going.signal(Signal::KILL);
        assert_eq!(going.end().code, None);
        assert_only_staging(&ground, &format!("{hold:?}"));
        assert_next_run_succeeds(&ground);
    }
}

/// Runs that are stopped at moments that nothing can hold: the beginning, solving, recording, moving into place.
fn at_any_moment(stop: impl Fn(&Going), check: impl Fn(&Ground, bareroot_testkit::door::Run)) {
    let ground = ground();
    let start = || {
        ground.command(
            "bootstrap",
            &ground.repo(""),
            &["--include", "@core", "--verbose"],
        )
    };
    let begin = Instant::now();
    bareroot_testkit::door::run(start()).succeeded();
    let whole = begin.elapsed();
    fs::remove_dir_all(ground.door.target()).expect("the root can be removed");
    for moment in 0..MOMENTS {
        let going = Going::start(start());
        thread::sleep(whole * moment / (MOMENTS - 1));
        stop(&going);
        check(&ground, going.end());
    }
    assert_next_run_succeeds(&ground);
}

/// A target that is there is whole.
#[track_caller]
fn assert_whole(ground: &Ground) {
    ground.door.assert_beside_is(&["root"]);
    ground.door.assert_no_mount_and_no_process();
    assert!(ground.root("usr/lib/os-release").exists() && ground.root("var/lib/rpm/rpmdb.sqlite").exists());
    fs::remove_dir_all(ground.door.target()).expect("the root can be removed");
}

fn interrupted_at_any_moment() {
    at_any_moment(ctrl_c, |ground, run| match run.code {
        Some(130) => ground.door.assert_nothing_left(),
        // It was over, or as good as.
        Some(0) => assert_whole(ground),
        // Before the signals are caught, its own action ends the process: nothing has been made then.
        None => {
            assert_eq!(run.stderr, "");
            ground.door.assert_nothing_left();
        }
        code => panic!("ended with {code:?}: {}", run.stderr),
    });
}

fn killed_at_any_moment() {
    at_any_moment(
        |going| going.signal(Signal::KILL),
        |ground, _| match ground.door.beside() == ["root"] {
            true => assert_whole(ground),
            false => assert_only_staging(ground, "at a moment"),
        },
    );
}
