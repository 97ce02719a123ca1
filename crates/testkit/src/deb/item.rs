use bareroot_model::Kind;
use tar::{EntryType, Header};

/// Changes a header after everything else has been set.
type Tamper = Box<dyn Fn(&mut Header) + Send + Sync>;

/// One entry of a tar archive, honest or not: any path, link text and header can be written.
pub struct Item {
    path: Vec<u8>,
    kind: Kind,
    content: Vec<u8>,
    mode: u32,
    owner: (u64, u64),
    names: (String, String),
    mtime: u64,
    tamper: Option<Tamper>,
    keep_checksum: bool,
}

impl std::fmt::Debug for Item {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Item({}, {:?})",
            String::from_utf8_lossy(&self.path),
            self.kind
        )
    }
}

impl Item {
    /// The modification time of items that were given none: 2020-01-01.
    pub const MTIME: u64 = 1_577_836_800;

    fn new(path: &str, kind: Kind, mode: u32) -> Self {
        Item {
            path: path.into(),
            kind,
            content: Vec::new(),
            mode,
            owner: (0, 0),
            names: ("root".into(), "root".into()),
            mtime: Self::MTIME,
            tamper: None,
            keep_checksum: false,
        }
    }

    /// A regular file, mode 0644.
    pub fn file(path: &str, content: impl Into<Vec<u8>>) -> Self {
        Item {
            content: content.into(),
            ..Self::new(path, Kind::File, 0o644)
        }
    }

    /// A directory, mode 0755.
    pub fn directory(path: &str) -> Self {
        Self::new(path, Kind::Directory, 0o755)
    }

    /// A symbolic link.
    pub fn symlink(path: &str, target: &str) -> Self {
        Self::new(path, Kind::Symlink(target.into()), 0o777)
    }

    /// A hard link to another path of the archive.
    pub fn hardlink(path: &str, target: &str) -> Self {
        Self::new(path, Kind::Hardlink(target.into()), 0o644)
    }

    /// A character device, mode 0600.
    pub fn character(path: &str, major: u32, minor: u32) -> Self {
        Self::new(path, Kind::Char(major, minor), 0o600)
    }

    /// A block device, mode 0600.
    pub fn block(path: &str, major: u32, minor: u32) -> Self {
        Self::new(path, Kind::Block(major, minor), 0o600)
    }

    /// A named pipe, mode 0600.
    pub fn fifo(path: &str) -> Self {
        Self::new(path, Kind::Fifo, 0o600)
    }

    /// Sets the permission bits.
    pub fn mode(self, mode: u32) -> Self {
        Item { mode, ..self }
    }

    /// Sets the numeric owner and group.
    pub fn owner(self, uid: u64, gid: u64) -> Self {
        Item {
            owner: (uid, gid),
            ..self
        }
    }

    /// Sets the names of owner and group; empty for none.
    pub fn names(self, user: &str, group: &str) -> Self {
        Item {
            names: (user.into(), group.into()),
            ..self
        }
    }

    /// Sets the modification time in seconds since 1970.
    pub fn mtime(self, mtime: u64) -> Self {
        Item { mtime, ..self }
    }

    /// Changes the finished header; its checksum is set after that.
    pub fn tamper(self, change: impl Fn(&mut Header) + Send + Sync + 'static) -> Self {
        Item {
            tamper: Some(Box::new(change)),
            ..self
        }
    }

    /// Leaves the checksum as [`Item::tamper`] made it.
    pub fn keep_checksum(self) -> Self {
        Item {
            keep_checksum: true,
            ..self
        }
    }

    /// The path as it will stand in the archive.
    pub fn path(&self) -> &[u8] {
        &self.path
    }

    /// The content of a regular file.
    pub fn content(&self) -> &[u8] {
        &self.content
    }

    /// Whether it is a regular file.
    pub fn is_file(&self) -> bool {
        self.kind == Kind::File
    }

    /// Appends the entry to a tar stream: a GNU header, with GNU's long names where they are needed.
    pub fn write(&self, out: &mut Vec<u8>) {
        let link: &[u8] = match &self.kind {
            Kind::Symlink(target) | Kind::Hardlink(target) => target,
            _ => b"",
        };
        for (text, kind) in [
            (link, EntryType::GNULongLink),
            (&self.path, EntryType::GNULongName),
        ] {
            if text.len() > 100 {
                let mut header = Header::new_gnu();
                put(
                    &mut header.as_gnu_mut().expect("a GNU header").name,
                    b"././@LongLink",
                );
                header.set_entry_type(kind);
                append(out, &mut header, &[text, b"\0"].concat(), true);
            }
        }
        let mut header = self.header(link);
        if let Some(tamper) = &self.tamper {
            tamper(&mut header);
        }
        append_as_is(out, &mut header, &self.content, !self.keep_checksum);
    }

    fn header(&self, link: &[u8]) -> Header {
        let mut header = Header::new_gnu();
        let gnu = header.as_gnu_mut().expect("a GNU header");
        put(&mut gnu.name, &self.path);
        put(&mut gnu.linkname, link);
        put(&mut gnu.uname, self.names.0.as_bytes());
        put(&mut gnu.gname, self.names.1.as_bytes());
        let (kind, device) = match self.kind {
            Kind::File => (EntryType::Regular, None),
            Kind::Directory => (EntryType::Directory, None),
            Kind::Symlink(_) => (EntryType::Symlink, None),
            Kind::Hardlink(_) => (EntryType::Link, None),
            Kind::Char(major, minor) => (EntryType::Char, Some((major, minor))),
            Kind::Block(major, minor) => (EntryType::Block, Some((major, minor))),
            Kind::Fifo => (EntryType::Fifo, None),
        };
        header.set_entry_type(kind);
        header.set_mode(self.mode);
        header.set_uid(self.owner.0);
        header.set_gid(self.owner.1);
        header.set_mtime(self.mtime);
        header.set_size(self.content.len() as u64);
        let (major, minor) = device.unwrap_or_default();
        header.set_device_major(major).expect("a GNU header has devices");
        header.set_device_minor(minor).expect("a GNU header has devices");
        header
    }
}

/// A tar stream of these entries, with the two zero blocks that end it.
pub fn tar<'i>(items: impl IntoIterator<Item = &'i Item>) -> Vec<u8> {
    let mut out = Vec::new();
    for item in items {
        item.write(&mut out);
    }
    out.resize(out.len() + 1024, 0);
    out
}

/// Writes as much of the text as fits.
fn put(field: &mut [u8], text: &[u8]) {
    for (byte, value) in field.iter_mut().zip(text) {
        *byte = *value;
    }
}

fn append(out: &mut Vec<u8>, header: &mut Header, content: &[u8], checksum: bool) {
    header.set_size(content.len() as u64);
    append_as_is(out, header, content, checksum);
}

fn append_as_is(out: &mut Vec<u8>, header: &mut Header, content: &[u8], checksum: bool) {
    if checksum {
        header.set_cksum();
    }
    out.extend_from_slice(header.as_bytes());
    out.extend_from_slice(content);
    out.resize(out.len().next_multiple_of(512), 0);
}
