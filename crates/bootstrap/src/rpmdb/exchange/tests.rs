use std::fs;
use std::path::Path;

use bareroot_rpm_db::{Backend, ByteOrder, Contents, Record};
use bareroot_testkit::headers::Builder;

use super::super::{Found, place};
use crate::error::Error;

fn contents(numbers: &[u32]) -> Contents<'static> {
    let record = |number: &u32| {
        let mut builder = Builder::new(&format!("p{number}"));
        builder.text(1044, "(none)");
        builder.text(1005, &"x".repeat(3000));
        Record {
            number: *number,
            blob: builder.bytes().split_off(8).into(),
        }
    };
    Contents::new(numbers.iter().map(record).collect())
}

/// What is in a directory, but for rpm's lock.
fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != ".rpm.lock")
        .collect();
    names.sort();
    names
}

#[test]
fn a_database_is_converted_in_place_and_its_files_stay_aside() {
    let temp = tempfile::tempdir().unwrap();
    let db = temp.path().join("db");
    let first = contents(&[1, 4, 9]);
    let made = place(&db, &first, Some(Backend::Bdb), ByteOrder::Big, false).unwrap();
    assert_eq!((made.headers, made.aside), (3, None));
    // Files that rpm's Berkeley DB keeps beside it, and one that is none of its.
    fs::write(db.join("__db.001"), "region").unwrap();
    fs::write(db.join("Basenames"), "index").unwrap();
    fs::write(db.join("note"), "mine").unwrap();
    let old = fs::read(db.join("Packages")).unwrap();
    let found = Found::open(&db).unwrap();
    let done = found
        .convert(Some(Backend::Ndb), Some(ByteOrder::NATIVE))
        .unwrap()
        .1
        .unwrap();
    assert_eq!((done.backend, done.headers), (Backend::Ndb, 3));
    assert_eq!(names(&db), ["Index.db", "Packages.db", "note", "rpmdb-old-bdb"]);
    let aside = db.join("rpmdb-old-bdb");
    // The headers, their eighteen indexes, and what was beside them.
    let kept = names(&aside);
    assert_eq!(kept.len(), 20, "{kept:?}");
    for name in ["Basenames", "Packages", "__db.001"] {
        assert!(kept.iter().any(|kept| kept == name), "{name}");
    }
    assert_eq!(fs::read(aside.join("Packages")).unwrap(), old);
    // By the directory, by the file, and from what is aside: the same headers under the same numbers.
    for path in [
        db.clone(),
        db.join("Packages.db"),
        aside.clone(),
        aside.join("Packages"),
    ] {
        let loaded = Found::open(&path).unwrap().load().unwrap();
        let read = loaded.read().unwrap();
        assert_eq!(read.records(), first.records(), "{}", path.display());
    }
    // It is of that kind already.
    assert!(
        Found::open(&db)
            .unwrap()
            .convert(Some(Backend::Ndb), Some(ByteOrder::NATIVE))
            .unwrap()
            .1
            .is_none()
    );
    // There and back again: the second old one has a name of its own.
    for backend in [Backend::Bdb, Backend::Sqlite, Backend::Bdb, Backend::Sqlite] {
        Found::open(&db)
            .unwrap()
            .convert(Some(backend), Some(ByteOrder::Little))
            .unwrap()
            .1
            .unwrap();
    }
    let expected = [
        "note",
        "rpmdb-old-bdb",
        "rpmdb-old-bdb.2",
        "rpmdb-old-bdb.3",
        "rpmdb-old-ndb",
        "rpmdb-old-sqlite",
        "rpmdb.sqlite",
    ];
    assert_eq!(names(&db), expected);
}

#[test]
fn a_root_is_written_where_its_own_rpm_looks() {
    let temp = tempfile::tempdir().unwrap();
    fs::create_dir_all(temp.path().join("usr/lib/rpm")).unwrap();
    fs::write(
        temp.path().join("usr/lib/rpm/macros"),
        "%_dbpath /usr/lib/sysimage/rpm\n%_db_backend ndb\n",
    )
    .unwrap();
    // A link to elsewhere on the host means the root's own directory.
    fs::create_dir_all(temp.path().join("usr/lib/sysimage")).unwrap();
    std::os::unix::fs::symlink("/data", temp.path().join("usr/lib/sysimage/rpm")).unwrap();
    fs::create_dir(temp.path().join("data")).unwrap();
    let first = contents(&[2]);
    let made = place(temp.path(), &first, None, ByteOrder::NATIVE, false).unwrap();
    assert_eq!(made.backend, Backend::Ndb);
    assert_eq!(names(&temp.path().join("data")), ["Index.db", "Packages.db"]);
    let loaded = Found::open(temp.path()).unwrap().load().unwrap();
    assert_eq!(loaded.read().unwrap().records(), first.records());
    let error = place(temp.path(), &first, None, ByteOrder::NATIVE, false).unwrap_err();
    assert!(
        error.to_string().ends_with("has a database already, of kind ndb"),
        "{error}"
    );
    let forced = place(temp.path(), &contents(&[3]), None, ByteOrder::NATIVE, true).unwrap();
    assert!(
        forced
            .aside
            .unwrap()
            .ends_with("usr/lib/sysimage/rpm/rpmdb-old-ndb")
    );
    assert_eq!(
        names(&temp.path().join("data/rpmdb-old-ndb")),
        ["Index.db", "Packages.db"]
    );
}

