//! The command line, typed. `request.rs` turns it into what `bootstrap` understands.

mod carry;
mod clone;
mod enter;
mod mirror;
pub mod units;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bareroot_bootstrap::Format;
use bareroot_bootstrap::rpmdb::{Backend, ByteOrder};
use bareroot_enter::mode::Choice;
use bareroot_enter::{Bind, Who};
use clap::{ArgAction, Args, Parser, Subcommand};

pub use carry::Carry;
pub use clone::CloneVerb;
pub use mirror::Mirror;

/// Grow a Linux root filesystem from bare packages, on any Linux, with no package tool on the host.
#[derive(Debug, Parser)]
#[command(name = "bareroot", version, max_term_width = 100, propagate_version = true)]
#[command(
    after_help = "Exit codes: 0 done, 1 internal, 2 usage, 3 cannot be resolved, 4 network or mirror, \
5 trust (signature, digest, expired, malformed), 6 target or file system, 7 a script or hook failed, 8 recipe, lock and request \
disagree, 9 done, but the input changed while it was read, 130 interrupted."
)]
pub struct Cli {
    #[command(subcommand)]
    pub verb: Verb,
}

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Make a root: a new directory, or an archive
    Bootstrap(Box<Bootstrap>),
    /// Say which packages a root would hold, and why, touching no target
    Resolve(Box<Resolve>),
    /// Write a recipe: a TOML file that says what the command line can say
    Init(Box<Init>),
    /// Write down which packages a root would hold, with their digests; or move what is written down
    Lock(Box<Lock>),
    /// Write a root that is there to a tar archive
    Export(Export),
    /// Remove a root, unless something is mounted in it
    Remove(Remove),
    /// Clone this system, or another tree, into a new directory or an archive
    Clone(Box<CloneVerb>),
    /// Put programs, with all that each needs to run, into a directory
    Carry(Box<Carry>),
    /// Run a shell or a program in a root, with what a program needs around it, and leave nothing behind
    Enter(Box<Enter>),
    /// Make a partial mirror: the packages that a root would hold, with the signed indexes they are verified by
    Mirror(Box<Mirror>),
    /// List the distributions and releases known by name: what can be made, where from, with which database
    Distros(Distros),
    /// Say what the cache of downloads holds, and clean it up
    Cache(Cache),
    /// Read, verify, convert and carry rpm databases of any kind
    Rpmdb(Rpmdb),
}

/// `bareroot rpmdb`. DB is a root, the directory of a database or its file: the kind is recognised by content.
#[derive(Debug, Args)]
pub struct Rpmdb {
    #[command(subcommand)]
    pub what: RpmdbVerb,
    /// How root's rights are come by: auto (not at all where DB is this user's), root, unshare (subordinate ids), single (this
    /// user's id alone)
    #[arg(long, global = true, value_name = "MODE", default_value = "auto", value_parser = mode)]
    pub mode: Choice,
}

impl Rpmdb {
    /// What was named.
    pub fn db(&self) -> &Path {
        match &self.what {
            RpmdbVerb::List { db, .. }
            | RpmdbVerb::Verify { db }
            | RpmdbVerb::Convert { db, .. }
            | RpmdbVerb::Dump { db, .. }
            | RpmdbVerb::Load { db, .. }
            | RpmdbVerb::Export { db }
            | RpmdbVerb::Import { db, .. } => db,
        }
    }
}

#[derive(Debug, Subcommand)]
pub enum RpmdbVerb {
    /// List the packages, as `rpm -qa` names them
    List {
        /// A root, the database's directory, or its file
        db: PathBuf,
        /// One JSON document
        #[arg(long)]
        json: bool,
    },
    /// Check structure, checksums, headers, their digests and the indexes
    Verify {
        /// A root, the database's directory, or its file
        db: PathBuf,
    },
    /// Put a database of another kind in the place of DB, whose files are kept aside
    Convert {
        /// A root, the database's directory, or its file
        db: PathBuf,
        #[command(flatten)]
        kind: RpmdbKind,
    },
    /// Write the text of Berkeley DB's db_dump (rpmdb_dump) on standard output
    Dump {
        /// A root, the database's directory, or its file
        db: PathBuf,
        /// Printable characters as they are (db_dump -p)
        #[arg(short, long)]
        print: bool,
    },
    /// Make a database of such a text
    Load {
        /// The text; - for standard input
        dump: PathBuf,
        /// A root, or a directory, which may be new
        db: PathBuf,
        #[command(flatten)]
        kind: RpmdbKind,
        /// Keep the files of a database that is there aside, and write another
        #[arg(long)]
        force: bool,
    },
    /// Write rpm's list of headers (rpmdb --exportdb) on standard output
    Export {
        /// A root, the database's directory, or its file
        db: PathBuf,
    },
    /// Make a database of such a list (rpmdb --importdb)
    Import {
        /// The list; - for standard input
        list: PathBuf,
        /// A root, or a directory, which may be new
        db: PathBuf,
        #[command(flatten)]
        kind: RpmdbKind,
        /// Keep the files of a database that is there aside, and write another
        #[arg(long)]
        force: bool,
    },
}

