//! A partial mirror of the RPM distribution, with its own signatures: by its files alone dnf and bareroot make the same
//! root, and served on loopback dnf inside it reads the indexes and installs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::{check, said};
use crate::dnf::{Dnf, RELEASE};
use crate::machine;
use crate::nginx::Nginx;
use crate::peers::root::unshared;
use crate::peers::rpm::installed;
use crate::report::Report;
use crate::rpm_distro;
use crate::run::{inside, must};
use crate::workshop::Workshop;

/// The root's packages.
const PACKAGES: &[&str] = &["@Minimal Install", "dnf", "testos-release", "testos-repos"];

/// What dnf inside installs, from what is mirrored besides.
const MORE: &str = "jq";

/// The checks.
///
/// # Errors
/// When the distribution cannot be built, or a root cannot be removed.
pub fn run(workshop: &Workshop, report: &mut Report) -> Result<()> {
    let distro = machine::target().join("rpm-distro/distro");
    rpm_distro::ensure_built(&distro, 2, false)?;
    let distro = fs::canonicalize(&distro)?;
    let ground = Ground {
        workshop,
        key: key_of(&distro)?,
        mirror: workshop.fresh("rpm-mirror"),
    };
    let server = Nginx::serve(&workshop.fresh("nginx"), &distro)?;
    let made = ground.mirror(&server.url());
    drop(server);
    if report
        .take("a partial mirror of the RPM distribution", made)
        .is_none()
    {
        return workshop.remove(&ground.mirror);
    }
    report.check("rpm: it is whole", &said(check(workshop, &ground.mirror))?);
    let ours = workshop.fresh("rpm-bareroot");
    report.check(
        "rpm: bareroot makes a root of it without a network",
        &said(ground.bareroot(&ours))?,
    );
    let theirs = workshop.fresh("rpm-dnf");
    report.check(
        "rpm: dnf makes a root of it without a network, gpgcheck and repo_gpgcheck on",
        &said(ground.dnf(&theirs))?,
    );
    report.check("rpm: both have the same packages", &said(same(&ours, &theirs))?);
    let server = Nginx::serve(&workshop.fresh("nginx"), &ground.mirror)?;
    report.check(
        "rpm: dnf inside reads its indexes and installs from it, verified by the root's own keys",
        &said(inside_the_root(&ours, &server))?,
    );
    report.check("rpm: dnf asks for nothing that it has not", &server.missing()?);
    for made in [ours, theirs, ground.mirror.clone()] {
        workshop.remove(&made)?;
    }
    Ok(())
}

struct Ground<'a> {
    workshop: &'a Workshop,
    /// The distribution's key.
    key: PathBuf,
    mirror: PathBuf,
}

impl Ground<'_> {
    /// The distribution's repositories below an address, with the key as a file of this machine: where there is no network,
    /// it cannot be fetched.
    fn repos(&self, url: &str) -> Result<String> {
        let text = rpm_distro::repo_file(url);
        let name = self.key.file_name().unwrap_or_default().display();
        let fetched = format!("gpgkey={url}/{name}");
        let ours = format!("gpgkey=file://{}", self.key.display());
        ensure!(
            text.contains(&fetched) && text.contains("repo_gpgcheck=1") && text.contains("\ngpgcheck=1"),
            "the distribution's repositories are not what they were:\n{text}"
        );
        Ok(text.replace(&fetched, &ours))
    }

    /// The repositories where they are served, which a mirror's map knows them by.
    fn repo_file(&self) -> PathBuf {
        self.workshop.path().join("offline.repo")
    }

    fn mirror(&self, url: &str) -> Result<()> {
        fs::write(self.repo_file(), self.repos(url)?)?;
        let mut command = Command::new(&self.workshop.bareroot);
        command.arg("mirror").arg(&self.mirror);
        self.wishes(&mut command, &[PACKAGES, &[MORE]].concat());
        must(&mut command)?;
        Ok(())
    }

    fn wishes(&self, command: &mut Command, packages: &[&str]) {
        command.arg("--repo").arg(self.repo_file());
        command.args(["--releasever", RELEASE, "--no-cache"]);
        command.args(["--include", &packages.join(",")]);
    }

    fn bareroot(&self, root: &Path) -> Result<()> {
        let mut command = Command::new("unshare");
        command.arg("-n").arg(&self.workshop.bareroot);
        command.arg("bootstrap").arg(root);
        self.wishes(&mut command, PACKAGES);
        must(command.arg("--offline").arg("--mirror").arg(&self.mirror))?;
        Ok(())
    }

    /// By file, in a network namespace without any interface.
    fn dnf(&self, root: &Path) -> Result<()> {
        let home = self.workshop.fresh("rpm-home");
        let repos = self.repos(&format!("file://{}", self.mirror.display()))?;
        let dnf = Dnf::with_repos(home.clone(), &repos, &[], "")?;
        let install = dnf.install(root, PACKAGES, &home.join("cache"));
        let mut command = Command::new("unshare");
        command
            .arg("-n")
            .arg(install.get_program())
            .args(install.get_args());
        command.env_clear();
        command.envs(
            install
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        );
        must(&mut command)?;
        Ok(())
    }
}

/// The key that the distribution is signed with.
fn key_of(distro: &Path) -> Result<PathBuf> {
    let files = fs::read_dir(distro)?.collect::<Result<Vec<_>, _>>()?;
    let is_key = |entry: &fs::DirEntry| entry.file_name().to_string_lossy().starts_with("RPM-GPG-KEY-");
    let key = files.iter().find(|entry| is_key(entry));
    Ok(key.context("the distribution has no key")?.path())
}

fn same(ours: &Path, theirs: &Path) -> Result<()> {
    let (ours, theirs) = (installed(ours)?, installed(theirs)?);
    ensure!(ours.len() > 100, "only {} packages", ours.len());
    let unshared = unshared(&theirs, "dnf", &ours);
    ensure!(unshared.is_empty(), "{}", unshared.join("\n"));
    Ok(())
}

/// With the root's own .repo files and keys; only the address is ours.
fn inside_the_root(root: &Path, server: &Nginx) -> Result<()> {
    fs::write(
        root.join("etc/dnf/vars/testosmirror"),
        format!("{}\n", server.url()),
    )?;
    for words in [&["makecache", "--refresh"][..], &["install", MORE]] {
        let words = [&["dnf", "-q", "-y"], words].concat();
        must(&mut inside(root, &words))?;
    }
    must(&mut inside(root, &[MORE, "--version"]))?;
    let list = installed(root)?;
    ensure!(
        list.iter()
            .any(|package| package.starts_with(&format!("{MORE}-"))),
        "{MORE} is not among {list:?}"
    );
    Ok(())
}
