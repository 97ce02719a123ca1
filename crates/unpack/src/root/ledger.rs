//! The ledger of a root.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

use bareroot_ledger::text::{self, Line};
use bareroot_ledger::{FILE, FileId, Ledger, Owned, Scope};
use rustix::fs::{OFlags, Timespec, Timestamps};

use super::walk::Walk;
use super::{Error, FileKind, Root};
use crate::owners::{Owners, inherited};

impl Root {
    /// This root, with a ledger for what the file system cannot hold.
    #[must_use]
    pub fn with_ledger(mut self, ledger: Arc<Ledger>) -> Self {
        self.set_ledger(ledger);
        self
    }

    pub(crate) fn set_ledger(&mut self, ledger: Arc<Ledger>) {
        self.owners = Owners::new(Some(ledger));
    }

    /// Its ledger.
    pub fn ledger(&self) -> Option<&Arc<Ledger>> {
        self.owners.ledger()
    }

    pub(crate) fn owners(&self) -> &Owners {
        &self.owners
    }

    /// What the root's own text of its ledger is kept for; `None` where it has no such text.
    ///
    /// # Errors
    /// [`Error::Ledger`] for a text that is none, [`Error::Io`].
    pub fn ledger_scope(&self) -> Result<Option<Scope>, Error> {
        Ok(self.ledger_text()?.map(|(scope, _)| scope))
    }

    fn ledger_text(&self) -> Result<Option<(Scope, Vec<Line>)>, Error> {
        let is_file = self.lstat(FILE)?.is_some_and(|stat| stat.kind == FileKind::File);
        let Some(bytes) = (match is_file {
            true => self.read_if_exists(FILE)?,
            false => None,
        }) else {
            return Ok(None);
        };
        let parsed = text::parse(&bytes).map_err(|source| Error::Ledger {
            path: self.host(Path::new(FILE)),
            source,
        })?;
        Ok(Some(parsed))
    }

    /// Takes the root's own text of its ledger, [`FILE`], into the ledger that it was given, as far as that does not know
    /// better. A path that is no more is passed over.
    ///
    /// # Errors
    /// [`Error::Ledger`] for a text that is none, [`Error::Io`].
    pub fn load_ledger(&self) -> Result<(), Error> {
        let (Some(ledger), Some((_, lines))) = (self.ledger(), self.ledger_text()?) else {
            return Ok(());
        };
        for Line { path, owned } in lines {
            let path = Path::new(OsStr::from_bytes(&path));
            match self.lookup("look at", path, OFlags::PATH | OFlags::NOFOLLOW) {
                Ok(fd) => {
                    let id = FileId::of(&fd).map_err(|e| Error::io("look at", self.host(path), e))?;
                    ledger.set_if_unknown(id, owned);
                }
                Err(error) if error.is_not_found() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// This root with the ledger that its own text has, where it has one.
    ///
    /// # Errors
    /// As [`Root::load_ledger`].
    pub fn with_own_ledger(self) -> Result<Self, Error> {
        let Some(scope) = self.ledger_scope()? else {
            return Ok(self);
        };
        let root = self.with_ledger(Arc::new(Ledger::new(scope)));
        root.load_ledger()?;
        Ok(root)
    }

    /// Writes the text of its ledger into the root. What another process has recorded there meanwhile stays. One of devices
    /// alone is removed where there are none. The time of the root's own directory stays: the text is no part of it.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn save_ledger(&self) -> Result<(), Error> {
        let Some(ledger) = self.ledger() else {
            return Ok(());
        };
        self.load_ledger()?;
        let fail = |action, e: rustix::io::Errno| Error::io(action, self.path(), e);
        let before = rustix::fs::fstat(self).map_err(|e| fail("look at", e))?;
        let lines = self.ledger_lines()?;
        if ledger.keeps_owners() || !lines.is_empty() {
            self.write(FILE, 0o600, &text::render(ledger.scope(), &lines))?;
        } else if self.lstat(FILE)?.is_some_and(|stat| stat.kind == FileKind::File) {
            self.remove(FILE)?;
        }
        let times = Timestamps {
            last_access: Timespec {
                tv_sec: before.st_atime as _,
                tv_nsec: before.st_atime_nsec as _,
            },
            last_modification: Timespec {
                tv_sec: before.st_mtime as _,
                tv_nsec: before.st_mtime_nsec as _,
            },
        };
        rustix::fs::futimens(self, &times).map_err(|e| fail("set the time of", e))
    }

    /// What of the ledger is in the root, by path, where it is not what it would be without the ledger.
    fn ledger_lines(&self) -> Result<Vec<Line>, Error> {
        let Some(ledger) = self.ledger() else {
            return Ok(Vec::new());
        };
        let recorded = |id: std::io::Result<FileId>, path: &Path| -> Result<Option<Owned>, Error> {
            match id {
                Ok(id) => Ok(ledger.get(id)),
                Err(error) if error.raw_os_error() == Some(libc::ENOENT) => Ok(None),
                Err(error) => Err(Error::io("look at", self.host(path), error)),
            }
        };
        let mut lines = Vec::new();
        if let Some(owned) = recorded(FileId::of(self), Path::new("/"))?
            && (owned.uid, owned.gid) != (0, 0)
        {
            lines.push(Line {
                path: b".".to_vec(),
                owned,
            });
        }
        self.walk(|entry| {
            if let Some(owned) = recorded(entry.id(), entry.path())? {
                let plain = Owned {
                    uid: 0,
                    gid: inherited(entry.parent()),
                    device: None,
                };
                let says_something = match ledger.keeps_owners() {
                    true => owned != plain,
                    false => owned.device.is_some(),
                };
                if says_something {
                    let path = entry.path().as_os_str().as_bytes();
                    let path = path.strip_prefix(b"/").unwrap_or(path).to_vec();
                    lines.push(Line { path, owned });
                }
            }
            Ok(Walk::On)
        })?;
        Ok(lines)
    }
}

#[cfg(test)]
mod tests;
