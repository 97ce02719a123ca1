//! Programs of this system, run in the root that they were carried into.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use bareroot_testkit::cases;
use bareroot_testkit::harness::Case;

use crate::{Ran, Setting};

pub const CASES: &[Case] = cases![Root: a_shell_runs; Nothing: the_libraries_are_those_of_ldd];

fn carry_from_here(setting: &Setting, words: &[&str]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bareroot"));
    command.arg("carry").arg(setting.root()).args(words);
    Ran::of(command)
}

fn a_shell_runs() {
    let setting = Setting::new();
    carry_from_here(&setting, &["/bin/sh"]).ok();
    let mut enter = Command::new(env!("CARGO_BIN_EXE_bareroot"));
    enter.arg("enter").arg(setting.root()).args([
        "--",
        "/bin/sh",
        "-c",
        "echo $((6 * 7)); read x < /etc/passwd; echo $x",
    ]);
    let ran = Ran::of(enter).ok();
    assert!(ran.stdout.starts_with("42\nroot:x:0:0:"), "{ran:?}");
}

#[allow(clippy::print_stderr, reason = "a test that is skipped says so")]
fn the_libraries_are_those_of_ldd() {
    let ldd = Path::new("/usr/bin/ldd");
    if !ldd.exists() {
        eprintln!("skipped: there is no ldd");
        return;
    }
    let setting = Setting::new();
    let ran = carry_from_here(&setting, &["/bin/sh", "--no-data", "--dry-run", "--json"]).ok();
    let document: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let ours: BTreeSet<String> = document["entries"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| {
            entry["kind"] == "file" && matches!(entry["rule"].as_str(), Some("library" | "loader"))
        })
        .map(|entry| entry["path"].as_str().unwrap().to_owned())
        .collect();
    let listed = Ran::of({
        let mut command = Command::new(ldd);
        command.arg("/bin/sh");
        command
    });
    let theirs: BTreeSet<String> = listed
        .stdout
        .split_whitespace()
        .filter(|word| word.starts_with('/'))
        .map(|word| std::fs::canonicalize(word).unwrap().display().to_string())
        .collect();
    assert_eq!(ours, theirs, "{listed:?}");
}
