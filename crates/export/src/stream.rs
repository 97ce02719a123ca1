//! The archive as a stream: a header for each path, and the contents of files.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use bareroot_model::Cancel;
use bareroot_unpack::{FileKind, Root, Stat};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use tar::EntryType;

use crate::Summary;
use crate::error::Error;
use crate::list::Listed;
use crate::out::Out;
use crate::pax::{BLOCK, Member};

/// tar's record of twenty blocks: an archive is a multiple of it.
pub(crate) const RECORD: u64 = 20 * BLOCK;
/// The kernel's own bound on a list of attributes and on a value (xattr(7)).
const XATTR_MAX: usize = 64 * 1024;
/// Enough for the names of nearly every file.
const XATTR_FEW: usize = 1024;

type Xattrs = Vec<(Vec<u8>, Vec<u8>)>;

/// Lays out an archive.
pub(crate) struct Archiver<'a> {
    root: &'a Root,
    out: &'a mut dyn Out,
    clamp: Option<i64>,
    cancel: &'a Cancel,
    /// The first name of every file that has several, by device and inode.
    names: HashMap<(u64, u64), Vec<u8>>,
    /// The directory that was opened last.
    parent: Option<(PathBuf, OwnedFd)>,
    entries: u64,
    bytes: u64,
}

impl<'a> Archiver<'a> {
    pub(crate) fn new(root: &'a Root, out: &'a mut dyn Out, clamp: Option<i64>, cancel: &'a Cancel) -> Self {
        Archiver {
            root,
            out,
            clamp,
            cancel,
            names: HashMap::new(),
            parent: None,
            entries: 0,
            bytes: 0,
        }
    }

    /// Adds a path.
    ///
    /// # Errors
    /// [`Error::Read`], [`Error::Changed`]; [`Error::Closed`] when nobody reads on.
    pub(crate) fn add(&mut self, listed: &Listed) -> Result<(), Error> {
        self.cancel.check()?;
        self.entries += 1;
        let stat = &listed.stat;
        let name = name_of(&listed.path, stat.kind);
        if stat.links > 1 && stat.kind != FileKind::Directory {
            let file = (stat.dev, stat.ino);
            if let Some(first) = self.names.get(&file) {
                let headers = self.member(&name, EntryType::Link, stat, first, &[]).headers();
                return self.put(&headers);
            }
            self.names.insert(file, name.clone());
        }
        let (kind, link) = match stat.kind {
            FileKind::File | FileKind::Socket => return self.add_file(listed, &name),
            FileKind::Directory => (EntryType::Directory, &b""[..]),
            FileKind::Symlink => (EntryType::Symlink, listed.link.as_slice()),
            FileKind::Char => (EntryType::Char, &b""[..]),
            FileKind::Block => (EntryType::Block, &b""[..]),
            FileKind::Fifo => (EntryType::Fifo, &b""[..]),
        };
        let xattrs = self.xattrs_of_path(listed)?;
        let headers = self.member(&name, kind, stat, link, &xattrs).headers();
        self.put(&headers)
    }

    fn add_file(&mut self, listed: &Listed, name: &[u8]) -> Result<(), Error> {
        let stat = &listed.stat;
        let file = self.open(listed, OFlags::empty())?;
        let xattrs = xattrs(Subject::File(file.as_fd())).map_err(|error| self.unreadable(listed, error))?;
        let headers = self
            .member(name, EntryType::Regular, stat, b"", &xattrs)
            .headers();
        self.put(&headers)?;
        let mut left = stat.size;
        while left > 0 {
            self.cancel.check()?;
            let room = self.out.room(left)?;
            let read = rustix::io::retry_on_intr(|| rustix::io::read(&file, &mut *room));
            let read = read.map_err(|error| self.unreadable(listed, error))?;
            self.out.advance(read);
            if read == 0 {
                return Err(self.changed(listed, format!("{left} of its {} bytes are missing", stat.size)));
            }
            left -= read as u64;
        }
        let more = rustix::io::retry_on_intr(|| rustix::io::read(&file, &mut [0_u8; 1]));
        if more.map_err(|error| self.unreadable(listed, error))? > 0 {
            return Err(self.changed(listed, format!("it has more than its {} bytes", stat.size)));
        }
        self.bytes += stat.size;
        self.pad(BLOCK)
    }

    /// Ends the archive.
    ///
    /// # Errors
    /// As [`Archiver::add`].
    pub(crate) fn finish(mut self) -> Result<Summary, Error> {
        self.put(&[0; 2 * BLOCK as usize])?;
        self.pad(RECORD)?;
        Ok(Summary {
            entries: self.entries,
            bytes: self.bytes,
        })
    }

