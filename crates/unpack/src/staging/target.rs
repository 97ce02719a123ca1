//! What the user named as the target.

use std::ffi::OsStr;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags};
use rustix::io::Errno;

use super::name::Naming;
use crate::error::{Error, lossy};
use crate::root::{FileKind, Mount, Stat, list};

/// A target that can be used, and its surroundings.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) parent: OwnedFd,
    /// Absolute, as far as that can be known.
    pub(super) parent_path: PathBuf,
    pub(super) name: Vec<u8>,
    pub(super) found: Found,
    /// Parents that were made for it, the outermost first.
    pub(super) made_parents: Vec<PathBuf>,
}

/// What is at the target.
#[derive(Debug)]
pub(super) enum Found {
    Missing,
    Directory {
        fd: OwnedFd,
        path: PathBuf,
        beside_is_possible: bool,
    },
}

impl Target {
    pub(super) fn find(target: &Path) -> Result<Self, Error> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        match rustix::fs::openat(CWD, target, flags, Mode::empty()) {
            Ok(fd) => Self::existing(target, fd),
            Err(Errno::NOENT) => Self::missing(target),
            Err(Errno::NOTDIR) => Err(not_directory(target)),
            Err(error) => Err(Error::io("open", target, error)),
        }
    }

    fn existing(target: &Path, fd: OwnedFd) -> Result<Self, Error> {
        let fail = |error| Error::io("open", target, error);
        let own = rustix::fs::fstat(&fd).map_err(fail)?;
        let is = |other: &rustix::fs::Stat| (other.st_dev, other.st_ino) == (own.st_dev, own.st_ino);
        if rustix::fs::stat("/").is_ok_and(|root| is(&root)) {
            return Err(Error::TargetIsRoot {
                target: target.to_path_buf(),
            });
        }
        let path = target.canonicalize().map_err(|e| Error::io("open", target, e))?;
        let (Some(parent_path), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(Error::TargetIsRoot {
                target: target.to_path_buf(),
            });
        };
        let parent = rustix::fs::openat(
            CWD,
            parent_path,
            OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC,
            Mode::empty(),
        )
        .map_err(|e| Error::io("open", parent_path, e))?;
        let around = rustix::fs::fstat(&parent).map_err(fail)?;
        let mount_point = Mount::of(fd.as_fd()).map_err(fail)? != Mount::of(parent.as_fd()).map_err(fail)?;
        // The shell of a user who names `.` would be left in a directory that is no more.
        let current = rustix::fs::stat(".").is_ok_and(|here| is(&here));
        // In a directory like /tmp only the owner of a name, or of the directory, may replace it.
        let user = rustix::process::geteuid();
        let sticky = around.st_mode & libc::S_ISVTX != 0;
        let foreign = own.st_uid != user.as_raw() && around.st_uid != user.as_raw() && !user.is_root();
        let found = Found::Directory {
            fd,
            path: path.clone(),
            beside_is_possible: !(mount_point || current || sticky && foreign),
        };
        let (parent_path, name) = (parent_path.to_path_buf(), name.as_bytes().to_vec());
        Ok(Target {
            parent,
            parent_path,
            name,
            found,
            made_parents: Vec::new(),
        })
    }

    fn missing(target: &Path) -> Result<Self, Error> {
        if rustix::fs::lstat(target).is_ok() {
            let found = "a symbolic link that leads nowhere";
            return Err(Error::TargetNotDirectory {
                target: target.to_path_buf(),
                found,
            });
        }
        let Surroundings {
            parent,
            parent_path,
            name,
            made_parents,
        } = Surroundings::of_name(target)?;
        Ok(Target {
            parent,
            parent_path,
            name,
            found: Found::Missing,
            made_parents,
        })
    }
}

/// Where something that is to be made will be.
#[derive(Debug)]
pub(super) struct Surroundings {
    pub(super) parent: OwnedFd,
    /// Absolute, as far as that can be known.
    pub(super) parent_path: PathBuf,
    pub(super) name: Vec<u8>,
    /// Parents that were made for it, the outermost first.
    pub(super) made_parents: Vec<PathBuf>,
}

