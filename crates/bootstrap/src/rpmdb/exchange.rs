//! One database put in the place of another. At every moment there is a whole one, and nothing of the old one is ever
//! removed: its files go to a directory beside it.

use std::path::{Path, PathBuf};

use bareroot_rpm_db::{Backend, ByteOrder, Contents, Source, convert};
use bareroot_unpack::{FileKind, Ready, Root};

use super::Error;
use super::found::{Found, LARGEST, is_aside, spot};
use super::lock::Lock;
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
    /// Without a word about the kind it is the one that the root's own rpm is set up for. The kind that is there by then, and
    /// nothing else when it was that one already.
    ///
    /// # Errors
    /// [`Error::Locked`]; when this one is damaged, or the directory refuses.
    pub fn convert(
        &self,
        to: Option<Backend>,
        order: Option<ByteOrder>,
    ) -> Result<(Backend, Option<Exchanged>), Any> {
        let _lock = Lock::take(&self.root, &self.directory)?;
        // Whoever had the lock may have changed it: it is not read before.
        let loaded = self.load()?;
        let contents = loaded.read()?;
        clear(&self.root, &self.directory, contents.backend)?;
        let to = to.or(self.usual()).unwrap_or(contents.backend);
        let order = order.unwrap_or(contents.order);
        if contents.backend == to && (to != Backend::Bdb || contents.order == order) {
            return Ok((to, None));
        }
        let ready = prepare(&self.root, &self.directory, &contents, to, order)?;
        let aside = put(&self.root, &self.directory, contents.backend, ready)?;
        let exchanged = Exchanged {
            directory: self.directory(),
            backend: to,
            headers: contents.records().len(),
            aside: aside.map(|aside| self.root.path().join(aside)),
        };
        Ok((to, Some(exchanged)))
    }
}

/// Writes a database with these headers to a root, a directory that may be new, or the directory of a file. With `force` the
/// files of one that is there are kept aside.
///
/// # Errors
/// [`Error::Exists`], [`Error::Locked`]; when the directory refuses.
pub fn place(
    path: &Path,
    contents: &Contents<'_>,
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
    spot.root.create_dir_all(&spot.directory, 0o755)?;
    // Nobody else knows of a database that is not there yet.
    let _lock = match old {
        Some(old) => {
            let lock = Lock::take(&spot.root, &spot.directory)?;
            clear(&spot.root, &spot.directory, old)?;
            Some(lock)
        }
        None => None,
    };
    let ready = prepare(&spot.root, &spot.directory, contents, to, order)?;
    let aside = put(&spot.root, &spot.directory, old.unwrap_or(to), ready)?;
    Ok(Exchanged {
        directory: spot.root.path().join(&spot.directory),
        backend: to,
        headers: contents.records().len(),
        aside: aside.map(|aside| spot.root.path().join(aside)),
    })
}

/// Puts files into the directory and takes those of the old database out of it; gives the directory that has these.
fn put(root: &Root, directory: &Path, old: Backend, ready: Vec<Ready>) -> Result<Option<PathBuf>, Any> {
    if old == Backend::Sqlite {
        settle(root, directory)?;
    }
    let leaving: Vec<String> = names(root, directory)?
        .into_iter()
        // Whatever rpm could take for a part of the new database goes too.
        .filter(|name| old.owns(name) || ready.iter().any(|file| file.is_named(name)))
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
        root.sync_at(&place)?;
        root.sync_at(own(directory))?;
        aside = Some(place);
    }
    // A log that sqlite would apply to the new file must be gone before it. Nothing is lost: what is still there after
    // `settle` is no log of a database that can be read, and it is aside.
    let of_log = |name: &&String| name.ends_with("-wal") || name.ends_with("-shm");
    let replaced = |name: &str| ready.iter().any(|file| file.is_named(name));
    for name in leaving
        .iter()
        .filter(of_log)
        .filter(|_| replaced(Backend::Sqlite.file()))
    {
        root.remove(directory.join(name))?;
    }
    let unneeded: Vec<&String> = leaving.iter().filter(|name| !replaced(name)).collect();
    // The file with the headers comes last: rpm's other files mean nothing without it.
    for file in ready.into_iter().rev() {
        file.place()?;
    }
    root.sync_at(own(directory))?;
    for name in unneeded {
        match root.remove(directory.join(name)) {
            Err(error) if !error.is_not_found() => return Err(error.into()),
            _ => {}
        }
    }
    // Old files that a crash brings back are aside as well, and the next run removes them.
    Ok(aside)
}

