//! Copying a tree by descriptors, on many threads: a piece of work is a directory, or a part of a large one.

use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bareroot_ledger::{FileId, Ledger};
use bareroot_model::{Cancel, Cancelled, InputProblem};
use bareroot_unpack::FileKind;
use rustix::fs::{AtFlags, Gid, Mode, OFlags, Uid};
use rustix::io::Errno;

use crate::contents::{BUFFER, Methods};
use crate::directory::{Directory, READ, host};
use crate::error::Error;
use crate::links::Links;
use crate::listing::Listing;
use crate::look::Meta;
use crate::mounts;
use crate::queue::Queue;
use crate::select::{Above, Selection, Verdict};
use crate::source::Reader;
use crate::tally::{Passed, Progress, Tally};

/// Entries that are one piece of work: enough that few directories are worked in by two threads.
const PIECE: usize = 2048;

/// What all threads share.
pub(crate) struct Engine<'e> {
    pub reader: Reader<'e>,
    pub selection: &'e Selection,
    /// Whether other file systems are entered.
    pub across: bool,
    /// Directories that are not looked at: the copy itself.
    pub skip: &'e [(u64, u64)],
    /// The top of the copy.
    pub top: BorrowedFd<'e>,
    /// For what the copy's file system cannot hold.
    pub ledger: Option<&'e Ledger>,
    /// Whom new files belong to.
    pub me: (u32, u32),
    pub cancel: &'e Cancel,
    pub tally: &'e Tally<'e>,
    pub methods: Methods,
    pub links: Links,
    queue: Queue<Job>,
    failure: Mutex<Option<Error>>,
    stopped: AtomicBool,
}

/// A piece of work.
#[derive(Debug)]
pub(crate) enum Job {
    /// A directory in one that is being copied.
    Directory {
        parent: Arc<Directory>,
        name: CString,
        above: Above,
        /// It is made when something in it is.
        is_lazy: bool,
    },
    /// Entries of a directory.
    Entries {
        directory: Arc<Directory>,
        listing: Arc<Listing>,
        begin: usize,
    },
    /// The top, which is open.
    Top(Arc<Directory>),
}

/// What is needed to make an [`Engine`].
pub(crate) struct Parts<'e> {
    pub reader: Reader<'e>,
    pub selection: &'e Selection,
    pub across: bool,
    pub skip: &'e [(u64, u64)],
    pub top: BorrowedFd<'e>,
    pub ledger: Option<&'e Ledger>,
    pub cancel: &'e Cancel,
    pub tally: &'e Tally<'e>,
}

impl<'e> Engine<'e> {
    pub(crate) fn new(parts: Parts<'e>, threads: usize, first: Directory) -> Self {
        let Parts {
            reader,
            selection,
            across,
            skip,
            top,
            ledger,
            cancel,
            tally,
        } = parts;
        Engine {
            reader,
            selection,
            across,
            skip,
            top,
            ledger,
            me: (
                rustix::process::geteuid().as_raw(),
                rustix::process::getegid().as_raw(),
            ),
            cancel,
            tally,
            methods: Methods::default(),
            links: Links::default(),
            queue: Queue::new(threads, Job::Top(Arc::new(first))),
            failure: Mutex::default(),
            stopped: AtomicBool::new(false),
        }
    }

    /// Works until all is done, on so many threads.
    ///
    /// # Errors
    /// The first that any thread met.
    pub(crate) fn run(&self, threads: usize) -> Result<(), Error> {
        std::thread::scope(|scope| {
            for number in 1..threads.max(1) {
                let thread = std::thread::Builder::new().name(format!("copy-{number}"));
                if let Err(error) = thread.spawn_scoped(scope, move || self.work(number)) {
                    self.fail(Error::Thread(error));
                }
            }
            self.work(0);
        });
        let failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner).take();
        failure.map_or(Ok(()), Err)
    }

    fn work(&self, thread: usize) {
        let mut worker = Worker {
            engine: self,
            thread,
            buffer: vec![0; BUFFER],
            progress: Progress::default(),
            found: Vec::new(),
        };
        while let Some(job) = self.queue.next(thread) {
            if let Err(error) = worker.job(job) {
                self.fail(error);
            }
            self.queue.finished();
        }
        self.tally.tell(&mut worker.progress);
    }

    fn fail(&self, error: Error) {
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.get_or_insert(error);
        self.stopped.store(true, Ordering::Relaxed);
        self.queue.close();
    }

    /// Whether there is no use in going on.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed) || self.cancel.is_set()
    }
}

