//! Every verb, on every kind.

use std::fs;

use bareroot_testkit::cases;
use bareroot_testkit::harness::Case;

use crate::{KINDS, Place, names};

pub const CASES: &[Case] = cases![Nothing: lists, texts, conversions, forced];

/// How many headers: of Berkeley DB's hash several pages.
const COUNT: usize = 40;

fn lists() {
    let place = Place::new();
    for (kind, file, files) in KINDS {
        let list = place.database(kind, kind, COUNT);
        assert_eq!(names(&place.path(kind)).len(), files, "{kind}");
        let expected: String = (1..=COUNT)
            .map(|number| format!("p{number}-1-1.noarch\n"))
            .collect();
        for db in [kind.to_owned(), format!("{kind}/{file}")] {
            assert_eq!(place.rpmdb(&["list", &db]).succeeded().stdout, expected);
            assert_eq!(place.bytes(&["export", &db]), list, "{db}");
            let run = place.rpmdb(&["verify", &db]).succeeded();
            assert_eq!(run.stdout, format!("{db}: {COUNT} headers, {kind}, sound\n"));
        }
        let run = place.rpmdb(&["list", "--json", kind]).succeeded();
        let json: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!(json["backend"], kind);
        let packages = json["packages"].as_array().unwrap();
        assert_eq!(packages.len(), COUNT);
        assert_eq!(
            (
                &packages[6]["number"],
                &packages[6]["name"],
                &packages[6]["architecture"]
            ),
            (&7.into(), &"p7".into(), &"noarch".into())
        );
        // One that is there is not written over unasked.
        place
            .rpmdb(&["import", "list", kind])
            .failed(6, &["has a database already, of kind", kind, "--force"]);
    }
    place
        .rpmdb(&["list", "nothing"])
        .failed(6, &["nothing has no rpm database"]);
}

fn texts() {
    let place = Place::new();
    for (kind, _, _) in KINDS {
        let list = place.database(kind, kind, COUNT);
        for form in ["", "-p"] {
            let words = ["dump", kind, form];
            let words = &words[..if form.is_empty() { 2 } else { 3 }];
            let text = place.bytes(words);
            assert!(text.starts_with(b"VERSION=3\n") && text.ends_with(b"DATA=END\n"));
            fs::write(place.path("text"), &text).unwrap();
            for (to, _, files) in KINDS {
                let loaded = format!("{kind}{form}-{to}");
                place.rpmdb(&["load", "text", &loaded, "--to", to]).succeeded();
                assert_eq!(place.bytes(&["export", &loaded]), list, "{loaded}");
                assert_eq!(names(&place.path(&loaded)).len(), files);
            }
        }
    }
    fs::write(place.path("text"), "VERSION=3\nformat=none\n").unwrap();
    place.rpmdb(&["load", "text", "other"]).failed(5, &["text: "]);
    assert!(!place.path("other").exists());
}

fn conversions() {
    let place = Place::new();
    let list = place.database("db", "sqlite", COUNT);
    for kind in ["ndb", "bdb", "sqlite"] {
        let run = place.rpmdb(&["convert", "db", "--to", kind]).succeeded();
        let words = format!("{COUNT} headers, {kind}\n");
        assert!(run.stdout.contains(&words), "{}", run.stdout);
        assert!(run.stdout.contains("the old files are in "), "{}", run.stdout);
        assert_eq!(place.bytes(&["export", "db"]), list, "{kind}");
        let again = place.rpmdb(&["convert", "db", "--to", kind]).succeeded();
        assert!(again.stdout.ends_with(&format!("is of kind {kind} already\n")));
    }
    let left = [
        "rpmdb-old-bdb",
        "rpmdb-old-ndb",
        "rpmdb-old-sqlite",
        "rpmdb.sqlite",
    ];
    assert_eq!(names(&place.path("db")), left);
    for old in &left[..3] {
        assert_eq!(place.bytes(&["export", &format!("db/{old}")]), list, "{old}");
    }
}

/// A log of sqlite's that is beside the old file goes into it, and never to the one that is written.
fn forced() {
    let place = Place::new();
    place.database("db", "sqlite", 3);
    let file = place.path("db/rpmdb.sqlite");
    let connection = rusqlite::Connection::open(&file).unwrap();
    let mode: String = connection
        .query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))
        .unwrap();
    assert_eq!(mode, "wal");
    connection.pragma_update(None, "foreign_keys", false).unwrap();
    connection
        .execute("DELETE FROM Packages WHERE hnum = 2", [])
        .unwrap();
    // As a process leaves it that dies: nobody has closed the database.
    fs::create_dir(place.path("dead")).unwrap();
    for end in ["", "-wal"] {
        let name = format!("rpmdb.sqlite{end}");
        fs::copy(place.path("db").join(&name), place.path("dead").join(&name)).unwrap();
    }
    drop(connection);
    let two = "p1-1-1.noarch\np3-1-1.noarch\n";
    assert_eq!(place.rpmdb(&["list", "dead"]).succeeded().stdout, two);
    let list = place.list(5);
    place.rpmdb(&["import", "list", "dead", "--force"]).succeeded();
    assert_eq!(names(&place.path("dead")), ["rpmdb-old-sqlite", "rpmdb.sqlite"]);
    assert_eq!(place.bytes(&["export", "dead"]), list);
    let old = place.rpmdb(&["list", "dead/rpmdb-old-sqlite"]).succeeded();
    assert_eq!(old.stdout, two);
}