/// Which kind of database is written.
#[derive(Debug, Args)]
pub struct RpmdbKind {
    /// sqlite, ndb or bdb [default: what the root's own macros say, else the kind that is there, else sqlite]
    #[arg(long, value_name = "BACKEND", value_parser = backend)]
    pub to: Option<Backend>,
    /// The byte order of the machines that use it: little or big [default: that of the input, else this machine's]
    #[arg(long, value_name = "ORDER", value_parser = byte_order)]
    pub byte_order: Option<ByteOrder>,
}

fn backend(word: &str) -> Result<Backend, String> {
    Backend::of_word(word).ok_or_else(|| "there are sqlite, ndb and bdb".to_owned())
}

fn byte_order(word: &str) -> Result<ByteOrder, String> {
    match word {
        "little" => Ok(ByteOrder::Little),
        "big" => Ok(ByteOrder::Big),
        _ => Err("there are little and big".to_owned()),
    }
}

/// What distinguishes `bootstrap debian:trixie ./trixie` from `bootstrap --sources FILE ./root`: clap fills the first
/// free word first, so the two are told apart in `request.rs`.
#[derive(Debug, Args)]
#[command(override_usage = "bareroot bootstrap [OPTIONS] [SPEC] <TARGET>")]
pub struct Bootstrap {
    /// distribution:release (debian:trixie, fedora:43), a recipe (.toml) or a lock (.lock), left out with --sources or
    /// --repo; then the directory to make, which a recipe may name, or
    /// the archive, by its name (.tar, .tar.gz, .tar.xz, .tar.zst) or --format; `-` is an archive on standard output
    #[arg(value_names = ["SPEC", "TARGET"], num_args = 1..=2, required = true)]
    pub words: Vec<String>,
    /// Use the lock, and refuse one that is stale or missing (beside the recipe; with a SPEC ./bareroot.lock)
    #[arg(long, help_heading = "Sources")]
    pub locked: bool,
    #[command(flatten)]
    pub plan: PlanOptions,
    #[command(flatten)]
    pub make: MakeOptions,
    #[command(flatten)]
    pub talk: Talk,
}

#[derive(Debug, Args)]
pub struct Resolve {
    /// distribution:release (debian:trixie, fedora:43), a recipe (.toml) or a lock (.lock), left out with --sources or --repo
    pub spec: Option<String>,
    /// Use the lock, and refuse one that is stale or missing (beside the recipe; with a SPEC ./bareroot.lock)
    #[arg(long, help_heading = "Sources")]
    pub locked: bool,
    #[command(flatten)]
    pub plan: PlanOptions,
    /// Say why PKG is part of the root: the chain of requirements that leads to it
    #[arg(long, value_name = "PKG")]
    pub why: Option<String>,
    #[command(flatten)]
    pub talk: Talk,
}

#[derive(Debug, Args)]
pub struct Init {
    /// distribution:release (debian:trixie, fedora:43), left out with --sources or --repo
    pub spec: Option<String>,
    /// The recipe; one that is there is left alone
    #[arg(default_value = "root.toml")]
    pub file: PathBuf,
    #[command(flatten)]
    pub plan: PlanOptions,
}

