//! mmdebstrap as trixie has it: `buildd` there is essential, apt and build-essential, where older ones add
//! `Priority: required`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::apt::Apt;
use crate::machine;
use crate::run::{find, must};

/// The release whose mmdebstrap is the peer.
const SUITE: &str = "trixie";

/// The first version whose `buildd` leaves `Priority: required` out.
const SMALL_BUILDD: (u32, u32) = (1, 5);

/// The peer.
pub struct Mmdebstrap {
    script: PathBuf,
    version: String,
}

impl Mmdebstrap {
    /// The one of trixie's pool, fetched once; where it does not run here, the installed one.
    ///
    /// # Errors
    /// When neither runs.
    pub fn get() -> Result<Mmdebstrap> {
        let newest = fetched().and_then(Mmdebstrap::at);
        match newest {
            Ok(newest) => Ok(newest),
            Err(error) => {
                println!("note {SUITE}'s mmdebstrap is not to be had, the installed one is taken: {error:#}");
                Mmdebstrap::at(find("mmdebstrap").context("mmdebstrap is not installed")?)
            }
        }
    }

    fn at(script: PathBuf) -> Result<Mmdebstrap> {
        let said = must(Command::new("perl").arg(&script).arg("--version"))?.stdout;
        let version = said
            .split_whitespace()
            .last()
            .context("mmdebstrap has no version")?
            .to_owned();
        Ok(Mmdebstrap { script, version })
    }

    /// Name and version.
    pub fn name(&self) -> String {
        format!("mmdebstrap {}", self.version)
    }

    /// The program, with nothing of the caller's language.
    pub fn command(&self) -> Command {
        let mut command = Command::new("perl");
        command.arg(&self.script).env("LC_ALL", "C.UTF-8");
        command
    }

    /// The options for a variant as mmdebstrap 1.5 defines it.
    pub fn variant(&self, variant: &str) -> Vec<String> {
        if variant == "buildd" && parts(&self.version) < SMALL_BUILDD {
            return vec!["--variant=apt".into(), "--include=build-essential".into()];
        }
        vec![format!("--variant={variant}")]
    }
}

/// The first two numbers of a version.
fn parts(version: &str) -> (u32, u32) {
    let mut numbers = version.split('.').map(|part| part.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}

fn fetched() -> Result<PathBuf> {
    let home = machine::target()
        .join("peers")
        .join(format!("mmdebstrap-{SUITE}"));
    let script = home.join("usr/bin/mmdebstrap");
    if script.is_file() {
        return Ok(script);
    }
    fs::create_dir_all(&home)?;
    let private = tempfile::tempdir()?;
    let apt = Apt::new(private.path(), SUITE, &[&machine::architecture()?])?;
    let archive = apt.download(private.path(), "mmdebstrap")?;
    extract(&archive, &home)?;
    Ok(script)
}

fn extract(archive: &Path, into: &Path) -> Result<()> {
    must(Command::new("dpkg-deb").arg("-x").arg(archive).arg(into))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_before_1_5_spell_buildd_out() {
        let with = |version: &str| Mmdebstrap {
            script: PathBuf::new(),
            version: version.into(),
        };
        assert_eq!(with("1.5.7").variant("buildd"), ["--variant=buildd"]);
        assert_eq!(with("1.10.0").variant("buildd"), ["--variant=buildd"]);
        assert_eq!(
            with("1.3.5").variant("buildd"),
            ["--variant=apt", "--include=build-essential"]
        );
        assert_eq!(with("1.3.5").variant("minbase"), ["--variant=minbase"]);
    }
}
