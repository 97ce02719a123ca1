use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

use bareroot_model::Cancel;

use super::divert::Diversions;
use super::filter::Filter;

/// A package, as conflicts and Replaces see it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Subject {
    /// Its name, without architecture.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its architecture.
    pub architecture: String,
    /// Whether it is `Multi-Arch: same`: such packages share identical files between architectures.
    pub multi_arch_same: bool,
}

impl Subject {
    /// Whether `self` and `other` are two architectures of one package that may share files.
    pub(crate) fn shares_with(&self, other: &Subject) -> bool {
        self.name == other.name && self.multi_arch_same && other.multi_arch_same
    }

    /// Whether `self` and `other` are the same package, in whatever version.
    pub(crate) fn is_same_package(&self, other: &Subject) -> bool {
        self.name == other.name && self.architecture == other.architecture
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.multi_arch_same {
            true => write!(f, "{}:{} {}", self.name, self.architecture, self.version),
            false => write!(f, "{} {}", self.name, self.version),
        }
    }
}

/// What a package's payload is to be placed as.
#[derive(Clone, Debug)]
pub struct Order {
    /// The package's place in the solution; each is used once. Conflicts are settled by it.
    pub ordinal: usize,
    /// The package.
    pub subject: Subject,
    /// Its conffiles, as `/etc/x`.
    pub conffiles: HashSet<Vec<u8>>,
    /// Whose MD5 sums are wanted.
    pub md5: Md5,
}

/// Which files' MD5 sums [`super::Placed::md5`] has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Md5 {
    /// Those of the conffiles: the database records them.
    #[default]
    Conffiles,
    /// Those of every file and hard link: the package ships no `md5sums` of its own.
    All,
}

/// Who replaces whom: the `Replaces` fields, with versions and architectures.
pub trait Relations: Send + Sync {
    /// Whether `package` has a `Replaces` that covers `other`.
    fn replaces(&self, package: &Subject, other: &Subject) -> bool;
}

/// The packages that are in the root already, by the paths that they own.
pub trait Installed: Send + Sync {
    /// The packages whose list has `path` (`/usr/bin/x`), in any order; directories may be left out.
    fn owners(&self, path: &[u8]) -> Vec<Subject>;
}

/// No package replaces another, and none is installed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Alone;

impl Relations for Alone {
    fn replaces(&self, _: &Subject, _: &Subject) -> bool {
        false
    }
}

impl Installed for Alone {
    fn owners(&self, _: &[u8]) -> Vec<Subject> {
        Vec::new()
    }
}

/// What becomes of device nodes in payloads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Devices {
    /// The package is refused: no package of the distributions has one, and a node is a door to the host's disks.
    #[default]
    Refuse,
    /// They are made, as dpkg does.
    Create,
}

/// What becomes of owners in payloads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ownership {
    /// Owner and group are set; needs root, or ids that are mapped.
    #[default]
    Apply,
    /// Everything belongs to whoever runs bareroot.
    Ignore,
}

/// What becomes of a directory that was there before, and that a package has as well.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Directories {
    /// It stays as it is: what dpkg does.
    #[default]
    Keep,
    /// It gets owner, mode and time of the first package that has it, the root itself included: what rpm does.
    Dress,
}

/// What becomes of a file that is already where a conffile belongs, and that no package owns.
///
/// dpkg leaves that question to its configure step, which this policy answers ahead of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Conffiles {
    /// The file that is there stays, as with dpkg's `--force-confold`; the database records the package's MD5.
    #[default]
    Keep,
    /// The package's file takes its place, as with `--force-confnew`.
    Replace,
}

/// Owner, group and mode that the administrator gave a path (`dpkg-statoverride`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Override {
    /// Numeric owner.
    pub uid: u32,
    /// Numeric group.
    pub gid: u32,
    /// Permission bits with setuid, setgid and sticky.
    pub mode: u32,
}

/// How a [`super::Placer`] places.
#[derive(Clone)]
pub struct PlacerSettings {
    /// dpkg's path filters, in the order given: the last that matches wins.
    pub filters: Vec<Filter>,
    /// The diversions that hold in the root.
    pub diversions: Diversions,
    /// The administrator's overrides, by path (`/usr/bin/x`).
    pub overrides: HashMap<Vec<u8>, Override>,
    /// Who replaces whom.
    pub relations: Arc<dyn Relations>,
    /// Who is in the root already.
    pub installed: Arc<dyn Installed>,
    /// Device nodes.
    pub devices: Devices,
    /// Owners.
    pub ownership: Ownership,
    /// Directories that are there already.
    pub directories: Directories,
    /// Conffiles that are there already.
    pub conffiles: Conffiles,
    /// Looked at between entries, and while a long file is written.
    pub cancel: Cancel,
}

impl Default for PlacerSettings {
    fn default() -> Self {
        PlacerSettings {
            filters: Vec::new(),
            diversions: Diversions::default(),
            overrides: HashMap::new(),
            relations: Arc::new(Alone),
            installed: Arc::new(Alone),
            devices: Devices::default(),
            ownership: Ownership::default(),
            directories: Directories::default(),
            conffiles: Conffiles::default(),
            cancel: Cancel::default(),
        }
    }
}

impl fmt::Debug for PlacerSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlacerSettings")
            .field("filters", &self.filters)
            .field("diversions", &self.diversions)
            .field("devices", &self.devices)
            .field("ownership", &self.ownership)
            .field("directories", &self.directories)
            .field("conffiles", &self.conffiles)
            .finish_non_exhaustive()
    }
}
