//! `Packages`, read bucket by bucket.

use super::{
    ByteOrder, CHECK, HASH, HASH_UNSORTED, INLINE, META, OFF_PAGE, OVERFLOW, PAGE_HEADER, UNUSED, hash,
};
use crate::contents::{Contents, Record};
use crate::{Backend, Blob, Error};

/// Versions of the format: 8 is EL5's, 9 EL6's to EL8's, 10 that of Berkeley DB 6.
const VERSIONS: std::ops::RangeInclusive<u32> = 8..=10;

/// What the first page says.
struct Meta {
    max_bucket: u32,
    high_mask: u32,
    low_mask: u32,
    spares: [u32; 32],
}

struct File<'a> {
    name: &'a str,
    bytes: &'a [u8],
    order: ByteOrder,
    page_size: usize,
    /// Pages that belong to something already: whatever is linked twice is damage, and would be read without end.
    seen: Vec<bool>,
}

/// Everything in the file, in the order in which Berkeley DB's cursors have it.
pub fn read<'a>(name: &'a str, bytes: &'a [u8]) -> Result<Contents<'a>, Error> {
    let (mut file, meta) = open(name, bytes)?;
    let mut stored = Vec::new();
    for bucket in 0..=meta.max_bucket {
        // The number of doublings after which the bucket came about.
        let doubling = (u32::BITS - bucket.leading_zeros()) as usize;
        let spare = meta.spares.get(doubling).copied().unwrap_or_default();
        let first = bucket.saturating_add(spare);
        file.bucket(bucket, first, &meta, &mut stored)?;
    }
    let highest = highest(&file, &stored)?;
    let mut numbers: Vec<u32> = stored.iter().map(|record| record.number).collect();
    numbers.sort_unstable();
    if let Some(pair) = numbers.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(file.bad("the keys".into(), "each once", format!("{} twice", pair[0])));
    }
    Ok(Contents {
        backend: Backend::Bdb,
        order: file.order,
        page_size: u32::try_from(file.page_size).unwrap_or(u32::MAX),
        highest,
        stored,
    })
}

/// Record 0, which says which number comes next.
fn highest(file: &File<'_>, stored: &[Record<'_>]) -> Result<u32, Error> {
    let last = stored
        .iter()
        .map(|record| record.number)
        .max()
        .unwrap_or_default();
    let Some(record) = stored.iter().find(|record| record.number == 0) else {
        return Ok(last);
    };
    match (*record.blob.bytes()).try_into() {
        Ok(word) => Ok(file.order.word(word).max(last)),
        Err(_) => {
            let found = format!("{} bytes", record.blob.len());
            Err(file.bad("record 0".into(), "a number of 4 bytes", found))
        }
    }
}

