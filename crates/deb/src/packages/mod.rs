//! Package indexes: the `Packages` files of a repository, kept small.
//!
//! An [`Index`] holds what choosing and fetching packages needs and nothing else: names, versions, relations, sizes
//! and digests. Descriptions, tags and the like, more than two thirds of a `Packages` file, are dropped while it is
//! read. The text of all stanzas stands in one string; a table of fixed records says where in it each field is, so
//! that an index can go to a cache and come back ([`Index::to_bytes`], [`Index::from_bytes`]) without being parsed
//! again.
//!
//! Relations are kept as written and parsed where somebody asks ([`crate::relation`]).
//!
//! ```
//! use bareroot_deb::packages::{Index, IndexInfo, Limits};
//!
//! let text = "Package: hello\nVersion: 2.10-5\nArchitecture: amd64\nDepends: libc6 (>= 2.38)\n";
//! let index = Index::read(text.as_bytes(), IndexInfo::new(0, "an example"), Limits::default())?;
//! let hello = index.by_name("hello").next().ok_or("no hello")?;
//! assert_eq!(hello.depends(), "libc6 (>= 2.38)");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod ahead;
mod build;
mod cache;
mod mention;
mod read;
mod record;
mod stanza;
mod words;

use crate::relation::{self, Relation};

pub use mention::Mention;
pub use stanza::Stanza;
pub use words::{MultiArch, Priority};

use record::{RECORD, Record, pairs_of};

/// Which index this is, for messages and for what chooses between sources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexInfo {
    /// The source it belongs to: an index into the plan's sources.
    pub source: u32,
    /// Where it is from, for messages: its URL without credentials.
    pub label: String,
}

impl IndexInfo {
    /// An index of the given source, named `label` in messages.
    pub fn new(source: u32, label: impl Into<String>) -> Self {
        IndexInfo {
            source,
            label: label.into(),
        }
    }
}

/// How large an index may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one stanza. The largest of trixie has 76 thousand.
    pub stanza: usize,
    /// Bytes of the kept text of all stanzas. trixie's main has 15 million. At most `u32::MAX` counts.
    pub text: usize,
    /// Stanzas. trixie's main has 69 thousand. At most `u32::MAX` counts.
    pub stanzas: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            stanza: 16 << 20,
            text: 1 << 30,
            stanzas: 4 << 20,
        }
    }
}

/// The stanzas of one `Packages` file.
///
/// Stanzas have numbers, from 0 to [`len`](Index::len), in the file's order.
#[derive(Clone, PartialEq, Eq)]
pub struct Index {
    info: IndexInfo,
    /// The kept fields of all stanzas, one after the other in [`record::Field`]'s order.
    text: String,
    /// [`RECORD`] bytes for each stanza, then `names`, then `provided`: both pairs of a name's hash and a stanza's
    /// number, sorted, as little-endian `u64` each.
    tables: Vec<u8>,
    /// Texts that many stanzas share: architectures, sections, pool directories.
    words: Vec<Box<str>>,
    stanzas: u32,
}

impl Index {
    /// Which index this is.
    pub fn info(&self) -> &IndexInfo {
        &self.info
    }

    /// The number of stanzas.
    pub fn len(&self) -> usize {
        self.stanzas as usize
    }

    /// Whether there is no stanza.
    pub fn is_empty(&self) -> bool {
        self.stanzas == 0
    }

    /// The stanza with this number.
    ///
    /// # Panics
    ///
    /// When there is none, as a slice does.
    pub fn get(&self, id: u32) -> Stanza<'_> {
        let at = id as usize * RECORD;
        let record = self
            .tables
            .get(at..at + RECORD)
            .and_then(|bytes| bytes.try_into().ok());
        match record {
            Some(bytes) if id < self.stanzas => Stanza::new(self, id, Record(bytes)),
            _ => panic!("stanza {id} of an index of {}", self.stanzas),
        }
    }

    /// All stanzas in the file's order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Stanza<'_>> {
        (0..self.stanzas).map(|id| self.get(id))
    }

    /// The stanzas of the packages with this name, in the file's order: several versions, several architectures.
    pub fn by_name<'a>(&'a self, name: &'a str) -> impl Iterator<Item = Stanza<'a>> {
        pairs_of(self.names(), name)
            .map(|id| self.get(id))
            .filter(move |stanza| stanza.name() == name)
    }

    /// The stanzas whose `Provides` has this name, in the file's order, each with what it says there.
    ///
    /// A package that provides the name in several versions comes once for each.
    pub fn providers<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (Stanza<'a>, Relation<'a>)> {
        pairs_of(self.provided(), name)
            .map(|id| self.get(id))
            .flat_map(move |stanza| {
                relation::groups(stanza.provides())
                    .filter_map(|group| relation::parse(group.text()).ok())
                    .filter(move |relation| relation.name == name)
                    .map(move |relation| (stanza, relation))
            })
    }

    fn names(&self) -> &[u8] {
        let records = self.len() * RECORD;
        self.tables
            .get(records..records + self.len() * 8)
            .unwrap_or_default()
    }

    fn provided(&self) -> &[u8] {
        self.tables.get(self.len() * (RECORD + 8)..).unwrap_or_default()
    }
}

impl std::fmt::Debug for Index {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Index({}, {} stanzas)", self.info.label, self.stanzas)
    }
}

#[cfg(test)]
mod tests;
