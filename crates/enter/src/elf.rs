//! Which machine a root's programs are for, by the ELF header of its shell or of its dynamic loader (elf(5)).

use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{Dir, OFlags};

use crate::reading;

/// What an ELF header says of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Elf {
    /// 32 or 64 (EI_CLASS).
    pub bits: u8,
    /// Whether its numbers have the highest byte first (EI_DATA).
    pub big_endian: bool,
    /// The number of the machine (e_machine).
    pub machine: u16,
}

/// EM_* and the name that uname(2) has for it, as 64 bits and as 32 bits.
const MACHINES: [(u16, &str, &str); 12] = [
    (3, "i686", "i686"),
    (8, "mips64", "mips"),
    (15, "parisc64", "parisc"),
    (20, "ppc", "ppc"),
    (21, "ppc64", "ppc64"),
    (22, "s390x", "s390"),
    (40, "arm", "arm"),
    (43, "sparc64", "sparc"),
    (62, "x86_64", "x32"),
    (183, "aarch64", "aarch64"),
    (243, "riscv64", "riscv32"),
    (258, "loongarch64", "loongarch32"),
];

const THIS: Option<Elf> = {
    let machine = if cfg!(target_arch = "x86_64") {
        62
    } else if cfg!(target_arch = "x86") {
        3
    } else if cfg!(target_arch = "aarch64") {
        183
    } else if cfg!(target_arch = "arm") {
        40
    } else if cfg!(target_arch = "powerpc64") {
        21
    } else if cfg!(target_arch = "s390x") {
        22
    } else if cfg!(target_arch = "riscv64") {
        243
    } else if cfg!(target_arch = "loongarch64") {
        258
    } else {
        0
    };
    if machine == 0 {
        None
    } else {
        Some(Elf {
            bits: if cfg!(target_pointer_width = "64") { 64 } else { 32 },
            big_endian: cfg!(target_endian = "big"),
            machine,
        })
    }
};

impl Elf {
    /// The header's words; `None` for what is no ELF file.
    pub fn parse(header: &[u8]) -> Option<Elf> {
        let rest = header.strip_prefix(b"\x7fELF")?;
        let (&[class, data], machine) = (rest.first_chunk::<2>()?, header.get(18..20)?);
        let bits = match class {
            1 => 32,
            2 => 64,
            _ => return None,
        };
        let machine = <[u8; 2]>::try_from(machine).ok()?;
        let (big_endian, machine) = match data {
            1 => (false, u16::from_le_bytes(machine)),
            2 => (true, u16::from_be_bytes(machine)),
            _ => return None,
        };
        Some(Elf {
            bits,
            big_endian,
            machine,
        })
    }

    /// What this binary was made for; `None` on a machine that this table lacks.
    pub const fn of_this_binary() -> Option<Elf> {
        THIS
    }

    /// Whether it is the 32-bit variant of the machine that this binary was made for, which the same processor runs
    /// (personality(2), PER_LINUX32).
    pub fn is_32_bit_variant(&self) -> bool {
        let sibling = match THIS.filter(|this| this.bits == 64) {
            Some(Elf { machine: 62, .. }) => 3,
            Some(Elf { machine: 183, .. }) => 40,
            Some(Elf { machine: 21, .. }) => 20,
            Some(Elf { machine: 22, .. }) => 22,
            _ => return false,
        };
        self.bits == 32
            && self.machine == sibling
            && THIS.is_some_and(|this| this.big_endian == self.big_endian)
    }

    /// Whether the processor is of another kind: its programs need an emulator. A 32-bit variant is none, though some
    /// kernels and processors have given it up.
    pub fn is_foreign(&self) -> bool {
        match THIS {
            None => false,
            Some(this) => {
                let same = self.machine == this.machine && self.big_endian == this.big_endian;
                !same && !self.is_32_bit_variant()
            }
        }
    }

    /// The machine's name, as `uname -m` has it; its number where this table lacks it.
    pub fn name(&self) -> String {
        let known = MACHINES.iter().find(|(machine, ..)| *machine == self.machine);
        match known {
            Some((_, wide, narrow)) => {
                let name = if self.bits == 64 { wide } else { narrow };
                // The two that are known by both byte orders.
                let little = matches!(self.machine, 8 | 21) && !self.big_endian;
                match (self.machine, little) {
                    (21, true) => "ppc64le".to_owned(),
                    (_, true) => format!("{name}el"),
                    _ => (*name).to_owned(),
                }
            }
            None => format!("ELF machine {}", self.machine),
        }
    }
}

/// Directories of dynamic loaders.
const LOADERS: [&str; 4] = ["/lib64", "/lib", "/usr/lib64", "/usr/lib"];

