//! The files of a package.

/// Kinds within a mode, as stat(2) has them.
const REGULAR: u32 = 0o100_000;
const DIRECTORY: u32 = 0o040_000;
const LINK: u32 = 0o120_000;

/// A file of a package, honest or not: any path can be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    pub(super) path: Vec<u8>,
    /// Kind and permission bits.
    pub(super) mode: u32,
    pub(super) content: Vec<u8>,
    pub(super) link: Vec<u8>,
    /// The path of the file that this is another name of.
    pub(super) twin: Option<Vec<u8>>,
    pub(super) user: String,
    pub(super) group: String,
    pub(super) mtime: u32,
    pub(super) flags: u32,
    pub(super) lang: String,
    pub(super) color: u32,
    pub(super) caps: String,
    pub(super) device: (u32, u32),
}

impl Item {
    /// The modification time of items that were given none: 2020-01-01.
    pub const MTIME: u32 = 1_577_836_800;

    fn new(path: &str, mode: u32) -> Self {
        Item {
            path: path.into(),
            mode,
            content: Vec::new(),
            link: Vec::new(),
            twin: None,
            user: "root".into(),
            group: "root".into(),
            mtime: Self::MTIME,
            flags: 0,
            lang: String::new(),
            color: 0,
            caps: String::new(),
            device: (0, 0),
        }
    }

    /// A regular file, mode 0644.
    pub fn file(path: &str, content: impl Into<Vec<u8>>) -> Self {
        Item {
            content: content.into(),
            ..Self::new(path, REGULAR | 0o644)
        }
    }

    /// A directory, mode 0755.
    pub fn directory(path: &str) -> Self {
        Self::new(path, DIRECTORY | 0o755)
    }

    /// A symbolic link.
    pub fn symlink(path: &str, text: &str) -> Self {
        Item {
            link: text.into(),
            ..Self::new(path, LINK | 0o777)
        }
    }

    /// A hard link to another path of the package, whose mode and owner it takes.
    pub fn hardlink(path: &str, target: &str) -> Self {
        Item {
            twin: Some(target.into()),
            ..Self::new(path, REGULAR | 0o644)
        }
    }

    /// A character device, mode 0600.
    pub fn character(path: &str, major: u32, minor: u32) -> Self {
        Item {
            device: (major, minor),
            ..Self::new(path, 0o020_600)
        }
    }

    /// A block device, mode 0600.
    pub fn block(path: &str, major: u32, minor: u32) -> Self {
        Item {
            device: (major, minor),
            ..Self::new(path, 0o060_600)
        }
    }

    /// A named pipe, mode 0600.
    pub fn fifo(path: &str) -> Self {
        Self::new(path, 0o010_600)
    }

    /// Sets the permission bits.
    pub fn mode(self, mode: u32) -> Self {
        Item {
            mode: self.mode & 0o170_000 | mode,
            ..self
        }
    }

    /// Sets the names of owner and group.
    pub fn owner(self, user: &str, group: &str) -> Self {
        Item {
            user: user.into(),
            group: group.into(),
            ..self
        }
    }

    /// Sets the modification time in seconds since 1970.
    pub fn mtime(self, mtime: u32) -> Self {
        Item { mtime, ..self }
    }

    fn flag(self, flag: u32) -> Self {
        Item {
            flags: self.flags | flag,
            ..self
        }
    }

    /// `%config`.
    pub fn config(self) -> Self {
        self.flag(1)
    }

    /// `%config(noreplace)`.
    pub fn config_noreplace(self) -> Self {
        self.flag(1 | 16)
    }

    /// `%doc`.
    pub fn doc(self) -> Self {
        self.flag(2)
    }

    /// `%license`.
    pub fn license(self) -> Self {
        self.flag(128)
    }

    /// `%ghost`: owned, and not in the payload.
    pub fn ghost(self) -> Self {
        self.flag(64)
    }

    /// `%lang(...)`, several separated by `|`.
    pub fn lang(self, lang: &str) -> Self {
        Item {
            lang: lang.into(),
            ..self
        }
    }

    /// Of which ELF classes it is: 1 for 32 bits, 2 for 64.
    pub fn color(self, color: u32) -> Self {
        Item { color, ..self }
    }

    /// `%caps(...)`.
    pub fn caps(self, caps: &str) -> Self {
        Item {
            caps: caps.into(),
            ..self
        }
    }

    pub(super) fn is_regular(&self) -> bool {
        self.mode & 0o170_000 == REGULAR
    }

    pub(super) fn is_directory(&self) -> bool {
        self.mode & 0o170_000 == DIRECTORY
    }

    pub(super) fn is_ghost(&self) -> bool {
        self.flags & 64 != 0
    }

    /// The directory, with the slash at its end, and the name.
    pub(super) fn split(&self) -> (&[u8], &[u8]) {
        let at = self
            .path
            .iter()
            .rposition(|byte| *byte == b'/')
            .map_or(0, |at| at + 1);
        self.path.split_at(at)
    }

    /// The device number of a device, in the 16 bits that headers have for it.
    pub(super) fn rdev(&self) -> u16 {
        (self.device.0 << 8 | self.device.1) as u16
    }
}