#[derive(Debug, Args)]
pub struct Lock {
    /// distribution:release, a recipe (.toml) or a lock (.lock), left out with --sources or --repo
    pub spec: Option<String>,
    #[command(flatten)]
    pub plan: PlanOptions,
    /// The lock [default: bareroot.lock beside the recipe, or here]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Move all packages to what the indexes have, or PKG and what it cannot do without
    #[arg(long, value_name = "PKG", num_args = 0..=1, default_missing_value = "")]
    pub upgrade: Option<String>,
    #[command(flatten)]
    pub talk: Talk,
}

/// Words after ROOT that are no options are the program and its arguments.
#[derive(Debug, Args)]
#[command(
    override_usage = "bareroot enter [OPTIONS] <ROOT> [--] [CMD]...",
    after_help = "Exit codes: the program's own; 128 and the number of the signal that ended it; 125 bareroot failed, 126 the \
program cannot be run, 127 it was not found."
)]
pub struct Enter {
    /// The root: a directory
    pub root: PathBuf,
    /// Whom to be, in the words of the root's own /etc/passwd and /etc/group, or by number [default: root]
    #[arg(short, long, value_name = "USER[:GROUP]")]
    pub user: Option<Who>,
    /// Where to begin [default: `/` for a program, the home directory for a shell]
    #[arg(short, long, value_name = "DIR")]
    pub workdir: Option<PathBuf>,
    /// Set a variable; without `=` to the value that it has here (repeatable). Of this host's variables TERM alone goes in
    #[arg(long, value_name = "NAME[=VALUE]", value_parser = enter::variable)]
    pub env: Vec<(OsString, OsString)>,
    /// Show a file or directory of this host, at the same path or at DST, which must be there unless it is below /run
    /// (repeatable). A colon in a path is written `\:`
    #[arg(long = "bind", value_name = "SRC[:DST[:ro]]", value_parser = enter::bind)]
    pub binds: Vec<Bind>,
    /// The root can only be read; /run, /tmp and /dev are in memory
    #[arg(long)]
    pub read_only: bool,
    /// A network of its own with the loopback interface alone, instead of this host's
    #[arg(long)]
    pub no_network: bool,
    /// The host name that programs see instead of this host's
    #[arg(long, value_name = "NAME")]
    pub hostname: Option<OsString>,
    /// Keep all of root's rights, as chroot(1) does: programs can mount, make devices, and reach the host
    #[arg(long)]
    pub privileged: bool,
    /// How to come by root's rights: auto, root (have them), unshare (a user namespace with subordinate ids), single (with
    /// one id)
    #[arg(long, value_name = "MODE", default_value = "auto", value_parser = mode)]
    pub mode: Choice,
    /// The program and its arguments [default: the user's shell, as a login shell]
    #[arg(trailing_var_arg = true, value_name = "CMD")]
    pub command: Vec<OsString>,
}

#[derive(Debug, Args)]
pub struct Export {
    /// The root
    pub root: PathBuf,
    /// The archive, replaced when it is there: .tar, .tar.gz (.tgz), .tar.xz (.txz), .tar.zst (.tzst); `-` is standard output
    pub out: String,
    /// tar, tar.gz, tar.xz or tar.zst, whatever the name [for `-`: tar]
    #[arg(long, value_name = "F", value_parser = format)]
    pub format: Option<Format>,
    /// The limit of threads that compress [default: the number of cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub jobs: Option<u16>,
    /// How root's rights are come by: auto, root, unshare (subordinate ids), single (this user's id alone)
    #[arg(long, value_name = "MODE", default_value = "auto", value_parser = mode)]
    pub mode: Choice,
    /// Only errors and warnings
    #[arg(short, long)]
    pub quiet: bool,
}

impl Export {
    /// How it is told: there are only warnings to tell.
    pub fn talk(&self) -> Talk {
        Talk {
            quiet: self.quiet,
            verbose: false,
            json: false,
            trace: None,
        }
    }
}

#[derive(Debug, Args)]
pub struct Remove {
    /// The root
    pub root: PathBuf,
    /// How root's rights are come by: auto, root, unshare (subordinate ids), single (this user's id alone)
    #[arg(long, value_name = "MODE", default_value = "auto", value_parser = mode)]
    pub mode: Choice,
}

