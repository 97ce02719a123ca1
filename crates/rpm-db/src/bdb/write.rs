//! `Packages`, written at once: buckets first, then the data, then the pages of buckets that do not fit one.

use super::{ByteOrder, CHECK, HASH, INLINE, MAGIC, META, OFF_PAGE, OVERFLOW, PAGE_HEADER, hash, put};
use crate::{Backend, Error};

const PAGE: usize = 4096;

/// Longer items are kept off the page (hash.h: ISBIG).
const LARGEST_INLINE: usize = PAGE / 4;

/// Headers of a bucket, on average: most have pages of their own for their data and take 21 bytes of the bucket.
const PER_BUCKET: usize = 64;

/// A database that is being written.
#[derive(Debug)]
pub struct Hash {
    order: ByteOrder,
    /// Keys, and where their data are.
    items: Vec<Item>,
    /// How many buckets there are, each with a page behind the file's first: a power of two.
    buckets: usize,
    /// Those pages, which are filled at the end, and the data.
    file: Vec<u8>,
    highest: u32,
}

/// A key, and where its data are.
type Item = ([u8; 4], Data);

#[derive(Debug)]
enum Data {
    Inline(Vec<u8>),
    /// The first page, and bytes.
    OffPage(u32, u32),
}

impl Hash {
    /// A new database with buckets for so many records; with more of them, all is moved at the end.
    pub fn create(order: ByteOrder, records: usize) -> Hash {
        let buckets = buckets(records + 1);
        Hash {
            order,
            items: Vec::with_capacity(records + 1),
            buckets,
            file: vec![0; (1 + buckets) * PAGE],
            highest: 0,
        }
    }

    /// Adds a record under a number that no other has.
    pub fn add(&mut self, number: u32, blob: &[u8]) -> Result<(), Error> {
        let length = u32::try_from(blob.len()).map_err(|_| too_large(number))?;
        let data = match blob.len() <= LARGEST_INLINE {
            true => Data::Inline(blob.to_vec()),
            false => Data::OffPage(self.off_page(number, blob)?, length),
        };
        self.items.push((self.order.bytes(number), data));
        self.highest = self.highest.max(number);
        Ok(())
    }

    /// Says that higher numbers than those of the headers have been given.
    pub fn given(&mut self, number: u32) {
        self.highest = self.highest.max(number);
    }

    fn off_page(&mut self, number: u32, blob: &[u8]) -> Result<u32, Error> {
        let room = PAGE - PAGE_HEADER;
        let first = self.file.len() / PAGE;
        let last = first + blob.len().div_ceil(room) - 1;
        u32::try_from(last).map_err(|_| too_large(number))?;
        for (own, part) in (first..).zip(blob.chunks(room)) {
            let before = if own == first { 0 } else { own - 1 };
            let after = if own == last { 0 } else { own + 1 };
            let start = self.file.len();
            self.file.resize(start + PAGE, 0);
            if let Some(page) = self.file.get_mut(start..) {
                let numbers = [own, before, after].map(|number| number as u32);
                self.order.page(page, numbers, [1, part.len() as u16], OVERFLOW);
                put(page, PAGE_HEADER, part);
            }
        }
        Ok(first as u32)
    }

    /// The whole file.
    pub fn finish(mut self) -> Result<Vec<u8>, Error> {
        let highest = self.order.bytes(self.highest);
        self.items
            .push((self.order.bytes(0), Data::Inline(highest.to_vec())));
        self.make_room()?;
        let items = std::mem::take(&mut self.items);
        let records = items.len() as u32;
        let mut buckets: Vec<Vec<Item>> = (0..self.buckets).map(|_| Vec::new()).collect();
        for (key, data) in items {
            let home = hash(&key) as usize & (self.buckets - 1);
            if let Some(bucket) = buckets.get_mut(home) {
                bucket.push((key, data));
            }
        }
        // Keys are in the order of their bytes, and each page takes what fits it.
        for (first, bucket) in (1..).zip(buckets) {
            let pages = pages(bucket);
            let (mut own, mut before) = (first, 0);
            for (place, items) in pages.iter().enumerate() {
                let after = match place + 1 == pages.len() {
                    true => 0,
                    false => {
                        self.file.resize(self.file.len() + PAGE, 0);
                        self.file.len() / PAGE - 1
                    }
                };
                self.hash_page([own, before, after], items);
                (before, own) = (own, after);
            }
        }
        let last = u32::try_from(self.file.len() / PAGE - 1).map_err(|_| too_large(self.highest))?;
        self.meta(last, records);
        Ok(self.file)
    }

