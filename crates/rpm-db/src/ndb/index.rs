//! `Index.db`: a hash table for each of rpm's indexes (rpm's lib/backend/ndb/rpmxdb.c and rpmidx.c). Without it rpm makes
//! one at its first call, which only root can.

use std::collections::HashSet;

use crate::keys::{Entry, Keys};
use crate::rows::{Row, TABLES};
use crate::{Backend, Error};

const PAGE: usize = 4096;
/// Bytes of a slot, two of which the file's head takes.
const SLOT: usize = 16;
/// Bytes of a table's head.
const HEAD: usize = 64;
/// Fewer slots no table has.
const LEAST: usize = 1024;

/// The tables in the making.
#[derive(Debug)]
pub struct Index {
    tables: Vec<Keys>,
}

impl Index {
    pub fn create() -> Index {
        Index {
            tables: TABLES.iter().map(|_| Keys::default()).collect(),
        }
    }

    /// Adds a header's rows of each table.
    pub fn add(&mut self, number: u32, rows: &[Vec<Row<'_>>]) {
        for (table, rows) in self.tables.iter_mut().zip(rows) {
            rows.iter()
                .for_each(|(key, place)| table.add(key, number, *place));
        }
    }

    /// The whole file, for headers of that generation.
    pub fn finish(self, generation: u32) -> Result<Vec<u8>, Error> {
        let mut file = b"RpmX".to_vec();
        // Version, own generation (each slot's writing is one), pages of slots, size of a page, generation of the headers.
        for word in [0, TABLES.len() as u32, 1, PAGE as u32, generation, 0, 0] {
            file.extend_from_slice(&word.to_le_bytes());
        }
        let (mut blobs, mut page) = (Vec::new(), 1);
        for (keys, of) in self.tables.into_iter().zip(&TABLES) {
            let mut blob = blob(keys, of.name)?;
            let pages = blob.len() / PAGE;
            file.extend_from_slice(b"Slo\0");
            for word in [of.tag.0, page as u32, pages as u32] {
                file.extend_from_slice(&word.to_le_bytes());
            }
            page += pages;
            blobs.append(&mut blob);
        }
        while file.len() < PAGE {
            file.extend_from_slice(b"Slo\0");
            file.extend_from_slice(&[0; SLOT - 4]);
        }
        file.append(&mut blobs);
        Ok(file)
    }
}

/// Head, slots, what does not fit the slots, keys; whole pages.
fn blob(mut table: Keys, name: &str) -> Result<Vec<u8>, Error> {
    let too_large = || Error::TooLarge {
        what: format!("the index {name}"),
        backend: Backend::Ndb.word(),
    };
    let entries = distinct(table.take_entries());
    let count = entries.len();
    // rpm makes a table anew when more than half of its slots are in use: that is left to it until a quarter more are.
    let slots = (count * 5 / 2).next_power_of_two().max(LEAST);
    // No key begins at 0.
    let mut keys = vec![0];
    let mut starts = Vec::with_capacity(table.len());
    for key in table.places().map(|place| table.key(place)) {
        starts.push(keys.len());
        push_length(&mut keys, key.len());
        keys.extend_from_slice(key);
    }
    let key_end = keys.len();
    let room = key_end.max(PAGE);
    let size = (HEAD + slots * 12 + room).next_multiple_of(PAGE);
    let room = size - HEAD - slots * 12;
    // Bits of a key's hash stand above its offset, with room for 8192 bytes more.
    let bits = (room + 8192).next_power_of_two().max(0x1_0000);
    let mask = u32::try_from(bits - 1).map(|low| !low).map_err(|_| too_large())?;
    let mut blob = b"RpmI".to_vec();
    let used = count as u32;
    // Version, generation, slots, in use, deleted, mask, end of keys, bytes of keys that are not used.
    for word in [0, used + 1, slots as u32, used, 0, mask, key_end as u32, 0] {
        blob.extend_from_slice(&word.to_le_bytes());
    }
    blob.resize(size, 0);
    for entries in entries.chunk_by(|first, second| first.key == second.key) {
        let key = entries.first().map_or(0, |entry| entry.key);
        let hash = murmur(table.key(key));
        let tagged = starts.get(key as usize).map_or(0, |start| *start as u32) | hash & mask;
        let (mut slot, mut step) = (hash as usize & (slots - 1), 7);
        for entry in entries {
            let (data, over) = encode(entry.number, entry.place).ok_or_else(too_large)?;
            let at = loop {
                let at = HEAD + 8 * slot;
                slot = (slot + step) & (slots - 1);
                step += 1;
                if super::word(&blob, at) == 0 {
                    break at;
                }
            };
            put(&mut blob, at, tagged);
            put(&mut blob, at + 4, data);
            if over != 0 {
                put(&mut blob, HEAD + 8 * slots + (at - HEAD) / 2, over);
            }
        }
    }
    if let Some(place) = blob.get_mut(HEAD + slots * 12..HEAD + slots * 12 + key_end) {
        place.copy_from_slice(&keys);
    }
    Ok(blob)
}

/// The same without what a header has twice in a key: rpm writes equal ones once. A header's rows of a key are next to each
/// other, as headers come one after another.
fn distinct(entries: Vec<Entry>) -> Vec<Entry> {
    let mut kept = Vec::with_capacity(entries.len());
    let mut own = HashSet::new();
    for entries in entries.chunk_by(|first, second| (first.key, first.number) == (second.key, second.number))
    {
        match entries {
            [entry] => kept.push(*entry),
            entries => {
                own.clear();
                kept.extend(entries.iter().filter(|entry| own.insert(entry.place)));
            }
        }
    }
    kept
}

/// A key's length: one byte, three or seven.
fn push_length(keys: &mut Vec<u8>, length: usize) {
    match length {
        1..255 => keys.push(length as u8),
        0 | 255..65_535 => {
            keys.push(255);
            keys.extend_from_slice(&(length as u16).to_le_bytes());
        }
        _ => {
            keys.extend_from_slice(&[255; 3]);
            keys.extend_from_slice(&(length as u32).to_le_bytes());
        }
    }
}

/// A header's number and a place, and what of them does not fit the first word.
fn encode(number: u32, place: u32) -> Option<(u32, u32)> {
    match (number, place) {
        (..0x10_0000, ..0x400) => Some((number | place << 20, 0)),
        (..0x100_0000, ..0x40) => Some((number | place << 24 | 0x4000_0000, 0)),
        (_, ..0x8000_0000) => Some((place | 0x8000_0000, number)),
        _ => None,
    }
}

/// The hash of keys, by Appleby, as rpm has it.
fn murmur(key: &[u8]) -> u32 {
    const M: u32 = 0x5bd1_e995;
    let mix = |hash: u32| {
        let hash = hash.wrapping_mul(M);
        hash ^ hash >> 16
    };
    let mut hash = (key.len() as u32).wrapping_mul(M);
    let (words, rest) = key.as_chunks::<4>();
    for word in words {
        hash = mix(hash.wrapping_add(u32::from_le_bytes(*word)));
    }
    if !rest.is_empty() {
        let rest = rest
            .iter()
            .rev()
            .fold(0, |word, byte| word << 8 | u32::from(*byte));
        hash = mix(hash.wrapping_add(rest));
    }
    let hash = hash.wrapping_mul(M);
    let hash = (hash ^ hash >> 10).wrapping_mul(M);
    hash ^ hash >> 17
}

fn put(blob: &mut [u8], at: usize, word: u32) {
    if let Some(place) = blob.get_mut(at..at + 4) {
        place.copy_from_slice(&word.to_le_bytes());
    }
}
