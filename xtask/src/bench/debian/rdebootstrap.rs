//! rdebootstrap, from the crates registry.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, ensure};

use crate::machine;
use crate::run::must;

/// The version that the promises were made against.
const VERSION: &str = "0.4.0";

/// Its binary, built once.
///
/// # Errors
/// When it does not build.
pub fn build(home: &Path) -> Result<PathBuf> {
    let prefix = home.join("rdebootstrap");
    let binary = prefix.join("bin/rdebootstrap");
    if !binary.is_file() {
        machine::prepare_to_build_rdebootstrap()?;
        println!("note building rdebootstrap {VERSION}");
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        // Outside the workspace, whose configuration links everything statically.
        must(
            Command::new(cargo)
                .args([
                    "install",
                    "rdebootstrap",
                    "--locked",
                    "--version",
                    VERSION,
                    "--root",
                ])
                .arg(&prefix)
                .arg("--target-dir")
                .arg(home.join("rdebootstrap-build"))
                .current_dir("/"),
        )?;
    }
    ensure!(binary.is_file(), "cargo install left no `{}`", binary.display());
    Ok(binary)
}
