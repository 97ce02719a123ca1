//! From the bytes of a `Packages` file to stanzas, with a buffer that holds little more than one of them.

use std::io::Read;

use memchr::memchr;

use super::build::{Builder, Fields};
use super::record::Field;
use super::{Index, IndexInfo, Limits, ahead};
use crate::Error;

/// How much is read at a time: large enough that stanzas rarely straddle a border, small enough for a core's cache.
const BUFFER: usize = 256 << 10;

impl Index {
    /// Reads a decompressed `Packages` file.
    ///
    /// Memory beyond the index itself stays the same however long the file is.
    ///
    /// # Errors
    ///
    /// [`Error::IndexRead`] when the reader fails, [`Error::Stanza`] when a stanza lacks its name, version or
    /// architecture, is not UTF-8 or is no stanza, [`Error::IndexLimit`] beyond `limits`. Fields that matter only
    /// once the package is wanted (size, digest, file name, most relations) are judged then.
    pub fn read(mut reader: impl Read, info: IndexInfo, limits: Limits) -> Result<Index, Error> {
        let mut builder = Builder::new(info, limits);
        let mut buffer = vec![0; BUFFER];
        let mut filled = 0;
        loop {
            if filled == buffer.len() {
                if filled > limits.stanza {
                    return Err(builder.too_large("a stanza", limits.stanza));
                }
                buffer.resize(filled * 2, 0);
            }
            let count = match reader.read(buffer.get_mut(filled..).unwrap_or_default()) {
                Ok(count) => count,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    return Err(Error::IndexRead {
                        index: builder.info.label,
                        error,
                    });
                }
            };
            filled += count;
            let end = count == 0;
            let used = stanzas(buffer.get(..filled).unwrap_or_default(), end, &mut builder)?;
            if end {
                return builder.finish();
            }
            buffer.copy_within(used..filled, 0);
            filled -= used;
        }
    }

    /// As [`Index::read`], with the reader (most often a decompressor) working on a thread of its own.
    ///
    /// # Errors
    ///
    /// As [`Index::read`].
    pub fn read_ahead(reader: impl Read + Send, info: IndexInfo, limits: Limits) -> Result<Index, Error> {
        ahead::with(reader, |reader| Index::read(reader, info, limits))
    }
}

/// Takes the whole stanzas from the start of `data`; says how many bytes they are. At the end the last one may lack
/// the empty line after it.
fn stanzas(data: &[u8], end: bool, builder: &mut Builder) -> Result<usize, Error> {
    let mut used = 0;
    while let Some((fields, length)) = stanza(data.get(used..).unwrap_or_default(), end, builder)? {
        if let Some(fields) = fields {
            builder.push(fields)?;
        }
        used += length;
    }
    Ok(used)
}

/// The next stanza's fields and how many bytes it takes, the empty line after it included. `None` when it is not
/// whole yet, or when there is nothing; no fields when there is only the empty line.
#[allow(clippy::type_complexity)]
fn stanza<'a>(
    data: &'a [u8],
    end: bool,
    builder: &Builder,
) -> Result<Option<(Option<Fields<'a>>, usize)>, Error> {
    let mut fields = Fields::default();
    let mut any = false;
    let mut at = 0;
    let mut open = Slot::None;
    // Where the open field's value starts: continuation lines lengthen it.
    let mut value = 0;
    loop {
        let rest = data.get(at..).unwrap_or_default();
        let (line, next) = match memchr(b'\n', rest) {
            Some(length) => (rest.get(..length).unwrap_or_default(), at + length + 1),
            None if end && !rest.is_empty() => (rest, data.len()),
            None if end && any => return Ok(Some((Some(fields), data.len()))),
            None => return Ok(None),
        };
        match line {
            [] | [b'\r'] => return Ok(Some((any.then_some(fields), next))),
            [b' ' | b'\t', ..] if any => {
                if !matches!(open, Slot::None) {
                    open.fill(&mut fields, data.get(value..at + line.len()).unwrap_or_default());
                }
            }
            _ => {
                let Some(colon) = line.iter().position(|&b| b == b':').filter(|&colon| colon > 0) else {
                    let name = fields.texts.first().copied().unwrap_or_default();
                    let line: String = String::from_utf8_lossy(line).chars().take(80).collect();
                    return Err(builder.wrong(name, format!("the line `{line}` is not a field")));
                };
                any = true;
                open = Slot::of(line.get(..colon).unwrap_or_default());
                value = at + colon + 1;
                if !matches!(open, Slot::None) {
                    open.fill(&mut fields, line.get(colon + 1..).unwrap_or_default());
                }
            }
        }
        at = next;
    }
}

