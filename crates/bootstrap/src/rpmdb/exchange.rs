//! One database put in the place of another. At every moment there is a whole one, and nothing of the old one is ever
//! removed: its files go to a directory beside it.

use std::path::{Path, PathBuf};

use bareroot_rpm_db::{Backend, ByteOrder, Contents, Database, DatabaseFile};
use bareroot_unpack::{FileKind, Root};

use super::Error;
use super::found::{Found, LARGEST, is_aside, spot};
use crate::error::Error as Any;

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchanged {
    /// The directory.
    pub directory: PathBuf,
    /// The kind of database that is there.
    pub backend: Backend,
    /// How many headers it holds.
    pub headers: usize,
    /// Where the old files are; `None` where there were none.
    pub aside: Option<PathBuf>,
}

impl Found {
    /// Puts a database of another kind, or for machines of another byte order, with the same headers in the place of this one.
    /// `None` when it is of that kind already.
    ///
    /// # Errors
    /// When this one is damaged, or the directory refuses.
    pub fn convert(&self, to: Backend, order: ByteOrder) -> Result<Option<Exchanged>, Any> {
        let contents = self.read()?;
        clear(&self.root, &self.directory, contents.backend)?;
        if contents.backend == to && (to != Backend::Bdb || contents.order == order) {
            return Ok(None);
        }
        let files = Database::of(&contents, to, order)?.finish()?;
        let aside = put(&self.root, &self.directory, contents.backend, files)?;
        Ok(Some(Exchanged {
            directory: self.directory(),
            backend: to,
            headers: contents.records().len(),
            aside: aside.map(|aside| self.root.path().join(aside)),
        }))
    }
}

/// Writes a database with these headers to a root, a directory that may be new, or the directory of a file. With `force` the
/// files of one that is there are kept aside.
///
/// # Errors
/// [`Error::Exists`]; when the directory refuses.
pub fn place(
    path: &Path,
    contents: &Contents,
    to: Option<Backend>,
    order: ByteOrder,
    force: bool,
) -> Result<Exchanged, Any> {
    if !path.exists() {
        let (parent, name) = (path.parent(), path.file_name());
        let parent = parent
            .filter(|parent| !parent.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        if let Some(name) = name {
            Root::open(parent)?.create_dir(name, 0o755)?;
        }
    }
    let spot = spot(path)?;
    let old = spot.file.as_deref().map(|file| -> Result<Backend, Any> {
        let begin = spot.root.read_up_to(spot.directory.join(file), LARGEST)?;
        Ok(Backend::recognise(&begin).unwrap_or_default())
    });
    let old = old.transpose()?;
    if let Some(backend) = old.filter(|_| !force) {
        let path = spot.root.path().join(&spot.directory);
        return Err(Error::Exists {
            path,
            backend: backend.word(),
        }
        .into());
    }
    let to = to.or(spot.backend).or(old).unwrap_or_default();
    let files = Database::of(contents, to, order)?.finish()?;
    spot.root.create_dir_all(&spot.directory, 0o755)?;
    let aside = put(&spot.root, &spot.directory, old.unwrap_or(to), files)?;
    Ok(Exchanged {
        directory: spot.root.path().join(&spot.directory),
        backend: to,
        headers: contents.records().len(),
        aside: aside.map(|aside| spot.root.path().join(aside)),
    })
}

/// Puts files into the directory and takes those of the old database out of it; gives the directory that has these.
fn put(
    root: &Root,
    directory: &Path,
    old: Backend,
    files: Vec<DatabaseFile>,
) -> Result<Option<PathBuf>, Any> {
    let leaving: Vec<String> = match directory.as_os_str().is_empty() {
        true => root.read_dir(".")?,
        false => root.read_dir(directory)?,
    }
    .into_iter()
    .filter_map(|entry| String::from_utf8(entry.name).ok())
    // Whatever rpm could take for a part of the new database goes too.
    .filter(|name| old.owns(name) || files.iter().any(|file| file.name == name))
    .collect();
    let mut aside = None;
    if !leaving.is_empty() {
        let place = free(root, directory, old)?;
        root.create_dir(&place, 0o700)?;
        for name in &leaving {
            // A second name first: should we be killed, both are there.
            let from = directory.join(name);
            if root.lstat(&from)?.is_some_and(|stat| stat.kind == FileKind::File) {
                root.hard_link(&from, place.join(name))?;
            }
        }
        root.sync()?;
        aside = Some(place);
    }
    // A log that sqlite would apply to the new file must be gone before it. Nothing is lost: it is aside, with its file.
    let of_log = |name: &&String| name.ends_with("-wal") || name.ends_with("-shm");
    let replaced = |name: &str| files.iter().any(|file| file.name == name);
    for name in leaving
        .iter()
        .filter(of_log)
        .filter(|_| replaced(Backend::Sqlite.file()))
    {
        root.remove(directory.join(name))?;
    }
    // The file with the headers comes last: rpm's other files mean nothing without it.
    for file in files.iter().rev() {
        root.write(directory.join(file.name), 0o644, &file.bytes)?;
    }
    root.sync()?;
    for name in leaving.iter().filter(|name| !replaced(name)) {
        match root.remove(directory.join(name)) {
            Err(error) if !error.is_not_found() => return Err(error.into()),
            _ => {}
        }
    }
    root.sync()?;
    Ok(aside)
}

/// Removes what a conversion that was killed did not come to: files of other kinds that are aside already.
fn clear(root: &Root, directory: &Path, stays: Backend) -> Result<(), Any> {
    let place = if directory.as_os_str().is_empty() {
        Path::new(".")
    } else {
        directory
    };
    for entry in root.read_dir(place)? {
        let Ok(name) = String::from_utf8(entry.name) else {
            continue;
        };
        let other = Backend::ALL.iter().any(|backend| backend.owns(&name));
        if other && !stays.owns(&name) && is_aside(root, directory, &name)? {
            root.remove(directory.join(&name))?;
        }
    }
    Ok(())
}

/// A name that nothing has: `rpmdb-old-KIND`, with a number where that is taken.
fn free(root: &Root, directory: &Path, old: Backend) -> Result<PathBuf, Any> {
    let mut number = 1;
    loop {
        let name = match number {
            1 => format!("rpmdb-old-{old}"),
            _ => format!("rpmdb-old-{old}.{number}"),
        };
        let path = directory.join(name);
        if root.lstat(&path)?.is_none() {
            return Ok(path);
        }
        number += 1;
    }
}

#[cfg(test)]
mod tests;
