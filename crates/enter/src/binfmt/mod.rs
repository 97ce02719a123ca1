//! Programs of other architectures: whether this machine runs them, and by what.
//!
//! The kernel hands a program that is not its own to an emulator that is registered with binfmt_misc. That is one table for
//! the whole machine, changed by root alone, but since Linux 6.7 a user namespace can have one of its own: so a session
//! registers an emulator for itself, and nothing of it is left or seen outside.

mod arch;
mod entries;
mod file;
mod lookup;
mod probe;
mod register;
mod table;

use std::io;
use std::path::{Path, PathBuf};

use crate::Error;
use crate::wire::{Reader, Writer};
pub use arch::Arch;
pub(crate) use register::{Waiting, advice, own_namespace};

/// How programs of an architecture are run here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// By the processor.
    Native {
        /// Whether they are to see a 32-bit machine ([`Spec::personality32`](crate::Spec::personality32)).
        personality32: bool,
    },
    /// By an emulator that is registered on this host, also inside roots.
    Host,
    /// By an emulator that the session has to register ([`Spec::emulator`](crate::Spec::emulator)).
    Emulator(Emulator),
}

/// A program that runs those of another architecture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Emulator {
    arch: &'static Arch,
    path: PathBuf,
}

impl Emulator {
    /// `path` is absolute, and a static program of this machine's: it runs where nothing else of the host's is.
    pub fn new(arch: &'static Arch, path: impl Into<PathBuf>) -> Emulator {
        Emulator {
            arch,
            path: path.into(),
        }
    }

    /// What it runs.
    pub fn arch(&self) -> &'static Arch {
        self.arch
    }

    /// Where it is on the host.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What registers it.
    pub(crate) fn rule(&self) -> Rule {
        let escaped = |bytes: Vec<u8>| {
            bytes
                .iter()
                .map(|byte| format!("\\x{byte:02x}"))
                .collect::<String>()
        };
        Rule {
            name: format!("bareroot-{}", self.arch.name()),
            magic: escaped(self.arch.elf.magic()),
            mask: escaped(self.arch.elf.mask()),
            path: self.path.clone(),
        }
    }
}

/// An entry of binfmt_misc that is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    /// Its name.
    pub(crate) name: String,
    /// How programs begin, as `\xHH`.
    pub(crate) magic: String,
    /// The bits of that which count.
    pub(crate) mask: String,
    /// The emulator.
    pub(crate) path: PathBuf,
}

impl Rule {
    /// The line that registers it, the emulator being found at `interpreter`.
    ///
    /// Its flags: F, it is opened at once, as it is not to be found in a root; P, the program's own zeroth argument is
    /// kept, which qemu can tell since its version 6; C, setuid programs have their effect, as they have natively.
    fn line(&self, interpreter: &str) -> String {
        let Rule {
            name, magic, mask, ..
        } = self;
        format!(":{name}:M:0:{magic}:{mask}:{interpreter}:PCF")
    }

    pub(crate) fn encode(&self, writer: &mut Writer) {
        for text in [&self.name, &self.magic, &self.mask] {
            writer.text(text);
        }
        writer.text(&self.path);
    }

    pub(crate) fn decode(reader: &mut Reader<'_>) -> io::Result<Self> {
        let word =
            |reader: &mut Reader<'_>| Ok::<_, io::Error>(reader.text()?.to_string_lossy().into_owned());
        Ok(Rule {
            name: word(reader)?,
            magic: word(reader)?,
            mask: word(reader)?,
            path: reader.path()?,
        })
    }
}

/// How this host runs programs of an architecture.
///
/// # Errors
/// [`Error::NoEmulator`] when nothing does.
pub fn way(arch: &'static Arch) -> Result<Way, Error> {
    lookup::Host::this().way(arch)
}

/// Whether a file of this host's works in a root of another architecture: a program that needs nothing but itself.
pub fn is_static(file: &Path) -> bool {
    file::look(file, Arch::own()) == file::Fitness::Fit
}

#[cfg(test)]
mod tests {
    use super::table::TABLE;
    use super::*;

    #[test]
    fn a_rule_is_one_line() {
        let rule = Emulator::new(Arch::named("arm64").unwrap(), "/usr/bin/qemu-aarch64-static").rule();
        assert_eq!(
            rule.line("self/fd/9"),
            ":bareroot-arm64:M:0:\\x7f\\x45\\x4c\\x46\\x02\\x01\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x02\\x00\\xb7\\x00\
             :\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\xfe\\xff\\xff\\xff:self/fd/9:PCF"
        );
        assert!(TABLE.iter().all(|arch| !arch.name().contains([':', '/'])));
    }
}
