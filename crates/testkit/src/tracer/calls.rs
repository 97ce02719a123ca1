use libc::{EAGAIN, EINTR, EIO, EMFILE, ENFILE, ENOMEM, ENOSPC, c_long};

/// Kinds of system calls that can fail for reasons that are nobody's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Call {
    /// Opening a file.
    Open,
    /// Reading a regular file.
    Read,
    /// Writing a regular file.
    Write,
    /// Making a name: directories, links, nodes, renames.
    Name,
    /// Removing a name.
    Unlink,
    /// Listing a directory.
    List,
    /// Setting owner, mode, times, attributes.
    Attribute,
    /// To the disk.
    Sync,
    /// Memory.
    Map,
    /// Processes and threads.
    Fork,
    /// Mounts.
    Mount,
}

impl Call {
    /// All of them.
    pub const ALL: [Call; 11] = [
        Call::Open,
        Call::Read,
        Call::Write,
        Call::Name,
        Call::Unlink,
        Call::List,
        Call::Attribute,
        Call::Sync,
        Call::Map,
        Call::Fork,
        Call::Mount,
    ];

    /// The errors that such calls can come to (the ERRORS sections of their manual pages).
    pub fn errors(self) -> &'static [i32] {
        match self {
            Call::Open => &[EMFILE, ENFILE, EIO, ENOMEM, EINTR],
            Call::Read => &[EIO, EINTR],
            Call::Write => &[ENOSPC, EIO, EINTR],
            Call::Name => &[ENOSPC, EIO, ENOMEM],
            Call::Unlink | Call::List | Call::Attribute => &[EIO, ENOMEM],
            Call::Sync => &[EIO, ENOSPC],
            Call::Map => &[ENOMEM],
            Call::Fork => &[EAGAIN, ENOMEM],
            Call::Mount => &[ENOMEM],
        }
    }

    /// Whether it is counted for regular files alone: that a pipe has no space left is no error that there is.
    pub(super) fn needs_file(self) -> bool {
        matches!(self, Call::Read | Call::Write)
    }

    /// The kind of a system call.
    pub(super) fn of(number: c_long) -> Option<Call> {
        TABLE
            .iter()
            .find(|(_, numbers)| numbers.contains(&number))
            .map(|(call, _)| *call)
    }
}

const TABLE: &[(Call, &[c_long])] = &[
    (Call::Open, &[libc::SYS_openat, libc::SYS_openat2]),
    (Call::Read, &[libc::SYS_read, libc::SYS_pread64, libc::SYS_readv]),
    (
        Call::Write,
        &[
            libc::SYS_write,
            libc::SYS_pwrite64,
            libc::SYS_writev,
            libc::SYS_ftruncate,
            libc::SYS_fallocate,
        ],
    ),
    (
        Call::Name,
        &[
            libc::SYS_mkdirat,
            libc::SYS_mknodat,
            libc::SYS_symlinkat,
            libc::SYS_linkat,
            libc::SYS_renameat,
            libc::SYS_renameat2,
            #[cfg(target_arch = "x86_64")]
            libc::SYS_mkdir,
            #[cfg(target_arch = "x86_64")]
            libc::SYS_rename,
            #[cfg(target_arch = "x86_64")]
            libc::SYS_link,
            #[cfg(target_arch = "x86_64")]
            libc::SYS_symlink,
        ],
    ),
    (
        Call::Unlink,
        &[
            libc::SYS_unlinkat,
            #[cfg(target_arch = "x86_64")]
            libc::SYS_unlink,
            #[cfg(target_arch = "x86_64")]
            libc::SYS_rmdir,
        ],
    ),
    (Call::List, &[libc::SYS_getdents64]),
    (
        Call::Attribute,
        &[
            libc::SYS_fchmod,
            libc::SYS_fchmodat,
            libc::SYS_fchown,
            libc::SYS_fchownat,
            libc::SYS_utimensat,
            libc::SYS_fsetxattr,
            libc::SYS_setxattr,
            libc::SYS_lsetxattr,
        ],
    ),
    (
        Call::Sync,
        &[
            libc::SYS_fsync,
            libc::SYS_fdatasync,
            libc::SYS_syncfs,
            libc::SYS_sync_file_range,
        ],
    ),
    (Call::Map, &[libc::SYS_mmap]),
    (
        Call::Fork,
        &[
            libc::SYS_clone,
            libc::SYS_clone3,
            #[cfg(target_arch = "x86_64")]
            libc::SYS_fork,
            #[cfg(target_arch = "x86_64")]
            libc::SYS_vfork,
        ],
    ),
    (
        Call::Mount,
        &[
            libc::SYS_mount,
            libc::SYS_fsopen,
            libc::SYS_fsmount,
            libc::SYS_move_mount,
            libc::SYS_open_tree,
        ],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_calls_and_errors() {
        for call in Call::ALL {
            assert!(
                TABLE
                    .iter()
                    .any(|(other, numbers)| *other == call && !numbers.is_empty())
            );
            assert!(!call.errors().is_empty());
        }
        assert_eq!(Call::of(libc::SYS_openat), Some(Call::Open));
        assert_eq!(Call::of(libc::SYS_getpid), None);
    }
}
