//! dnf and bareroot, making roots of the distribution.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use crate::dnf::{Dnf, RELEASE};
use crate::run::must;
use crate::workshop::{EPOCH, Place};

/// Both makers, and where they work.
pub struct Makers<'a> {
    /// Where roots are made.
    pub place: &'a Place,
    /// Where the distribution is served.
    pub url: String,
    bareroot: PathBuf,
    dnf: Dnf,
    /// Where both have their caches.
    caches: PathBuf,
}

impl<'a> Makers<'a> {
    /// Writes what both are told.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn new(place: &'a Place, url: &str, bareroot: PathBuf) -> Result<Makers<'a>> {
        Ok(Makers {
            place,
            url: url.to_owned(),
            bareroot,
            dnf: Dnf::new(place.fresh("home"), url)?,
            caches: place.fresh("caches"),
        })
    }

    /// dnf's root.
    ///
    /// # Errors
    /// When dnf fails: with the last lines that it printed.
    pub fn dnf(&self, packages: &[&str], weak: bool) -> Result<PathBuf> {
        let root = self.place.fresh("dnf");
        let mut dnf = self.dnf.install(&root, packages, &self.caches.join("dnf"));
        dnf.arg("--setopt").arg(format!("install_weak_deps={weak}"));
        must(&mut dnf)?;
        Ok(root)
    }

    /// Removes from dnf's root what is there for its cache, which is elsewhere: a list of expired repositories, below
    /// directories that bareroot's root does not have.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn forget_cache(&self, peer: &Path, ours: &Path) -> Result<()> {
        let cache = self.caches.join("dnf");
        let inside = cache.strip_prefix("/").unwrap_or(&cache);
        let list = peer.join(inside).join("expired_repos.json");
        if list.exists() {
            fs::remove_file(list)?;
        }
        for directory in inside
            .ancestors()
            .filter(|directory| !ours.join(directory).exists())
        {
            if peer.join(directory).exists() {
                fs::remove_dir(peer.join(directory))?;
            }
        }
        Ok(())
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
        command.arg("bootstrap").arg("--repo").arg(self.dnf.repo_file());
        command.args(["--releasever", RELEASE, "--include", &packages.join(",")]);
        command.arg("--cache-dir").arg(self.caches.join("bareroot"));
        if !weak {
            command.arg("--no-recommends");
        }
        command.arg(root).env_remove("SOURCE_DATE_EPOCH");
        command
    }
}
