//! Bytes to a header, by the limits that rpm has itself (lib/header.c: hdrblobVerifyInfo, hdrblobVerifyRegion).

use std::sync::Arc;

use super::{Entry, Header, MAGIC, Region, Type};
use crate::error::Error;
use crate::tag::Tag;

/// How large a header may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Entries of the index. rpm's own limit is 65,535.
    pub entries: u32,
    /// Bytes of data. rpm's own limit is 256 MiB.
    pub data: u32,
}

impl Default for Limits {
    /// rpm's limit of entries, and 64 MiB of data: the largest header of Fedora has 20.
    fn default() -> Self {
        Limits {
            entries: 0xffff,
            data: 64 << 20,
        }
    }
}

/// The lengths of a header, read from its first sixteen bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Intro {
    pub(crate) entries: u32,
    pub(crate) data: u32,
}

impl Intro {
    /// Reads magic and lengths. `name` is for messages.
    pub(crate) fn read(name: &str, bytes: &[u8; 16], limits: &Limits) -> Result<Intro, Error> {
        if bytes.get(..8) != Some(&MAGIC) {
            return Err(bad(name, "it does not begin with a header's magic".into()));
        }
        Intro::lengths(name, bytes.get(8..).unwrap_or_default(), limits)
    }

    fn lengths(name: &str, bytes: &[u8], limits: &Limits) -> Result<Intro, Error> {
        let (Some(entries), Some(data)) = (be32(bytes, 0), be32(bytes, 4)) else {
            return Err(bad(name, "it is cut off".into()));
        };
        if entries == 0 || entries > limits.entries {
            return Err(bad(
                name,
                format!(
                    "it says to have {entries} entries; expected 1 to {}",
                    limits.entries
                ),
            ));
        }
        if data > limits.data {
            return Err(bad(
                name,
                format!(
                    "it says to have {data} bytes of data; expected at most {}",
                    limits.data
                ),
            ));
        }
        Ok(Intro { entries, data })
    }

    /// Bytes of index and data, without magic and lengths.
    pub(crate) fn size(self) -> usize {
        self.entries as usize * 16 + self.data as usize
    }
}

/// The bytes of a header, magic and lengths included, by its first sixteen.
pub(crate) fn whole_size(name: &str, first: &[u8], limits: &Limits) -> Result<usize, Error> {
    match first.first_chunk::<16>() {
        Some(first) => Ok(16 + Intro::read(name, first, limits)?.size()),
        None => Err(bad(name, "it is cut off".into())),
    }
}

impl Header {
    /// Parses a header with its magic. `name` is for messages; `region` is the region's tag, which is the first of a
    /// package's two headers.
    ///
    /// # Errors
    /// [`Error::Header`] for whatever rpm refuses too.
    pub fn parse(name: &str, bytes: Vec<u8>, region: Tag, limits: &Limits) -> Result<Header, Error> {
        Header::parse_with(name, bytes, Some(region), limits)
    }

    /// Without a region's tag, the region is whichever there is: what a database holds may be as old as rpm 2 and have none.
    fn parse_with(name: &str, bytes: Vec<u8>, wanted: Option<Tag>, limits: &Limits) -> Result<Header, Error> {
        let cut = || bad(name, "it is cut off".into());
        let first = bytes.first_chunk::<16>().ok_or_else(cut)?;
        let intro = Intro::read(name, first, limits)?;
        if bytes.len() != 16 + intro.size() {
            return Err(bad(
                name,
                format!(
                    "its lengths make {} bytes; found {}",
                    16 + intro.size(),
                    bytes.len()
                ),
            ));
        }
        let data = 16 + intro.entries as usize * 16;
        let (index, store) = bytes.split_at_checked(data).ok_or_else(cut)?;
        let index = index.get(16..).unwrap_or_default();
        let own = [Tag::HEADERIMMUTABLE, Tag::HEADERIMAGE]
            .into_iter()
            .find(|tag| be32(index, 0) == Some(tag.0));
        let region = match wanted.or(own) {
            Some(tag) => find_region(name, index, store, tag)?,
            None => Region::default(),
        };
        let mut entries = Vec::with_capacity(intro.entries as usize);
        let mut end = 0;
        let of_region = usize::from(region != Region::default());
        for (number, raw) in index.chunks_exact(16).enumerate().skip(of_region) {
            // What comes after the region was added by rpm, behind the region's data.
            if number == region.entries as usize {
                end = region.length;
            }
            let limit = match number < region.entries as usize {
                true => region.length - 16,
                false => intro.data,
            };
            let entry = entry(name, raw, store.get(..limit as usize).unwrap_or_default(), end)?;
            end = entry.end;
            entries.push(entry);
        }
        entries.sort_by_key(|entry| entry.tag);
        if wanted.is_none() {
            // What rpm added later takes the place of what the region has (lib/header.c: headerLoad).
            entries.dedup_by(|later, first| {
                let replaces =
                    later.tag == first.tag && first.start < region.length && later.start >= region.length;
                if replaces {
                    *first = *later;
                }
                replaces
            });
        }
        if let Some(pair) = entries.windows(2).find(|pair| pair[0].tag == pair[1].tag) {
            return Err(bad(name, format!("it has {} twice", Tag(pair[0].tag))));
        }
        Ok(Header {
            data,
            entries: entries.into(),
            region,
            bytes: Arc::from(bytes),
        })
    }

