//! The indexes beside `Packages`: a B-tree in a file each, from a key to the headers' numbers and places (Berkeley DB's
//! btree/bt_page.c). rpm makes those that are missing at its first call, which only root can; and without them rpm's later
//! reader of Berkeley DBs (`bdb_ro`) finds nothing by a name.

use super::{ByteOrder, OVERFLOW, PAGE_HEADER, put};
use crate::keys::{Entry, Keys};
use crate::rows::{Row, TABLES};
use crate::{Backend, DatabaseFile, Error};

const PAGE: usize = 4096;
const MAGIC: u32 = 0x0005_3162;
const META: u8 = 9;
const INTERNAL: u8 = 3;
const LEAF: u8 = 5;

/// Types of items.
const KEY_DATA: u8 = 1;
const OFF_PAGE: u8 = 3;

/// Longer items have pages of their own: two keys with their data fit any page (btree.h: B_MINKEY_TO_OVFLSIZE).
const LARGEST: usize = (PAGE - PAGE_HEADER) / 4 - 10;

/// The indexes that are being written.
#[derive(Debug)]
pub struct Indexes {
    order: ByteOrder,
    tables: Vec<Keys>,
}

impl Indexes {
    pub fn create(order: ByteOrder) -> Indexes {
        Indexes {
            order,
            tables: TABLES.iter().map(|_| Keys::default()).collect(),
        }
    }

    /// Adds a header's rows of each table.
    pub fn add(&mut self, number: u32, rows: &[Vec<Row<'_>>]) {
        for (table, rows) in self.tables.iter_mut().zip(rows) {
            for (key, place) in rows {
                // An empty text is kept by the NUL that ends it.
                let key: &[u8] = if key.is_empty() { &[0] } else { key };
                table.add(key, number, *place);
            }
        }
    }

    /// The files.
    pub fn finish(self) -> Result<Vec<DatabaseFile>, Error> {
        let files = self.tables.into_iter().zip(&TABLES);
        let files = files.map(|(mut keys, table)| {
            let mut tree = Tree {
                order: self.order,
                // The head and the root.
                file: vec![0; 2 * PAGE],
            };
            tree.fill(&mut keys).ok_or_else(|| Error::TooLarge {
                what: format!("the index {}", table.name),
                backend: Backend::Bdb.word(),
            })?;
            Ok(DatabaseFile {
                name: table.name,
                bytes: tree.file,
            })
        });
        files.collect()
    }
}

struct Tree {
    order: ByteOrder,
    file: Vec<u8>,
}

/// A page in the making.
#[derive(Default)]
struct Page {
    /// Items with their padding.
    items: Vec<Vec<u8>>,
    size: usize,
}

impl Page {
    /// Whether items of these sizes do.
    fn fits(&self, sizes: &[usize]) -> bool {
        let more: usize = sizes.iter().map(|size| size + 2).sum();
        PAGE_HEADER + self.size + more <= PAGE
    }

    fn push(&mut self, item: Vec<u8>) {
        self.size += item.len() + 2;
        self.items.push(item);
    }
}

/// A page of a level, and the key from which on it has the keys.
struct Child {
    first: Vec<u8>,
    number: u32,
}

impl Tree {
    /// Writes the tree from its leaves to its root; `None` when there are more pages than can be numbered.
    fn fill(&mut self, keys: &mut Keys) -> Option<()> {
        let entries = keys.take_entries();
        let mut rows: Vec<(&[u8], &[Entry])> = entries
            .chunk_by(|first, second| first.key == second.key)
            .map(|entries| {
                (
                    entries.first().map_or(&[][..], |entry| keys.key(entry.key)),
                    entries,
                )
            })
            .collect();
        rows.sort_unstable_by_key(|(key, _)| *key);
        let mut leaves: Vec<(Vec<u8>, Page)> = Vec::new();
        let mut before: &[u8] = &[];
        let mut pairs = Vec::new();
        for (key, entries) in rows {
            pairs.clear();
            for entry in entries {
                pairs.extend_from_slice(&self.order.bytes(entry.number));
                pairs.extend_from_slice(&self.order.bytes(entry.place));
            }
            let (item, data) = (self.item(key)?, self.item(&pairs)?);
            match leaves
                .last_mut()
                .filter(|(_, leaf)| leaf.fits(&[item.len(), data.len()]))
            {
                Some((_, leaf)) => {
                    leaf.push(item);
                    leaf.push(data);
                }
                None => {
                    let mut leaf = Page::default();
                    leaf.push(item);
                    leaf.push(data);
                    leaves.push((between(before, key).to_vec(), leaf));
                }
            }
            before = key;
        }
        let mut level = 1;
        if leaves.len() <= 1 {
            let leaf = leaves.pop().map(|(_, leaf)| leaf).unwrap_or_default();
            self.write(1, [0, 0], &leaf, level, LEAF);
        } else {
            let mut children = self.leaves(leaves)?;
            while children.len() > 1 {
                level += 1;
                children = self.parents(children, level)?;
            }
        }
        self.meta()
    }

    /// Writes all leaves, each linked to the next.
    fn leaves(&mut self, leaves: Vec<(Vec<u8>, Page)>) -> Option<Vec<Child>> {
        let first = self.next()?;
        let last = first.checked_add(u32::try_from(leaves.len()).ok()?)? - 1;
        let mut children = Vec::with_capacity(leaves.len());
        for ((key, leaf), number) in leaves.into_iter().zip(first..) {
            self.file.resize(self.file.len() + PAGE, 0);
            let before = if number == first { 0 } else { number - 1 };
            let after = if number == last { 0 } else { number + 1 };
            self.write(number, [before, after], &leaf, 1, LEAF);
            children.push(Child { first: key, number });
        }
        Some(children)
    }

