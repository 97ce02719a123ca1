//! What the user asked for, typed but not yet understood: the door fills a [`Request`], `plan` gives it meaning.

use std::path::PathBuf;
use std::time::Duration;

use bareroot_enter::mode::Mode;

use crate::snapshot::Snapshot;

/// Everything that shapes a root.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// `distribution:release`; may be left out with [`Request::sources`] or [`Request::repos`].
    pub spec: Option<String>,
    /// `--variant`.
    pub variant: Variant,
    /// `--include`: names, wishes in apt's or dnf's syntax, paths of .deb and .rpm files, URLs of .rpm files.
    pub include: Vec<String>,
    /// `--exclude`: names that must not be in.
    pub exclude: Vec<String>,
    /// `--recommends` (true), `--no-recommends` (false), neither (None): the family's own default.
    pub recommends: Option<bool>,
    /// `--with-optional`: groups bring their optional packages too.
    pub with_optional: bool,
    /// `--langs`: languages of which files are installed; None installs all.
    pub langs: Option<Vec<String>>,
    /// `--nodocs`: files that packages mark as documentation stay out.
    pub no_docs: bool,
    /// `--components`.
    pub components: Vec<String>,
    /// `--mirror`: URLs, or one-line `deb` entries; for RPM the addresses that the distribution's layout lies below.
    pub mirrors: Vec<String>,
    /// `--updates` (true), `--no-updates` (false), neither (None).
    pub updates: Option<bool>,
    /// `--sources`: files in either of apt's two formats.
    pub sources: Vec<PathBuf>,
    /// `--repo`: files in the format of /etc/yum.repos.d.
    pub repos: Vec<PathBuf>,
    /// `--releasever`: what `$releasever` stands for.
    pub releasever: Option<String>,
    /// `--snapshot`: the moment at which the distribution's snapshot service is asked for what mirrors have no more.
    pub snapshot: Option<Snapshot>,
    /// The moment that packages are chosen of, where that is part of what is meant; with a lock, `snapshot` alone only says
    /// where files are.
    pub meant_snapshot: Option<Snapshot>,
    /// Whether a lock stands in for indexes and their solution.
    pub lock: LockUse,
    /// The recipe that this is the request of.
    pub recipe: Option<PathBuf>,
    /// The files of [`Request::sources`] that a lock was made from, by name and digest.
    pub locked_sources: Vec<String>,
    /// The files of [`Request::repos`] that a lock was made from, by name and digest.
    pub locked_repos: Vec<String>,
    /// `--keyring`: files or directories.
    pub keyrings: Vec<PathBuf>,
    /// `--arch`.
    pub arch: Option<String>,
    /// `--merged-usr`: links even where the release is unmerged.
    pub merged_usr: bool,
    /// `--path-exclude` and `--path-include`, in the order given.
    pub filters: Vec<Filter>,
    /// `--aptopt`: lines for the root's apt configuration, or files of them.
    pub apt_options: Vec<String>,
    /// `--dpkgopt`: lines for the root's dpkg configuration, or files of them.
    pub dpkg_options: Vec<String>,
    /// `--hostname`.
    pub hostname: Option<String>,
    /// The hooks, in the order given.
    pub hooks: Vec<Hook>,
    /// What is given up of the checks.
    pub waivers: Waivers,
    /// Where archives and indexes are kept.
    pub cache: CacheChoice,
    /// `--cache-from`: caches that are asked after it, and never written.
    pub cache_from: Vec<PathBuf>,
    /// `--payload-limit`: bytes of payloads that the cache keeps unpacked; None takes the default.
    pub payload_limit: Option<u64>,
    /// `--offline`.
    pub offline: bool,
    /// `--timeout`: how long a connection may take to come about, and then bring nothing.
    pub timeout: Option<Duration>,
    /// `--jobs`: transfers at once, and at most that many threads of work; None takes the defaults.
    pub jobs: Option<usize>,
    /// `--foreign`: nothing of the root is run; a script in it finishes it.
    pub foreign: bool,
    /// `--rpmdb-backend`: the kind of rpm's database, instead of what the root's own rpm is set up for.
    pub rpmdb_backend: Option<bareroot_rpm_db::Backend>,
    /// `--no-host-files`: neither resolv.conf nor hostname is copied.
    pub no_host_files: bool,
    /// The mode that this process is in, by `--mode`.
    pub mode: Mode,
    /// `--no-standins`: every helper of the target is run as it is.
    pub no_standins: bool,
}