impl Surroundings {
    /// Those of a file: where `target` is a link to one, that one's.
    pub(super) fn of_file(target: &Path) -> Result<Self, Error> {
        let is_link = rustix::fs::lstat(target)
            .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Symlink);
        if !is_link {
            return Self::of_name(target);
        }
        match target.canonicalize() {
            Ok(file) => Self::of_name(&file),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(Error::OutputNotFile {
                path: target.to_path_buf(),
                found: FileKind::Symlink,
            }),
            Err(error) => Err(Error::io("open", target, error)),
        }
    }

    /// Opens the parent of a path, making it where it is missing.
    fn of_name(target: &Path) -> Result<Self, Error> {
        let unusable = |reason| Error::TargetUnusable {
            target: target.to_path_buf(),
            reason,
        };
        // `file_name` looks over a final `/` and `/.`.
        let name = match target.components().next_back() {
            Some(Component::Normal(name)) => name.as_bytes().to_vec(),
            Some(_) => return Err(unusable("its last part is no name")),
            None => return Err(unusable("it is empty")),
        };
        let parent_path = match target.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let mut made_parents = Vec::new();
        let opened = make_parents(parent_path, &mut made_parents).and_then(|()| {
            let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
            rustix::fs::openat(CWD, parent_path, flags, Mode::empty()).map_err(|error| match error {
                Errno::NOTDIR => not_directory(parent_path),
                error => Error::io("open", parent_path, error),
            })
        });
        match opened {
            Ok(parent) => {
                let parent_path = parent_path
                    .canonicalize()
                    .unwrap_or_else(|_| parent_path.to_path_buf());
                Ok(Surroundings {
                    parent,
                    parent_path,
                    name,
                    made_parents,
                })
            }
            Err(error) => {
                remove_parents(&made_parents);
                Err(error)
            }
        }
    }
}

/// Makes what is missing of `path`, noting what it made.
fn make_parents(path: &Path, made: &mut Vec<PathBuf>) -> Result<(), Error> {
    let mut missing = Vec::new();
    let mut upto = Some(path);
    while let Some(directory) = upto.filter(|d| !d.as_os_str().is_empty()) {
        match rustix::fs::stat(directory) {
            Ok(_) => break,
            Err(Errno::NOENT) => missing.push(directory),
            Err(Errno::NOTDIR) => return Err(not_directory(directory)),
            Err(error) => return Err(Error::io("open", directory, error)),
        }
        upto = directory.parent();
    }
    for directory in missing.into_iter().rev() {
        match rustix::fs::mkdir(directory, Mode::from_raw_mode(0o755)) {
            Ok(()) => made.push(
                directory
                    .canonicalize()
                    .unwrap_or_else(|_| directory.to_path_buf()),
            ),
            Err(Errno::EXIST) => {}
            Err(error) => return Err(Error::io("create", directory, error)),
        }
    }
    Ok(())
}

/// Takes back what [`make_parents`] made, as far as it is still empty.
pub(super) fn remove_parents(made: &[PathBuf]) {
    for directory in made.iter().rev() {
        if rustix::fs::rmdir(directory).is_err() {
            break;
        }
    }
}

/// Whether there is a `lost+found`; an error when there is anything else.
pub(super) fn check_empty(fd: &OwnedFd, target: &Path) -> Result<bool, Error> {
    let names = list(fd.as_fd()).map_err(|e| Error::io("read", target, e))?;
    // The smallest name, so that the message is the same every time; a staging directory explains least.
    let other = names
        .iter()
        .filter(|name| *name != b"lost+found")
        .min_by_key(|name| (Naming::inside().is_ours(name), *name));
    match other {
        Some(name) => Err(Error::TargetNotEmpty {
            target: target.to_path_buf(),
            found: lossy(name),
        }),
        None => Ok(!names.is_empty()),
    }
}

fn not_directory(path: &Path) -> Error {
    // The path itself, or the nearest of its parents that is there, is in the way.
    for path in path.ancestors().filter(|p| !p.as_os_str().is_empty()) {
        let trimmed = OsStr::from_bytes(trim_slashes(path.as_os_str().as_bytes()));
        if let Ok(stat) = rustix::fs::statat(CWD, trimmed, AtFlags::empty()) {
            let found = Stat::of(&stat).kind.words();
            return Error::TargetNotDirectory {
                target: path.to_path_buf(),
                found,
            };
        }
    }
    Error::io("open", path, Errno::NOTDIR)
}

fn trim_slashes(path: &[u8]) -> &[u8] {
    let end = path
        .iter()
        .rposition(|&b| b != b'/')
        .map_or(path.len().min(1), |last| last + 1);
    path.get(..end).unwrap_or(path)
}
