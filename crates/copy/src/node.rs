//! Copying what is no directory.

use std::ffi::CStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bareroot_model::{Cancelled, InputProblem};
use bareroot_unpack::FileKind;
use rustix::fs::{AtFlags, FileType, Mode, OFlags};
use rustix::io::Errno;

use crate::attributes::{Subject, path_of};
use crate::contents::{Fault, Moved};
use crate::directory::{Directory, READ, host};
use crate::engine::{Given, Worker};
use crate::error::Error;
use crate::fresh::Rule;
use crate::links::{Made, Turn, Waiting};
use crate::look::Meta;
use crate::tally::Passed;

/// For a file that is read. It does not block on what has taken its name meanwhile.
pub(crate) const READ_FILE: OFlags = OFlags::RDONLY
    .union(OFlags::NOFOLLOW)
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOCTTY)
    .union(OFlags::CLOEXEC);

const MAKE: OFlags = OFlags::WRONLY
    .union(OFlags::CREATE)
    .union(OFlags::EXCL)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

/// The coarsest clock that file systems take their times from: one tick of the slowest kernel.
const TICK: Duration = Duration::from_millis(10);

/// A path that linkat(2) takes has less than 4,096 bytes.
const LONGEST_PATH: usize = 4095;

impl Worker<'_> {
    /// A regular file, without its content where a rule has `emptied` it.
    pub(crate) fn file(
        &mut self,
        directory: &Arc<Directory>,
        name: &CStr,
        emptied: Option<&'static Rule>,
    ) -> Result<(), Error> {
        let reader = &self.engine.reader;
        let opened = reader
            .open(directory.source.as_fd(), name, READ_FILE)
            .and_then(|fd| Meta::of(&fd).map(|meta| (fd, meta)));
        let (source, meta) = match opened {
            Ok((source, meta)) if meta.kind == FileKind::File => (source, meta),
            // What has its name by now is none.
            Ok(_) => {
                self.not_there(directory, name, Errno::NOENT);
                return Ok(());
            }
            Err(error @ (Errno::MFILE | Errno::NFILE)) => {
                return Err(Error::write("open", host(&directory.path_of(name)), error));
            }
            Err(error) => {
                self.not_there(directory, name, error);
                return Ok(());
            }
        };
        let meta = reader.meta(meta, directory, name, source.as_fd());
        if meta.links <= 1 {
            return self.copy_file(directory, name, &source, meta, emptied).map(drop);
        }
        match self.turn(directory, name, &meta) {
            Turn::First => {
                let made = self.copy_file(directory, name, &source, meta, emptied);
                self.settle(directory, name, &meta, made)
            }
            Turn::Deferred => Ok(()),
            Turn::Link(made) => self.link(directory, name, &made),
        }
    }

    fn turn(&self, directory: &Arc<Directory>, name: &CStr, meta: &Meta) -> Turn {
        self.engine.links.meet(meta.id, || {
            directory.hold();
            Waiting {
                directory: Arc::clone(directory),
                name: name.to_owned(),
            }
        })
    }

    /// The first name of a file is done, or cannot be: those that waited are served.
    fn settle(
        &mut self,
        directory: &Directory,
        name: &CStr,
        meta: &Meta,
        result: Result<bool, Error>,
    ) -> Result<(), Error> {
        let made = Made {
            path: directory.path_of(name).into(),
            meta: *meta,
        };
        match result {
            Ok(true) => {
                for waiting in self.engine.links.done(meta.id, made.clone()) {
                    self.link(&waiting.directory, &waiting.name, &made)?;
                    self.release(waiting.directory)?;
                }
                Ok(())
            }
            Ok(false) => {
                // Each is tried on its own: the next of them is the first.
                for waiting in self.engine.links.failed(meta.id) {
                    match meta.kind {
                        FileKind::File => self.file(&waiting.directory, &waiting.name, None)?,
                        _ => self.node(&waiting.directory, &waiting.name)?,
                    }
                    self.release(waiting.directory)?;
                }
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Another name of a file that is there.
    fn link(&mut self, directory: &Arc<Directory>, name: &CStr, made: &Made) -> Result<(), Error> {
        let target = self.target(directory)?;
        let fail = |error: Errno| Error::write("link", host(&directory.path_of(name)), error);
        let mut path = &*made.path;
        let mut below: Option<OwnedFd> = None;
        while path.len() > LONGEST_PATH {
            // As many whole components as a path may have.
            let slash = path
                .get(..LONGEST_PATH)
                .and_then(|head| head.iter().rposition(|&byte| byte == b'/'));
            let (head, rest) = match slash.and_then(|slash| path.split_at_checked(slash)) {
                Some((head, rest)) => (head, rest.get(1..).unwrap_or_default()),
                None => return Err(fail(Errno::NAMETOOLONG)),
            };
            let from = below.as_ref().map_or(self.engine.top, AsFd::as_fd);
            let opened = rustix::fs::openat(from, head, READ, Mode::empty()).map_err(fail)?;
            (below, path) = (Some(opened), rest);
        }
        let from = below.as_ref().map_or(self.engine.top, AsFd::as_fd);
        match rustix::fs::linkat(from, path, target, name, AtFlags::empty()) {
            Ok(()) => {
                self.count(0);
                self.engine.tally.linked();
                Ok(())
            }
            // The copy's file system allows fewer names than the source's: the next are those of another file.
            Err(Errno::MLINK) => {
                self.engine.links.failed(made.meta.id);
                match made.meta.kind {
                    FileKind::File => self.file(directory, name, None),
                    _ => self.node(directory, name),
                }
            }
            Err(Errno::EXIST) => {
                self.engine
                    .tally
                    .changed(&directory.path_of(name), InputProblem::Changed);
                Ok(())
            }
            Err(error) => Err(fail(error)),
        }
    }

    /// Whether there is a file in the copy now.
    fn copy_file(
        &mut self,
        directory: &Arc<Directory>,
        name: &CStr,
        source: &OwnedFd,
        meta: Meta,
        emptied: Option<&'static Rule>,
    ) -> Result<bool, Error> {
        let engine = self.engine;
        let path = || directory.path_of(name);
        let fail = |action, error: Errno| Error::write(action, host(&path()), error);
        let meta = settled(source, meta);
        let directory_fd = self.target(directory)?;
        let mode = meta.mode & 0o777;
        let target = match rustix::fs::openat(directory_fd, name, MAKE, Mode::from_raw_mode(mode)) {
            Ok(target) => target,
            // A directory that changes as it is read may list a name twice.
            Err(Errno::EXIST) => {
                engine.tally.changed(&path(), InputProblem::Changed);
                return Ok(true);
            }
            Err(error) => return Err(fail("create", error)),
        };
        let moved = match emptied {
            Some(rule) => {
                engine.tally.passed(&path(), Passed::Fresh(rule));
                Ok(Moved::default())
            }
            None => engine
                .methods
                .fill(source.as_fd(), target.as_fd(), &meta, &mut self.buffer, &|| {
                    engine.is_stopped()
                }),
        };
        let moved = match moved {
            Ok(moved) => moved,
            Err(Fault::Source(error)) => {
                engine.tally.unreadable(&path(), error);
                rustix::fs::unlinkat(directory_fd, name, AtFlags::empty())
                    .map_err(|error| fail("remove", error))?;
                return Ok(false);
            }
            Err(Fault::Target(error)) => return Err(fail("write", error)),
            Err(Fault::Stopped) => return Err(Cancelled.into()),
        };
        self.dress(Subject::File(source.as_fd()), target.as_fd(), &meta, mode, &path)?;
        rustix::fs::futimens(&target, &meta.times()).map_err(|error| fail("set the times of", error))?;
        match Meta::of(source) {
            Ok(now) if emptied.is_none() && !meta.is_still(&now) => {
                engine.tally.changed(&path(), InputProblem::Changed);
            }
            _ => {}
        }
        if moved.shared > 0 {
            engine.tally.shared(moved.shared);
        }
        self.count(moved.copied + moved.shared);
        Ok(true)
    }

    /// A symbolic link, a device or a named pipe.
    pub(crate) fn node(&mut self, directory: &Arc<Directory>, name: &CStr) -> Result<(), Error> {
        let meta = match self.engine.reader.look(directory, name) {
            Ok(meta) => meta,
            Err(error) => {
                self.not_there(directory, name, error);
                return Ok(());
            }
        };
        if meta.links <= 1 {
            return self.copy_node(directory, name, &meta).map(drop);
        }
        match self.turn(directory, name, &meta) {
            Turn::First => {
                let made = self.copy_node(directory, name, &meta);
                self.settle(directory, name, &meta, made)
            }
            Turn::Deferred => Ok(()),
            Turn::Link(made) => self.link(directory, name, &made),
        }
    }

    fn copy_node(&mut self, directory: &Arc<Directory>, name: &CStr, meta: &Meta) -> Result<bool, Error> {
        let engine = self.engine;
        let path = || directory.path_of(name);
        let fail = |action, error: std::io::Error| Error::write(action, host(&path()), error);
        let source = directory.source.as_fd();
        let text = match meta.kind {
            FileKind::Symlink => match rustix::fs::readlinkat(source, name, Vec::new()) {
                Ok(text) => Some(text),
                Err(error) => {
                    let error = if error == Errno::INVAL {
                        Errno::NOENT
                    } else {
                        error
                    };
                    self.not_there(directory, name, error);
                    return Ok(false);
                }
            },
            FileKind::Char | FileKind::Block | FileKind::Fifo => None,
            // What has its name by now is something else.
            _ => {
                self.not_there(directory, name, Errno::NOENT);
                return Ok(false);
            }
        };
        let target = self.target(directory)?;
        let made = match &text {
            Some(text) => rustix::fs::symlinkat(&**text, target, name),
            None => self.make_node(target, name, meta),
        };
        match made {
            Ok(()) => {}
            Err(Errno::EXIST) => {
                engine.tally.changed(&path(), InputProblem::Changed);
                return Ok(true);
            }
            Err(error) => return Err(fail("create", error.into())),
        }
        let given = self.give_at(target, name, meta);
        if given.map_err(|error| fail("set the owner of", error))? == Given::Refused {
            engine.tally.lost(&path(), b"owner");
        }
        let attributes = Subject::Path(&path_of(source, name)).read().unwrap_or_default();
        if !attributes.is_empty() {
            Subject::Path(&path_of(target, name))
                .write(&attributes, |name| engine.tally.lost(&path(), name))
                .map_err(|error| fail("set an attribute of", error.into()))?;
        }
        if meta.kind != FileKind::Symlink && (meta.mode & 0o7000 != 0 || !attributes.is_empty()) {
            let mode = Mode::from_raw_mode(meta.mode);
            // Nobody else can put a link in its place: the copy's top is closed to others until it is whole.
            rustix::fs::chmodat(target, name, mode, AtFlags::empty())
                .map_err(|error| fail("set the mode of", error.into()))?;
        }
        rustix::fs::utimensat(target, name, &meta.times(), AtFlags::SYMLINK_NOFOLLOW)
            .map_err(|error| fail("set the times of", error.into()))?;
        self.count(0);
        Ok(true)
    }

    /// A device or a pipe; where there is a ledger for devices, an empty file that stands for one.
    fn make_node(&self, target: BorrowedFd<'_>, name: &CStr, meta: &Meta) -> rustix::io::Result<()> {
        let mode = Mode::from_raw_mode(meta.mode & 0o777);
        let (kind, device) = match (meta.kind, self.engine.ledger) {
            (FileKind::Fifo, _) => (FileType::Fifo, 0),
            (_, Some(_)) => return rustix::fs::openat(target, name, MAKE, mode).map(drop),
            (kind, None) => {
                let kind = match kind {
                    FileKind::Block => FileType::BlockDevice,
                    _ => FileType::CharacterDevice,
                };
                (kind, rustix::fs::makedev(meta.rdev.0, meta.rdev.1))
            }
        };
        rustix::fs::mknodat(target, name, kind, mode, device)
    }
}

/// What a file is, at a moment after which every change to it shows: times are as coarse as the clock that they are taken
/// from, so a change in the tick of the last one would not.
fn settled(source: &OwnedFd, meta: Meta) -> Meta {
    let changed = Duration::new(u64::try_from(meta.changed.0).unwrap_or(0), meta.changed.1);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    if changed + TICK < now || changed > now + TICK {
        return meta;
    }
    std::thread::sleep(TICK);
    Meta::of(source).unwrap_or(meta)
}
