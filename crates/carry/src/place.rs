//! Putting it in.

mod accounts;
mod check;
mod files;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bareroot_ledger::Ledger;
use bareroot_model::Cancel;
use bareroot_unpack::{Root, Staging, is_staging_name};

use crate::error::Error;
use crate::item::{Item, What};
use crate::plan::Plan;

/// What was done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Placed {
    /// Files that were written.
    pub files: usize,
    /// Symbolic links that were made.
    pub links: usize,
    /// Directories that were made.
    pub directories: usize,
    /// What was there already, as it is to be.
    pub same: usize,
    /// Bytes of files that were written.
    pub bytes: u64,
    /// What could not be kept, in sentences.
    pub warnings: Vec<String>,
}

/// One run of placing.
pub(crate) struct Placing<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) root: &'a Root,
    /// Whether the root was there, so that names in it are replaced at once.
    pub(crate) is_existing: bool,
    pub(crate) done: Placed,
    /// Where a file with several names went first.
    pub(crate) twins: HashMap<(u64, u64), PathBuf>,
}

impl Plan {
    /// Puts everything into a root: a directory that does not exist or is empty appears whole or not at all; into one with
    /// content each file goes under its name when it is whole. `force` replaces files that differ. `ledger` is for what the
    /// file system cannot hold.
    ///
    /// # Errors
    /// [`Error::Conflict`], with nothing written; else [`Error::Root`], [`Error::Changed`].
    pub fn place(
        &self,
        target: &Path,
        force: bool,
        ledger: Option<Arc<Ledger>>,
        cancel: &Cancel,
    ) -> Result<Placed, Error> {
        if has_content(target) {
            let mut root = Root::open(target)?;
            root = match ledger {
                Some(ledger) => root.with_ledger(ledger),
                None => root.with_own_ledger()?,
            };
            root.load_ledger()?;
            let same = check::differences(self, &root, target, force)?;
            let mut placing = Placing::new(self, &root, true);
            placing.all(&same, cancel)?;
            root.save_ledger()?;
            root.sync()?;
            return Ok(placing.done);
        }
        let mut staging = Staging::create(target)?;
        if let Some(ledger) = ledger {
            staging.keep_ledger(ledger);
        }
        let mut placing = Placing::new(self, staging.root(), false);
        placing.all(&vec![false; self.items().len()], cancel)?;
        let done = placing.done;
        staging.root().save_ledger()?;
        staging.commit()?;
        Ok(done)
    }

    /// What [`place`](Self::place) would refuse, without writing anything.
    ///
    /// # Errors
    /// As for it.
    pub fn check(&self, target: &Path, force: bool) -> Result<(), Error> {
        if has_content(target) {
            let root = Root::open(target)?.with_own_ledger()?;
            check::differences(self, &root, target, force)?;
        }
        Ok(())
    }
}

/// Whether a directory has anything in it that counts.
fn has_content(target: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(target) else {
        return false;
    };
    entries.flatten().any(|entry| {
        let name = entry.file_name();
        let name = std::os::unix::ffi::OsStrExt::as_bytes(name.as_os_str());
        name != b"lost+found" && !is_staging_name(name)
    })
}

impl<'a> Placing<'a> {
    fn new(plan: &'a Plan, root: &'a Root, is_existing: bool) -> Self {
        Placing {
            plan,
            root,
            is_existing,
            done: Placed::default(),
            twins: HashMap::new(),
        }
    }

    /// Writes what is not the same already.
    fn all(&mut self, same: &[bool], cancel: &Cancel) -> Result<(), Error> {
        let mut made: Vec<&Item> = Vec::new();
        for (item, same) in self.plan.items().iter().zip(same) {
            cancel.check()?;
            if *same {
                self.done.same += 1;
                continue;
            }
            match &item.what {
                What::Directory => {
                    self.root.create_dir(&item.path, 0o700)?;
                    self.own(&item.path, item, item.mode)?;
                    made.push(item);
                    self.done.directories += 1;
                }
                What::Link(text) => {
                    self.link(item, text)?;
                    self.done.links += 1;
                }
                What::File(stat) => {
                    self.file(item, stat)?;
                    self.done.files += 1;
                }
                What::Made(content) => {
                    self.made(item, content)?;
                    self.done.files += 1;
                }
            }
        }
        // What was put into a directory has changed its time.
        for item in made.iter().rev() {
            if let Some((seconds, _)) = item.mtime {
                self.root.set_mtime(&item.path, seconds)?;
            }
        }
        Ok(())
    }
}