/// The machine of a root's shell, or else of its dynamic loader. `None` where it has neither.
///
/// No link of the root leads out of it.
pub fn of_root(root: BorrowedFd<'_>) -> Option<Elf> {
    let shells = ["/bin/sh", "/usr/bin/sh", "/bin/bash", "/bin/busybox"];
    let shell = shells.iter().find_map(|path| of_file(root, Path::new(path)));
    shell.or_else(|| LOADERS.iter().find_map(|directory| of_loader(root, directory)))
}

/// What a program of a root is for; `None` for a script, and where there is none.
pub fn of_file(root: BorrowedFd<'_>, path: &Path) -> Option<Elf> {
    Elf::parse(&reading::bytes(root, path, 20).ok()?)
}

fn of_loader(root: BorrowedFd<'_>, directory: &str) -> Option<Elf> {
    let opened = reading::open(root, Path::new(directory), OFlags::RDONLY | OFlags::DIRECTORY).ok()?;
    let mut names: Vec<PathBuf> = Dir::read_from(opened.as_fd())
        .ok()?
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let name = entry.file_name().to_bytes();
            let is_loader =
                name.starts_with(b"ld-") || name.starts_with(b"ld.so") || name.starts_with(b"ld64.so");
            is_loader.then(|| Path::new(directory).join(std::ffi::OsStr::from_bytes(name)))
        })
        .collect();
    names.sort();
    names.iter().find_map(|path| of_file(root, path))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn header(class: u8, data: u8, machine: [u8; 2]) -> Vec<u8> {
        let mut header = b"\x7fELF".to_vec();
        header.extend([class, data]);
        header.resize(18, 0);
        header.extend(machine);
        header
    }

    #[test]
    fn headers_in_words() {
        for (class, data, machine, name) in [
            (2, 1, [62, 0], Some("x86_64")),
            (1, 1, [62, 0], Some("x32")),
            (1, 1, [3, 0], Some("i686")),
            (2, 1, [183, 0], Some("aarch64")),
            (1, 1, [40, 0], Some("arm")),
            (2, 1, [21, 0], Some("ppc64le")),
            (2, 2, [0, 21], Some("ppc64")),
            (2, 2, [0, 22], Some("s390x")),
            (2, 1, [8, 0], Some("mips64el")),
            (2, 1, [243, 0], Some("riscv64")),
            (2, 1, [99, 1], Some("ELF machine 355")),
            (3, 1, [62, 0], None),
            (2, 0, [62, 0], None),
        ] {
            let found = Elf::parse(&header(class, data, machine)).map(|elf| elf.name());
            assert_eq!(found.as_deref(), name);
        }
        assert_eq!(Elf::parse(b"#!/bin/sh"), None);
        assert_eq!(Elf::parse(b"\x7fELF\x02"), None);
    }

    #[test]
    fn what_runs_here() {
        let this = Elf::of_this_binary().unwrap();
        assert!(!this.is_foreign() && !this.is_32_bit_variant());
        let own = Elf::parse(&fs::read("/proc/self/exe").unwrap()).unwrap();
        assert_eq!(own, this);
        let of = |class, machine: u16| Elf::parse(&header(class, 1, machine.to_le_bytes())).unwrap();
        let (narrow, other) = match this.machine {
            62 => (of(1, 3), of(2, 183)),
            183 => (of(1, 40), of(2, 62)),
            _ => return,
        };
        assert!(narrow.is_32_bit_variant() && !narrow.is_foreign());
        assert!(other.is_foreign() && !other.is_32_bit_variant());
    }

    #[test]
    fn a_root_is_known_by_its_shell_or_its_loader() {
        let dir = tempfile::tempdir().unwrap();
        let root = fs::File::open(dir.path()).unwrap();
        assert_eq!(of_root(root.as_fd()), None);
        fs::create_dir_all(dir.path().join("usr/lib")).unwrap();
        fs::create_dir_all(dir.path().join("bin")).unwrap();
        fs::write(
            dir.path().join("usr/lib/ld-linux-aarch64.so.1"),
            header(2, 1, [183, 0]),
        )
        .unwrap();
        assert_eq!(of_root(root.as_fd()).unwrap().name(), "aarch64");
        // A shell that is no program says nothing.
        fs::write(dir.path().join("bin/sh"), "#!/bin/true\n").unwrap();
        assert_eq!(of_root(root.as_fd()).unwrap().name(), "aarch64");
        fs::write(dir.path().join("bin/dash"), header(1, 1, [3, 0])).unwrap();
        fs::remove_file(dir.path().join("bin/sh")).unwrap();
        std::os::unix::fs::symlink("/bin/dash", dir.path().join("bin/sh")).unwrap();
        assert_eq!(of_root(root.as_fd()).unwrap().name(), "i686");
    }
}
