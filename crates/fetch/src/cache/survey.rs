//! What lies in a cache's directory, by name and age.
//!
//! Every step down goes through the descriptor of the directory above, never through a link: a cache may belong to
//! somebody else than who cleans it up.

use std::ffi::{CStr, OsStr};
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use bareroot_model::Digest;
use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, openat, statat, unlinkat};

use super::{Cache, LAYOUT, OURS, SIGNATURE, Shelf, TAG};
use crate::Error;

/// The kinds of what a cache holds, as people tell them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Indexes and Release files, as they came and parsed.
    Indexes,
    /// Packages.
    Archives,
    /// Packages' payloads, unpacked.
    Payloads,
    /// Downloads that are not complete.
    Parts,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 4] = [Kind::Indexes, Kind::Archives, Kind::Payloads, Kind::Parts];

    /// Its word for people and for JSON.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Indexes => "indexes",
            Kind::Archives => "archives",
            Kind::Payloads => "payloads",
            Kind::Parts => "parts",
        }
    }
}

/// How much there is of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Of what.
    pub kind: Kind,
    /// How many files.
    pub files: usize,
    /// Their lengths together, in bytes.
    pub bytes: u64,
}

/// What a file is by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// A download of this digest.
    Whole(Digest),
    /// What was derived from the file of this digest, in a form of this name.
    Derived(Digest, String),
    /// Something incomplete.
    Part,
    /// Nothing that belongs here.
    Unknown,
}

/// A file, or whatever else is in its place.
#[derive(Debug)]
pub(super) struct Entry<'d> {
    directory: &'d OwnedFd,
    name: &'d CStr,
    pub(super) path: PathBuf,
    pub(super) kind: Kind,
    pub(super) payload: bool,
    pub(super) what: What,
    pub(super) bytes: u64,
    /// When it was used last.
    pub(super) used: SystemTime,
}

impl Entry<'_> {
    /// Opens it for reading.
    pub(super) fn open(&self) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        Ok(openat(self.directory, self.name, flags, Mode::empty())?.into())
    }

    /// Removes it. That it is gone already is no failure.
    pub(super) fn remove(&self) -> Result<(), Error> {
        match unlinkat(self.directory, self.name, AtFlags::empty()) {
            Ok(()) | Err(rustix::io::Errno::NOENT) => Ok(()),
            Err(error) => Err(Error::Write {
                path: self.path.clone(),
                source: error.into(),
            }),
        }
    }
}

impl Cache {
    /// A cache that is there, to be looked through; `None` where there is no such directory, or an empty one.
    ///
    /// # Errors
    /// [`Error::NoCache`] for a directory that is something else.
    pub fn existing(root: impl Into<PathBuf>) -> Result<Option<Cache>, Error> {
        let root = root.into();
        match std::fs::read_dir(&root).map(|mut entries| entries.next().is_none()) {
            Ok(true) => return Ok(None),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            _ => recognize(&root)?,
        }
        Ok(Some(Cache::of(Some(root))))
    }

    /// How much there is of each kind, in the own directory.
    ///
    /// # Errors
    /// [`Error::ReadCache`].
    pub fn sizes(&self) -> Result<[Size; 4], Error> {
        let mut sizes = Kind::ALL.map(|kind| Size {
            kind,
            files: 0,
            bytes: 0,
        });
        self.walk(|entry| {
            for size in sizes
                .iter_mut()
                .filter(|size| size.kind == entry.kind && entry.what != What::Unknown)
            {
                size.files += 1;
                size.bytes = size.bytes.saturating_add(entry.bytes);
            }
            Ok(())
        })?;
        Ok(sizes)
    }

