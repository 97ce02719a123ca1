//! Files and links, with all that belongs to them.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use bareroot_unpack::{Error as RootError, Stat};
use rustix::fs::{Timespec, Timestamps, UTIME_OMIT, XattrFlags};

use super::Placing;
use crate::error::Error;
use crate::item::{Item, Made};
use crate::path;

/// The largest value of an extended attribute (XATTR_SIZE_MAX).
const LARGEST_ATTRIBUTE: usize = 65536;

impl Placing<'_> {
    /// A file of the source.
    pub(super) fn file(&mut self, item: &Item, stat: &Stat) -> Result<(), Error> {
        if let Some(first) = self.twins.get(&(stat.dev, stat.ino)).cloned() {
            let temporary = self.temporary(&item.path);
            self.root.hard_link(&first, &temporary)?;
            return self.settle(&temporary, &item.path);
        }
        let changed = || Error::Changed {
            path: item.path.clone(),
        };
        let mut from = self.plan.source.root.open_file(&item.path)?;
        let metadata = from
            .metadata()
            .map_err(|error| RootError::io("look at", &item.path, error))?;
        if !metadata.is_file() || (metadata.dev(), metadata.ino()) != (stat.dev, stat.ino) {
            return Err(changed());
        }
        let temporary = self.temporary(&item.path);
        let result = self.fill(item, &mut from, stat, &temporary);
        if let Err(error) = result {
            let _ = self.root.remove(&temporary);
            return Err(error);
        }
        self.settle(&temporary, &item.path)?;
        if stat.links > 1 {
            self.twins.insert((stat.dev, stat.ino), item.path.clone());
        }
        self.done.bytes += stat.size;
        Ok(())
    }

    fn fill(&mut self, item: &Item, from: &mut File, stat: &Stat, temporary: &Path) -> Result<(), Error> {
        let mut to = self.root.create_file(temporary, 0o600)?;
        let fail =
            |action, error: std::io::Error| Error::Root(RootError::io(action, self.host(&item.path), error));
        if rustix::fs::ioctl_ficlone(&to, &*from).is_err() {
            let copied = std::io::copy(from, &mut to).map_err(|error| fail("write", error))?;
            if copied != stat.size {
                return Err(Error::Changed {
                    path: item.path.clone(),
                });
            }
        }
        // The owner first: changing it takes capabilities and the setuid bit away.
        self.own(temporary, item, item.mode)?;
        self.attributes(from, &to, item)?;
        if let Some((seconds, nanoseconds)) = item.mtime {
            let times = Timestamps {
                last_access: Timespec {
                    tv_sec: 0,
                    tv_nsec: UTIME_OMIT as _,
                },
                last_modification: Timespec {
                    tv_sec: seconds as _,
                    tv_nsec: nanoseconds.into(),
                },
            };
            rustix::fs::futimens(&to, &times).map_err(|error| {
                Error::Root(RootError::io("set the time of", self.host(&item.path), error))
            })?;
        }
        Ok(())
    }

    /// A file that is made.
    pub(super) fn made(&mut self, item: &Item, content: &Made) -> Result<(), Error> {
        let bytes = match content {
            Made::Lines(lines) if self.is_existing => match self.root.read_if_exists(&item.path)? {
                Some(there) => super::accounts::merged(&there, lines),
                None => lines.clone(),
            },
            made => made.bytes().to_vec(),
        };
        let temporary = self.temporary(&item.path);
        let mut to = self.root.create_file(&temporary, 0o600)?;
        to.write_all(&bytes)
            .map_err(|error| RootError::io("write", self.host(&item.path), error))?;
        self.own(&temporary, item, item.mode)?;
        self.settle(&temporary, &item.path)?;
        self.done.bytes += bytes.len() as u64;
        Ok(())
    }

    /// A symbolic link.
    pub(super) fn link(&mut self, item: &Item, text: &[u8]) -> Result<(), Error> {
        let temporary = self.temporary(&item.path);
        self.root.symlink(path::path(text), &temporary)?;
        if let Err(error) = self.root.chown(&temporary, item.uid, item.gid) {
            self.refused(item, &error);
        }
        if let Some((seconds, _)) = item.mtime {
            self.root.set_mtime(&temporary, seconds)?;
        }
        self.settle(&temporary, &item.path)
    }

    /// Owner and mode. Where the owner cannot be set, nothing is left that would give its rights to another.
    pub(super) fn own(&mut self, place: &Path, item: &Item, mode: u32) -> Result<(), Error> {
        let mut mode = mode;
        if let Err(error) = self.root.chown(place, item.uid, item.gid) {
            self.refused(item, &error);
            mode &= 0o1777;
        }
        Ok(self.root.chmod(place, mode)?)
    }

    fn refused(&mut self, item: &Item, error: &RootError) {
        let reason = std::error::Error::source(error)
            .map(ToString::to_string)
            .unwrap_or_default();
        let text = format!(
            "`{}` cannot be given to {}:{}: {reason}",
            item.path.display(),
            item.uid,
            item.gid
        );
        self.done.warnings.push(text);
    }

    /// Extended attributes: capabilities, ACLs, and what users set.
    fn attributes(&mut self, from: &File, to: &File, item: &Item) -> Result<(), Error> {
        let mut names = vec![0_u8; LARGEST_ATTRIBUTE];
        let length = match rustix::fs::flistxattr(from, names.as_mut_slice()) {
            Ok(length) => length,
            // The source's file system has none.
            Err(_) => return Ok(()),
        };
        names.truncate(length);
        for name in names.split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
            let mut value = vec![0_u8; LARGEST_ATTRIBUTE];
            let Ok(length) = rustix::fs::fgetxattr(from, name, value.as_mut_slice()) else {
                continue;
            };
            value.truncate(length);
            // The label is the policy's business there; others of the file system's own cannot be set.
            if name == b"security.selinux" || name.starts_with(b"btrfs.") {
                continue;
            }
            if let Err(error) = rustix::fs::fsetxattr(to, name, &value, XattrFlags::empty()) {
                let text = format!(
                    "`{}` loses its attribute {}: {error}",
                    item.path.display(),
                    String::from_utf8_lossy(name)
                );
                self.done.warnings.push(text);
            }
        }
        Ok(())
    }

    /// The name under which something is made: its own in a root that nobody knows yet.
    fn temporary(&self, path: &Path) -> PathBuf {
        if !self.is_existing {
            return path.to_path_buf();
        }
        path::parent(path).join(format!(".bareroot-{}", std::process::id()))
    }

    /// Gives it its own name.
    fn settle(&self, temporary: &Path, path: &Path) -> Result<(), Error> {
        if temporary == path {
            return Ok(());
        }
        let result = self.root.rename(temporary, path);
        // Two names of one file: rename(2) does nothing, and the first name stays.
        let _ = self.root.remove(temporary);
        Ok(result?)
    }

    fn host(&self, path: &Path) -> PathBuf {
        self.root.path().join(crate::source::relative(path))
    }
}
