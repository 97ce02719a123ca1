//! `bareroot carry`.

use std::path::PathBuf;

use bareroot_enter::mode::Choice;
use clap::Args;

use super::mode;

/// Nothing of the source is run: its files are read.
#[derive(Debug, Args)]
#[command(
    after_help = "What goes in: each program with its ELF interpreter and libraries as ld.so(8) finds them, what a `#!` line \
names, and by named rules what is loaded or read later: name service, PAM, character sets, locales, terminals, time zone, \
certificates, the libraries of Python, Perl and Ruby, what a program names in itself, and its package's own data. --dry-run \
lists it with the rule and who needs it. Private keys and passwords never go in.\n\n\
Exit codes: 0 done; 2 no such program, or neither an ELF file nor a script; 3 a library or an interpreter is not there; 5 a \
broken ELF file; 6 ROOT has a file that differs (nothing was written), or the file system refused; 130 interrupted."
)]
pub struct Carry {
    /// The directory: made, or filled further. A new one appears whole or not at all
    pub root: PathBuf,
    /// Programs: paths in --from, or names in /usr/local/sbin, /usr/local/bin, /usr/sbin, /usr/bin, /sbin and /bin there
    #[arg(required = true, value_name = "PROGRAM")]
    pub programs: Vec<String>,
    /// The root that they are taken from, of any architecture [default: this system, /]
    #[arg(long, value_name = "DIR", default_value = "/", hide_default_value = true)]
    pub from: PathBuf,
    /// A further file or directory of --from, with what the programs and libraries in it need (repeatable)
    #[arg(long = "file", value_name = "PATH")]
    pub files: Vec<PathBuf>,
    /// Programs, interpreters, libraries and --file alone; no rule about data
    #[arg(long)]
    pub no_data: bool,
    /// Replace files of ROOT that differ
    #[arg(long)]
    pub force: bool,
    /// Only list what would go in, by which rule, and who needs it
    #[arg(long)]
    pub dry_run: bool,
    /// One JSON document with all that goes in
    #[arg(long)]
    pub json: bool,
    /// How root's rights are come by: auto, root, unshare (subordinate ids), single (this user's id alone)
    #[arg(long, value_name = "MODE", default_value = "auto", value_parser = mode)]
    pub mode: Choice,
    /// Only errors and warnings
    #[arg(short, long)]
    pub quiet: bool,
}