#[derive(Debug, Args)]
pub struct Distros {
    /// One JSON document
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Cache {
    #[command(subcommand)]
    pub action: CacheAction,
}

#[derive(Debug, Subcommand)]
pub enum CacheAction {
    /// Print its directory
    Dir(CachePlace),
    /// Say how much it holds of indexes, archives, unpacked payloads, and parts of downloads
    Size(CachePlace),
    /// Remove what was not used for long, and the parts that dead runs have left; nothing that a run uses
    Prune {
        /// How long: 90s, 45m, 12h, 30d, 8w
        #[arg(long, value_name = "DURATION", default_value = "30d", value_parser = units::duration)]
        older_than: Duration,
        /// Only say what would go
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        place: CachePlace,
    },
    /// Read every file and name those that are broken: exit code 5 where there is one
    Verify {
        /// Remove them
        #[arg(long)]
        repair: bool,
        #[command(flatten)]
        place: CachePlace,
    },
}

#[derive(Debug, Args)]
pub struct CachePlace {
    /// The cache [default: $XDG_CACHE_HOME/bareroot]
    #[arg(long, value_name = "DIR")]
    pub cache_dir: Option<PathBuf>,
    /// One JSON document
    #[arg(long)]
    pub json: bool,
}

/// Options that shape the plan: the same for every verb that has one.
#[derive(Debug, Args)]
pub struct PlanOptions {
    /// extract, custom, essential, apt, minbase (= required), buildd, important (= debootstrap, -), standard; RPM roots
    /// have extract and custom, which hold what --include names, and minbase, the minimal set of SPEC's release
    /// [default: minbase]
    #[arg(long, value_name = "V", allow_hyphen_values = true, help_heading = "Packages")]
    pub variant: Option<String>,
    /// Packages to add: pkg, pkg=version, pkg/suite, pkg:arch, pkg-, or a .deb file; in RPM roots what `dnf install`
    /// takes: pkg, pkg-version, pkg.arch, a path, @group, '@Environment', @module:stream, or an .rpm file or URL
    #[arg(long, value_name = "A,B", value_delimiter = ',', help_heading = "Packages")]
    pub include: Vec<String>,
    /// Packages that must not be in
    #[arg(long, value_name = "A,B", value_delimiter = ',', help_heading = "Packages")]
    pub exclude: Vec<String>,
    /// Follow weak dependencies (Recommends, in RPM roots Supplements too): the default of RPM roots
    #[arg(long, overrides_with = "no_recommends", help_heading = "Packages")]
    pub recommends: bool,
    /// Follow no weak dependencies: the default of Debian roots
    #[arg(long, help_heading = "Packages")]
    pub no_recommends: bool,
    /// Groups bring their optional packages too (RPM)
    #[arg(long, help_heading = "Packages")]
    pub with_optional: bool,
    /// Languages of which files are installed (RPM) [default: all]
    #[arg(long, value_name = "A,B", value_delimiter = ',', help_heading = "Packages")]
    pub langs: Option<Vec<String>>,
    /// Leave out what packages mark as documentation (RPM)
    #[arg(long, help_heading = "Packages")]
    pub nodocs: bool,
    /// The target's architecture, as dpkg calls it, or rpm in RPM roots; what this machine does not run needs a static
    /// qemu-ARCH, or --foreign; `lock` takes several, A,B [default: the host's own]
    #[arg(long, value_name = "ARCH", help_heading = "Packages")]
    pub arch: Option<String>,

