//! Partial mirrors, in a network namespace without any interface: of trixie's, bareroot, debootstrap and mmdebstrap make roots
//! by its files alone, and apt installs from it over http; of an RPM distribution's, bareroot and dnf do.

mod rpm;

use std::path::Path;
use std::process::Command;

use anyhow::{Result, ensure};

use super::root;
use crate::nginx::Nginx;
use crate::report::{Report, lines};
use crate::run::{inside, must, run as run_program};
use crate::workshop::Workshop;

/// The suite.
const SUITE: &str = "trixie";

/// What apt installs, from what is mirrored besides the root's own packages.
const MORE: &str = "less";

/// The keys of Debian's archive, as Debian's own package has them.
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// The checks.
///
/// # Errors
/// When this machine's apt has no mirror, the RPM distribution cannot be built, or a root cannot be removed.
pub fn run(workshop: &Workshop, report: &mut Report) -> Result<()> {
    debian(workshop, report)?;
    rpm::run(workshop, report)
}

fn debian(workshop: &Workshop, report: &mut Report) -> Result<()> {
    let home = workshop.fresh("mirror");
    let made = make(workshop, &home);
    if report.take("a partial mirror of trixie", made).is_none() {
        return workshop.remove(&home);
    }
    report.check("it is whole", &said(check(workshop, &home))?);
    let ours = workshop.fresh("bareroot");
    report.check(
        "bareroot makes a root of it without a network",
        &said(bareroot(workshop, &home, &ours))?,
    );
    let debootstrap = workshop.fresh("debootstrap");
    let mut command = alone("debootstrap");
    command
        .args(["--variant=minbase", &format!("--keyring={KEYRING}"), SUITE])
        .arg(&debootstrap)
        .arg(format!("file:{}", home.display()));
    report.check(
        "debootstrap makes a root of it without a network",
        &said(made_by(&mut command, &debootstrap))?,
    );
    let mmdebstrap = workshop.fresh("mmdebstrap");
    let mut command = alone("mmdebstrap");
    command
        .args(["--mode=root", "--variant=minbase", SUITE])
        .arg(&mmdebstrap);
    for source in sources(&format!("copy:{}", home.display())) {
        command.arg(source);
    }
    report.check(
        "mmdebstrap makes a root of it without a network",
        &said(made_by(&mut command, &mmdebstrap))?,
    );
    let server = Nginx::serve(&workshop.fresh("nginx"), &home)?;
    report.check(
        "apt installs from it, verified by Debian's keys",
        &said(apt(&ours, &server))?,
    );
    report.check("apt asks for nothing that it has not", &server.missing()?);
    for made in [ours, debootstrap, mmdebstrap, home] {
        workshop.remove(&made)?;
    }
    Ok(())
}

fn said(result: Result<()>) -> Result<Vec<String>> {
    Ok(result
        .err()
        .map(|error| lines(&format!("{error:#}")))
        .unwrap_or_default())
}

/// A program in a network namespace without any interface that is up.
fn alone(program: &str) -> Command {
    let mut command = Command::new("unshare");
    command.arg("-n").arg(program).env("LC_ALL", "C.UTF-8");
    command
}

fn sources(base: &str) -> [String; 3] {
    [
        format!("deb {base} {SUITE} main"),
        format!("deb {base} {SUITE}-updates main"),
        format!("deb {base}/security {SUITE}-security main"),
    ]
}

/// With updates and without: debootstrap knows only the suite itself.
fn make(workshop: &Workshop, home: &Path) -> Result<()> {
    for option in ["--updates", "--no-updates"] {
        let mut command = Command::new(&workshop.bareroot);
        command.args(["mirror", &format!("debian:{SUITE}")]).arg(home);
        must(command.args(["--include", MORE, option]))?;
    }
    Ok(())
}

fn check(workshop: &Workshop, home: &Path) -> Result<()> {
    let mut command = Command::new("unshare");
    command.arg("-n").arg(&workshop.bareroot);
    must(command.args(["mirror", "--check"]).arg(home))?;
    Ok(())
}

fn bareroot(workshop: &Workshop, home: &Path, root: &Path) -> Result<()> {
    let mut command = Command::new("unshare");
    command.arg("-n").arg(&workshop.bareroot);
    command.args(["bootstrap", &format!("debian:{SUITE}")]).arg(root);
    command
        .arg("--mirror")
        .arg(home)
        .args(["--offline", "--no-cache"]);
    made_by(&mut command, root)
}

/// Runs a maker; its root must be whole.
fn made_by(command: &mut Command, made: &Path) -> Result<()> {
    must(command)?;
    let packages = root::packages(made)?;
    ensure!(packages.len() > 50, "only {} packages", packages.len());
    let broken: Vec<&String> = packages
        .iter()
        .filter(|line| !line.ends_with(" install ok installed"))
        .collect();
    ensure!(broken.is_empty(), "not installed: {broken:?}");
    Ok(())
}

/// `apt-get update` and `install` inside, with its own configuration and the root's own keyring.
fn apt(root: &Path, server: &Nginx) -> Result<()> {
    // Whoever made the root: it has the mirror by file, which is not there inside.
    for listed in std::fs::read_dir(root.join("etc/apt/sources.list.d"))? {
        std::fs::remove_file(listed?.path())?;
    }
    std::fs::write(
        root.join("etc/apt/sources.list"),
        sources(&server.url()).join("\n") + "\n",
    )?;
    for words in [
        &["apt-get", "update", "--error-on=any"][..],
        &["apt-get", "install", "-y", MORE],
    ] {
        let mut command = inside(root, words);
        let ran = run_program(command.env("DEBIAN_FRONTEND", "noninteractive"))?;
        ensure!(ran.success, "{}: {}", words.join(" "), ran.tail());
    }
    let there = root::packages(root)?;
    ensure!(
        there.iter().any(|line| line.starts_with(&format!("{MORE}:"))),
        "{MORE} is not there: {there:?}"
    );
    Ok(())
}
