//! Whose files are believed.
//!
//! Archives and indexes are held against a signed digest, whoever put them there; they are read again after that, so those
//! that somebody else can write are copied first. What was derived has only its own seal, which everybody can make: it is
//! believed where nobody but this user and root can have written it. What is written is written to files of ours alone.

use std::fs::File;
use std::os::unix::fs::MetadataExt;

/// Group and others may write.
const WRITABLE_BY_OTHERS: u32 = 0o022;

/// Whether nobody but this user and root can have written an open file.
pub(super) fn is_ours(file: &File) -> bool {
    file.metadata().is_ok_and(|metadata| {
        believed(
            metadata.uid(),
            metadata.mode(),
            rustix::process::geteuid().as_raw(),
        )
    })
}

/// Whether an open file is one to write into: a regular one, ours, and by no second name somebody else's.
pub(super) fn may_write(file: &File) -> bool {
    file.metadata()
        .is_ok_and(|metadata| metadata.is_file() && metadata.nlink() == 1)
        && is_ours(file)
}

fn believed(owner: u32, mode: u32, own: u32) -> bool {
    (owner == own || owner == 0) && mode & WRITABLE_BY_OTHERS == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn others_and_what_others_may_write_are_not_believed() {
        for (owner, mode, own, expected) in [
            (1000, 0o644, 1000, true),
            (0, 0o644, 1000, true),
            (0, 0o600, 0, true),
            (1001, 0o644, 1000, false),
            (1000, 0o644, 0, false),
            (1000, 0o664, 1000, false),
            (0, 0o646, 1000, false),
        ] {
            assert_eq!(believed(owner, mode, own), expected, "{owner} {mode:o} {own}");
        }
    }
}
