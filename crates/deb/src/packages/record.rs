//! The fixed record of a stanza, and the sorted tables of names.
//!
//! Numbers are little-endian. A record is:
//!
//! | bytes | what |
//! |---|---|
//! | 0..4 | where the stanza's text starts |
//! | 4..46 | the lengths of the fourteen [`Field`]s, three bytes each |
//! | 46..52 | three words: architecture, section, pool ([`NO_WORD`] for none) |
//! | 52 | flags |
//! | 53 | priority |
//! | 54 | Multi-Arch |
//! | 55 | phased percentage, 255 for none |
//! | 56..60 | installed size in KiB, all ones for none |
//! | 60..68 | size in bytes, all ones for none or nonsense |
//! | 68..100 | SHA-256 |

/// Bytes of a record.
pub(super) const RECORD: usize = 100;
/// What a field may have at most, because its length has three bytes.
pub(super) const FIELD_LIMIT: usize = (1 << 24) - 1;
/// No such word.
pub(super) const NO_WORD: u16 = u16::MAX;
/// No such phase.
pub(super) const NO_PHASE: u8 = u8::MAX;

pub(super) const ESSENTIAL: u8 = 1;
pub(super) const IMPORTANT: u8 = 2;
pub(super) const PROTECTED: u8 = 4;
/// The record's SHA-256 is one; otherwise [`Field::Digest`] may say more.
pub(super) const SHA256: u8 = 8;
/// [`Field::Digest`] holds an `SHA512` field, not a malformed `SHA256`.
pub(super) const SHA512: u8 = 16;
/// [`Field::Filename`] is empty because pool, source, name, version and architecture spell it.
pub(super) const POOLED: u8 = 32;
pub(super) const ALL_FLAGS: u8 = 63;

/// The fields that are kept as text, in the order in which they stand there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Name,
    Version,
    Source,
    Depends,
    PreDepends,
    Recommends,
    Provides,
    Conflicts,
    Breaks,
    Replaces,
    Suggests,
    Enhances,
    Filename,
    Digest,
}

/// How many [`Field`]s there are.
pub(super) const FIELDS: usize = 14;

/// The words of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    Architecture,
    Section,
    Pool,
}

/// A record as it is read.
#[derive(Clone, Copy)]
pub(super) struct Record<'a>(pub(super) &'a [u8; RECORD]);

impl Record<'_> {
    fn take<const N: usize>(&self, at: usize) -> [u8; N] {
        let mut bytes = [0; N];
        for (byte, &from) in bytes.iter_mut().zip(self.0.iter().skip(at)) {
            *byte = from;
        }
        bytes
    }

    pub(super) fn start(&self) -> usize {
        u32::from_le_bytes(self.take(0)) as usize
    }

    fn length(&self, field: usize) -> usize {
        let [a, b, c] = self.take(4 + field * 3);
        u32::from_le_bytes([a, b, c, 0]) as usize
    }

    /// Where the field's text is.
    pub(super) fn range(&self, field: Field) -> std::ops::Range<usize> {
        let start = (0..field as usize).fold(self.start(), |sum, before| sum + self.length(before));
        start..start + self.length(field as usize)
    }

    /// Where each field ends.
    pub(super) fn ends(&self) -> impl Iterator<Item = usize> {
        (0..FIELDS).scan(self.start(), |end, field| {
            *end = end.saturating_add(self.length(field));
            Some(*end)
        })
    }

    pub(super) fn word(&self, word: Word) -> u16 {
        u16::from_le_bytes(self.take(46 + 2 * word as usize))
    }

    pub(super) fn flags(&self) -> u8 {
        u8::from_le_bytes(self.take(52))
    }

    pub(super) fn priority(&self) -> u8 {
        u8::from_le_bytes(self.take(53))
    }

    pub(super) fn multi_arch(&self) -> u8 {
        u8::from_le_bytes(self.take(54))
    }

    pub(super) fn phased(&self) -> Option<u8> {
        Some(u8::from_le_bytes(self.take(55))).filter(|&percent| percent != NO_PHASE)
    }

    pub(super) fn installed_size(&self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take(56))).filter(|&size| size != u32::MAX)
    }

    pub(super) fn size(&self) -> Option<u64> {
        Some(u64::from_le_bytes(self.take(60))).filter(|&size| size != u64::MAX)
    }

    pub(super) fn sha256(&self) -> [u8; 32] {
        self.take(68)
    }
}

/// A record as it is written.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) start: u32,
    /// Each at most [`FIELD_LIMIT`].
    pub(super) lengths: [u32; FIELDS],
    pub(super) words: [u16; 3],
    pub(super) flags: u8,
    pub(super) priority: u8,
    pub(super) multi_arch: u8,
    pub(super) phased: u8,
    pub(super) installed_size: u32,
    pub(super) size: u64,
    pub(super) sha256: [u8; 32],
}

impl Draft {
    pub(super) fn push_to(&self, table: &mut Vec<u8>) {
        table.extend_from_slice(&self.start.to_le_bytes());
        for length in self.lengths {
            let [a, b, c, _] = length.to_le_bytes();
            table.extend_from_slice(&[a, b, c]);
        }
        for word in self.words {
            table.extend_from_slice(&word.to_le_bytes());
        }
        table.extend_from_slice(&[self.flags, self.priority, self.multi_arch, self.phased]);
        table.extend_from_slice(&self.installed_size.to_le_bytes());
        table.extend_from_slice(&self.size.to_le_bytes());
        table.extend_from_slice(&self.sha256);
    }
}

/// FNV-1a, 32 bits: short, the same everywhere, and only ever a first guess that the name itself confirms.
pub(super) fn hash(name: &[u8]) -> u32 {
    name.iter().fold(0x811c_9dc5, |hash, &byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}

/// A pair for the tables of names: sorts by hash, then by stanza.
pub(super) fn pair(name: &[u8], stanza: u32) -> u64 {
    u64::from(hash(name)) << 32 | u64::from(stanza)
}

/// The pairs of a table.
pub(super) fn pairs(table: &[u8]) -> impl Iterator<Item = u64> {
    table.as_chunks().0.iter().map(|bytes| u64::from_le_bytes(*bytes))
}

/// The stanzas that a sorted table has under the hash of this name.
pub(super) fn pairs_of(table: &[u8], name: &str) -> impl Iterator<Item = u32> {
    let (chunks, _) = table.as_chunks();
    let wanted = hash(name.as_bytes());
    let key = |bytes: &[u8; 8]| (u64::from_le_bytes(*bytes) >> 32) as u32;
    let first = chunks.partition_point(|bytes| key(bytes) < wanted);
    let found = chunks.get(first..).unwrap_or_default().iter();
    found
        .take_while(move |bytes| key(bytes) == wanted)
        .map(|bytes| u64::from_le_bytes(*bytes) as u32)
}
