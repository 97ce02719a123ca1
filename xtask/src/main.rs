//! The project's chores: comparisons with the peers, and benches.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod bench;
mod deps;
mod dnf;
mod fuzz;
mod machine;
mod nginx;
mod peers;
mod report;
mod rpm_distro;
mod run;
mod soak;
mod users;
mod workshop;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(about = "The project's chores")]
struct Args {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Compare with apt, mmdebstrap, dpkg, rpm and dnf, on real packages; every lane when none is named.
    Peers(peers::Args),
    /// Build a signed RPM distribution from Debian's packages.
    RpmDistro(rpm_distro::Args),
    /// Check the dependencies: licences, sources, reasons, what was yanked; and count unsafe code.
    Deps(deps::Args),
    /// Run the fuzz targets, each for a while, with what they may allocate bounded.
    Fuzz(fuzz::Args),
    /// Everything at once for a while, with mirrors that misbehave and runs that are killed; or many bootstraps at once.
    Soak(soak::Args),
    /// Times as ratios to the peers, in one run.
    #[command(subcommand)]
    Bench(bench::Bench),
}

fn main() -> ExitCode {
    // The roots of the soak have this very file for their programs.
    if let Some(code) = bareroot_testkit::programs::main() {
        return code;
    }
    let result = match Args::parse().chore {
        Chore::Peers(args) => peers::run(args),
        Chore::RpmDistro(args) => rpm_distro::run(&args),
        Chore::Deps(args) => deps::run(&args),
        Chore::Fuzz(args) => fuzz::run(&args),
        Chore::Soak(args) => soak::run(&args),
        Chore::Bench(bench) => bench::run(&bench),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
