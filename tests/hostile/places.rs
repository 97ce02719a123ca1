//! Targets in directories that another user can write, or that are links.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use bareroot_testkit::cases;
use bareroot_testkit::door::{self, Run, is_there};
use bareroot_testkit::harness::Case;
use bareroot_testkit::programs::script;

use crate::host::{NOBODY, under};
use crate::{EXTRACT, Ground, evil};

pub const CASES: &[Case] = cases![
    Root: a_staging_directory_that_becomes_a_link, a_staging_directory_that_becomes_another, a_parent_that_becomes_a_link, a_target_that_appears_meanwhile,
        another_user_in_a_sticky_directory, another_user_in_an_open_directory, names_that_another_user_took, names_of_ours_that_lead_elsewhere,
        a_target_that_is_a_link, a_target_of_another_user, an_archive_that_is_a_link;
];

const WHOLE: &[&str] = &["--include", "evil", "--no-host-files"];

/// Bootstraps, and somebody who may write beside the target does this when the root is nearly whole: `$1` is the staging
/// directory.
fn meanwhile(ground: &Ground, what: &str) -> Run {
    let run = ground
        .door
        .bootstrap(&[WHOLE, &["--customize-hook", what]].concat());
    assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
    ground.door.assert_no_mount_and_no_process();
    run
}

#[track_caller]
fn assert_birds_live(ground: &Ground) {
    assert!(
        crate::listings(&ground.door) == ground.before,
        "the bird is not what it was"
    );
}

/// What another one put in the place of what was made does not become the target.
fn a_staging_directory_that_becomes_a_link() {
    for text in ["canary", "moved", "/nowhere"] {
        let ground = Ground::with(&evil());
        let run = meanwhile(
            &ground,
            &format!("mv \"$1\" \"$1/../moved\" && ln -s {text} \"$1\""),
        );
        assert_birds_live(&ground);
        run.failed(6, &["out/"]);
        assert!(!is_there(&ground.door.target()));
    }
}

fn a_staging_directory_that_becomes_another() {
    let ground = Ground::with(&evil());
    let run = meanwhile(
        &ground,
        "mv \"$1\" \"$1/../moved\" && mkdir \"$1\" && echo dead > \"$1/bird\"",
    );
    assert_birds_live(&ground);
    run.failed(6, &["out/"]);
    assert!(!is_there(&ground.door.target()));
}

/// Descriptors stay where they are: the root is made in the directory that the user named.
fn a_parent_that_becomes_a_link() {
    let ground = Ground::with(&evil().script("postinst", script("touch /ran")));
    let out = ground.door.path("out");
    let run = meanwhile(
        &ground,
        &format!("mv {0} {0}.moved && ln -s canary {0}", out.display()),
    );
    // In the bird's home nothing was made.
    let names: Vec<_> = fs::read_dir(ground.door.path("canary"))
        .unwrap()
        .flatten()
        .collect();
    assert_eq!(names.len(), 1, "{names:?}");
    assert_eq!(
        fs::read_to_string(ground.door.path("canary/bird")).unwrap(),
        "alive"
    );
    assert!(matches!(run.code, Some(0 | 6)), "{run:?}");
    let moved = ground.door.path("out.moved");
    assert_eq!(fs::read_to_string(moved.join("canary/bird")).unwrap(), "alive");
    if run.code == Some(0) {
        assert!(is_there(&moved.join("root/ran")));
    }
}

fn a_target_that_appears_meanwhile() {
    for what in [
        "ln -s canary \"$1/../root\"",
        "mkdir \"$1/../root\" && echo mine > \"$1/../root/file\"",
        "echo mine > \"$1/../root\"",
        "mkfifo \"$1/../root\"",
        "mkdir \"$1/../root\"",
    ] {
        let ground = Ground::with(&evil());
        let run = meanwhile(&ground, what);
        assert_birds_live(&ground);
        run.failed(6, &["out/root"]);
        // It is whoever made it's.
        assert!(is_there(&ground.door.target()));
        ground.door.assert_beside_is(&["canary", "root"]);
    }
}