    /// A mirror, or a one-line `deb` entry; repeated mirrors are fallbacks for the one before. In RPM roots the address
    /// that the distribution's own layout lies below, as https://dl.fedoraproject.org/pub/fedora/linux
    #[arg(long = "mirror", value_name = "URL", help_heading = "Sources")]
    pub mirrors: Vec<String>,
    /// Components instead of the distribution's default (Debian)
    #[arg(long, value_name = "A,B", value_delimiter = ',', help_heading = "Sources")]
    pub components: Vec<String>,
    /// Add the -updates and -security suites, in RPM roots the repositories of updates, also with --mirror
    #[arg(long, overrides_with = "no_updates", help_heading = "Sources")]
    pub updates: bool,
    /// The named suite or release alone, without its updates
    #[arg(long, help_heading = "Sources")]
    pub no_updates: bool,
    /// A sources file in either of apt's formats (repeatable); SPEC may be left out (Debian)
    #[arg(long = "sources", value_name = "FILE", help_heading = "Sources")]
    pub sources: Vec<PathBuf>,
    /// A .repo file as in /etc/yum.repos.d (repeatable); SPEC may be left out. With SPEC its repositories come beside
    /// the release's own, or in the place of those of the same ids (RPM)
    #[arg(long = "repo", value_name = "FILE", help_heading = "Sources")]
    pub repos: Vec<PathBuf>,
    /// What $releasever stands for (RPM) [default: SPEC's release]
    #[arg(long, value_name = "VERSION", help_heading = "Sources")]
    pub releasever: Option<String>,
    /// Archives as they were then: 2026-01-31 or 20260131T120000Z, from the distribution's snapshot service; with a lock only
    /// for what its mirrors have no more (Debian, Ubuntu)
    #[arg(long, value_name = "DATE", help_heading = "Sources")]
    pub snapshot: Option<String>,
    /// How long a connection may take to come about, and how long it may then bring nothing [default: 30]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u16).range(1..), help_heading = "Sources")]
    pub timeout: Option<u16>,
    /// Use only what the cache and file: mirrors have
    #[arg(long, help_heading = "Sources")]
    pub offline: bool,
    /// Where indexes and archives are kept [default: $XDG_CACHE_HOME/bareroot]
    #[arg(
        long,
        value_name = "DIR",
        conflicts_with = "no_cache",
        help_heading = "Sources"
    )]
    pub cache_dir: Option<PathBuf>,
    /// Keep nothing, and use nothing but --cache-from
    #[arg(long, help_heading = "Sources")]
    pub no_cache: bool,
    /// Another cache that is asked after that one, read where it is and never written (repeatable)
    #[arg(long = "cache-from", value_name = "DIR", help_heading = "Sources")]
    pub cache_from: Vec<PathBuf>,
    /// How much the cache may keep of payloads unpacked, as 500M or 8G; 0 keeps none [default: 4 GiB]
    #[arg(long, value_name = "SIZE", value_parser = units::size, help_heading = "Sources")]
    pub payload_limit: Option<u64>,

    /// Keyring files or directories (.gpg, .pgp, .asc) instead of the built-in ones
    #[arg(long = "keyring", value_name = "FILE|DIR", help_heading = "Trust")]
    pub keyrings: Vec<PathBuf>,
    /// Accept an index after its Valid-Until (Debian), and one older than its address gave before
    #[arg(long, help_heading = "Trust")]
    pub no_check_valid_until: bool,
    /// Accept weak signatures (SHA-1, DSA, an expired key) by this key
    #[arg(long = "allow-weak-key", value_name = "FINGERPRINT", help_heading = "Trust")]
    pub weak_keys: Vec<String>,
    /// Accept indexes, and RPM packages, without a valid signature
    #[arg(long, visible_alias = "no-gpgcheck", help_heading = "Trust")]
    pub allow_unauthenticated: bool,

    /// Transfers at once, and the limit of threads that unpack [default: 8, and the number of cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256), help_heading = "How")]
    pub jobs: Option<u16>,
}

