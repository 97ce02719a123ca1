//! The form in which an index goes to a cache.
//!
//! The text comes first, so that it stays where it was read to; then the tables, the words (two bytes of length,
//! then the text), and at the end a footer of eight numbers of four bytes and [`MAGIC`]. All numbers are
//! little-endian. Another layout gets another magic, and the old form is then a miss.

use std::io::{self, Write};

use super::record::{ALL_FLAGS, NO_WORD, RECORD, Record, Word, pairs};
use super::{Index, IndexInfo, MultiArch, Priority};
use crate::Error;

/// Names the form and its version.
const MAGIC: &[u8; 8] = b"brdebix2";
/// Bytes of the footer: lengths of text, tables and words, number of words, number of stanzas, and the magic.
const FOOTER: usize = 5 * 4 + MAGIC.len();

impl Index {
    /// The index as bytes, for [`Index::from_bytes`].
    pub fn to_bytes(&self) -> Vec<u8> {
        let words: usize = self.words.iter().map(|word| word.len() + 2).sum();
        let mut bytes = Vec::with_capacity(self.text.len() + self.tables.len() + words + FOOTER);
        // Writing to memory does not fail.
        let _ = self.write(&mut bytes);
        bytes
    }

    /// Writes the index, for [`Index::from_bytes`].
    ///
    /// # Errors
    ///
    /// The writer's.
    pub fn write(&self, mut to: impl Write) -> io::Result<()> {
        to.write_all(self.text.as_bytes())?;
        to.write_all(&self.tables)?;
        for word in &self.words {
            // The builder keeps no longer ones.
            to.write_all(&(word.len() as u16).to_le_bytes())?;
            to.write_all(word.as_bytes())?;
        }
        let words: usize = self.words.iter().map(|word| word.len() + 2).sum();
        for number in [
            self.text.len(),
            self.tables.len(),
            words,
            self.words.len(),
            self.len(),
        ] {
            let number = u32::try_from(number).map_err(|_| io::Error::other("the index is too large"))?;
            to.write_all(&number.to_le_bytes())?;
        }
        to.write_all(MAGIC)
    }

    /// Takes back what [`Index::to_bytes`] gave.
    ///
    /// Everything that an accessor relies on is checked here: whatever the bytes are, no later call fails because
    /// of them. That they are the same bytes as then is for the cache to see to, by a digest.
    ///
    /// # Errors
    ///
    /// [`Error::CachedIndex`] when the bytes are no such form, of another version, or damaged.
    pub fn from_bytes(bytes: Vec<u8>, info: IndexInfo) -> Result<Index, Error> {
        load(bytes, info.clone()).map_err(|reason| Error::CachedIndex {
            index: info.label,
            reason,
        })
    }
}

fn load(mut bytes: Vec<u8>, info: IndexInfo) -> Result<Index, &'static str> {
    let body = bytes.len().checked_sub(FOOTER).ok_or("it is too short")?;
    let footer = bytes.split_off(body);
    let (numbers, magic) = footer
        .as_chunks::<4>()
        .0
        .split_at_checked(5)
        .ok_or("it is too short")?;
    if magic.concat() != MAGIC {
        return Err("it is not a parsed index of this version");
    }
    let [text_size, tables_size, words_size, word_count, stanzas] = numbers else {
        return Err("it is too short");
    };
    let [text_size, tables_size, words_size, word_count, stanzas] =
        [text_size, tables_size, words_size, word_count, stanzas].map(|number| u32::from_le_bytes(*number));

    let sum = u64::from(text_size) + u64::from(tables_size) + u64::from(words_size);
    if sum != body as u64 {
        return Err("its parts do not add up");
    }
    let words = load_words(&bytes.split_off(body - words_size as usize), word_count)?;
    let tables = bytes.split_off(text_size as usize);
    bytes.shrink_to_fit();
    let text = String::from_utf8(bytes).map_err(|_| "its text is not UTF-8")?;
    let index = Index {
        info,
        text,
        tables,
        words,
        stanzas,
    };
    check(&index)?;
    Ok(index)
}

fn load_words(mut bytes: &[u8], count: u32) -> Result<Vec<Box<str>>, &'static str> {
    let mut words = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk() {
        let (word, rest) = rest
            .split_at_checked(u16::from_le_bytes(*length).into())
            .ok_or("a word is cut short")?;
        words.push(
            std::str::from_utf8(word)
                .map_err(|_| "a word is not UTF-8")?
                .into(),
        );
        bytes = rest;
    }
    if !bytes.is_empty() || words.len() != count as usize {
        Err("its words do not add up")
    } else {
        Ok(words)
    }
}

/// Every record's fields lie one after the other in the text, at borders of characters, and every number that points
/// somewhere points inside.
fn check(index: &Index) -> Result<(), &'static str> {
    let fixed = u64::from(index.stanzas) * (RECORD as u64 + 8);
    let left = (index.tables.len() as u64)
        .checked_sub(fixed)
        .ok_or("its tables are too short")?;
    if left % 8 != 0 {
        return Err("its tables do not add up");
    }
    let ascii = index.text.is_ascii();
    let mut at = 0;
    let (records, _) = index.tables.as_chunks::<RECORD>();
    for record in records.iter().take(index.len()).map(Record) {
        if record.start() != at {
            return Err("its stanzas do not follow one another");
        }
        for end in record.ends() {
            if !ascii && !index.text.is_char_boundary(end) {
                return Err("a field ends within a character");
            }
            at = end;
        }
        let word = |word| {
            let number = record.word(word);
            number == NO_WORD || usize::from(number) < index.words.len()
        };
        if ![Word::Architecture, Word::Section, Word::Pool]
            .into_iter()
            .all(word)
            || record.flags() & !ALL_FLAGS != 0
            || usize::from(record.priority()) >= Priority::ALL.len()
            || usize::from(record.multi_arch()) >= MultiArch::ALL.len()
        {
            return Err("a record has a number without a meaning");
        }
    }
    if at != index.text.len() {
        return Err("its stanzas do not fill its text");
    }
    for table in [index.names(), index.provided()] {
        let mut last = 0;
        for pair in pairs(table) {
            if pair < last || pair as u32 >= index.stanzas {
                return Err("a table of names is not sorted, or names what is not there");
            }
            last = pair;
        }
    }
    Ok(())
}
