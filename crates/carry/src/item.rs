//! One thing that goes in.

use std::path::PathBuf;
use std::rc::Rc;

use bareroot_unpack::Stat;

use crate::rule::Rule;

/// What a path is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A directory.
    Directory,
    /// A file of the source, as it is there.
    File(Stat),
    /// A symbolic link with this text.
    Link(Vec<u8>),
    /// A file that the source has only as a larger one, or not at all.
    Made(Made),
}

/// A file that is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Made {
    /// Lines with a name before the first colon, as in passwd(5): a file that is there gets those that it lacks.
    Lines(Vec<u8>),
    /// A whole file: one that is there stays.
    Whole(Vec<u8>),
}

impl Made {
    /// The content.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Made::Lines(bytes) | Made::Whole(bytes) => bytes,
        }
    }
}

/// A path that goes in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The path in the root, with no link on the way.
    pub path: PathBuf,
    /// What it is.
    pub what: What,
    /// Permission bits with setuid, setgid and sticky.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Modification time, in seconds since 1970 and nanoseconds; `None` where it is the time of making it.
    pub mtime: Option<(i64, u32)>,
    /// By which rule.
    pub rule: Rule,
    /// Who needs it: a path, or a word of the command line.
    pub by: Rc<str>,
}

impl Item {
    /// Bytes of content.
    pub fn size(&self) -> u64 {
        match &self.what {
            What::File(stat) => stat.size,
            What::Made(made) => made.bytes().len() as u64,
            What::Directory | What::Link(_) => 0,
        }
    }

    /// `directory`, `file` or `link`.
    pub fn kind(&self) -> &'static str {
        match self.what {
            What::Directory => "directory",
            What::File(_) | What::Made(_) => "file",
            What::Link(_) => "link",
        }
    }
}
