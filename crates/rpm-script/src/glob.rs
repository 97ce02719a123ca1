//! Paths that a pattern matches, as `rpm.glob` gives them: with `{a,b}`, `*`, `?` and `[a-z]`.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

/// How many texts the braces of one pattern may stand for.
const MOST: usize = 10_000;

/// The paths, sorted for each choice of the braces; a pattern that matches nothing stands for itself.
pub(crate) fn paths(pattern: &[u8]) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for pattern in choices(pattern) {
        let mut found = matched(&pattern);
        if found.is_empty() {
            found.push(pattern);
        }
        found.sort_unstable();
        all.extend(found);
    }
    all
}

/// The patterns without braces that one with braces stands for.
fn choices(pattern: &[u8]) -> Vec<Vec<u8>> {
    let mut done = Vec::new();
    let mut open = vec![pattern.to_vec()];
    while let Some(pattern) = open.pop() {
        match first_braces(&pattern) {
            Some((begin, end)) if done.len() + open.len() < MOST => {
                let before = pattern.get(..begin).unwrap_or_default();
                let after = pattern.get(end + 1..).unwrap_or_default();
                let inside = pattern.get(begin + 1..end).unwrap_or_default();
                let mut parts = at_commas(inside);
                parts.reverse();
                open.extend(parts.into_iter().map(|part| [before, part, after].concat()));
            }
            _ => done.push(pattern),
        }
    }
    done
}

fn first_braces(pattern: &[u8]) -> Option<(usize, usize)> {
    let begin = pattern.iter().position(|byte| *byte == b'{')?;
    let mut level = 0_usize;
    for (at, byte) in pattern.iter().enumerate().skip(begin) {
        match byte {
            b'{' => level += 1,
            b'}' => level = level.saturating_sub(1),
            _ => {}
        }
        if level == 0 {
            return Some((begin, at));
        }
    }
    None
}

fn at_commas(inside: &[u8]) -> Vec<&[u8]> {
    let (mut parts, mut level, mut begin) = (Vec::new(), 0_usize, 0);
    for (at, byte) in inside.iter().enumerate() {
        match byte {
            b'{' => level += 1,
            b'}' => level = level.saturating_sub(1),
            b',' if level == 0 => {
                parts.extend(inside.get(begin..at));
                begin = at + 1;
            }
            _ => {}
        }
    }
    parts.extend(inside.get(begin..));
    parts
}

fn is_plain(part: &[u8]) -> bool {
    !part.iter().any(|byte| b"*?[".contains(byte))
}

fn matched(pattern: &[u8]) -> Vec<Vec<u8>> {
    let is_there = |path: &[u8]| fs::symlink_metadata(OsStr::from_bytes(path)).is_ok();
    let mut found: Vec<Vec<u8>> = vec![match pattern.first() {
        Some(b'/') => b"/".to_vec(),
        _ => Vec::new(),
    }];
    let parts: Vec<&[u8]> = pattern
        .split(|byte| *byte == b'/')
        .filter(|part| !part.is_empty())
        .collect();
    for part in parts {
        let join = |base: &[u8], name: &[u8]| match base {
            [] => name.to_vec(),
            [.., b'/'] => [base, name].concat(),
            _ => [base, b"/", name].concat(),
        };
        let mut next = Vec::new();
        for base in &found {
            if is_plain(part) {
                let path = join(base, part);
                next.extend(is_there(&path).then_some(path));
                continue;
            }
            let directory = if base.is_empty() { b"." } else { base.as_slice() };
            let entries = fs::read_dir(Path::new(OsStr::from_bytes(directory)));
            for entry in entries.into_iter().flatten().flatten() {
                let name = entry.file_name();
                let name = name.as_bytes();
                let hidden = name.first() == Some(&b'.') && part.first() != Some(&b'.');
                if !hidden && is_match(part, name) {
                    next.push(join(base, name));
                }
            }
        }
        found = next;
    }
    found
}

/// fnmatch(3) of a name without a slash, in time that is linear but for stars.
fn is_match(pattern: &[u8], name: &[u8]) -> bool {
    let (mut at, mut from) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while from < name.len() {
        let byte = name.get(from).copied().unwrap_or_default();
        let step = match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, from));
                at += 1;
                continue;
            }
            Some(b'?') => Some(1),
            Some(b'[') => class(pattern.get(at..).unwrap_or_default(), byte),
            Some(b'\\') if pattern.get(at + 1) == Some(&byte) => Some(2),
            Some(plain) if *plain == byte => Some(1),
            _ => None,
        };
        match (step, star) {
            (Some(length), _) => {
                at += length;
                from += 1;
            }
            (None, Some((place, begun))) => {
                star = Some((place, begun + 1));
                at = place + 1;
                from = begun + 1;
            }
            (None, None) => return false,
        }
    }
    pattern.iter().skip(at).all(|byte| *byte == b'*')
}

/// The length of a bracket expression that a byte is in.
fn class(pattern: &[u8], byte: u8) -> Option<usize> {
    let inverted = matches!(pattern.get(1), Some(b'!' | b'^'));
    let begin = if inverted { 2 } else { 1 };
    let length = pattern.iter().skip(begin + 1).position(|byte| *byte == b']');
    let Some(length) = length.map(|length| length + 1) else {
        // An open bracket stands for itself.
        return (byte == b'[').then_some(1);
    };
    let mut members = pattern.get(begin..begin + length).unwrap_or_default();
    let mut found = false;
    while let [first, rest @ ..] = members {
        members = match rest {
            [b'-', last, rest @ ..] => {
                found |= (*first..=*last).contains(&byte);
                rest
            }
            _ => {
                found |= *first == byte;
                rest
            }
        };
    }
    (found != inverted).then_some(begin + length + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_match_patterns() {
        for (pattern, name, expected) in [
            ("*", "abc", true),
            ("a*c", "abbc", true),
            ("a*c", "abb", false),
            ("a?c", "abc", true),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[]a]", "]", true),
            ("[", "[", true),
            ("\\*", "*", true),
            ("\\*", "a", false),
            ("*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac", false),
        ] {
            assert_eq!(
                is_match(pattern.as_bytes(), name.as_bytes()),
                expected,
                "{pattern} {name}"
            );
        }
    }

    #[test]
    fn braces_stand_for_several() {
        let text = |pattern: &str| {
            let all = choices(pattern.as_bytes());
            all.iter()
                .map(|one| String::from_utf8_lossy(one).into_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(text("a{b,c{d,e}}f"), ["abf", "acdf", "acef"]);
        assert_eq!(text("a{b"), ["a{b"]);
        assert_eq!(text("{,x}"), ["", "x"]);
        assert!(text(&"{a,b}".repeat(40)).len() <= 2 * MOST);
    }

    #[test]
    fn files_are_found() {
        let directory = tempfile::tempdir().unwrap();
        for name in ["b.conf", "a.conf", ".hidden.conf", "other"] {
            fs::write(directory.path().join(name), "").unwrap();
        }
        let base = directory.path().display();
        let text = |pattern: String| {
            paths(pattern.as_bytes())
                .iter()
                .map(|path| String::from_utf8_lossy(path).replace(&format!("{base}/"), ""))
                .collect::<Vec<_>>()
        };
        assert_eq!(text(format!("{base}/*.conf")), ["a.conf", "b.conf"]);
        assert_eq!(text(format!("{base}/{{other,b.conf}}")), ["other", "b.conf"]);
        assert_eq!(text(format!("{base}/none*")), ["none*"]);
    }
}
