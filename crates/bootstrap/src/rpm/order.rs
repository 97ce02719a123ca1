//! The order of installation, which is the order in the database as well: rpm's, of packages added as dnf adds them.

use bareroot_rpm::Header;
use bareroot_rpm_script::{OrderChoice, order};

use super::arch;
use super::plan::Plan;
use super::unpack::Arrived;

/// The ELF class that is preferred where the root has no other wish (rpm's lib/rpmts.c: `_prefer_color`).
pub const PREFERRED_COLOR: u32 = 2;

/// The packages in the order in which they are installed.
///
/// dnf adds packages by their numbers in its solver: those of the first repository come first, each repository's in the
/// order of its metadata; repositories come by priority, then by cost, then as they are configured (dnf's
/// repodict.py; libdnf's Goal::listInstalls gives a set of numbers).
pub fn ordered(mut arrived: Vec<Arrived>, plan: &Plan) -> Vec<Arrived> {
    arrived.sort_by_key(|package| {
        let place = package.pick.repo;
        let repo = place.and_then(|place| plan.repos.get(place));
        let rank = repo.map(|repo| (repo.priority, repo.cost));
        // Files that the user named are added to the solver last.
        (place.is_none(), rank, place, package.pick.number)
    });
    let headers: Vec<&Header> = arrived.iter().map(|package| package.file.header()).collect();
    let order = order(
        &headers,
        &OrderChoice {
            color: arch::color(&plan.arch),
            preferred: PREFERRED_COLOR,
            no_docs: plan.no_docs,
        },
    );
    let mut slots: Vec<Option<Arrived>> = arrived.into_iter().map(Some).collect();
    order
        .into_iter()
        .filter_map(|place| slots.get_mut(place).and_then(Option::take))
        .collect()
}
