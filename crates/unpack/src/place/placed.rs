use std::collections::HashMap;

use super::divert::Diversion;
use super::settings::Subject;

/// What [`super::Placer::place`] can already say of a package.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Bytes of file content written.
    pub bytes: u64,
    /// Entries of the archive.
    pub entries: u64,
}

/// A package whose payload is in the root, as its list records it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// Its place in the solution.
    pub ordinal: usize,
    /// The package.
    pub subject: Subject,
    /// Every path of the archive that the package still owns, in the archive's order. dpkg's `.list` has the symbolic
    /// links last.
    pub paths: Vec<PathRecord>,
    /// MD5 sums by path, of the files that [`super::Order::md5`] asked for and that were not filtered out.
    pub md5: HashMap<Vec<u8>, [u8; 16]>,
    /// Bytes of file content written.
    pub bytes: u64,
}

/// One path of a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathRecord {
    /// The path as dpkg lists it: `/usr/bin/x`, without a trailing slash, in the archive's spelling (`/bin/x` also where
    /// `/bin` is a link); the root itself is `/.`.
    pub path: Vec<u8>,
    /// What it is in the archive.
    pub kind: PathKind,
    /// Whether a filter kept it out of the root. dpkg lists it all the same.
    pub filtered: bool,
}

/// What a path is in a package's archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Symlink,
    /// A hard link to a path of the same package.
    Hardlink,
    /// A character or block device.
    Device,
    /// A named pipe.
    Fifo,
}

/// Everything that was placed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The packages, in the solution's order.
    pub packages: Vec<Placed>,
    /// Paths that installed packages lost to packages that replace them.
    pub taken: Vec<Taken>,
    /// Diversions by which packages got out of each other's way. The root's own list has none of them yet.
    pub diverted: Vec<Diversion>,
}

/// A path that an installed package no longer owns: its list must lose it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The installed package.
    pub from: Subject,
    /// The path (`/usr/bin/x`).
    pub path: Vec<u8>,
    /// The package that has it now.
    pub by: Subject,
}
