//! A conversion that is killed: all headers are there, and the next one works and clears what is left.

use std::fs;
use std::thread;
use std::time::Instant;

use bareroot_testkit::cases;
use bareroot_testkit::door::{Going, Signal};
use bareroot_testkit::harness::Case;

use crate::{KINDS, Place, names};

pub const CASES: &[Case] = cases![Nothing: at_any_moment];

/// How often, over all pairs of kinds.
const MOMENTS: u32 = 42;

/// Enough that a conversion takes a while.
const COUNT: usize = 300;

fn at_any_moment() {
    let place = Place::new();
    let mut state = 0x9e37_79b9_u32;
    let pairs: Vec<_> = KINDS
        .iter()
        .flat_map(|from| {
            KINDS
                .iter()
                .filter(move |to| to.0 != from.0)
                .map(move |to| (from.0, *to))
        })
        .collect();
    let (mut before, mut after) = (0, 0);
    for (from, (to, file, files)) in &pairs {
        let list = place.database("db", from, COUNT);
        let begin = Instant::now();
        place.rpmdb(&["convert", "db", "--to", to]).succeeded();
        let whole = begin.elapsed();
        fs::remove_dir_all(place.path("db")).unwrap();
        for _ in 0..MOMENTS / pairs.len() as u32 {
            place.database("db", from, COUNT);
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let going = Going::start(place.command(&["convert", "db", "--to", to]));
            thread::sleep(whole.mul_f64(f64::from(state >> 8) / f64::from(1 << 24)));
            going.signal(Signal::KILL);
            match going.end().code {
                None => before += 1,
                Some(_) => after += 1,
            }
            let when = format!("{from} to {to}: {:?}", names(&place.path("db")));
            assert_eq!(place.bytes(&["export", "db"]), list, "{when}");
            place.rpmdb(&["convert", "db", "--to", to]).succeeded();
            assert_eq!(place.bytes(&["export", "db"]), list, "{when}");
            place.rpmdb(&["verify", "db"]).succeeded();
            // The new files, and one directory with the old ones.
            let left = names(&place.path("db"));
            let old = format!("rpmdb-old-{from}");
            assert_eq!(left.len(), files + 1, "{when}, then {left:?}");
            assert!(
                left.contains(&(*file).to_owned()) && left.contains(&old),
                "{left:?}"
            );
            assert_eq!(place.bytes(&["export", &format!("db/{old}")]), list, "{when}");
            fs::remove_dir_all(place.path("db")).unwrap();
        }
    }
    assert_eq!(before + after, MOMENTS);
    assert!(before > 0, "no conversion was killed before its end");
}
