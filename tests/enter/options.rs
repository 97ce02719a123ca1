//! Binds, a root that can only be read, a network and a name of its own.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use bareroot_testkit::cases;
use bareroot_testkit::harness::Case;

use crate::place::Place;

pub const CASES: &[Case] = cases![
    Root: binds, binds_below_run_need_no_place, a_root_that_is_only_read, a_network_of_its_own, a_name_of_its_own,
        a_32_bit_root_sees_a_32_bit_machine, all_of_root_s_rights,
];

fn binds() {
    let place = Place::new();
    let host = place.beside("host");
    fs::create_dir(&host).unwrap();
    fs::write(host.join("file"), "host's").unwrap();
    fs::create_dir(place.root().join("mnt")).unwrap();
    fs::write(place.root().join("mnt.file"), "root's").unwrap();
    let (host, file) = (
        host.display().to_string(),
        host.join("file").display().to_string(),
    );
    let (whole, read_only, one) = (
        format!("{host}:/mnt"),
        format!("{host}:/mnt:ro"),
        format!("{file}:/mnt.file"),
    );
    assert_eq!(place.says(&["--bind", &whole], &["read", "/mnt/file"]), "host's");
    assert_eq!(
        place.says(&["--bind", "host:/mnt"], &["read", "/mnt/file"]),
        "host's"
    );
    assert_eq!(place.says(&["--bind", &one], &["read", "/mnt.file"]), "host's");
    place.says(&["--bind", &whole], &["write", "/mnt/new", "x"]);
    assert_eq!(fs::read_to_string(place.beside("host/new")).unwrap(), "x");
    let refused = place
        .probe(&["--bind", &read_only], &["write", "/mnt/new", "y"])
        .ended_with(99);
    assert!(refused.stdout.contains("Read-only"), "{}", refused.stdout);
    assert_eq!(fs::read_to_string(place.beside("host/new")).unwrap(), "x");
    // At the same path, which the root then must have.
    fs::create_dir_all(place.root().join(host.trim_start_matches('/'))).unwrap();
    assert_eq!(place.says(&["--bind", &host], &["read", &file]), "host's");
    assert_eq!(place.says(&["--bind", "host::ro"], &["read", &file]), "host's");
    place.assert_nothing_left();
    assert_eq!(
        fs::read_to_string(place.root().join("mnt.file")).unwrap(),
        "root's"
    );
}

fn binds_below_run_need_no_place() {
    let place = Place::new();
    fs::create_dir(place.beside("host")).unwrap();
    fs::write(place.beside("host/file"), "host's").unwrap();
    let before = place.listing();
    let options = [
        "--bind",
        "host:/run/a/b",
        "--bind",
        "host/file:/run/a/c/file:ro",
        "--bind",
        "host/file:/dev/x",
    ];
    for path in ["/run/a/b/file", "/run/a/c/file", "/dev/x"] {
        assert_eq!(place.says(&options, &["read", path]), "host's");
    }
    assert_eq!(place.listing(), before);
    // What a bind brought is the host's: nothing is made in it.
    let run = place
        .probe(&["--bind", "host:/run/a", "--bind", "host:/run/a/new"], &["cwd"])
        .failed(125, &["`/run/a/new`", "it is missing", "hint: "]);
    assert_eq!(run.stdout, "");
    assert_eq!(fs::read_dir(place.beside("host")).unwrap().count(), 1);
}

fn a_root_that_is_only_read() {
    let place = Place::new();
    let before = place.listing();
    for path in ["/new", "/etc/passwd", "/home/seven/new"] {
        let refused = place
            .probe(&["--read-only"], &["write", path, "x"])
            .ended_with(99);
        assert!(refused.stdout.contains("Read-only"), "{path}: {}", refused.stdout);
    }
    for path in ["/run/new", "/tmp/new", "/dev/new", "/dev/shm/new"] {
        place.says(&["--read-only"], &["write", path, "x"]);
    }
    assert_eq!(place.listing(), before);
    place.says(&[], &["write", "/tmp/kept", "x"]);
    assert!(place.root().join("tmp/kept").exists());
}

fn a_network_of_its_own() {
    let place = Place::new();
    assert_eq!(place.says(&["--no-network"], &["interfaces"]), "lo\nconnected\n");
    let host = fs::read_to_string("/proc/self/net/dev").unwrap();
    assert_eq!(
        place.says(&[], &["read", "/proc/self/net/dev"]).lines().count(),
        host.lines().count()
    );
}

fn a_name_of_its_own() {
    let place = Place::new();
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    assert!(place.says(&["--hostname", "box"], &["uname"]).starts_with("box "));
    assert!(place.says(&[], &["uname"]).starts_with(&format!("{host} ")));
    assert_eq!(rustix::system::uname().nodename().to_string_lossy(), host);
}

fn a_32_bit_root_sees_a_32_bit_machine() {
    let place = Place::new();
    let (machine, expected): (u16, _) = match std::env::consts::ARCH {
        "x86_64" => (3, " i686\n"),
        "aarch64" => (40, " armv8l\n"),
        _ => return,
    };
    let mut header = b"\x7fELF\x01\x01\x01".to_vec();
    header.resize(18, 0);
    header.extend(machine.to_le_bytes());
    fs::remove_file(place.root().join("bin/sh")).unwrap();
    fs::write(place.root().join("bin/small"), header).unwrap();
    symlink("/bin/small", place.root().join("bin/sh")).unwrap();
    let said = place.says(&[], &["uname"]);
    assert!(said.ends_with(expected), "{said}");
    fs::set_permissions(place.root().join("bin/small"), fs::Permissions::from_mode(0o755)).unwrap();
}

fn all_of_root_s_rights() {
    let place = Place::new();
    let all = |options: &[&str]| {
        let status = place.says(options, &["read", "/proc/self/status"]);
        let line = status.lines().find_map(|line| line.strip_prefix("CapEff:\t"));
        u64::from_str_radix(line.unwrap(), 16).unwrap()
    };
    let (some, whole) = (all(&[]), all(&["--privileged"]));
    let own = fs::read_to_string("/proc/self/status").unwrap();
    let own = own
        .lines()
        .find_map(|line| line.strip_prefix("CapEff:\t"))
        .unwrap();
    assert_eq!(whole, u64::from_str_radix(own, 16).unwrap());
    assert!(
        some & whole == some && some != whole && some != 0,
        "{some:x} {whole:x}"
    );
    // With a network of its own it may be set up.
    assert_eq!(all(&["--no-network"]), some | 1 << 12);
}
