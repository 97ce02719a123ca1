//! `cargo xtask peers no-host-programs`: strace over a whole bootstrap shows only programs inside the target.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::trace::{CALLS, Trace};
use crate::machine;
use crate::report::Report;
use crate::run::must;
use crate::workshop::{Recipe, Workshop};

/// The check, with and without stand-ins.
///
/// # Errors
/// When this machine's apt has no mirror.
pub fn run(workshop: &Workshop, report: &mut Report) -> Result<()> {
    let mirror = machine::debian_mirror()?;
    let recipe = Recipe {
        distribution: "debian",
        suite: "trixie",
        variant: "minbase",
        mirror: &mirror,
        epoch: false,
        expired: false,
    };
    for options in [&[][..], &["--no-standins"]] {
        let what = format!("no program of the host is executed {}", options.concat());
        let target = workshop.fresh("traced");
        let mut command = workshop.bareroot_command(&recipe, &target);
        let traced = traced(command.args(options), &target, &workshop.fresh("strace.out"));
        if let Some((count, evidence)) = report.take(&what, traced) {
            report.check(
                &format!("{}: {count} programs, all of the target", what.trim_end()),
                &evidence,
            );
        }
        workshop.remove(&target)?;
    }
    Ok(())
}

/// How many programs ran while a command made its target, and those outside.
///
/// # Errors
/// When strace or the command fails, or no program was seen.
pub fn traced(command: &Command, target: &Path, file: &Path) -> Result<(usize, Vec<String>)> {
    let mut strace = Command::new("strace");
    strace.args([
        "-f",
        "--seccomp-bpf",
        "-y",
        "--decode-pids=pidns",
        "-s",
        "4096",
        "-e",
    ]);
    strace.arg(format!("trace={CALLS}")).arg("-o").arg(file);
    strace.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => strace.env(name, value),
            None => strace.env_remove(name),
        };
    }
    must(&mut strace)?;
    let text = fs::read(file).with_context(|| file.display().to_string())?;
    let executed = Trace::parse(&String::from_utf8_lossy(&text)).executed(|path| is_staging(path, target));
    ensure!(!executed.is_empty(), "strace saw no program: nothing is proven");
    let outside = executed
        .iter()
        .filter(|one| !one.inside)
        .map(|one| format!("{} ran `{}`", one.process, one.path));
    Ok((executed.len(), outside.collect()))
}

/// Whether a path is the target, or the staging directory beside it or in it.
fn is_staging(path: &str, target: &Path) -> bool {
    let path = Path::new(path);
    if path == target {
        return true;
    }
    let named = path
        .file_name()
        .is_some_and(|name| name.to_string_lossy().contains(".bareroot-"));
    named
        && path
            .parent()
            .is_some_and(|parent| Some(parent) == target.parent() || parent == target)
}