/// Writes a database's files to the disk, without their names yet: a disk that is full is found out before anything else is
/// touched.
fn prepare(
    root: &Root,
    directory: &Path,
    contents: &Contents<'_>,
    to: Backend,
    order: ByteOrder,
) -> Result<Vec<Ready>, Any> {
    convert(contents, to, order, |file| {
        Ok(root.prepare(directory.join(file.name), 0o644, &file.bytes)?)
    })
}

/// Brings what sqlite's log has committed into the file, as sqlite does when the last program closes a database. The log may go
/// before the file then; while both are there, the log says what the file has already.
fn settle(root: &Root, directory: &Path) -> Result<(), Any> {
    let name = Backend::Sqlite.file();
    let [file, log, shared] = ["", "-wal", "-shm"].map(|end| directory.join(format!("{name}{end}")));
    let is_file = |path: &Path| -> Result<bool, Any> {
        Ok(root.lstat(path)?.is_some_and(|stat| stat.kind == FileKind::File))
    };
    if !is_file(&file)? || !is_file(&log)? {
        return Ok(());
    }
    let (bytes, content) = (root.read_up_to(&file, LARGEST)?, root.read_up_to(&log, LARGEST)?);
    let source = Source {
        name,
        bytes: &bytes,
        log: Some(&content),
    };
    // A log that cannot be read holds no header that anybody could.
    let Ok(settled) = source.settled() else {
        return Ok(());
    };
    if !content.is_empty() {
        root.prepare(&file, 0o644, &settled)?.place()?;
        root.sync_at(own(directory))?;
    }
    root.remove(&log)?;
    if is_file(&shared)? {
        root.remove(&shared)?;
    }
    Ok(())
}

/// Removes what a conversion that was killed has left: files of other kinds that are aside already, directories of what never
/// left its place, and files that were not written whole.
fn clear(root: &Root, directory: &Path, stays: Backend) -> Result<(), Any> {
    let mut asides = Vec::new();
    for name in names(root, directory)? {
        let path = directory.join(&name);
        let other = Backend::ALL.iter().any(|backend| backend.owns(&name));
        if other && !stays.owns(&name) && is_aside(root, directory, &name)? {
            root.remove(path)?;
        } else if let Some(stat) = root.lstat(&path)? {
            // `Root::write` fills a file of such a name first.
            if name.starts_with(".bareroot-") && stat.kind == FileKind::File {
                root.remove(path)?;
            } else if name.starts_with("rpmdb-old-") && stat.kind == FileKind::Directory {
                asides.push(path);
            }
        }
    }
    for aside in asides {
        let kept = names(root, &aside)?;
        let mut needed = false;
        for name in &kept {
            let own = root.lstat(aside.join(name))?;
            let other = root.lstat(directory.join(name))?;
            needed |= match (own, other) {
                (Some(own), Some(other)) => {
                    own.kind != FileKind::File || (own.dev, own.ino) != (other.dev, other.ino)
                }
                _ => true,
            };
        }
        if !needed {
            for name in &kept {
                root.remove(aside.join(name))?;
            }
            root.remove(aside)?;
        }
    }
    Ok(())
}

/// The directory as a path that can be opened: that of a root itself is empty.
fn own(directory: &Path) -> &Path {
    match directory.as_os_str().is_empty() {
        true => Path::new("."),
        false => directory,
    }
}

/// The names in a directory, those that are no text left out.
fn names(root: &Root, directory: &Path) -> Result<Vec<String>, Any> {
    let entries = root.read_dir(own(directory))?.into_iter();
    Ok(entries
        .filter_map(|entry| String::from_utf8(entry.name).ok())
        .collect())
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
