//! Headers: what a package says of itself (rpm's manual, "RPM v4 file format").

mod deps;
mod files;
mod parse;
mod scripts;

use std::sync::Arc;

use crate::tag::Tag;

pub use deps::DependencyKind;
pub use files::{File, FileFlags, Files};
pub use parse::Limits;
pub(crate) use parse::whole_size;
pub use scripts::{FileTrigger, Scriptlet, ScriptletKind, Trigger, TriggerCondition};

/// What stands before a header in a package file.
pub const MAGIC: [u8; 8] = [0x8e, 0xad, 0xe8, 0x01, 0, 0, 0, 0];

/// How an entry's data are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    Char,
    Int8,
    Int16,
    Int32,
    Int64,
    String,
    Bin,
    StringArray,
    I18nString,
}

/// One entry of the index, its data's place checked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) tag: u32,
    pub(crate) kind: Type,
    /// Where the data begin and end, within the header's data.
    pub(crate) start: u32,
    pub(crate) end: u32,
    pub(crate) count: u32,
}

/// A header whose every entry is known to lie inside its data. A clone shares the bytes.
#[derive(Clone)]
pub struct Header {
    bytes: Arc<[u8]>,
    /// Where the data begin within the bytes: after the magic, the two lengths and the index.
    data: usize,
    /// Sorted by tag.
    entries: Arc<[Entry]>,
    /// How many entries and bytes of data the region has.
    region: Region,
}

/// The part of a header that its builder made, and that digests and signatures cover.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Region {
    /// Entries of the index, the region's own included.
    pub entries: u32,
    /// Bytes of data, the trailer included.
    pub length: u32,
}

impl std::fmt::Debug for Header {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Header")
            .field("entries", &self.entries.len())
            .field("bytes", &self.bytes.len())
            .finish()
    }
}

/// Name, epoch, version, release and architecture.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Nevra {
    /// The name.
    pub name: String,
    /// The epoch, where there is one.
    pub epoch: Option<u32>,
    /// The version.
    pub version: String,
    /// The release.
    pub release: String,
    /// The architecture.
    pub arch: String,
}

impl Nevra {
    /// `[epoch:]version-release`; an epoch of 0 is not written.
    pub fn evr(&self) -> String {
        match self.epoch {
            None | Some(0) => format!("{}-{}", self.version, self.release),
            Some(epoch) => format!("{epoch}:{}-{}", self.version, self.release),
        }
    }
}

impl std::fmt::Display for Nevra {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}.{}", self.name, self.evr(), self.arch)
    }
}

impl Header {
    /// The whole header, magic included: what header digests and header signatures cover.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The index entries as they are stored.
    pub(crate) fn index(&self) -> &[u8] {
        self.bytes.get(16..self.data).unwrap_or_default()
    }

    /// The data that the entries point into.
    pub(crate) fn store(&self) -> &[u8] {
        self.bytes.get(self.data..).unwrap_or_default()
    }

    /// The region.
    pub fn region(&self) -> Region {
        self.region
    }

    fn entry(&self, tag: Tag) -> Option<Entry> {
        let place = self
            .entries
            .binary_search_by_key(&tag.0, |entry| entry.tag)
            .ok()?;
        self.entries.get(place).copied()
    }

    fn data_of(&self, entry: Entry) -> &[u8] {
        self.store()
            .get(entry.start as usize..entry.end as usize)
            .unwrap_or_default()
    }

    /// Type number, count and data of an entry, as they are stored.
    pub(crate) fn raw(&self, tag: Tag) -> Option<(u32, u32, &[u8])> {
        let entry = self.entry(tag)?;
        Some((entry.kind as u32 + 1, entry.count, self.data_of(entry)))
    }

    /// Whether there is such an entry.
    pub fn has(&self, tag: Tag) -> bool {
        self.entry(tag).is_some()
    }

    /// The tags, in ascending order.
    pub fn tags(&self) -> impl Iterator<Item = Tag> + '_ {
        self.entries.iter().map(|entry| Tag(entry.tag))
    }

    /// The number of elements of an entry, 0 where there is none.
    pub fn count(&self, tag: Tag) -> usize {
        self.entry(tag).map_or(0, |entry| entry.count as usize)
    }

    /// The elements of an entry of strings; none where it is missing or of another type. Of a text in several languages,
    /// the first.
    pub fn strings(&self, tag: Tag) -> Vec<&[u8]> {
        let Some(entry) = self.entry(tag) else {
            return Vec::new();
        };
        let strings = |count: u32| {
            self.data_of(entry)
                .split(|byte| *byte == 0)
                .take(count as usize)
                .collect()
        };
        match entry.kind {
            Type::StringArray => strings(entry.count),
            Type::String | Type::I18nString => strings(1),
            _ => Vec::new(),
        }
    }

    /// The first string.
    pub fn string(&self, tag: Tag) -> Option<&[u8]> {
        let entry = self.entry(tag)?;
        match entry.kind {
            Type::String | Type::I18nString | Type::StringArray => {
                self.data_of(entry).split(|byte| *byte == 0).next()
            }
            _ => None,
        }
    }

    /// The first string, where it is UTF-8.
    pub fn text(&self, tag: Tag) -> Option<&str> {
        std::str::from_utf8(self.string(tag)?).ok()
    }

    /// The strings as text; what is no UTF-8 becomes empty, so that places stay.
    pub fn texts(&self, tag: Tag) -> Vec<&str> {
        self.strings(tag)
            .into_iter()
            .map(|bytes| std::str::from_utf8(bytes).unwrap_or_default())
            .collect()
    }

    /// The bytes of a binary entry.
    pub fn binary(&self, tag: Tag) -> Option<&[u8]> {
        let entry = self.entry(tag)?;
        matches!(entry.kind, Type::Bin | Type::Char | Type::Int8).then(|| self.data_of(entry))
    }

    /// The elements of an entry of numbers, of whatever width.
    pub fn numbers(&self, tag: Tag) -> Vec<u64> {
        let Some(entry) = self.entry(tag) else {
            return Vec::new();
        };
        let width = match entry.kind {
            Type::Char | Type::Int8 => 1,
            Type::Int16 => 2,
            Type::Int32 => 4,
            Type::Int64 => 8,
            _ => return Vec::new(),
        };
        self.data_of(entry)
            .chunks_exact(width)
            .map(|bytes| bytes.iter().fold(0u64, |n, byte| n << 8 | u64::from(*byte)))
            .collect()
    }

    /// The elements of an entry of numbers that fit 32 bits; others count as 0.
    pub fn u32s(&self, tag: Tag) -> Vec<u32> {
        self.numbers(tag)
            .into_iter()
            .map(|number| u32::try_from(number).unwrap_or_default())
            .collect()
    }

    /// The first number.
    pub fn number(&self, tag: Tag) -> Option<u64> {
        self.numbers(tag).first().copied()
    }

    /// Name, epoch, version, release and architecture, as far as they are UTF-8.
    pub fn nevra(&self) -> Nevra {
        let text = |tag| self.text(tag).unwrap_or_default().to_owned();
        Nevra {
            name: text(Tag::NAME),
            epoch: self
                .number(Tag::EPOCH)
                .and_then(|epoch| u32::try_from(epoch).ok()),
            version: text(Tag::VERSION),
            release: text(Tag::RELEASE),
            arch: text(Tag::ARCH),
        }
    }

    /// Whether it is the header of a source package.
    pub fn is_source(&self) -> bool {
        self.has(Tag::SOURCEPACKAGE) || !self.has(Tag::SOURCERPM)
    }
}
