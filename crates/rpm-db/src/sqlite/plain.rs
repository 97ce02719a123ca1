//! A database as rpm lays it out, read from its pages without sqlite (sqlite's "Database File Format", sections 1.3, 1.6 and
//! 2.1): several times as fast, which a large database shows. Whatever is not just so is left to sqlite, which also says what is
//! wrong with it.

use crate::Blob;
use crate::contents::Record;

/// The table of headers as rpm makes it, without blanks and quotes.
const PACKAGES: &[u8] = b"CREATETABLEPackages(hnumINTEGERPRIMARYKEYAUTOINCREMENT,blobBLOBNOTNULL)";

/// What every file of the format has in its head: how much of a page rows may take.
const FRACTIONS: [u8; 3] = [64, 32, 32];

/// Levels of a tree: each has at least twice the pages of the one above it.
const DEEPEST: usize = 32;

/// The headers in the order of their numbers, and the highest number that was ever given, where it is on record. `None` for a
/// file that is laid out in any other way, or is damaged. What is read is bounded by the file's size.
pub fn read(file: &[u8]) -> Option<(Vec<Record<'_>>, Option<u32>)> {
    let pages = Pages::of(file)?;
    let mut packages = Vec::new();
    let mut sequence = None;
    pages.rows(1, &mut |_, row| {
        let row = row.bytes();
        let [Value::Text(kind), Value::Text(name), _, Value::Number(root), sql] = values(&row)? else {
            return None;
        };
        if name.eq_ignore_ascii_case(b"Packages") {
            let Value::Text(sql) = sql else { return None };
            let words: Vec<u8> = sql
                .iter()
                .copied()
                .filter(|byte| !byte.is_ascii_whitespace() && !b"'\"".contains(byte))
                .collect();
            (kind == b"table" && name == b"Packages" && words == PACKAGES).then_some(())?;
            packages.push(u32::try_from(root).ok()?);
        } else if name == b"sqlite_sequence" && kind == b"table" {
            sequence = u32::try_from(root).ok();
        }
        Some(())
    })?;
    let [root] = packages.as_slice() else {
        return None;
    };
    let mut stored: Vec<Record<'_>> = Vec::new();
    pages.rows(*root, &mut |number, row| {
        let number = u32::try_from(number).ok().filter(|number| *number > 0)?;
        let above = stored.last().is_none_or(|last| last.number < number);
        let blob = blob(row)?;
        above.then(|| stored.push(Record { number, blob }))
    })?;
    let mut given = None;
    if let Some(root) = sequence {
        pages.rows(root, &mut |_, row| {
            let row = row.bytes();
            if let [Value::Text(b"Packages"), Value::Number(number)] = values(&row)? {
                given = u32::try_from(number).ok();
            }
            Some(())
        })?;
    }
    Some((stored, given))
}

struct Pages<'a> {
    file: &'a [u8],
    size: usize,
    /// Bytes of a page that sqlite itself uses.
    usable: usize,
}

impl<'a> Pages<'a> {
    fn of(file: &'a [u8]) -> Option<Pages<'a>> {
        let head = file.first_chunk::<100>()?;
        let size = match be(head, 16, 2)? as usize {
            1 => 0x1_0000,
            size => size,
        };
        let usable = size.checked_sub(usize::from(head[20]))?;
        let count = u64::try_from(file.len() / size.max(1)).ok()?;
        let is_plain = head.starts_with(b"SQLite format 3\0")
            && size.is_power_of_two()
            && size >= 512
            && usable >= 480
            && file.len().is_multiple_of(size)
            && head[18] <= 2
            && head[19] <= 2
            && head[21..24] == FRACTIONS
            // The size in the head counts where the last writer knew of it.
            && (be(head, 24, 4) != be(head, 92, 4) || be(head, 28, 4) == Some(count))
            // Texts are UTF-8.
            && be(head, 56, 4) == Some(1);
        is_plain.then_some(Pages { file, size, usable })
    }

    /// A page by its number, from 1, without what belongs to no tree at its end.
    fn page(&self, number: u32) -> Option<&'a [u8]> {
        let start = (number as usize).checked_sub(1)?.checked_mul(self.size)?;
        self.file.get(start..start.checked_add(self.usable)?)
    }

