//! Finding a database.

use std::path::{Path, PathBuf};

use bareroot_enter::confine;
use bareroot_rpm_db::{Backend, Contents, Source, verify};
use bareroot_unpack::{FileKind, Root};

use super::Error;
use crate::error::Error as Any;
use crate::rpm::arch;
use crate::rpm::record::location::{self, NEW, OLD};

/// Bytes of the largest file that is read: several times those of a workstation's database. Readers take a small multiple of
/// it in memory.
pub(super) const LARGEST: u64 = 2 << 30;

/// A database's directory, and its file.
pub struct Found {
    /// The root, or the directory.
    pub(super) root: Root,
    /// The database's directory in it.
    pub(super) directory: PathBuf,
    /// The file's name.
    file: String,
    usual: Option<Backend>,
}

/// A database's bytes.
pub struct Loaded {
    /// The file's name.
    file: String,
    bytes: Vec<u8>,
    log: Option<Vec<u8>>,
}

/// Where a database is, or would be.
pub(super) struct Spot {
    pub(super) root: Root,
    pub(super) directory: PathBuf,
    /// The file that was named, or the one that the directory has.
    pub(super) file: Option<String>,
    /// What the root's own rpm would have.
    pub(super) backend: Option<Backend>,
}

impl Found {
    /// Finds the database of a root, a directory or a file.
    ///
    /// # Errors
    /// [`Error::None`], [`Error::Several`].
    pub fn open(path: &Path) -> Result<Found, Any> {
        let spot = spot(path)?;
        let none = || Error::None {
            path: path.to_owned(),
            source: None,
        };
        let file = spot.file.ok_or_else(none)?;
        Ok(Found {
            root: spot.root,
            directory: spot.directory,
            file,
            usual: spot.backend,
        })
    }

    /// Reads its files.
    ///
    /// # Errors
    /// [`Error::Journal`]; when a file cannot be read.
    pub fn load(&self) -> Result<Loaded, Any> {
        let Found {
            root,
            directory,
            file,
            ..
        } = self;
        let beside = |end: &str| directory.join(format!("{file}{end}"));
        if root.lstat(beside("-journal"))?.is_some_and(|stat| stat.size > 0) {
            let path = root.path().join(beside("-journal"));
            return Err(Error::Journal { path }.into());
        }
        let bytes = root.read_up_to(directory.join(file), LARGEST)?;
        let log = match Backend::recognise(&bytes) {
            Some(Backend::Sqlite) if root.exists(beside("-wal"))? => {
                Some(root.read_up_to(beside("-wal"), LARGEST)?)
            }
            _ => None,
        };
        Ok(Loaded {
            file: file.clone(),
            bytes,
            log,
        })
    }

    /// The kind that the root's own rpm is set up for, where what was named is a root that says.
    pub fn usual(&self) -> Option<Backend> {
        self.usual
    }

    /// The database's directory, from what was named.
    pub fn directory(&self) -> PathBuf {
        self.root.path().join(&self.directory)
    }
}

impl Loaded {
    /// The database's bytes.
    pub fn source(&self) -> Source<'_> {
        Source {
            name: &self.file,
            bytes: &self.bytes,
            log: self.log.as_deref(),
        }
    }

    /// All that it holds.
    ///
    /// # Errors
    /// When it is damaged.
    pub fn read(&self) -> Result<Contents<'_>, Any> {
        Ok(confine::parse(|| self.source().read())?)
    }

    /// All that it holds, and everything that is wrong with its headers and indexes.
    ///
    /// # Errors
    /// When its structure is damaged.
    pub fn verify(&self) -> Result<(Contents<'_>, Vec<bareroot_rpm_db::Error>), Any> {
        let contents = self.read()?;
        let findings = confine::parse(|| verify::findings(&self.source(), &contents));
        Ok((contents, findings))
    }
}

