//! Runs that end early leave no half archive.

use std::fs;
use std::thread;
use std::time::Instant;

use bareroot_testkit::cases;
use bareroot_testkit::disk::Disk;
use bareroot_testkit::door::{Going, Signal, run};
use bareroot_testkit::harness::Case;

use crate::formats::listing;
use crate::{bootstrap, door, unpacked};

pub const CASES: &[Case] =
    cases![Root: killed_at_any_moment, interrupted, a_disk_that_fills, a_script_that_fails];

fn killed_at_any_moment() {
    let door = door();
    let out = door.path("out/a.tar.gz");
    let begin = Instant::now();
    run(bootstrap(&door, &out, &[])).succeeded();
    let whole = begin.elapsed();
    let expected = fs::read(&out).unwrap();
    fs::remove_file(&out).unwrap();
    for moment in 0..12 {
        let going = Going::start(bootstrap(&door, &out, &["--verbose"]));
        thread::sleep(whole * moment / 11);
        going.signal(Signal::KILL);
        going.end();
        door.assert_no_mount_and_no_process();
        let mut left = door.beside();
        if left.contains(&"a.tar.gz".to_owned()) {
            // An archive that has its name is whole.
            assert!(fs::read(&out).unwrap() == expected, "moment {moment}");
            fs::remove_file(&out).unwrap();
            left.retain(|name| name != "a.tar.gz");
        }
        assert!(
            left.len() <= 2 && left.iter().all(|name| name.starts_with(".a.tar.gz.bareroot-")),
            "moment {moment}: {left:?}"
        );
    }
    run(bootstrap(&door, &out, &[])).succeeded();
    door.assert_beside_is(&["a.tar.gz"]);
    assert!(fs::read(&out).unwrap() == expected);
}

fn interrupted() {
    let door = door();
    let mut going = Going::start(bootstrap(
        &door,
        door.path("out/a.tar"),
        &["--customize-hook", "echo waiting; sleep 60", "--verbose"],
    ));
    going.until_said("waiting");
    going.signal_group(Signal::INT);
    assert_eq!(going.end().code, Some(130));
    door.assert_nothing_left();
}

fn a_disk_that_fills() {
    let door = door();
    let disk = Disk::mount(&door.path("out"), 4 << 20);
    run(bootstrap(&door, door.path("out/a.tar"), &[])).failed(6, &["no space left"]);
    assert_eq!(door.beside(), [""; 0]);
    drop(disk);
    door.assert_no_mount_and_no_process();
    // The root has room where temporary files go, the archive has none.
    let small = Disk::mount(&door.path("out"), 1 << 20);
    let mut command = bootstrap(&door, "-", &[]);
    let full = fs::File::create(door.path("out/full")).unwrap();
    let output = command
        .stdout(full)
        .stderr(std::process::Stdio::piped())
        .output()
        .unwrap();
    // It keeps the file open.
    drop(command);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(6), "{stderr}");
    assert!(
        stderr.contains("No space left") && stderr.contains("hint: free some space"),
        "{stderr}"
    );
    assert_eq!(fs::read_dir(door.path("tmp")).unwrap().count(), 0);
    drop(small);
    door.assert_no_mount_and_no_process();
}

fn a_script_that_fails() {
    let door = door();
    let out = door.path("out/a.tar.zst");
    run(bootstrap(&door, &out, &["--customize-hook", "exit 3"])).failed(7, &["exit 3"]);
    door.assert_nothing_left();
    run(bootstrap(
        &door,
        &out,
        &["--customize-hook", "touch \"$1/from-a-hook\""],
    ))
    .succeeded();
    assert!(
        listing(&unpacked(&out))
            .entries
            .contains_key(std::path::Path::new("from-a-hook"))
    );
}