    /// Calls for each row of a table in the order of their numbers; ends where that gives `None`.
    fn rows(&self, root: u32, each: &mut dyn FnMut(i64, Blob<'a>) -> Option<()>) -> Option<()> {
        // Pages that are linked twice would be read for ever.
        let mut left = self.file.len() / self.size;
        self.tree(root, DEEPEST, &mut left, each)
    }

    fn tree(
        &self,
        number: u32,
        levels: usize,
        left: &mut usize,
        each: &mut dyn FnMut(i64, Blob<'a>) -> Option<()>,
    ) -> Option<()> {
        *left = left.checked_sub(1)?;
        let page = self.page(number)?;
        let head = if number == 1 { 100 } else { 0 };
        let count = be(page, head + 3, 2)? as usize;
        let (is_leaf, cells) = match *page.get(head)? {
            13 => (true, head + 8),
            5 => (false, head + 12),
            _ => return None,
        };
        let below = levels.checked_sub(1)?;
        // Rows that lie over each other would be many times the file's size.
        let mut room = self.usable;
        for place in 0..count {
            let start = be(page, cells + 2 * place, 2)? as usize;
            if start < cells + 2 * count {
                return None;
            }
            let cell = page.get(start..)?;
            match is_leaf {
                true => {
                    let (number, row) = self.row(cell, left)?;
                    // A longer one has taken pages of its own.
                    if row.len() <= self.usable - 35 {
                        room = room.checked_sub(row.len())?;
                    }
                    each(number, row)?;
                }
                false => self.tree(be(cell, 0, 4)? as u32, below, left, each)?,
            }
        }
        match is_leaf {
            true => Some(()),
            false => self.tree(be(page, head + 8, 4)? as u32, below, left, each),
        }
    }

    /// A row and its number, from the page and those that hold the rest of it.
    fn row(&self, cell: &'a [u8], left: &mut usize) -> Option<(i64, Blob<'a>)> {
        let (size, rest) = varint(cell)?;
        let (number, rest) = varint(rest)?;
        let size = usize::try_from(size).ok()?;
        let (most, least, room) = (
            self.usable - 35,
            (self.usable - 12) * 32 / 255 - 23,
            self.usable - 4,
        );
        if size <= most {
            return Some((number.cast_signed(), rest.get(..size)?.into()));
        }
        if size > self.file.len() {
            return None;
        }
        let here = match least + (size - least) % room {
            here if here <= most => here,
            _ => least,
        };
        let (first, rest) = rest.split_at_checked(here)?;
        let mut others = Vec::new();
        let mut missing = size.checked_sub(here)?;
        let mut next = be(rest, 0, 4)?;
        while missing > 0 {
            *left = left.checked_sub(1)?;
            let page = self.page(u32::try_from(next).ok()?)?;
            next = be(page, 0, 4)?;
            let part = page.get(4..4 + room.min(missing))?;
            missing -= part.len();
            others.push(part);
        }
        (next == 0).then(|| (number.cast_signed(), Blob::of(first, others)))
    }
}

/// The blob of a row of headers.
fn blob(row: Blob<'_>) -> Option<Blob<'_>> {
    let length = row.len();
    row.without_head(|first| {
        // What a row says of its columns is at its beginning, which is on the row's own page.
        let (head, rest) = varint(first)?;
        let head = usize::try_from(head).ok()?;
        let kinds = first.get(first.len() - rest.len()..head)?;
        let (number, kinds) = varint(kinds)?;
        let (kind, kinds) = varint(kinds)?;
        // The row's number stands for the first column.
        let is_header = number == 0 && kind >= 12 && kind.is_multiple_of(2) && kinds.is_empty();
        let size = usize::try_from((kind.checked_sub(12)?) / 2).ok()?;
        (is_header && length.checked_sub(head) == Some(size)).then_some(head)
    })
}

/// A value of a column.
#[derive(Clone, Copy, Debug)]
enum Value<'a> {
    Null,
    Number(i64),
    Text(&'a [u8]),
    /// Those of headers are read where they are.
    Blob,
}

/// All values of a row, of as many columns as are asked for; nothing may come after them.
fn values<const COLUMNS: usize>(row: &[u8]) -> Option<[Value<'_>; COLUMNS]> {
    let (head, rest) = varint(row)?;
    let head = usize::try_from(head).ok()?;
    let (mut kinds, mut data) = (row.get(row.len() - rest.len()..head)?, row.get(head..)?);
    let mut values = [Value::Null; COLUMNS];
    for value in &mut values {
        let (kind, more) = varint(kinds)?;
        kinds = more;
        let width = match kind {
            0 | 8 | 9 => 0,
            1..=4 => kind as usize,
            5 => 6,
            6 => 8,
            12.. => usize::try_from((kind - 12) / 2).ok()?,
            _ => return None,
        };
        let (own, more) = data.split_at_checked(width)?;
        data = more;
        *value = match kind {
            0 => Value::Null,
            8 | 9 => Value::Number(kind.cast_signed() - 8),
            1..=6 => {
                let negative = own.first().is_some_and(|byte| *byte >= 0x80);
                let start = if negative { -1 } else { 0 };
                Value::Number(
                    own.iter()
                        .fold(start, |number, byte| number << 8 | i64::from(*byte)),
                )
            }
            _ if kind % 2 == 0 => Value::Blob,
            _ => Value::Text(own),
        };
    }
    (kinds.is_empty() && data.is_empty()).then_some(values)
}

/// A number of one to nine bytes, and what comes after it.
fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut number = 0;
    for (place, byte) in bytes.iter().take(9).enumerate() {
        let rest = bytes.get(place + 1..)?;
        if place == 8 {
            return Some((number << 8 | u64::from(*byte), rest));
        }
        number = number << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((number, rest));
        }
    }
    None
}

/// A number of two or four bytes with the highest first.
fn be(bytes: &[u8], at: usize, width: usize) -> Option<u64> {
    let bytes = bytes.get(at..at.checked_add(width)?)?;
    Some(
        bytes
            .iter()
            .fold(0, |number, byte| number << 8 | u64::from(*byte)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::record::push_varint;

    #[test]
    fn numbers_are_read_as_they_are_written() {
        for number in [0, 1, 0x7f, 0x80, 0x3fff, 0x4000, (1 << 56) - 1, 1 << 56, u64::MAX] {
            let mut bytes = Vec::new();
            push_varint(&mut bytes, number);
            bytes.push(7);
            assert_eq!(varint(&bytes), Some((number, [7].as_slice())), "{number:#x}");
            assert_eq!(varint(bytes.get(..bytes.len() - 2).unwrap()), None, "{number:#x}");
        }
    }

    #[test]
    fn rows_that_lie_over_each_other_are_none() {
        let rows = |cells: &[(usize, u64)]| {
            // A page of the file's head, and a leaf.
            let mut file = vec![0; 1024];
            let page = &mut file[512..];
            page[0] = 13;
            page[4] = cells.len() as u8;
            for (number, (start, size)) in cells.iter().enumerate() {
                page[8 + 2 * number..][..2].copy_from_slice(&(*start as u16).to_be_bytes());
                let mut head = Vec::new();
                push_varint(&mut head, *size);
                push_varint(&mut head, number as u64 + 1);
                page[*start..start + head.len()].copy_from_slice(&head);
            }
            let pages = Pages {
                file: &file,
                size: 512,
                usable: 512,
            };
            let mut sizes = Vec::new();
            let done = pages.rows(2, &mut |_, row| {
                sizes.push(row.len());
                Some(())
            });
            done.map(|()| sizes)
        };
        assert_eq!(rows(&[(40, 150), (250, 150)]), Some(vec![150, 150]));
        // The second begins in the first, and both together are more than the page.
        assert_eq!(rows(&[(40, 400), (100, 380)]), None);
    }

    #[test]
    fn rows_are_whole_or_none() {
        let row = [4, 0, 14, 1, 7, 0xfe];
        let [first, second, third] = values(&row).unwrap();
        assert!(matches!(
            (first, second, third),
            (Value::Null, Value::Blob, Value::Number(-2))
        ));
        assert!(values::<2>(&row).is_none(), "more columns than asked for");
        assert!(values::<3>(&row[..5]).is_none(), "cut off");
        assert!(values::<4>(&row).is_none(), "fewer columns than asked for");
    }
}
