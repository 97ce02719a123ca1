//! A source in the order of an archive: depth first, the names of each directory in byte order.

use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use bareroot_model::InputProblem;
use bareroot_unpack::FileKind;
use rustix::io::Errno;

use crate::copy::{Settings, Source};
use crate::directory::{Directory, READ, host};
use crate::engine::again;
use crate::error::Error;
use crate::listing::Listing;
use crate::look::Meta;
use crate::mounts;
use crate::select::{Above, Verdict};
use crate::source::Reader;
use crate::tally::{Passed, Tally};

/// A path that is taken.
#[derive(Clone, Copy)]
pub(crate) struct Item<'i> {
    /// Where it is; the top is in nothing.
    pub parent: Option<&'i Directory>,
    pub name: &'i CStr,
    /// Relative to the source's top.
    pub path: &'i [u8],
    pub meta: &'i Meta,
    /// A directory that is open.
    pub open: Option<&'i OwnedFd>,
    /// Whether it is taken without its content.
    pub is_emptied: bool,
}

/// Who is shown each path.
pub(crate) trait Visitor {
    fn visit(&mut self, item: Item<'_>) -> Result<(), Error>;
}

/// A directory on the way.
struct Frame {
    directory: Arc<Directory>,
    listing: Listing,
    at: usize,
    /// One that may come back is shown when something in it is.
    is_shown: bool,
}

pub(crate) struct Walk<'w> {
    pub reader: &'w Reader<'w>,
    pub settings: &'w Settings<'w>,
    pub tally: &'w Tally<'w>,
    frames: Vec<Frame>,
}

impl<'w> Walk<'w> {
    pub(crate) fn new(reader: &'w Reader<'w>, settings: &'w Settings<'w>, tally: &'w Tally<'w>) -> Self {
        Walk {
            reader,
            settings,
            tally,
            frames: Vec::new(),
        }
    }

    /// Shows everything that is taken, directories before what is in them.
    ///
    /// # Errors
    /// Whatever the visitor says, and when the run is stopped.
    pub(crate) fn run(&mut self, source: &Source, visitor: &mut dyn Visitor) -> Result<(), Error> {
        let fail = |error: Errno| Error::Source {
            path: source.path.clone(),
            source: error.into(),
        };
        let fd = again(source.fd.as_fd()).map_err(fail)?;
        let meta = self.reader.top(source.top(), &fd);
        let top = self.settings.selection.top();
        let directory = Directory::new(None, CString::default(), fd, meta, top, None);
        self.go_into(directory, false, visitor)?;
        while let Some(frame) = self.frames.last_mut() {
            self.settings.cancel.check()?;
            let directory = Arc::clone(&frame.directory);
            let Some(listed) = frame.listing.get(frame.at) else {
                self.frames.pop();
                if matches!(Meta::of(&directory.source), Ok(now) if !directory.meta.is_still_listed(&now)) {
                    self.tally.changed(&directory.path, InputProblem::Changed);
                }
                continue;
            };
            let (name, kind) = (listed.name.to_owned(), listed.kind);
            frame.at += 1;
            self.entry(&directory, name, kind, visitor)?;
        }
        Ok(())
    }

    fn entry(
        &mut self,
        directory: &Arc<Directory>,
        name: CString,
        kind: Option<FileKind>,
        visitor: &mut dyn Visitor,
    ) -> Result<(), Error> {
        if self.reader.is_own(directory, &name) {
            return Ok(());
        }
        let path = directory.path_of(&name);
        let meta = match self.reader.look(directory, &name) {
            Ok(meta) => meta,
            Err(error) => {
                self.tally.not_there(&path, error);
                return Ok(());
            }
        };
        if self.settings.skip.contains(&(meta.id.device, meta.id.inode)) {
            self.tally.passed(&path, Passed::Itself);
            return Ok(());
        }
        let is_directory =
            kind.unwrap_or(meta.kind) == FileKind::Directory && meta.kind == FileKind::Directory;
        let verdict = self
            .settings
            .selection
            .judge(&directory.above, &path, is_directory);
        let (above, is_lazy, is_emptied) = match verdict {
            Verdict::Take(above) => (above, false, false),
            Verdict::Maybe(above) => (above, true, false),
            Verdict::Empty(rule) => {
                self.tally.passed(&path, Passed::Fresh(rule));
                (directory.above.clone(), false, true)
            }
            Verdict::Leave(rule) => {
                self.tally
                    .passed(&path, rule.map_or(Passed::LeftOut, Passed::Fresh));
                return Ok(());
            }
        };
        match meta.kind {
            FileKind::Socket => {
                self.tally.passed(&path, Passed::Socket);
                Ok(())
            }
            FileKind::Directory => self.directory(directory, name, above, is_lazy, visitor),
            _ => {
                self.show_above(visitor)?;
                visitor.visit(Item {
                    parent: Some(directory),
                    name: &name,
                    path: &path,
                    meta: &meta,
                    open: None,
                    is_emptied,
                })
            }
        }
    }

