//! A database that is damaged: which file, where in it, and the exit code.

use std::fs;

use bareroot_testkit::cases;
use bareroot_testkit::harness::Case;

use crate::{KINDS, Place};

pub const CASES: &[Case] = cases![Nothing: places, every_verb, anywhere];

/// Kinds, what is damaged, the first byte of it, and the words that say where it is.
const DAMAGES: [(&str, &str, usize, &str); 6] = [
    ("ndb", "the head's number of slot pages", 12, "Packages.db: "),
    ("ndb", "the first slot", 32, "Packages.db: slot"),
    ("ndb", "a blob's checksum", usize::MAX, "Packages.db: "),
    ("bdb", "the meta page's version", 16, "Packages: "),
    ("bdb", "a page's type", 4096 + 25, "Packages: page"),
    ("sqlite", "a page's type", 4096, "rpmdb.sqlite"),
];

fn places() {
    let place = Place::new();
    for (kind, file, _) in KINDS {
        place.database(kind, kind, 40);
        let path = place.path(kind).join(file);
        let sound = fs::read(&path).unwrap();
        for (_, what, at, words) in DAMAGES.iter().filter(|damage| damage.0 == kind) {
            let mut bytes = sound.clone();
            // The end of an ndb's last blob is its checksum and its length.
            let at = if *at == usize::MAX { bytes.len() - 12 } else { *at };
            bytes[at] ^= 0x5a;
            fs::write(&path, bytes).unwrap();
            let run = place.rpmdb(&["verify", kind]).ended_with(5);
            assert!(
                run.stderr.contains(words) && !run.stderr.contains("panicked"),
                "{kind}, {what}: {}",
                run.stderr
            );
        }
        // A file that stops in the middle of a page.
        fs::write(&path, &sound[..sound.len() - 700]).unwrap();
        place.rpmdb(&["verify", kind]).ended_with(5).says(&[file]);
        // A header's region trailer; each kind stores the header's own bytes.
        let mut bytes = sound.clone();
        let trailer = b"\0\0\0\x3f\0\0\0\x07\xff";
        let at = bytes.windows(9).position(|some| some == trailer).unwrap();
        bytes[at + 3] = 0xff;
        bytes[at + 8] = 0x7f;
        fs::write(&path, &bytes).unwrap();
        place
            .rpmdb(&["verify", kind])
            .ended_with(5)
            .says(&[file, "error: "]);
    }
}

/// No verb writes anything out of a database that is damaged, and it stays as it is.
fn every_verb() {
    let place = Place::new();
    for (kind, file, _) in KINDS {
        place.database(kind, kind, 40);
        let path = place.path(kind).join(file);
        let mut bytes = fs::read(&path).unwrap();
        let middle = bytes.len() - 700;
        bytes.truncate(middle);
        fs::write(&path, &bytes).unwrap();
        let to = if kind == "ndb" { "bdb" } else { "ndb" };
        for words in [
            &["list", kind][..],
            &["dump", kind],
            &["export", kind],
            &["convert", kind, "--to", to],
        ] {
            let run = place.rpmdb(words).failed(5, &[file]);
            assert_eq!(run.stdout, "", "{words:?}");
        }
        assert_eq!(fs::read(&path).unwrap(), bytes);
    }
}

/// Whatever byte is another: it is read, or said; no panic, and no other code.
fn anywhere() {
    let place = Place::new();
    let mut state = 0x2545_f491_u32;
    for (kind, file, _) in KINDS {
        place.database(kind, kind, 12);
        let path = place.path(kind).join(file);
        let sound = fs::read(&path).unwrap();
        for _ in 0..25 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let at = state as usize % sound.len();
            let mut bytes = sound.clone();
            bytes[at] ^= 1 << (state >> 29);
            fs::write(&path, bytes).unwrap();
            let run = place.rpmdb(&["verify", kind]);
            assert!(
                matches!(run.code, Some(0 | 5 | 6)) && !run.stderr.contains("panicked"),
                "{kind}, byte {at}: {run:?}"
            );
        }
    }
}
