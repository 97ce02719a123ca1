//! `cargo xtask bench`: times as ratios to the peers, from one mirror on this machine, in turn, in one run.

mod clone;
mod debian;
mod desktop;
mod enter;
mod export;
mod measure;
mod modes;
mod offline;
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
    /// A real tree, by `tar | tar`, `cp -a` and `bareroot clone`, on ext4, XFS and btrfs, and as archives
    Clone(clone::Options),
    /// A root of three thousand packages, by mmdebstrap and by bareroot
    Desktop(desktop::Options),
    /// Archives, by `bareroot export` and by tar with gzip, pigz, xz and zstd
    Export(export::Options),
    /// Ordinary users, as ratios to root
    Modes(modes::Options),
    /// A locked root, with and without a network, against roots without a lock and rdebootstrap's; a partial mirror
    Offline(offline::Options),
    /// `dnf --installroot`, and bareroot with an empty and with a filled cache; an index of Fedora's size
    Rpm(rpm::Options),
    /// chroot, unshare, bubblewrap, systemd-nspawn and bareroot, to run `true` in a root
    Enter(enter::Options),
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
        Bench::Clone(options) => clone::run(options),
        Bench::Desktop(options) => desktop::run(options),
        Bench::Export(options) => export::run(options),
        Bench::Modes(options) => modes::run(options),
        Bench::Offline(options) => offline::run(options),
        Bench::Rpm(options) => rpm::run(options),
        Bench::Enter(options) => enter::run(options),
        Bench::Rpmdb(options) => rpmdb::run(options),
    }
}
