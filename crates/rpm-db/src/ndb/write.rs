//! `Packages.db`, written at once.

use super::{BLOB, BLOB_END, BLOB_HEAD, BLOB_TAIL, BLOCK, HEAD, MAGIC, PAGE, PER_PAGE, SLOT, adler32};
use crate::{Backend, Error};

/// A database that is being written.
#[derive(Debug, Default)]
pub struct Packages {
    /// Numbers, first blocks counted from the end of the slots, and counts of blocks.
    slots: Vec<(u32, usize, usize)>,
    /// All blobs with their heads and tails.
    blobs: Vec<u8>,
    highest: u32,
}

impl Packages {
    /// Adds a record under a number that no other has.
    pub fn add(&mut self, number: u32, blob: &[u8]) -> Result<(), Error> {
        let length = u32::try_from(blob.len()).map_err(|_| too_large(number))?;
        let blocks = (BLOB_HEAD + blob.len() + BLOB_TAIL).div_ceil(BLOCK);
        let start = self.blobs.len();
        // The generation in which it was written: as if one after another.
        let generation = self.slots.len() as u32 + 1;
        self.blobs.extend_from_slice(BLOB);
        for word in [number, generation, length] {
            self.blobs.extend_from_slice(&word.to_le_bytes());
        }
        self.blobs.extend_from_slice(blob);
        // The tail is the end of the last block.
        self.blobs.resize(start + blocks * BLOCK - BLOB_TAIL, 0);
        let sum = adler32(self.blobs.get(start..).unwrap_or_default());
        for word in [sum, length] {
            self.blobs.extend_from_slice(&word.to_le_bytes());
        }
        self.blobs.extend_from_slice(BLOB_END);
        self.slots.push((number, start / BLOCK, blocks));
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
        let pages = (self.slots.len() + HEAD).div_ceil(PER_PAGE).max(1);
        let base = pages * PER_PAGE;
        if u32::try_from(base + self.blobs.len() / BLOCK).is_err() {
            return Err(too_large(self.highest));
        }
        let next = self
            .highest
            .checked_add(1)
            .ok_or_else(|| too_large(self.highest))?;
        let mut file = Vec::with_capacity(pages * PAGE + self.blobs.len());
        file.extend_from_slice(MAGIC);
        for word in [0, self.generation(), pages as u32, next, 0, 0, 0] {
            file.extend_from_slice(&word.to_le_bytes());
        }
        for (number, start, blocks) in &self.slots {
            file.extend_from_slice(SLOT);
            for word in [*number, (base + start) as u32, *blocks as u32] {
                file.extend_from_slice(&word.to_le_bytes());
            }
        }
        while file.len() < pages * PAGE {
            file.extend_from_slice(SLOT);
            file.extend_from_slice(&[0; 12]);
        }
        file.append(&mut self.blobs);
        Ok(file)
    }
}

fn too_large(number: u32) -> Error {
    Error::TooLarge {
        what: format!("record {number}"),
        backend: Backend::Ndb.word(),
    }
}
