//! Files that are on the disk before they get their names.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::AtFlags;

use super::Root;
use super::small::temporary;
use crate::error::Error;

/// A whole file on the disk that waits for its name. Dropped without [`Ready::place`], it is removed.
#[derive(Debug)]
pub struct Ready {
    dir: OwnedFd,
    temp: String,
    name: Vec<u8>,
    path: PathBuf,
    is_placed: bool,
}

impl Root {
    /// Makes a file of `mode` with this content as [`Root::write`] does, on the disk (fsync(2)), without giving it its name.
    ///
    /// # Errors
    /// As [`Root::write`].
    pub fn prepare(&self, path: impl AsRef<Path>, mode: u32, bytes: &[u8]) -> Result<Ready, Error> {
        let path = path.as_ref();
        let (dir, name) = self.parent("write", path)?;
        let fail = |e| Error::io("write", self.host(path), e);
        let (temp, file) = temporary(&dir).map_err(fail)?;
        let ready = Ready {
            dir,
            temp,
            name: name.to_vec(),
            path: self.host(path),
            is_placed: false,
        };
        self.fill(&file, mode, bytes)
            .and_then(|()| file.sync_all())
            .map_err(fail)?;
        Ok(ready)
    }
}

impl Ready {
    /// Whether that is the name that the file is to have.
    pub fn is_named(&self, name: &str) -> bool {
        self.name == name.as_bytes()
    }

    /// Gives the file its name; it replaces what had it, at once. The name itself is on the disk when the directory is synced
    /// ([`Root::sync_at`]).
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn place(mut self) -> Result<(), Error> {
        rustix::fs::renameat(&self.dir, self.temp.as_str(), &self.dir, self.name.as_slice())
            .map_err(|e| Error::io("write", &self.path, e))?;
        self.is_placed = true;
        Ok(())
    }
}

impl Drop for Ready {
    fn drop(&mut self) {
        if !self.is_placed {
            let _ = rustix::fs::unlinkat(&self.dir, self.temp.as_str(), AtFlags::empty());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_has_the_name_before_it_is_given() {
        let temp = tempfile::tempdir().unwrap();
        let root = Root::open(temp.path()).unwrap();
        std::fs::write(temp.path().join("f"), "old").unwrap();
        let read = || std::fs::read_to_string(temp.path().join("f")).unwrap();
        let ready = root.prepare("f", 0o640, b"new").unwrap();
        assert_eq!(read(), "old");
        drop(ready);
        assert_eq!(std::fs::read_dir(temp.path()).unwrap().count(), 1);
        root.prepare("f", 0o640, b"new").unwrap().place().unwrap();
        assert_eq!(read(), "new");
        assert_eq!(std::fs::read_dir(temp.path()).unwrap().count(), 1);
    }
}
