//! A file that has its name only when it is whole.

use std::ffi::OsStr;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;

use super::name::Naming;
use super::scratch::Scratch;
use super::stale::{self, Sweep};
use super::target::{self, Surroundings};
use super::{lock, same_file};
use crate::error::Error;
use crate::root::{FileKind, Stat};

/// A file in the making, beside the one that it is to become, as `.NAME.bareroot-XXXXXXXXXX`.
///
/// A file that has the name is replaced at once by [`Output::commit`], and stays as it is until then; a link to a file
/// stays, and that file is replaced. It is locked, and what killed runs left is removed, as a [`super::Staging`] is.
/// Dropped without [`Output::commit`], it is removed, and so are the directories that were made for it.
#[derive(Debug)]
pub struct Output {
    file: File,
    parent: OwnedFd,
    parent_path: PathBuf,
    /// What it is to be called.
    becomes: Vec<u8>,
    /// What it is called.
    name: Vec<u8>,
    target: PathBuf,
    made_parents: Vec<PathBuf>,
    finished: bool,
}

impl Output {
    /// Begins a file that is to become `target`, which does not exist or is a regular file. Missing parents are made.
    ///
    /// # Errors
    /// [`Error::OutputNotFile`] when something else has the name, `Target*` when nothing can have it,
    /// [`Error::TargetBusy`] when another run makes it, [`Error::Io`] when the file system refuses.
    pub fn create(target: &Path) -> Result<Self, Error> {
        let around = Surroundings::of_file(target)?;
        let made = around.made_parents.clone();
        let result = Self::create_in(around, target);
        if result.is_err() {
            target::remove_parents(&made);
        }
        result
    }

