use std::fs::File;
use std::io::{self, ErrorKind, Seek, SeekFrom, Write};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bareroot_model::Digest;
use rustix::fs::{FlockOperation, MemfdFlags, Mode, OFlags, flock};
use rustix::io::Errno;

use super::{Cache, Shelf, owner};
use crate::Error;
use crate::net::Watch;

/// How often a lock that another process holds is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// A download that is not complete: locked and resumable in a cache, or nameless.
#[derive(Debug)]
pub(crate) struct Part {
    file: File,
    length: u64,
    home: Option<Home>,
}

#[derive(Debug)]
struct Home {
    /// Whether a later run finds what a broken-off one leaves.
    resumable: bool,
    part: PathBuf,
    whole: PathBuf,
    /// The same file, opened for reading only: what is handed out.
    reader: File,
}

/// What a cache has for who wants to write a download.
#[derive(Debug)]
pub(crate) enum Slot {
    /// It is ours to write.
    Free(Part),
    /// Another process has completed it meanwhile.
    Taken,
    /// Another process holds it and does not get on.
    Stuck,
}

impl Cache {
    /// The part of a download; `None` where nothing is written. While another process writes it, this waits, for as long
    /// as it grows at least once in `patience`.
    pub(crate) fn part(
        &self,
        shelf: Shelf,
        digest: &Digest,
        watch: &Watch,
        patience: Duration,
    ) -> Result<Option<Slot>, Error> {
        let Some(whole) = self.path_to_write(shelf, digest, "")? else {
            return Ok(None);
        };
        let part = whole.with_extension("part");
        let wrong = |source| Error::Write {
            path: part.clone(),
            source,
        };
        let mut grown = (0, Instant::now());
        loop {
            let file = open(&part).map_err(wrong)?;
            match lock(&file) {
                Ok(()) => {}
                Err(Errno::WOULDBLOCK) => {
                    let length = file.metadata().map_err(wrong)?.len();
                    if length != grown.0 {
                        grown = (length, Instant::now());
                    } else if grown.1.elapsed() > patience {
                        return Ok(Some(Slot::Stuck));
                    }
                    watch.pause(LOOK)?;
                    continue;
                }
                Err(error) if are_no_locks(error) => {
                    self.note_no_locks(&part);
                    discard_empty(&file, &part);
                    let (file, part) = unlocked(&whole).map_err(wrong)?;
                    return Part::at(file, part, whole, false).map(|part| Some(Slot::Free(part)));
                }
                Err(error) => return Err(wrong(error.into())),
            }
            // Between the opening and the lock, the one who held it may have renamed or removed the file.
            if !same(&file, &part) {
                continue;
            }
            if !owner::may_write(&file) {
                let (file, part) = unlocked(&whole).map_err(wrong)?;
                return Part::at(file, part, whole, false).map(|part| Some(Slot::Free(part)));
            }
            let is_whole = std::fs::symlink_metadata(&whole).is_ok_and(|metadata| metadata.is_file());
            let mut free = Part::at(file, part, whole, true)?;
            if is_whole {
                free.clear()?;
                return Ok(Some(Slot::Taken));
            }
            return Ok(Some(Slot::Free(free)));
        }
    }
}

#[cfg(test)]
thread_local!(static WITHOUT_LOCKS: std::cell::Cell<bool> = const { std::cell::Cell::new(false) });

fn lock(file: &File) -> Result<(), Errno> {
    #[cfg(test)]
    if WITHOUT_LOCKS.get() {
        return Err(Errno::NOLCK);
    }
    flock(file, FlockOperation::NonBlockingLockExclusive)
}

/// Whether this is how a file system says that it has no locks.
pub(super) fn are_no_locks(error: Errno) -> bool {
    matches!(
        error,
        Errno::NOLCK | Errno::NOSYS | Errno::OPNOTSUPP | Errno::INVAL
    )
}

/// Opens a part, never through a link. Nobody else may write it: what is derived is believed only then. One that was
/// there already may be anything ([`owner::may_write`]).
pub(super) fn open(path: &Path) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW.bits().cast_signed();
    File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o644)
        .custom_flags(flags)
        .open(path)
}

/// The file of that path once more, for reading only; an error where the path has another one meanwhile.
fn open_again(file: &File, path: &Path) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let reader = File::options()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path)?;
    let (one, other) = (file.metadata()?, reader.metadata()?);
    match (one.dev(), one.ino()) == (other.dev(), other.ino()) {
        true => Ok(reader),
        false => Err(io::Error::other("another file took its place")),
    }
}

/// Removes a part that was only made to find out that it cannot be locked.
pub(super) fn discard_empty(file: &File, path: &Path) {
    if file.metadata().is_ok_and(|metadata| metadata.len() == 0) {
        let _ = std::fs::remove_file(path);
    }
}

