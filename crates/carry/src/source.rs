//! The root that things are taken from.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use bareroot_unpack::{FileKind, Root, Stat};
use object::read::ReadCache;

use crate::elf::{Malformed, Object};
use crate::error::Error;
use crate::path;

/// As many links as the kernel follows in one look-up (path_resolution(7)).
const MOST_LINKS: usize = 40;

/// The usual PATH of root: where a name is looked for.
pub(crate) const PATH: [&str; 6] = [
    "/usr/local/sbin",
    "/usr/local/bin",
    "/usr/sbin",
    "/usr/bin",
    "/sbin",
    "/bin",
];

/// The largest configuration file that is read.
const LARGEST_TEXT: u64 = 16 << 20;

/// A path, looked up.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    /// The path that no link is on the way of.
    pub(crate) path: PathBuf,
    pub(crate) stat: Stat,
    /// The links on the way, each by a path that no link is on the way of.
    pub(crate) links: Vec<PathBuf>,
}

impl Found {
    pub(crate) fn is_dir(&self) -> bool {
        self.stat.kind == FileKind::Directory
    }

    pub(crate) fn is_file(&self) -> bool {
        self.stat.kind == FileKind::File
    }
}

pub(crate) struct Source {
    pub(crate) root: Root,
    objects: RefCell<HashMap<PathBuf, Result<Rc<Object>, Malformed>>>,
}

impl Source {
    pub(crate) fn new(root: Root) -> Self {
        Source {
            root,
            objects: RefCell::default(),
        }
    }

    /// Looks a path up, noting the links on the way; `None` when nothing is there, or this user may not look.
    ///
    /// # Errors
    /// [`Error::Loop`], [`Error::Root`].
    pub(crate) fn find(&self, wanted: &Path) -> Result<Option<Found>, Error> {
        let mut left: Vec<Vec<u8>> = Vec::new();
        put_in_front(&mut left, path::bytes(wanted));
        let mut here = PathBuf::from("/");
        let mut links = Vec::new();
        let mut stat = None;
        while let Some(part) = left.pop() {
            if part == b".." {
                here.pop();
                stat = None;
                continue;
            }
            let next = here.join(path::path(&part));
            let looked = match self.root.lstat(&next) {
                Err(error) if is_denied(&error) => None,
                result => result?,
            };
            let Some(is) = looked else {
                return Ok(None);
            };
            match is.kind {
                FileKind::Symlink => {
                    if links.len() >= MOST_LINKS {
                        return Err(Error::Loop {
                            path: wanted.to_path_buf(),
                            limit: MOST_LINKS,
                        });
                    }
                    let Some(text) = self.root.read_link(&next)? else {
                        return Ok(None);
                    };
                    links.push(next);
                    if text.first() == Some(&b'/') {
                        here = PathBuf::from("/");
                        stat = None;
                    }
                    put_in_front(&mut left, &text);
                }
                FileKind::Directory => (here, stat) = (next, Some(is)),
                _ if left.is_empty() => (here, stat) = (next, Some(is)),
                _ => return Ok(None),
            }
        }
        let stat = match stat {
            Some(stat) => stat,
            None => match self.root.lstat(&here)? {
                Some(stat) => stat,
                None => return Ok(None),
            },
        };
        Ok(Some(Found {
            path: here,
            stat,
            links,
        }))
    }

    /// A file, looked up.
    pub(crate) fn find_file(&self, wanted: &Path) -> Result<Option<Found>, Error> {
        Ok(self.find(wanted)?.filter(Found::is_file))
    }

    /// A directory, looked up.
    pub(crate) fn find_dir(&self, wanted: &Path) -> Result<Option<Found>, Error> {
        Ok(self.find(wanted)?.filter(Found::is_dir))
    }

