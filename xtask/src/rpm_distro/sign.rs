//! The distribution's key, and its signatures on packages and metadata.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::build::{each, rpm_command};
use crate::run::{find, must};

/// The public key's file in the distribution.
pub const KEY_FILE: &str = "RPM-GPG-KEY-testos";

/// Whose key it is.
const USER: &str = "testos <security@testos.example>";

/// How many packages one rpmsign is given.
const BATCH: usize = 25;

/// A private key in a directory of gpg's, whose agent ends when this is dropped.
pub struct Key {
    home: PathBuf,
}

impl Key {
    /// Makes a key of RSA without a passphrase, and writes its public half into the distribution.
    ///
    /// # Errors
    /// When gpg fails.
    pub fn make(home: &Path, dir: &Path) -> Result<Key> {
        fs::create_dir_all(home)?;
        fs::set_permissions(home, fs::Permissions::from_mode(0o700))?;
        let key = Key {
            home: home.to_owned(),
        };
        let mut generate = key.gpg();
        generate.args([
            "--passphrase",
            "",
            "--quick-gen-key",
            USER,
            "rsa3072",
            "sign",
            "never",
        ]);
        must(&mut generate)?;
        let public = must(key.gpg().args(["--armor", "--export", USER]))?;
        fs::write(dir.join(KEY_FILE), public.stdout)?;
        Ok(key)
    }

    /// Signs packages in place.
    ///
    /// # Errors
    /// When rpmsign fails.
    pub fn sign_packages(&self, packages: &[PathBuf], jobs: usize) -> Result<()> {
        let gpg = find("gpg").context("gpg is not installed")?;
        each(packages.chunks(BATCH).collect(), jobs, |batch| {
            let mut rpmsign = rpm_command("rpmsign", &self.home);
            rpmsign.arg("--addsign").env("GNUPGHOME", &self.home);
            for (name, value) in [
                ("_gpg_name", USER),
                // rpm of Debian looks for a gpg2.
                ("__gpg", &gpg.to_string_lossy()),
                ("_gpg_path", &self.home.to_string_lossy()),
                ("_gpg_digest_algo", "sha256"),
            ] {
                rpmsign.arg("--define").arg(format!("{name} {value}"));
            }
            must(rpmsign.args(batch)).context("packages cannot be signed")?;
            Ok(())
        })
    }

    /// A detached, armoured signature beside a file.
    ///
    /// # Errors
    /// When gpg fails.
    pub fn sign_file(&self, file: &Path) -> Result<()> {
        must(self.gpg().args(["--yes", "--armor", "--detach-sign"]).arg(file))?;
        Ok(())
    }

    fn gpg(&self) -> Command {
        let mut gpg = Command::new("gpg");
        gpg.args(["--batch", "--pinentry-mode", "loopback"]);
        gpg.env("GNUPGHOME", &self.home);
        gpg
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        let mut end = Command::new("gpgconf");
        end.args(["--kill", "gpg-agent"]).env("GNUPGHOME", &self.home);
        if let Err(error) = must(&mut end) {
            eprintln!("xtask: {error:#}");
        }
    }
}
