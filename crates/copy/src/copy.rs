//! From a source to a directory.

use std::ffi::CString;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bareroot_ledger::Ledger;
use bareroot_model::{Cancel, Observer};
use bareroot_unpack::Root;
use rustix::fs::{CWD, Mode, OFlags};

use crate::attributes::clear_acls;
use crate::directory::Directory;
use crate::engine::{Engine, Parts, again};
use crate::error::Error;
use crate::look::Meta;
use crate::select::Selection;
use crate::source::{Owners, Reader};
use crate::tally::{Summary, Tally};

/// What is copied.
#[derive(Debug)]
pub struct Source {
    pub(crate) fd: OwnedFd,
    pub(crate) meta: Meta,
    pub(crate) path: PathBuf,
    pub(crate) ledger: Option<Arc<Ledger>>,
    pub(crate) owners: Option<Arc<dyn Owners>>,
}

/// How it is copied.
#[derive(Clone, Copy)]
pub struct Settings<'a> {
    /// What of it.
    pub selection: &'a Selection,
    /// Whether what is mounted in it is copied too, but for what the kernel makes up.
    pub across: bool,
    /// Threads; at least one is used.
    pub threads: usize,
    /// Paths that are not copied, by device and inode: the copy itself.
    pub skip: &'a [(u64, u64)],
    /// Whether each path that is passed over is told.
    pub is_verbose: bool,
    /// Stops the work.
    pub cancel: &'a Cancel,
    /// Who is told.
    pub observer: &'a dyn Observer,
}

impl Source {
    /// Opens a directory as a source; where it is a root that was made without root's rights, with its ledger.
    ///
    /// # Errors
    /// [`Error::Source`] when it is none, or cannot be read; [`Error::Root`] for a ledger that is none.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let fail = |error: rustix::io::Errno| Error::Source {
            path: path.to_path_buf(),
            source: error.into(),
        };
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd = rustix::fs::openat(CWD, path, flags, Mode::empty()).map_err(fail)?;
        let root = Root::from_fd(again(fd.as_fd()).map_err(fail)?, path).with_own_ledger()?;
        let meta = Meta::of(&fd).map_err(fail)?;
        Ok(Source {
            fd,
            meta,
            path: path.to_path_buf(),
            ledger: root.ledger().cloned(),
            owners: None,
        })
    }

    /// The same, with somebody who knows whom files belong to.
    #[must_use]
    pub fn with_owners(mut self, owners: Arc<dyn Owners>) -> Self {
        self.owners = Some(owners);
        self
    }

    /// What its top is now: the directory of the copy may have been made in it since it was opened.
    pub(crate) fn top(&self) -> Meta {
        Meta::of(&self.fd).unwrap_or(self.meta)
    }

    /// Where it is, as it was given.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How many entries and bytes its file system has in use, where it is all of that: no less than what there is to copy.
    pub fn extent(&self) -> (Option<u64>, Option<u64>) {
        let parent = rustix::fs::openat(&self.fd, c"..", OFlags::PATH | OFlags::CLOEXEC, Mode::empty());
        let above = parent.and_then(Meta::of);
        let is_all = above.is_ok_and(|above| above.mount != self.meta.mount || above.id == self.meta.id);
        let (true, Ok(used)) = (is_all, rustix::fs::fstatvfs(&self.fd)) else {
            return (None, None);
        };
        let some = |count: u64| (count > 0).then_some(count);
        (
            some(used.f_files.saturating_sub(used.f_ffree)),
            some(
                used.f_blocks
                    .saturating_sub(used.f_bfree)
                    .saturating_mul(used.f_frsize),
            ),
        )
    }

    /// Refuses a target that is the source, or that the source is in. One inside the source is none of these.
    ///
    /// # Errors
    /// [`Error::Itself`], [`Error::SourceInside`].
    pub fn refuse(&self, target: &Path) -> Result<(), Error> {
        // What is not there yet can neither be the source nor hold it.
        let Ok(target_stat) = rustix::fs::stat(target) else {
            return Ok(());
        };
        let is_target =
            |stat: &rustix::fs::Stat| (stat.st_dev, stat.st_ino) == (target_stat.st_dev, target_stat.st_ino);
        let fail = |error: rustix::io::Errno| Error::Source {
            path: self.path.clone(),
            source: error.into(),
        };
        let mut directory = again(self.fd.as_fd()).map_err(fail)?;
        let mut stat = rustix::fs::fstat(&directory).map_err(fail)?;
        if is_target(&stat) {
            return Err(Error::Itself {
                target: target.to_path_buf(),
            });
        }
        loop {
            let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
            let Ok(parent) = rustix::fs::openat(&directory, c"..", flags, Mode::empty()) else {
                return Ok(());
            };
            let above = rustix::fs::fstat(&parent).map_err(fail)?;
            // The top of all is in itself.
            if (above.st_dev, above.st_ino) == (stat.st_dev, stat.st_ino) {
                return Ok(());
            }
            if is_target(&above) {
                return Err(Error::SourceInside {
                    path: self.path.clone(),
                    target: target.to_path_buf(),
                });
            }
            (directory, stat) = (parent, above);
        }
    }
}

/// Copies a source into a new root, which is an empty directory. Where it fails, a part of it may be there. Files are given
/// to their owners, or these are recorded in the root's ledger, where it has one.
///
/// # Errors
/// [`Error::Write`] and its kin when the copy cannot be written; what cannot be read of the source is only told.
pub fn copy(source: &Source, root: &Root, settings: &Settings<'_>) -> Result<Summary, Error> {
    let _mask = Mask::cleared();
    let fail =
        |action, error: rustix::io::Errno| Error::write(action, PathBuf::from("/"), error).below(root.path());
    // As long as it is not whole nobody else can get into it, whatever its files allow.
    clear_acls(root);
    rustix::fs::fchmod(root, Mode::RWXU).map_err(|error| fail("set the mode of", error))?;
    let reader = Reader::new(source);
    let top = Directory::new(
        None,
        CString::default(),
        again(source.fd.as_fd()).map_err(|error| fail("open", error))?,
        reader.top(source.top(), &source.fd),
        settings.selection.top(),
        Some(again(root.as_fd()).map_err(|error| fail("open", error))?),
    );
    let tally = Tally::new(settings.observer, settings.is_verbose);
    let parts = Parts {
        reader,
        selection: settings.selection,
        across: settings.across,
        skip: settings.skip,
        top: root.as_fd(),
        ledger: root.ledger().map(AsRef::as_ref),
        cancel: settings.cancel,
        tally: &tally,
    };
    let engine = Engine::new(parts, settings.threads, top);
    engine
        .run(settings.threads)
        .map_err(|error| error.below(root.path()))?;
    settings.cancel.check()?;
    Ok(tally.summary())
}

/// The process's umask, cleared as long as this is there: what is made gets its mode at once.
struct Mask(Mode);

impl Mask {
    fn cleared() -> Self {
        Mask(rustix::process::umask(Mode::empty()))
    }
}

impl Drop for Mask {
    fn drop(&mut self) {
        rustix::process::umask(self.0);
    }
}
