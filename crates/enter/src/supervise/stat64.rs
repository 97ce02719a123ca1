//! `struct stat64` as 32-bit programs know it (asm/stat.h). ARM aligns 64-bit numbers to 8 bytes, x86 to 4.

/// The structure's bytes. What does not fit is cut, as the kernel cuts inode numbers of such programs.
// The fields' types differ between architectures.
#[allow(clippy::unnecessary_cast)]
pub(crate) fn render(stat: &libc::stat, aligned: bool) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(104);
    let word = |bytes: &mut Vec<u8>, value: u64| bytes.extend_from_slice(&(value as u32).to_ne_bytes());
    let long = |bytes: &mut Vec<u8>, value: u64| bytes.extend_from_slice(&value.to_ne_bytes());
    let align = |bytes: &mut Vec<u8>| {
        while aligned && !bytes.len().is_multiple_of(8) {
            bytes.push(0);
        }
    };
    long(&mut bytes, stat.st_dev as u64);
    word(&mut bytes, 0);
    word(&mut bytes, stat.st_ino as u64);
    word(&mut bytes, stat.st_mode as u64);
    word(&mut bytes, stat.st_nlink as u64);
    word(&mut bytes, stat.st_uid as u64);
    word(&mut bytes, stat.st_gid as u64);
    long(&mut bytes, stat.st_rdev as u64);
    word(&mut bytes, 0);
    align(&mut bytes);
    long(&mut bytes, stat.st_size as u64);
    word(&mut bytes, stat.st_blksize as u64);
    align(&mut bytes);
    long(&mut bytes, stat.st_blocks as u64);
    for (seconds, nanoseconds) in [
        (stat.st_atime, stat.st_atime_nsec),
        (stat.st_mtime, stat.st_mtime_nsec),
        (stat.st_ctime, stat.st_ctime_nsec),
    ] {
        word(&mut bytes, seconds as u64);
        word(&mut bytes, nanoseconds as u64);
    }
    long(&mut bytes, stat.st_ino as u64);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::OwnedFd;

    #[test]
    fn fields_are_where_the_headers_have_them() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("f"), "12345").unwrap();
        let file: OwnedFd = std::fs::File::open(dir.path().join("f")).unwrap().into();
        let mut kept = None;
        crate::sys::stat_bytes(&file, |stat| {
            (stat.st_uid, stat.st_gid) = (0x0102_0304, 0x0506_0708);
            kept = Some(*stat);
        })
        .unwrap();
        let stat = kept.unwrap();
        // sizeof(struct stat64): 96 on x86, 104 on ARM; offsetof(st_size): 44 and 48.
        for (aligned, length, size_at) in [(false, 96, 44), (true, 104, 48)] {
            let bytes = render(&stat, aligned);
            let word = |at: usize| u32::from_ne_bytes(bytes[at..at + 4].try_into().unwrap());
            assert_eq!(bytes.len(), length);
            assert_eq!((word(24), word(28)), (0x0102_0304, 0x0506_0708));
            assert_eq!(word(16), stat.st_mode);
            assert_eq!(word(size_at), 5);
            assert_eq!(word(length - 8), stat.st_ino as u32);
        }
    }
}
