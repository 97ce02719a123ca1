//! Payloads: what is in a package, as its header describes it.
//!
//! The archive only says in which order the contents come. Names, kinds, modes, owners, times and links are the
//! header's, which is what signatures cover; each content is held against the header's digest of it.

mod choice;
mod cpio;
mod digest;

use std::collections::{HashMap, VecDeque};
use std::io::{self, Read};
use std::sync::Arc;

use bareroot_model::{Entry, Kind};

use crate::caps;
use crate::error::Error;
use crate::header::{File, FileFlags, Header};
pub use choice::{FileChoice, State};
use cpio::{Cpio, Fault, Record};
use digest::Hasher;

/// The kind within a mode, as stat(2) has it.
const KIND: u32 = 0o170_000;
const REGULAR: u32 = 0o100_000;
const SYMLINK: u32 = 0o120_000;

/// The entries of a payload, one after the other, each with its content.
#[derive(Debug)]
pub struct Payload<R> {
    name: String,
    files: Arc<[Own]>,
    cpio: Cpio<R>,
    plan: Plan,
    /// The content that is being read.
    current: Option<Current>,
    /// Hard links to the file whose content came last.
    links: VecDeque<Entry>,
}

/// A file of the header, on its own.
#[derive(Debug)]
struct Own {
    /// Its path without the first slash.
    path: Vec<u8>,
    mode: u32,
    size: u64,
    mtime: u32,
    rdev: u32,
    digest: Vec<u8>,
    link: Vec<u8>,
    user: Vec<u8>,
    group: Vec<u8>,
    caps: Vec<u8>,
}

impl Own {
    fn of(file: &File<'_>) -> Own {
        let mut path = file.path();
        if path.first() == Some(&b'/') {
            path.remove(0);
        }
        Own {
            path,
            mode: file.mode,
            size: file.size,
            mtime: file.mtime,
            rdev: file.rdev,
            digest: file.digest.to_vec(),
            link: file.link.to_vec(),
            user: file.user.to_vec(),
            group: file.group.to_vec(),
            caps: file.caps.to_vec(),
        }
    }

    fn is(&self, kind: u32) -> bool {
        self.mode & 0o170_000 == kind
    }

    fn shown(&self) -> String {
        format!("/{}", self.path.escape_ascii())
    }
}

/// What is expected of the archive.
#[derive(Debug, Default)]
struct Plan {
    /// The places of files by their names, without the first slash.
    places: HashMap<Vec<u8>, usize>,
    /// What of each file is wanted, and seen.
    files: Vec<Expected>,
    /// Hard links: the places of each set, in the header's order.
    sets: Vec<Vec<usize>>,
    /// The algorithm of the digests.
    algorithm: u32,
}

#[derive(Clone, Copy, Debug, Default)]
struct Expected {
    wanted: bool,
    ghost: bool,
    seen: bool,
    set: Option<usize>,
}

/// A content that is being read.
#[derive(Debug)]
struct Current {
    path: String,
    left: u64,
    digest: Option<(Hasher, String)>,
}

impl<R: Read> Payload<R> {
    pub(crate) fn new(name: String, header: &Header, plain: R, choice: &FileChoice) -> Self {
        let files = header.files();
        let states = choice.states(&files);
        let mut plan = Plan {
            algorithm: files.algorithm(),
            ..Plan::default()
        };
        let mut sets: HashMap<(u32, u32), Vec<usize>> = HashMap::new();
        let mut own = Vec::with_capacity(files.len());
        for (place, file) in files.iter().enumerate() {
            let ghost = file.flags.has(FileFlags::GHOST);
            own.push(Own::of(&file));
            plan.places
                .insert(own.last().map(|own| own.path.clone()).unwrap_or_default(), place);
            plan.files.push(Expected {
                wanted: !ghost && states.get(place) == Some(&State::Normal),
                ghost,
                ..Expected::default()
            });
            if file.is_regular() && !ghost {
                sets.entry(file.inode).or_default().push(place);
            }
        }
        let mut sets: Vec<Vec<usize>> = sets.into_values().filter(|set| set.len() > 1).collect();
        sets.sort_unstable();
        for (number, set) in sets.iter().enumerate() {
            for place in set {
                if let Some(file) = plan.files.get_mut(*place) {
                    file.set = Some(number);
                }
            }
        }
        plan.sets = sets;
        Payload {
            name,
            files: own.into(),
            cpio: Cpio::new(plain),
            plan,
            current: None,
            links: VecDeque::new(),
        }
    }

