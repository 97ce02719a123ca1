//! The capabilities (capabilities(7)) that programs keep under [`Confinement::Rights`](crate::Confinement::Rights).

use rustix::io::Errno;
use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, remove_capability_from_bounding_set, set_capabilities,
};

/// What acts on the root's own files and the session's own processes, and what services need of the network. Not among
/// them, with what each would do to the host: DAC_READ_SEARCH opens any file of the file system by its handle
/// (open_by_handle_at(2)); MKNOD makes disks; SYS_ADMIN mounts and sets protections back; NET_ADMIN sets up the host's
/// network; SYS_MODULE, SYS_RAWIO, SYS_BOOT, SYS_TIME, SYSLOG, MAC_*, AUDIT_CONTROL, BPF, PERFMON and the rest are the
/// kernel's own.
const KEPT: CapabilitySet = CapabilitySet::CHOWN
    .union(CapabilitySet::DAC_OVERRIDE)
    .union(CapabilitySet::FOWNER)
    .union(CapabilitySet::FSETID)
    .union(CapabilitySet::KILL)
    .union(CapabilitySet::SETGID)
    .union(CapabilitySet::SETUID)
    .union(CapabilitySet::SETPCAP)
    .union(CapabilitySet::SETFCAP)
    .union(CapabilitySet::LINUX_IMMUTABLE)
    .union(CapabilitySet::NET_BIND_SERVICE)
    .union(CapabilitySet::NET_BROADCAST)
    .union(CapabilitySet::NET_RAW)
    .union(CapabilitySet::IPC_LOCK)
    .union(CapabilitySet::IPC_OWNER)
    .union(CapabilitySet::SYS_CHROOT)
    .union(CapabilitySet::SYS_PTRACE)
    .union(CapabilitySet::SYS_NICE)
    .union(CapabilitySet::SYS_RESOURCE)
    .union(CapabilitySet::SYS_TTY_CONFIG)
    .union(CapabilitySet::LEASE)
    .union(CapabilitySet::AUDIT_WRITE);

/// What a session's processes keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    /// Programs'.
    programs: CapabilitySet,
    /// The first process', which programs may take over: it has no more than they, unless it has filters to set.
    first: CapabilitySet,
}

impl Kept {
    /// `own_network`: whether the network is the session's. `filters`: whether seccomp filters are set for programs, for
    /// which the first process needs SYS_ADMIN (seccomp(2)); then programs may not look into it (ptrace(2)).
    pub(crate) fn of(own_network: bool, filters: bool) -> Kept {
        let mut programs = KEPT;
        if own_network {
            programs |= CapabilitySet::NET_ADMIN;
        }
        let mut first = programs;
        if filters {
            first |= CapabilitySet::SYS_ADMIN;
            programs.remove(CapabilitySet::SYS_PTRACE);
        }
        Kept { programs, first }
    }

    /// Takes the rest from the first process.
    pub(crate) fn restrict_first(self) -> Result<(), Errno> {
        restrict(self.first)
    }

    /// Takes the rest from a process that is to be a program.
    pub(crate) fn restrict_program(self) -> Result<(), Errno> {
        restrict(self.programs)
    }
}

/// Takes every other capability from this process, and from what it will execute.
fn restrict(kept: CapabilitySet) -> Result<(), Errno> {
    for bit in 0..u64::BITS {
        let capability = CapabilitySet::from_bits_retain(1 << bit);
        if kept.contains(capability) {
            continue;
        }
        match remove_capability_from_bounding_set(capability) {
            Ok(()) => {}
            // The kernel has no more of them.
            Err(Errno::INVAL) => break,
            Err(error) => return Err(error),
        }
    }
    let has = capabilities(None)?;
    set_capabilities(
        None,
        CapabilitySets {
            effective: has.effective & kept,
            permitted: has.permitted & kept,
            inheritable: CapabilitySet::empty(),
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_never_have_what_the_first_process_lacks() {
        for (own_network, filters) in [(false, false), (false, true), (true, false), (true, true)] {
            let kept = Kept::of(own_network, filters);
            assert!(kept.first.contains(kept.programs));
            assert!(!kept.programs.contains(CapabilitySet::SYS_ADMIN));
            assert_eq!(kept.programs.contains(CapabilitySet::NET_ADMIN), own_network);
            let taken_over = kept.programs.contains(CapabilitySet::SYS_PTRACE);
            assert_eq!(taken_over, kept.first == kept.programs);
        }
    }
}