    /// A program: its path, or its name in [`PATH`]; with the path before any link.
    pub(crate) fn find_program(&self, word: &str) -> Result<Option<(PathBuf, Found)>, Error> {
        if word.contains('/') {
            let path = Path::new("/").join(word);
            return Ok(self.find_file(&path)?.map(|found| (path, found)));
        }
        for directory in PATH {
            let path = Path::new(directory).join(word);
            let found = self.find_file(&path)?;
            if let Some(found) = found.filter(|found| found.stat.mode & 0o111 != 0) {
                return Ok(Some((path, found)));
            }
        }
        Ok(None)
    }

    /// The paths that a pattern stands for, in byte order.
    pub(crate) fn glob(&self, pattern: &Path) -> Result<Vec<PathBuf>, Error> {
        let mut found = vec![PathBuf::from("/")];
        for part in path::bytes(pattern)
            .split(|byte| *byte == b'/')
            .filter(|part| !part.is_empty())
        {
            let mut next = Vec::new();
            for directory in found {
                if path::is_pattern(part) {
                    for name in self.names(&directory)? {
                        if path::matches(part, &name) {
                            next.push(directory.join(path::path(&name)));
                        }
                    }
                } else {
                    next.push(directory.join(path::path(part)));
                }
            }
            found = next;
        }
        let mut there = Vec::new();
        for path in found {
            if self.find(&path)?.is_some() {
                there.push(path);
            }
        }
        Ok(there)
    }

    /// The names in a directory; none where there is none, or this user may not look.
    pub(crate) fn names(&self, directory: &Path) -> Result<Vec<Vec<u8>>, Error> {
        if self.find_dir(directory)?.is_none() {
            return Ok(Vec::new());
        }
        match self.root.read_dir(directory) {
            Ok(entries) => Ok(entries.into_iter().map(|entry| entry.name).collect()),
            Err(error) if is_denied(&error) || error.is_not_found() => Ok(Vec::new()),
            Err(error) => Err(error.into()),
        }
    }

    /// A small file's content; `None` where there is none, or this user may not read it.
    pub(crate) fn text(&self, wanted: &Path) -> Result<Option<Vec<u8>>, Error> {
        self.bytes(wanted, LARGEST_TEXT)
    }

    /// A file's content; `None` where there is none, or this user may not read it, or it is larger than that.
    pub(crate) fn bytes(&self, wanted: &Path, largest: u64) -> Result<Option<Vec<u8>>, Error> {
        let Some(found) = self.find_file(wanted)? else {
            return Ok(None);
        };
        if found.stat.size > largest {
            return Ok(None);
        }
        match self.root.read_up_to(&found.path, largest) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if is_denied(&error) || error.is_not_found() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The first bytes of a file.
    pub(crate) fn head(&self, file: &Path, most: u64) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        let open = self.root.open_file(file)?;
        open.take(most).read_to_end(&mut bytes).map_err(|error| {
            bareroot_unpack::Error::io("read", self.root.path().join(relative(file)), error)
        })?;
        Ok(bytes)
    }

    /// The object in a file that no link is on the way of.
    pub(crate) fn object(&self, file: &Path) -> Result<Result<Rc<Object>, Malformed>, Error> {
        if let Some(known) = self.objects.borrow().get(file) {
            return Ok(known.clone());
        }
        let open = self.root.open_file(file)?;
        let read = Object::read(&ReadCache::new(open)).map(Rc::new);
        self.objects.borrow_mut().insert(file.to_path_buf(), read.clone());
        Ok(read)
    }
}

/// Whether this user may not do it.
pub(crate) fn is_denied(error: &bareroot_unpack::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EACCES | libc::EPERM))
}

pub(crate) fn relative(path: &Path) -> &Path {
    path.strip_prefix("/").unwrap_or(path)
}

/// Puts a path's parts in front of what is left, which is kept last first.
fn put_in_front(left: &mut Vec<Vec<u8>>, text: &[u8]) {
    let parts = text.split(|byte| *byte == b'/').rev();
    left.extend(
        parts
            .filter(|part| !part.is_empty() && *part != b".")
            .map(<[u8]>::to_vec),
    );
}