/// A part that is this process's alone by its name, for a file system without locks, or where somebody else has the name.
pub(super) fn unlocked(whole: &Path) -> io::Result<(File, PathBuf)> {
    let process = std::process::id();
    for number in 0..u32::MAX {
        let mut part = whole.as_os_str().to_owned();
        part.push(format!(".{process}-{number}.part"));
        let part = PathBuf::from(part);
        let opened = File::options()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(0o644)
            .open(&part);
        match opened {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            result => return result.map(|file| (file, part)),
        }
    }
    Err(ErrorKind::AlreadyExists.into())
}

/// Whether a path still names an open file.
pub(super) fn same(file: &File, path: &Path) -> bool {
    let (Ok(open), Ok(named)) = (file.metadata(), std::fs::symlink_metadata(path)) else {
        return false;
    };
    (open.dev(), open.ino()) == (named.dev(), named.ino())
}

impl Part {
    fn at(file: File, part: PathBuf, whole: PathBuf, resumable: bool) -> Result<Part, Error> {
        let opened = open_again(&file, &part).and_then(|reader| Ok((reader, file.metadata()?.len())));
        let (reader, length) = opened.map_err(|source| Error::Write {
            path: part.clone(),
            source,
        })?;
        let home = Home {
            resumable,
            part,
            whole,
            reader,
        };
        Ok(Part {
            file,
            length,
            home: Some(home),
        })
    }

    /// A nameless file: in the directory given, else in memory where there is no such directory, as in an empty root.
    pub(crate) fn temporary(directory: &Path) -> Result<Part, Error> {
        let file = match nameless(directory) {
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::NotFound | ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem
                ) =>
            {
                rustix::fs::memfd_create("bareroot", MemfdFlags::CLOEXEC)
                    .map(File::from)
                    .map_err(io::Error::from)
            }
            result => result,
        };
        let file = file.map_err(|source| Error::Write {
            path: directory.to_owned(),
            source,
        })?;
        Ok(Part {
            file,
            length: 0,
            home: None,
        })
    }

    pub(crate) fn len(&self) -> u64 {
        self.length
    }

    fn path(&self) -> PathBuf {
        self.home
            .as_ref()
            .map_or_else(|| PathBuf::from("a temporary file"), |home| home.part.clone())
    }

    fn wrong(&self, source: io::Error) -> Error {
        Error::Write {
            path: self.path(),
            source,
        }
    }

    /// Hands over what is there already, from the start.
    pub(crate) fn replay(&self, mut take: impl FnMut(&[u8])) -> Result<(), Error> {
        let mut buffer = vec![0; 128 << 10];
        let mut at = 0;
        while at < self.length {
            match self.file.read_at(&mut buffer, at) {
                Ok(0) => return Err(self.wrong(ErrorKind::UnexpectedEof.into())),
                Ok(length) => {
                    take(buffer.get(..length).unwrap_or_default());
                    at = at.saturating_add(length as u64);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(self.wrong(error)),
            }
        }
        self.seek_to_end()
    }

    fn seek_to_end(&self) -> Result<(), Error> {
        (&self.file)
            .seek(SeekFrom::Start(self.length))
            .map(drop)
            .map_err(|error| self.wrong(error))
    }

    /// Forgets what is there.
    pub(crate) fn clear(&mut self) -> Result<(), Error> {
        self.file.set_len(0).map_err(|error| self.wrong(error))?;
        self.length = 0;
        self.seek_to_end()
    }

    pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.file.write_all(bytes).map_err(|error| self.wrong(error))?;
        self.length = self.length.saturating_add(bytes.len() as u64);
        Ok(())
    }

    /// Makes it visible under its digest. Who calls this has seen that the content is right: it is handed out also where
    /// it cannot be kept, with the reason.
    pub(crate) fn publish(mut self) -> Result<(File, Option<Error>), Error> {
        let Some(home) = self.home.take() else {
            let file = self.file.try_clone().map_err(|error| self.wrong(error))?;
            return Ok((file, None));
        };
        let failure = std::fs::rename(&home.part, &home.whole).err().map(|source| {
            // Open as it is, it serves this run.
            let _ = std::fs::remove_file(&home.part);
            Error::Write {
                path: home.whole,
                source,
            }
        });
        Ok((home.reader, failure))
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if let Some(home) = self
            .home
            .as_ref()
            .filter(|home| self.length == 0 || !home.resumable)
        {
            // Nothing to resume; what stays behind would be harmless. A lock is still held.
            let _ = std::fs::remove_file(&home.part);
        }
    }
}