    /// More buckets, where there are more records than was said.
    fn make_room(&mut self) -> Result<(), Error> {
        let needed = buckets(self.items.len());
        let more = needed.saturating_sub(self.buckets);
        if more == 0 {
            return Ok(());
        }
        let last = self.file.len() / PAGE + more;
        u32::try_from(last).map_err(|_| too_large(self.highest))?;
        for page in self.file.chunks_exact_mut(PAGE).skip(1 + self.buckets) {
            self.order.shift(page, more as u32);
        }
        for (_, data) in &mut self.items {
            if let Data::OffPage(first, _) = data {
                *first += more as u32;
            }
        }
        self.file.splice(..0, std::iter::repeat_n(0, more * PAGE));
        self.buckets = needed;
        Ok(())
    }

    fn meta(&mut self, last: u32, records: u32) {
        let (order, buckets) = (self.order, self.buckets as u32);
        let file = &mut self.file;
        let mut word = |at: usize, word: u32| put(file, at, &order.bytes(word));
        word(4, 1);
        word(12, MAGIC);
        word(16, 9);
        word(20, PAGE as u32);
        word(32, last);
        word(72, buckets - 1);
        word(76, buckets - 1);
        word(80, buckets / 2 - 1);
        word(88, records);
        word(92, hash(CHECK));
        // All buckets came about at once: bucket b is on page b + 1.
        for doubling in 0..=buckets.trailing_zeros() as usize {
            word(96 + 4 * doubling, 1);
        }
        put(file, 25, &[META]);
        // Any number of the file's own; this makes equal databases equal files.
        put(file, 52, b"bareroot-Packages\0\0\0");
    }

    fn hash_page(&mut self, [own, before, after]: [usize; 3], items: &[Item]) {
        let order = self.order;
        let Some(page) = self.file.get_mut(own * PAGE..(own + 1) * PAGE) else {
            return;
        };
        let mut end = PAGE;
        for (pair, (key, data)) in items.iter().enumerate() {
            let mut item = |entry: usize, bytes: &[u8]| {
                end -= bytes.len();
                put(page, end, bytes);
                put(page, PAGE_HEADER + 2 * entry, &order.short_bytes(end as u16));
            };
            item(2 * pair, &[&[INLINE], key.as_slice()].concat());
            match data {
                Data::Inline(data) => item(2 * pair + 1, &[&[INLINE], data.as_slice()].concat()),
                Data::OffPage(first, length) => {
                    let (first, length) = (order.bytes(*first), order.bytes(*length));
                    item(
                        2 * pair + 1,
                        &[&[OFF_PAGE, 0, 0, 0], first.as_slice(), length.as_slice()].concat(),
                    );
                }
            }
        }
        let numbers = [own as u32, before as u32, after as u32];
        let counts = [2 * items.len() as u16, end as u16];
        order.page(page, numbers, counts, HASH);
    }
}

/// Buckets of a file with so many records.
fn buckets(records: usize) -> usize {
    records.div_ceil(PER_BUCKET).next_power_of_two().max(2)
}

/// A bucket's items on their pages: at least one.
fn pages(mut bucket: Vec<Item>) -> Vec<Vec<Item>> {
    bucket.sort_by_key(|(key, _)| *key);
    let (mut pages, mut room) = (vec![Vec::new()], PAGE - PAGE_HEADER);
    for (key, data) in bucket {
        // Two places of the index, and the items with their types.
        let size = 4
            + 5
            + match &data {
                Data::Inline(data) => 1 + data.len(),
                Data::OffPage(..) => 12,
            };
        if size > room {
            pages.push(Vec::new());
            room = PAGE - PAGE_HEADER;
        }
        room -= size;
        if let Some(page) = pages.last_mut() {
            page.push((key, data));
        }
    }
    pages
}

impl ByteOrder {
    /// Moves a page of data by that many pages: its own number, and those of the pages beside it.
    fn shift(self, page: &mut [u8], by: u32) {
        for at in [8, 12, 16] {
            let word = page.get(at..).and_then(|rest| rest.first_chunk::<4>()).copied();
            let word = self.word(word.unwrap_or_default());
            if word != 0 {
                put(page, at, &self.bytes(word + by));
            }
        }
    }
}

fn too_large(number: u32) -> Error {
    Error::TooLarge {
        what: format!("record {number}"),
        backend: Backend::Bdb.word(),
    }
}
