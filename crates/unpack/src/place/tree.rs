//! What is known of the root while packages are placed: one node for each directory, with who claims what in it.
//!
//! A node is shared by all threads. Its `state` is locked while a name in it is looked at, claimed and made, so that two
//! threads never make one name at once; no thread ever holds the states of two nodes.

use std::collections::{HashMap, VecDeque};
use std::ffi::OsStr;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use rustix::fs::{Mode, OFlags, ResolveFlags};
use rustix::io::Errno;
use smallvec::SmallVec;

use super::owner::Owner;
use crate::error::Error;
use crate::root::FileKind;

/// A thread that panicked has already lost its package; what it locked is still in order between two statements.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A name in a directory.
pub(super) type Name = (Arc<Dir>, Box<[u8]>);

/// A point in the replay: a package's ordinal, and an entry of its archive.
pub(super) type Moment = (u32, u32);

/// A directory of the root.
#[derive(Debug)]
pub(super) struct Dir {
    /// Parent and name; only the last, single-threaded part moves a directory.
    seat: Mutex<(Weak<Dir>, Box<[u8]>)>,
    fd: Mutex<Option<Arc<OwnedFd>>>,
    state: Mutex<State>,
    /// Where its content went, once it was merged into another directory.
    merged: Mutex<Option<Arc<Dir>>>,
    /// Whether it was there before the first package: such a directory keeps mode, owner and time.
    pub(super) existed: bool,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) slots: HashMap<Box<[u8]>, Slot>,
    /// The packages that ship it, in order of arrival.
    pub(super) claims: SmallVec<[DirClaim; 1]>,
    /// When it is first needed, and the modification time of the entry that needs it.
    pub(super) implied: Option<(Moment, i64)>,
}

/// A package's entry for a directory.
#[derive(Clone, Debug)]
pub(super) struct DirClaim {
    pub(super) at: Moment,
    pub(super) owner: Owner,
    pub(super) mode: u32,
    pub(super) mtime: i64,
    /// The package's own spelling, as in [`Leaf`].
    pub(super) spelling: Option<Box<[u8]>>,
}

/// A name in a directory.
#[derive(Debug, Default)]
pub(super) struct Slot {
    /// The directory of that name, or the one that a link of that name leads to.
    pub(super) dir: Option<Arc<Dir>>,
    /// Whether `dir` is reached through a link that was there before the first package.
    pub(super) alias: bool,
    /// What is no directory, one for each package that ships it.
    pub(super) leaves: SmallVec<[Leaf; 1]>,
    /// What was there before the first package and is no directory.
    pub(super) existing: Option<Existing>,
    /// Whether it is on the list of what the solution's order must settle.
    pub(super) contested: bool,
}

/// A file, link or node of one package.
#[derive(Clone, Debug)]
pub(super) struct Leaf {
    pub(super) ordinal: u32,
    pub(super) kind: LeafKind,
    pub(super) at: At,
    pub(super) conffile: bool,
    /// The package's own spelling, where a link that was there before makes it another: `/bin/x` that lands in `/usr/bin`.
    pub(super) spelling: Option<Box<[u8]>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LeafKind {
    File,
    Symlink,
    Device,
    Fifo,
}

impl LeafKind {
    pub(super) fn words(self) -> &'static str {
        match self {
            LeafKind::File => "a file",
            LeafKind::Symlink => "a symbolic link",
            LeafKind::Device => "a device",
            LeafKind::Fifo => "a named pipe",
        }
    }
}

/// Where a leaf is while packages are placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum At {
    /// At its path.
    Place,
    /// In the parking directory under this number.
    Parked(u64),
    /// Not made yet: links come last.
    Pending,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Existing {
    pub(super) kind: FileKind,
    pub(super) at: At,
}

impl Dir {
    pub(super) fn root(fd: OwnedFd) -> Arc<Self> {
        let dir = Self::new(&Weak::new(), b"", true);
        *lock(&dir.fd) = Some(Arc::new(fd));
        dir
    }