    /// Leaves further files out: those whose place another package's file takes.
    pub fn skip(&mut self, places: impl IntoIterator<Item = usize>) {
        for place in places {
            if let Some(file) = self.plan.files.get_mut(place) {
                file.wanted = false;
            }
        }
    }

    /// Does not hold contents against the header's digests: the payload's own was seen to be right.
    pub fn trust_contents(&mut self) {
        self.plan.algorithm = u32::MAX;
    }

    /// The next entry, `None` after the last. Content of the entry before that was not read is skipped.
    ///
    /// # Errors
    /// [`Error::Payload`] for an archive that does not hold what the header says, [`Error::Digest`] for a content that is
    /// another one.
    pub fn next_entry(&mut self) -> Result<Option<Entry>, Error> {
        self.finish_content()?;
        if let Some(link) = self.links.pop_front() {
            return Ok(Some(link));
        }
        loop {
            let record = self.cpio.next().map_err(|fault| self.fault(fault))?;
            let (place, size) = match record {
                Record::End => return self.end(),
                Record::Named { name, size } => (self.find(&name)?, Some(size)),
                Record::Numbered(place) => (place as usize, None),
            };
            if let Some(entry) = self.entry(place, size)? {
                return Ok(Some(entry));
            }
        }
    }

    /// The place of a name, which is written with or without `./` or `/` before it.
    fn find(&self, name: &[u8]) -> Result<usize, Error> {
        let plain = name
            .strip_prefix(b"./")
            .or_else(|| name.strip_prefix(b"/"))
            .unwrap_or(name);
        let plain = if plain == b"." { b"" } else { plain };
        self.plan.places.get(plain).copied().ok_or_else(|| {
            self.bad(format!(
                "`{}` is in it and not in the header",
                name.escape_ascii()
            ))
        })
    }

    /// The entry for a record; `None` for what is not wanted, or whose content comes later.
    fn entry(&mut self, place: usize, size: Option<u64>) -> Result<Option<Entry>, Error> {
        let files = Arc::clone(&self.files);
        let Some(file) = files.get(place) else {
            return Err(self.bad(format!("it has file {place}, and the header fewer")));
        };
        let expected = self.plan.files.get(place).copied().unwrap_or_default();
        if expected.seen {
            return Err(self.bad(format!("`{}` is in it twice", file.shown())));
        }
        if let Some(slot) = self.plan.files.get_mut(place) {
            slot.seen = true;
        }
        // Of a set of hard links only the last has the content.
        let set = expected.set.and_then(|set| self.plan.sets.get(set)).cloned();
        let last = set.as_ref().is_none_or(|set| set.last() == Some(&place));
        let regular = file.is(REGULAR);
        let stored = match file.mode & KIND {
            REGULAR if last => file.size,
            SYMLINK => file.link.len() as u64,
            _ => 0,
        };
        match size {
            // Older archives may repeat the content with every link of a set; a directory may have a size of its own.
            Some(size) if size != stored && regular && !(set.is_some() && size == file.size) => {
                return Err(self.bad(format!("`{}` has {size} bytes; expected {stored}", file.shown())));
            }
            Some(_) => {}
            None => self.cpio.expect(stored),
        }
        if regular {
            return self.regular(place, file, set.as_deref(), last);
        }
        if !expected.wanted {
            return Ok(None);
        }
        self.entry_of(file, self.kind(file)?).map(Some)
    }

    /// A regular file, or a set of links to one.
    fn regular(
        &mut self,
        place: usize,
        file: &Own,
        set: Option<&[usize]>,
        last: bool,
    ) -> Result<Option<Entry>, Error> {
        let wanted = |place: usize| self.plan.files.get(place).is_some_and(|file| file.wanted);
        if !last {
            return Ok(None);
        }
        let alone = [place];
        let mut names = set
            .unwrap_or(&alone)
            .iter()
            .copied()
            .filter(|place| wanted(*place));
        let Some(first) = names.next() else {
            return Ok(None);
        };
        let others: Vec<usize> = names.collect();
        let files = Arc::clone(&self.files);
        let first = files.get(first).unwrap_or(file);
        for other in others {
            if let Some(other) = files.get(other) {
                let entry = self.entry_of(other, Kind::Hardlink(first.path.clone()))?;
                self.links.push_back(entry);
            }
        }
        let digest = std::str::from_utf8(&file.digest)
            .ok()
            .filter(|digest| !digest.is_empty())
            .and_then(|digest| Some((Hasher::new(self.plan.algorithm)?, digest.to_owned())));
        self.current = Some(Current {
            path: file.shown(),
            left: file.size,
            digest,
        });
        let entry = self.entry_of(first, Kind::File)?;
        // The content is the last one's, whatever the header says of the others of the set.
        Ok(Some(Entry {
            size: file.size,
            ..entry
        }))
    }

