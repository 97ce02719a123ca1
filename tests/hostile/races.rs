//! Somebody renames directories to links, and back, as fast as can be, while bareroot works below them.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use bareroot_testkit::deb::DebBuilder;
use bareroot_testkit::door::{self, Run};
use bareroot_testkit::harness::Case;
use bareroot_testkit::programs::{INTERPRETER, program, script};
use bareroot_testkit::{cases, rpm_base};
use rustix::fs::{CWD, RenameFlags, renameat_with};

use crate::{Ground, evil, rpms};

pub const CASES: &[Case] = cases![
    Root: directories_while_they_are_filled, parents_while_they_are_filled, what_a_session_mounts_on, records_while_they_are_written,
        rpm_payloads_while_they_are_placed, rpm_records_while_they_are_written, a_script_that_renames_what_is_cleaned_up,
        a_script_that_fills_what_is_cleaned_up, a_root_that_is_entered,
        a_root_that_is_removed, a_root_that_is_exported, a_system_that_is_cloned;
];

/// A thread that exchanges directories with links to the birds until it is stopped.
struct Flipper {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<usize>>,
}

impl Flipper {
    /// Below whichever root `find` finds.
    fn start(
        find: impl Fn() -> Option<PathBuf> + Send + 'static,
        paths: &'static [&'static str],
        bird: PathBuf,
    ) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let mut count = 0;
            while !seen.load(Ordering::Relaxed) {
                let Some(root) = find() else {
                    std::thread::yield_now();
                    continue;
                };
                for _ in 0..50 {
                    for path in paths {
                        count += usize::from(flip(&root.join(path), &bird));
                    }
                }
            }
            count
        });
        Flipper {
            stop,
            thread: Some(thread),
        }
    }

    /// How often it did.
    fn stop(mut self) -> usize {
        self.stop.store(true, Ordering::Relaxed);
        self.thread
            .take()
            .expect("it runs")
            .join()
            .expect("it does not panic")
    }
}

impl Drop for Flipper {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// Exchanges a path with a link beside it, in one step.
fn flip(path: &Path, bird: &Path) -> bool {
    let aside = path.with_extension("swap");
    renameat_with(CWD, path, CWD, &aside, RenameFlags::EXCHANGE).is_ok()
        || path.is_dir() && symlink(bird, &aside).is_ok()
}

/// The staging directory beside a target.
fn staging(out: &Path) -> Option<PathBuf> {
    let entries = fs::read_dir(out).ok()?;
    let names = entries.flatten().map(|entry| entry.path());
    names
        .into_iter()
        .find(|path| path.to_string_lossy().contains("/.root.bareroot-"))
}

/// A package of many files in many directories.
fn large() -> DebBuilder {
    (0..1500).fold(evil(), |deb, number| {
        deb.file(
            &format!("/usr/share/nest{}/bird", number % 300 * 5 + number / 300),
            "dead",
        )
    })
}

/// Runs while somebody exchanges these; whatever comes of it, the birds live.
#[track_caller]
fn during(ground: &Ground, paths: &'static [&'static str], run: impl Fn() -> Run, rounds: usize) {
    let mut flips = 0;
    for _ in 0..rounds {
        let out = ground.door.path("out");
        let bird = ground.door.path("canary");
        let flipper = Flipper::start(move || staging(&out), paths, bird);
        let run = run();
        flips += flipper.stop();
        // A name that was exchanged while all was removed may have been in its way.
        if run.code != Some(0) && staging(&ground.door.path("out")).is_some() {
            panic!("something is left: {}", run.stderr);
        }
        ground.assert_unharmed(&run);
        assert!(matches!(run.code, Some(0 | 3 | 5 | 6 | 7)), "{run:?}");
        let _ = fs::remove_dir_all(ground.door.target());
    }
    assert!(flips > 0, "nobody raced");
}

fn directories_while_they_are_filled() {
    let ground = Ground::with(&large());
    let paths = &[
        "usr/share/nest0",
        "usr/share/nest7",
        "usr/share/nest700",
        "usr/share/nest1400",
    ];
    during(&ground, paths, || ground.door.bootstrap(crate::EXTRACT), 3);
}

fn parents_while_they_are_filled() {
    let ground = Ground::with(&large());
    for paths in [&["usr/share"][..], &["usr"], &["usr", "usr/share", "etc", "var"]] {
        during(&ground, paths, || ground.door.bootstrap(crate::EXTRACT), 2);
    }
}