fn open<'a>(name: &'a str, bytes: &'a [u8]) -> Result<(File<'a>, Meta), Error> {
    let bad = |what: &str, expected: &str, found: String| {
        Error::malformed(name, format!("page 0: {what}"), expected, found)
    };
    let word = |at: usize| -> Option<[u8; 4]> { bytes.get(at..)?.first_chunk::<4>().copied() };
    let order = word(12).and_then(ByteOrder::of_magic).ok_or_else(|| {
        bad(
            "the magic number at byte 12",
            "0x061561",
            format!("{:02x?}", word(12).unwrap_or_default()),
        )
    })?;
    if bytes.len() < 512 {
        return Err(bad("the page", "at least 512 bytes", bytes.len().to_string()));
    }
    let number = |at: usize| order.word(word(at).unwrap_or_default());
    let byte = |at: usize| bytes.get(at).copied().unwrap_or_default();
    let version = number(16);
    if !VERSIONS.contains(&version) {
        return Err(bad("the version", "8 to 10", version.to_string()));
    }
    let page_size = number(20);
    if !page_size.is_power_of_two() || !(512..=65_536).contains(&page_size) {
        let expected = "a power of two from 512 to 65536";
        return Err(bad("the size of a page", expected, page_size.to_string()));
    }
    if byte(25) != META {
        return Err(bad("the type of page", "8, a hash's", byte(25).to_string()));
    }
    for (what, at) in [("the encryption", 24), ("the flags of the page", 26)] {
        if byte(at) != 0 {
            return Err(bad(what, "none (0), as rpm has it", byte(at).to_string()));
        }
    }
    let page_size = page_size as usize;
    let pages = bytes.len() / page_size;
    let last = number(32);
    if last as usize >= pages {
        let expected = format!("below {pages}, the pages of the file");
        return Err(bad("the number of the last page", &expected, last.to_string()));
    }
    let meta = Meta {
        max_bucket: number(72),
        high_mask: number(76),
        low_mask: number(80),
        spares: std::array::from_fn(|place| number(96 + 4 * place)),
    };
    if meta.max_bucket as usize >= pages {
        let expected = format!("below {pages}, the pages of the file");
        return Err(bad(
            "the number of the last bucket",
            &expected,
            meta.max_bucket.to_string(),
        ));
    }
    if number(92) != hash(CHECK) {
        let expected = format!("{:#x}, that of the usual hash function", hash(CHECK));
        return Err(bad(
            "the check of the hash function",
            &expected,
            format!("{:#x}", number(92)),
        ));
    }
    let mut seen = vec![false; last as usize + 1];
    if let Some(first) = seen.first_mut() {
        *first = true;
    }
    let file = File {
        name,
        bytes,
        order,
        page_size,
        seen,
    };
    Ok((file, meta))
}

impl<'a> File<'a> {
    fn bad(&self, place: String, expected: impl ToString, found: impl ToString) -> Error {
        Error::malformed(self.name, place, expected, found)
    }

