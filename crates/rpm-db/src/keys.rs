use std::hash::{BuildHasher as _, RandomState};

use hashbrown::HashTable;

/// The keys of one index, in the order in which they came, each with its headers' numbers and places.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    /// All keys, one after another, and where each ends.
    bytes: Vec<u8>,
    ends: Vec<usize>,
    /// The keys' places by their bytes.
    places: HashTable<u32>,
    /// Keys are hostile: their hashes are nobody's to choose.
    hasher: RandomState,
    entries: Vec<Entry>,
}

/// A header that has a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The key's place among the keys.
    pub key: u32,
    /// The header's number.
    pub number: u32,
    /// The place in the header's list.
    pub place: u32,
}

impl Keys {
    /// Adds a row.
    pub(crate) fn add(&mut self, key: &[u8], number: u32, place: u32) {
        let Keys {
            bytes,
            ends,
            places,
            hasher,
            entries,
        } = self;
        let hash = hasher.hash_one(key);
        let known = places.find(hash, |known| at(bytes, ends, *known) == key).copied();
        let own = known.unwrap_or_else(|| {
            let next = ends.len() as u32;
            bytes.extend_from_slice(key);
            ends.push(bytes.len());
            places.insert_unique(hash, next, |known| hasher.hash_one(at(bytes, ends, *known)));
            next
        });
        entries.push(Entry {
            key: own,
            number,
            place,
        });
    }

    /// How many keys there are.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// A key by its place.
    pub(crate) fn key(&self, place: u32) -> &[u8] {
        at(&self.bytes, &self.ends, place)
    }

    /// All keys' places.
    pub(crate) fn places(&self) -> impl Iterator<Item = u32> + use<> {
        0..self.ends.len() as u32
    }

    /// All rows, those of each key next to each other, in the order in which keys and rows came.
    pub(crate) fn take_entries(&mut self) -> Vec<Entry> {
        let entries = std::mem::take(&mut self.entries);
        // Where the next row of each key belongs.
        let mut next = vec![0; self.len() + 1];
        for entry in &entries {
            next[entry.key as usize + 1] += 1;
        }
        for key in 0..self.len() {
            next[key + 1] += next[key];
        }
        let mut sorted = entries.clone();
        for entry in entries {
            let at: &mut usize = &mut next[entry.key as usize];
            sorted[*at] = entry;
            *at += 1;
        }
        sorted
    }
}

fn at<'b>(bytes: &'b [u8], ends: &[usize], place: u32) -> &'b [u8] {
    let end = |place: u32| ends.get(place as usize).copied().unwrap_or_default();
    let start = place.checked_sub(1).map(end).unwrap_or_default();
    bytes.get(start..end(place)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_with_their_keys() {
        let mut keys = Keys::default();
        for number in 0..1000 {
            keys.add(b"common", number, 7);
            keys.add(format!("own-{number}").as_bytes(), number, number);
            keys.add(b"", number, 1);
        }
        assert_eq!(keys.len(), 1002);
        let entries = keys.take_entries();
        let of = |key: &[u8]| -> Vec<(u32, u32)> {
            let own = entries.iter().filter(|entry| keys.key(entry.key) == key);
            own.map(|entry| (entry.number, entry.place)).collect()
        };
        assert_eq!(
            of(b"common"),
            (0..1000).map(|number| (number, 7)).collect::<Vec<_>>()
        );
        assert_eq!(of(b"").len(), 1000);
        assert_eq!(of(b"own-999"), [(999, 999)]);
        assert!(entries.is_sorted_by_key(|entry| entry.key));
    }
}
