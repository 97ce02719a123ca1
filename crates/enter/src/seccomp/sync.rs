//! The filter under which syncing does nothing and succeeds.
//!
//! A root that is being made is worth nothing after a crash, so dpkg's hundreds of fsync(2) buy nothing. The
//! system call numbers are those of the kernel's tables (syscalls(2)); every architecture that this kernel
//! may run programs of has a block, as a filter without one for i386 would leave 32-bit programs on x86_64
//! alone.

use super::{ALLOW, ARCHITECTURE, Instruction, JUMP_IF_EQUAL, LOAD, NUMBER, RETURN, SUCCEED};
use crate::supervise::calls::{AARCH64, ARM, I386, X32, X86_64};

/// AUDIT_ARCH_* (linux/audit.h), and the numbers of fsync, fdatasync, sync, syncfs, sync_file_range, msync.
const TABLES: [(u32, &[u32]); 4] = [
    // x86_64 and x32
    (
        X86_64,
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
    (I386, &[118, 148, 36, 344, 314, 144]),
    // aarch64
    (AARCH64, &[82, 83, 81, 267, 84, 227]),
    // arm, where the fifth is sync_file_range2
    (ARM, &[118, 148, 36, 373, 341, 144]),
];

/// The whole filter.
pub(crate) fn nothing() -> Vec<Instruction> {
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
    use super::super::answer_of;
    use super::*;

    fn answer(architecture: u32, number: u32) -> u32 {
        answer_of(&nothing(), architecture, number, [0; 6])
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
