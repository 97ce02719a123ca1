//! The files of a header.

use super::Header;
use crate::tag::Tag;

/// The flags of a file (rpmfileAttrs).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FileFlags(pub u32);

impl FileFlags {
    /// Configuration.
    pub const CONFIG: u32 = 1;
    /// Documentation.
    pub const DOC: u32 = 2;
    /// Owned, and not in the payload.
    pub const GHOST: u32 = 64;
    /// A licence's text, which always comes along.
    pub const LICENSE: u32 = 128;
    /// Of no use but for building further packages.
    pub const ARTIFACT: u32 = 4096;

    /// Whether a flag is set.
    pub fn has(self, flag: u32) -> bool {
        self.0 & flag != 0
    }
}

/// The files of a package, its arrays read once. Places are those of the header.
#[derive(Clone, Debug)]
pub struct Files<'h> {
    directories: Vec<&'h [u8]>,
    names: Vec<&'h [u8]>,
    directory_of: Vec<u32>,
    modes: Vec<u32>,
    flags: Vec<u32>,
    sizes: Vec<u64>,
    mtimes: Vec<u32>,
    digests: Vec<&'h [u8]>,
    links: Vec<&'h [u8]>,
    users: Vec<&'h [u8]>,
    groups: Vec<&'h [u8]>,
    devices: Vec<u32>,
    inodes: Vec<u32>,
    rdevs: Vec<u32>,
    colors: Vec<u32>,
    langs: Vec<&'h [u8]>,
    caps: Vec<&'h [u8]>,
    algorithm: u32,
}

/// One file.
#[derive(Clone, Copy, Debug, Default)]
pub struct File<'h> {
    /// Its directory, with the slash at its end.
    pub directory: &'h [u8],
    /// Its name.
    pub name: &'h [u8],
    /// Kind and permission bits, as stat(2) has them.
    pub mode: u32,
    /// Its flags.
    pub flags: FileFlags,
    /// Bytes of content; of a symbolic link, of its text.
    pub size: u64,
    /// Modification time in seconds since 1970.
    pub mtime: u32,
    /// Digest of its content in hexadecimal; empty for what has none.
    pub digest: &'h [u8],
    /// The digest's algorithm, by OpenPGP's numbers.
    pub algorithm: u32,
    /// The text of a symbolic link.
    pub link: &'h [u8],
    /// Its owner's name.
    pub user: &'h [u8],
    /// Its group's name.
    pub group: &'h [u8],
    /// Device and inode at build time: files that share them are hard links to each other.
    pub inode: (u32, u32),
    /// Device number of a device.
    pub rdev: u32,
    /// Which ELF classes it is of: 1 for 32 bits, 2 for 64.
    pub color: u32,
    /// The languages that it is for, separated by `|`; empty for all.
    pub langs: &'h [u8],
    /// File capabilities as text; empty for none.
    pub caps: &'h [u8],
}

impl File<'_> {
    /// Its absolute path.
    pub fn path(&self) -> Vec<u8> {
        [self.directory, self.name].concat()
    }

    /// Whether it is a directory.
    pub fn is_directory(&self) -> bool {
        self.mode & 0o170_000 == 0o040_000
    }

    /// Whether it is a regular file.
    pub fn is_regular(&self) -> bool {
        self.mode & 0o170_000 == 0o100_000
    }

    /// Whether it is a symbolic link.
    pub fn is_symlink(&self) -> bool {
        self.mode & 0o170_000 == 0o120_000
    }

    /// Whether it is a device.
    pub fn is_device(&self) -> bool {
        matches!(self.mode & 0o170_000, 0o020_000 | 0o060_000)
    }
}

impl Header {
    /// The files. Arrays that are too short leave their last elements empty, as rpm does.
    pub fn files(&self) -> Files<'_> {
        let sizes = match self.has(Tag::LONGFILESIZES) {
            true => self.numbers(Tag::LONGFILESIZES),
            false => self.numbers(Tag::FILESIZES),
        };
        Files {
            directories: self.strings(Tag::DIRNAMES),
            names: self.strings(Tag::BASENAMES),
            directory_of: self.u32s(Tag::DIRINDEXES),
            modes: self.u32s(Tag::FILEMODES),
            flags: self.u32s(Tag::FILEFLAGS),
            sizes,
            mtimes: self.u32s(Tag::FILEMTIMES),
            digests: self.strings(Tag::FILEDIGESTS),
            links: self.strings(Tag::FILELINKTOS),
            users: self.strings(Tag::FILEUSERNAME),
            groups: self.strings(Tag::FILEGROUPNAME),
            devices: self.u32s(Tag::FILEDEVICES),
            inodes: self.u32s(Tag::FILEINODES),
            rdevs: self.u32s(Tag::FILERDEVS),
            colors: self.u32s(Tag::FILECOLORS),
            langs: self.strings(Tag::FILELANGS),
            caps: self.strings(Tag::FILECAPS),
            algorithm: self
                .number(Tag::FILEDIGESTALGO)
                .and_then(|number| u32::try_from(number).ok())
                // rpm before 4.6 knew MD5 alone.
                .unwrap_or(1),
        }
    }
}

impl<'h> Files<'h> {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The directories, each with the slash at its end, by their places.
    pub fn directories(&self) -> &[&'h [u8]] {
        &self.directories
    }

    /// The place of a file's directory.
    pub fn directory_of(&self, place: usize) -> Option<usize> {
        self.directory_of.get(place).map(|directory| *directory as usize)
    }

    /// The algorithm of the digests, by OpenPGP's numbers (1 MD5, 2 SHA-1, 8 SHA-256, 10 SHA-512).
    pub fn algorithm(&self) -> u32 {
        self.algorithm
    }

    /// A file.
    pub fn get(&self, place: usize) -> Option<File<'h>> {
        let name = self.names.get(place)?;
        let directory = self
            .directory_of
            .get(place)
            .and_then(|directory| self.directories.get(*directory as usize))?;
        let text = |list: &[&'h [u8]]| list.get(place).copied().unwrap_or_default();
        let number = |list: &[u32]| list.get(place).copied().unwrap_or_default();
        Some(File {
            directory,
            name,
            mode: number(&self.modes) & 0xffff,
            flags: FileFlags(number(&self.flags)),
            size: self.sizes.get(place).copied().unwrap_or_default(),
            mtime: number(&self.mtimes),
            digest: text(&self.digests),
            algorithm: self.algorithm,
            link: text(&self.links),
            user: text(&self.users),
            group: text(&self.groups),
            inode: (number(&self.devices), number(&self.inodes)),
            rdev: number(&self.rdevs),
            // rpm reads the lowest four bits alone.
            color: number(&self.colors) & 0x0f,
            langs: text(&self.langs),
            caps: text(&self.caps),
        })
    }

    /// All of them, in the header's order.
    pub fn iter(&self) -> impl Iterator<Item = File<'h>> + '_ {
        (0..self.len()).filter_map(|place| self.get(place))
    }
}
