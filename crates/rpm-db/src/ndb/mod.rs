//! SUSE's own database (rpm's lib/backend/ndb): `Packages.db`, the headers, and `Index.db`, which finds them. All numbers
//! have their lowest byte first, on every machine.

mod index;
mod read;
mod write;

pub(crate) use index::Index;
pub(crate) use read::read;
pub(crate) use write::Packages;

/// The name of the indexes' file.
pub(crate) const INDEX: &str = "Index.db";

const MAGIC: &[u8; 4] = b"RpmP";
const SLOT: &[u8; 4] = b"Slot";
const BLOB: &[u8; 4] = b"BlbS";
const BLOB_END: &[u8; 4] = b"BlbE";

/// Bytes of a page of slots.
const PAGE: usize = 4096;
/// Bytes of a slot, and of a block.
const BLOCK: usize = 16;
/// Slots of a page.
const PER_PAGE: usize = PAGE / BLOCK;
/// Slots' places that the file's head takes.
const HEAD: usize = 2;
/// Bytes before and after a blob.
const BLOB_HEAD: usize = 16;
const BLOB_TAIL: usize = 12;

/// Adler-32 (RFC 1950, section 8.2), begun at 1.
fn adler32(bytes: &[u8]) -> u32 {
    const BASE: u32 = 65_521;
    let (mut low, mut high) = (1u32, 0u32);
    // The longest run whose sums cannot overflow.
    for run in bytes.chunks(5552) {
        for byte in run {
            low += u32::from(*byte);
            high += low;
        }
        low %= BASE;
        high %= BASE;
    }
    high << 16 | low
}

fn word(bytes: &[u8], at: usize) -> u32 {
    let word = bytes.get(at..).and_then(|rest| rest.first_chunk::<4>());
    u32::from_le_bytes(word.copied().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_zlibs() {
        for (text, sum) in [("", 1), ("a", 0x0062_0062), ("Wikipedia", 0x11e6_0398)] {
            assert_eq!(adler32(text.as_bytes()), sum, "{text}");
        }
        assert_eq!(adler32(&[0xff; 100_000]), 0x149a_302c);
    }
}
