//! Real dnf, as a peer: it writes its database where the distribution of `rpm-distro` has it, and reads nothing of this
//! machine's own configuration.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use crate::rpm_distro;

/// The release of `rpm-distro`'s distribution.
pub const RELEASE: &str = "1";

/// dnf with a home of its own.
pub struct Dnf {
    home: PathBuf,
}

impl Dnf {
    /// A dnf whose home is made at a path, and that knows the repositories of `rpm-distro`'s distribution at a URL.
    ///
    /// # Errors
    /// When the home cannot be written.
    pub fn new(home: PathBuf, url: &str) -> Result<Dnf> {
        Dnf::with_repos(home, &rpm_distro::repo_file(url), &[], "")
    }

    /// A dnf that knows the repositories of a .repo file's text, with variables of its own and further macros of rpm's.
    ///
    /// # Errors
    /// When the home cannot be written.
    pub fn with_repos(home: PathBuf, repos: &str, variables: &[(&str, &str)], macros: &str) -> Result<Dnf> {
        let dnf = Dnf { home };
        fs::create_dir_all(dnf.repos())?;
        fs::create_dir_all(dnf.variables())?;
        // Debian's rpm has its database in the user's home unless it is told otherwise, below a root too.
        let macros = format!("%_dbpath /usr/lib/sysimage/rpm\n{macros}");
        fs::write(dnf.home.join(".rpmmacros"), macros)?;
        fs::write(dnf.repo_file(), repos)?;
        for (name, value) in variables {
            fs::write(dnf.variables().join(name), format!("{value}\n"))?;
        }
        Ok(dnf)
    }

    fn repos(&self) -> PathBuf {
        self.home.join("yum.repos.d")
    }

    fn variables(&self) -> PathBuf {
        self.home.join("dnf/vars")
    }

    /// The .repo file of the distribution.
    pub fn repo_file(&self) -> PathBuf {
        self.repos().join("testos.repo")
    }

    /// The command, with a cache and the repositories of a directory of .repo files; what it is to do is still to be
    /// added. The cache is no part of a root: gpg's agent, which `repo_gpgcheck` starts, lives there.
    pub fn command(&self, repos: &Path, cache: &Path) -> Command {
        // The system's own interpreter: another python3 that comes first in PATH has no dnf.
        let mut command = Command::new("/usr/bin/python3");
        command
            .args(["/usr/bin/dnf", "-q", "-y", "--noplugins"])
            .env_clear()
            .env("HOME", &self.home)
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("LC_ALL", "C.UTF-8");
        for option in [
            format!("reposdir={}", repos.display()),
            format!("cachedir={}", cache.display()),
            format!("module_platform_id=platform:testos{RELEASE}"),
            format!("varsdir={}", self.variables().display()),
        ] {
            command.arg("--setopt").arg(option);
        }
        command
    }

    /// The command that works on a root of the distribution; what it is to do is still to be added.
    pub fn to(&self, root: &Path, cache: &Path) -> Command {
        let mut command = self.command(&self.repos(), cache);
        command.arg(format!("--installroot={}", root.display()));
        command.arg(format!("--releasever={RELEASE}"));
        command
    }

    /// The command that installs packages of the distribution into a root.
    pub fn install(&self, root: &Path, packages: &[&str], cache: &Path) -> Command {
        let mut command = self.to(root, cache);
        command.arg("install").args(packages);
        command
    }
}
