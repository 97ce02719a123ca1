//! The ledger between runs: one line a file, `UID GID WHAT PATH`.
//!
//! `WHAT` is `-`, or `c:MAJOR:MINOR` or `b:MAJOR:MINOR` for a device that an empty file stands for. `PATH` is relative to
//! the root, `.` for the root itself; a byte that is not printable ASCII, a space and a backslash are `\` and three octal
//! digits, as in proc_mounts(5). Lines are in the order of their paths. Before them are [`HEADER`], and a line that says
//! what the ledger is kept for: `# owners`, or `# devices` alone.

use crate::{Device, Owned, Scope};

/// The first line.
pub const HEADER: &str = "# bareroot ledger 1";

/// A file of a root by its path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The path inside the root, without a slash before it; `.` for the root.
    pub path: Vec<u8>,
    /// What it should be.
    pub owned: Owned,
}

/// A text that is no ledger, or not wholly one.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("line {line}: {found:?} is found where {expected} is expected")]
pub struct Malformed {
    /// The line, from 1.
    pub line: usize,
    /// What should be there.
    pub expected: &'static str,
    /// What is there.
    pub found: String,
}

/// The words of a scope.
const SCOPES: [(&str, Scope); 2] = [("# owners", Scope::All), ("# devices", Scope::Devices)];

/// The text of these lines, sorted by path.
pub fn render(scope: Scope, lines: &[Line]) -> Vec<u8> {
    let mut sorted: Vec<&Line> = lines.iter().collect();
    sorted.sort_by(|one, other| one.path.cmp(&other.path));
    let known = SCOPES.iter().find(|(_, known)| *known == scope);
    let words = known.map_or("", |(words, _)| words);
    let mut text = format!("{HEADER}\n{words}\n").into_bytes();
    for Line { path, owned } in sorted {
        let what = match owned.device {
            None => "-".to_owned(),
            Some(Device::Char(major, minor)) => format!("c:{major}:{minor}"),
            Some(Device::Block(major, minor)) => format!("b:{major}:{minor}"),
        };
        text.extend_from_slice(format!("{} {} {what} ", owned.uid, owned.gid).as_bytes());
        for &byte in path {
            match byte {
                b'\\' => text.extend_from_slice(b"\\134"),
                b'!'..=b'~' => text.push(byte),
                _ => text.extend_from_slice(format!("\\{byte:03o}").as_bytes()),
            }
        }
        text.push(b'\n');
    }
    text
}

/// Reads what [`render`] wrote. Nothing is looked up: a path may be anything that is relative and does not climb.
///
/// # Errors
/// [`Malformed`] for the first line that is not as it should be.
pub fn parse(text: &[u8]) -> Result<(Scope, Vec<Line>), Malformed> {
    let mut lines = text.split(|byte| *byte == b'\n').enumerate();
    let wrong = |line: usize, expected, found: &[u8]| Malformed {
        line: line + 1,
        expected,
        found: String::from_utf8_lossy(found).into_owned(),
    };
    match lines.next() {
        Some((_, first)) if first == HEADER.as_bytes() => {}
        other => return Err(wrong(0, HEADER, other.map_or(b"", |(_, first)| first))),
    }
    let (number, words) = lines.next().unwrap_or((1, b""));
    let known = SCOPES.iter().find(|(known, _)| known.as_bytes() == words);
    let (_, scope) = known.ok_or_else(|| wrong(number, "`# owners` or `# devices`", words))?;
    let mut parsed = Vec::new();
    for (number, line) in lines {
        if line.is_empty() {
            continue;
        }
        let mut words = line.splitn(4, |byte| *byte == b' ');
        let mut word = || words.next().unwrap_or_default();
        let (uid, gid, what, path) = (word(), word(), word(), word());
        let id = |word: &[u8]| {
            number_of(word)
                .filter(|id| *id != u32::MAX)
                .ok_or_else(|| wrong(number, "a numeric id", word))
        };
        parsed.push(Line {
            owned: Owned {
                uid: id(uid)?,
                gid: id(gid)?,
                device: device(what).ok_or_else(|| wrong(number, "`-` or a device", what))?,
            },
            path: unescaped(path).ok_or_else(|| wrong(number, "a relative path", path))?,
        });
    }
    Ok((*scope, parsed))
}

fn number_of(word: &[u8]) -> Option<u32> {
    let digits = !word.is_empty() && word.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(word).ok().filter(|_| digits)?.parse().ok()
}

