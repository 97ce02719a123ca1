//! `Packages.db`, written at once.

use super::{BLOB, BLOB_END, BLOB_HEAD, BLOB_TAIL, BLOCK, HEAD, MAGIC, PAGE, PER_PAGE, SLOT, adler32};
use crate::{Backend, Blob, Error};

/// A database that is being written.
#[derive(Debug)]
pub struct Packages {
    /// Numbers, first blocks counted from the end of the slots, and counts of blocks.
    slots: Vec<(u32, usize, usize)>,
    /// Pages that are kept free for slots at the file's beginning.
    pages: usize,
    /// Those pages, and all blobs with their heads and tails.
    file: Vec<u8>,
    highest: u32,
}

impl Packages {
    /// A new database with room for the slots of so many records; with more of them, all is moved at the end.
    pub fn create(records: usize) -> Packages {
        let pages = pages(records);
        Packages {
            slots: Vec::with_capacity(records),
            pages,
            file: vec![0; pages * PAGE],
            highest: 0,
        }
    }

    /// Adds a record under a number that no other has.
    pub fn add(&mut self, number: u32, blob: &Blob<'_>) -> Result<(), Error> {
        let length = u32::try_from(blob.len()).map_err(|_| too_large(number))?;
        let blocks = (BLOB_HEAD + blob.len() + BLOB_TAIL).div_ceil(BLOCK);
        let start = self.file.len();
        // The generation in which it was written: as if one after another.
        let generation = self.slots.len() as u32 + 1;
        self.file.extend_from_slice(BLOB);
        for word in [number, generation, length] {
            self.file.extend_from_slice(&word.to_le_bytes());
        }
        blob.append_to(&mut self.file);
        // The tail is the end of the last block.
        self.file.resize(start + blocks * BLOCK - BLOB_TAIL, 0);
        let sum = adler32(self.file.get(start..).unwrap_or_default());
        for word in [sum, length] {
            self.file.extend_from_slice(&word.to_le_bytes());
        }
        self.file.extend_from_slice(BLOB_END);
        self.slots
            .push((number, start / BLOCK - self.pages * PER_PAGE, blocks));
        self.highest = self.highest.max(number);
        Ok(())
    }

    /// Says that higher numbers than those of the headers have been given.
    pub fn given(&mut self, number: u32) {
        self.highest = self.highest.max(number);
    }

    /// How often the database was written to, which `Index.db` must say as well.
    pub fn generation(&self) -> u32 {
        self.slots.len() as u32
    }

    /// The whole file.
    pub fn finish(mut self) -> Result<Vec<u8>, Error> {
        let pages = pages(self.slots.len()).max(self.pages);
        self.file
            .splice(..0, std::iter::repeat_n(0, (pages - self.pages) * PAGE));
        let base = pages * PER_PAGE;
        if u32::try_from(self.file.len() / BLOCK).is_err() {
            return Err(too_large(self.highest));
        }
        let next = self
            .highest
            .checked_add(1)
            .ok_or_else(|| too_large(self.highest))?;
        let mut head = Vec::with_capacity(pages * PAGE);
        head.extend_from_slice(MAGIC);
        for word in [0, self.generation(), pages as u32, next, 0, 0, 0] {
            head.extend_from_slice(&word.to_le_bytes());
        }
        for (number, start, blocks) in &self.slots {
            head.extend_from_slice(SLOT);
            for word in [*number, (base + start) as u32, *blocks as u32] {
                head.extend_from_slice(&word.to_le_bytes());
            }
        }
        while head.len() < pages * PAGE {
            head.extend_from_slice(SLOT);
            head.extend_from_slice(&[0; 12]);
        }
        if let Some(place) = self.file.get_mut(..head.len()) {
            place.copy_from_slice(&head);
        }
        Ok(self.file)
    }
}

/// Pages that hold the slots of so many records.
fn pages(records: usize) -> usize {
    (records + HEAD).div_ceil(PER_PAGE).max(1)
}

fn too_large(number: u32) -> Error {
    Error::TooLarge {
        what: format!("record {number}"),
        backend: Backend::Ndb.word(),
    }
}