/// Where a field's value goes.
#[derive(Clone, Copy)]
enum Slot {
    None,
    Text(Field),
    Architecture,
    Section,
    Priority,
    MultiArch,
    Essential,
    Important,
    Protected,
    Phased,
    InstalledSize,
    Size,
    Sha256,
    Sha512,
}

impl Slot {
    /// The slot of a field, in any case of letters.
    fn of(name: &[u8]) -> Slot {
        let (known, slot) = match (name.len(), name.first().map_or(0, u8::to_ascii_lowercase)) {
            (7, b'p') => ("package", Slot::Text(Field::Name)),
            (7, b'v') => ("version", Slot::Text(Field::Version)),
            (12, b'a') => ("architecture", Slot::Architecture),
            (7, b'd') => ("depends", Slot::Text(Field::Depends)),
            (8, b'f') => ("filename", Slot::Text(Field::Filename)),
            (6, b's') if name.ends_with(b"6") => ("sha256", Slot::Sha256),
            (4, b's') => ("size", Slot::Size),
            (14, b'i') => ("installed-size", Slot::InstalledSize),
            (7, b's') => ("section", Slot::Section),
            (6, b's') if name.ends_with(b"2") => ("sha512", Slot::Sha512),
            (6, b's') => ("source", Slot::Text(Field::Source)),
            (8, b'p') if name.ends_with(b"y") || name.ends_with(b"Y") => ("priority", Slot::Priority),
            (10, b'm') => ("multi-arch", Slot::MultiArch),
            (8, b'p') => ("provides", Slot::Text(Field::Provides)),
            (10, b'r') => ("recommends", Slot::Text(Field::Recommends)),
            (8, b's') => ("suggests", Slot::Text(Field::Suggests)),
            (8, b'e') => ("enhances", Slot::Text(Field::Enhances)),
            (6, b'b') => ("breaks", Slot::Text(Field::Breaks)),
            (8, b'r') => ("replaces", Slot::Text(Field::Replaces)),
            (9, b'c') => ("conflicts", Slot::Text(Field::Conflicts)),
            (11, b'p') => ("pre-depends", Slot::Text(Field::PreDepends)),
            (9, b'e') => ("essential", Slot::Essential),
            (9, b'i') => ("important", Slot::Important),
            (9, b'p') => ("protected", Slot::Protected),
            (24, b'p') => ("phased-update-percentage", Slot::Phased),
            _ => return Slot::None,
        };
        if name.eq_ignore_ascii_case(known.as_bytes()) {
            slot
        } else {
            Slot::None
        }
    }

    fn fill<'a>(self, fields: &mut Fields<'a>, value: &'a [u8]) {
        let value = value.trim_ascii();
        match self {
            Slot::None => {}
            Slot::Text(field) => fields.set(field, value),
            Slot::Architecture => fields.architecture = value,
            Slot::Section => fields.section = value,
            Slot::Priority => fields.priority = value,
            Slot::MultiArch => fields.multi_arch = value,
            Slot::Essential => fields.essential = value,
            Slot::Important => fields.important = value,
            Slot::Protected => fields.protected = value,
            Slot::Phased => fields.phased = value,
            Slot::InstalledSize => fields.installed_size = value,
            Slot::Size => fields.size = value,
            Slot::Sha256 => fields.sha256 = value,
            Slot::Sha512 => fields.sha512 = value,
        }
    }
}
