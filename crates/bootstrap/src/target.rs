//! What a root is made as, and where.

use std::fs::File;
use std::io::IsTerminal;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use bareroot_export::{Compression, Format};
use bareroot_unpack::{Output, Root, Scratch};

use crate::context::Context;
use crate::error::Error;

/// What a root is made as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A directory, which does not exist or is empty.
    Directory(PathBuf),
    /// An archive.
    Archive(Destination, Compression),
}

/// Where an archive goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// A file. One that is there is replaced, when the archive is whole.
    File(PathBuf),
    /// Standard output.
    Stdout,
}

impl Target {
    /// What a word of the command line means: by its format where one is given; else `-` is an archive on standard
    /// output, a directory that exists is itself, and everything else goes by its name.
    ///
    /// # Errors
    /// [`Error::DirectoryOnStdout`].
    pub fn new(word: &str, format: Option<Format>) -> Result<Self, Error> {
        let destination = Destination::new(word);
        let path = Path::new(word);
        let format = format.unwrap_or_else(|| match destination {
            Destination::Stdout => Format::Tar(Compression::None),
            Destination::File(_) if path.is_dir() => Format::Directory,
            Destination::File(_) => Format::of_name(path).unwrap_or(Format::Directory),
        });
        match (format, destination) {
            (Format::Tar(compression), destination) => Ok(Target::Archive(destination, compression)),
            (Format::Directory, Destination::File(path)) => Ok(Target::Directory(path)),
            (Format::Directory, Destination::Stdout) => Err(Error::DirectoryOnStdout),
        }
    }

    /// What a word means as the archive of a root that is there.
    ///
    /// # Errors
    /// [`Error::NoArchive`] when neither format nor name is an archive's.
    pub fn archive(word: &str, format: Option<Format>) -> Result<(Destination, Compression), Error> {
        let destination = Destination::new(word);
        let by_name = || match destination {
            Destination::Stdout => Some(Format::Tar(Compression::None)),
            Destination::File(_) => Format::of_name(Path::new(word)),
        };
        match format.or_else(by_name) {
            Some(Format::Tar(compression)) => Ok((destination, compression)),
            Some(Format::Directory) | None => Err(Error::NoArchive(word.to_owned())),
        }
    }

    /// Whether it takes standard output.
    pub fn is_stdout(&self) -> bool {
        matches!(self, Target::Archive(Destination::Stdout, _))
    }
}

impl Destination {
    fn new(word: &str) -> Self {
        match word {
            "-" => Destination::Stdout,
            word => Destination::File(PathBuf::from(word)),
        }
    }
}

/// An open destination.
pub(crate) enum Sink {
    /// A file that appears when it is whole.
    File(Output),
    /// Standard output, without the buffer and the lock of the standard library's.
    Stdout(File),
}

impl Sink {
    /// # Errors
    /// When it cannot be written, and for a terminal.
    pub(crate) fn open(destination: &Destination) -> Result<Self, Error> {
        match destination {
            Destination::File(path) => Ok(Sink::File(Output::create(path)?)),
            Destination::Stdout => {
                let stdout = std::io::stdout();
                if stdout.is_terminal() {
                    return Err(Error::Terminal);
                }
                let fd = stdout.as_fd().try_clone_to_owned();
                Ok(Sink::Stdout(File::from(fd.map_err(Error::Stdout)?)))
            }
        }
    }

    /// Begins a root that is to be written here: beside a file, else where temporary files are.
    ///
    /// # Errors
    /// When the file system refuses.
    pub(crate) fn scratch(&self) -> Result<Scratch, Error> {
        Ok(match self {
            Sink::File(output) => output.scratch()?,
            Sink::Stdout(_) => Scratch::create(&std::env::temp_dir())?,
        })
    }

    /// Writes a root to it.
    ///
    /// # Errors
    /// When the root cannot be read, or the archive not be written.
    pub(crate) fn write(
        &self,
        root: &Root,
        how: &How<'_>,
        context: &Context,
    ) -> Result<bareroot_export::Summary, Error> {
        let ids = self.ids()?;
        let settings = bareroot_export::Settings {
            leave_out: &ids,
            compression: how.compression,
            threads: how.threads,
            clamp: how.clamp,
            cancel: context.cancel(),
            observer: how.observer,
        };
        Ok(bareroot_export::export(root, self.file(), &settings)?)
    }

    /// Device and inode number of what is written, and of what it replaces.
    ///
    /// # Errors
    /// When standard output cannot be looked at.
    pub(crate) fn ids(&self) -> Result<Vec<(u64, u64)>, Error> {
        Ok(match self {
            Sink::File(output) => output.ids(),
            // It may have been sent to a file.
            Sink::Stdout(file) => {
                let metadata = file.metadata().map_err(Error::Stdout)?;
                vec![(metadata.dev(), metadata.ino())]
            }
        })
    }

    /// What is written to.
    pub(crate) fn file(&self) -> &File {
        match self {
            Sink::File(output) => output.file(),
            Sink::Stdout(file) => file,
        }
    }

    /// Gives a file its name.
    ///
    /// # Errors
    /// When the file system refuses.
    pub(crate) fn commit(self) -> Result<(), Error> {
        match self {
            Sink::File(output) => Ok(output.commit()?),
            Sink::Stdout(_) => Ok(()),
        }
    }

    /// The same, without waiting for the disk where nothing is replaced.
    ///
    /// # Errors
    /// As [`Sink::commit`].
    pub(crate) fn commit_unsynced(self) -> Result<(), Error> {
        match self {
            Sink::File(output) => Ok(output.commit_unsynced()?),
            Sink::Stdout(_) => Ok(()),
        }
    }
}

/// How a root is written.
pub(crate) struct How<'a> {
    pub(crate) compression: Compression,
    pub(crate) threads: usize,
    /// No time in the archive is later; seconds since 1970.
    pub(crate) clamp: Option<i64>,
    pub(crate) observer: &'a dyn bareroot_model::Observer,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_target_is() {
        let temp = tempfile::tempdir().unwrap();
        let there = temp.path().join("there.tar");
        std::fs::create_dir(&there).unwrap();
        let there = there.to_str().unwrap();
        let directory = |word: &str| Target::Directory(PathBuf::from(word));
        let archive = |word: &str, format: Compression| Target::Archive(Destination::new(word), format);
        for (word, format, expected) in [
            ("trixie", None, directory("trixie")),
            ("./a.tar", None, archive("./a.tar", Compression::None)),
            ("a.tgz", None, archive("a.tgz", Compression::Gzip)),
            ("-", None, archive("-", Compression::None)),
            ("-", Some("tar.zst"), archive("-", Compression::Zstd)),
            ("a.tar", Some("directory"), directory("a.tar")),
            ("a.tar", Some("tar.xz"), archive("a.tar", Compression::Xz)),
            ("a", Some("tar.gz"), archive("a", Compression::Gzip)),
            (there, None, directory(there)),
        ] {
            let format = format.map(|word| Format::named(word).unwrap());
            assert_eq!(Target::new(word, format).unwrap(), expected, "{word}");
        }
        assert!(matches!(
            Target::new("-", Some(Format::Directory)),
            Err(Error::DirectoryOnStdout)
        ));
        for (word, format) in [("a", None), ("a.tar", Some(Format::Directory))] {
            assert!(
                matches!(Target::archive(word, format), Err(Error::NoArchive(_))),
                "{word}"
            );
        }
        assert_eq!(
            Target::archive("-", None).unwrap(),
            (Destination::Stdout, Compression::None)
        );
    }
}