/// A process of another user that tries, for as long as the run lasts.
fn other_user(ground: &Ground, run: impl FnOnce() -> Run) -> Run {
    let out = ground.door.path("out");
    let tries = format!(
        "cd {0} || exit\nwhile :; do for s in .root.bareroot-*; do test -d \"$s\" || continue\n\
         mv \"$s\" moved.$$ 2>/dev/null && ln -s canary \"$s\"\nln -s ../canary \"$s/swap\" 2>/dev/null\n\
         ln -s canary root 2>/dev/null; rmdir \"$s\" 2>/dev/null; done; done",
        out.display()
    );
    use std::os::unix::process::CommandExt;
    let mut child = Command::new("/bin/sh")
        .args(["-c", &tries])
        .uid(NOBODY)
        .gid(NOBODY)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .unwrap();
    let run = run();
    let group = rustix::process::Pid::from_child(&child);
    let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    child.wait().unwrap();
    run
}

fn open_to_all(ground: &Ground, mode: u32) {
    let out = ground.door.path("out");
    fs::set_permissions(ground.door.path("."), fs::Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(&out, fs::Permissions::from_mode(mode)).unwrap();
}

/// As in /tmp: nobody but its owner renames the staging directory, and nothing of it is others' to write.
fn another_user_in_a_sticky_directory() {
    for _ in 0..3 {
        let ground = Ground::with(&evil().script("postinst", script("touch /ran")));
        open_to_all(&ground, 0o1777);
        let run = other_user(&ground, || ground.door.bootstrap(WHOLE));
        assert_birds_live(&ground);
        // It may have taken the target's name.
        assert!(matches!(run.code, Some(0 | 6)), "{run:?}");
        if run.code == Some(0) {
            assert_eq!(fs::metadata(ground.door.target()).unwrap().uid(), 0);
            assert!(is_there(&ground.door.target().join("ran")));
        }
    }
}

fn another_user_in_an_open_directory() {
    for _ in 0..3 {
        let ground = Ground::with(&evil().script("postinst", script("touch /ran")));
        open_to_all(&ground, 0o777);
        let run = other_user(&ground, || ground.door.bootstrap(WHOLE));
        assert_birds_live(&ground);
        assert!(matches!(run.code, Some(0 | 6 | 7)), "{run:?}");
        assert!(!run.stderr.contains("panicked"), "{run:?}");
        ground.door.assert_no_mount_and_no_process();
    }
}

/// Directories, files and links of another user with names of ours: they stay what they are.
fn names_that_another_user_took() {
    let ground = Ground::with(&evil());
    let name = |end: &str| ground.door.path(&format!("out/.root.bareroot-{end}"));
    fs::create_dir(name("aaaaaaaaaa")).unwrap();
    fs::write(name("aaaaaaaaaa").join("mine"), "mine").unwrap();
    fs::write(name("bbbbbbbbbb"), "mine").unwrap();
    symlink("canary", name("cccccccccc")).unwrap();
    let mode = rustix::fs::Mode::from_raw_mode(0o666);
    rustix::fs::mknodat(
        rustix::fs::CWD,
        name("dddddddddd"),
        rustix::fs::FileType::Fifo,
        mode,
        0,
    )
    .unwrap();
    for end in ["aaaaaaaaaa", "bbbbbbbbbb", "dddddddddd"] {
        chown(name(end), Some(NOBODY), Some(NOBODY)).unwrap();
    }
    let run = ground.door.bootstrap(EXTRACT).succeeded();
    ground.assert_unharmed(&run);
    assert_eq!(
        fs::read_to_string(name("aaaaaaaaaa").join("mine")).unwrap(),
        "mine"
    );
    assert_eq!(fs::read_to_string(name("bbbbbbbbbb")).unwrap(), "mine");
    assert!(is_there(&name("cccccccccc")) && is_there(&name("dddddddddd")));
}

/// What a killed run left is ours to remove, but for what it leads to: a script of a package may have filled it.
fn names_of_ours_that_lead_elsewhere() {
    let ground = Ground::with(&evil());
    let stale = ground.door.path("out/.root.bareroot-aaaaaaaaaa");
    fs::create_dir_all(stale.join("way")).unwrap();
    symlink("../canary", stale.join("link")).unwrap();
    symlink("../../canary", stale.join("way/link")).unwrap();
    let inode = fs::metadata(ground.door.path("out/canary")).unwrap().ino();
    fs::write(
        stale.join(".bareroot-moving"),
        format!("{inode} canary\0{inode} ../canary\0"),
    )
    .unwrap();
    let run = ground.door.bootstrap(EXTRACT).succeeded();
    ground.assert_unharmed(&run);
    assert!(!is_there(&stale));
    ground.door.assert_beside_is(&["canary", "root"]);
}

fn a_target_that_is_a_link() {
    // To an empty directory: that directory is the target.
    let ground = Ground::with(&evil().file("/tame", "x"));
    fs::create_dir(ground.door.path("elsewhere")).unwrap();
    symlink("../elsewhere", ground.door.target()).unwrap();
    let run = ground.door.bootstrap(EXTRACT).succeeded();
    ground.assert_unharmed(&run);
    assert!(is_there(&ground.door.path("elsewhere/tame")));
    // To the birds, to nothing, to itself.
    for text in [
        "canary",
        "../canary",
        "nowhere/at/all",
        "root",
        "/proc/self/fd/0",
        "/proc/self/root",
    ] {
        let ground = Ground::with(&evil());
        symlink(text, ground.door.target()).unwrap();
        let run = ground.door.bootstrap(EXTRACT);
        assert_birds_live(&ground);
        run.failed(6, &["out/root"]);
        assert_eq!(fs::read_link(ground.door.target()).unwrap(), Path::new(text));
        ground.door.assert_beside_is(&["canary", "root"]);
    }
}

/// An empty directory of another user becomes a root of ours.
fn a_target_of_another_user() {
    let ground = Ground::with(&evil());
    fs::create_dir(ground.door.target()).unwrap();
    chown(ground.door.target(), Some(NOBODY), Some(NOBODY)).unwrap();
    fs::set_permissions(ground.door.target(), fs::Permissions::from_mode(0o777)).unwrap();
    let run = ground.door.bootstrap(EXTRACT).succeeded();
    ground.assert_unharmed(&run);
    let made = fs::metadata(ground.door.target()).unwrap();
    assert_eq!((made.uid(), made.mode() & 0o7777), (0, 0o755));
}

/// An archive that is to be written where a link is, or a pipe of somebody who does not read.
fn an_archive_that_is_a_link() {
    let command = |ground: &Ground, out: &PathBuf| {
        let mut command = ground.door.command(["bootstrap", "debian:tiny", "--keyring"]);
        command
            .arg(ground.door.keyring())
            .args(["--mirror", &ground.door.mirror.url(), "--cache-dir", "cache"])
            .args(EXTRACT)
            .arg(out);
        command
    };
    let ground = Ground::with(&evil());
    let out = ground.door.path("out/root.tar");
    symlink("canary", &out).unwrap();
    let run = door::run(command(&ground, &out));
    assert_birds_live(&ground);
    run.failed(6, &["root.tar"]);
    fs::remove_file(&out).unwrap();
    symlink("nowhere/new", &out).unwrap();
    let run = door::run(command(&ground, &out));
    assert_birds_live(&ground);
    run.failed(6, &["root.tar"]);
    fs::remove_file(&out).unwrap();
    // One that comes meanwhile, at the name under which it is written.
    let stop = AtomicBool::new(false);
    let run = std::thread::scope(|scope| {
        let racer = scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                for entry in fs::read_dir(ground.door.path("out")).unwrap().flatten() {
                    if entry.file_name().to_string_lossy().contains("bareroot-") && entry.path().is_file() {
                        let _ = fs::remove_file(entry.path());
                        let _ = symlink("canary/bird", entry.path());
                    }
                }
            }
        });
        let run = door::run(under(&command(&ground, &out), ""));
        stop.store(true, Ordering::Relaxed);
        racer.join().unwrap();
        run
    });
    assert_birds_live(&ground);
    assert!(matches!(run.code, Some(0 | 6)), "{run:?}");
    assert!(
        run.code != Some(0) || fs::symlink_metadata(&out).unwrap().is_file(),
        "{run:?}"
    );
}
