//! A header as rpm stores it in its database (rpm's lib/package.c: headerMergeLegacySigs, and what rpmteAddToTE adds).

use crate::error::Error;
use crate::header::{Header, Limits};
use crate::package::PackageFile;
use crate::tag::Tag;

/// What an installation adds to a header.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Install {
    /// When the package was installed, in seconds since 1970.
    pub time: u32,
    /// The transaction's number: the same for all its packages.
    pub transaction: u32,
    /// The transaction's colour.
    pub color: u32,
    /// The state of each file: 0 normal, 1 replaced, 2 not installed, 3 net shared, 4 wrong colour.
    pub states: Vec<u8>,
}

/// An entry that is added to a header.
pub(crate) struct Added {
    tag: u32,
    kind: u32,
    count: u32,
    data: Vec<u8>,
}

impl Added {
    pub(crate) fn number(tag: Tag, number: u32) -> Added {
        Added::numbers(tag, &[number])
    }

    pub(crate) fn numbers(tag: Tag, numbers: &[u32]) -> Added {
        Added {
            tag: tag.0,
            kind: 4,
            count: u32::try_from(numbers.len()).unwrap_or(u32::MAX),
            data: numbers.iter().flat_map(|number| number.to_be_bytes()).collect(),
        }
    }

    pub(crate) fn string(tag: Tag, text: &[u8]) -> Added {
        Added {
            kind: 6,
            ..Added::strings(tag, &[text.to_vec()])
        }
    }

    /// A text that may have translations, in one language.
    pub(crate) fn text(tag: Tag, text: &[u8]) -> Added {
        Added {
            kind: 9,
            ..Added::strings(tag, &[text.to_vec()])
        }
    }

    pub(crate) fn strings(tag: Tag, strings: &[Vec<u8>]) -> Added {
        Added {
            tag: tag.0,
            kind: 8,
            count: u32::try_from(strings.len()).unwrap_or(u32::MAX),
            data: strings
                .iter()
                .flat_map(|text| [text.as_slice(), b"\0"].concat())
                .collect(),
        }
    }

    fn alignment(&self) -> usize {
        match self.kind {
            3 => 2,
            4 => 4,
            5 => 8,
            _ => 1,
        }
    }
}

/// Signature tags that are copied, and the tags that they become: rpm's own table.
const COPIED: &[(u32, Tag)] = &[
    (1000, Tag::SIGSIZE),
    (1002, Tag::SIGPGP),
    (1004, Tag::SIGMD5),
    (1005, Tag::SIGGPG),
    (1007, Tag::ARCHIVESIZE),
    (267, Tag::DSAHEADER),
    (268, Tag::RSAHEADER),
    (269, Tag::SHA1HEADER),
    (270, Tag::LONGSIGSIZE),
    (271, Tag::LONGARCHIVESIZE),
    (273, Tag::SHA256HEADER),
    (274, Tag::PACKAGEFILESIGNATURES),
    (275, Tag::PACKAGEFILESIGNATURELENGTH),
    (276, Tag::VERITYSIGNATURES),
    (277, Tag::VERITYSIGNATUREALGO),
    (278, Tag::OPENPGP),
];

/// The stored form of a package's header.
pub fn stored(package: &PackageFile, install: &Install) -> Vec<u8> {
    let signature = package.signature();
    let header = package.header();
    let mut added: Vec<Added> = COPIED
        .iter()
        // The old numbers mean something else in packages of version 6.
        .filter(|(from, _)| !(package.is_v6() && *from >= 1000))
        .filter_map(|(from, to)| {
            let (kind, count, data) = signature.raw(Tag(*from))?;
            (!header.has(*to)).then(|| Added {
                tag: to.0,
                kind,
                count,
                data: data.to_vec(),
            })
        })
        .collect();
    if !header.has(Tag::SOURCERPM) && !header.has(Tag::SOURCEPACKAGE) {
        added.push(Added::string(Tag::SOURCERPM, b"(none)"));
    }
    added.push(Added::number(Tag::INSTALLTIME, install.time));
    if !install.states.is_empty() {
        added.push(Added {
            tag: Tag::FILESTATES.0,
            kind: 1,
            count: u32::try_from(install.states.len()).unwrap_or(u32::MAX),
            data: install.states.clone(),
        });
    }
    // A package that can be moved says where it was put, even when it was not moved.
    if let (Some((kind, count, data)), false) = (header.raw(Tag::PREFIXES), header.has(Tag::INSTPREFIXES)) {
        added.push(Added {
            tag: Tag::INSTPREFIXES.0,
            kind,
            count,
            data: data.to_vec(),
        });
    }
    added.push(Added::number(Tag::INSTALLCOLOR, install.color));
    added.push(Added::number(Tag::INSTALLTID, install.transaction));
    extended(header.index().to_vec(), header.store().to_vec(), added)
}

/// A header with entries behind its region, without the magic.
pub(crate) fn extended(mut index: Vec<u8>, mut store: Vec<u8>, added: Vec<Added>) -> Vec<u8> {
    append(&mut index, &mut store, added);
    let mut blob = Vec::with_capacity(8 + index.len() + store.len());
    blob.extend_from_slice(&u32::try_from(index.len() / 16).unwrap_or(u32::MAX).to_be_bytes());
    blob.extend_from_slice(&u32::try_from(store.len()).unwrap_or(u32::MAX).to_be_bytes());
    blob.append(&mut index);
    blob.append(&mut store);
    blob
}

/// Adds entries to an index, by tag, and their data to its store.
fn append(index: &mut Vec<u8>, store: &mut Vec<u8>, mut added: Vec<Added>) {
    added.sort_by_key(|entry| entry.tag);
    for entry in &added {
        store.resize(store.len().next_multiple_of(entry.alignment()), 0);
        let start = u32::try_from(store.len()).unwrap_or(u32::MAX);
        for word in [entry.tag, entry.kind, start, entry.count] {
            index.extend_from_slice(&word.to_be_bytes());
        }
        store.extend_from_slice(&entry.data);
    }
}

/// Index and data of a header that is all region.
pub(crate) fn region(entries: Vec<Added>) -> (Vec<u8>, Vec<u8>) {
    let (mut rest, mut store) = (Vec::new(), Vec::new());
    append(&mut rest, &mut store, entries);
    let words = |words: [u32; 4]| words.into_iter().flat_map(u32::to_be_bytes);
    let (tag, kind, size) = (Tag::HEADERIMMUTABLE.0, 7, 16);
    let start = u32::try_from(store.len()).unwrap_or(u32::MAX);
    let mut index: Vec<u8> = words([tag, kind, start, size]).collect();
    index.append(&mut rest);
    // The trailer says, as an offset backwards, how long the index is.
    let length = u32::try_from(index.len()).unwrap_or(u32::MAX);
    store.extend(words([tag, kind, length.wrapping_neg(), size]));
    (index, store)
}

/// The header of a stored form.
///
/// # Errors
/// [`Error::Header`] for what is none.
pub fn parse(name: &str, blob: &[u8]) -> Result<Header, Error> {
    Header::from_blob(name, blob, &Limits::default())
}
