//! Where bareroot's tree may differ from dnf's, and why. What is not here is a failure.

use crate::peers::exceptions::{Exception, Which};

/// The table.
pub const TABLE: &[Exception] = &[
    excuse("usr/lib/sysimage/rpm/rpmdb.sqlite", Which::Any, DATABASE),
    excuse("usr/lib/sysimage/rpm/rpmdb.sqlite-wal", Which::OnlyPeer, DATABASE),
    excuse("usr/lib/sysimage/rpm/rpmdb.sqlite-shm", Which::OnlyPeer, DATABASE),
    excuse("usr/lib/sysimage/rpm/.rpm.lock", Which::OnlyPeer, DATABASE),
    excuse("var/lib/dnf/history.sqlite", Which::Any, HISTORY),
    excuse("var/lib/dnf/history.sqlite-wal", Which::OnlyPeer, HISTORY),
    excuse("var/lib/dnf/history.sqlite-shm", Which::OnlyPeer, HISTORY),
    excuse("var/log/dnf*", Which::OnlyPeer, "dnf's log of its own run"),
    excuse("var/log/hawkey.log", Which::OnlyPeer, "dnf's log of its own run"),
    excuse(
        "var/lib/dnf/modulefailsafe",
        Which::OnlyPeer,
        "an empty directory that dnf makes whenever it runs",
    ),
    excuse(
        "var/cache/ldconfig/aux-cache",
        Which::OnlyPeer,
        "inode numbers and times of libraries: bareroot leaves none of ldconfig's cache",
    ),
    excuse("var/lib/dnf", Which::OnlyPeer, NO_DNF),
    excuse("etc/dnf", Which::OnlyPeer, NO_DNF),
    excuse("etc/dnf/modules.d", Which::OnlyPeer, NO_DNF),
    excuse(
        "dev/null",
        Which::OnlyPeer,
        "dnf --installroot makes no devices: what a program wrote to it is a file",
    ),
];

const DATABASE: &str = "rpm's database, compared by headers and rows";

const HISTORY: &str = "dnf's history, compared by what dnf says of reasons and repositories";

const NO_DNF: &str = "the state of a dnf that is not among the packages";

const fn excuse(path: &'static str, which: Which, reason: &'static str) -> Exception {
    Exception {
        path,
        suites: &[],
        which,
        reason,
    }
}
