//! From the fields of one stanza after the other to an [`Index`].

use std::collections::HashMap;

use super::record::{self, Draft, FIELD_LIMIT, FIELDS, Field, NO_PHASE, NO_WORD, RECORD};
use super::{Index, IndexInfo, Limits, MultiArch, Priority, stanza};
use crate::{Error, hex, relation};

/// The wanted fields of one stanza, as they stand in the file; what is absent is empty.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Fields<'a> {
    /// The values of the fields that are kept as text.
    pub(super) texts: [&'a [u8]; FIELDS],
    pub(super) architecture: &'a [u8],
    pub(super) section: &'a [u8],
    pub(super) priority: &'a [u8],
    pub(super) multi_arch: &'a [u8],
    pub(super) essential: &'a [u8],
    pub(super) important: &'a [u8],
    pub(super) protected: &'a [u8],
    pub(super) phased: &'a [u8],
    pub(super) installed_size: &'a [u8],
    pub(super) size: &'a [u8],
    pub(super) sha256: &'a [u8],
    pub(super) sha512: &'a [u8],
}

impl<'a> Fields<'a> {
    fn text(&self, field: Field) -> &'a [u8] {
        self.texts.get(field as usize).copied().unwrap_or_default()
    }

    pub(super) fn set(&mut self, field: Field, value: &'a [u8]) {
        if let Some(slot) = self.texts.get_mut(field as usize) {
            *slot = value;
        }
    }
}

/// An index that grows.
pub(super) struct Builder {
    pub(super) info: IndexInfo,
    limits: Limits,
    text: Vec<u8>,
    records: Vec<u8>,
    names: Vec<u64>,
    provided: Vec<u64>,
    words: Vec<Box<str>>,
    known: HashMap<Box<[u8]>, u16>,
    stanzas: u32,
}

impl Builder {
    pub(super) fn new(info: IndexInfo, limits: Limits) -> Self {
        Builder {
            info,
            limits,
            text: Vec::new(),
            records: Vec::new(),
            names: Vec::new(),
            provided: Vec::new(),
            words: Vec::new(),
            known: HashMap::new(),
            stanzas: 0,
        }
    }

    /// An error about the stanza that would come next.
    pub(super) fn wrong(&self, package: &[u8], reason: impl Into<String>) -> Error {
        Error::Stanza {
            index: self.info.label.clone(),
            stanza: self.stanzas as usize + 1,
            package: String::from_utf8_lossy(package).chars().take(200).collect(),
            reason: reason.into(),
        }
    }

    pub(super) fn too_large(&self, what: &'static str, limit: usize) -> Error {
        Error::IndexLimit {
            index: self.info.label.clone(),
            what,
            limit: limit as u64,
        }
    }

    /// Adds one stanza.
    pub(super) fn push(&mut self, mut fields: Fields<'_>) -> Result<(), Error> {
        let name = fields.text(Field::Name);
        for (value, field) in [
            (name, "Package"),
            (fields.text(Field::Version), "Version"),
            (fields.architecture, "Architecture"),
        ] {
            if value.is_empty() {
                return Err(self.wrong(name, format!("it has no `{field}`")));
            }
        }
        if self.stanzas as usize >= self.limits.stanzas.min(u32::MAX as usize) {
            return Err(self.too_large("the number of stanzas", self.limits.stanzas));
        }

        let mut flags = 0;
        for (value, flag) in [
            (fields.essential, record::ESSENTIAL),
            (fields.important, record::IMPORTANT),
            (fields.protected, record::PROTECTED),
        ] {
            if value.eq_ignore_ascii_case(b"yes") {
                flags |= flag;
            }
        }
        let sha256 = hex::decode(fields.sha256);
        if sha256.is_some() {
            flags |= record::SHA256;
        } else if !fields.sha256.is_empty() {
            // Kept as it is, for the error that tells whoever wants this package.
            fields.set(Field::Digest, fields.sha256);
        } else if !fields.sha512.is_empty() {
            fields.set(Field::Digest, fields.sha512);
            flags |= record::SHA512;
        }
        let mut pool = NO_WORD;
        if let Some(word) = self.pool(&fields)? {
            pool = word;
            fields.set(Field::Filename, b"");
            flags |= record::POOLED;
        }

        let start = self.text.len();
        let mut lengths = [0; FIELDS];
        for (length, value) in lengths.iter_mut().zip(fields.texts) {
            if value.len() > FIELD_LIMIT {
                return Err(self.too_large("a field", FIELD_LIMIT));
            }
            *length = value.len() as u32;
            self.text.extend_from_slice(value);
        }
        if self.text.len() > self.limits.text.min(u32::MAX as usize) {
            return Err(self.too_large("the kept text", self.limits.text));
        }
        let added = self.text.get(start..).unwrap_or_default();
        if !added.is_ascii()
            && fields
                .texts
                .iter()
                .any(|value| std::str::from_utf8(value).is_err())
        {
            return Err(self.wrong(name, "it is not UTF-8"));
        }

        let draft = Draft {
            start: start as u32,
            lengths,
            words: [
                self.word(fields.architecture, name)?,
                self.section(&fields)?,
                pool,
            ],
            flags,
            priority: word_of(fields.priority, Priority::from_word) as u8,
            multi_arch: word_of(fields.multi_arch, MultiArch::from_word) as u8,
            phased: number(fields.phased).map_or(NO_PHASE, |percent| percent.min(100) as u8),
            installed_size: number(fields.installed_size)
                .map_or(u32::MAX, |size| size.min(u64::from(u32::MAX) - 1) as u32),
            size: number(fields.size).unwrap_or(u64::MAX),
            sha256: sha256.unwrap_or_default(),
        };
        draft.push_to(&mut self.records);
        self.names.push(record::pair(name, self.stanzas));
        self.provides(&fields)?;
        self.stanzas += 1;
        Ok(())
    }