    pub(super) fn new(parent: &Weak<Dir>, name: &[u8], existed: bool) -> Arc<Self> {
        Arc::new(Dir {
            seat: Mutex::new((Weak::clone(parent), name.into())),
            fd: Mutex::new(None),
            state: Mutex::default(),
            merged: Mutex::new(None),
            existed,
        })
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// The parent; the root is its own, as for the kernel.
    pub(super) fn parent(self: &Arc<Self>) -> Arc<Dir> {
        lock(&self.seat).0.upgrade().unwrap_or_else(|| Arc::clone(self))
    }

    /// Its path inside the root (`/usr/bin`); empty for the root itself.
    pub(super) fn path(&self) -> Vec<u8> {
        let mut names = Vec::new();
        let (mut parent, mut name) = {
            let seat = lock(&self.seat);
            (seat.0.upgrade(), seat.1.clone())
        };
        while let Some(above) = parent {
            names.push(name);
            let seat = lock(&above.seat);
            (parent, name) = (seat.0.upgrade(), seat.1.clone());
        }
        let mut path = Vec::new();
        for name in names.iter().rev() {
            path.push(b'/');
            path.extend_from_slice(name);
        }
        path
    }

    /// The path of a name in it.
    pub(super) fn path_of(&self, name: &[u8]) -> Vec<u8> {
        let mut path = self.path();
        path.push(b'/');
        path.extend_from_slice(name);
        path
    }

    /// Gives it another parent and name, after it was renamed on disk.
    pub(super) fn reseat(&self, parent: &Arc<Dir>, name: &[u8]) {
        *lock(&self.seat) = (Arc::downgrade(parent), name.into());
    }

    /// Says that its content is now in `other`.
    pub(super) fn merge_into(&self, other: &Arc<Dir>) {
        *lock(&self.merged) = Some(Arc::clone(other));
    }

    /// The directory that has its content now.
    pub(super) fn real(self: &Arc<Self>) -> Arc<Dir> {
        let mut dir = Arc::clone(self);
        loop {
            let Some(next) = lock(&dir.merged).clone() else {
                return dir;
            };
            dir = next;
        }
    }

    /// When a package first ships or needs it; `None` when it was there before.
    pub(super) fn first(&self) -> Option<Moment> {
        if self.existed { None } else { self.first_use() }
    }

    /// When a package first ships or needs it.
    pub(super) fn first_use(&self) -> Option<Moment> {
        let state = self.state();
        let explicit = state.claims.iter().map(|claim| claim.at).min();
        explicit.into_iter().chain(state.implied.map(|(at, _)| at)).min()
    }
}

impl Dir {
    /// Whether a package has anything below it.
    pub(super) fn has_below(self: &Arc<Self>, ordinal: u32) -> bool {
        let mut left = vec![Arc::clone(self)];
        while let Some(dir) = left.pop() {
            for slot in dir.state().slots.values() {
                if slot.leaves.iter().any(|leaf| leaf.ordinal == ordinal) {
                    return true;
                }
                let Some(below) = slot.dir.as_ref().filter(|_| !slot.alias) else {
                    continue;
                };
                if below.state().claims.iter().any(|claim| claim.at.0 == ordinal) {
                    return true;
                }
                left.push(Arc::clone(below));
            }
        }
        false
    }
}

/// Takes a tree apart without recursion: a path may be thousands of directories deep.
pub(super) fn dismantle(root: &Arc<Dir>) {
    let mut left = vec![Arc::clone(root)];
    while let Some(dir) = left.pop() {
        let slots = std::mem::take(&mut dir.state().slots);
        left.extend(slots.into_values().filter_map(|slot| slot.dir));
        left.extend(lock(&dir.merged).take());
    }
}

/// The descriptors of directories that are kept open.
#[derive(Debug)]
pub(super) struct Fds {
    host: PathBuf,
    limit: usize,
    open: Mutex<VecDeque<Weak<Dir>>>,
}

impl Fds {
    /// Half of what the process may have open, at most 4096: fetching and running programs need some, too.
    pub(super) fn new(host: PathBuf) -> Self {
        let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile)
            .current
            .unwrap_or(u64::MAX);
        Self::with_limit(
            host,
            usize::try_from(limit / 2).unwrap_or(usize::MAX).clamp(8, 4096),
        )
    }

    pub(super) fn with_limit(host: PathBuf, limit: usize) -> Self {
        Fds {
            host,
            limit,
            open: Mutex::default(),
        }
    }

    /// The path on the host of a path in the root, for messages.
    pub(super) fn host(&self, path: &[u8]) -> PathBuf {
        let relative = path.strip_prefix(b"/").unwrap_or(path);
        self.host.join(OsStr::from_bytes(relative))
    }

