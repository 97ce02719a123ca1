//! The names of staging directories: ours can be told from everybody else's.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

const MARK: &[u8] = b".bareroot-";
const SUFFIX: usize = 10;
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
/// So that dot, name, mark and suffix fit in a file name.
const LONGEST_NAME: usize = 255 - 1 - MARK.len() - SUFFIX;

/// Ten characters that nobody guesses: 50 bits of what the standard library takes from the kernel for its hash maps.
pub(crate) fn random_suffix() -> String {
    let mut bits = RandomState::new().build_hasher().finish();
    let mut suffix = String::with_capacity(SUFFIX);
    for _ in 0..SUFFIX {
        suffix.push(char::from(ALPHABET[(bits & 31) as usize]));
        bits >>= 5;
    }
    suffix
}

/// What a target's staging directories are called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Naming {
    prefix: Vec<u8>,
}

impl Naming {
    /// Beside a target called `name`: `.name.bareroot-XXXXXXXXXX`.
    pub(crate) fn beside(name: &[u8]) -> Self {
        let mut prefix = b".".to_vec();
        prefix.extend_from_slice(name.get(..LONGEST_NAME).unwrap_or(name));
        prefix.extend_from_slice(MARK);
        Naming { prefix }
    }

    /// Inside the target: `.bareroot-XXXXXXXXXX`.
    pub(crate) fn inside() -> Self {
        Naming {
            prefix: MARK.to_vec(),
        }
    }

    pub(crate) fn new_name(&self) -> Vec<u8> {
        let mut name = self.prefix.clone();
        name.extend_from_slice(random_suffix().as_bytes());
        name
    }

    /// Whether a run on the same target could have made `name`.
    pub(crate) fn is_ours(&self, name: &[u8]) -> bool {
        name.strip_prefix(self.prefix.as_slice())
            .is_some_and(|suffix| suffix.len() == SUFFIX && suffix.iter().all(|b| ALPHABET.contains(b)))
    }
}

/// Whether a name at the top of a root can be a staging directory that a killed run left there.
pub fn is_staging_name(name: &[u8]) -> bool {
    Naming::inside().is_ours(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ours_and_not_ours() {
        let beside = Naming::beside(b"trixie");
        let name = beside.new_name();
        assert!(name.starts_with(b".trixie.bareroot-"));
        assert!(beside.is_ours(&name));
        assert_ne!(name, beside.new_name());
        for other in [
            &b".trixie.bareroot-"[..],
            b".trixie.bareroot-abc",
            b".trixie.bareroot-ABCDEFGHIJ",
            b".trixie.bareroot-abcdefghijk",
            b".sid.bareroot-abcdefghij",
            b".bareroot-abcdefghij",
            b"trixie",
            b"trixie.bareroot-abcdefghij",
        ] {
            assert!(!beside.is_ours(other), "{}", String::from_utf8_lossy(other));
        }
        let inside = Naming::inside();
        assert!(inside.is_ours(&inside.new_name()));
        assert!(inside.is_ours(b".bareroot-abcdefghij"));
        assert!(!inside.is_ours(&name));
    }

    #[test]
    fn long_names_fit() {
        let naming = Naming::beside(&[b'n'; 255]);
        let name = naming.new_name();
        assert!(name.len() <= 255);
        assert!(naming.is_ours(&name));
    }
}
