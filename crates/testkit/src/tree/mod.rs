//! What a directory tree is made of, and how two differ.

mod diff;
mod read;
mod tar;

pub use diff::{Difference, diff};

use std::collections::BTreeMap;
use std::path::PathBuf;

use bareroot_model::Digest;

/// What to look at beyond paths, types, modes, owners, sizes, links and devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TreeOptions {
    /// The content of regular files.
    pub content: bool,
    /// Extended attributes.
    pub xattrs: bool,
    /// Modification times, to the nanosecond.
    pub mtime: bool,
}

impl Default for TreeOptions {
    /// Everything but times.
    fn default() -> Self {
        TreeOptions {
            content: true,
            xattrs: true,
            mtime: false,
        }
    }
}

/// A listing of a tree: every path below its root, and the root itself as an empty path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    /// The entries by path relative to the root.
    pub entries: BTreeMap<PathBuf, Entry>,
}

/// What a path is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Symlink,
    /// A character device.
    Char,
    /// A block device.
    Block,
    /// A named pipe.
    Fifo,
    /// A socket.
    Socket,
}

/// One path of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it is.
    pub kind: Type,
    /// Permission bits, with setuid, setgid and sticky.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Size of a regular file in bytes; 0 for all else.
    pub size: u64,
    /// The text of a symbolic link.
    pub link: Option<PathBuf>,
    /// The first path of the tree that is the same file, when there are several.
    pub hardlink: Option<PathBuf>,
    /// Major and minor number of a device.
    pub device: Option<(u32, u32)>,
    /// Extended attributes, where asked for.
    pub xattrs: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Modification time in seconds and nanoseconds, where asked for.
    pub mtime: Option<(i64, i64)>,
    /// SHA-256 of a regular file's content, where asked for.
    pub content: Option<Digest>,
}
