//! The tools, each with the command that makes the same root.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use crate::bench::table::{Racer, Ratio};
use crate::peers::mmdebstrap::Mmdebstrap;

/// The suite that is built.
pub const SUITE: &str = "trixie";

/// Debian's keys, where the package debian-archive-keyring has them.
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// How many times as fast as a peer: who, than whom, at least, and the aim.
pub const RATIOS: &[Ratio<Contender>] = &[
    (Contender::Bareroot, Contender::Rdebootstrap, 1.7, 2.1),
    (Contender::Bareroot, Contender::Mmdebstrap, 4.5, 6.0),
    (Contender::Bareroot, Contender::Debootstrap, 8.0, 10.0),
    (Contender::BarerootWarm, Contender::RdebootstrapWarm, 3.0, 4.4),
];

/// Who runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Contender {
    /// debootstrap.
    Debootstrap,
    /// mmdebstrap.
    Mmdebstrap,
    /// rdebootstrap without a cache.
    Rdebootstrap,
    /// rdebootstrap with what earlier runs left in its cache.
    RdebootstrapWarm,
    /// bareroot without a cache.
    Bareroot,
    /// bareroot with what earlier runs left in its cache.
    BarerootWarm,
}

impl Contender {
    /// In the order of a round.
    pub const ALL: [Contender; 6] = [
        Contender::Debootstrap,
        Contender::Mmdebstrap,
        Contender::Rdebootstrap,
        Contender::Bareroot,
        Contender::RdebootstrapWarm,
        Contender::BarerootWarm,
    ];

    /// For directory names and lines.
    pub fn word(self) -> &'static str {
        match self {
            Contender::Debootstrap => "debootstrap",
            Contender::Mmdebstrap => "mmdebstrap",
            Contender::Rdebootstrap => "rdebootstrap",
            Contender::RdebootstrapWarm => "rdebootstrap-warm",
            Contender::Bareroot => "bareroot",
            Contender::BarerootWarm => "bareroot-warm",
        }
    }
}

impl Racer for Contender {
    fn title(self) -> &'static str {
        match self {
            Contender::RdebootstrapWarm => "rdebootstrap, warm cache",
            Contender::BarerootWarm => "bareroot, warm cache",
            other => other.word(),
        }
    }

    fn rival(self) -> Option<Contender> {
        match self {
            Contender::Bareroot | Contender::BarerootWarm => None,
            Contender::RdebootstrapWarm => Some(Contender::BarerootWarm),
            _ => Some(Contender::Bareroot),
        }
    }
}

/// The programs, and the mirror that all of them use.
pub struct Tools {
    /// bareroot's binary.
    pub bareroot: PathBuf,
    /// mmdebstrap.
    pub mmdebstrap: Mmdebstrap,
    /// rdebootstrap's binary.
    pub rdebootstrap: PathBuf,
    /// The architecture of all roots.
    pub arch: String,
    /// The mirror's address.
    pub mirror: String,
    /// Where caches and manifests go.
    pub home: PathBuf,
}

impl Tools {
    /// The command of a contender.
    ///
    /// # Errors
    /// When rdebootstrap's manifest cannot be written.
    pub fn command(&self, contender: Contender, target: &Path) -> Result<Command> {
        Ok(match contender {
            Contender::Debootstrap => {
                let mut command = Command::new("debootstrap");
                command
                    .args(["--variant=minbase", "--keyring", KEYRING, SUITE])
                    .arg(target)
                    .arg(&self.mirror);
                command
            }
            Contender::Mmdebstrap => {
                let mut command = self.mmdebstrap.command();
                command.args(["--mode=root", "--variant=minbase", "--keyring", KEYRING, SUITE]);
                command.arg(target).arg(&self.mirror);
                command
            }
            Contender::Rdebootstrap => self.rdebootstrap(target, None)?,
            Contender::RdebootstrapWarm => {
                self.rdebootstrap(target, Some(&self.home.join("rdebootstrap-cache")))?
            }
            Contender::Bareroot => self.bareroot(target, None),
            Contender::BarerootWarm => self.bareroot(target, Some(&self.home.join("bareroot-cache"))),
        })
    }

    fn bareroot(&self, target: &Path, cache: Option<&Path>) -> Command {
        let mut command = Command::new(&self.bareroot);
        command
            .args(["bootstrap", &format!("debian:{SUITE}")])
            .arg(target);
        command.args(["--mirror", &self.mirror, "--variant", "minbase", "--json"]);
        match cache {
            Some(cache) => command.arg("--cache-dir").arg(cache),
            None => command.arg("--no-cache"),
        };
        command
    }

    /// Resolving and building, as from a new manifest: what the others do in one command.
    fn rdebootstrap(&self, target: &Path, cache: Option<&Path>) -> Result<Command> {
        let manifest = target.with_extension("manifest");
        fs::create_dir_all(&manifest)?;
        let manifest = manifest.join("Manifest.toml");
        fs::write(&manifest, self.manifest())?;
        let mut command = Command::new("sh");
        command.args([
            "-ec",
            "target=$1; shift; \"$0\" \"$@\" update; \"$0\" \"$@\" build -p \"$target\"",
        ]);
        command
            .arg(&self.rdebootstrap)
            .arg(target)
            .arg("--manifest")
            .arg(&manifest);
        match cache {
            Some(cache) => command.arg("--cache-dir").arg(cache),
            None => command.arg("--no-cache"),
        };
        Ok(command)
    }

    fn manifest(&self) -> String {
        let (mirror, arch) = (&self.mirror, &self.arch);
        format!(
            "[[archive]]\nurl = \"{mirror}\"\narch = [\"{arch}\"]\nsigned-by = \"{KEYRING}\"\nsuites = [\"{SUITE}\"]\n\
             components = [\"main\"]\n\n[spec]\ninclude = [\"apt\"]\n"
        )
    }
}