#[test]
fn what_is_none_or_several_is_said() {
    let temp = tempfile::tempdir().unwrap();
    let message = |path: &Path| match Found::open(path).and_then(|found| found.load()) {
        Ok(_) => panic!("found"),
        Err(error) => error.to_string(),
    };
    assert!(message(temp.path()).ends_with("has no rpm database"));
    assert!(message(&temp.path().join("nothing")).ends_with("nothing has no rpm database"));
    for name in ["Packages", "rpmdb.sqlite"] {
        fs::write(temp.path().join(name), "x").unwrap();
    }
    assert!(message(temp.path()).ends_with("has databases of several kinds: rpmdb.sqlite, Packages"));
    let loaded = Found::open(&temp.path().join("Packages")).unwrap().load();
    let loaded = loaded.unwrap();
    let error = loaded.read().unwrap_err();
    assert!(matches!(error, Error::RpmDb(_)), "{error}");
    fs::write(temp.path().join("rpmdb.sqlite-journal"), "x").unwrap();
    assert!(message(&temp.path().join("rpmdb.sqlite")).contains("a change that was interrupted"));
}

#[test]
fn a_conversion_that_was_killed_before_it_removed_anything_is_finished() {
    let temp = tempfile::tempdir().unwrap();
    let db = temp.path().join("db");
    let first = contents(&[1, 4]);
    place(&db, &first, Some(Backend::Bdb), ByteOrder::Little, false).unwrap();
    Found::open(&db)
        .unwrap()
        .convert(Some(Backend::Ndb), Some(ByteOrder::NATIVE))
        .unwrap();
    // As it is between the new database and the first removal, and between two removals.
    let aside = db.join("rpmdb-old-bdb");
    for left in [["Packages", "Name"], ["Basenames", "Name"]] {
        for name in left {
            fs::hard_link(aside.join(name), db.join(name)).unwrap();
        }
        let found = Found::open(&db).unwrap();
        assert_eq!(found.load().unwrap().read().unwrap().backend, Backend::Ndb);
        assert!(
            found
                .convert(Some(Backend::Ndb), Some(ByteOrder::NATIVE))
                .unwrap()
                .1
                .is_none()
        );
        assert_eq!(names(&db), ["Index.db", "Packages.db", "rpmdb-old-bdb"]);
    }
    // The old one was changed since: nobody knows which one is meant.
    fs::hard_link(aside.join("Packages"), db.join("Packages")).unwrap();
    let later = fs::File::options().write(true).open(db.join("Packages")).unwrap();
    later
        .set_modified(std::time::SystemTime::now() + std::time::Duration::from_secs(9))
        .unwrap();
    let Err(error) = Found::open(&db) else {
        panic!("found");
    };
    assert!(
        error.to_string().contains("databases of several kinds"),
        "{error}"
    );
    // A file of the user's own that is nowhere else stays.
    fs::remove_file(db.join("Packages")).unwrap();
    fs::write(db.join("Group"), "mine").unwrap();
    Found::open(&db)
        .unwrap()
        .convert(Some(Backend::Ndb), Some(ByteOrder::NATIVE))
        .unwrap();
    assert!(db.join("Group").exists());
}

/// Of one that was killed before the new database was there nothing is left that nobody needs.
#[test]
fn what_was_put_aside_in_vain_is_cleared() {
    let temp = tempfile::tempdir().unwrap();
    let db = temp.path().join("db");
    let first = contents(&[1, 4]);
    place(&db, &first, Some(Backend::Bdb), ByteOrder::Little, false).unwrap();
    for count in [0, 1, 7] {
        let aside = db.join("rpmdb-old-bdb");
        fs::create_dir(&aside).unwrap();
        for name in names(&db)
            .iter()
            .filter(|name| !name.starts_with("rpmdb-"))
            .take(count)
        {
            fs::hard_link(db.join(name), aside.join(name)).unwrap();
        }
        fs::write(db.join(".bareroot-x1y2"), "half").unwrap();
        let found = Found::open(&db).unwrap();
        assert!(
            found
                .convert(Some(Backend::Bdb), Some(ByteOrder::Little))
                .unwrap()
                .1
                .is_none()
        );
        let left = names(&db);
        assert!(
            left.len() == 19 && left.iter().all(|name| !name.starts_with(['.', 'r'])),
            "{left:?}"
        );
    }
    // What is nowhere else stays.
    fs::create_dir(db.join("rpmdb-old-bdb")).unwrap();
    fs::write(db.join("rpmdb-old-bdb/Packages"), "mine").unwrap();
    let found = Found::open(&db).unwrap();
    assert!(
        found
            .convert(Some(Backend::Bdb), Some(ByteOrder::Little))
            .unwrap()
            .1
            .is_none()
    );
    assert!(db.join("rpmdb-old-bdb/Packages").exists());
}
