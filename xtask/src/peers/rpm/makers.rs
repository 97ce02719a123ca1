//! dnf and bareroot, making roots of the distribution.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use crate::rpm_distro;
use crate::run::must;
use crate::workshop::{EPOCH, Place};

/// The distribution's release.
const RELEASE: &str = "1";

/// Both makers, and where they work.
pub struct Makers<'a> {
    /// Where roots are made.
    pub place: &'a Place,
    /// Where the distribution is served.
    pub url: String,
    bareroot: PathBuf,
    /// The home of dnf, whose rpm is told where this distribution has its database: Debian's has it elsewhere.
    home: PathBuf,
}

impl<'a> Makers<'a> {
    /// Writes what both are told.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn new(place: &'a Place, url: &str, bareroot: PathBuf) -> Result<Makers<'a>> {
        let home = place.fresh("home");
        fs::create_dir_all(home.join("repos"))?;
        fs::write(home.join(".rpmmacros"), "%_dbpath /usr/lib/sysimage/rpm\n")?;
        fs::write(home.join("repos/testos.repo"), rpm_distro::repo_file(url))?;
        Ok(Makers {
            place,
            url: url.to_owned(),
            bareroot,
            home,
        })
    }

    /// dnf's root.
    ///
    /// # Errors
    /// When dnf fails: with the last lines that it printed.
    pub fn dnf(&self, packages: &[&str], weak: bool) -> Result<PathBuf> {
        let root = self.place.fresh("dnf");
        // Not the first python3 in PATH: dnf's modules are the system's.
        let mut dnf = Command::new("/usr/bin/python3");
        dnf.args(["/usr/bin/dnf", "-q", "-y", "--noplugins"]);
        dnf.arg(format!("--installroot={}", root.display()));
        dnf.arg(format!("--releasever={RELEASE}"));
        for option in [
            format!("reposdir={}", self.home.join("repos").display()),
            format!("install_weak_deps={weak}"),
            format!("module_platform_id=platform:testos{RELEASE}"),
            // Kept out of the root: gpg's agent, which repo_gpgcheck starts, lives there.
            format!("cachedir={}", self.home.join("cache").display()),
        ] {
            dnf.arg("--setopt").arg(option);
        }
        dnf.arg("install").args(packages).env_clear();
        dnf.env("HOME", &self.home).env("LC_ALL", "C.UTF-8");
        dnf.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        must(&mut dnf)?;
        Ok(root)
    }

    /// bareroot's root, made now.
    ///
    /// # Errors
    /// When bareroot fails: with the last lines that it printed.
    pub fn bareroot(&self, packages: &[&str], weak: bool, options: &[&str]) -> Result<PathBuf> {
        let root = self.place.fresh("bareroot");
        must(self.bareroot_command(packages, weak, &root).args(options))?;
        Ok(root)
    }

    /// bareroot's root, made at a given time.
    ///
    /// # Errors
    /// As [`Makers::bareroot`].
    pub fn bareroot_at_epoch(&self, packages: &[&str], options: &[&str]) -> Result<PathBuf> {
        let root = self.place.fresh("bareroot-at-epoch");
        let mut command = self.bareroot_command(packages, true, &root);
        must(command.args(options).env("SOURCE_DATE_EPOCH", EPOCH))?;
        Ok(root)
    }

    /// The command that makes bareroot's root.
    pub fn bareroot_command(&self, packages: &[&str], weak: bool, root: &Path) -> Command {
        let mut command = Command::new(&self.bareroot);
        command
            .arg("bootstrap")
            .arg("--repo")
            .arg(self.home.join("repos/testos.repo"));
        command.args(["--releasever", RELEASE, "--include", &packages.join(",")]);
        command.arg("--cache-dir").arg(self.home.join("bareroot-cache"));
        if !weak {
            command.arg("--no-recommends");
        }
        command.arg(root).env_remove("SOURCE_DATE_EPOCH");
        command
    }
}
