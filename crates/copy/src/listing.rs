//! The names in a directory.

use std::cell::RefCell;
use std::ffi::CStr;
use std::mem::MaybeUninit;
use std::os::fd::BorrowedFd;

use bareroot_unpack::FileKind;
use rustix::fs::RawDir;

use crate::look::kind_of_entry;

/// Memory for getdents64(2): some two thousand names at a time.
const BUFFER: usize = 64 * 1024;

/// Names with what they are, in one piece of memory.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    /// Where its name begins; the name ends with a NUL, before the next.
    begin: usize,
    end: usize,
    kind: Option<FileKind>,
    inode: u64,
}

/// A name in a directory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Listed<'l> {
    pub name: &'l CStr,
    /// None where the file system does not say.
    pub kind: Option<FileKind>,
}

impl Listing {
    /// Reads a directory, but for `.` and `..`; in the order of inodes, in which a file system reads them best.
    pub(crate) fn read(directory: BorrowedFd<'_>) -> rustix::io::Result<Self> {
        thread_local! {
            static MEMORY: RefCell<Vec<MaybeUninit<u8>>> = const { RefCell::new(Vec::new()) };
        }
        let mut listing = Listing::default();
        MEMORY.with_borrow_mut(|memory| {
            memory.resize(BUFFER, MaybeUninit::uninit());
            let mut dir = RawDir::new(directory, memory.as_mut_slice());
            while let Some(entry) = dir.next() {
                let entry = entry?;
                let name = entry.file_name().to_bytes_with_nul();
                if matches!(name, b".\0" | b"..\0") {
                    continue;
                }
                let begin = listing.bytes.len();
                listing.bytes.extend_from_slice(name);
                listing.entries.push(Entry {
                    begin,
                    end: listing.bytes.len(),
                    kind: kind_of_entry(entry.file_type()),
                    inode: entry.ino(),
                });
            }
            Ok(())
        })?;
        listing.entries.sort_unstable_by_key(|entry| entry.inode);
        Ok(listing)
    }

    /// In byte order of the names.
    pub(crate) fn sorted(mut self) -> Self {
        let bytes = std::mem::take(&mut self.bytes);
        let name = |entry: &Entry| bytes.get(entry.begin..entry.end);
        self.entries
            .sort_unstable_by(|one, other| name(one).cmp(&name(other)));
        self.bytes = bytes;
        self
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn get(&self, at: usize) -> Option<Listed<'_>> {
        let entry = self.entries.get(at)?;
        let name = CStr::from_bytes_with_nul(self.bytes.get(entry.begin..entry.end)?).ok()?;
        Some(Listed {
            name,
            kind: entry.kind,
        })
    }
}
