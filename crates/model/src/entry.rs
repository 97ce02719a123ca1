/// One member of a payload, as the archive states it. Nothing in it has been judged yet.
///
/// Paths are bytes, relative to the root, in the archive's own spelling (`./usr/bin/sh`); only `unpack` decides what
/// they mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The path as written in the archive.
    pub path: Vec<u8>,
    /// What it is.
    pub kind: Kind,
    /// Permission bits with setuid, setgid and sticky (`0o7777` at most).
    pub mode: u32,
    /// Numeric owner.
    pub uid: u32,
    /// Numeric group.
    pub gid: u32,
    /// Owner by name, where the archive has one; the target's own passwd decides what it means.
    pub user: Option<Vec<u8>>,
    /// Group by name.
    pub group: Option<Vec<u8>>,
    /// Modification time in seconds since 1970.
    pub mtime: i64,
    /// Bytes of content that follow (0 for all but [`Kind::File`]).
    pub size: u64,
    /// Extended attributes, by name, in the order in which they are set.
    pub xattrs: Vec<(Vec<u8>, Vec<u8>)>,
}

/// What an [`Entry`] is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A regular file; its content follows.
    File,
    /// A directory.
    Directory,
    /// A symbolic link and its text.
    Symlink(Vec<u8>),
    /// A hard link to another path of the same archive, in the archive's spelling.
    Hardlink(Vec<u8>),
    /// A character device: major and minor number.
    Char(u32, u32),
    /// A block device: major and minor number.
    Block(u32, u32),
    /// A named pipe.
    Fifo,
}