impl Request {
    /// Whether a `--mirror` is a one-line entry, which says what is read and not only from where.
    pub fn is_entry(mirror: &str) -> bool {
        mirror.starts_with("deb ") || mirror.starts_with("deb\t") || mirror.starts_with("deb[")
    }
}

/// Which lock is used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum LockUse {
    /// None.
    #[default]
    No,
    /// That one, if it is there and was made from the same; else packages are chosen afresh.
    IfFresh(PathBuf),
    /// That one and nothing else.
    Only(PathBuf),
}

/// Which packages come without being named, as mmdebstrap defines its variants. RPM roots have the first two, and
/// [`Variant::Minbase`], which is the minimal set that the catalogue names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Variant {
    /// Nothing but `--include`, unpacked and not configured.
    Extract,
    /// Nothing but `--include`.
    Custom,
    /// `Essential: yes` and what it needs.
    Essential,
    /// Essential and apt.
    Apt,
    /// Essential, apt and `Priority: required`.
    #[default]
    Minbase,
    /// Essential, apt and build-essential.
    Buildd,
    /// Minbase and `Priority: important`: debootstrap's own default.
    Important,
    /// Important and `Priority: standard`.
    Standard,
}

impl Variant {
    /// Every name that `--variant` takes, with mmdebstrap's and debootstrap's synonyms.
    pub const NAMES: &'static [(&'static str, Variant)] = &[
        ("extract", Variant::Extract),
        ("custom", Variant::Custom),
        ("essential", Variant::Essential),
        ("apt", Variant::Apt),
        ("minbase", Variant::Minbase),
        ("required", Variant::Minbase),
        ("buildd", Variant::Buildd),
        ("important", Variant::Important),
        ("debootstrap", Variant::Important),
        ("-", Variant::Important),
        ("standard", Variant::Standard),
    ];

    /// Its first name.
    pub fn word(self) -> &'static str {
        let known = Self::NAMES.iter().find(|(_, variant)| *variant == self);
        known.map_or("", |(name, _)| name)
    }

    /// The variant of that name.
    pub fn named(name: &str) -> Option<Variant> {
        Self::NAMES
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, variant)| *variant)
    }
}

/// One `--path-exclude` or `--path-include`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// Whether it brings paths back (`--path-include`).
    pub include: bool,
    /// The glob, as dpkg matches it.
    pub glob: String,
}

/// When a hook runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HookKind {
    /// The root has its directories and configuration, no package yet.
    Setup,
    /// Payloads are unpacked, nothing is configured.
    Extract,
    /// The essential packages are configured, the rest is not there yet.
    Essential,
    /// Everything is configured, nothing is cleaned up.
    Customize,
}

impl HookKind {
    /// The word in the option's name.
    pub fn word(self) -> &'static str {
        match self {
            HookKind::Setup => "setup",
            HookKind::Extract => "extract",
            HookKind::Essential => "essential",
            HookKind::Customize => "customize",
        }
    }
}

/// A command of the user, run on the host with the root's path as `$1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hook {
    /// When.
    pub kind: HookKind,
    /// A program's path, or a line for `sh -c`.
    pub command: String,
}

/// Checks that the user gave up; each use is said in a warning.
#[derive(Clone, Debug, Default)]
pub struct Waivers {
    /// `--no-check-valid-until`.
    pub valid_until: bool,
    /// `--allow-unauthenticated`.
    pub signature: bool,
    /// `--allow-weak-key`: fingerprints.
    pub weak_keys: Vec<String>,
}

/// `--cache-dir` and `--no-cache`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum CacheChoice {
    /// XDG's cache directory.
    #[default]
    Default,
    /// That directory.
    Dir(PathBuf),
    /// None.
    None,
}
