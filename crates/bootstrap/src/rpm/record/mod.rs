//! Chapter seven: rpm's database is written, at the place where the root's own rpm looks for it, and what the root's
//! package managers remember.

mod keys;
pub mod location;
mod managers;

use std::time::{SystemTime, UNIX_EPOCH};

use bareroot_rpm::blob::{self, Install};
use bareroot_rpm_db::{Backend, ByteOrder, Database};
use bareroot_unpack::Root;

use location::Location;

use super::arch;
use super::index::IndexedRepo;
use super::plan::Plan;
use super::solve::Solution;
use super::unpack::{Arrived, Unpacked};
use crate::error::Error;

/// The ends of the names of SQLite's logs (<https://sqlite.org/tempfiles.html>).
const LOGS: [&str; 3] = ["-journal", "-wal", "-shm"];

/// Records all packages, in the order of installation, and before them the keys that they were verified with.
///
/// # Errors
/// When the root refuses.
pub fn record(
    root: &Root,
    plan: &Plan,
    repos: &[IndexedRepo],
    solution: &Solution,
    arrived: &[Arrived],
    unpacked: &Unpacked,
) -> Result<(), Error> {
    let begin = plan
        .epoch
        .map_or_else(now, |epoch| u32::try_from(epoch).unwrap_or_default());
    let location = location::of(root, &plan.arch)?;
    let backend = backend(plan, &location);
    let mut database = Database::create_for(backend, ByteOrder::of_arch(&plan.arch))?;
    for key in keys::stored(plan, repos, arrived, begin) {
        database.add(&key)?;
    }
    let before = database.cookie();
    let mut time = begin;
    for (package, states) in arrived.iter().zip(&unpacked.states) {
        let states = states.iter().map(|state| *state as u8).collect();
        database.add(&blob::stored(
            &package.file,
            &Install {
                time,
                transaction: begin,
                color: arch::color(&plan.arch),
                states,
            },
        ))?;
        // By SOURCE_DATE_EPOCH each package is a second younger than the one before it, as in rpm, so that those who sort
        // by that time still see the order (rpm's lib/rpmts.c: rpmtsGetTime).
        if plan.epoch.is_some() {
            time = time.saturating_add(1);
        }
    }
    let transaction = managers::transaction(plan, solution, arrived, begin, [before, database.cookie()]);
    root.create_dir_all(&location.directory, 0o755)?;
    for file in database.finish()? {
        // What a package put beside it SQLite would apply to it.
        for end in LOGS {
            root.remove_all(location.directory.join(format!("{}{end}", file.name)))?;
        }
        root.write(location.directory.join(file.name), 0o644, &file.bytes)?;
    }
    managers::record(root, solution, arrived, &transaction)
}

/// What the user wants, else what the root's own rpm is set up for, else what the release has.
fn backend(plan: &Plan, location: &Location) -> Backend {
    plan.backend
        .or(location.backend)
        .or(plan.usual_backend)
        .unwrap_or_default()
}

fn now() -> u32 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| u32::try_from(since.as_secs()).unwrap_or(u32::MAX))
}
