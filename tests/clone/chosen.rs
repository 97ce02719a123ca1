//! Parts of a tree.

use std::fs;

use bareroot_testkit::cases;
use bareroot_testkit::door::{Door, run};
use bareroot_testkit::harness::Case;

use crate::{clone, door, paths};

pub const CASES: &[Case] = cases![Nothing: globs, a_fresh_copy, only_said, no_globs, as_events];

fn write(door: &Door, files: &[&str]) {
    for name in files {
        let path = door.path("source").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, name).unwrap();
    }
}

/// The files of a copy.
fn files(door: &Door) -> Vec<String> {
    let target = door.target();
    let mut files = paths(&target);
    files.retain(|path| target.join(path).is_file() && path != ".bareroot-ledger");
    files
}

fn globs() {
    const FILES: &[&str] = &[
        "home/a/.ssh/key",
        "home/a/doc",
        "home/b/doc",
        "srv/x.pyc",
        "srv/y/x.pyc",
        "srv/y/z",
        "x.pyc",
    ];
    let rows: &[(&[&str], &[&str])] = &[
        (&[], FILES),
        (
            &["--exclude", "/home/*"],
            &["srv/x.pyc", "srv/y/x.pyc", "srv/y/z", "x.pyc"],
        ),
        (
            &["--exclude", "home", "--exclude", "*.pyc"],
            &["srv/x.pyc", "srv/y/x.pyc", "srv/y/z"],
        ),
        (&["--exclude", "home", "--exclude", "**/*.pyc"], &["srv/y/z"]),
        (
            &[
                "--exclude",
                "/home/*",
                "--include",
                "/home/a/.ssh",
                "--exclude",
                "/srv/**",
            ],
            &["home/a/.ssh/key", "x.pyc"],
        ),
        (&["--exclude", "/*", "--include", "**/z"], &["srv/y/z"]),
    ];
    for (options, expected) in rows {
        let door = door();
        write(&door, FILES);
        run(clone(&door, "out/root", options)).succeeded();
        assert_eq!(files(&door), *expected, "{options:?}");
    }
    let door = door();
    write(&door, FILES);
    run(clone(
        &door,
        "out/root",
        &["--exclude", "/*", "--include", "**/z"],
    ))
    .succeeded();
    // A directory that nothing is brought back of is not made.
    assert!(!door.target().join("home").exists());
    run(clone(&door, "out/b", &["--exclude", "/home/*"])).succeeded();
    assert!(door.path("out/b/home").is_dir());
}

fn a_fresh_copy() {
    let door = door();
    write(
        &door,
        &[
            "etc/hostname",
            "etc/machine-id",
            "etc/ssh/ssh_host_ed25519_key",
            "etc/ssh/sshd_config",
            "var/cache/apt/archives/a.deb",
            "var/lib/dhcp/eth0.leases",
            "var/lib/systemd/random-seed",
            "var/log/nginx/access.log",
            "var/log/wtmp",
        ],
    );
    let made = run(clone(&door, "out/root", &["--fresh"])).succeeded();
    assert_eq!(
        files(&door),
        [
            "etc/hostname",
            "etc/machine-id",
            "etc/ssh/sshd_config",
            "var/log/wtmp"
        ]
    );
    for (name, text) in [
        ("etc/machine-id", ""),
        ("var/log/wtmp", ""),
        ("etc/hostname", "etc/hostname"),
    ] {
        assert_eq!(
            fs::read_to_string(door.target().join(name)).unwrap(),
            text,
            "{name}"
        );
    }
    assert!(door.target().join("var/log/nginx").is_dir());
    assert!(
        made.stderr.contains("7 left out or emptied to be fresh"),
        "{}",
        made.stderr
    );
    let options = &[
        "--fresh",
        "--include",
        "/etc/ssh/ssh_host_*",
        "--include",
        "/etc/machine-id",
    ];
    run(clone(&door, "out/kept", options)).succeeded();
    assert!(door.path("out/kept/etc/ssh/ssh_host_ed25519_key").exists());
    assert_eq!(
        fs::read_to_string(door.path("out/kept/etc/machine-id")).unwrap(),
        "etc/machine-id"
    );
}

fn only_said() {
    let door = door();
    write(&door, &["etc/machine-id", "etc/hosts", "a/b", "c"]);
    let options = &["--dry-run", "--verbose", "--fresh", "--exclude", "/a"];
    let said = run(clone(&door, "out/root", options)).succeeded();
    for words in [
        "passed over `/a`: a glob leaves it out",
        "passed over `/etc/machine-id`: it names the machine",
        "5 entries, 10 B copied",
    ] {
        assert!(said.stderr.contains(words), "no `{words}` in {}", said.stderr);
    }
    run(clone(&door, "out/a.tar", &["--dry-run"])).succeeded();
    door.assert_beside_is(&[]);
}

fn no_globs() {
    let door = door();
    for glob in ["", "/", "a/../b", "a[b", "a\\"] {
        run(clone(&door, "out/root", &["--exclude", glob]))
            .failed(2, &[&format!("`{glob}`"), "hint: globs begin"]);
    }
    door.assert_beside_is(&[]);
}

fn as_events() {
    let door = door();
    write(&door, &["a/b", "c"]);
    let run = run(clone(&door, "out/root", &["--json"])).succeeded();
    let last = run.stdout.lines().last().unwrap();
    assert!(
        last.starts_with("{\"event\":\"copied\",\"entries\":4,\"bytes\":4,"),
        "{last}"
    );
}
