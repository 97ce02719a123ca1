//! What dpkg and apt write down about packages, written without them.
//!
//! Everything here is pure: it turns packages that are in the root (unpacked, not configured) into the files that
//! dpkg would have written while it unpacked them, byte for byte, for `bootstrap` to put below the root:
//!
//! * [`Database`]: `status`, `info/`, `triggers/` below `/var/lib/dpkg` (dpkg(1), deb-triggers(5), deb-conffiles(5));
//! * [`DIRECTORIES`] and [`architectures`]: what is there before the first package;
//! * [`extended_states`]: apt's marks of what was installed automatically (apt-mark(8)).
//!
//! The one deliberate difference: a conffile is already in place, so its record carries the MD5 of its content where
//! dpkg has `newconffile` until the package is configured. dpkg finds no `.dpkg-new` file then, keeps the record, and
//! the configured package's record is the same either way.

mod conffiles;
mod database;
mod error;
mod extended_states;
mod info;
mod status;
mod triggers;

pub use conffiles::Conffile;
pub use database::Database;
pub use error::RecordError;
pub(crate) use extended_states::bucket;
pub use extended_states::extended_states;
pub use triggers::{Directive, directives};

use crate::archive::{Control, InfoFile};

/// Directories of dpkg's database, with the modes that dpkg gives them, parents first.
///
/// `updates` is dpkg's journal and has to be there, empty. A root into which packages are only extracted (mmdebstrap's
/// variant `extract`) has these, [`architectures`] and an empty `status`, and nothing else of dpkg's.
pub const DIRECTORIES: [(&str, u32); 5] = [
    ("var/lib/dpkg", 0o755),
    ("var/lib/dpkg/alternatives", 0o755),
    ("var/lib/dpkg/info", 0o755),
    ("var/lib/dpkg/triggers", 0o755),
    ("var/lib/dpkg/updates", 0o755),
];

/// A file of a package database: root-owned, to be written whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Path relative to the root (`var/lib/dpkg/status`).
    pub path: String,
    /// Permission bits.
    pub mode: u32,
    /// Modification time in seconds since 1970, where dpkg keeps the package's; else it is the time of writing.
    pub mtime: Option<i64>,
    /// Content.
    pub bytes: Vec<u8>,
}

impl Record {
    /// A record that everybody may read (mode 0644).
    pub(crate) fn new(path: impl Into<String>, bytes: Vec<u8>) -> Self {
        Record {
            path: path.into(),
            mode: 0o644,
            mtime: None,
            bytes,
        }
    }
}

/// A package whose payload is in the root.
#[derive(Clone, Copy, Debug)]
pub struct Unpacked<'a> {
    /// Its control file.
    pub control: &'a Control,
    /// The other members of its control archive.
    pub info: &'a [InfoFile],
    /// What its payload holds, in the archive's order.
    pub paths: &'a [Listed<'a>],
}

/// One path of a package's payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listed<'a> {
    /// The absolute path as the package has it (`/usr/bin/x`), without a slash at the end; `/` is the root itself.
    pub path: &'a [u8],
    /// Whether it is a symbolic link: dpkg makes those last, and lists them last.
    pub symlink: bool,
    /// Whose it is: another package's, when that one has `Replaces`.
    pub owner: Owner,
    /// MD5 of the content of a regular file or a hard link to one, where it was asked for (see
    /// [`Deb::digests`](crate::archive::Deb::digests)); `None` when the file was filtered out.
    pub md5: Option<[u8; 16]>,
}

/// Whose a path is once all packages of a stage are in the root.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Owner {
    /// The package's own.
    #[default]
    This,
    /// Another package's that replaces it: it leaves the package's list.
    Other,
    /// As [`Owner::Other`], and if the path is a conffile of this package, it is obsolete from now on. That is so when
    /// it is a conffile of the other package too, or when the other one was unpacked first.
    OtherConffile,
}

/// `/var/lib/dpkg/arch`: the architectures of the root, its own first.
///
/// dpkg needs it for foreign architectures only; mmdebstrap always leaves it.
pub fn architectures<'a>(native: &'a str, foreign: impl IntoIterator<Item = &'a str>) -> Record {
    let lines = std::iter::once(native)
        .chain(foreign)
        .map(|arch| format!("{arch}\n"));
    Record::new("var/lib/dpkg/arch", lines.collect::<String>().into_bytes())
}

/// An MD5 as dpkg writes it.
fn hex(md5: &[u8; 16]) -> String {
    md5.iter().map(|byte| format!("{byte:02x}")).collect()
}