    /// Enters what the stanza provides into the table of provided names.
    fn provides(&mut self, fields: &Fields<'_>) -> Result<(), Error> {
        let value = fields.text(Field::Provides);
        let first = self.provided.len();
        for group in relation::groups(std::str::from_utf8(value).unwrap_or_default()) {
            match relation::parse(group.text()) {
                Ok(relation) => {
                    let pair = record::pair(relation.name.as_bytes(), self.stanzas);
                    // Versions of one name stand side by side; `Index::providers` finds them all from one pair.
                    if self.provided.get(first..).and_then(<[u64]>::last) != Some(&pair) {
                        self.provided.push(pair);
                    }
                }
                Err(error) => {
                    return Err(self.wrong(fields.text(Field::Name), format!("in its `Provides`, {error}")));
                }
            }
        }
        Ok(())
    }

    /// The pool's word when the file name is what the pool's rules make of the other fields.
    fn pool(&mut self, fields: &Fields<'_>) -> Result<Option<u16>, Error> {
        let texts = [
            fields.text(Field::Filename),
            fields.text(Field::Source),
            fields.text(Field::Name),
        ];
        let [Ok(filename), Ok(source), Ok(name)] = texts.map(std::str::from_utf8) else {
            return Ok(None);
        };
        let rest = [fields.text(Field::Version), fields.architecture].map(std::str::from_utf8);
        let [Ok(version), Ok(architecture)] = rest else {
            return Ok(None);
        };
        let source = stanza::source_name(source, name);
        // pool/main/g/glibc/libc6_2.41-12_amd64.deb: what stands before the last three slashes is the pool.
        let Some(pool) = filename.rsplitn(4, '/').nth(3) else {
            return Ok(None);
        };
        if !stanza::is_pooled(filename, pool, source, name, version, architecture) {
            return Ok(None);
        }
        match self.known.get(pool.as_bytes()) {
            Some(&word) => Ok(Some(word)),
            // A repository in which every package has its own pool has nothing to gain from words.
            None if self.words.len() >= 4096 => Ok(None),
            None => self.word(pool.as_bytes(), name.as_bytes()).map(Some),
        }
    }

    fn section(&mut self, fields: &Fields<'_>) -> Result<u16, Error> {
        if fields.section.is_empty() {
            Ok(NO_WORD)
        } else {
            self.word(fields.section, fields.text(Field::Name))
        }
    }

    /// The number of a text that many stanzas share.
    fn word(&mut self, text: &[u8], package: &[u8]) -> Result<u16, Error> {
        if let Some(&word) = self.known.get(text) {
            return Ok(word);
        }
        let word = u16::try_from(self.words.len()).unwrap_or(NO_WORD);
        if word == NO_WORD || text.len() > 1024 {
            return Err(self.too_large("the number or length of the sections and architectures", 65535));
        }
        let known = std::str::from_utf8(text).map_err(|_| self.wrong(package, "it is not UTF-8"))?;
        self.words.push(known.into());
        self.known.insert(text.into(), word);
        Ok(word)
    }

    /// The finished index.
    pub(super) fn finish(mut self) -> Result<Index, Error> {
        self.names.sort_unstable();
        self.provided.sort_unstable();
        self.provided.dedup();
        let mut tables = self.records;
        tables.reserve_exact((self.names.len() + self.provided.len()) * 8);
        for pair in self.names.iter().chain(&self.provided) {
            tables.extend_from_slice(&pair.to_le_bytes());
        }
        debug_assert_eq!(
            tables.len(),
            self.stanzas as usize * (RECORD + 8) + self.provided.len() * 8
        );
        tables.shrink_to_fit();
        self.text.shrink_to_fit();
        let text = String::from_utf8(self.text).map_err(|_| Error::Stanza {
            index: self.info.label.clone(),
            stanza: 0,
            package: String::new(),
            reason: "it is not UTF-8".to_owned(),
        })?;
        Ok(Index {
            info: self.info,
            text,
            tables,
            words: self.words,
            stanzas: self.stanzas,
        })
    }
}

fn word_of<T>(value: &[u8], parse: impl Fn(&str) -> T) -> T {
    parse(std::str::from_utf8(value).unwrap_or_default())
}

/// Decimal digits and nothing else; `None` too when it is larger than any size.
fn number(value: &[u8]) -> Option<u64> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(value)
        .ok()?
        .parse()
        .ok()
        .filter(|&number| number != u64::MAX)
}
