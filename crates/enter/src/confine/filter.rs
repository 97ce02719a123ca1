//! The system calls that a confined thread does without (seccomp(2)): what starts programs, changes the machine or its
//! mounts, looks into other processes, and reaches other machines.
//!
//! It is a list of what is forbidden: what allocators, threads and decompressors call differs between C libraries, and a
//! list of what is allowed would break with the next of them.

use crate::seccomp::{ALLOW, AND, ARCHITECTURE, ARGUMENTS, Instruction, JUMP_IF_EQUAL, LOAD, NUMBER, RETURN};
use crate::supervise::calls::{AARCH64, X32, X86_64};

/// SECCOMP_RET_ERRNO with EPERM.
const REFUSE: u32 = 0x0005_0000 | libc::EPERM as u32;
/// SECCOMP_RET_ERRNO with ENOSYS.
const UNKNOWN: u32 = 0x0005_0000 | libc::ENOSYS as u32;

/// What is refused on every architecture.
const REFUSED: &[libc::c_long] = &[
    // Programs.
    libc::SYS_execve,
    libc::SYS_execveat,
    // Other processes.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_kcmp,
    libc::SYS_kill,
    libc::SYS_tkill,
    libc::SYS_pidfd_open,
    libc::SYS_pidfd_getfd,
    libc::SYS_pidfd_send_signal,
    libc::SYS_perf_event_open,
    // Namespaces and mounts.
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_open_tree,
    libc::SYS_move_mount,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    libc::SYS_open_by_handle_at,
    libc::SYS_quotactl,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    // Connections.
    libc::SYS_socket,
    libc::SYS_connect,
    libc::SYS_bind,
    libc::SYS_listen,
    libc::SYS_accept,
    libc::SYS_accept4,
    // Calls that no filter sees, and what exploits of kernels are made of.
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_bpf,
    libc::SYS_userfaultfd,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    libc::SYS_personality,
    // The machine.
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    libc::SYS_reboot,
    libc::SYS_syslog,
    libc::SYS_acct,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_clock_adjtime,
    libc::SYS_adjtimex,
    // Ids: root's would bring the capabilities back.
    libc::SYS_setuid,
    libc::SYS_setgid,
    libc::SYS_setreuid,
    libc::SYS_setregid,
    libc::SYS_setresuid,
    libc::SYS_setresgid,
    libc::SYS_setfsuid,
    libc::SYS_setfsgid,
    libc::SYS_setgroups,
];

#[cfg(target_arch = "x86_64")]
const OWN: &[libc::c_long] = &[
    libc::SYS_fork,
    libc::SYS_vfork,
    libc::SYS_iopl,
    libc::SYS_ioperm,
    libc::SYS_kexec_file_load,
];
#[cfg(not(target_arch = "x86_64"))]
const OWN: &[libc::c_long] = &[];

/// AUDIT_ARCH_* of this program (linux/audit.h), where there is a filter for it.
const HERE: Option<u32> = if cfg!(target_arch = "x86_64") {
    Some(X86_64)
} else if cfg!(target_arch = "aarch64") {
    Some(AARCH64)
} else {
    None
};

/// The filter; without instructions where this architecture has none, which the kernel refuses.
pub(super) fn filter() -> Vec<Instruction> {
    let Some(here) = HERE else { return Vec::new() };
    let mut filter = vec![
        // Another architecture's calls have other numbers, and this program makes none.
        (LOAD, 0, 0, ARCHITECTURE),
        (JUMP_IF_EQUAL, 1, 0, here),
        (RETURN, 0, 0, REFUSE),
        (LOAD, 0, 0, NUMBER),
    ];
    if here == X86_64 {
        filter.extend([
            (AND, 0, 0, X32),
            (JUMP_IF_EQUAL, 1, 0, 0),
            (RETURN, 0, 0, REFUSE),
            (LOAD, 0, 0, NUMBER),
        ]);
    }
    for number in REFUSED.iter().chain(OWN) {
        filter.push((JUMP_IF_EQUAL, 0, 1, *number as u32));
        filter.push((RETURN, 0, 0, REFUSE));
    }
    filter.extend([
        // Its flags are in memory, where no filter sees them: C libraries go on to clone(2) then.
        (JUMP_IF_EQUAL, 0, 1, libc::SYS_clone3 as u32),
        (RETURN, 0, 0, UNKNOWN),
        // Threads may be started, processes may not.
        (JUMP_IF_EQUAL, 0, 4, libc::SYS_clone as u32),
        (LOAD, 0, 0, ARGUMENTS),
        (AND, 0, 0, libc::CLONE_THREAD as u32),
        (JUMP_IF_EQUAL, 1, 0, libc::CLONE_THREAD as u32),
        (RETURN, 0, 0, REFUSE),
        (RETURN, 0, 0, ALLOW),
    ]);
    filter
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seccomp::answer_of;

    #[test]
    fn what_is_named_is_refused_and_nothing_else() {
        let Some(here) = HERE else { return };
        let filter = filter();
        for number in 0..1000 {
            let answer = answer_of(&filter, here, number, [libc::CLONE_THREAD as u64, 0, 0, 0, 0, 0]);
            let known = i64::from(number);
            let expected = match known {
                libc::SYS_clone3 => UNKNOWN,
                _ if REFUSED.contains(&known) || OWN.contains(&known) => REFUSE,
                _ => ALLOW,
            };
            assert_eq!(answer, expected, "{number}");
        }
        let fork = answer_of(
            &filter,
            here,
            libc::SYS_clone as u32,
            [libc::SIGCHLD as u64, 0, 0, 0, 0, 0],
        );
        assert_eq!(fork, REFUSE);
        // getpid of i386, and of x32.
        assert_eq!(answer_of(&filter, 0x4000_0003, 20, [0; 6]), REFUSE);
        if here == X86_64 {
            assert_eq!(answer_of(&filter, here, X32 | 39, [0; 6]), REFUSE);
        }
    }
}
