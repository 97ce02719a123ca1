//! rpm's lock.

use std::fs::File;
use std::thread;
use std::time::Duration;

use bareroot_testkit::cases;
use bareroot_testkit::door::Going;
use bareroot_testkit::harness::Case;
use rustix::fs::{FlockOperation, fcntl_lock};

use crate::{Place, names};

pub const CASES: &[Case] = cases![Nothing: waits, gives_up];

/// As rpm takes it for a transaction.
fn lock(place: &Place) -> File {
    let file = File::create(place.path("db/.rpm.lock")).unwrap();
    fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive).unwrap();
    file
}

fn waits() {
    let place = Place::new();
    let list = place.database("db", "ndb", 5);
    let held = lock(&place);
    let going = Going::start(place.command(&["convert", "db", "--to", "sqlite"]));
    thread::sleep(Duration::from_millis(700));
    assert_eq!(names(&place.path("db")), ["Index.db", "Packages.db"]);
    // Readers need none.
    assert_eq!(place.bytes(&["export", "db"]), list);
    drop(held);
    assert_eq!(going.end().code, Some(0));
    assert_eq!(names(&place.path("db")), ["rpmdb-old-ndb", "rpmdb.sqlite"]);
    assert_eq!(place.bytes(&["export", "db"]), list);
}

fn gives_up() {
    let place = Place::new();
    let list = place.database("db", "ndb", 5);
    let _held = lock(&place);
    place
        .rpmdb(&["convert", "db", "--to", "sqlite"])
        .failed(6, &["db/.rpm.lock is locked", "transaction"]);
    place
        .rpmdb(&["import", "list", "db", "--force"])
        .failed(6, &["db/.rpm.lock is locked"]);
    assert_eq!(names(&place.path("db")), ["Index.db", "Packages.db"]);
    assert_eq!(place.bytes(&["export", "db"]), list);
}
