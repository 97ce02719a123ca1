//! What rpm and dnf in a finished root say and do.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Result, ensure};

use super::evidence;
use super::makers::Makers;
use crate::peers::root::unshared;
use crate::report::Report;
use crate::run::{Ran, inside, must, run};

/// The package that is installed and removed.
const ONE_MORE: &str = "jq";

/// Everything that rpm and dnf of a root are asked, in dnf's root and in bareroot's.
///
/// # Errors
/// When a root cannot be written.
pub fn checks(makers: &Makers<'_>, peer: &Path, ours: &Path, title: &str, report: &mut Report) -> Result<()> {
    if !ours.join("usr/bin/rpm").exists() {
        report.note(&format!("{title}: no rpm among the packages"));
        return Ok(());
    }
    let installed = || -> Result<()> {
        let (theirs, ours) = (installed(peer)?, installed(ours)?);
        let unshared = unshared(&theirs, "dnf", &ours);
        ensure!(unshared.is_empty(), "{}", unshared.join("\n"));
        Ok(())
    };
    report.check(&format!("{title}: rpm -qa says the same"), &evidence(installed()));
    verify(
        peer,
        ours,
        &format!("{title}: rpm -Va says no more than in dnf's root"),
        report,
    )?;
    let said = run(&mut mounted(ours, &["rpmdb", "--verifydb"]))?.said();
    report.check(&format!("{title}: rpmdb --verifydb"), &said);
    if !ours.join("usr/bin/dnf").exists() {
        return Ok(());
    }
    for root in [peer, ours] {
        fs::write(
            root.join("etc/dnf/vars/testosmirror"),
            format!("{}\n", makers.url),
        )?;
    }
    for words in [
        &["check"][..],
        &["repolist"],
        &["repoquery", "--userinstalled"],
        &[
            "repoquery",
            "--installed",
            "--qf",
            "%{name} %{from_repo} %{reason}",
        ],
        &["group", "list", "--hidden"],
        &["autoremove"],
        &["install", ONE_MORE],
        &["repoquery", "--userinstalled"],
        &["remove", ONE_MORE],
        &["repoquery", "--userinstalled"],
    ] {
        let what = format!("{title}: dnf {}: the same", words.join(" "));
        report.check(&what, &evidence(same_answer(peer, ours, words)));
        if words == ["install", ONE_MORE] {
            let runs = must(&mut inside(ours, &[ONE_MORE, "--version"])).map(|_| ());
            report.check(&format!("{title}: {ONE_MORE} runs"), &evidence(runs));
        }
    }
    report.check(
        &format!("{title}: rpm -qa says the same, after"),
        &evidence(installed()),
    );
    verify(
        peer,
        ours,
        &format!("{title}: rpm -Va says no more, after"),
        report,
    )
}

/// Both dnf succeed and print the same lines, in whatever order.
fn same_answer(peer: &Path, ours: &Path, words: &[&str]) -> Result<()> {
    let ask = |root: &Path| -> Result<BTreeSet<String>> {
        let mut all = vec!["dnf", "-q", "-y"];
        all.extend(words);
        let ran = must(&mut mounted(root, &all))?;
        let lines = ran.stdout.lines().map(str::trim).filter(|line| !line.is_empty());
        Ok(lines.map(str::to_owned).collect())
    };
    let (theirs, ours) = (ask(peer)?, ask(ours)?);
    let unshared = unshared(&theirs, "dnf", &ours);
    ensure!(unshared.is_empty(), "{}", unshared.join("\n"));
    Ok(())
}

fn verify(peer: &Path, ours: &Path, what: &str, report: &mut Report) -> Result<()> {
    let said = |root: &Path| -> Result<BTreeSet<String>> {
        let Ran { stdout, stderr, .. } = run(&mut mounted(root, &["rpm", "-Va"]))?;
        Ok(stdout.lines().chain(stderr.lines()).map(str::to_owned).collect())
    };
    let (theirs, ours) = (said(peer)?, said(ours)?);
    let more: Vec<String> = ours.difference(&theirs).cloned().collect();
    report.check(what, &more);
    Ok(())
}

/// What `rpm -qa` of a root lists.
///
/// # Errors
/// When it fails.
pub fn installed(root: &Path) -> Result<BTreeSet<String>> {
    let listed = must(&mut mounted(root, &["rpm", "-qa"]))?.stdout;
    Ok(listed.lines().map(str::to_owned).collect())
}

/// A program in the root, with /proc and /dev in a mount namespace that ends with it.
fn mounted(root: &Path, words: &[&str]) -> Command {
    let script = "mount -t proc proc \"$1/proc\" && mount --rbind /dev \"$1/dev\" && shift && exec \"$@\"";
    let chroot = inside(root, words);
    let mut command = Command::new("unshare");
    command.args(["--mount", "--propagation", "private", "sh", "-ec", script, "sh"]);
    command
        .arg(root)
        .arg(chroot.get_program())
        .args(chroot.get_args());
    command.env_clear();
    for (name, value) in chroot.get_envs() {
        if let Some(value) = value {
            command.env(name, value);
        }
    }
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    command
}
