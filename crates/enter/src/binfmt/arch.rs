//! Architectures: what dpkg, rpm and qemu call them, and how their programs are told apart.
//!
//! Names are those of dpkg's cputable and tupletable and of rpm's rpmrc; ELF's numbers are those of elf(5), as
//! `qemu-binfmt-conf.sh` has them in its magics.

use super::table::TABLE;

/// An architecture of Linux.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arch {
    /// dpkg's name; empty where dpkg has none.
    pub deb: &'static str,
    /// rpm's names, the plain one first.
    pub rpm: &'static [&'static str],
    /// The user-mode emulator's, as in `qemu-NAME`; empty where qemu has none.
    pub qemu: &'static str,
    /// How its programs begin.
    pub(super) elf: Elf,
    /// [`std::env::consts::ARCH`] and endianness of bareroot where this is the machine's own.
    pub(super) host: &'static str,
    /// `host` of machines some of which run it as well.
    pub(super) kin: &'static [&'static str],
    /// Machine code that calls exit(0); empty where it is not known.
    pub(super) exits: &'static [u8],
}

/// The parts of an ELF header that say for which machine it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Elf {
    /// EI_CLASS: 32 or 64 bits.
    pub(super) bits: u8,
    /// EI_DATA.
    pub(super) order: Order,
    /// e_machine.
    pub(super) machine: u16,
    /// e_flags of a program.
    pub(super) flags: u32,
    /// Which of the flags tell it from another architecture of the same machine.
    pub(super) telling: u32,
}

/// In which order a machine has its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Little,
    Big,
}

/// Offsets in an ELF header, in both classes but for the last.
const TYPE: usize = 16;
const MACHINE: usize = 18;

impl Order {
    pub(super) fn short(self, value: u16) -> [u8; 2] {
        match self {
            Order::Little => value.to_le_bytes(),
            Order::Big => value.to_be_bytes(),
        }
    }

    pub(super) fn word(self, value: u32) -> [u8; 4] {
        match self {
            Order::Little => value.to_le_bytes(),
            Order::Big => value.to_be_bytes(),
        }
    }
}

impl Elf {
    /// Where e_flags are.
    fn flags_at(&self) -> usize {
        if self.bits == 64 { 48 } else { 36 }
    }

    /// The first bytes of a program of this machine, as long as an ELF header needs to be to tell.
    pub(super) fn magic(&self) -> Vec<u8> {
        let mut magic = vec![0; MACHINE + 2];
        let class = if self.bits == 64 { 2 } else { 1 };
        let data = if self.order == Order::Little { 1 } else { 2 };
        put(&mut magic, 0, &[0x7f, b'E', b'L', b'F', class, data, 1]);
        // ET_EXEC
        put(&mut magic, TYPE, &self.order.short(2));
        put(&mut magic, MACHINE, &self.order.short(self.machine));
        if self.telling != 0 {
            magic.resize(self.flags_at() + 4, 0);
            put(&mut magic, self.flags_at(), &self.order.word(self.flags));
        }
        magic
    }

    /// Which bits of [`magic`](Self::magic) count: not EI_OSABI and what follows it, which differ between compilers; of
    /// e_type not the bit that distinguishes ET_EXEC from ET_DYN, a program that is loaded anywhere.
    pub(super) fn mask(&self) -> Vec<u8> {
        let mut mask = vec![0; MACHINE + 2];
        put(&mut mask, 0, &[0xff; 7]);
        put(&mut mask, TYPE, &self.order.short(!1));
        put(&mut mask, MACHINE, &[0xff; 2]);
        if self.telling != 0 {
            mask.resize(self.flags_at() + 4, 0);
            put(&mut mask, self.flags_at(), &self.order.word(self.telling));
        }
        mask
    }

    /// The header of a program: ET_EXEC is 2, ET_DYN 3. What magics do not look at is 0.
    pub(super) fn header(&self, kind: u16) -> Vec<u8> {
        let mut header = self.magic();
        header.resize(64, 0);
        put(&mut header, TYPE, &self.order.short(kind));
        put(&mut header, self.flags_at(), &self.order.word(self.flags));
        header
    }
}

/// Overwrites bytes; what would lie behind the end is left out.
pub(super) fn put(into: &mut [u8], at: usize, bytes: &[u8]) {
    for (place, byte) in into.iter_mut().skip(at).zip(bytes) {
        *place = *byte;
    }
}

/// Whether the bytes that a magic asks for are there, as the kernel compares them.
pub(super) fn matches(bytes: &[u8], offset: usize, magic: &[u8], mask: &[u8]) -> bool {
    let Some(bytes) = bytes.get(offset..).filter(|bytes| bytes.len() >= magic.len()) else {
        return false;
    };
    let mask = mask.iter().chain(std::iter::repeat(&0xff));
    bytes
        .iter()
        .zip(magic)
        .zip(mask)
        .all(|((have, want), mask)| (have ^ want) & mask == 0)
}

