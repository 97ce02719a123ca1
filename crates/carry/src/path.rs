//! Paths as bytes.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

/// Bytes of a file as a path.
pub(crate) fn path(bytes: &[u8]) -> PathBuf {
    PathBuf::from(OsStr::from_bytes(bytes))
}

/// A path's bytes.
pub(crate) fn bytes(path: &Path) -> &[u8] {
    path.as_os_str().as_bytes()
}

/// The last part, for comparisons; empty where there is none.
pub(crate) fn name(path: &Path) -> &str {
    path.file_name().and_then(OsStr::to_str).unwrap_or_default()
}

/// The directory that a path is in; `/` of `/`.
pub(crate) fn parent(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("/"))
}

/// Whether a name matches a pattern of glob(7) with `*`, `?` and `[...]`; a dot in front is matched by a dot alone.
pub(crate) fn matches(pattern: &[u8], name: &[u8]) -> bool {
    if name.first() == Some(&b'.') && pattern.first() != Some(&b'.') {
        return false;
    }
    // Where the last `*` was, and how much of the name it has taken: going back to it is enough.
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, n));
                p += 1;
                continue;
            }
            Some(_) => {
                if let Some(length) = one(pattern.get(p..).unwrap_or_default(), name[n]) {
                    p += length;
                    n += 1;
                    continue;
                }
            }
            None => {}
        }
        match star {
            Some((at, taken)) => {
                star = Some((at, taken + 1));
                (p, n) = (at + 1, taken + 1);
            }
            None => return false,
        }
    }
    pattern
        .get(p..)
        .unwrap_or_default()
        .iter()
        .all(|byte| *byte == b'*')
}

/// How much of a pattern one byte is matched by.
fn one(pattern: &[u8], byte: u8) -> Option<usize> {
    match pattern.first()? {
        b'?' => Some(1),
        b'\\' if pattern.len() > 1 => (pattern[1] == byte).then_some(2),
        b'[' => {
            // A `]` in the first place stands for itself.
            let negated = matches!(pattern.get(1), Some(b'!' | b'^'));
            let first = if negated { 2 } else { 1 };
            let length = pattern.get(first + 1..)?.iter().position(|b| *b == b']')? + 1;
            let set = pattern.get(first..first + length)?;
            let mut found = false;
            let mut at = 0;
            while at < set.len() {
                match (set.get(at + 1), set.get(at + 2)) {
                    (Some(b'-'), Some(last)) => {
                        found |= (set[at]..=*last).contains(&byte);
                        at += 3;
                    }
                    _ => {
                        found |= set[at] == byte;
                        at += 1;
                    }
                }
            }
            (found != negated).then_some(first + length + 1)
        }
        plain => (*plain == byte).then_some(1),
    }
}

/// Whether a word has a character that makes it a pattern.
pub(crate) fn is_pattern(word: &[u8]) -> bool {
    word.iter().any(|byte| matches!(byte, b'*' | b'?' | b'['))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (pattern, name, expected) in [
            ("*.conf", "a.conf", true),
            ("*.conf", ".a.conf", false),
            (".*", ".a", true),
            ("*", "", true),
            ("a*b*c", "a1b2c", true),
            ("a*b*c", "a1b2", false),
            ("l?b", "lib", true),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[]x]y", "]y", true),
            ("[a", "[a", false),
            ("a\\*", "a*", true),
            ("**a", "xa", true),
        ] {
            assert_eq!(
                matches(pattern.as_bytes(), name.as_bytes()),
                expected,
                "{pattern} {name}"
            );
        }
    }
}
