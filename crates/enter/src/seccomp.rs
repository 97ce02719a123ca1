//! The filter under which syncing does nothing and succeeds.
//!
//! A root that is being made is worth nothing after a crash, so dpkg's hundreds of fsync(2) buy nothing. The
//! system call numbers are those of the kernel's tables (syscalls(2)); every architecture that this kernel
//! may run programs of has a block, as a filter without one for i386 would leave 32-bit programs on x86_64
//! alone.

/// An instruction of classic BPF: code, jump if true, jump if false, operand.
type Instruction = (u16, u8, u8, u32);

const LOAD: u16 = 0x20; // BPF_LD | BPF_W | BPF_ABS
const JUMP_IF_EQUAL: u16 = 0x15; // BPF_JMP | BPF_JEQ | BPF_K
const RETURN: u16 = 0x06; // BPF_RET | BPF_K

/// Offsets in struct seccomp_data (seccomp(2)).
const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;

const ALLOW: u32 = 0x7fff_0000; // SECCOMP_RET_ALLOW
const SUCCEED: u32 = 0x0005_0000; // SECCOMP_RET_ERRNO with errno 0

/// x32's numbers are x86_64's with this bit set, under the same architecture.
const X32: u32 = 0x4000_0000;

/// AUDIT_ARCH_* (linux/audit.h), and the numbers of fsync, fdatasync, sync, syncfs, sync_file_range, msync.
const TABLES: [(u32, &[u32]); 4] = [
    // x86_64 and x32
    (
        0xc000_003e,
        &[
            74,
            75,
            162,
            306,
            277,
            26,
            X32 | 74,
            X32 | 75,
            X32 | 162,
            X32 | 306,
            X32 | 277,
            X32 | 26,
        ],
    ),
    // i386
    (0x4000_0003, &[118, 148, 36, 344, 314, 144]),
    // aarch64
    (0xc000_00b7, &[82, 83, 81, 267, 84, 227]),
    // arm, where the fifth is sync_file_range2
    (0x4000_0028, &[118, 148, 36, 373, 341, 144]),
];

/// The whole filter.
pub(crate) fn no_fsync() -> Vec<Instruction> {
    let mut filter = vec![(LOAD, 0, 0, ARCHITECTURE)];
    for (architecture, numbers) in TABLES {
        // A block is the load, a comparison a number, and two returns; the longest has 15 instructions.
        let count = numbers.len() as u8;
        filter.push((JUMP_IF_EQUAL, 0, count + 3, architecture));
        filter.push((LOAD, 0, 0, NUMBER));
        for (left, number) in (0..count).rev().zip(numbers) {
            filter.push((JUMP_IF_EQUAL, left + 1, 0, *number));
        }
        filter.push((RETURN, 0, 0, ALLOW));
        filter.push((RETURN, 0, 0, SUCCEED));
    }
    filter.push((RETURN, 0, 0, ALLOW));
    filter
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the kernel would answer.
    fn answer(architecture: u32, number: u32) -> u32 {
        let filter = no_fsync();
        let (mut at, mut value) = (0, 0);
        loop {
            let (code, jt, jf, k) = filter[at];
            at += 1;
            match code {
                LOAD if k == NUMBER => value = number,
                LOAD => value = architecture,
                JUMP_IF_EQUAL => at += usize::from(if value == k { jt } else { jf }),
                RETURN => return k,
                _ => panic!("unknown instruction"),
            }
        }
    }

    #[test]
    fn exactly_the_named_calls_are_answered() {
        for (architecture, numbers) in TABLES {
            for number in 0..1000 {
                for number in [number, number | X32] {
                    let expected = if numbers.contains(&number) { SUCCEED } else { ALLOW };
                    assert_eq!(
                        answer(architecture, number),
                        expected,
                        "{architecture:#x} {number}"
                    );
                }
            }
        }
        // riscv64: left alone.
        assert_eq!(answer(0xc000_00f3, 82), ALLOW);
    }

    #[test]
    fn this_machine_s_numbers_are_the_library_s() {
        let ours = [
            libc::SYS_fsync,
            libc::SYS_fdatasync,
            libc::SYS_sync,
            libc::SYS_syncfs,
            libc::SYS_sync_file_range,
            libc::SYS_msync,
        ];
        let architecture = if cfg!(target_arch = "aarch64") {
            0xc000_00b7
        } else {
            0xc000_003e
        };
        for number in ours {
            assert_eq!(answer(architecture, number as u32), SUCCEED, "{number}");
        }
    }
}