    /// A page, which may belong to nothing else.
    fn page(&mut self, number: u32, whose: &str) -> Result<Page<'a>, Error> {
        let last = self.seen.len().saturating_sub(1);
        let Some(seen) = self.seen.get_mut(number as usize) else {
            return Err(self.bad(
                whose.into(),
                format!("a page up to {last}"),
                format!("page {number}"),
            ));
        };
        if std::mem::replace(seen, true) {
            return Err(self.bad(
                whose.into(),
                "a page of its own",
                format!("page {number}, which something else has"),
            ));
        }
        let start = number as usize * self.page_size;
        let bytes = self.bytes.get(start..start + self.page_size).unwrap_or_default();
        let page = Page {
            number,
            bytes,
            order: self.order,
        };
        // A page of a bucket that was never written is all zeros.
        if page.kind() != UNUSED && page.word(8) != number {
            let found = format!("{}", page.word(8));
            return Err(self.bad(format!("page {number}: its own number"), number, found));
        }
        Ok(page)
    }

    fn bucket(
        &mut self,
        bucket: u32,
        first: u32,
        meta: &Meta,
        stored: &mut Vec<Record<'a>>,
    ) -> Result<(), Error> {
        let (mut next, mut before) = (first, 0);
        loop {
            let page = self.page(next, &format!("bucket {bucket}"))?;
            match page.kind() {
                UNUSED if before == 0 => return Ok(()),
                HASH | HASH_UNSORTED => {}
                other => {
                    let place = format!("page {next}: its type");
                    return Err(self.bad(place, "13 or 2, a hash's", other));
                }
            }
            if page.word(12) != before {
                let place = format!("page {next}: the page before it");
                return Err(self.bad(place, before, page.word(12)));
            }
            self.items(&page, bucket, meta, stored)?;
            before = next;
            next = page.word(16);
            if next == 0 {
                return Ok(());
            }
        }
    }

    /// The pairs of a page.
    fn items(
        &mut self,
        page: &Page<'a>,
        bucket: u32,
        meta: &Meta,
        stored: &mut Vec<Record<'a>>,
    ) -> Result<(), Error> {
        let entries = usize::from(page.short(20));
        let place = |entry: usize| format!("page {}: entry {entry}", page.number);
        let index = PAGE_HEADER + 2 * entries;
        if !entries.is_multiple_of(2) || index > self.page_size {
            let place = format!("page {}: its number of entries", page.number);
            return Err(self.bad(place, "an even number that fits the page", entries));
        }
        let mut end = self.page_size;
        let mut items = Vec::with_capacity(entries);
        for entry in 0..entries {
            let start = usize::from(page.short(PAGE_HEADER + 2 * entry));
            match page.bytes.get(start..end) {
                // Items fill the page from its end.
                Some(item) if start >= index && !item.is_empty() => items.push(item),
                _ => {
                    return Err(self.bad(
                        place(entry),
                        format!("an offset from {index} to {}", end.saturating_sub(1)),
                        start,
                    ));
                }
            }
            end = start;
        }
        for (pair, items) in items.chunks_exact(2).enumerate() {
            let (key, data) = (2 * pair, 2 * pair + 1);
            let number: Option<[u8; 4]> = match items[0] {
                [INLINE, number @ ..] => number.try_into().ok(),
                _ => None,
            };
            let Some(word) = number else {
                let found = format!("{:02x?}", items[0].get(..8).unwrap_or(items[0]));
                return Err(self.bad(place(key), "a key that is a number of 4 bytes", found));
            };
            let home = match hash(&word) & meta.high_mask {
                home if home > meta.max_bucket => home & meta.low_mask,
                home => home,
            };
            let number = self.order.word(word);
            if home != bucket {
                let expected = format!("a key of bucket {bucket}");
                return Err(self.bad(
                    place(key),
                    expected,
                    format!("{number}, which belongs to bucket {home}"),
                ));
            }
            let blob = match items[1] {
                [INLINE, data @ ..] => data.into(),
                [OFF_PAGE, _, _, _, rest @ ..] if rest.len() >= 8 => {
                    let word = |at: usize| self.order.word(std::array::from_fn(|byte| rest[at + byte]));
                    self.chain(word(0), word(4), number)?
                }
                [kind, ..] => {
                    return Err(self.bad(place(data), "data of type 1 or 3", format!("type {kind}")));
                }
                [] => return Err(self.bad(place(data), "data", "nothing")),
            };
            stored.push(Record { number, blob });
        }
        Ok(())
    }

    /// Data on pages of their own.
    fn chain(&mut self, first: u32, length: u32, number: u32) -> Result<Blob<'a>, Error> {
        let (mut pieces, mut next, mut before) = (Vec::new(), first, 0);
        let mut found = 0;
        while next != 0 {
            let page = self.page(next, &format!("the data of record {number}"))?;
            let at = |what: &str| format!("page {next} of record {number}: {what}");
            if page.kind() != OVERFLOW {
                return Err(self.bad(at("its type"), "7, data of one item", page.kind()));
            }
            if page.word(12) != before {
                return Err(self.bad(at("the page before it"), before, page.word(12)));
            }
            let used = usize::from(page.short(22));
            let Some(data) = page.bytes.get(PAGE_HEADER..PAGE_HEADER + used) else {
                let most = self.page_size - PAGE_HEADER;
                return Err(self.bad(at("the bytes in use"), format!("at most {most}"), used));
            };
            // Each page is read once: this cannot outgrow the file.
            pieces.push(data);
            found += data.len();
            before = next;
            next = page.word(16);
        }
        if found != length as usize {
            let place = format!("the data of record {number}, from page {first} on");
            return Err(self.bad(place, format!("{length} bytes"), found));
        }
        Ok(Blob::of(&[], pieces))
    }
}

struct Page<'a> {
    number: u32,
    bytes: &'a [u8],
    order: ByteOrder,
}

impl Page<'_> {
    fn kind(&self) -> u8 {
        self.bytes.get(25).copied().unwrap_or_default()
    }

    fn word(&self, at: usize) -> u32 {
        let word = self.bytes.get(at..).and_then(|rest| rest.first_chunk::<4>());
        self.order.word(word.copied().unwrap_or_default())
    }

    fn short(&self, at: usize) -> u16 {
        let short = self.bytes.get(at..).and_then(|rest| rest.first_chunk::<2>());
        self.order.short(short.copied().unwrap_or_default())
    }
}
