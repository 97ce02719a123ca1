//! The filters that programs of a root run under (seccomp(2)), as instructions of classic BPF.

pub(crate) mod owners;
pub(crate) mod sync;

/// An instruction of classic BPF: code, jump if true, jump if false, operand.
pub(crate) type Instruction = (u16, u8, u8, u32);

pub(crate) const LOAD: u16 = 0x20; // BPF_LD | BPF_W | BPF_ABS
const JUMP: u16 = 0x05; // BPF_JMP | BPF_JA
pub(crate) const JUMP_IF_EQUAL: u16 = 0x15; // BPF_JMP | BPF_JEQ | BPF_K
pub(crate) const RETURN: u16 = 0x06; // BPF_RET | BPF_K
pub(crate) const AND: u16 = 0x54; // BPF_ALU | BPF_AND | BPF_K

/// Offsets in struct seccomp_data (seccomp(2)).
pub(crate) const NUMBER: u32 = 0;
pub(crate) const ARCHITECTURE: u32 = 4;
pub(crate) const ARGUMENTS: u32 = 16;

pub(crate) const ALLOW: u32 = 0x7fff_0000; // SECCOMP_RET_ALLOW
const ASK: u32 = 0x7fc0_0000; // SECCOMP_RET_USER_NOTIF
const SUCCEED: u32 = 0x0005_0000; // SECCOMP_RET_ERRNO with errno 0

/// What the kernel would answer to a call.
#[cfg(test)]
pub(crate) fn answer_of(filter: &[Instruction], architecture: u32, number: u32, args: [u64; 6]) -> u32 {
    let (mut at, mut value) = (0, 0);
    loop {
        let (code, jt, jf, k) = filter[at];
        at += 1;
        match code {
            LOAD if k == NUMBER => value = number,
            LOAD if k == ARCHITECTURE => value = architecture,
            LOAD => value = args[((k - ARGUMENTS) / 8) as usize] as u32,
            AND => value &= k,
            JUMP => at += k as usize,
            JUMP_IF_EQUAL => at += usize::from(if value == k { jt } else { jf }),
            RETURN => return k,
            _ => panic!("unknown instruction"),
        }
    }
}
