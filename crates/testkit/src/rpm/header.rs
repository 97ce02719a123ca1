//! Headers as rpm writes them (rpm's manual, "RPM v4 file format").

use std::collections::BTreeMap;

/// What stands before a header in a package file.
const MAGIC: [u8; 8] = [0x8e, 0xad, 0xe8, 0x01, 0, 0, 0, 0];

/// The region of the header of digests and signatures.
pub const SIGNATURES: u32 = 62;

/// The region of the header.
pub const IMMUTABLE: u32 = 63;

/// The value of a tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Numbers of 16 bits.
    Int16(Vec<u16>),
    /// Numbers of 32 bits.
    Int32(Vec<u32>),
    /// Numbers of 64 bits.
    Int64(Vec<u64>),
    /// One text.
    Text(Vec<u8>),
    /// Bytes.
    Bytes(Vec<u8>),
    /// Several texts.
    Texts(Vec<Vec<u8>>),
    /// A text in one language.
    Translated(Vec<u8>),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::Text(text.into())
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Value::Int32(vec![number])
    }
}

impl From<Vec<u32>> for Value {
    fn from(numbers: Vec<u32>) -> Self {
        Value::Int32(numbers)
    }
}

impl<T: AsRef<[u8]>> FromIterator<T> for Value {
    fn from_iter<I: IntoIterator<Item = T>>(texts: I) -> Self {
        Value::Texts(texts.into_iter().map(|text| text.as_ref().to_vec()).collect())
    }
}

/// The tags of a header with their values.
pub type Entries = BTreeMap<u32, Value>;

impl Value {
    /// Type, alignment, number of elements and bytes.
    fn encode(&self) -> (u32, usize, usize, Vec<u8>) {
        let ended = |text: &[u8]| [text, b"\0"].concat();
        match self {
            Value::Int16(all) => (
                3,
                2,
                all.len(),
                all.iter().flat_map(|n| n.to_be_bytes()).collect(),
            ),
            Value::Int32(all) => (
                4,
                4,
                all.len(),
                all.iter().flat_map(|n| n.to_be_bytes()).collect(),
            ),
            Value::Int64(all) => (
                5,
                8,
                all.len(),
                all.iter().flat_map(|n| n.to_be_bytes()).collect(),
            ),
            Value::Text(text) => (6, 1, 1, ended(text)),
            Value::Bytes(bytes) => (7, 1, bytes.len(), bytes.clone()),
            Value::Texts(all) => (8, 1, all.len(), all.iter().flat_map(|text| ended(text)).collect()),
            Value::Translated(text) => (9, 1, 1, ended(text)),
        }
    }
}

/// A header with its magic, all entries in the region.
pub fn header(region: u32, entries: &Entries) -> Vec<u8> {
    let mut index = Vec::new();
    let mut data = Vec::new();
    for (tag, value) in entries {
        let (kind, alignment, count, bytes) = value.encode();
        data.resize(data.len().next_multiple_of(alignment), 0);
        for word in [*tag, kind, data.len() as u32, count as u32] {
            index.extend(word.to_be_bytes());
        }
        data.extend(bytes);
    }
    let count = entries.len() as u32 + 1;
    let entry = |offset: u32| [region, 7, offset, 16].map(u32::to_be_bytes).concat();
    let first = entry(data.len() as u32);
    // The trailer says how many bytes of index are before it, as a negative number.
    data.extend(entry((count * 16).wrapping_neg()));
    let lengths = [count, data.len() as u32].map(u32::to_be_bytes).concat();
    [MAGIC.to_vec(), lengths, first, index, data].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn laid_out_as_the_manual_says() {
        let entries = Entries::from([(1000, "a".into()), (1009, 7.into())]);
        let bytes = header(IMMUTABLE, &entries);
        // Magic, lengths, three entries, `a`, padding, 7, trailer.
        assert_eq!(bytes.len(), 16 + 3 * 16 + 2 + 2 + 4 + 16);
        assert_eq!(&bytes[8..16], [0, 0, 0, 3, 0, 0, 0, 24]);
        assert_eq!(&bytes[16..32], [0, 0, 0, 63, 0, 0, 0, 7, 0, 0, 0, 8, 0, 0, 0, 16]);
        assert_eq!(&bytes[64..72], *b"a\0\0\0\0\0\0\x07");
        assert_eq!(
            &bytes[72..],
            [0, 0, 0, 63, 0, 0, 0, 7, 0xff, 0xff, 0xff, 0xd0, 0, 0, 0, 16]
        );
    }
}
