//! Roots with and without a lock, and rdebootstrap's from its own lock.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use crate::bench::debian::contenders::SUITE;
use crate::bench::table::{Racer, Ratio};
use crate::run::must;

/// Debian's keys, where the package debian-archive-keyring has them.
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// How many times as fast: who, than whom, at least, and the aim.
pub const RATIOS: &[Ratio<Contender>] = &[
    (Contender::Locked, Contender::Warm, 1.0, 1.1),
    (Contender::Locked, Contender::Cold, 1.0, 2.0),
    (Contender::Locked, Contender::Rdebootstrap, 1.0, 3.0),
];

/// Who runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Contender {
    /// rdebootstrap's `build` from its lock, with everything in its cache.
    Rdebootstrap,
    /// bareroot without a lock and without a cache.
    Cold,
    /// bareroot without a lock, with everything in its cache.
    Warm,
    /// bareroot with a lock, with everything in its cache.
    Locked,
    /// The same with `--offline`.
    Offline,
}

impl Contender {
    /// In the order of a round.
    pub const ALL: [Contender; 5] = [
        Contender::Rdebootstrap,
        Contender::Cold,
        Contender::Warm,
        Contender::Locked,
        Contender::Offline,
    ];

    /// For directory names and lines.
    pub fn word(self) -> &'static str {
        match self {
            Contender::Rdebootstrap => "rdebootstrap",
            Contender::Cold => "cold",
            Contender::Warm => "warm",
            Contender::Locked => "locked",
            Contender::Offline => "locked-offline",
        }
    }
}

impl Racer for Contender {
    fn title(self) -> &'static str {
        match self {
            Contender::Rdebootstrap => "rdebootstrap, its lock and a warm cache",
            Contender::Cold => "bareroot, neither lock nor cache",
            Contender::Warm => "bareroot, warm cache",
            Contender::Locked => "bareroot, lock and warm cache",
            Contender::Offline => "bareroot, lock, warm cache, --offline",
        }
    }

    fn rival(self) -> Option<Contender> {
        match self {
            Contender::Locked => None,
            _ => Some(Contender::Locked),
        }
    }
}

/// The programs, the mirror, and where locks and caches are.
pub struct Tools {
    /// bareroot's binary.
    pub bareroot: PathBuf,
    /// rdebootstrap's binary.
    pub rdebootstrap: PathBuf,
    /// The architecture of all roots.
    pub arch: String,
    /// The mirror's address.
    pub mirror: String,
    /// Where locks, caches and the manifest are.
    pub home: PathBuf,
}

impl Tools {
    /// Writes both locks, and fills the caches with what they name.
    ///
    /// # Errors
    /// When a tool fails.
    pub fn lock(&self) -> Result<()> {
        let mut lock = Command::new(&self.bareroot);
        lock.args(["lock", &format!("debian:{SUITE}"), "--mirror", &self.mirror]);
        lock.args(["--variant", "minbase", "-o"])
            .arg(self.bareroot_lock());
        must(lock.arg("--cache-dir").arg(self.cache("bareroot")))?;
        fs::create_dir_all(self.home.join("manifest"))?;
        fs::write(self.manifest(), self.manifest_text())?;
        must(&mut self.rdebootstrap_command("update"))?;
        Ok(())
    }

    /// The command of a contender.
    pub fn command(&self, contender: Contender, target: &Path) -> Command {
        let spec = format!("debian:{SUITE}");
        match contender {
            Contender::Rdebootstrap => {
                let mut command = self.rdebootstrap_command("build");
                command.arg("-p").arg(target);
                command
            }
            Contender::Cold => {
                let mut command = self.bootstrap(Path::new(&spec), target);
                command.args(["--mirror", &self.mirror, "--no-cache"]);
                command
            }
            Contender::Warm => {
                let mut command = self.bootstrap(Path::new(&spec), target);
                command.args(["--mirror", &self.mirror, "--cache-dir"]);
                command.arg(self.cache("bareroot"));
                command
            }
            Contender::Locked | Contender::Offline => {
                let mut command = self.bootstrap(&self.bareroot_lock(), target);
                command.arg("--cache-dir").arg(self.cache("bareroot"));
                if contender == Contender::Offline {
                    command.arg("--offline");
                }
                command
            }
        }
    }

    fn bootstrap(&self, spec: &Path, target: &Path) -> Command {
        let mut command = Command::new(&self.bareroot);
        command.arg("bootstrap").arg(spec).arg(target).arg("--json");
        if spec != self.bareroot_lock() {
            command.args(["--variant", "minbase"]);
        }
        command
    }

    fn rdebootstrap_command(&self, verb: &str) -> Command {
        let mut command = Command::new(&self.rdebootstrap);
        command.arg("--manifest").arg(self.manifest());
        command.arg("--cache-dir").arg(self.cache("rdebootstrap"));
        command.arg(verb);
        command
    }

    fn bareroot_lock(&self) -> PathBuf {
        self.home.join("bareroot.lock")
    }

    fn manifest(&self) -> PathBuf {
        self.home.join("manifest/Manifest.toml")
    }

    fn cache(&self, whose: &str) -> PathBuf {
        self.home.join(format!("{whose}-cache"))
    }

    fn manifest_text(&self) -> String {
        let (mirror, arch) = (&self.mirror, &self.arch);
        format!(
            "[[archive]]\nurl = \"{mirror}\"\narch = [\"{arch}\"]\nsigned-by = \"{KEYRING}\"\nsuites = [\"{SUITE}\"]\n\
             components = [\"main\"]\n\n[spec]\ninclude = [\"apt\"]\n"
        )
    }
}