    fn member<'m>(
        &self,
        name: &'m [u8],
        kind: EntryType,
        stat: &Stat,
        link: &'m [u8],
        xattrs: &'m [(Vec<u8>, Vec<u8>)],
    ) -> Member<'m> {
        let own = (stat.mtime, stat.mtime_nsec);
        let mtime = self.clamp.map_or(own, |clamp| own.min((clamp, 0)));
        Member {
            name,
            kind,
            mode: stat.mode,
            uid: stat.uid,
            gid: stat.gid,
            size: if kind == EntryType::Regular { stat.size } else { 0 },
            mtime,
            link,
            device: matches!(kind, EntryType::Char | EntryType::Block).then_some(stat.rdev),
            xattrs,
            header_mtime: self.clamp.unwrap_or(mtime.0),
        }
    }

    /// Opens what was listed, and nothing else that has its name by now.
    fn open(&mut self, listed: &Listed, flags: OFlags) -> Result<OwnedFd, Error> {
        let name = listed.path.file_name().unwrap_or(OsStr::new("."));
        let parent = self.parent(&listed.path)?;
        let flags = flags | OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
        let opened = rustix::fs::openat(parent, name, flags | OFlags::CLOEXEC, Mode::empty())
            .and_then(|fd| rustix::fs::fstat(&fd).map(|stat| (fd, stat)));
        match opened {
            Ok((fd, stat)) if is(&stat, &listed.stat) => Ok(fd),
            Ok(_) | Err(Errno::LOOP | Errno::NOENT | Errno::NOTDIR | Errno::NXIO) => {
                Err(self.changed(listed, "it was replaced or removed".to_owned()))
            }
            Err(error) => Err(self.unreadable(listed, error)),
        }
    }

    /// The directory that holds `path`.
    fn parent(&mut self, path: &Path) -> Result<BorrowedFd<'_>, Error> {
        let parent = path.parent().unwrap_or(Path::new("/"));
        if self.parent.as_ref().is_none_or(|(known, _)| known != parent) {
            self.parent = Some((parent.to_path_buf(), self.root.open_dir(parent)?));
        }
        match &self.parent {
            Some((_, fd)) => Ok(fd.as_fd()),
            None => Ok(self.root.as_fd()),
        }
    }

    /// The attributes of what is not read.
    fn xattrs_of_path(&mut self, listed: &Listed) -> Result<Xattrs, Error> {
        if listed.stat.kind == FileKind::Directory {
            let directory = self.open(listed, OFlags::DIRECTORY)?;
            return xattrs(Subject::File(directory.as_fd())).map_err(|error| self.unreadable(listed, error));
        }
        // To open a device or a pipe is to do something to it. Its attributes, and a link's, are to be had by a path alone,
        // and the one path that begins at a descriptor goes through /proc.
        let parent = self.parent(&listed.path)?.as_raw_fd();
        let mut path = PathBuf::from(format!("/proc/self/fd/{parent}"));
        path.push(listed.path.file_name().unwrap_or_default());
        match xattrs(Subject::Path(&path)) {
            // Without /proc: packages give no attributes to such files.
            Err(Errno::NOENT | Errno::NOTDIR | Errno::ACCESS) => Ok(Vec::new()),
            result => result.map_err(|error| self.unreadable(listed, error)),
        }
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.bytes += bytes.len() as u64;
        self.out.send(bytes)
    }

    /// Zeros up to a multiple of `unit`.
    fn pad(&mut self, unit: u64) -> Result<(), Error> {
        let zeros = self.bytes.next_multiple_of(unit) - self.bytes;
        self.bytes += zeros;
        self.out.send_zeros(zeros)
    }

    fn host(&self, listed: &Listed) -> PathBuf {
        let path = &listed.path;
        self.root.path().join(path.strip_prefix("/").unwrap_or(path))
    }

    fn changed(&self, listed: &Listed, what: String) -> Error {
        Error::Changed {
            path: self.host(listed),
            what,
        }
    }

    fn unreadable(&self, listed: &Listed, error: Errno) -> Error {
        Error::Read {
            path: self.host(listed),
            source: error.into(),
        }
    }
}

/// `./usr/bin/sh`, `./usr/`.
fn name_of(path: &Path, kind: FileKind) -> Vec<u8> {
    let mut name = b".".to_vec();
    name.extend_from_slice(path.as_os_str().as_bytes());
    if kind == FileKind::Directory && !name.ends_with(b"/") {
        name.push(b'/');
    }
    name
}

/// Whether an open file is the one that was listed.
#[allow(
    clippy::unnecessary_cast,
    reason = "the fields' types differ between architectures"
)]
fn is(open: &rustix::fs::Stat, listed: &Stat) -> bool {
    (open.st_dev as u64, open.st_ino as u64) == (listed.dev, listed.ino)
}

/// Whose attributes.
#[derive(Clone, Copy)]
enum Subject<'s> {
    File(BorrowedFd<'s>),
    Path(&'s Path),
}

impl Subject<'_> {
    fn list(self, names: &mut [u8]) -> rustix::io::Result<usize> {
        match self {
            Subject::File(fd) => rustix::fs::flistxattr(fd, names),
            Subject::Path(path) => rustix::fs::llistxattr(path, names),
        }
    }

    fn get(self, name: &[u8], value: &mut [u8]) -> rustix::io::Result<usize> {
        match self {
            Subject::File(fd) => rustix::fs::fgetxattr(fd, name, value),
            Subject::Path(path) => rustix::fs::lgetxattr(path, name, value),
        }
    }
}

/// All extended attributes by name. A file system that has none is no error.
fn xattrs(subject: Subject<'_>) -> rustix::io::Result<Xattrs> {
    let mut names = vec![0; XATTR_FEW];
    let mut found = subject.list(&mut names);
    if found == Err(Errno::RANGE) {
        names.resize(XATTR_MAX, 0);
        found = subject.list(&mut names);
    }
    let length = match found {
        Ok(0) | Err(Errno::NOTSUP) => return Ok(Vec::new()),
        found => found?,
    };
    let names = names.get(..length).unwrap_or_default();
    let mut all = Vec::new();
    for name in names.split(|&byte| byte == 0).filter(|name| !name.is_empty()) {
        let mut value = vec![0; XATTR_MAX];
        match subject.get(name, &mut value) {
            Ok(length) => value.truncate(length),
            // It went away since it was listed.
            Err(Errno::NODATA) => continue,
            Err(error) => return Err(error),
        }
        value.shrink_to_fit();
        all.push((name.to_vec(), value));
    }
    // The order of the list is the file system's.
    all.sort_unstable();
    Ok(all)
}
