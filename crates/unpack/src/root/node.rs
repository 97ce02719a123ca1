use rustix::fs::FileType;

/// What a path is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FileKind {
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

impl FileKind {
    /// With its article, for messages.
    pub fn words(self) -> &'static str {
        match self {
            FileKind::File => "a file",
            FileKind::Directory => "a directory",
            FileKind::Symlink => "a symbolic link",
            FileKind::Char => "a character device",
            FileKind::Block => "a block device",
            FileKind::Fifo => "a named pipe",
            FileKind::Socket => "a socket",
        }
    }

    pub(crate) fn of(kind: FileType) -> Self {
        match kind {
            FileType::Directory => FileKind::Directory,
            FileType::Symlink => FileKind::Symlink,
            FileType::CharacterDevice => FileKind::Char,
            FileType::BlockDevice => FileKind::Block,
            FileType::Fifo => FileKind::Fifo,
            FileType::Socket => FileKind::Socket,
            FileType::RegularFile | FileType::Unknown => FileKind::File,
        }
    }
}

/// What stat(2) says of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stat {
    /// What it is.
    pub kind: FileKind,
    /// Permission bits with setuid, setgid and sticky.
    pub mode: u32,
    /// Numeric owner.
    pub uid: u32,
    /// Numeric group.
    pub gid: u32,
    /// Size in bytes.
    pub size: u64,
    /// Modification time in seconds since 1970.
    pub mtime: i64,
    /// Nanoseconds of the modification time.
    pub mtime_nsec: u32,
    /// Hard links.
    pub links: u64,
    /// Number of the file system's device.
    pub dev: u64,
    /// Inode number.
    pub ino: u64,
    /// Major and minor number of a device node.
    pub rdev: (u32, u32),
}

impl Stat {
    // The fields' types differ between architectures.
    #[allow(clippy::unnecessary_cast)]
    pub(crate) fn of(stat: &rustix::fs::Stat) -> Self {
        Stat {
            kind: FileKind::of(FileType::from_raw_mode(stat.st_mode)),
            mode: stat.st_mode & 0o7777,
            uid: stat.st_uid,
            gid: stat.st_gid,
            size: u64::try_from(stat.st_size).unwrap_or(0),
            mtime: stat.st_mtime as i64,
            mtime_nsec: u32::try_from(stat.st_mtime_nsec).unwrap_or(0),
            links: stat.st_nlink as u64,
            dev: stat.st_dev as u64,
            ino: stat.st_ino as u64,
            rdev: (
                rustix::fs::major(stat.st_rdev as _),
                rustix::fs::minor(stat.st_rdev as _),
            ),
        }
    }
}

/// A name in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirEntry {
    /// The name.
    pub name: Vec<u8>,
    /// What it is.
    pub kind: FileKind,
}

/// A node that [`super::Root::mknod`] makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Node {
    /// A character device: major and minor number.
    Char(u32, u32),
    /// A block device: major and minor number.
    Block(u32, u32),
    /// A named pipe.
    Fifo,
}

impl Node {
    pub(crate) fn parts(self) -> (FileType, u64) {
        match self {
            Node::Char(major, minor) => (FileType::CharacterDevice, rustix::fs::makedev(major, minor)),
            Node::Block(major, minor) => (FileType::BlockDevice, rustix::fs::makedev(major, minor)),
            Node::Fifo => (FileType::Fifo, 0),
        }
    }
}