/// Options that only matter when a root is made.
#[derive(Debug, Args)]
pub struct MakeOptions {
    /// Leave out paths that match (dpkg's path-exclude)
    #[arg(long = "path-exclude", value_name = "GLOB", help_heading = "Packages")]
    pub path_exclude: Vec<String>,
    /// Bring paths back that --path-exclude left out (dpkg's path-include)
    #[arg(long = "path-include", value_name = "GLOB", help_heading = "Packages")]
    pub path_include: Vec<String>,
    /// directory, tar, tar.gz, tar.xz or tar.zst, whatever TARGET's name [for `-`: tar]
    #[arg(long, value_name = "F", value_parser = format, help_heading = "How")]
    pub format: Option<Format>,
    /// How root's rights are come by: auto, root, unshare (subordinate ids), single (this user's id alone)
    /// [default: auto]
    #[arg(long, value_name = "MODE", value_parser = mode, help_heading = "How")]
    pub mode: Option<Choice>,
    /// Run nothing of the root: its packages are unpacked and recorded, and /bareroot/second-stage in it does the rest, on a
    /// machine that runs its programs
    #[arg(long, help_heading = "How")]
    pub foreign: bool,
    /// Finish the root TARGET, which --foreign has made, where it is
    #[arg(long, conflicts_with_all = FIRST_STAGE, help_heading = "How")]
    pub second_stage: bool,
    /// Make /bin, /sbin and /lib* links into /usr also where the release does not (Debian)
    #[arg(long, help_heading = "How")]
    pub merged_usr: bool,
    /// Command to run when the root has its directories and configuration but no package; $1 is the root
    #[arg(long = "setup-hook", value_name = "CMD", help_heading = "How")]
    pub setup_hook: Vec<String>,
    /// Command to run when payloads are unpacked and nothing is configured
    #[arg(long = "extract-hook", value_name = "CMD", help_heading = "How")]
    pub extract_hook: Vec<String>,
    /// Command to run when the essential packages are configured and the rest is not there yet; in RPM roots when all are
    #[arg(long = "essential-hook", value_name = "CMD", help_heading = "How")]
    pub essential_hook: Vec<String>,
    /// Command to run when everything is configured
    #[arg(long = "customize-hook", value_name = "CMD", help_heading = "How")]
    pub customize_hook: Vec<String>,
    /// A line, or a file of lines, for the root's apt configuration (Debian)
    #[arg(long = "aptopt", value_name = "OPT", help_heading = "How")]
    pub apt_options: Vec<String>,
    /// A line, or a file of lines, for the root's dpkg configuration (Debian)
    #[arg(long = "dpkgopt", value_name = "OPT", help_heading = "How")]
    pub dpkg_options: Vec<String>,
    /// The root's hostname instead of this host's (in RPM roots: instead of none)
    #[arg(long, value_name = "NAME", help_heading = "How")]
    pub hostname: Option<String>,
    /// Copy neither resolv.conf nor hostname of this host (RPM roots never get them)
    #[arg(long, help_heading = "How")]
    pub no_host_files: bool,
    /// The kind of rpm's database: sqlite, ndb or bdb [default: what the root's own rpm is set up for] (RPM)
    #[arg(long, value_name = "BACKEND", value_parser = backend, help_heading = "How")]
    pub rpmdb_backend: Option<Backend>,
    /// Run every helper program of the target as it is; nothing stands in for the slow ones
    #[arg(long, help_heading = "How")]
    pub no_standins: bool,
}

/// What a root is unpacked by; its second stage has no use for it.
const FIRST_STAGE: [&str; 37] = [
    "locked",
    "snapshot",
    "foreign",
    "variant",
    "include",
    "exclude",
    "recommends",
    "no_recommends",
    "with_optional",
    "langs",
    "nodocs",
    "arch",
    "mirrors",
    "components",
    "updates",
    "no_updates",
    "sources",
    "repos",
    "releasever",
    "timeout",
    "offline",
    "cache_dir",
    "no_cache",
    "keyrings",
    "no_check_valid_until",
    "weak_keys",
    "allow_unauthenticated",
    "path_exclude",
    "path_include",
    "merged_usr",
    "setup_hook",
    "extract_hook",
    "essential_hook",
    "apt_options",
    "dpkg_options",
    "hostname",
    "no_host_files",
];

/// A word of `--mode`.
pub fn mode(word: &str) -> Result<Choice, String> {
    let known = Choice::NAMES.iter().find(|(name, _)| *name == word);
    known.map(|(_, choice)| *choice).ok_or_else(|| {
        let names: Vec<&str> = Choice::NAMES.iter().map(|(name, _)| *name).collect();
        format!("there are {}", names.join(", "))
    })
}

/// A word of `--format`.
pub fn format(word: &str) -> Result<Format, String> {
    Format::named(word).ok_or_else(|| {
        let names: Vec<&str> = Format::WORDS.iter().map(|(name, _)| *name).collect();
        format!("there are {}", names.join(", "))
    })
}

/// How the run is told.
#[derive(Debug, Args)]
pub struct Talk {
    /// Only errors and warnings
    #[arg(short, long, conflicts_with = "verbose", help_heading = "Output")]
    pub quiet: bool,
    /// Every file and every line that a script prints
    #[arg(short, long, action = ArgAction::SetTrue, help_heading = "Output")]
    pub verbose: bool,
    /// Events (for resolve: the plan) as JSON on standard output
    #[arg(long, help_heading = "Output")]
    pub json: bool,
    /// Write a trace for Chrome's about:tracing or Perfetto
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub trace: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        super::Cli::command().debug_assert();
    }
}