    fn create_in(around: Surroundings, target: &Path) -> Result<Self, Error> {
        let Surroundings {
            parent,
            parent_path,
            name: becomes,
            made_parents,
        } = around;
        match rustix::fs::statat(&parent, becomes.as_slice(), AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) if Stat::of(&stat).kind == FileKind::File => {}
            Ok(stat) => {
                return Err(Error::OutputNotFile {
                    path: target.to_path_buf(),
                    found: Stat::of(&stat).kind,
                });
            }
            Err(Errno::NOENT) => {}
            Err(error) => return Err(Error::io("open", target, error)),
        }
        let naming = Naming::beside(&becomes);
        stale::remove(&parent, &parent_path, &naming, target, Sweep::File)?;
        // The mode of a new file, by the umask.
        let mode = Mode::from_raw_mode(0o666);
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        loop {
            let name = naming.new_name();
            let fd = match rustix::fs::openat(&parent, name.as_slice(), flags, mode) {
                Ok(fd) => fd,
                Err(Errno::EXIST) => continue,
                Err(error) => {
                    return Err(Error::io(
                        "create",
                        parent_path.join(OsStr::from_bytes(&name)),
                        error,
                    ));
                }
            };
            if lock(&parent, &name, &fd) {
                return Ok(Output {
                    file: File::from(fd),
                    parent,
                    parent_path,
                    becomes,
                    name,
                    target: target.to_path_buf(),
                    made_parents,
                    finished: false,
                });
            }
        }
    }

    /// The file, to be written to.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Device and inode number of the file, and of the one that it is to replace, where there is one.
    pub fn ids(&self) -> Vec<(u64, u64)> {
        let flags = AtFlags::SYMLINK_NOFOLLOW;
        let replaced = rustix::fs::statat(&self.parent, self.becomes.as_slice(), flags);
        let stats = [rustix::fs::fstat(&self.file), replaced].into_iter().flatten();
        stats
            .map(|stat| Stat::of(&stat))
            .map(|stat| (stat.dev, stat.ino))
            .collect()
    }

    /// What it is to become, as it was given.
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// Begins a root beside it, on the same file system, for what is to be written.
    ///
    /// # Errors
    /// [`Error::Io`] when the file system refuses.
    pub fn scratch(&self) -> Result<Scratch, Error> {
        let parent = self
            .parent
            .try_clone()
            .map_err(|e| Error::io("open", &self.parent_path, e))?;
        Scratch::begin(parent, &self.parent_path, &Naming::beside(&self.becomes))
    }

    /// Syncs the file to disk and gives it its name.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::NoSpace`] when the file system refuses. The file is removed then.
    pub fn commit(self) -> Result<(), Error> {
        self.file
            .sync_all()
            .map_err(|e| Error::io("write", &self.target, e))?;
        self.give_name()
    }

    /// Gives the file its name, before it is on disk where nothing has that name: a crash of the machine could leave it empty,
    /// and what it replaces must not be lost for that.
    ///
    /// # Errors
    /// As [`Output::commit`].
    pub fn commit_unsynced(self) -> Result<(), Error> {
        match rustix::fs::statat(&self.parent, self.becomes.as_slice(), AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) => self.give_name(),
            _ => self.commit(),
        }
    }

    fn give_name(mut self) -> Result<(), Error> {
        // Whoever can write in the parent could have put something else in its place.
        if !same_file(&self.parent, &self.name, &self.file) {
            return Err(self.replaced());
        }
        rustix::fs::renameat(
            &self.parent,
            self.name.as_slice(),
            &self.parent,
            self.becomes.as_slice(),
        )
        .map_err(|e| Error::io("rename to", &self.target, e))?;
        self.finished = true;
        match same_file(&self.parent, &self.becomes, &self.file) {
            true => Ok(()),
            false => Err(self.replaced()),
        }
    }

    fn replaced(&self) -> Error {
        Error::StagingReplaced {
            staging: self.parent_path.join(OsStr::from_bytes(&self.name)),
        }
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        // There is nobody to tell; the next run on the target tries again. Whoever renamed it has it.
        if !self.finished && same_file(&self.parent, &self.name, &self.file) {
            let _ = rustix::fs::unlinkat(&self.parent, self.name.as_slice(), AtFlags::empty());
            target::remove_parents(&self.made_parents);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use bareroot_model::{Class, Classified};

    use super::*;

    fn names(path: &Path) -> Vec<String> {
        let mut names: Vec<_> = std::fs::read_dir(path)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    fn written(target: &Path, text: &[u8]) -> Output {
        let output = Output::create(target).unwrap();
        output.file().write_all(text).unwrap();
        output
    }

    #[test]
    fn a_file_appears_whole() {
        let temp = tempfile::tempdir().unwrap();
        let target = temp.path().join("new/parents/r.tar");
        drop(written(&target, b"half"));
        assert_eq!(names(temp.path()), [""; 0]);
        let output = written(&target, b"whole");
        assert!(!target.exists());
        output.commit().unwrap();
        assert_eq!(std::fs::read(&target).unwrap(), b"whole");
        assert_eq!(names(target.parent().unwrap()), ["r.tar"]);
        for text in [b"replaced".as_slice(), b"again"] {
            written(&target, text).commit_unsynced().unwrap();
            assert_eq!(std::fs::read(&target).unwrap(), text);
        }
        let other = temp.path().join("other.tar");
        written(&other, b"other").commit_unsynced().unwrap();
        assert_eq!(std::fs::read(&other).unwrap(), b"other");
        // By the umask, as what `>` makes.
        let plain = temp.path().join("plain");
        std::fs::write(&plain, b"").unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&target), mode(&plain));
    }

    #[test]
    fn what_has_the_name_already() {
        let temp = tempfile::tempdir().unwrap();
        let path = |name: &str| temp.path().join(name);
        std::fs::write(path("old"), b"old").unwrap();
        symlink("old", path("link")).unwrap();
        drop(written(&path("old"), b"half"));
        assert_eq!(std::fs::read(path("old")).unwrap(), b"old");
        written(&path("link"), b"new").commit().unwrap();
        assert_eq!(std::fs::read(path("old")).unwrap(), b"new");
        assert!(std::fs::symlink_metadata(path("link")).unwrap().is_symlink());
        symlink("nowhere", path("dangling")).unwrap();
        std::fs::create_dir(path("dir")).unwrap();
        let mode = Mode::from_raw_mode(0o600);
        rustix::fs::mknodat(rustix::fs::CWD, path("fifo"), rustix::fs::FileType::Fifo, mode, 0).unwrap();
        for (target, words) in [
            (path("dir"), "is a directory, not a file"),
            (path("fifo"), "is a named pipe, not a file"),
            (path("dangling"), "is a symbolic link, not a file"),
            (PathBuf::from("/dev/null"), "is a character device, not a file"),
            (path("old/x"), "is a file, not a directory"),
            (path(".."), "its last part is no name"),
        ] {
            let error = Output::create(&target).unwrap_err();
            assert!(error.to_string().contains(words), "{error}");
            assert_eq!(error.class(), Class::Target);
            assert!(error.hint().is_some(), "{error}");
        }
        assert_eq!(names(temp.path()), ["dangling", "dir", "fifo", "link", "old"]);
    }

    #[test]
    fn the_dead_are_removed_and_the_living_are_not() {
        let temp = tempfile::tempdir().unwrap();
        let target = temp.path().join("r.tar");
        std::fs::write(temp.path().join(".r.tar.bareroot-abcdefghij"), b"half").unwrap();
        std::fs::create_dir_all(temp.path().join(".r.tar.bareroot-abcdefghik/usr")).unwrap();
        std::fs::write(temp.path().join(".q.tar.bareroot-abcdefghij"), b"another's").unwrap();
        let output = Output::create(&target).unwrap();
        let scratch = output.scratch().unwrap();
        scratch.root().write("f", 0o644, b"x").unwrap();
        assert_eq!(names(temp.path()).len(), 3);
        let error = Output::create(&target).unwrap_err();
        assert!(matches!(error, Error::TargetBusy { .. }), "{error}");
        scratch.discard().unwrap();
        output.commit().unwrap();
        assert_eq!(names(temp.path()), [".q.tar.bareroot-abcdefghij", "r.tar"]);
        // Roots in a directory for temporary files do not mind each other.
        let (one, two) = (Scratch::create(temp.path()), Scratch::create(temp.path()));
        let path = one.as_ref().unwrap().root().path().to_path_buf();
        drop(two.unwrap());
        assert!(path.is_dir());
        drop(one.unwrap());
        std::fs::create_dir(temp.path().join(".bareroot-abcdefghij")).unwrap();
        drop(Scratch::create(temp.path()).unwrap());
        assert_eq!(names(temp.path()), [".q.tar.bareroot-abcdefghij", "r.tar"]);
    }

    #[test]
    fn a_dead_root_says_nothing_of_what_is_beside_it() {
        let temp = tempfile::tempdir().unwrap();
        let victim = temp.path().join("victim");
        std::fs::write(&victim, b"precious").unwrap();
        let inode = std::os::unix::fs::MetadataExt::ino(&std::fs::metadata(&victim).unwrap());
        for (dead, make) in [
            (".r.bareroot-abcdefghij", "r"),
            (".r.tar.bareroot-abcdefghij", "r.tar"),
            (".bareroot-abcdefghij", ""),
        ] {
            let dead = temp.path().join(dead);
            std::fs::create_dir(&dead).unwrap();
            // As a package's script could leave it.
            std::fs::write(dead.join(".bareroot-moving"), format!("{inode} victim\0")).unwrap();
            let target = temp.path().join(make);
            match make {
                "r" => drop(super::super::Staging::create(&target).unwrap()),
                "" => drop(Scratch::create(&target).unwrap()),
                _ => drop(Output::create(&target).unwrap()),
            }
            assert!(!dead.exists() && victim.exists(), "{make}");
        }
    }
}
