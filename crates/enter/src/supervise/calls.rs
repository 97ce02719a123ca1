//! Which system calls are answered, by the numbers of each architecture (syscalls(2)), and what their arguments mean.

/// AUDIT_ARCH_* (linux/audit.h).
pub(crate) const X86_64: u32 = 0xc000_003e;
pub(crate) const I386: u32 = 0x4000_0003;
pub(crate) const AARCH64: u32 = 0xc000_00b7;
pub(crate) const ARM: u32 = 0x4000_0028;
pub(crate) const RISCV64: u32 = 0xc000_00f3;

/// x32's numbers are x86_64's with this bit set, under the same architecture.
pub(crate) const X32: u32 = 0x4000_0000;

/// How a call names its file: by which of its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum File {
    /// A path, relative to the working directory; whether a link in its last place is followed.
    Path { follow: bool },
    /// A descriptor.
    Descriptor,
    /// A directory's descriptor and a path, with flags (`AT_*`) in that argument.
    At { flags: usize },
}

/// How wide the ids of a call are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ids {
    /// 32 bits, -1 leaving what is.
    Wide,
    /// 16 bits.
    Narrow,
}

/// The structure that a call fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// The machine's own `struct stat`.
    Native,
    /// `struct stat64` of 32-bit programs.
    Stat64,
    /// `struct statx`.
    Statx,
}

/// What is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    /// chown(2) and its like: the ids are in the argument `uid` and the next.
    Chown { file: File, uid: usize, ids: Ids },
    /// stat(2) and its like: the address of the structure is in the argument `to`.
    Stat { file: File, to: usize, shape: Shape },
    /// mknod(2), mknodat(2): the mode is in that argument, the device in the next.
    Mknod { file: File, mode: usize },
}

const PATH: File = File::Path { follow: true };
const LINK: File = File::Path { follow: false };

/// An architecture's calls.
pub(crate) struct Table {
    pub(crate) architecture: u32,
    /// Calls that set a process' own ids: done, says the filter.
    pub(crate) ids: &'static [u32],
    /// Calls that the supervisor answers.
    pub(crate) calls: &'static [(u32, Call)],
}

const fn chown(file: File, uid: usize) -> Call {
    Call::Chown {
        file,
        uid,
        ids: Ids::Wide,
    }
}

const fn chown16(file: File) -> Call {
    Call::Chown {
        file,
        uid: 1,
        ids: Ids::Narrow,
    }
}

const fn stat(file: File, to: usize, shape: Shape) -> Call {
    Call::Stat { file, to, shape }
}

const fn mknod(file: File, mode: usize) -> Call {
    Call::Mknod { file, mode }
}

/// The calls of the 32-bit tables of i386 and arm that have the same numbers.
macro_rules! of_32_bits {
    ($fchownat:literal, $fstatat:literal, $statx:literal, $mknodat:literal) => {
        &[
            (16, chown16(LINK)),
            (95, chown16(File::Descriptor)),
            (182, chown16(PATH)),
            (198, chown(LINK, 1)),
            (207, chown(File::Descriptor, 1)),
            (212, chown(PATH, 1)),
            ($fchownat, chown(File::At { flags: 4 }, 2)),
            (195, stat(PATH, 1, Shape::Stat64)),
            (196, stat(LINK, 1, Shape::Stat64)),
            (197, stat(File::Descriptor, 1, Shape::Stat64)),
            ($fstatat, stat(File::At { flags: 3 }, 2, Shape::Stat64)),
            ($statx, stat(File::At { flags: 2 }, 4, Shape::Statx)),
            (14, mknod(PATH, 1)),
            ($mknodat, mknod(File::At { flags: NONE }, 2)),
        ]
    };
}

/// No argument has flags.
const NONE: usize = usize::MAX;

/// setuid, setgid, setreuid, setregid, setgroups, setfsuid, setfsgid, setresuid, setresgid; first the 16-bit ones.
const IDS_OF_32_BITS: &[u32] = &[
    23, 46, 70, 71, 81, 138, 139, 164, 170, 213, 214, 203, 204, 206, 215, 216, 208, 210,
];