    fn directory(
        &mut self,
        parent: &Arc<Directory>,
        name: CString,
        above: Above,
        is_lazy: bool,
        visitor: &mut dyn Visitor,
    ) -> Result<(), Error> {
        let path = parent.path_of(&name);
        let opened = self
            .reader
            .open(parent.source.as_fd(), &name, READ)
            .and_then(|fd| Meta::of(&fd).map(|meta| (fd, meta)));
        let (fd, meta) = match opened {
            Ok(opened) => opened,
            Err(error @ (Errno::MFILE | Errno::NFILE)) => {
                return Err(Error::write("open", host(&path), error));
            }
            Err(error @ (Errno::NOENT | Errno::NOTDIR | Errno::LOOP)) => {
                self.tally.not_there(&path, error);
                return Ok(());
            }
            Err(error) => {
                self.tally.unreadable(&path, error);
                // What it is can be told all the same.
                return match self.reader.look(parent, &name) {
                    Ok(meta) if !is_lazy && meta.kind == FileKind::Directory => {
                        self.show_above(visitor)?;
                        visitor.visit(Item {
                            parent: Some(parent),
                            name: &name,
                            path: &path,
                            meta: &meta,
                            open: None,
                            is_emptied: false,
                        })
                    }
                    _ => Ok(()),
                };
            }
        };
        let meta = self.reader.meta(meta, parent, &name, fd.as_fd());
        let is_entered = mounts::is_entered(parent, &meta, fd.as_fd(), self.settings.across);
        if !is_entered {
            self.tally.passed(&path, Passed::Mount);
        }
        let directory = Directory::new(Some(Arc::clone(parent)), name, fd, meta, above, None);
        match is_entered {
            true => self.go_into(directory, is_lazy, visitor),
            false if is_lazy => Ok(()),
            false => {
                self.show_above(visitor)?;
                show(&directory, visitor)
            }
        }
    }

    fn go_into(
        &mut self,
        directory: Directory,
        is_lazy: bool,
        visitor: &mut dyn Visitor,
    ) -> Result<(), Error> {
        let listing = Listing::read(directory.source.as_fd()).unwrap_or_else(|error| {
            self.tally.unreadable(&directory.path, error);
            Listing::default()
        });
        self.frames.push(Frame {
            directory: Arc::new(directory),
            listing: listing.sorted(),
            at: 0,
            is_shown: false,
        });
        match is_lazy {
            true => Ok(()),
            false => self.show_above(visitor),
        }
    }

    /// Shows the directories on the way that were not shown yet.
    fn show_above(&mut self, visitor: &mut dyn Visitor) -> Result<(), Error> {
        let shown = self
            .frames
            .iter()
            .rposition(|frame| frame.is_shown)
            .map_or(0, |last| last + 1);
        for frame in self.frames.iter_mut().skip(shown) {
            frame.is_shown = true;
            show(&frame.directory, visitor)?;
        }
        Ok(())
    }
}

fn show(directory: &Directory, visitor: &mut dyn Visitor) -> Result<(), Error> {
    visitor.visit(Item {
        parent: directory.parent.as_deref(),
        name: &directory.name,
        path: &directory.path,
        meta: &directory.meta,
        open: Some(&directory.source),
        is_emptied: false,
    })
}
