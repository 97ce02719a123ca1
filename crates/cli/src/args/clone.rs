//! `bareroot clone`.

use std::ffi::OsString;
use std::path::PathBuf;

use bareroot_bootstrap::Format;
use bareroot_enter::mode::Choice;
use clap::Args;

use super::{Talk, format, mode};

/// Globs begin at the top of what is cloned: `*` and `?` cross no slash, `**` does.
#[derive(Debug, Args)]
#[command(
    after_help = "Globs begin at the top of what is cloned, with or without a slash: `*`, `?` and `[a-z]` cross no slash, \
`**` does, a slash at the end is for directories alone. What is mounted below is left empty, and so is no part of the clone; the \
clone itself never is.\n\n\
Exit codes: 0 done; 9 done, but some of it changed while it was read, or could not be read; 6 there is no clone, the target or \
its file system refused; 2 usage; 130 interrupted."
)]
pub struct CloneVerb {
    /// The directory to make, or the archive, by its name (.tar, .tar.gz, .tar.xz, .tar.zst) or --format; `-` is an archive on
    /// standard output
    pub target: String,
    /// What is cloned [default: this system, /]
    #[arg(long, value_name = "DIR", default_value = "/", hide_default_value = true)]
    pub from: PathBuf,
    /// Leave out what matches, a directory with all that is in it (repeatable)
    #[arg(long = "exclude", value_name = "GLOB")]
    pub excludes: Vec<OsString>,
    /// Bring back what matches of that and of what --fresh leaves out, with all that is below it (repeatable)
    #[arg(long = "include", value_name = "GLOB")]
    pub includes: Vec<OsString>,
    /// Also clone what is mounted below, but for /proc, /sys and their kind
    #[arg(long)]
    pub across_file_systems: bool,
    /// Make the clone a system of its own: without machine-id, host keys, logs, random seed, caches, leases (--dry-run
    /// --verbose lists what goes, and why)
    #[arg(long)]
    pub fresh: bool,
    /// Only say what would be cloned
    #[arg(long)]
    pub dry_run: bool,
    /// Write everything to the disk before the clone gets its name
    #[arg(long)]
    pub sync: bool,
    /// directory, tar, tar.gz, tar.xz or tar.zst, whatever TARGET's name [for `-`: tar]
    #[arg(long, value_name = "F", value_parser = format)]
    pub format: Option<Format>,
    /// The limit of threads [default: the number of cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub jobs: Option<u16>,
    /// How root's rights are come by: auto, root, unshare (subordinate ids), single (this user's id alone)
    #[arg(long, value_name = "MODE", default_value = "auto", value_parser = mode)]
    pub mode: Choice,
    #[command(flatten)]
    pub talk: Talk,
}
