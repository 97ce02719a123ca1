//! A lock: `bareroot.lock`.
//!
//! For each architecture it has the sources, with digest and date of the index that a signature stood for when the lock was
//! made, and every package with what the later chapters of a bootstrap need to know of it. It is the file of whoever keeps
//! it: its digests are believed as the end of a chain that began with those signatures. It states the SHA-256 of its own
//! content, against slips (an edit, half a merge) and not against forgery: who can write the file can write that too.
//!
//! A package is a line, in an order that does not change where nothing moves, so that a new version is one changed line.

mod meaning;
mod moved;
mod read;
mod write;

use bareroot_model::{Digest, Reason};

pub use meaning::{Change, Meaning, Value};
pub use moved::{Move, moves};
pub use read::parse;
pub use write::render;

/// The version of the format.
pub const VERSION: i64 = 1;

/// The name of the file.
pub const NAME: &str = "bareroot.lock";

/// What was chosen for a recipe or for options.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lock {
    /// What it was made from.
    pub made_from: Meaning,
    /// The name of the recipe that it was made from, where it was one.
    pub recipe: Option<String>,
    /// What was chosen, by architecture.
    pub roots: Vec<Root>,
}

impl Lock {
    /// What was chosen for an architecture, as its family calls it.
    pub fn root(&self, arch: &str) -> Option<&Root> {
        self.roots.iter().find(|root| root.arch == arch)
    }

    /// The architectures.
    pub fn architectures(&self) -> Vec<&str> {
        self.roots.iter().map(|root| root.arch.as_str()).collect()
    }
}

/// What was chosen for one architecture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root {
    /// The architecture.
    pub arch: String,
    /// The date of the newest index, in seconds since 1970: what is later in a root is clamped to it.
    pub epoch: Option<i64>,
    /// What only one family has.
    pub family: Family,
    /// The sources; packages name them by their places.
    pub sources: Vec<Source>,
    /// The packages, in the order of the solution; in RPM roots in that of repositories and their metadata, from which rpm's
    /// order of installation follows.
    pub packages: Vec<Package>,
}

/// What only one family has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Family {
    /// Debian and its derivatives.
    Deb(Deb),
    /// RPM distributions.
    Rpm(Rpm),
}

/// A Debian root's own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deb {
    /// Foreign architectures that the root knows.
    pub foreign: Vec<String>,
    /// Whether its top level is links into /usr; `None` where its packages say so.
    pub merged_usr: Option<bool>,
}

/// An RPM root's own: what its package managers record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rpm {
    /// What `$releasever` stands for.
    pub releasever: Option<String>,
    /// What was installed by name, in dnf's words.
    pub wishes: Vec<String>,
    /// What was installed by path or URL, as it was typed.
    pub local: Vec<String>,
    /// The enabled module streams.
    pub modules: Vec<Module>,
    /// The groups that were wished.
    pub groups: Vec<Group>,
    /// The environments that were wished.
    pub environments: Vec<Environment>,
}

/// An enabled module stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Module {
    /// The module.
    pub name: String,
    /// Its stream.
    pub stream: String,
    /// The installed profiles.
    pub profiles: Vec<String>,
}

/// A group that was wished, by itself or in an environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its id.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// Whether the user named it, and not an environment.
    pub by_user: bool,
    /// Its packages: name, type in comps' words, whether the package is in the root.
    pub members: Vec<(String, String, bool)>,
}

/// An environment that was wished.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Environment {
    /// Its id.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// Its groups: id, and whether the environment installs it by itself.
    pub groups: Vec<(String, bool)>,
}

/// A source, and the index that vouches for its packages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source {
    /// Its addresses, the preferred one first, without credentials.
    pub uris: Vec<String>,
    /// The signed file: `InRelease`, `Release`, `repomd.xml`.
    pub index: String,
    /// The SHA-256 of that file; `None` for a repository that was left out.
    pub sha256: Option<Digest>,
    /// Its date, as Release files have it.
    pub date: Option<String>,
    /// Why no signature stands for it, where the user gave that up.
    pub unsigned: Option<String>,
    /// The source as apt has it, in deb822 format (Debian).
    pub apt: Option<String>,
    /// The repository as dnf has it (RPM).
    pub repository: Option<Repository>,
}

/// A repository as dnf has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Repository {
    /// Its id.
    pub id: String,
    /// Its priority; the lower one comes first.
    pub priority: i32,
    /// Its cost; the lower one comes first.
    pub cost: i32,
    /// Whether its packages are signed.
    pub gpgcheck: bool,
    /// Whether it is one of the SPEC's release, and its keys are that release's.
    pub of_release: bool,
    /// Where its keys are, where they are not those of its distribution or of `--keyring`.
    pub keys: Vec<String>,
}

/// A package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its version in the family's spelling.
    pub version: String,
    /// Its architecture in the family's spelling.
    pub arch: String,
    /// The place of its source; `None` for a file that the user named.
    pub source: Option<usize>,
    /// The archive's path below its source's address; that of a file as the user named it.
    pub path: String,
    /// The address that the path is below, where it is not its source's.
    pub base: Option<String>,
    /// The archive's size in bytes.
    pub size: u64,
    /// The archive's digest.
    pub digest: Checksum,
    /// 0 for the essential stage, 1 for the rest.
    pub stage: usize,
    /// apt's `Auto-Installed`.
    pub automatic: bool,
    /// Whether it is `Multi-Arch: same`.
    pub multi_arch_same: bool,
    /// Its `Replaces`, which settles conflicts of files.
    pub replaces: String,
    /// Why it is in.
    pub reason: Reason,
}

/// What an archive is known by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Checksum {
    /// SHA-256.
    Sha256(Digest),
    /// SHA-512 in hexadecimal, where the index has no SHA-256.
    Sha512(String),
    /// SHA-1 in hexadecimal, of repositories so old that the user had to accept them.
    Sha1(String),
}

#[cfg(test)]
mod tests;
