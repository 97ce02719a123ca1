//! The pages of sqlite's files, by sqlite itself: rows of every size, trees of several levels.

use bareroot_rpm_db::{Backend, Database, TABLES};
use bareroot_testkit::headers::Builder;
use rusqlite::Connection;
use rusqlite::types::ValueRef;

/// A header whose files' names are as long as these say.
fn header(name: &str, lengths: &[usize]) -> Vec<u8> {
    let mut builder = Builder::new(name);
    builder.text(1044, "(none)");
    for (place, length) in lengths.iter().enumerate() {
        // Names of one length are the same in all headers: equal keys are in the order of their rows.
        let name = format!("{:x}", length * 2_654_435_761 % 0xfff).repeat(length / 3 + 1);
        builder.file(
            0o100_644,
            0,
            &format!("/d{place}/"),
            name.get(..*length).unwrap_or(&name),
            &[],
        );
    }
    builder.bytes().split_off(8)
}

fn opened(directory: &std::path::Path, headers: &[Vec<u8>]) -> Connection {
    let mut database = Database::create(Backend::Sqlite).unwrap();
    for header in headers {
        database.add(header).unwrap();
    }
    let path = directory.join("rpmdb.sqlite");
    std::fs::write(&path, &database.finish().unwrap()[0].bytes).unwrap();
    Connection::open(path).unwrap()
}

/// The rows of a table as they lie in it, and as its indexes have them.
fn rows(connection: &Connection, query: &str) -> Vec<(Vec<u8>, i64, i64)> {
    let mut statement = connection.prepare(query).unwrap();
    let key = |value: ValueRef<'_>| value.as_bytes().unwrap().to_vec();
    let rows = statement.query_map([], |row| Ok((key(row.get_ref(0)?), row.get(1)?, row.get(2)?)));
    rows.unwrap().map(Result::unwrap).collect()
}

#[test]
fn sqlite_finds_its_own_file_sound() {
    // No header, one, lengths around what an index and a table keep on a page, and so many that indexes have three levels.
    let around: Vec<usize> = (0..12)
        .chain(480..500)
        .chain(985..1010)
        .chain(4040..4110)
        .chain([8150, 20_000])
        .collect();
    let many: Vec<usize> = (0..400).map(|place| 900 + place * 7 % 120).collect();
    let cases: [Vec<Vec<u8>>; 5] = [
        Vec::new(),
        vec![header("one", &[])],
        vec![header("around", &around), header("again", &around)],
        (0..30)
            .map(|number| header(&format!("p{number}"), &many))
            .collect(),
        (0..2000)
            .map(|number| header(&format!("small{number}"), &[3, 5]))
            .collect(),
    ];
    for headers in cases {
        let directory = tempfile::tempdir().unwrap();
        let connection = opened(directory.path(), &headers);
        let text = |query: &str| -> String { connection.query_row(query, [], |row| row.get(0)).unwrap() };
        assert_eq!(text("PRAGMA integrity_check"), "ok", "{} headers", headers.len());
        let mut wrong = connection.prepare("PRAGMA foreign_key_check").unwrap();
        assert!(wrong.query([]).unwrap().next().unwrap().is_none());
        for (number, header) in headers.iter().enumerate() {
            let query = format!(
                "SELECT hex(blob) = hex(?1) FROM Packages WHERE hnum = {}",
                number + 1
            );
            assert!(
                connection
                    .query_row(&query, [header], |row| row.get::<_, bool>(0))
                    .unwrap()
            );
        }
        for table in &TABLES {
            let name = table.name;
            let plain = format!("SELECT key, hnum, idx FROM '{name}' NOT INDEXED");
            let mut all = rows(&connection, &plain);
            if table.list {
                let by_number =
                    format!("SELECT key, hnum, idx FROM '{name}' INDEXED BY '{name}_hnum_idx' ORDER BY hnum");
                assert_eq!(rows(&connection, &by_number), all, "{name}");
            }
            if !table.binary {
                all.sort();
                let by_key = format!(
                    "SELECT key, hnum, idx FROM '{name}' INDEXED BY '{name}_key_idx' ORDER BY key, hnum, idx"
                );
                assert_eq!(rows(&connection, &by_key), all, "{name}");
            }
        }
        // It can go on being written to.
        connection
            .execute("DELETE FROM Basenames WHERE hnum % 2 = 1", [])
            .unwrap();
        connection
            .execute("INSERT INTO Packages (blob) VALUES (x'00')", [])
            .unwrap();
        let last: u32 = connection
            .query_row("SELECT max(hnum) FROM Packages", [], |row| row.get(0))
            .unwrap();
        assert_eq!(last as usize, headers.len() + 1);
        assert_eq!(text("PRAGMA integrity_check"), "ok");
    }
}
