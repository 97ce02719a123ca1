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

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use crate::Error;
pub use arch::Arch;
pub(crate) use register::{advice, register};

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

    /// The line that registers it.
    ///
    /// Its flags: F, it is opened at once, as it is not to be found in a root; P, the program's own zeroth argument is
    /// kept, which qemu can tell since its version 6; C, setuid programs have their effect, as they have natively.
    pub(crate) fn rule(&self) -> Rule {
        let escaped = |bytes: Vec<u8>| {
            bytes
                .iter()
                .map(|byte| format!("\\x{byte:02x}"))
                .collect::<String>()
        };
        let (magic, mask) = (escaped(self.arch.elf.magic()), escaped(self.arch.elf.mask()));
        let name = format!("bareroot-{}", self.arch.name());
        // The first byte is what separates the fields; it must be in none.
        let path = self.path.as_os_str().as_bytes();
        let separator = (b"|:;,#").iter().find(|byte| !path.contains(byte));
        let separator = char::from(*separator.unwrap_or(&b'|'));
        let mut line = OsString::from(format!(
            "{separator}{name}{separator}M{separator}0{separator}{magic}{separator}{mask}{separator}"
        ));
        line.push(&self.path);
        line.push(format!("{separator}PCF"));
        Rule { name, line }
    }
}

/// What is written to binfmt_misc.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    /// The name of its entry.
    pub(crate) name: String,
    /// The whole line.
    pub(crate) line: OsString,
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
    use super::*;

    #[test]
    fn a_rule_is_one_line_whatever_the_path() {
        let arch = Arch::named("arm64").unwrap();
        let rule = |path: &str| Emulator::new(arch, path).rule().line.into_string().unwrap();
        assert_eq!(
            rule("/usr/bin/qemu-aarch64-static"),
            "|bareroot-arm64|M|0|\\x7f\\x45\\x4c\\x46\\x02\\x01\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x02\\x00\\xb7\\x00\
             |\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\xfe\\xff\\xff\\xff\
             |/usr/bin/qemu-aarch64-static|PCF"
        );
        assert!(rule("/a|b/qemu").starts_with(':'));
        assert!(rule("/a|b:c/qemu").starts_with(';'));
    }
}
