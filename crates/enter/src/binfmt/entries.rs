//! What the host's binfmt_misc has (the kernel's Documentation/admin-guide/binfmt-misc.rst).

use std::path::{Path, PathBuf};

use super::arch::{Arch, matches};

/// Where systems mount it.
pub(super) const DIRECTORY: &str = "/proc/sys/fs/binfmt_misc";

/// A file of that directory as the kernel writes it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// Its file's name.
    pub(super) name: String,
    pub(super) enabled: bool,
    pub(super) interpreter: PathBuf,
    pub(super) flags: String,
    offset: usize,
    magic: Vec<u8>,
    mask: Vec<u8>,
}

impl Entry {
    /// Takes a file apart; `None` for what goes by names' extensions, and for what has another form.
    fn parse(name: &str, text: &str) -> Option<Entry> {
        let mut lines = text.lines();
        let enabled = match lines.next()? {
            "enabled" => true,
            "disabled" => false,
            _ => return None,
        };
        let mut entry = Entry {
            name: name.to_owned(),
            enabled,
            interpreter: PathBuf::new(),
            flags: String::new(),
            offset: 0,
            magic: Vec::new(),
            mask: Vec::new(),
        };
        for line in lines {
            let (key, value) = line.split_once(' ').unwrap_or((line, ""));
            match key {
                "interpreter" => entry.interpreter = value.into(),
                "flags:" => entry.flags = value.trim().to_owned(),
                "offset" => entry.offset = value.parse().ok()?,
                "magic" => entry.magic = bytes(value)?,
                "mask" => entry.mask = bytes(value)?,
                _ => {}
            }
        }
        (!entry.magic.is_empty()).then_some(entry)
    }

    /// Whether it takes the programs of an architecture, those of fixed address and the others.
    pub(super) fn takes(&self, arch: &Arch) -> bool {
        [2, 3]
            .into_iter()
            .all(|kind| matches(&arch.elf.header(kind), self.offset, &self.magic, &self.mask))
    }

    /// Whether the interpreter was opened when it was registered (flag F), so that it works in a root that has no such
    /// file.
    pub(super) fn is_fixed(&self) -> bool {
        self.flags.contains('F')
    }
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    let digits = hex.as_bytes();
    let pairs = digits.chunks(2).map(|pair| {
        let pair = std::str::from_utf8(pair).ok().filter(|pair| pair.len() == 2)?;
        u8::from_str_radix(pair, 16).ok()
    });
    pairs.collect()
}

/// All entries of a directory; `None` where it is no binfmt_misc file system, or one that is switched off.
pub(super) fn read(directory: &Path) -> Option<Vec<Entry>> {
    let status = std::fs::read_to_string(directory.join("status")).ok()?;
    if status.trim() != "enabled" {
        return None;
    }
    let mut entries: Vec<Entry> = std::fs::read_dir(directory)
        .ok()?
        .flatten()
        .filter_map(|file| {
            let name = file.file_name().into_string().ok()?;
            if ["register", "status"].contains(&name.as_str()) {
                return None;
            }
            Entry::parse(&name, &std::fs::read_to_string(file.path()).ok()?)
        })
        .collect();
    entries.sort_by(|one, other| one.name.cmp(&other.name));
    Some(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARM64: &str = "enabled\ninterpreter /usr/bin/qemu-aarch64-static\nflags: POCF\noffset 0\n\
        magic 7f454c460201010000000000000000000200b700\nmask ffffffffffffff00fffffffffffffffffeffffff\n";

    #[test]
    fn entries_are_taken_apart() {
        let entry = Entry::parse("qemu-aarch64", ARM64).unwrap();
        assert_eq!(entry.interpreter, Path::new("/usr/bin/qemu-aarch64-static"));
        assert!(entry.enabled && entry.is_fixed());
        let arch = |name: &str| Arch::named(name).unwrap();
        assert!(entry.takes(arch("arm64")));
        for other in ["armhf", "amd64", "riscv64", "ppc64el"] {
            assert!(!entry.takes(arch(other)), "{other}");
        }
        for (text, fixed, enabled) in [
            (ARM64.replace("POCF", "PO"), false, true),
            (ARM64.replace("flags: POCF", "flags: "), false, true),
            (ARM64.replace("enabled", "disabled"), true, false),
        ] {
            let entry = Entry::parse("x", &text).unwrap();
            assert_eq!((entry.is_fixed(), entry.enabled), (fixed, enabled), "{text}");
        }
    }

    #[test]
    fn what_is_no_entry_of_programs_is_none() {
        for text in [
            "",
            "enabled\ninterpreter /usr/bin/python3\nflags: \nextension .py\n",
            "enabled\ninterpreter /x\nflags: F\noffset 0\nmagic 7f4\n",
            "enabled\ninterpreter /x\nflags: F\noffset 0\nmagic 7fzz\n",
            "enabled\ninterpreter /x\nflags: F\noffset -1\nmagic 7f\n",
            "on\nmagic 7f\n",
        ] {
            assert_eq!(Entry::parse("x", text), None, "{text}");
        }
    }

    #[test]
    fn an_entry_for_one_kind_of_program_only_takes_no_architecture() {
        let exact = ARM64.replace("fffffffffeffffff", "ffffffffffffffff");
        let entry = Entry::parse("x", &exact).unwrap();
        assert!(!entry.takes(Arch::named("arm64").unwrap()));
        // Shorter than a header, and without a mask, which counts as all bits.
        let elf = "enabled\ninterpreter /x\nflags: F\noffset 1\nmagic 454c46\n";
        assert!(
            Entry::parse("x", elf)
                .unwrap()
                .takes(Arch::named("s390x").unwrap())
        );
    }

    #[test]
    fn a_directory_is_read_where_it_is_switched_on() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
        assert_eq!(read(dir.path()), None);
        write("status", "enabled\n");
        write("qemu-b", ARM64);
        write("qemu-a", ARM64);
        write(
            "python",
            "enabled\ninterpreter /usr/bin/python3\nflags: \nextension .py\n",
        );
        let names: Vec<String> = read(dir.path())
            .unwrap()
            .into_iter()
            .map(|entry| entry.name)
            .collect();
        assert_eq!(names, ["qemu-a", "qemu-b"]);
        write("status", "disabled\n");
        assert_eq!(read(dir.path()), None);
    }
}
