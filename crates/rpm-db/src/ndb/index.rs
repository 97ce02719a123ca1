//! `Index.db`: a hash table for each of rpm's indexes (rpm's lib/backend/ndb/rpmxdb.c and rpmidx.c). Without it rpm makes
//! one at its first call, which only root can.

use std::collections::{HashMap, HashSet};

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
    tables: Vec<Table>,
}

/// The keys of one index, in the order in which they came, each with its headers' numbers and places.
#[derive(Debug, Default)]
struct Table {
    /// All keys, one after another, and where each ends.
    keys: Vec<u8>,
    ends: Vec<usize>,
    /// The keys' places by their bytes.
    places: HashMap<Vec<u8>, u32>,
    /// A key's place, a header's number and the place in its list, in the order in which they came.
    entries: Vec<(u32, u32, u32)>,
}

impl Index {
    pub fn create() -> Index {
        Index {
            tables: TABLES.iter().map(|_| Table::default()).collect(),
        }
    }

    /// Adds a header's rows of each table.
    pub fn add(&mut self, number: u32, rows: Vec<Vec<Row>>) {
        for (table, rows) in self.tables.iter_mut().zip(rows) {
            rows.into_iter()
                .for_each(|(key, place)| table.add(key, number, place));
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
        for (table, of) in self.tables.into_iter().zip(&TABLES) {
            let mut blob = table.blob(of.name)?;
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

impl Table {
    fn add(&mut self, key: Vec<u8>, number: u32, place: u32) {
        let next = self.ends.len() as u32;
        let at = *self.places.entry(key).or_insert_with_key(|key| {
            self.keys.extend_from_slice(key);
            self.ends.push(self.keys.len());
            next
        });
        self.entries.push((at, number, place));
    }

    fn key(&self, place: usize) -> &[u8] {
        let start = place.checked_sub(1).and_then(|before| self.ends.get(before));
        let start = start.copied().unwrap_or_default();
        let end = self.ends.get(place).copied().unwrap_or_default();
        self.keys.get(start..end).unwrap_or_default()
    }

    /// Head, slots, what does not fit the slots, keys; whole pages.
    fn blob(mut self, name: &str) -> Result<Vec<u8>, Error> {
        let too_large = || Error::TooLarge {
            what: format!("the index {name}"),
            backend: Backend::Ndb.word(),
        };
        self.places = HashMap::new();
        // In the order of the keys, and of a key in that in which they came. A header's rows of a key are next to each other
        // then; rpm writes equal ones once.
        self.entries.sort_by_key(|(key, number, _)| (*key, *number));
        let mut own = HashSet::new();
        let mut last = None;
        self.entries.retain(|(key, number, place)| {
            if last.replace((*key, *number)) != Some((*key, *number)) {
                own.clear();
            }
            own.insert(*place)
        });
        let count = self.entries.len();
        // rpm makes a table anew when more than half of its slots are in use: that is left to it for some time.
        let slots = (count * 4).next_power_of_two().max(LEAST);
        // No key begins at 0.
        let mut keys = vec![0];
        let mut starts = Vec::with_capacity(self.ends.len());
        for key in (0..self.ends.len()).map(|place| self.key(place)) {
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
        for entries in self.entries.chunk_by(|first, second| first.0 == second.0) {
            let key = entries.first().map_or(0, |(key, ..)| *key as usize);
            let hash = murmur(self.key(key));
            let tagged = starts.get(key).map_or(0, |start| *start as u32) | hash & mask;
            let (mut slot, mut step) = (hash as usize & (slots - 1), 7);
            for (_, number, place) in entries {
                let (data, over) = encode(*number, *place).ok_or_else(too_large)?;
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