    /// Parses a header as the database stores it: without magic, with what rpm added. Its region may be one of rpm 4's first
    /// releases, or missing, as in packages that are older.
    ///
    /// # Errors
    /// As [`Header::parse`].
    pub fn from_blob(name: &str, blob: &[u8], limits: &Limits) -> Result<Header, Error> {
        let mut bytes = Vec::with_capacity(blob.len() + 8);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(blob);
        Header::parse_with(name, bytes, None, limits)
    }
}

/// The region: the first entry, whose data, the trailer, say how many entries belong to it.
fn find_region(name: &str, index: &[u8], store: &[u8], wanted: Tag) -> Result<Region, Error> {
    let entries = index.len() / 16;
    let (Some(tag), Some(kind), Some(offset), Some(count)) =
        (be32(index, 0), be32(index, 4), be32(index, 8), be32(index, 12))
    else {
        return Err(bad(name, "it is cut off".into()));
    };
    if tag != wanted.0 || kind != 7 || count != 16 {
        return Err(bad(
            name,
            format!("it does not begin with {wanted}: packages older than rpm 4.0 are not supported"),
        ));
    }
    let at = offset as usize;
    let trailer = at
        .checked_add(16)
        .and_then(|end| store.get(at..end))
        .ok_or_else(|| bad(name, format!("the trailer of {wanted} is outside its data")))?;
    let negative = be32(trailer, 8).unwrap_or_default().wrapping_neg();
    let valid = be32(trailer, 0) == Some(wanted.0)
        && be32(trailer, 4) == Some(7)
        && be32(trailer, 12) == Some(16)
        && negative.is_multiple_of(16)
        && negative > 0
        && negative as usize / 16 <= entries;
    // Old signature headers have the other region's tag in their trailer.
    let valid = valid
        || (wanted == Tag::HEADERSIGNATURES
            && be32(trailer, 0) == Some(Tag::HEADERIMMUTABLE.0)
            && negative.is_multiple_of(16)
            && negative > 0
            && negative as usize / 16 <= entries);
    if !valid {
        return Err(bad(name, format!("the trailer of {wanted} is none")));
    }
    Ok(Region {
        entries: negative / 16,
        length: offset + 16,
    })
}

/// One entry; its data must begin at or after `from` and end within `store`.
fn entry(name: &str, raw: &[u8], store: &[u8], from: u32) -> Result<Entry, Error> {
    let (Some(tag), Some(kind), Some(start), Some(count)) =
        (be32(raw, 0), be32(raw, 4), be32(raw, 8), be32(raw, 12))
    else {
        return Err(bad(name, "it is cut off".into()));
    };
    let wrong = |what: String| bad(name, format!("{}: {what}", Tag(tag)));
    let (kind, width) = match kind {
        1 => (Type::Char, 1),
        2 => (Type::Int8, 1),
        3 => (Type::Int16, 2),
        4 => (Type::Int32, 4),
        5 => (Type::Int64, 8),
        6 => (Type::String, 0),
        7 => (Type::Bin, 1),
        8 => (Type::StringArray, 0),
        9 => (Type::I18nString, 0),
        other => return Err(wrong(format!("its type is {other}; expected 1 to 9"))),
    };
    if tag < 100 {
        return Err(wrong("its number is one of a region".into()));
    }
    if start < from || start as usize > store.len() {
        return Err(wrong(format!(
            "its data begin at {start}; expected {from} to {}",
            store.len()
        )));
    }
    if count == 0 || count as usize > store.len() {
        return Err(wrong(format!("it says to have {count} elements")));
    }
    let rest = store.get(start as usize..).unwrap_or_default();
    let length = match kind {
        Type::String if count != 1 => return Err(wrong(format!("one text has {count} elements"))),
        Type::String | Type::StringArray | Type::I18nString => {
            let mut ends = memchr::memchr_iter(0, rest);
            ends.nth(count as usize - 1).map(|end| end + 1)
        }
        _ => {
            if width > 1 && !(start as usize).is_multiple_of(width) {
                return Err(wrong(format!("its data begin at {start}, which is not aligned")));
            }
            (count as usize)
                .checked_mul(width)
                .filter(|length| *length <= rest.len())
        }
    };
    let length = length.ok_or_else(|| wrong(format!("its {count} elements go beyond the data")))?;
    Ok(Entry {
        tag,
        kind,
        start,
        end: start.saturating_add(u32::try_from(length).unwrap_or(u32::MAX)),
        count,
    })
}

fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    bytes
        .get(at..)?
        .first_chunk::<4>()
        .copied()
        .map(u32::from_be_bytes)
}

fn bad(name: &str, reason: String) -> Error {
    Error::Header {
        name: name.to_owned(),
        reason,
    }
}
