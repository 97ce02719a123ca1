//! What is mounted in a source.

use std::os::fd::BorrowedFd;

use crate::directory::Directory;
use crate::look::Meta;

/// File systems that the kernel makes up (statfs(2), and `linux/magic.h`): what is in them is this machine's state of the
/// moment, and some of their files never end.
const OF_THE_KERNEL: &[u64] = &[
    0x9fa0,      // proc
    0x6265_6572, // sysfs
    0x0027_e0eb, // cgroup
    0x6367_7270, // cgroup2
    0x1cd1,      // devpts
    0x6462_6720, // debugfs
    0x7472_6163, // tracefs
    0x7363_6673, // securityfs
    0xf97c_ff8c, // selinuxfs
    0x4341_5d53, // smackfs
    0xcafe_4a11, // bpf
    0x6165_676c, // pstore
    0x6265_6570, // configfs
    0x1980_0202, // mqueue
    0xde5e_81e4, // efivarfs
    0x4249_4e4d, // binfmt_misc
    0x6573_5543, // fusectl
    0x0187,      // autofs
    0x6e73_6673, // nsfs
    0x6759_6969, // rpc_pipefs
    0x9584_58f6, // hugetlbfs
];

/// Whether a directory is on such a file system.
#[allow(
    clippy::unnecessary_cast,
    reason = "the field's type differs between architectures"
)]
fn is_of_the_kernel(directory: BorrowedFd<'_>) -> bool {
    let found = rustix::fs::fstatfs(directory);
    found.is_ok_and(|found| OF_THE_KERNEL.contains(&(found.f_type as u64 & 0xffff_ffff)))
}

/// Whether what is in a directory of `parent` is taken too: on the same mount of the same file system; on another where that is
/// asked for, unless the kernel makes it up, or it is one that it is in, as a mount can show it.
pub(crate) fn is_entered(parent: &Directory, meta: &Meta, fd: BorrowedFd<'_>, across: bool) -> bool {
    let is_same = meta.mount == parent.meta.mount;
    if !across {
        return is_same;
    }
    if !is_same && is_of_the_kernel(fd) {
        return false;
    }
    let mut above = Some(parent);
    while let Some(directory) = above {
        if directory.meta.id == meta.id {
            return false;
        }
        above = directory.parent.as_deref();
    }
    true
}
