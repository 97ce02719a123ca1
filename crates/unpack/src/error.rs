use std::io;
use std::path::PathBuf;

use bareroot_model::{Cancelled, Class, Classified};

use crate::payload::PayloadError;
use crate::root::FileKind;

/// What can go wrong between an archive and the root.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A system call on a path failed.
    #[error("cannot {action} `{}`", path.display())]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// The path on the host.
        path: PathBuf,
        /// What the kernel said.
        #[source]
        source: io::Error,
    },
    /// The file system, or the quota on it, is full.
    #[error("no space left to {action} `{}`", path.display())]
    NoSpace {
        /// What was tried, as a verb.
        action: &'static str,
        /// The path on the host.
        path: PathBuf,
    },
    /// A path that bareroot itself uses cannot name what is asked for.
    #[error("`{path}` cannot be used in the root `{}`: {reason}", root.display())]
    BadPath {
        /// The root.
        root: PathBuf,
        /// The path inside it.
        path: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A file in the root is larger than what bareroot reads at once.
    #[error("`{}` is too large: {size} bytes, at most {limit} are read", path.display())]
    TooLarge {
        /// The path on the host.
        path: PathBuf,
        /// Its size in bytes.
        size: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// The root's own text of its ledger cannot be read.
    #[error("`{}` is no ledger of owners", path.display())]
    Ledger {
        /// The path on the host.
        path: PathBuf,
        /// The line, what is there and what should be.
        source: bareroot_ledger::text::Malformed,
    },
    /// The user, or a signal, stopped the run.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),

    /// The target is the root directory of this system.
    #[error("the target `{}` is the root directory of this system", target.display())]
    TargetIsRoot {
        /// The target as given.
        target: PathBuf,
    },
    /// The target exists and is no directory.
    #[error("the target `{}` is {found}, not a directory", target.display())]
    TargetNotDirectory {
        /// The target as given.
        target: PathBuf,
        /// What it is.
        found: &'static str,
    },
    /// The target has something in it.
    #[error("the target `{}` is not empty: it has `{found}`", target.display())]
    TargetNotEmpty {
        /// The target as given.
        target: PathBuf,
        /// One entry that was found.
        found: String,
    },
    /// Another run holds a staging directory for the same target.
    #[error("another run is building the target `{}` in `{}`", target.display(), staging.display())]
    TargetBusy {
        /// The target as given.
        target: PathBuf,
        /// The other run's staging directory.
        staging: PathBuf,
    },
    /// Somebody else put something in the place of the root, or the archive, while it was made.
    #[error("`{}` is not what was made there: somebody put something else in its place", staging.display())]
    StagingReplaced {
        /// Where it was made.
        staging: PathBuf,
    },
    /// The target cannot be made: it has no name of its own.
    #[error("`{}` cannot be a target: {reason}", target.display())]
    TargetUnusable {
        /// The target as given.
        target: PathBuf,
        /// Why.
        reason: &'static str,
    },

    /// What is to be a file is something else.
    #[error("`{}` is {}, not a file", path.display(), found.words())]
    OutputNotFile {
        /// The path as given.
        path: PathBuf,
        /// What it is; a symbolic link is one that leads nowhere.
        found: FileKind,
    },
    /// What is to be removed as a root is none.
    #[error("`{}` is {found}", path.display())]
    NotRemovable {
        /// The path as given.
        path: PathBuf,
        /// What it is.
        found: &'static str,
    },
    /// Something is mounted in a root that is to be removed.
    #[error("something is mounted on `{}`", path.display())]
    Mounted {
        /// The mount point on the host.
        path: PathBuf,
    },

    /// A payload holds a path that leads, or may lead, out of the root, or that no package may have.
    #[error("the package {package} holds `{path}`: {escape}")]
    Escape {
        /// The package.
        package: String,
        /// The path as the archive spells it, lossily.
        path: String,
        /// What is wrong.
        escape: Escape,
    },
    /// The archive could not be read on.
    #[error("the payload of the package {package} cannot be read")]
    Payload {
        /// The package.
        package: String,
        /// The archive's error.
        #[source]
        source: PayloadError,
    },
    /// An entry has more or less content than it declares.
    #[error("`{path}` of the package {package} declares {expected} bytes and has {}", if *more { "more".to_owned() } else { found.to_string() })]
    Size {
        /// The package.
        package: String,
        /// The path.
        path: String,
        /// Declared bytes.
        expected: u64,
        /// Bytes that came.
        found: u64,
        /// Whether there is more than `found`.
        more: bool,
    },
    /// Two packages have the same path, and none says that it replaces the other.
    #[error("`{path}` is in the package {second} and also in {first}, and neither replaces the other")]
    Conflict {
        /// The path.
        path: String,
        /// The package that comes first in the solution, or is installed, with its version.
        first: String,
        /// The package that comes later.
        second: String,
    },
    /// A path is a directory in one package and something else in another.
    #[error("`{path}` is {second_kind} in the package {second} and {first_kind} in {first}")]
    KindConflict {
        /// The path.
        path: String,
        /// The package that comes first.
        first: String,
        /// What it is there.
        first_kind: &'static str,
        /// The package that comes later.
        second: String,
        /// What it is there.
        second_kind: &'static str,
    },
    /// Two architectures of one `Multi-Arch: same` package differ in a file that they share.
    #[error("`{path}` is shared by {first} and {second} and differs between them")]
    SharedDiffers {
        /// The path.
        path: String,
        /// One instance.
        first: String,
        /// The other.
        second: String,
    },
    /// A package has a path to which another package's file is diverted.
    #[error("`{path}` of the package {package} is where `{from}` is diverted to by {by}")]
    OverDiverted {
        /// The package.
        package: String,
        /// Its path.
        path: String,
        /// The path that is diverted.
        from: String,
        /// Who diverts it.
        by: String,
    },
    /// A hard link's target is not there.
    #[error("`{path}` of the package {package} is a hard link to `{target}`, which {reason}")]
    Hardlink {
        /// The package.
        package: String,
        /// The link.
        path: String,
        /// What it should lead to.
        target: String,
        /// What is wrong with that.
        reason: &'static str,
    },
    /// Something that no package owns is where a package's path must go, and cannot make room.
    #[error("`{path}` of the package {package} cannot be placed: {found} is in its way in the root")]
    Obstructed {
        /// The package.
        package: String,
        /// The path.
        path: String,
        /// What is there.
        found: &'static str,
    },
    /// The same ordinal was given twice, or one that is out of range.
    #[error("the package {package} was placed with the ordinal {ordinal}, which {reason}")]
    Ordinal {
        /// The package.
        package: String,
        /// The ordinal.
        ordinal: usize,
        /// What is wrong with it.
        reason: &'static str,
    },
}

/// Why a path of a payload is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Escape {
    /// The name is empty.
    #[error("an empty name")]
    Empty,
    /// The name begins with `/`.
    #[error("an absolute name")]
    Absolute,
    /// A component is `..`.
    #[error("a name that climbs with `..`")]
    Parent,
    /// The name has a NUL byte.
    #[error("a name with a NUL byte")]
    Nul,
    /// The name has a newline, which dpkg's lists cannot hold.
    #[error("a name with a newline")]
    Newline,
    /// A component is longer than 255 bytes, or the name longer than 4095.
    #[error("a name that is too long")]
    TooLong,
    /// The root itself, as something other than a directory.
    #[error("the root itself as something other than a directory")]
    Root,
    /// A device node where none may be.
    #[error("a device node, which packages may not bring")]
    Device,
    /// A path below a symbolic link of the same package.
    #[error("a path that goes through a symbolic link of the same package")]
    ThroughOwnLink,
    /// A usr-merge link that leads elsewhere.
    #[error("a symbolic link in place of a usr-merge link, with another target")]
    MergeLink,
    /// The text of a symbolic link is empty, has a NUL byte or is too long.
    #[error("a symbolic link whose text cannot be a path")]
    LinkText,
    /// The path is deeper than the root can hold.
    #[error("a path that meets too many symbolic links")]
    Loop,
}

