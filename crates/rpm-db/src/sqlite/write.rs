//! `rpmdb.sqlite`, written page by page: the tables, indexes and rows that rpm's own statements would make.

use super::record::{Value, push_row};
use super::tree::{Kind, PAGE, Pages, Tree};
use crate::Backend;
use crate::error::Error;
use crate::rows::{self, Row, TABLES};

/// A database that is being written.
#[derive(Debug)]
pub struct Sqlite {
    pages: Pages,
    headers: Tree,
    tables: Vec<Table>,
    highest: u32,
    row: Vec<u8>,
}

/// One of rpm's tables with its indexes.
#[derive(Debug)]
struct Table {
    of: &'static rows::Table,
    rows: Tree,
    count: u64,
    /// The index of headers' numbers, whose rows come in its order.
    by_number: Tree,
    /// All keys, one after another, and where each ends.
    keys: Vec<u8>,
    ends: Vec<usize>,
}

impl Sqlite {
    /// A new database.
    pub fn create() -> Sqlite {
        let table = |of| Table {
            of,
            rows: Tree::create(Kind::Table),
            count: 0,
            by_number: Tree::create(Kind::Index),
            keys: Vec::new(),
            ends: Vec::new(),
        };
        Sqlite {
            pages: Pages::create(),
            headers: Tree::create(Kind::Table),
            tables: TABLES.iter().map(table).collect(),
            highest: 0,
            row: Vec::new(),
        }
    }

    /// Adds a header in its stored form, with its rows of each table, under a number that is above that of the one before it.
    pub fn add(&mut self, number: u32, blob: &[u8], rows: &[Vec<Row<'_>>]) {
        self.row.clear();
        push_row(&mut self.row, &[Value::Null, Value::Blob(blob)]);
        self.headers.row(&mut self.pages, number.into(), &self.row);
        for (table, rows) in self.tables.iter_mut().zip(rows) {
            for (key, place) in rows {
                table.add(&mut self.pages, &mut self.row, key, number, *place);
            }
        }
        self.highest = self.highest.max(number);
    }

    /// Says that numbers up to this one have been given.
    pub fn given(&mut self, number: u32) {
        self.highest = self.highest.max(number);
    }

    /// The whole file.
    pub fn finish(mut self) -> Result<Vec<u8>, Error> {
        let pages = &mut self.pages;
        let mut schema = Schema::create();
        let words = "CREATE TABLE 'Packages' (hnum INTEGER PRIMARY KEY AUTOINCREMENT,blob BLOB NOT NULL)";
        let name = "Packages";
        let root = self.headers.finish(pages);
        schema.add(pages, ["table", name, name, words], root);
        let mut given = Tree::create(Kind::Table);
        if self.highest > 0 {
            self.row.clear();
            let highest = Value::Integer(self.highest.into());
            push_row(&mut self.row, &[Value::Text(b"Packages"), highest]);
            given.row(pages, 1, &self.row);
        }
        let words = "CREATE TABLE sqlite_sequence(name,seq)";
        let name = "sqlite_sequence";
        let root = given.finish(pages);
        schema.add(pages, ["table", name, name, words], root);
        for table in self.tables {
            table.finish(pages, &mut schema);
        }
        let too_large = || Error::TooLarge {
            what: "the database".into(),
            backend: Backend::Sqlite.word(),
        };
        let mut first = schema.rows.finish_first(pages).ok_or_else(too_large)?;
        // A page that cannot be numbered would have the number of another.
        let count = Some(pages.count()).filter(|count| *count < u32::MAX - 1);
        head(&mut first, count.ok_or_else(too_large)?);
        Ok(self.pages.finish(&first))
    }
}

impl Table {
    fn add(&mut self, pages: &mut Pages, row: &mut Vec<u8>, key: &[u8], number: u32, place: u32) {
        self.count += 1;
        let number = Value::Integer(number.into());
        row.clear();
        let typed = match self.of.binary {
            true => Value::Blob(key),
            false => Value::Text(key),
        };
        push_row(row, &[typed, number, Value::Integer(place.into())]);
        self.rows.row(pages, self.count, row);
        if self.of.list {
            row.clear();
            push_row(row, &[number, Value::Integer(self.count as i64)]);
            self.by_number.key(pages, row);
        }
        if !self.of.binary {
            self.keys.extend_from_slice(key);
            self.ends.push(self.keys.len());
        }
    }

