//! Berkeley DB's hash, in which rpm kept headers up to 4.16 (Berkeley DB's dbinc/db_page.h and hash/hash_page.c).

mod order;
mod read;
mod tree;
mod write;

pub use order::ByteOrder;
pub(crate) use read::read;
pub(crate) use tree::Indexes;
pub(crate) use write::Hash;

/// `Packages` begins with this number at its twelfth byte.
const MAGIC: u32 = 0x0006_1561;

/// Bytes of what stands at the beginning of each page.
const PAGE_HEADER: usize = 26;

/// Types of pages.
const UNUSED: u8 = 0;
const HASH_UNSORTED: u8 = 2;
const OVERFLOW: u8 = 7;
const META: u8 = 8;
const HASH: u8 = 13;

/// Types of items on a page of a hash.
const INLINE: u8 = 1;
const OFF_PAGE: u8 = 3;

/// What Berkeley DB hashes keys with (hash/hash_func.c: `__ham_func4`, Fowler, Noll and Vo's).
fn hash(key: &[u8]) -> u32 {
    key.iter().fold(0, |hash: u32, byte| {
        hash.wrapping_mul(16_777_619) ^ u32::from(*byte)
    })
}

/// What a file's own hash function made of a known text, by which Berkeley DB tells that it is the right one.
const CHECK: &[u8] = b"%$sniglet^&\0";

impl ByteOrder {
    /// Fills the beginning of a page: its own number and those beside it, its number of entries and where its items begin.
    fn page(self, page: &mut [u8], numbers: [u32; 3], counts: [u16; 2], kind: u8) {
        put(page, 4, &self.bytes(1));
        for (number, at) in numbers.into_iter().zip([8, 12, 16]) {
            put(page, at, &self.bytes(number));
        }
        for (count, at) in counts.into_iter().zip([20, 22]) {
            put(page, at, &self.short_bytes(count));
        }
        put(page, 25, &[kind]);
    }
}

fn put(into: &mut [u8], at: usize, bytes: &[u8]) {
    if let Some(place) = into.get_mut(at..at + bytes.len()) {
        place.copy_from_slice(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The number that stands in the databases of RHEL 8.
    #[test]
    fn the_hash_is_berkeley_dbs() {
        assert_eq!(hash(CHECK), 0x5e68_8dd1);
    }
}
