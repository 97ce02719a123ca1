//! Payloads that lie in wait for what bareroot itself reads and writes in the root.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::{Duration, Instant};

use bareroot_testkit::cases;
use bareroot_testkit::deb::{DebBuilder, Item};
use bareroot_testkit::door::{self, Run};
use bareroot_testkit::harness::Case;
use bareroot_testkit::programs::{INTERPRETER, script};

use crate::races::small_root;
use crate::{Ground, evil};

pub const CASES: &[Case] = cases![
    Root: links_where_the_database_is, links_where_configuration_is, links_where_is_cleaned_up, links_that_a_script_leaves, links_where_mounts_are,
        links_where_a_root_is_entered, files_that_do_not_end, info_files_that_climb, conffiles_that_climb, a_package_of_another_name,
        an_architecture_that_climbs;
];

/// How long a run may take, on a busy machine.
const SOON: Duration = Duration::from_secs(60);

/// Bootstraps; whatever comes of it comes soon, and the bird lives.
#[track_caller]
fn unharmed(deb: &DebBuilder) -> Run {
    let begin = Instant::now();
    let run = Ground::with(deb).bootstrap();
    assert!(begin.elapsed() < SOON, "{:?}: {}", begin.elapsed(), run.stderr);
    assert!(matches!(run.code, Some(0 | 3 | 5 | 6 | 7)), "{run:?}");
    run
}

/// `evil` with a link out of the root at each path, one after the other, in both spellings.
#[track_caller]
fn links_at(paths: &[&str], to: &str) {
    for path in paths {
        let up = "../".repeat(path.matches('/').count());
        for text in [format!("{up}../{to}"), format!("/../{to}")] {
            unharmed(&evil().bare().item(Item::symlink(&format!(".{path}"), &text)));
        }
    }
}

fn links_where_the_database_is() {
    links_at(
        &[
            "/var/lib/dpkg/status",
            "/var/lib/apt/extended_states",
            "/var/lib/dpkg/info/evil.list",
        ],
        "canary/bird",
    );
    links_at(&["/var/lib/dpkg/info", "/var/lib/dpkg/tmp.ci"], "canary");
}

fn links_where_configuration_is() {
    links_at(
        &["/etc/machine-id", "/usr/sbin/policy-rc.d", "/etc/passwd"],
        "canary/bird",
    );
}

fn links_where_is_cleaned_up() {
    links_at(
        &["/tmp", "/run", "/var/cache/apt/archives/partial", "/var/lib/dbus"],
        "canary",
    );
    links_at(&["/var/log/dpkg.log"], "canary/bird");
}

/// In place of directories that no package could replace: of what is cleaned up and recorded after the last script.
fn links_that_a_script_leaves() {
    for path in [
        "/tmp",
        "/run",
        "/var/cache",
        "/var/cache/apt",
        "/var/lib/apt",
        "/var/lib/apt/lists",
        "/var/log",
    ] {
        let up = "../".repeat(path.matches('/').count());
        for text in [format!("{up}canary"), "/../canary".to_owned()] {
            let deb = evil().script("postinst", script(&format!("swap {path} {text}")));
            unharmed(&deb);
        }
    }
}

fn links_where_mounts_are() {
    links_at(&["/proc", "/sys", "/dev"], "canary");
    links_at(&["/dev/pts", "/dev/shm"], "canary");
    links_at(&["/dev/null"], "canary/bird");
}

/// Nothing is mounted where a link of the root leads, were it another directory of the root.
fn links_where_a_root_is_entered() {
    let ground = Ground::with(&evil());
    let root = small_root(&ground);
    let bird = ground.door.path("canary");
    for name in ["proc", "sys", "dev", "run"] {
        let place = root.join(name);
        for text in [Path::new("tmp"), Path::new("../canary"), &bird] {
            fs::remove_dir(&place).unwrap();
            symlink(text, &place).unwrap();
            let mut enter = ground.door.command(["enter"]);
            enter.arg(&root).args(["--", INTERPRETER, "/job"]);
            let run = door::run(enter);
            ground.door.assert_no_mount_and_no_process();
            run.failed(125, &[&format!("`/{name}`"), "it is a symbolic link"]);
            fs::remove_file(&place).unwrap();
            fs::create_dir(&place).unwrap();
        }
    }
    assert!(
        crate::listings(&ground.door) == ground.before,
        "the bird is not what it was"
    );
}

fn files_that_do_not_end() {
    for path in [
        "/etc/passwd",
        "/etc/group",
        "/var/lib/dpkg/status",
        "/var/lib/dpkg/diversions",
        "/etc/machine-id",
    ] {
        for item in [
            Item::fifo(&format!(".{path}")),
            Item::symlink(&format!(".{path}"), "/dev/zero"),
        ] {
            // Without the packages whose scripts wait for such a file themselves.
            let ground = Ground::with(&evil().bare().item(item));
            let begin = Instant::now();
            let run =
                ground
                    .door
                    .bootstrap(&["--variant", "custom", "--include", "dpkg,evil", "--no-host-files"]);
            ground.assert_unharmed(&run);
            assert!(
                begin.elapsed() < SOON,
                "{path}: {:?}: {}",
                begin.elapsed(),
                run.stderr
            );
        }
    }
}

fn info_files_that_climb() {
    for name in ["./../../../../../canary/bird", "../bird", "/canary/bird", "./a/b"] {
        let deb = evil().info_item(Item::file(name, "dead"));
        Ground::with(&deb).bootstrap().failed(5, &["evil"]);
    }
    let deb = evil().info_item(Item::symlink("./postinst", "../../../../../canary/bird"));
    unharmed(&deb);
    let deb = evil().info_item(Item::character("./postinst", 1, 5));
    unharmed(&deb);
}

fn conffiles_that_climb() {
    for path in [
        "/../../canary/bird",
        "canary/bird",
        "/etc/../../canary/bird",
        "/proc/self/root/canary/bird",
    ] {
        unharmed(&evil().info("conffiles", format!("{path}\n")));
    }
}

fn a_package_of_another_name() {
    for name in ["../../../../../canary/bird", "evil/../../bird", "Evil", "e", ""] {
        let deb = evil().control(format!(
            "Package: {name}\nVersion: 1\nArchitecture: all\nMaintainer: x\nDescription: y\n"
        ));
        Ground::with(&deb).bootstrap().failed(5, &["evil"]);
    }
}

fn an_architecture_that_climbs() {
    let deb = DebBuilder::new("evil", "1", "../../../../../canary/bird").field("Multi-Arch", "same");
    let ground = Ground::with(&evil());
    let path = ground.door.file("evil.deb", deb.build());
    let run = ground.door.bootstrap(&["--include", &path.to_string_lossy()]);
    ground.assert_unharmed(&run);
    assert_ne!(run.code, Some(0), "{}", run.stderr);
}