    fn finish(self, pages: &mut Pages, schema: &mut Schema) {
        let by_key = self.by_key(pages);
        let name = self.of.name;
        let kind = if self.of.binary { "BLOB" } else { "TEXT" };
        let words = format!(
            "CREATE TABLE '{name}' (key '{kind}' NOT NULL, hnum INTEGER NOT NULL, idx INTEGER \
             NOT NULL, FOREIGN KEY (hnum) REFERENCES 'Packages'(hnum))"
        );
        let root = self.rows.finish(pages);
        schema.add(pages, ["table", name, name, &words], root);
        let mut index = |tree: Tree, column: &str| {
            let own = format!("{name}_{column}_idx");
            let words = format!("CREATE INDEX '{own}' ON '{name}'({column} ASC)");
            let root = tree.finish(pages);
            schema.add(pages, ["index", &own, name, &words], root);
        };
        if !self.of.binary {
            index(by_key, "key");
        }
        if self.of.list {
            index(self.by_number, "hnum");
        }
    }

    /// The index of the keys: by their bytes, equal ones by their rows.
    fn by_key(&self, pages: &mut Pages) -> Tree {
        let key = |row: usize| {
            let start = row.checked_sub(1).map_or(0, |before| self.ends[before]);
            &self.keys[start..self.ends[row]]
        };
        // Most comparisons end within eight bytes, which are at hand.
        let begins = |key: &[u8]| {
            let mut bytes = [0; 8];
            let some = key.len().min(8);
            bytes[..some].copy_from_slice(&key[..some]);
            u64::from_be_bytes(bytes)
        };
        let mut order: Vec<(u64, usize)> = (0..self.ends.len()).map(|row| (begins(key(row)), row)).collect();
        order.sort_unstable_by(|one, other| {
            let rest = || key(one.1).cmp(key(other.1)).then(one.1.cmp(&other.1));
            one.0.cmp(&other.0).then_with(rest)
        });
        let (mut tree, mut row) = (Tree::create(Kind::Index), Vec::new());
        for (_, place) in order {
            row.clear();
            let number = Value::Integer(place as i64 + 1);
            push_row(&mut row, &[Value::Text(key(place)), number]);
            tree.key(pages, &row);
        }
        tree
    }
}

/// What the file says of its tables and indexes.
#[derive(Debug)]
struct Schema {
    rows: Tree,
    count: u64,
}

impl Schema {
    fn create() -> Schema {
        Schema {
            rows: Tree::create(Kind::Table),
            count: 0,
        }
    }

    /// Adds a table, or an index of one, by the page of its tree and the statement that makes it.
    fn add(&mut self, pages: &mut Pages, [kind, name, table, words]: [&str; 4], root: u32) {
        self.count += 1;
        let [kind, name, table, words] = [kind, name, table, words].map(|text| Value::Text(text.as_bytes()));
        let mut row = Vec::new();
        push_row(&mut row, &[kind, name, table, Value::Integer(root.into()), words]);
        self.rows.row(pages, self.count, &row);
    }
}

/// The head of the file.
fn head(first: &mut [u8; PAGE], pages: u32) {
    let mut put = |at: usize, bytes: &[u8]| first[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, b"SQLite format 3\0");
    put(16, &(PAGE as u16).to_be_bytes());
    // Written and read without a log; nothing kept free at the end of pages; shares of a page that sqlite fixed.
    put(18, &[1, 1, 0, 64, 32, 32]);
    // The number of changes, the number of pages, and that the latter holds for the former.
    for (at, word) in [(24, 1), (28, pages), (92, 1)] {
        put(at, &word.to_be_bytes());
    }
    // Changes of the schema, its format, texts as UTF-8, and the version of sqlite whose format this is.
    for (at, word) in [(40, 1), (44, 4), (56, 1), (96, 3_046_000u32)] {
        put(at, &word.to_be_bytes());
    }
}
