//! The table of architectures.

use super::arch::Order::{Big, Little};
use super::arch::{Arch, Elf, Order};

const fn elf(bits: u8, order: Order, machine: u16) -> Elf {
    Elf {
        bits,
        order,
        machine,
        flags: 0,
        telling: 0,
    }
}

/// With flags that the kernel or the emulator looks at, but that tell nothing else apart.
const fn flagged(bits: u8, order: Order, machine: u16, flags: u32) -> Elf {
    Elf {
        flags,
        ..elf(bits, order, machine)
    }
}

/// 32-bit MIPS, whose two ABIs EF_MIPS_ABI2 distinguishes.
const fn mips32(order: Order, flags: u32) -> Elf {
    Elf {
        telling: 0x20,
        ..flagged(32, order, 8, flags)
    }
}

const fn row(
    deb: &'static str,
    rpm: &'static [&'static str],
    qemu: &'static str,
    elf: Elf,
    hosts: (&'static str, &'static [&'static str]),
    exits: &'static [u8],
) -> Arch {
    Arch {
        deb,
        rpm,
        qemu,
        elf,
        host: hosts.0,
        kin: hosts.1,
        exits,
    }
}

/// The code for arm, in both of its ABIs: mov r7, #1; mov r0, #0; svc 0.
const ARM: &[u8] = b"\x01\x70\xa0\xe3\x00\x00\xa0\xe3\x00\x00\x00\xef";

/// li r0, 1; li r3, 0; sc.
const POWER: &[u8] = b"\x38\x00\x00\x01\x38\x60\x00\x00\x44\x00\x00\x02";
const POWER_LITTLE: &[u8] = b"\x01\x00\x00\x38\x00\x00\x60\x38\x02\x00\x00\x44";

/// li v0, 4001 (o32), 6058 (n32) or 5058 (n64); move a0, zero; syscall.
const MIPS_O32: &[u8] = b"\x24\x02\x0f\xa1\x00\x00\x20\x25\x00\x00\x00\x0c";
const MIPS_O32_LITTLE: &[u8] = b"\xa1\x0f\x02\x24\x25\x20\x00\x00\x0c\x00\x00\x00";
const MIPS_N32: &[u8] = b"\x24\x02\x17\xaa\x00\x00\x20\x25\x00\x00\x00\x0c";
const MIPS_N32_LITTLE: &[u8] = b"\xaa\x17\x02\x24\x25\x20\x00\x00\x0c\x00\x00\x00";
const MIPS_N64: &[u8] = b"\x24\x02\x13\xc2\x00\x00\x20\x25\x00\x00\x00\x0c";
const MIPS_N64_LITTLE: &[u8] = b"\xc2\x13\x02\x24\x25\x20\x00\x00\x0c\x00\x00\x00";

/// EF_ARM_EABI_VER5.
const EABI5: u32 = 0x0500_0000;

/// The second of PowerPC's 64-bit ABIs; by the first an entry point is not where the code is.
const ELF_V2: u32 = 2;

/// EF_MIPS_ABI2.
const ABI2: u32 = 0x20;

pub(super) const TABLE: &[Arch] = &[
    row(
        "amd64",
        &[
            "x86_64",
            "x86_64_v2",
            "x86_64_v3",
            "x86_64_v4",
            "amd64",
            "ia32e",
            "em64t",
        ],
        "x86_64",
        elf(64, Little, 62),
        ("x86_64", &[]),
        // mov eax, 60; xor edi, edi; syscall
        b"\xb8\x3c\x00\x00\x00\x31\xff\x0f\x05",
    ),
    row(
        "i386",
        &[
            "i686", "i586", "i486", "i386", "athlon", "geode", "pentium3", "pentium4",
        ],
        "i386",
        elf(32, Little, 3),
        ("x86", &["x86_64"]),
        // mov eax, 1; xor ebx, ebx; int 0x80
        b"\xb8\x01\x00\x00\x00\x31\xdb\xcd\x80",
    ),
    row(
        "x32",
        &["x32"],
        "",
        elf(32, Little, 62),
        ("", &["x86_64"]),
        // mov eax, 0x4000003c; xor edi, edi; syscall
        b"\xb8\x3c\x00\x00\x40\x31\xff\x0f\x05",
    ),
    row(
        "arm64",
        &["aarch64"],
        "aarch64",
        elf(64, Little, 183),
        ("aarch64", &[]),
        // mov x8, #93; mov x0, #0; svc #0
        b"\xa8\x0b\x80\xd2\x00\x00\x80\xd2\x01\x00\x00\xd4",
    ),
    row(
        "armhf",
        &["armv7hl", "armv7hnl", "armv8hl", "armv6hl"],
        "arm",
        flagged(32, Little, 40, EABI5),
        ("arm", &["aarch64"]),
        ARM,
    ),
    row(
        "armel",
        &[
            "armv5tel",
            "armv5tejl",
            "armv5tl",
            "armv7l",
            "armv6l",
            "armv5l",
            "armv4tl",
            "armv4l",
            "armv3l",
        ],
        "arm",
        flagged(32, Little, 40, EABI5),
        ("arm", &["aarch64"]),
        ARM,
    ),
    row("armeb", &[], "armeb", flagged(32, Big, 40, EABI5), ("", &[]), &[]),
    row(
        "riscv64",
        &["riscv64"],
        "riscv64",
        elf(64, Little, 243),
        ("riscv64", &[]),
        // li a7, 93; li a0, 0; ecall
        b"\x93\x08\xd0\x05\x13\x05\x00\x00\x73\x00\x00\x00",
    ),
    row(
        "ppc64el",
        &["ppc64le"],
        "ppc64le",
        flagged(64, Little, 21, ELF_V2),
        ("powerpc64", &[]),
        POWER_LITTLE,
    ),
    row(
        "ppc64",
        &["ppc64", "ppc64p7", "ppc64pseries", "ppc64iseries"],
        "ppc64",
        flagged(64, Big, 21, ELF_V2),
        ("powerpc64", &[]),
        POWER,
    ),
    row(
        "powerpc",
        &["ppc", "ppc32dy4", "ppc8260", "ppc8560"],
        "ppc",
        elf(32, Big, 20),
        ("powerpc", &["powerpc64"]),
        POWER,
    ),
    row(
        "powerpcspe",
        &[],
        "ppc",
        elf(32, Big, 20),
        ("powerpc", &[]),
        POWER,
    ),
    row(
        "s390x",
        &["s390x"],
        "s390x",
        elf(64, Big, 22),
        ("s390x", &[]),
        // lghi %r2, 0; svc 1
        b"\xa7\x29\x00\x00\x0a\x01",
    ),
    row("s390", &["s390"], "", elf(32, Big, 22), ("", &["s390x"]), &[]),
    row(
        "mips64el",
        &["mips64el"],
        "mips64el",
        elf(64, Little, 8),
        ("mips64", &[]),
        MIPS_N64_LITTLE,
    ),
    row(
        "mips64r6el",
        &["mips64r6el"],
        "mips64el",
        elf(64, Little, 8),
        ("mips64r6", &[]),
        MIPS_N64_LITTLE,
    ),
    row(
        "mips64",
        &["mips64"],
        "mips64",
        elf(64, Big, 8),
        ("mips64", &[]),
        MIPS_N64,
    ),
    row(
        "mips64r6",
        &["mips64r6"],
        "mips64",
        elf(64, Big, 8),
        ("mips64r6", &[]),
        MIPS_N64,
    ),
    row(
        "mipsel",
        &["mipsel"],
        "mipsel",
        mips32(Little, 0),
        ("mips", &["mips64"]),
        MIPS_O32_LITTLE,
    ),
    row(
        "mipsr6el",
        &["mipsr6el"],
        "mipsel",
        mips32(Little, 0),
        ("mips32r6", &["mips64r6"]),
        MIPS_O32_LITTLE,
    ),
    row(
        "mips",
        &["mips"],
        "mips",
        mips32(Big, 0),
        ("mips", &["mips64"]),
        MIPS_O32,
    ),
    row(
        "mipsr6",
        &["mipsr6"],
        "mips",
        mips32(Big, 0),
        ("mips32r6", &["mips64r6"]),
        MIPS_O32,
    ),
    row(
        "mipsn32el",
        &[],
        "mipsn32el",
        mips32(Little, ABI2),
        ("", &["mips64"]),
        MIPS_N32_LITTLE,
    ),
    row(
        "mipsn32",
        &[],
        "mipsn32",
        mips32(Big, ABI2),
        ("", &["mips64"]),
        MIPS_N32,
    ),
    row(
        "loong64",
        &["loongarch64"],
        "loongarch64",
        elf(64, Little, 258),
        ("loongarch64", &[]),
        // addi.w a7, zero, 93; addi.w a0, zero, 0; syscall 0
        b"\x0b\x74\x81\x02\x04\x00\x80\x02\x00\x00\x2b\x00",
    ),
    row(
        "alpha",
        &[
            "alpha",
            "alphaev5",
            "alphaev56",
            "alphapca56",
            "alphaev6",
            "alphaev67",
        ],
        "alpha",
        elf(64, Little, 0x9026),
        ("alpha", &[]),
        // lda $0, 1($31); lda $16, 0($31); callsys
        b"\x01\x00\x1f\x20\x00\x00\x1f\x22\x83\x00\x00\x00",
    ),
    row(
        "hppa",
        &["hppa2.0", "hppa1.2", "hppa1.1", "hppa1.0", "parisc"],
        "hppa",
        elf(32, Big, 15),
        ("hppa", &[]),
        // ldi 0, %r26; ble 0x100(%sr2, %r0); ldi 1, %r20
        b"\x34\x1a\x00\x00\xe4\x00\x82\x00\x34\x14\x00\x02",
    ),
    row(
        "m68k",
        &["m68k"],
        "m68k",
        elf(32, Big, 4),
        ("m68k", &[]),
        // moveq #1, %d0; moveq #0, %d1; trap #0
        b"\x70\x01\x72\x00\x4e\x40",
    ),
    row(
        "sh4",
        &["sh4", "sh4a", "sh3", "sh"],
        "sh4",
        elf(32, Little, 42),
        ("sh4", &[]),
        // mov #1, r3; mov #0, r4; trapa #19
        b"\x01\xe3\x00\xe4\x13\xc3",
    ),
    row(
        "sparc64",
        &["sparc64", "sparc64v"],
        "sparc64",
        elf(64, Big, 43),
        ("sparc64", &[]),
        // mov 1, %g1; mov 0, %o0; ta 0x6d
        b"\x82\x10\x20\x01\x90\x10\x20\x00\x91\xd0\x20\x6d",
    ),
    row(
        "sparc",
        &["sparcv9", "sparcv9v", "sparcv8", "sparc"],
        "sparc32plus",
        elf(32, Big, 18),
        ("sparc", &["sparc64"]),
        // mov 1, %g1; mov 0, %o0; ta 0x10
        b"\x82\x10\x20\x01\x90\x10\x20\x00\x91\xd0\x20\x10",
    ),
    row("ia64", &["ia64"], "", elf(64, Little, 50), ("ia64", &[]), &[]),
    row("arc", &[], "", elf(32, Little, 195), ("", &[]), &[]),
    row("or1k", &[], "or1k", elf(32, Big, 92), ("", &[]), &[]),
];
