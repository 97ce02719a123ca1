//! Texts, each kept once.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

/// Texts by number; 0 is the empty one.
#[derive(Clone, Debug)]
pub(crate) struct Strings {
    text: String,
    /// Where each text ends; it begins where the one before ends.
    ends: Vec<u32>,
}

impl Default for Strings {
    fn default() -> Self {
        Strings {
            text: String::new(),
            ends: vec![0],
        }
    }
}

impl Strings {
    pub(crate) fn get(&self, number: u32) -> &str {
        let number = number as usize;
        let start = match number.checked_sub(1) {
            Some(before) => self.ends.get(before).copied().unwrap_or_default(),
            None => 0,
        };
        let end = self.ends.get(number).copied().unwrap_or_default();
        self.text.get(start as usize..end as usize).unwrap_or_default()
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(crate) fn parts(&self) -> (&str, &[u32]) {
        (&self.text, &self.ends)
    }

    /// From what [`Strings::parts`] gave; `None` for what it cannot have given.
    pub(crate) fn from_parts(text: String, ends: Vec<u32>) -> Option<Strings> {
        let mut before = 0;
        for end in &ends {
            if *end < before || !text.is_char_boundary(*end as usize) {
                return None;
            }
            before = *end;
        }
        (ends.first() == Some(&0) && before as usize == text.len()).then_some(Strings { text, ends })
    }
}

/// Texts that grow.
#[derive(Debug, Default)]
pub(crate) struct Interner {
    strings: Strings,
    /// By hash; of two texts with one hash the second takes the next free number.
    known: HashMap<u64, u32, Plain>,
    hasher: RandomState,
}

impl Interner {
    /// The number of a text; `None` when there is no room for more.
    pub(crate) fn add(&mut self, text: &str) -> Option<u32> {
        if text.is_empty() {
            return Some(0);
        }
        let mut hash = self.hasher.hash_one(text);
        while let Some(&number) = self.known.get(&hash) {
            if self.strings.get(number) == text {
                return Some(number);
            }
            hash = hash.wrapping_add(1);
        }
        let number = u32::try_from(self.strings.ends.len()).ok()?;
        let end = u32::try_from(self.strings.text.len() + text.len()).ok()?;
        self.strings.text.push_str(text);
        self.strings.ends.push(end);
        self.known.insert(hash, number);
        Some(number)
    }

    pub(crate) fn get(&self, number: u32) -> &str {
        self.strings.get(number)
    }

    pub(crate) fn finish(mut self) -> Strings {
        self.strings.text.shrink_to_fit();
        self.strings.ends.shrink_to_fit();
        self.strings
    }
}

/// The keys are hashes already.
#[derive(Clone, Debug, Default)]
struct Plain;

impl BuildHasher for Plain {
    type Hasher = Identity;

    fn build_hasher(&self) -> Identity {
        Identity(0)
    }
}

#[derive(Debug)]
struct Identity(u64);

impl std::hash::Hasher for Identity {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_have_one_number() {
        let mut interner = Interner::default();
        let a = interner.add("bash");
        assert_eq!(interner.add(""), Some(0));
        let b = interner.add("glibc");
        assert_eq!(interner.add("bash"), a);
        assert_ne!(a, b);
        let strings = interner.finish();
        assert_eq!(strings.get(b.unwrap()), "glibc");
        let (text, ends) = strings.parts();
        let again = Strings::from_parts(text.to_owned(), ends.to_vec()).unwrap();
        assert_eq!(again.get(a.unwrap()), "bash");
        assert_eq!(again.get(99), "");
        assert!(Strings::from_parts("ab".into(), vec![0, 3]).is_none());
        assert!(Strings::from_parts("ä".into(), vec![0, 1, 2]).is_none());
    }
}
