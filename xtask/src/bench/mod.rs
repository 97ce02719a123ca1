//! `cargo xtask bench`: times as ratios to the peers, from one mirror on this machine, in turn, in one run.

mod debian;
mod measure;
mod rpm;
mod rpmdb;
mod table;

use anyhow::Result;
use clap::Subcommand;

/// `cargo xtask bench`.
#[derive(Subcommand)]
pub enum Bench {
    /// debootstrap, mmdebstrap, rdebootstrap, and bareroot with an empty and with a filled cache
    Debian(debian::Options),
    /// `dnf --installroot`, and bareroot with an empty and with a filled cache; an index of Fedora's size
    Rpm(rpm::Options),
    /// `rpmdb --importdb` and `--rebuilddb`, and bareroot with each kind of database
    Rpmdb(rpmdb::Options),
}

/// Runs a bench.
///
/// # Errors
/// When a tool fails, or one of the ratios that the project promises is missed.
pub fn run(bench: &Bench) -> Result<()> {
    match bench {
        Bench::Debian(options) => debian::run(options),
        Bench::Rpm(options) => rpm::run(options),
        Bench::Rpmdb(options) => rpmdb::run(options),
    }
}
