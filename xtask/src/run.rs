//! Programs, run to their end.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context, Result, bail};

/// What a program printed and how it ended.
pub struct Ran {
    /// Whether it ended with 0.
    pub success: bool,
    /// How it ended, in words.
    pub status: String,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Ran {
    /// The last lines of what it printed.
    pub fn tail(&self) -> String {
        let all: Vec<&str> = self.stdout.lines().chain(self.stderr.lines()).collect();
        all[all.len().saturating_sub(20)..].join("\n")
    }

    /// Every line that it printed, and how it ended when that was not 0.
    pub fn said(&self) -> Vec<String> {
        let mut said: Vec<String> = self
            .stdout
            .lines()
            .chain(self.stderr.lines())
            .map(str::to_owned)
            .collect();
        if !self.success {
            said.push(self.status.clone());
        }
        said
    }
}

/// Runs a program, whatever its exit code.
///
/// # Errors
/// When it cannot be started.
pub fn run(command: &mut Command) -> Result<Ran> {
    command.stdin(std::process::Stdio::null());
    let Output {
        status,
        stdout,
        stderr,
    } = command
        .output()
        .with_context(|| format!("`{}` cannot be run", command.get_program().display()))?;
    Ok(Ran {
        success: status.success(),
        status: status.to_string(),
        stdout: String::from_utf8_lossy(&stdout).into_owned(),
        stderr: String::from_utf8_lossy(&stderr).into_owned(),
    })
}

/// Runs a program that must succeed.
///
/// # Errors
/// When it cannot be started, or fails: with the last lines that it printed.
pub fn must(command: &mut Command) -> Result<Ran> {
    let ran = run(command)?;
    if !ran.success {
        let arguments: Vec<_> = command.get_args().map(|word| word.to_string_lossy()).collect();
        let program = command.get_program().display().to_string();
        bail!(
            "`{program} {}`: {}\n{}",
            arguments.join(" "),
            ran.status,
            ran.tail()
        );
    }
    Ok(ran)
}

/// A program inside a root, by chroot(8), with the environment of a fresh login.
pub fn inside(root: &Path, words: &[&str]) -> Command {
    let mut command = Command::new("chroot");
    command
        .arg(root)
        .args(words)
        .env_clear()
        .env(
            "PATH",
            "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        )
        .env("HOME", "/root")
        .env("LC_ALL", "C.UTF-8")
        .env("DEBIAN_FRONTEND", "noninteractive");
    command
}

/// Where a program is, in PATH or the directories of administrators' programs.
pub fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin", "/sbin", "/usr/local/sbin"].map(PathBuf::from))
        .map(|directory| directory.join(program))
        .find(|candidate| candidate.is_file())
}