impl Arch {
    /// The architecture of that name, dpkg's or rpm's. Where the two families mean different things by a name it is dpkg's.
    pub fn named(name: &str) -> Option<&'static Arch> {
        Arch::of_deb(name).or_else(|| Arch::of_rpm(name))
    }

    /// The architecture that dpkg calls so.
    pub fn of_deb(name: &str) -> Option<&'static Arch> {
        TABLE.iter().find(|arch| arch.deb == name && !name.is_empty())
    }

    /// The architecture that rpm calls so.
    pub fn of_rpm(name: &str) -> Option<&'static Arch> {
        TABLE.iter().find(|arch| arch.rpm.contains(&name))
    }

    /// The architecture of a program, from its first 64 bytes. What looks the same, as armhf and armel do, is the first of
    /// the table.
    pub fn of_program(header: &[u8]) -> Option<&'static Arch> {
        TABLE
            .iter()
            .find(|arch| matches(header, 0, &arch.elf.magic(), &arch.elf.mask()))
    }

    /// The architecture of a header's numbers; of several that have the same, the first of the table.
    pub fn of_elf(elf: crate::elf::Elf) -> Option<&'static Arch> {
        let order = if elf.big_endian { Order::Big } else { Order::Little };
        TABLE
            .iter()
            .find(|arch| (arch.elf.bits, arch.elf.order, arch.elf.machine) == (elf.bits, order, elf.machine))
    }

    /// The architecture that this program was built for.
    pub fn own() -> Option<&'static Arch> {
        TABLE.iter().find(|arch| arch.is_own())
    }

    /// dpkg's name, else rpm's.
    pub fn name(&self) -> &'static str {
        match (self.deb, self.rpm.first()) {
            ("", Some(rpm)) => rpm,
            (deb, _) => deb,
        }
    }

    /// Whether it has 32 bits.
    pub fn is_32_bit(&self) -> bool {
        self.elf.bits == 32
    }

    /// Whether this program was built for it.
    pub(super) fn is_own(&self) -> bool {
        self.is_machine(self.host)
    }

    /// Whether some machines of this one's kind run it as well.
    pub(super) fn is_kin(&self) -> bool {
        self.kin.iter().any(|host| self.is_machine(host))
    }

    fn is_machine(&self, host: &str) -> bool {
        let order = if cfg!(target_endian = "little") {
            Order::Little
        } else {
            Order::Big
        };
        host == std::env::consts::ARCH && self.elf.order == order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn magics_are_qemus() {
        // As in qemu-binfmt-conf.sh, without what their masks leave out.
        for (name, magic) in [
            ("arm64", "7f454c460201010000000000000000000200b700"),
            ("armhf", "7f454c4601010100000000000000000002002800"),
            ("i386", "7f454c4601010100000000000000000002000300"),
            ("amd64", "7f454c4602010100000000000000000002003e00"),
            ("riscv64", "7f454c460201010000000000000000000200f300"),
            ("ppc64el", "7f454c4602010100000000000000000002001500"),
            ("ppc64", "7f454c4602020100000000000000000000020015"),
            ("powerpc", "7f454c4601020100000000000000000000020014"),
            ("s390x", "7f454c4602020100000000000000000000020016"),
            ("mips64el", "7f454c4602010100000000000000000002000800"),
            ("loong64", "7f454c4602010100000000000000000002000201"),
            ("alpha", "7f454c4602010100000000000000000002002690"),
            ("hppa", "7f454c460102010000000000000000000002000f"),
            ("m68k", "7f454c4601020100000000000000000000020004"),
            ("sh4", "7f454c4601010100000000000000000002002a00"),
            ("sparc64", "7f454c460202010000000000000000000002002b"),
        ] {
            let arch = Arch::of_deb(name).unwrap();
            assert_eq!(hex(&arch.elf.magic()), magic, "{name}");
        }
        let arm64 = Arch::of_deb("arm64").unwrap();
        assert_eq!(hex(&arm64.elf.mask()), "ffffffffffffff000000000000000000feffffff");
        let s390x = Arch::of_deb("s390x").unwrap();
        assert_eq!(hex(&s390x.elf.mask()), "ffffffffffffff000000000000000000fffeffff");
    }

    #[test]
    fn a_name_is_one_architecture_and_a_program_is_found_again() {
        for arch in TABLE {
            assert!(!arch.name().is_empty());
            for name in arch.rpm {
                assert_eq!(Arch::of_rpm(name), Some(arch), "{name}");
            }
            if !arch.deb.is_empty() {
                assert_eq!(Arch::of_deb(arch.deb), Some(arch), "{}", arch.deb);
            }
            for kind in [2, 3] {
                let found = Arch::of_program(&arch.elf.header(kind)).unwrap();
                assert_eq!(found.elf.magic(), arch.elf.magic(), "{}", arch.name());
            }
            assert_eq!(Arch::of_program(&arch.elf.header(1)), None, "{}", arch.name());
        }
        assert_eq!(Arch::named("aarch64"), Arch::named("arm64"));
        assert_eq!(Arch::named("aarch64").unwrap().name(), "arm64");
        assert_eq!(Arch::named("i686").unwrap().name(), "i386");
        assert_eq!(Arch::named("no-such"), None);
        assert_eq!(Arch::named(""), None);
        assert_eq!(Arch::of_program(b"#!/bin/sh\n"), None);
    }

    #[test]
    fn the_abis_of_mips_are_told_apart() {
        let of = |name: &str| Arch::of_deb(name).unwrap();
        for name in ["mips", "mipsel", "mipsn32", "mipsn32el", "mips64", "mips64el"] {
            assert_eq!(Arch::of_program(&of(name).elf.header(3)).unwrap().deb, name);
        }
    }

    #[test]
    fn this_machine_is_its_own() {
        let own = Arch::own().unwrap();
        assert!(own.is_own());
        assert_eq!(own.host, std::env::consts::ARCH);
    }

    #[test]
    fn bytes_are_compared_as_the_kernel_does() {
        assert!(matches(b"xxabc", 2, b"ab", &[]));
        assert!(!matches(b"xxab", 2, b"abc", &[]));
        assert!(matches(b"\xf7", 0, b"\xff", b"\xf7"));
        assert!(!matches(b"\xf6", 0, b"\xff", b"\xf7"));
        assert!(!matches(b"", 9, b"a", &[]));
    }
}