/// Where the database of a root, a directory or a file is.
pub(super) fn spot(path: &Path) -> Result<Spot, Any> {
    let unseen = |source| Error::None {
        path: path.to_owned(),
        source: Some(source),
    };
    // A link that the user names is theirs; inside a directory none leads out of it.
    let real = path.canonicalize().map_err(unseen)?;
    if !real.is_dir() {
        let directory = real.parent().unwrap_or(Path::new("/"));
        return Ok(Spot {
            root: Root::open(directory)?,
            directory: PathBuf::new(),
            file: real.file_name().map(|name| name.to_string_lossy().into_owned()),
            backend: None,
        });
    }
    let root = Root::open(&real)?;
    if let Some(file) = only(&root, Path::new(""), None, path)? {
        return Ok(Spot {
            root,
            directory: PathBuf::new(),
            file: Some(file),
            backend: None,
        });
    }
    let location = location::of(&root, arch::host())?;
    let mut candidates = vec![location.directory.clone()];
    candidates.extend([NEW, OLD].map(PathBuf::from));
    for directory in candidates {
        let there = root
            .stat(&directory)?
            .is_some_and(|stat| stat.kind == FileKind::Directory);
        if there && let Some(file) = only(&root, &directory, location.backend, path)? {
            return Ok(Spot {
                root,
                directory,
                file: Some(file),
                backend: location.backend,
            });
        }
    }
    // A directory of its own has nothing of a root.
    let is_root = root.exists("usr")? || root.exists("etc")?;
    let directory = if is_root {
        location.directory
    } else {
        PathBuf::new()
    };
    Ok(Spot {
        root,
        directory,
        file: None,
        backend: location.backend,
    })
}

/// The one database's file in a directory: of several, the one that rpm is set up for.
fn only(
    root: &Root,
    directory: &Path,
    preferred: Option<Backend>,
    named: &Path,
) -> Result<Option<String>, Any> {
    let mut found = Vec::new();
    for backend in Backend::ALL {
        let path = directory.join(backend.file());
        if root
            .stat(&path)?
            .is_some_and(|stat| stat.kind == FileKind::File && stat.size > 0)
        {
            found.push(backend);
        }
    }
    // A conversion that was killed after its last file was whole has left those of the old database, which are aside as well.
    if found.len() > 1 {
        let mut staying = Vec::new();
        for backend in &found {
            if !is_leaving(root, directory, *backend, &found)? {
                staying.push(*backend);
            }
        }
        if staying.len() == 1 {
            found = staying;
        }
    }
    match found.as_slice() {
        [] => Ok(None),
        [one] => Ok(Some(one.file().to_owned())),
        several => match preferred.filter(|backend| several.contains(backend)) {
            Some(backend) => Ok(Some(backend.file().to_owned())),
            None => {
                let files: Vec<&str> = several.iter().map(|backend| backend.file()).collect();
                let path = named.join(directory);
                Err(Error::Several {
                    path,
                    files: files.join(", "),
                }
                .into())
            }
        },
    }
}

/// Whether a file has a second name in a directory of old databases.
pub(super) fn is_aside(root: &Root, directory: &Path, name: &str) -> Result<bool, Any> {
    let Some(own) = root.lstat(directory.join(name))? else {
        return Ok(false);
    };
    let place = if directory.as_os_str().is_empty() {
        Path::new(".")
    } else {
        directory
    };
    for entry in root.read_dir(place)? {
        let Some(aside) = String::from_utf8(entry.name)
            .ok()
            .filter(|aside| aside.starts_with("rpmdb-old-"))
        else {
            continue;
        };
        let other = root.lstat(directory.join(aside).join(name))?;
        if other.is_some_and(|other| (other.dev, other.ino) == (own.dev, own.ino)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether the headers of that kind are what a conversion was about to remove: they are aside, and nothing has changed them since
/// those of another kind were written.
fn is_leaving(root: &Root, directory: &Path, backend: Backend, all: &[Backend]) -> Result<bool, Any> {
    let changed = |backend: Backend| -> Result<Option<(i64, u32)>, Any> {
        let stat = root.lstat(directory.join(backend.file()))?;
        Ok(stat.map(|stat| (stat.mtime, stat.mtime_nsec)))
    };
    if !is_aside(root, directory, backend.file())? {
        return Ok(false);
    }
    let own = changed(backend)?;
    for other in all.iter().filter(|other| **other != backend) {
        if changed(*other)? < own {
            return Ok(false);
        }
    }
    Ok(true)
}
