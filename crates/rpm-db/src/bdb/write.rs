//! `Packages`, written at once: buckets first, then the pages that do not fit them, then the data.

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
    /// Pages of data, numbered from 0 until it is known how many buckets there are before them.
    data: Vec<u8>,
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
    pub fn create(order: ByteOrder) -> Hash {
        Hash {
            order,
            items: Vec::new(),
            data: Vec::new(),
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
        let first = self.data.len() / PAGE;
        let pages = blob.len().div_ceil(room);
        u32::try_from(first + pages + 1).map_err(|_| too_large(number))?;
        for (place, part) in blob.chunks(room).enumerate() {
            // Links among themselves are relative too, 0 being none; `finish` moves them.
            let own = (first + place) as u32;
            let before = if place == 0 { 0 } else { own };
            let after = if place + 1 == pages { 0 } else { own + 2 };
            let start = self.data.len();
            self.data.resize(start + PAGE, 0);
            if let Some(page) = self.data.get_mut(start..) {
                self.order
                    .page(page, [own, before, after], [1, part.len() as u16], OVERFLOW);
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
        let records = self.items.len() as u32;
        let count = self.items.len().div_ceil(PER_BUCKET).next_power_of_two().max(2);
        let mut buckets: Vec<Vec<Item>> = (0..count).map(|_| Vec::new()).collect();
        for (key, data) in std::mem::take(&mut self.items) {
            let home = hash(&key) as usize & (count - 1);
            if let Some(bucket) = buckets.get_mut(home) {
                bucket.push((key, data));
            }
        }
        // Keys are in the order of their bytes, and each page takes what fits it.
        let buckets: Vec<Vec<Vec<Item>>> = buckets.into_iter().map(pages).collect();
        let chained: usize = buckets.iter().map(|pages| pages.len() - 1).sum();
        let base = 1 + count + chained;
        let last = base + self.data.len() / PAGE - 1;
        let last = u32::try_from(last).map_err(|_| too_large(self.highest))?;
        let mut file = vec![0; base * PAGE];
        self.meta(&mut file, last, count as u32, records);
        let mut free = 1 + count;
        for (bucket, pages) in buckets.iter().enumerate() {
            let (mut own, mut before) = (1 + bucket, 0);
            for (place, items) in pages.iter().enumerate() {
                let after = if place + 1 == pages.len() { 0 } else { free };
                if let Some(page) = file.get_mut(own * PAGE..(own + 1) * PAGE) {
                    self.hash_page(page, [own, before, after], items, base);
                }
                before = own;
                if after != 0 {
                    own = free;
                    free += 1;
                }
            }
        }
        for page in self.data.chunks_exact_mut(PAGE) {
            self.order.shift(page, base as u32);
        }
        file.append(&mut self.data);
        Ok(file)
    }

    fn meta(&self, file: &mut [u8], last: u32, buckets: u32, records: u32) {
        let mut word = |at: usize, word: u32| put(file, at, &self.order.bytes(word));
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

    fn hash_page(&self, page: &mut [u8], [own, before, after]: [usize; 3], items: &[Item], base: usize) {
        let mut end = PAGE;
        for (pair, (key, data)) in items.iter().enumerate() {
            let mut item = |entry: usize, bytes: &[u8]| {
                end -= bytes.len();
                put(page, end, bytes);
                put(page, PAGE_HEADER + 2 * entry, &self.order.short_bytes(end as u16));
            };
            item(2 * pair, &[&[INLINE], key.as_slice()].concat());
            match data {
                Data::Inline(data) => item(2 * pair + 1, &[&[INLINE], data.as_slice()].concat()),
                Data::OffPage(first, length) => {
                    let first = self.order.bytes(first + base as u32);
                    let length = self.order.bytes(*length);
                    item(
                        2 * pair + 1,
                        &[&[OFF_PAGE, 0, 0, 0], first.as_slice(), length.as_slice()].concat(),
                    );
                }
            }
        }
        let numbers = [own as u32, before as u32, after as u32];
        let counts = [2 * items.len() as u16, end as u16];
        self.order.page(page, numbers, counts, HASH);
    }
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
    /// Moves a page of data by that many pages: its own number counts from 0, those of others from 1.
    fn shift(self, page: &mut [u8], base: u32) {
        for (at, counted_from) in [(8, 0), (12, 1), (16, 1)] {
            let word = page.get(at..).and_then(|rest| rest.first_chunk::<4>()).copied();
            let word = self.word(word.unwrap_or_default());
            if word != 0 || counted_from == 0 {
                put(page, at, &self.bytes(word - counted_from + base));
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
