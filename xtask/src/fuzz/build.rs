//! The targets, built with coverage by any rustc: libFuzzer needs LLVM's counters, which `-C passes` gives a stable one too.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::machine;
use crate::run::must;

/// What libFuzzer learns from: edges, their counts, and what is compared. One unit a crate, as edges of many are counted apart.
const FLAGS: &[&str] = &[
    "--cfg",
    "fuzzing",
    "--cfg",
    "getrandom_backend=\"linux_getrandom\"",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Ccodegen-units=1",
];

/// The names of the targets, in the order of `fuzz/Cargo.toml`.
pub fn targets(root: &Path) -> Result<Vec<String>> {
    let manifest = root.join("fuzz/Cargo.toml");
    let text = fs::read_to_string(&manifest).with_context(|| manifest.display().to_string())?;
    let names: Vec<String> = text
        .split("[[bin]]")
        .skip(1)
        .filter_map(|bin| bin.lines().find_map(|line| line.strip_prefix("name = ")))
        .map(|name| name.trim_matches('"').to_owned())
        .collect();
    ensure!(!names.is_empty(), "{} has no [[bin]]", manifest.display());
    Ok(names)
}

/// Builds them, and gives the directory that they are in.
pub fn build(root: &Path, targets: &[String]) -> Result<PathBuf> {
    println!("note building {} fuzz targets", targets.len());
    let place = machine::target().join("fuzz/build");
    let host = must(Command::new("rustc").arg("-vV"))?;
    let triple = host
        .stdout
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .context("`rustc -vV` names no host")?
        .to_owned();
    let mut command = Command::new("cargo");
    command
        .args(["build", "--release", "--quiet", "--target", &triple])
        .arg("--manifest-path")
        .arg(root.join("fuzz/Cargo.toml"))
        .arg("--target-dir")
        .arg(&place)
        .env("CARGO_ENCODED_RUSTFLAGS", FLAGS.join("\x1f"))
        .env_remove("RUSTFLAGS");
    for name in targets {
        command.args(["--bin", name]);
    }
    must(&mut command)?;
    Ok(place.join(triple).join("release"))
}