    fn kind(&self, file: &Own) -> Result<Kind, Error> {
        let (major, minor) = (
            (file.rdev >> 8) & 0xfff,
            (file.rdev & 0xff) | ((file.rdev >> 12) & 0xfff00),
        );
        Ok(match file.mode & KIND {
            0o040_000 => Kind::Directory,
            SYMLINK => Kind::Symlink(file.link.clone()),
            0o020_000 => Kind::Char(major, minor),
            0o060_000 => Kind::Block(major, minor),
            0o010_000 => Kind::Fifo,
            other => {
                return Err(self.bad(format!("`{}` is of the unknown kind {other:o}", file.shown())));
            }
        })
    }

    fn entry_of(&self, file: &Own, kind: Kind) -> Result<Entry, Error> {
        let mut xattrs = Vec::new();
        if !file.caps.is_empty() && kind == Kind::File {
            let text = String::from_utf8_lossy(&file.caps);
            let value = caps::attribute(&text).ok_or_else(|| {
                self.bad(format!(
                    "the capabilities of `{}` are `{}`",
                    file.shown(),
                    text.escape_default()
                ))
            })?;
            xattrs.push((caps::NAME.to_vec(), value));
        }
        let name = |bytes: &[u8]| (!bytes.is_empty()).then(|| bytes.to_vec());
        // The root itself, which filesystem owns.
        let path = match file.path.is_empty() {
            true => b".".to_vec(),
            false => file.path.clone(),
        };
        Ok(Entry {
            path,
            size: if kind == Kind::File { file.size } else { 0 },
            kind,
            mode: file.mode & 0o7777,
            uid: 0,
            gid: 0,
            user: name(&file.user),
            group: name(&file.group),
            mtime: i64::from(file.mtime),
            xattrs,
        })
    }

    /// The end: everything that the header promised must have come.
    fn end(&self) -> Result<Option<Entry>, Error> {
        let missing = self
            .plan
            .files
            .iter()
            .position(|file| file.wanted && !file.seen && !file.ghost);
        match missing.and_then(|place| self.files.get(place)) {
            None => Ok(None),
            Some(file) => Err(self.bad(format!("`{}` is in the header and not in it", file.shown()))),
        }
    }

    /// Content that was not asked for is read all the same: it must be right.
    fn finish_content(&mut self) -> Result<(), Error> {
        let mut buffer = [0; 16 << 10];
        while self.current.is_some() {
            self.content(&mut buffer)?;
        }
        Ok(())
    }

    fn content(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        let Some(current) = &mut self.current else {
            return Ok(0);
        };
        let count = match self.cpio.read(buffer) {
            Ok(count) => count,
            Err(error) => return Err(self.fault(Fault::Io(error))),
        };
        let Some(current) = (if count > 0 {
            if let Some((hasher, _)) = &mut current.digest {
                hasher.update(buffer.get(..count).unwrap_or_default());
            }
            current.left = current.left.saturating_sub(count as u64);
            if current.left > 0 {
                return Ok(count);
            }
            self.current.take()
        } else {
            self.current.take()
        }) else {
            return Ok(count);
        };
        if let Some((hasher, expected)) = current.digest {
            let found = hasher.finish();
            if !found.eq_ignore_ascii_case(&expected) {
                return Err(Error::Digest {
                    name: self.name.clone(),
                    what: format!("digest of `{}`", current.path),
                    expected,
                    found,
                });
            }
        }
        Ok(count)
    }

    fn bad(&self, reason: String) -> Error {
        Error::Payload {
            name: self.name.clone(),
            reason,
        }
    }

    fn fault(&self, fault: Fault) -> Error {
        match fault {
            Fault::Malformed(reason) => self.bad(reason),
            Fault::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                self.bad("it is cut off".into())
            }
            Fault::Io(error) => Error::Decode {
                name: self.name.clone(),
                source: bareroot_archive::Error::from_io(error),
            },
        }
    }
}

/// The content of the current entry.
impl<R: Read> Read for Payload<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        self.content(buffer).map_err(io::Error::other)
    }
}