    /// The open directory `dir`. It is opened by its name in its parent, never through a link; so what somebody else puts
    /// in its place cannot lead anywhere.
    pub(super) fn get(&self, dir: &Arc<Dir>) -> Result<Arc<OwnedFd>, Error> {
        if let Some(fd) = &*lock(&dir.fd) {
            return Ok(Arc::clone(fd));
        }
        // The nearest ancestor that is open, then down again.
        let mut closed = vec![Arc::clone(dir)];
        let mut fd = loop {
            let below = closed.last().unwrap_or(dir);
            let above = below.parent();
            let known = lock(&above.fd).clone();
            match known {
                Some(fd) => break fd,
                None if Arc::ptr_eq(&above, below) => {
                    return Err(Error::io("open", self.host(&dir.path()), Errno::NOENT));
                }
                None => closed.push(above),
            }
        };
        if closed.len() > LONG_WAY
            && let Some(found) = open_below(&fd, &closed)
        {
            let found = Arc::new(found);
            self.keep(dir, &found);
            return Ok(found);
        }
        while let Some(next) = closed.pop() {
            let name = lock(&next.seat).1.clone();
            let opened = rustix::fs::openat(&fd, &*name, open_flags(), Mode::empty());
            fd = Arc::new(opened.map_err(|e| Error::io("open", self.host(&next.path()), e))?);
            self.keep(&next, &fd);
        }
        Ok(fd)
    }

    /// Keeps `fd` as that of `dir`, and closes the one that was opened first when there are too many.
    pub(super) fn keep(&self, dir: &Arc<Dir>, fd: &Arc<OwnedFd>) {
        *lock(&dir.fd) = Some(Arc::clone(fd));
        let oldest = {
            let mut open = lock(&self.open);
            open.push_back(Arc::downgrade(dir));
            if open.len() > self.limit {
                open.pop_front().and_then(|oldest| oldest.upgrade())
            } else {
                None
            }
        };
        // Whoever still works with it holds it. The root, which is not in the list, stays.
        if let Some(oldest) = oldest.filter(|oldest| !Arc::ptr_eq(oldest, dir)) {
            *lock(&oldest.fd) = None;
        }
    }
}

/// From how many components on a directory is opened by one call and not by one for each. A path may be two thousand
/// deep, more than may be open at once.
const LONG_WAY: usize = 4;

fn open_flags() -> OFlags {
    OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC
}

/// Opens the first of `closed` by its path from `fd`, which is above the last; `None` where `openat2` is unknown, the path
/// too long, or something is not as it was: then step by step.
fn open_below(fd: &OwnedFd, closed: &[Arc<Dir>]) -> Option<OwnedFd> {
    let mut path = Vec::new();
    for dir in closed.iter().rev() {
        path.extend_from_slice(&lock(&dir.seat).1);
        path.push(b'/');
    }
    let how = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    rustix::fs::openat2(fd, path, open_flags(), Mode::empty(), how).ok()
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;

    use super::*;

    #[test]
    fn descriptors_are_bounded_and_come_back() {
        let temp = tempfile::tempdir().unwrap();
        let root = Dir::root(std::fs::File::open(temp.path()).unwrap().into());
        let fds = Fds::with_limit(temp.path().to_path_buf(), 8);
        let mut dirs = Vec::new();
        for i in 0..50 {
            let name = format!("d{i}");
            std::fs::create_dir_all(temp.path().join(&name).join("sub")).unwrap();
            let dir = Dir::new(&Arc::downgrade(&root), name.as_bytes(), true);
            let sub = Dir::new(&Arc::downgrade(&dir), b"sub", true);
            fds.get(&sub).unwrap();
            dirs.push((dir, sub));
        }
        let open = dirs
            .iter()
            .flat_map(|(a, b)| [a, b])
            .filter(|d| lock(&d.fd).is_some())
            .count();
        assert!(open <= 8, "{open} are open");
        for (i, (_, sub)) in dirs.iter().enumerate() {
            assert_eq!(sub.path(), format!("/d{i}/sub").into_bytes());
            let fd = fds.get(sub).unwrap();
            let here = rustix::fs::fstat(fd.as_fd()).unwrap().st_ino;
            let there = rustix::fs::stat(temp.path().join(format!("d{i}/sub")))
                .unwrap()
                .st_ino;
            assert_eq!(here, there);
        }
    }

    #[test]
    fn a_link_in_a_directorys_place_is_not_followed() {
        let temp = tempfile::tempdir().unwrap();
        let root = Dir::root(std::fs::File::open(temp.path()).unwrap().into());
        let fds = Fds::with_limit(temp.path().to_path_buf(), 8);
        std::os::unix::fs::symlink("/", temp.path().join("d")).unwrap();
        let dir = Dir::new(&Arc::downgrade(&root), b"d", false);
        assert!(fds.get(&dir).is_err());
    }
}
