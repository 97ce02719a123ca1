//! Real dnf, as a peer: it writes its database where the distribution of `rpm-distro` has it, and reads nothing of this
//! machine's own configuration.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

/// dnf with a home of its own.
pub struct Dnf {
    home: PathBuf,
}

impl Dnf {
    /// A dnf whose home is made below a directory.
    ///
    /// # Errors
    /// When the directory cannot be written.
    pub fn new(parent: &Path) -> Result<Dnf> {
        let home = parent.join("dnf-home");
        fs::create_dir_all(&home)?;
        // Debian's rpm has its database in the user's home unless it is told otherwise, below a root too.
        fs::write(home.join(".rpmmacros"), "%_dbpath /usr/lib/sysimage/rpm\n")?;
        Ok(Dnf { home })
    }

    /// The command with the repositories of a directory of .repo files; what it is to do is still to be added.
    pub fn command(&self, repos: &Path) -> Command {
        // The system's own interpreter: another python3 that comes first in PATH has no dnf.
        let mut command = Command::new("/usr/bin/python3");
        command
            .arg("/usr/bin/dnf")
            .args([
                "-y",
                "--noplugins",
                "--setopt=module_platform_id=platform:testos1",
            ])
            .arg(format!("--setopt=reposdir={}", repos.display()))
            .env_clear()
            .env("HOME", &self.home)
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("LC_ALL", "C.UTF-8");
        command
    }
}