impl Error {
    /// A failed system call on `path`; a full file system becomes [`Error::NoSpace`].
    /// What a system call on a path said; a full file system is [`Error::NoSpace`].
    pub fn io(action: &'static str, path: impl Into<PathBuf>, source: impl Into<io::Error>) -> Self {
        let (path, source) = (path.into(), source.into());
        match source.raw_os_error() {
            Some(libc::ENOSPC | libc::EDQUOT) => Error::NoSpace { action, path },
            _ => Error::Io { action, path, source },
        }
    }

    /// The kernel's error number, where there is one.
    pub fn raw_os_error(&self) -> Option<i32> {
        match self {
            Error::Io { source, .. } => source.raw_os_error(),
            Error::NoSpace { .. } => Some(libc::ENOSPC),
            _ => None,
        }
    }

    /// Whether a path does not exist; what is longer than a name can be does not.
    pub fn is_not_found(&self) -> bool {
        matches!(
            self.raw_os_error(),
            Some(libc::ENOENT | libc::ENOTDIR | libc::ENAMETOOLONG)
        )
    }
}

impl Classified for Error {
    fn class(&self) -> Class {
        match self {
            Error::Io { .. } | Error::NoSpace { .. } | Error::TooLarge { .. } | Error::Obstructed { .. } => {
                Class::Target
            }
            Error::TargetIsRoot { .. }
            | Error::TargetNotDirectory { .. }
            | Error::TargetNotEmpty { .. }
            | Error::TargetBusy { .. }
            | Error::StagingReplaced { .. }
            | Error::TargetUnusable { .. }
            | Error::OutputNotFile { .. }
            | Error::NotRemovable { .. }
            | Error::Mounted { .. } => Class::Target,
            Error::BadPath { .. } | Error::Ordinal { .. } => Class::Internal,
            Error::Cancelled(_) => Class::Interrupted,
            Error::Escape { .. } | Error::Size { .. } | Error::Hardlink { .. } | Error::Ledger { .. } => {
                Class::Trust
            }
            Error::Payload { source, .. } => source.class(),
            Error::Conflict { .. }
            | Error::KindConflict { .. }
            | Error::SharedDiffers { .. }
            | Error::OverDiverted { .. } => Class::Unresolved,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Error::NoSpace { .. } => {
                Some("free some space, or choose a target on another file system".to_owned())
            }
            Error::TargetNotEmpty { .. } => {
                Some("name a directory that does not exist yet, or an empty one".to_owned())
            }
            Error::TargetIsRoot { .. } | Error::TargetNotDirectory { .. } | Error::TargetUnusable { .. } => {
                Some("name a directory that does not exist yet, or an empty one".to_owned())
            }
            Error::OutputNotFile {
                found: FileKind::Directory,
                ..
            } => Some("name a file in it".to_owned()),
            Error::OutputNotFile {
                found: FileKind::Symlink,
                ..
            } => Some("remove the link, or name another file".to_owned()),
            Error::OutputNotFile { .. } => {
                Some("write to standard output with `-`, and send that there".to_owned())
            }
            Error::NotRemovable { .. } => Some("name the directory of a root".to_owned()),
            Error::Mounted { .. } => {
                Some("unmount it first; `umount -R` unmounts all below a path".to_owned())
            }
            Error::TargetBusy { .. } => Some("wait for it, or choose another target".to_owned()),
            Error::StagingReplaced { .. } => {
                Some("choose a target in a directory that nobody else can write".to_owned())
            }
            Error::Conflict { .. } | Error::KindConflict { .. } => {
                Some("leave one of the two packages out".to_owned())
            }
            Error::SharedDiffers { .. } => {
                Some("take the same version of the package for every architecture".to_owned())
            }
            Error::Payload { source, .. } => source.hint(),
            _ => None,
        }
    }
}

/// Bytes of a path for a message.
pub(crate) fn lossy(path: &[u8]) -> String {
    String::from_utf8_lossy(path).into_owned()
}