fn what_a_session_mounts_on() {
    let ground = Ground::with(&evil().script("postinst", script("touch /ran")));
    let run = || ground.door.bootstrap(&["--include", "evil"]);
    during(&ground, &["proc", "sys", "dev", "run", "etc", "tmp"], run, 3);
    during(&ground, &["dev/pts", "dev/shm", "dev"], run, 2);
}

fn records_while_they_are_written() {
    let ground = Ground::with(&evil().script("postinst", script("touch /ran")));
    let run = || ground.door.bootstrap(&["--include", "evil", "--no-host-files"]);
    during(
        &ground,
        &[
            "var/lib/dpkg",
            "var/lib/dpkg/info",
            "var/lib",
            "var",
            "etc/apt",
            "var/cache",
        ],
        run,
        4,
    );
}

fn rpm_payloads_while_they_are_placed() {
    let rpm = (0..500).fold(rpms::evil(), |rpm, number| {
        rpm.file(&format!("/usr/share/nest{number}/bird"), "dead")
    });
    let ground = rpms::with(&[rpm]);
    let run = || {
        door::run(ground.rpm_command(&[
            "--include",
            "@core,evil",
            "--no-host-files",
            "--variant",
            "extract",
        ]))
    };
    during(&ground, &["usr/share/nest3", "usr/share", "usr"], run, 3);
}

fn rpm_records_while_they_are_written() {
    use bareroot_testkit::rpm::When;
    let rpm = rpm_base::scripted("evil", "1-1").script(When::Post, "/bin/sh", "touch /ran");
    let ground = rpms::with(&[rpm]);
    let run = || door::run(ground.rpm_command(&["--include", "@core,evil"]));
    during(
        &ground,
        &[
            "var/lib/rpm",
            "usr/lib/sysimage",
            "var/lib",
            "etc",
            "usr/lib",
            "dev",
            "proc",
        ],
        run,
        3,
    );
}

/// The scripts' own processes do it: as long as their session lasts, and in what is cleaned up after it.
fn a_script_that_renames_what_is_cleaned_up() {
    for paths in [
        &["/tmp", "/run"][..],
        &["/var/cache", "/var/log"],
        &["/var/lib/dpkg"],
        &["/etc"],
    ] {
        // Seen from the host they lead to the bird; in the root nothing is above it.
        let lines: Vec<String> = paths
            .iter()
            .map(|path| {
                format!(
                    "flip {path} {}canary 3000",
                    "../".repeat(path.matches('/').count())
                )
            })
            .collect();
        let deb = evil()
            .script("preinst", script(&lines.join("\n")))
            .script("postinst", script(&lines.join("\n")));
        let ground = Ground::with(&deb);
        let run = ground.bootstrap();
        assert!(matches!(run.code, Some(0 | 5..=7)), "{run:?}");
    }
}

/// What a script left running has ended before anything is cleaned up: it fills nothing again.
fn a_script_that_fills_what_is_cleaned_up() {
    for name in ["preinst", "postinst"] {
        let ground = Ground::with(&evil().script(name, script("rewrite /tmp/egg 20000")));
        ground.bootstrap().succeeded();
        let tmp = fs::read_dir(ground.door.target().join("tmp")).unwrap();
        assert_eq!(tmp.count(), 0, "{name}");
    }
}

