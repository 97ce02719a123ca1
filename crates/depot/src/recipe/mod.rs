//! A recipe: `root.toml`.
//!
//! [`KEYS`] is its schema; a test holds it against the structure here.

mod keys;
mod read;
mod write;

use serde::Deserialize;

pub use keys::{KEYS, Key, Kind};
pub use read::parse;
pub use write::render;

/// What a root is made of. What is absent means what the command line means without the option; paths are as written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Recipe {
    /// `distribution:release`.
    pub spec: Option<String>,
    /// `--variant`.
    pub variant: Option<String>,
    /// `--arch`.
    pub arch: Option<String>,
    /// Which packages.
    pub packages: Packages,
    /// From where.
    pub from: From,
    /// What is checked.
    pub trust: Trust,
    /// How the root is made, and what is in it beside packages.
    pub make: Make,
    /// The user's commands.
    pub hooks: Hooks,
    /// `--path-exclude` and `--path-include`; the last one that matches wins.
    pub filters: Vec<Filter>,
    /// Where the root goes.
    pub output: Output,
}

/// `[packages]`
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Packages {
    /// `--include`.
    pub include: Vec<String>,
    /// `--exclude`.
    pub exclude: Vec<String>,
    /// `--recommends`, `--no-recommends`.
    pub recommends: Option<bool>,
    /// `--with-optional`.
    pub with_optional: bool,
    /// `--langs`.
    pub langs: Option<Vec<String>>,
    /// `--nodocs`.
    pub nodocs: bool,
}

/// `[from]`
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct From {
    /// `--mirror`.
    pub mirrors: Vec<String>,
    /// `--components`.
    pub components: Vec<String>,
    /// `--updates`, `--no-updates`.
    pub updates: Option<bool>,
    /// `--sources`.
    pub sources: Vec<String>,
    /// `--repo`.
    pub repos: Vec<String>,
    /// `--releasever`.
    pub releasever: Option<String>,
    /// `--snapshot`.
    pub snapshot: Option<String>,
    /// `--timeout`, in seconds.
    pub timeout: Option<u16>,
    /// `--offline`.
    pub offline: bool,
    /// `--cache-dir`.
    pub cache_dir: Option<String>,
    /// `--cache-from`.
    pub cache_from: Vec<String>,
    /// `--payload-limit`.
    pub payload_limit: Option<String>,
    /// `--no-cache`.
    pub no_cache: bool,
}

/// `[trust]`
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Trust {
    /// `--keyring`.
    pub keyrings: Vec<String>,
    /// `--no-check-valid-until`.
    pub no_check_valid_until: bool,
    /// `--allow-weak-key`.
    pub allow_weak_keys: Vec<String>,
    /// `--allow-unauthenticated`.
    pub allow_unauthenticated: bool,
}

/// `[make]`
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Make {
    /// `--mode`.
    pub mode: Option<String>,
    /// `--jobs`.
    pub jobs: Option<u16>,
    /// `--foreign`.
    pub foreign: bool,
    /// `--merged-usr`.
    pub merged_usr: bool,
    /// `--aptopt`.
    pub aptopts: Vec<String>,
    /// `--dpkgopt`.
    pub dpkgopts: Vec<String>,
    /// `--hostname`.
    pub hostname: Option<String>,
    /// `--no-host-files`.
    pub no_host_files: bool,
    /// `--rpmdb-backend`.
    pub rpmdb_backend: Option<String>,
    /// `--no-standins`.
    pub no_standins: bool,
}

/// `[hooks]`: commands by the moment at which they run, each list in its order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Hooks {
    /// `--setup-hook`.
    pub setup: Vec<String>,
    /// `--extract-hook`.
    pub extract: Vec<String>,
    /// `--essential-hook`.
    pub essential: Vec<String>,
    /// `--customize-hook`.
    pub customize: Vec<String>,
}

/// One of `filters`: `{ exclude = "/usr/share/doc/*" }` or `{ include = "/usr/share/doc/*/copyright" }`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Filter {
    /// `--path-exclude`.
    Exclude(String),
    /// `--path-include`.
    Include(String),
}

/// `[output]`
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Output {
    /// TARGET, where the command line names none.
    pub target: Option<String>,
    /// `--format`.
    pub format: Option<String>,
}