/// One thread.
pub(crate) struct Worker<'e> {
    pub engine: &'e Engine<'e>,
    /// Its number.
    thread: usize,
    pub buffer: Vec<u8>,
    pub progress: Progress,
    /// Work that was found and is not in the queue yet.
    found: Vec<Job>,
}

impl Worker<'_> {
    fn job(&mut self, job: Job) -> Result<(), Error> {
        match job {
            Job::Top(directory) => {
                self.count(0);
                self.below(&directory)?;
                self.release(directory)
            }
            Job::Directory {
                parent,
                name,
                above,
                is_lazy,
            } => {
                if let Some(directory) = self.enter(&parent, name, above, is_lazy)? {
                    let directory = Arc::new(directory);
                    parent.hold();
                    self.below(&directory)?;
                    self.release(directory)?;
                }
                self.release(parent)
            }
            Job::Entries {
                directory,
                listing,
                begin,
            } => {
                self.entries(&directory, &listing, begin)?;
                self.release(directory)
            }
        }
    }

    /// A path is in the copy.
    pub(crate) fn count(&mut self, bytes: u64) {
        self.engine.tally.made(&mut self.progress, bytes);
    }

    /// The directory of the copy for `directory`.
    pub(crate) fn target<'d>(&mut self, directory: &'d Directory) -> Result<BorrowedFd<'d>, Error> {
        let (tally, progress) = (self.engine.tally, &mut self.progress);
        directory.target(&mut || tally.made(progress, 0))
    }

    /// Opens a directory and makes the one of the copy; none where there is nothing to go into.
    fn enter(
        &mut self,
        parent: &Arc<Directory>,
        name: CString,
        above: Above,
        is_lazy: bool,
    ) -> Result<Option<Directory>, Error> {
        let engine = self.engine;
        let opened = engine
            .reader
            .open(parent.source.as_fd(), &name, READ)
            .and_then(|fd| Meta::of(&fd).map(|meta| (fd, meta)));
        let (source, meta, is_readable) = match opened {
            Ok((source, meta)) => (source, meta, true),
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => {
                engine
                    .tally
                    .changed(&parent.path_of(&name), InputProblem::Vanished);
                return Ok(None);
            }
            Err(error @ (Errno::MFILE | Errno::NFILE)) => {
                return Err(Error::write("open", host(&parent.path_of(&name)), error));
            }
            Err(error) => {
                engine.tally.unreadable(&parent.path_of(&name), error);
                // What it is can be told all the same.
                let path = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                let opened = rustix::fs::openat(parent.source.as_fd(), &*name, path, Mode::empty())
                    .and_then(|fd| Meta::of(&fd).map(|meta| (fd, meta)));
                match opened {
                    Ok((source, meta)) if !is_lazy => (source, meta, false),
                    _ => return Ok(None),
                }
            }
        };
        if engine.skip.contains(&(meta.id.device, meta.id.inode)) {
            engine.tally.passed(&parent.path_of(&name), Passed::Itself);
            return Ok(None);
        }
        let meta = engine.reader.meta(meta, parent, &name, source.as_fd());
        let is_entered = is_readable && self.is_entered(parent, &name, &meta, source.as_fd());
        let directory = Directory::new(Some(Arc::clone(parent)), name, source, meta, above, None);
        if !is_lazy {
            self.target(&directory)?;
        }
        if is_entered {
            return Ok(Some(directory));
        }
        self.finish(&directory)?;
        Ok(None)
    }

    /// Whether what is in a directory is copied too.
    fn is_entered(&self, parent: &Directory, name: &CStr, meta: &Meta, fd: BorrowedFd<'_>) -> bool {
        let engine = self.engine;
        if mounts::is_entered(parent, meta, fd, engine.across) {
            return true;
        }
        engine.tally.passed(&parent.path_of(name), Passed::Mount);
        false
    }

    /// Lists a directory, and copies what is in it: a first piece at once, the rest as work for all threads.
    fn below(&mut self, directory: &Arc<Directory>) -> Result<(), Error> {
        let listing = match Listing::read(directory.source.as_fd()) {
            Ok(listing) => Arc::new(listing),
            Err(error) => {
                self.engine.tally.unreadable(&directory.path, error);
                return Ok(());
            }
        };
        let pieces = (PIECE..listing.len()).step_by(PIECE);
        let later: Vec<Job> = pieces
            .map(|begin| {
                directory.hold();
                Job::Entries {
                    directory: Arc::clone(directory),
                    listing: Arc::clone(&listing),
                    begin,
                }
            })
            .collect();
        self.engine.queue.push(self.thread, later);
        self.entries(directory, &listing, 0)
    }

    fn entries(&mut self, directory: &Arc<Directory>, listing: &Listing, begin: usize) -> Result<(), Error> {
        let end = listing.len().min(begin + PIECE);
        for listed in (begin..end).filter_map(|at| listing.get(at)) {
            if self.engine.is_stopped() {
                return Err(Cancelled.into());
            }
            self.entry(directory, listed.name, listed.kind)?;
        }
        // They are put in after the pieces of this directory, so they come out before them: the deepest first.
        let found = std::mem::take(&mut self.found);
        self.engine.queue.push(self.thread, found);
        Ok(())
    }

    /// One name in a directory.
    fn entry(
        &mut self,
        directory: &Arc<Directory>,
        name: &CStr,
        kind: Option<FileKind>,
    ) -> Result<(), Error> {
        let engine = self.engine;
        let kind = match kind.filter(|_| !engine.reader.has_ledger()) {
            Some(kind) => kind,
            None => match engine.reader.look(directory, name) {
                Ok(meta) => meta.kind,
                Err(error) => {
                    self.not_there(directory, name, error);
                    return Ok(());
                }
            },
        };
        if engine.reader.is_own(directory, name) {
            return Ok(());
        }
        let is_directory = kind == FileKind::Directory;
        let mut verdict = None;
        if !directory.above.is_settled() {
            verdict = Some(
                engine
                    .selection
                    .judge(&directory.above, &directory.path_of(name), is_directory),
            );
        }
        let (above, is_lazy, emptied) = match verdict {
            None => (directory.above.clone(), false, None),
            Some(Verdict::Take(above)) => (above, false, None),
            Some(Verdict::Maybe(above)) => (above, true, None),
            Some(Verdict::Empty(rule)) => (directory.above.clone(), false, Some(rule)),
            Some(Verdict::Leave(rule)) => {
                let why = rule.map_or(Passed::LeftOut, Passed::Fresh);
                engine.tally.passed(&directory.path_of(name), why);
                return Ok(());
            }
        };
        match kind {
            FileKind::Directory => {
                directory.hold();
                self.found.push(Job::Directory {
                    parent: Arc::clone(directory),
                    name: name.to_owned(),
                    above,
                    is_lazy,
                });
                Ok(())
            }
            FileKind::Socket => {
                engine.tally.passed(&directory.path_of(name), Passed::Socket);
                Ok(())
            }
            FileKind::File => self.file(directory, name, emptied),
            FileKind::Symlink | FileKind::Char | FileKind::Block | FileKind::Fifo => {
                self.node(directory, name)
            }
        }
    }

    /// A name that was listed cannot be looked at.
    pub(crate) fn not_there(&self, directory: &Directory, name: &CStr, error: Errno) {
        self.engine.tally.not_there(&directory.path_of(name), error);
    }

    /// One thing of a directory is done. With the last, it gets what it is to have, and so do those above that it was the
    /// last of.
    pub(crate) fn release(&mut self, directory: Arc<Directory>) -> Result<(), Error> {
        let mut done = Some(directory);
        while let Some(directory) = done.filter(|directory| directory.release()) {
            self.finish(&directory)?;
            done = directory.parent.clone();
        }
        Ok(())
    }

    /// Dresses a directory in which nothing more will be made.
    fn finish(&mut self, directory: &Directory) -> Result<(), Error> {
        let Some(target) = directory.made() else {
            return Ok(());
        };
        let fail = |action, error: std::io::Error| Error::write(action, host(&directory.path), error);
        self.dress(
            crate::attributes::Subject::File(directory.source.as_fd()),
            target,
            &directory.meta,
            directory.mode_while_growing(),
            &|| directory.path.clone(),
        )?;
        let times = directory.meta.times();
        rustix::fs::futimens(target, &times).map_err(|error| fail("set the times of", error.into()))?;
        match Meta::of(&directory.source) {
            Ok(now) if !directory.meta.is_still_listed(&now) => {
                self.engine.tally.changed(&directory.path, InputProblem::Changed);
            }
            _ => {}
        }
        Ok(())
    }

    /// Owner, attributes and mode of a file or directory that was made with `made_with`.
    pub(crate) fn dress(
        &self,
        source: crate::attributes::Subject<'_>,
        target: BorrowedFd<'_>,
        meta: &Meta,
        made_with: u32,
        path: &dyn Fn() -> Vec<u8>,
    ) -> Result<(), Error> {
        let engine = self.engine;
        let fail = |action, error: std::io::Error| Error::write(action, host(&path()), error);
        let is_given_away = self
            .give(target, meta)
            .map_err(|error| fail("set the owner of", error))?;
        if is_given_away == Given::Refused {
            engine.tally.lost(&path(), b"owner");
        }
        // Root's file is not another's with the same rights to others.
        let attributes = match source.read() {
            Ok(attributes) => attributes,
            // Of a directory that cannot be read.
            Err(Errno::BADF | Errno::ACCESS) => Vec::new(),
            Err(error) => {
                engine.tally.unreadable(&path(), error);
                Vec::new()
            }
        };
        crate::attributes::Subject::File(target)
            .write(&attributes, |name| engine.tally.lost(&path(), name))
            .map_err(|error| fail("set an attribute of", error.into()))?;
        // chown(2) takes the setuid and setgid bits away, and an ACL changes the group's.
        let has_special = meta.mode & 0o7000 != 0;
        if meta.mode != made_with || has_special || !attributes.is_empty() {
            rustix::fs::fchmod(target, Mode::from_raw_mode(meta.mode))
                .map_err(|error| fail("set the mode of", error.into()))?;
        }
        Ok(())
    }

    /// Gives what was made to its owner: by chown(2), or in the ledger.
    pub(crate) fn give(&self, target: BorrowedFd<'_>, meta: &Meta) -> std::io::Result<Given> {
        let engine = self.engine;
        if let Some(ledger) = engine.ledger.filter(|ledger| ledger.keeps_owners()) {
            ledger.set(FileId::of(target)?, meta.owned());
            return Ok(Given::Owned);
        }
        if (meta.uid, meta.gid) == engine.me {
            return Ok(Given::Owned);
        }
        let owner = (Some(Uid::from_raw(meta.uid)), Some(Gid::from_raw(meta.gid)));
        refused(rustix::fs::fchown(target, owner.0, owner.1))
    }

    /// The same of a name.
    pub(crate) fn give_at(
        &self,
        directory: BorrowedFd<'_>,
        name: &CStr,
        meta: &Meta,
    ) -> std::io::Result<Given> {
        let engine = self.engine;
        let is_kept = |ledger: &&Ledger| ledger.keeps_owners() || meta.owned().device.is_some();
        if let Some(ledger) = engine.ledger.filter(is_kept) {
            ledger.set(FileId::at(directory, name.to_bytes())?, meta.owned());
            if ledger.keeps_owners() {
                return Ok(Given::Owned);
            }
        }
        if (meta.uid, meta.gid) == engine.me {
            return Ok(Given::Owned);
        }
        let owner = (Some(Uid::from_raw(meta.uid)), Some(Gid::from_raw(meta.gid)));
        refused(rustix::fs::chownat(
            directory,
            name,
            owner.0,
            owner.1,
            AtFlags::SYMLINK_NOFOLLOW,
        ))
    }
}

/// How giving a file to its owner went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Given {
    Owned,
    /// The file system has no owners, or the owner has no number in this user namespace.
    Refused,
}

fn refused(result: rustix::io::Result<()>) -> std::io::Result<Given> {
    match result {
        Ok(()) => Ok(Given::Owned),
        Err(Errno::PERM | Errno::INVAL | Errno::NOTSUP) => Ok(Given::Refused),
        Err(error) => Err(error.into()),
    }
}

/// A descriptor of the same directory that is this process's to keep.
pub(crate) fn again(fd: BorrowedFd<'_>) -> rustix::io::Result<OwnedFd> {
    rustix::fs::openat(fd, c".", READ, Mode::empty())
}