/// The tables that newer architectures share (asm-generic/unistd.h).
const GENERIC_IDS: &[u32] = &[143, 144, 145, 146, 147, 149, 151, 152, 159];
const GENERIC: &[(u32, Call)] = &[
    (54, chown(File::At { flags: 4 }, 2)),
    (55, chown(File::Descriptor, 1)),
    (79, stat(File::At { flags: 3 }, 2, Shape::Native)),
    (80, stat(File::Descriptor, 1, Shape::Native)),
    (291, stat(File::At { flags: 2 }, 4, Shape::Statx)),
    (33, mknod(File::At { flags: NONE }, 2)),
];

/// Every architecture whose programs a kernel that bareroot runs on may run.
pub(crate) const TABLES: &[Table] = &[
    Table {
        architecture: X86_64,
        ids: &[105, 106, 113, 114, 116, 117, 119, 122, 123],
        calls: &[
            (92, chown(PATH, 1)),
            (93, chown(File::Descriptor, 1)),
            (94, chown(LINK, 1)),
            (260, chown(File::At { flags: 4 }, 2)),
            (4, stat(PATH, 1, Shape::Native)),
            (5, stat(File::Descriptor, 1, Shape::Native)),
            (6, stat(LINK, 1, Shape::Native)),
            (262, stat(File::At { flags: 3 }, 2, Shape::Native)),
            (332, stat(File::At { flags: 2 }, 4, Shape::Statx)),
            (133, mknod(PATH, 1)),
            (259, mknod(File::At { flags: NONE }, 2)),
        ],
    },
    Table {
        architecture: I386,
        ids: IDS_OF_32_BITS,
        calls: of_32_bits!(298, 300, 383, 297),
    },
    Table {
        architecture: AARCH64,
        ids: GENERIC_IDS,
        calls: GENERIC,
    },
    Table {
        architecture: ARM,
        ids: IDS_OF_32_BITS,
        calls: of_32_bits!(325, 327, 397, 324),
    },
    Table {
        architecture: RISCV64,
        ids: GENERIC_IDS,
        calls: GENERIC,
    },
];

/// What a call is, by architecture and number.
pub(crate) fn find(architecture: u32, number: u32) -> Option<Call> {
    let number = if architecture == X86_64 {
        number & !X32
    } else {
        number
    };
    let table = TABLES.iter().find(|table| table.architecture == architecture)?;
    let found = table.calls.iter().find(|(known, _)| *known == number);
    found.map(|(_, call)| *call)
}

/// The machine that this program is made for.
#[cfg(test)]
pub(crate) const NATIVE: u32 = if cfg!(target_arch = "aarch64") {
    AARCH64
} else {
    X86_64
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_s_numbers_are_the_library_s() {
        for (number, call) in [
            (libc::SYS_fchownat, chown(File::At { flags: 4 }, 2)),
            (libc::SYS_fchown, chown(File::Descriptor, 1)),
            (
                libc::SYS_newfstatat,
                stat(File::At { flags: 3 }, 2, Shape::Native),
            ),
            (libc::SYS_fstat, stat(File::Descriptor, 1, Shape::Native)),
            (libc::SYS_statx, stat(File::At { flags: 2 }, 4, Shape::Statx)),
            (libc::SYS_mknodat, mknod(File::At { flags: NONE }, 2)),
        ] {
            assert_eq!(find(NATIVE, number as u32), Some(call), "{number}");
        }
        let ids = [
            libc::SYS_setuid,
            libc::SYS_setgid,
            libc::SYS_setreuid,
            libc::SYS_setregid,
            libc::SYS_setresuid,
            libc::SYS_setresgid,
            libc::SYS_setgroups,
            libc::SYS_setfsuid,
            libc::SYS_setfsgid,
        ];
        let table = TABLES.iter().find(|table| table.architecture == NATIVE).unwrap();
        for number in ids {
            assert!(table.ids.contains(&(number as u32)), "{number}");
        }
        assert_eq!(table.ids.len(), ids.len());
    }

    #[test]
    fn x32_is_x86_64_with_a_bit() {
        assert_eq!(find(X86_64, X32 | 92), find(X86_64, 92));
        assert_eq!(find(I386, X32 | 182), None);
        assert_eq!(find(X86_64, 0), None);
        assert_eq!(find(0, 92), None);
    }

    #[test]
    fn no_number_is_there_twice() {
        for table in TABLES {
            let mut numbers: Vec<u32> = table.calls.iter().map(|(number, _)| *number).collect();
            numbers.extend(table.ids);
            let count = numbers.len();
            numbers.sort_unstable();
            numbers.dedup();
            assert_eq!(numbers.len(), count, "{:#x}", table.architecture);
        }
    }
}