fn nameless(directory: &Path) -> io::Result<File> {
    let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
    match rustix::fs::open(directory, flags, Mode::RUSR | Mode::WUSR) {
        Ok(file) => return Ok(file.into()),
        Err(Errno::OPNOTSUPP | Errno::ISDIR | Errno::INVAL) => {}
        Err(error) => return Err(error.into()),
    }
    // Not every file system has O_TMPFILE.
    for number in 0..u32::MAX {
        let path = directory.join(format!(".bareroot-{}-{number}", std::process::id()));
        match File::options()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
        {
            Ok(file) => return std::fs::remove_file(&path).map(|()| file),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(ErrorKind::AlreadyExists.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use bareroot_model::Cancel;

    const DIGEST: Digest = Digest::new([0xab; 32]);

    fn cache() -> (tempfile::TempDir, Cache) {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::open(directory.path()).unwrap();
        (directory, cache)
    }

    fn named(cache: &Cache, suffix: &str) -> PathBuf {
        let path = cache.path_to_write(Shelf::Archives, &DIGEST, suffix);
        path.unwrap().unwrap()
    }

    fn free(cache: &Cache) -> Part {
        let slot = cache
            .part(
                Shelf::Archives,
                &DIGEST,
                &Watch(Cancel::default()),
                Duration::from_secs(5),
            )
            .unwrap();
        let Some(Slot::Free(part)) = slot else {
            panic!("{slot:?}")
        };
        part
    }

    #[test]
    fn a_part_lives_on_and_becomes_visible_when_it_is_told_to() {
        let (_directory, cache) = cache();
        let mut part = free(&cache);
        part.append(b"01234").unwrap();
        drop(part);
        assert!(!cache.has_archive(&DIGEST));
        let mut part = free(&cache);
        let mut seen = Vec::new();
        part.replay(|bytes| seen.extend_from_slice(bytes)).unwrap();
        assert_eq!(seen, b"01234");
        part.append(b"567").unwrap();
        let (file, failure) = part.publish().unwrap();
        assert!(failure.is_none());
        assert_eq!(file.metadata().unwrap().len(), 8);
        assert!(cache.has_archive(&DIGEST));
        assert!(!named(&cache, ".part").exists());
    }

    #[test]
    fn an_empty_part_leaves_nothing() {
        let (_directory, cache) = cache();
        let mut part = free(&cache);
        part.append(b"01234").unwrap();
        part.clear().unwrap();
        drop(part);
        assert!(!named(&cache, ".part").exists());
    }

    #[test]
    fn who_comes_second_waits_for_the_first() {
        let (_directory, cache) = cache();
        let mut part = free(&cache);
        part.append(b"x").unwrap();
        let watch = Watch(Cancel::default());
        let stuck = cache
            .part(Shelf::Archives, &DIGEST, &watch, Duration::from_millis(40))
            .unwrap();
        assert!(matches!(stuck, Some(Slot::Stuck)));
        let second = std::thread::spawn({
            let (cache, watch) = (cache.clone(), watch.clone());
            move || {
                cache
                    .part(Shelf::Archives, &DIGEST, &watch, Duration::from_secs(30))
                    .unwrap()
            }
        });
        part.publish().unwrap();
        assert!(matches!(second.join().unwrap(), Some(Slot::Taken)));
        assert!(!named(&cache, ".part").exists());
        std::fs::remove_file(named(&cache, "")).unwrap();
        let part = free(&cache);
        watch.0.set();
        assert!(matches!(
            cache.part(Shelf::Archives, &DIGEST, &watch, Duration::from_secs(30)),
            Err(Error::Cancelled(_))
        ));
        drop(part);
    }

    #[test]
    fn without_a_directory_there_is_memory() {
        let mut part = Part::temporary(Path::new("/nonexistent")).unwrap();
        part.append(b"0123").unwrap();
        let (file, failure) = part.publish().unwrap();
        assert!(failure.is_none());
        let mut four = [0; 4];
        file.read_exact_at(&mut four, 0).unwrap();
        assert_eq!(&four, b"0123");
    }

    #[test]
    fn without_locks_each_has_a_part_of_its_own() {
        let (_directory, cache) = cache();
        WITHOUT_LOCKS.set(true);
        let (mut first, mut second) = (free(&cache), free(&cache));
        let broken_off = free(&cache);
        WITHOUT_LOCKS.set(false);
        first.append(b"same").unwrap();
        second.append(b"same").unwrap();
        for part in [first, second] {
            let (file, failure) = part.publish().unwrap();
            assert!(failure.is_none() && file.metadata().unwrap().len() == 4);
        }
        drop(broken_off);
        assert_eq!(std::fs::read(named(&cache, "")).unwrap(), b"same");
        let shelf = named(&cache, "");
        assert_eq!(std::fs::read_dir(shelf.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn what_is_in_the_way_of_its_name_does_not_stop_it() {
        let (_directory, cache) = cache();
        std::os::unix::fs::symlink("/dev/zero", named(&cache, "")).unwrap();
        let mut part = free(&cache);
        part.append(b"0123").unwrap();
        assert!(part.publish().unwrap().1.is_none());
        assert_eq!(std::fs::read(named(&cache, "")).unwrap(), b"0123");
        std::fs::remove_file(named(&cache, "")).unwrap();
        std::fs::create_dir(named(&cache, "")).unwrap();
        let mut part = free(&cache);
        part.append(b"0123").unwrap();
        let (file, failure) = part.publish().unwrap();
        assert_eq!(file.metadata().unwrap().len(), 4);
        assert!(failure.unwrap().to_string().contains(&DIGEST.to_string()));
        assert!(!named(&cache, ".part").exists());
    }
}