/// `None` for what is neither `-` nor a device.
fn device(word: &[u8]) -> Option<Option<Device>> {
    if word == b"-" {
        return Some(None);
    }
    let mut parts = word.split(|byte| *byte == b':');
    let (kind, major, minor) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let (major, minor) = (number_of(major)?, number_of(minor)?);
    match kind {
        b"c" => Some(Some(Device::Char(major, minor))),
        b"b" => Some(Some(Device::Block(major, minor))),
        _ => None,
    }
}

fn unescaped(path: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut left = path;
    while let Some((&byte, rest)) = left.split_first() {
        left = rest;
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        let (digits, rest) = left.split_at_checked(3)?;
        left = rest;
        let mut value: u32 = 0;
        for digit in digits {
            value = value * 8 + u32::from(*digit).checked_sub(48).filter(|digit| *digit < 8)?;
        }
        bytes.push(u8::try_from(value).ok()?);
    }
    let climbs = bytes
        .split(|byte| *byte == b'/')
        .any(|part| part == b".." || part.is_empty());
    (!climbs && !bytes.contains(&0)).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn line(path: &[u8], uid: u32, gid: u32, device: Option<Device>) -> Line {
        Line {
            path: path.to_vec(),
            owned: Owned { uid, gid, device },
        }
    }

    #[test]
    fn lines_are_sorted_and_escaped() {
        let lines = [
            line(b"var/mail", 0, 8, None),
            line(b"dev/null", 0, 0, Some(Device::Char(1, 3))),
            line(b"a b\\c\n\xff", 1, 2, Some(Device::Block(8, 0))),
        ];
        let text = "# bareroot ledger 1\n# owners\n1 2 b:8:0 a\\040b\\134c\\012\\377\n0 0 c:1:3 dev/null\n0 8 - var/mail\n";
        assert_eq!(String::from_utf8(render(Scope::All, &lines)).unwrap(), text);
    }

    #[test]
    fn what_is_no_ledger_is_refused_by_its_line() {
        let with = |line: &str| {
            parse(format!("{HEADER}\n# devices\n0 0 - a\n{line}\n").as_bytes()).map_err(|error| error.line)
        };
        assert_eq!(parse(b"").map_err(|error| error.line), Err(1));
        assert_eq!(
            parse(b"# bareroot ledger 2\n").map_err(|error| error.line),
            Err(1)
        );
        for line in [
            "0 0 -",
            "0 0 - ",
            "-1 0 - a",
            "0 4294967295 - a",
            "0 0 c:1 a",
            "0 0 c:1:2:3 a",
            "0 0 x:1:2 a",
            "0 0 - /a",
            "0 0 - a/../b",
            "0 0 - a//b",
            "0 0 - a\\00",
            "0 0 - a\\000",
            "0 0 - a\\777",
            "0 0 - \\056\\056",
        ] {
            assert_eq!(with(line).map(|(_, lines)| lines), Err(4), "{line}");
        }
        assert_eq!(
            parse(format!("{HEADER}\n0 0 - a\n").as_bytes()).map_err(|error| error.line),
            Err(2)
        );
        let (scope, lines) = with("0 0 - b").unwrap();
        assert_eq!((scope, lines.len()), (Scope::Devices, 2));
    }

    proptest! {
        #[test]
        fn there_and_back(
            files in proptest::collection::btree_map("[^/\0]{1,9}(/[^/\0]{1,9}){0,2}", (0..u32::MAX, 0..u32::MAX, any::<Option<(bool, u32, u32)>>()), 0..9)
        ) {
            let lines: Vec<Line> = files.iter().filter(|(path, _)| !path.split('/').any(|part| part == "..")).map(|(path, (uid, gid, device))| {
                let device = device.map(|(block, major, minor)| if block { Device::Block(major, minor) } else { Device::Char(major, minor) });
                line(path.as_bytes(), *uid, *gid, device)
            }).collect();
            for scope in [Scope::All, Scope::Devices] {
                prop_assert_eq!(parse(&render(scope, &lines)).unwrap(), (scope, lines.clone()));
            }
        }

        #[test]
        fn no_bytes_make_it_panic(text: Vec<u8>) {
            let _ = parse(&text);
            let _ = parse(&[HEADER.as_bytes(), b"\n# owners\n", &text].concat());
        }
    }
}