    /// Writes the level above; the last one is the root.
    fn parents(&mut self, children: Vec<Child>, level: u8) -> Option<Vec<Child>> {
        let mut pages: Vec<(Vec<u8>, Page)> = Vec::new();
        for child in children {
            let key = match child.first.len() {
                length if length > LARGEST => 12,
                length => length,
            };
            let size = (12 + key).next_multiple_of(4);
            match pages.last_mut().filter(|(_, page)| page.fits(&[size])) {
                Some((_, page)) => page.push(self.reference(&child, false)?),
                None => {
                    // What is before the first key of a page is its own as well.
                    let mut page = Page::default();
                    page.push(self.reference(&child, true)?);
                    pages.push((child.first, page));
                }
            }
        }
        if let [(_, root)] = pages.as_slice() {
            self.write(1, [0, 0], root, level, INTERNAL);
            return Some(Vec::new());
        }
        let mut above = Vec::with_capacity(pages.len());
        for (first, page) in pages {
            let number = self.next()?;
            self.file.resize(self.file.len() + PAGE, 0);
            self.write(number, [0, 0], &page, level, INTERNAL);
            above.push(Child { first, number });
        }
        Some(above)
    }

    /// A key or data on a leaf.
    fn item(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        if bytes.len() > LARGEST {
            return self.off_page(bytes);
        }
        let mut item = self.order.short_bytes(bytes.len() as u16).to_vec();
        item.push(KEY_DATA);
        item.extend_from_slice(bytes);
        item.resize(item.len().next_multiple_of(4), 0);
        Some(item)
    }

    /// An item of an inner page: where the keys from this one on are.
    fn reference(&mut self, child: &Child, is_first: bool) -> Option<Vec<u8>> {
        let (kind, key) = match child.first.len() {
            _ if is_first => (KEY_DATA, Vec::new()),
            length if length > LARGEST => (OFF_PAGE, self.off_page(&child.first)?),
            _ => (KEY_DATA, child.first.clone()),
        };
        let mut item = self.order.short_bytes(key.len() as u16).to_vec();
        item.extend_from_slice(&[kind, 0]);
        item.extend_from_slice(&self.order.bytes(child.number));
        // The number of records below, which only trees of numbered records count.
        item.extend_from_slice(&[0; 4]);
        item.extend_from_slice(&key);
        item.resize(item.len().next_multiple_of(4), 0);
        Some(item)
    }

    /// Writes bytes to pages of their own; the item that leads to them.
    fn off_page(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        let first = self.next()?;
        let room = PAGE - PAGE_HEADER;
        let last = first.checked_add(u32::try_from(bytes.len().div_ceil(room)).ok()?)? - 1;
        for (part, number) in bytes.chunks(room).zip(first..) {
            let start = self.file.len();
            self.file.resize(start + PAGE, 0);
            let before = if number == first { 0 } else { number - 1 };
            let after = if number == last { 0 } else { number + 1 };
            if let Some(page) = self.file.get_mut(start..) {
                self.order
                    .page(page, [number, before, after], [1, part.len() as u16], OVERFLOW);
                put(page, PAGE_HEADER, part);
            }
        }
        let mut item = vec![0, 0, OFF_PAGE, 0];
        item.extend_from_slice(&self.order.bytes(first));
        item.extend_from_slice(&self.order.bytes(u32::try_from(bytes.len()).ok()?));
        Some(item)
    }

    fn next(&self) -> Option<u32> {
        u32::try_from(self.file.len() / PAGE).ok()
    }

    fn write(&mut self, number: u32, [before, after]: [u32; 2], items: &Page, level: u8, kind: u8) {
        let start = number as usize * PAGE;
        let Some(page) = self.file.get_mut(start..start + PAGE) else {
            return;
        };
        let mut end = PAGE;
        for (place, item) in items.items.iter().enumerate() {
            end -= item.len();
            put(page, end, item);
            put(page, PAGE_HEADER + 2 * place, &self.order.short_bytes(end as u16));
        }
        let counts = [items.items.len() as u16, end as u16];
        self.order.page(page, [number, before, after], counts, kind);
        put(page, 24, &[level]);
    }

    fn meta(&mut self) -> Option<()> {
        let last = self.next()? - 1;
        let order = self.order;
        let mut word = |at: usize, word: u32| put(&mut self.file, at, &order.bytes(word));
        word(4, 1);
        word(12, MAGIC);
        word(16, 9);
        word(20, PAGE as u32);
        word(32, last);
        // Keys that a page has at least, the byte that fills up records of one length, and the root.
        word(76, 2);
        word(84, u32::from(b' '));
        word(88, 1);
        put(&mut self.file, 25, &[META]);
        put(&mut self.file, 52, b"bareroot-index\0\0\0\0\0\0");
        Some(())
    }
}

/// The shortest beginning of `key` that is above `before`, which is less.
fn between<'k>(before: &[u8], key: &'k [u8]) -> &'k [u8] {
    let same = before
        .iter()
        .zip(key)
        .take_while(|(one, other)| one == other)
        .count();
    key.get(..=same).unwrap_or(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_inner_pages_are_as_short_as_they_can_be() {
        for (before, key, between_them) in [
            ("", "abc", "a"),
            ("abc", "abd", "abd"),
            ("ab", "abcd", "abc"),
            ("a", "b", "b"),
        ] {
            assert_eq!(
                between(before.as_bytes(), key.as_bytes()),
                between_them.as_bytes()
            );
        }
    }
}
