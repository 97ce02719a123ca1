//! What package managers remember of an installation beside rpm's database, in words that are none's own.

/// One installation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transaction {
    /// When it took place, in seconds since 1970.
    pub time: u32,
    /// What rpm's database was before its packages: see [`Database::cookie`](crate::Database::cookie).
    pub begin: String,
    /// What it is with them.
    pub end: String,
    /// The release that repositories were asked for.
    pub releasever: String,
    /// What was asked for, as the user would have to write it.
    pub command_line: String,
    /// The packages, by repository and name.
    pub packages: Vec<InstalledPackage>,
    /// Which members of groups were wanted.
    pub kinds: Vec<MemberKind>,
    /// The environments, as they were asked for.
    pub environments: Vec<InstalledEnvironment>,
    /// The groups, as they were asked for.
    pub groups: Vec<InstalledGroup>,
}

/// A package, and why it is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstalledPackage {
    /// Its name.
    pub name: String,
    /// Its epoch; 0 where it has none.
    pub epoch: u32,
    /// Its version.
    pub version: String,
    /// Its release.
    pub release: String,
    /// Its architecture.
    pub arch: String,
    /// The id of its repository; `@commandline` for a file that was named.
    pub repository: String,
    /// Why it is there.
    pub reason: Reason,
    /// How yum tells its header from others: its SHA-1 (rpm's `SHA1HEADER`), else its name and the time of its building.
    pub header_id: String,
    /// The SHA-256 of its archive, in hexadecimal digits.
    pub sha256: String,
}

/// Why a package is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// The user named it.
    User,
    /// A group has it.
    Group,
    /// Another package requires it.
    Dependency,
    /// Another package recommends it, or it supplements one.
    Weak,
}

/// How a group wants a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MemberKind {
    /// Always.
    Mandatory,
    /// Unless the user does not want it.
    Default,
    /// If another package is installed.
    Conditional,
    /// If the user asks for it.
    Optional,
}

/// A group that was installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstalledGroup {
    /// Its id.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// Whether the user named it; else an environment did.
    pub by_user: bool,
    /// All its members, in its own order.
    pub members: Vec<GroupMember>,
}

/// A member of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupMember {
    /// The package's name.
    pub name: String,
    /// How the group wants it.
    pub kind: MemberKind,
    /// Whether it was installed.
    pub installed: bool,
}

/// An environment that was installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstalledEnvironment {
    /// Its id.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// Its groups' ids, and whether each is mandatory. Only such ones are installed.
    pub groups: Vec<(String, bool)>,
}

/// A module whose stream is enabled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EnabledModule {
    /// Its name.
    pub name: String,
    /// The stream.
    pub stream: String,
    /// The profiles that are installed.
    pub profiles: Vec<String>,
}