/// A root with nothing but the program, and directories to mount on.
pub fn small_root(ground: &Ground) -> PathBuf {
    let root = ground.door.target();
    for path in [
        "usr/bin",
        "etc",
        "proc",
        "sys",
        "dev",
        "run",
        "tmp",
        "nest/one/two",
    ] {
        fs::create_dir_all(root.join(path)).unwrap();
    }
    let place = root.join(&INTERPRETER[1..]);
    fs::write(&place, program()).unwrap();
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(place, fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(root.join("etc/passwd"), "root:x:0:0::/:/usr/bin/script\n").unwrap();
    fs::write(root.join("etc/resolv.conf"), "").unwrap();
    // As long as the wild one.
    fs::write(root.join("nest/bird"), "tamed").unwrap();
    fs::write(root.join("job"), "touch /tmp/ran\n").unwrap();
    root
}

fn a_root_that_is_entered() {
    let ground = Ground::with(&evil());
    let root = small_root(&ground);
    let found = root.clone();
    let flipper = Flipper::start(
        move || Some(found.clone()),
        &["dev", "proc", "sys", "etc", "run", "tmp"],
        ground.door.path("canary"),
    );
    for _ in 0..15 {
        let mut enter = ground.door.command(["enter"]);
        enter.arg(&root).args(["--", INTERPRETER, "/job"]);
        let run = door::run(enter);
        assert!(!run.stderr.contains("panicked"), "{run:?}");
        assert!(matches!(run.code, Some(0 | 1 | 125..=127)), "{run:?}");
    }
    assert!(flipper.stop() > 0);
    assert_birds_live(&ground);
    ground.door.assert_no_mount_and_no_process();
}

#[track_caller]
fn assert_birds_live(ground: &Ground) {
    assert!(
        crate::listings(&ground.door) == ground.before,
        "the bird is not what it was"
    );
}

fn a_root_that_is_removed() {
    let ground = Ground::with(&evil());
    for _ in 0..5 {
        let root = small_root(&ground);
        for number in 0..200 {
            fs::create_dir_all(root.join(format!("nest/{number}/deeper"))).unwrap();
            fs::write(root.join(format!("nest/{number}/bird")), "tame").unwrap();
        }
        let found = root.clone();
        let paths = &["nest", "nest/one", "nest/77", "nest/199", "etc"];
        let flipper = Flipper::start(move || Some(found.clone()), paths, ground.door.path("canary"));
        let mut remove = ground.door.command(["remove"]);
        let run = door::run({
            remove.arg(&root);
            remove
        });
        flipper.stop();
        assert!(matches!(run.code, Some(0 | 6)), "{run:?}");
        assert_birds_live(&ground);
        let _ = fs::remove_dir_all(root);
    }
}

/// What is in the archive is the root's: no wild bird.
fn a_root_that_is_exported() {
    let ground = Ground::with(&evil());
    let root = small_root(&ground);
    // It has every word of this file.
    fs::remove_file(root.join(&INTERPRETER[1..])).unwrap();
    for paths in [&["nest", "nest/one", "etc"][..], &["nest"]] {
        let found = root.clone();
        let flipper = Flipper::start(move || Some(found.clone()), paths, ground.door.path("canary"));
        for _ in 0..30 {
            let tar = ground.door.path("root.tar");
            let mut export = ground.door.command(["export"]);
            export.arg(&root).arg(&tar);
            let run = door::run(export);
            assert!(matches!(run.code, Some(0 | 6 | 9)), "{run:?}");
            if run.code == Some(0) {
                assert_tame(&fs::read(&tar).unwrap());
            }
        }
        assert!(flipper.stop() > 0);
        // Then it has what the bird's home has, and nothing that would be missed there.
        for path in ["nest/one", "nest.swap/one", "nest/one.swap", "nest.swap/one.swap"] {
            let path = root.join(path);
            let is_link = fs::symlink_metadata(&path).is_ok_and(|metadata| metadata.is_symlink());
            let _ = if is_link {
                fs::remove_file(path)
            } else {
                fs::remove_dir_all(path)
            };
        }
    }
    assert_birds_live(&ground);
}

/// No content of a wild bird, which links may name.
#[track_caller]
fn assert_tame(bytes: &[u8]) {
    assert!(!bytes.windows(5).any(|window| window == b"alive"));
}

fn a_system_that_is_cloned() {
    let ground = Ground::with(&evil());
    let root = small_root(&ground);
    let found = root.clone();
    let paths = &["nest", "nest/one", "etc"];
    let flipper = Flipper::start(move || Some(found.clone()), paths, ground.door.path("canary"));
    for number in 0..10 {
        let copy = ground.door.path(&format!("copy{number}"));
        let mut clone = ground.door.command(["clone", "--from"]);
        clone.arg(&root).arg(&copy);
        let run = door::run(clone);
        assert!(matches!(run.code, Some(0 | 6 | 9)), "{run:?}");
        for bird in [
            "nest/bird",
            "nest.swap/bird",
            "etc/bird",
            "etc.swap/bird",
            "nest/one/bird",
        ] {
            let inside = copy.join(bird);
            // Links of the copy lead out of it; only what it has itself is looked at.
            let parent = inside.parent().unwrap();
            if fs::symlink_metadata(parent).is_ok_and(|metadata| metadata.is_dir()) {
                assert_tame(&fs::read(&inside).unwrap_or_default());
            }
        }
    }
    assert!(flipper.stop() > 0);
    assert_birds_live(&ground);
}
