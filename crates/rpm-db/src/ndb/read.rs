//! `Packages.db`, read slot by slot.

use super::{BLOB, BLOB_END, BLOB_HEAD, BLOB_TAIL, BLOCK, HEAD, MAGIC, PAGE, PER_PAGE, SLOT, adler32, word};
use crate::bdb::ByteOrder;
use crate::contents::{Contents, Record};
use crate::{Backend, Error};

/// A slot in use.
struct Slot {
    /// Its place, from 0.
    place: usize,
    number: u32,
    /// Blocks of 16 bytes, from the file's beginning.
    start: usize,
    blocks: usize,
}

/// Everything in the file, in the order of the headers' places.
pub fn read<'a>(name: &str, bytes: &'a [u8]) -> Result<Contents<'a>, Error> {
    let bad = |place: &str, expected: String, found: String| Error::malformed(name, place, expected, found);
    if bytes.get(..4) != Some(MAGIC) {
        let found = format!("{:02x?}", bytes.get(..4).unwrap_or(bytes));
        return Err(bad("the file's first bytes", "RpmP".into(), found));
    }
    if word(bytes, 4) != 0 {
        return Err(bad(
            "the version at byte 4",
            "0".into(),
            word(bytes, 4).to_string(),
        ));
    }
    let slot_pages = word(bytes, 12) as usize;
    if slot_pages == 0 || slot_pages > bytes.len() / PAGE {
        let expected = format!("1 to {}, the pages of the file", bytes.len() / PAGE);
        return Err(bad(
            "the number of pages of slots at byte 12",
            expected,
            slot_pages.to_string(),
        ));
    }
    let next = word(bytes, 16);
    let mut slots = slots(name, bytes, slot_pages)?;
    slots.sort_by_key(|slot| slot.start);
    let mut end = slot_pages * PER_PAGE;
    let mut stored = Vec::with_capacity(slots.len());
    for slot in &slots {
        let at = |what: &str| format!("slot {} (record {}): {what}", slot.place, slot.number);
        // No two may share a block, which also bounds what is read by the file's size.
        if slot.start < end {
            return Err(bad(
                &at("the first block"),
                format!("{end} or above"),
                slot.start.to_string(),
            ));
        }
        end = slot.start + slot.blocks;
        stored.push(Record {
            number: slot.number,
            blob: blob(name, bytes, slot)?.into(),
        });
    }
    let mut numbers: Vec<u32> = stored.iter().map(|record| record.number).collect();
    numbers.sort_unstable();
    if let Some(pair) = numbers.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(bad(
            "the slots",
            "each record once".into(),
            format!("record {} twice", pair[0]),
        ));
    }
    let last = numbers.last().copied().unwrap_or_default();
    if next <= last {
        return Err(bad(
            "the next record's number at byte 16",
            format!("above {last}"),
            next.to_string(),
        ));
    }
    Ok(Contents {
        backend: Backend::Ndb,
        order: ByteOrder::NATIVE,
        page_size: PAGE as u32,
        stored,
        highest: next - 1,
    })
}

/// The slots in use.
fn slots(name: &str, bytes: &[u8], pages: usize) -> Result<Vec<Slot>, Error> {
    let table = bytes.get(..pages * PAGE).unwrap_or_default();
    let blocks = bytes.len() / BLOCK;
    let mut slots = Vec::new();
    for (place, slot) in table.chunks_exact(BLOCK).skip(HEAD).enumerate() {
        let bad = |what: &str, expected: String, found: String| {
            Error::malformed(
                name,
                format!("slot {place} at byte {}: {what}", (place + HEAD) * BLOCK),
                expected,
                found,
            )
        };
        if !slot.starts_with(SLOT) {
            let found = format!("{:02x?}", slot.get(..4).unwrap_or_default());
            return Err(bad("its first bytes", "Slot".into(), found));
        }
        let (number, start, count) = (word(slot, 4), word(slot, 8) as usize, word(slot, 12) as usize);
        if start == 0 {
            // A free slot: deleted, or never used.
            continue;
        }
        if number == 0 {
            return Err(bad("the record's number", "1 or above".into(), "0".into()));
        }
        if start < pages * PER_PAGE || start >= blocks {
            let expected = format!("{} to {}", pages * PER_PAGE, blocks.saturating_sub(1));
            return Err(bad("the first block", expected, start.to_string()));
        }
        if count == 0 || count > blocks - start {
            let expected = format!("1 to {}, the end of the file", blocks - start);
            return Err(bad("the number of blocks", expected, count.to_string()));
        }
        slots.push(Slot {
            place,
            number,
            start,
            blocks: count,
        });
    }
    Ok(slots)
}

/// The blob of a slot, its checksum verified.
fn blob<'a>(name: &str, bytes: &'a [u8], slot: &Slot) -> Result<&'a [u8], Error> {
    let offset = slot.start * BLOCK;
    let bad = |what: &str, expected: String, found: String| {
        let place = format!("record {} at byte {offset}: {what}", slot.number);
        Error::malformed(name, place, expected, found)
    };
    let whole = bytes
        .get(offset..offset + slot.blocks * BLOCK)
        .unwrap_or_default();
    if !whole.starts_with(BLOB) {
        let found = format!("{:02x?}", whole.get(..4).unwrap_or_default());
        return Err(bad("its first bytes", "BlbS".into(), found));
    }
    if word(whole, 4) != slot.number {
        return Err(bad(
            "its number",
            slot.number.to_string(),
            word(whole, 4).to_string(),
        ));
    }
    let length = word(whole, 12) as usize;
    let needed = (BLOB_HEAD + BLOB_TAIL)
        .checked_add(length)
        .map(|size| size.div_ceil(BLOCK));
    if needed != Some(slot.blocks) {
        let expected = format!("what makes {} blocks", slot.blocks);
        return Err(bad("its length", expected, format!("{length} bytes")));
    }
    let (covered, tail) = whole.split_at(whole.len() - BLOB_TAIL);
    if tail.get(8..) != Some(BLOB_END) {
        let found = format!("{:02x?}", tail.get(8..).unwrap_or_default());
        return Err(bad("its last bytes", "BlbE".into(), found));
    }
    if word(tail, 4) as usize != length {
        return Err(bad(
            "the length at its end",
            length.to_string(),
            word(tail, 4).to_string(),
        ));
    }
    let (sum, found) = (word(tail, 0), adler32(covered));
    if sum != found {
        return Err(bad("its checksum", format!("{sum:08x}"), format!("{found:08x}")));
    }
    Ok(covered.get(BLOB_HEAD..BLOB_HEAD + length).unwrap_or_default())
}