    /// Visits everything in the own directory, but for the marks of what runs.
    pub(super) fn walk(&self, mut visit: impl FnMut(&Entry<'_>) -> Result<(), Error>) -> Result<(), Error> {
        let Some(root) = self.root() else {
            return Ok(());
        };
        let path = root.join(LAYOUT);
        let Some(layout) = open(CWD, &path, &path)? else {
            return Ok(());
        };
        each(&layout, &path, |name, path, is_directory| {
            let text = name.to_str().unwrap_or_default();
            let shelf = Shelf::ALL.into_iter().find(|shelf| shelf.name() == text);
            match shelf.filter(|_| is_directory) {
                Some(shelf) => walk_shelf(shelf, &layout, name, &path, &mut visit),
                None if text == TAG || (text == "runs" && is_directory) => Ok(()),
                None => visit_unknown(Shelf::Archives, &layout, name, path, &mut visit),
            }
        })
    }
}

fn walk_shelf(
    shelf: Shelf,
    above: &OwnedFd,
    name: &CStr,
    path: &Path,
    visit: &mut impl FnMut(&Entry<'_>) -> Result<(), Error>,
) -> Result<(), Error> {
    let Some(directory) = open(above, name, path)? else {
        return Ok(());
    };
    each(&directory, path, |name, path, is_directory| {
        let fan = name.to_bytes();
        if !is_directory || fan.len() != 2 {
            return visit_unknown(shelf, &directory, name, path, visit);
        }
        let Some(inner) = open(&directory, name, &path)? else {
            return Ok(());
        };
        each(&inner, &path, |name, path, _| {
            visit_one(shelf, fan, &inner, name, path, visit)
        })
    })
}

fn visit_unknown(
    shelf: Shelf,
    directory: &OwnedFd,
    name: &CStr,
    path: PathBuf,
    visit: &mut impl FnMut(&Entry<'_>) -> Result<(), Error>,
) -> Result<(), Error> {
    visit_one(shelf, b"", directory, name, path, visit)
}

fn visit_one(
    shelf: Shelf,
    fan: &[u8],
    directory: &OwnedFd,
    name: &CStr,
    path: PathBuf,
    visit: &mut impl FnMut(&Entry<'_>) -> Result<(), Error>,
) -> Result<(), Error> {
    // Another process may have removed it meanwhile.
    let Ok(stat) = statat(directory, name, AtFlags::SYMLINK_NOFOLLOW) else {
        return Ok(());
    };
    let is_file = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
    let what = match name.to_str() {
        Ok(text) if is_file && !fan.is_empty() && text.as_bytes().starts_with(fan) => of_name(shelf, text),
        _ => What::Unknown,
    };
    let kind = match (&what, shelf) {
        (What::Part, _) => Kind::Parts,
        (_, Shelf::Archives) => Kind::Archives,
        (_, Shelf::Payloads) => Kind::Payloads,
        (_, Shelf::Indexes | Shelf::Parsed | Shelf::Releases) => Kind::Indexes,
    };
    visit(&Entry {
        directory,
        name,
        path,
        kind,
        payload: shelf == Shelf::Payloads,
        what,
        bytes: u64::try_from(stat.st_size).unwrap_or_default(),
        used: time(stat.st_mtime, stat.st_mtime_nsec.into()),
    })
}

fn time(seconds: i64, nanoseconds: i128) -> SystemTime {
    let nanoseconds = Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or_default());
    match u64::try_from(seconds) {
        Ok(seconds) => SystemTime::UNIX_EPOCH + Duration::from_secs(seconds) + nanoseconds,
        Err(_) => SystemTime::UNIX_EPOCH,
    }
}

/// `<sha256>`, `<sha256>.<kind>`, and either with more and `.part`.
fn of_name(shelf: Shelf, name: &str) -> What {
    let (digest, rest) = name.split_at_checked(64).unwrap_or((name, ""));
    let Ok(digest) = digest.parse::<Digest>() else {
        return What::Unknown;
    };
    // Only the form that is written is looked for again.
    if digest.to_string() != name.get(..64).unwrap_or_default() {
        return What::Unknown;
    }
    if rest.starts_with('.') && rest.ends_with(".part") {
        return What::Part;
    }
    match (shelf, rest.strip_prefix('.')) {
        (Shelf::Archives | Shelf::Indexes, None) if rest.is_empty() => What::Whole(digest),
        (Shelf::Parsed | Shelf::Payloads | Shelf::Releases, Some(kind)) if !kind.is_empty() => {
            What::Derived(digest, kind.to_owned())
        }
        _ => What::Unknown,
    }
}

/// A directory; `None` where there is none, or something else.
fn open(above: impl AsFd, name: impl rustix::path::Arg, path: &Path) -> Result<Option<OwnedFd>, Error> {
    use rustix::io::Errno;
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match openat(above, name, flags, Mode::empty()) {
        Ok(directory) => Ok(Some(directory)),
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => Ok(None),
        Err(error) => Err(wrong(path, error.into())),
    }
}

/// Calls for each name in a directory, with its path and whether it is a directory itself.
fn each(
    directory: &OwnedFd,
    path: &Path,
    mut visit: impl FnMut(&CStr, PathBuf, bool) -> Result<(), Error>,
) -> Result<(), Error> {
    let entries = Dir::read_from(directory).map_err(|error| wrong(path, error.into()))?;
    for entry in entries {
        let entry = entry.map_err(|error| wrong(path, error.into()))?;
        let name = entry.file_name();
        if matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        let is_directory = statat(directory, name, AtFlags::SYMLINK_NOFOLLOW)
            .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Directory);
        visit(name, path.join(OsStr::from_bytes(name.to_bytes())), is_directory)?;
    }
    Ok(())
}

fn wrong(path: &Path, source: io::Error) -> Error {
    Error::ReadCache {
        path: path.to_owned(),
        source,
    }
}

/// Whether a directory is a cache of ours: by its mark, else by having our layout and nothing else in it.
pub(super) fn recognize(root: &Path) -> Result<(), Error> {
    let layout = root.join(LAYOUT);
    let no_cache = |reason: String| Error::NoCache {
        path: root.to_owned(),
        reason,
    };
    match std::fs::metadata(root) {
        Err(error) => return Err(no_cache(error.to_string())),
        Ok(metadata) if !metadata.is_dir() => return Err(no_cache("it is no directory".to_owned())),
        Ok(_) => {}
    }
    if is_tag(&root.join(TAG)) || is_tag(&layout.join(TAG)) {
        return Ok(());
    }
    let mut shelves = 0;
    let mut others = 0;
    for entry in std::fs::read_dir(&layout).into_iter().flatten().flatten() {
        let name = entry.file_name();
        if Shelf::ALL.iter().any(|shelf| *shelf.name() == *name) {
            shelves += 1;
        } else if name != "runs" && name != TAG {
            others += 1;
        }
    }
    match shelves > 0 && others == 0 {
        true => Ok(()),
        false => Err(no_cache(format!(
            "it has neither a {TAG} with bareroot's name nor {LAYOUT}/ with a cache's directories"
        ))),
    }
}

fn is_tag(path: &Path) -> bool {
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(4096).read_to_string(&mut text));
    read.is_ok() && text.starts_with(SIGNATURE) && text.lines().any(|line| line == OURS)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: Digest = Digest::new([0xab; 32]);

    #[test]
    fn names_say_what_files_are() {
        let name = DIGEST.to_string();
        let with = |suffix: &str| format!("{name}{suffix}");
        for (shelf, text, expected) in [
            (Shelf::Archives, with(""), What::Whole(DIGEST)),
            (Shelf::Archives, with(".part"), What::Part),
            (Shelf::Archives, with(".12-0.part"), What::Part),
            (Shelf::Archives, with(".deb"), What::Unknown),
            (Shelf::Archives, with("0"), What::Unknown),
            (Shelf::Archives, name[1..].to_owned(), What::Unknown),
            (Shelf::Archives, name.to_uppercase(), What::Unknown),
            (
                Shelf::Payloads,
                with(".tar-1"),
                What::Derived(DIGEST, "tar-1".to_owned()),
            ),
            (Shelf::Payloads, with(".tar-1.part"), What::Part),
            (Shelf::Parsed, with(""), What::Unknown),
            (Shelf::Parsed, "ab.ü".to_owned(), What::Unknown),
        ] {
            assert_eq!(of_name(shelf, &text), expected, "{shelf:?} {text}");
        }
    }

    #[test]
    fn only_a_cache_is_one() {
        let home = tempfile::tempdir().unwrap();
        let refused = || matches!(Cache::existing(home.path()), Err(Error::NoCache { .. }));
        assert!(Cache::existing(home.path()).unwrap().is_none());
        assert!(Cache::existing(home.path().join("none")).unwrap().is_none());
        std::fs::create_dir_all(home.path().join("v1/archives/ab")).unwrap();
        assert!(Cache::existing(home.path()).unwrap().is_some());
        std::fs::write(home.path().join("v1/notes"), "").unwrap();
        assert!(refused());
        // Somebody else's tag does not help.
        let tag = home.path().join(TAG);
        std::fs::write(&tag, format!("{SIGNATURE}\n# ccache\n")).unwrap();
        assert!(refused());
        std::fs::write(&tag, format!("{SIGNATURE}\n{OURS}\n")).unwrap();
        assert!(Cache::existing(home.path()).unwrap().is_some());
        assert!(matches!(Cache::existing(tag), Err(Error::NoCache { .. })));
    }

    #[test]
    fn sizes_are_by_kind_and_links_are_not_followed() {
        let root = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        let cache = Cache::open(root.path()).unwrap();
        std::fs::write(outside.path().join(DIGEST.to_string()), "outside").unwrap();
        for (shelf, suffix, length) in [
            (Shelf::Archives, "", 10),
            (Shelf::Archives, ".part", 20),
            (Shelf::Indexes, "", 30),
            (Shelf::Parsed, ".packages-1", 40),
            (Shelf::Payloads, ".tar-1", 50),
            (Shelf::Payloads, ".tar-1.part", 60),
            (Shelf::Releases, ".release-1", 70),
            (Shelf::Releases, "", 80),
        ] {
            let path = cache.path_to_write(shelf, &DIGEST, suffix).unwrap().unwrap();
            std::fs::write(path, vec![0; length]).unwrap();
        }
        let link = root.path().join("v1/archives/cd");
        std::os::unix::fs::symlink(outside.path(), link).unwrap();
        let sizes = cache
            .sizes()
            .unwrap()
            .map(|size| (size.kind, size.files, size.bytes));
        assert_eq!(
            sizes,
            [
                (Kind::Indexes, 3, 140),
                (Kind::Archives, 1, 10),
                (Kind::Payloads, 1, 50),
                (Kind::Parts, 2, 80)
            ]
        );
    }
}
