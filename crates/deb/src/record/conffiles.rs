use std::collections::HashMap;

use super::{Listed, Owner, RecordError, Unpacked, hex};

/// A line of a package's `conffiles` (deb-conffiles(5)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conffile {
    /// The absolute path.
    pub path: Vec<u8>,
    /// Whether the file is not shipped but to be removed when the package is upgraded.
    pub remove_on_upgrade: bool,
}

/// dpkg's line buffer for conffiles, less its two bytes of slack.
const LONGEST_LINE: usize = 997;

impl Conffile {
    /// Reads a package's `conffiles` by dpkg's rules.
    ///
    /// # Errors
    ///
    /// What is wrong, as the end of a sentence about the file.
    pub fn parse(text: &[u8]) -> Result<Vec<Conffile>, String> {
        let mut rest = text;
        let mut all = Vec::new();
        while !rest.is_empty() {
            let newline = rest
                .iter()
                .position(|&b| b == b'\n')
                .ok_or("its last newline is missing")?;
            let (line, after) = rest.split_at(newline);
            rest = after.get(1..).unwrap_or_default();
            if line.len() > LONGEST_LINE {
                return Err("it has a line that is too long".into());
            }
            if line.contains(&0) {
                return Err("it has a zero byte".into());
            }
            let line = line.trim_ascii_end();
            if !line.is_empty() {
                all.push(Conffile::line(line)?);
            }
        }
        Ok(all)
    }

    fn line(line: &[u8]) -> Result<Conffile, String> {
        let wrong = |what: &str| {
            Err(format!(
                "it has the line `{}`, {what}",
                String::from_utf8_lossy(line)
            ))
        };
        let (path, remove_on_upgrade) = match line.strip_prefix(b"remove-on-upgrade ") {
            Some(path) => (path, true),
            None => (line, false),
        };
        if !path.starts_with(b"/") {
            return wrong("which is neither an absolute path nor a known flag with one");
        }
        match normal(path) {
            Some(path) => Ok(Conffile {
                path,
                remove_on_upgrade,
            }),
            None => wrong("which names no file"),
        }
    }
}

/// A path with one slash at its start, as dpkg keeps it; `None` for the root.
fn normal(mut path: &[u8]) -> Option<Vec<u8>> {
    loop {
        path = match path {
            [b'/', rest @ ..] | [b'.', b'/', rest @ ..] => rest,
            _ => break,
        }
    }
    (!path.is_empty() && path != b".").then(|| [b"/", path].concat())
}

/// The value of the `Conffiles` field of a package's stanza: a line each; empty when the package has none.
pub(crate) fn field(unpacked: &Unpacked<'_>) -> Result<Vec<u8>, RecordError> {
    let Some(member) = unpacked.info.iter().find(|file| file.name == "conffiles") else {
        return Ok(Vec::new());
    };
    let wrong = |reason| RecordError::package(unpacked.control.package(), reason);
    let conffiles =
        Conffile::parse(&member.bytes).map_err(|e| wrong(format!("`conffiles` cannot be read: {e}")))?;
    let mut shipped: HashMap<&[u8], &Listed<'_>> = HashMap::new();
    if !conffiles.is_empty() {
        shipped.extend(unpacked.paths.iter().map(|listed| (listed.path, listed)));
    }
    let mut lines = Vec::new();
    for conffile in conffiles {
        let listed = shipped.get(conffile.path.as_slice());
        if conffile.remove_on_upgrade && listed.is_some() {
            let path = String::from_utf8_lossy(&conffile.path).into_owned();
            return Err(wrong(format!(
                "conffile `{path}` is marked for removal on upgrade, and shipped"
            )));
        }
        // Without a file in place (filtered, or not shipped at all) dpkg never learns a hash and keeps this word.
        let hash = listed
            .and_then(|l| l.md5)
            .map_or_else(|| "newconffile".to_owned(), |md5| hex(&md5));
        lines.extend_from_slice(b" ");
        lines.extend_from_slice(&conffile.path);
        lines.extend_from_slice(b" ");
        lines.extend_from_slice(hash.as_bytes());
        if listed.is_some_and(|l| l.owner == Owner::OtherConffile) {
            lines.extend_from_slice(b" obsolete");
        }
        if conffile.remove_on_upgrade {
            lines.extend_from_slice(b" remove-on-upgrade");
        }
        lines.push(b'\n');
    }
    Ok(lines)
}

/// A stanza of `status` in which the conffiles that `is_obsolete` picks are marked so.
pub(crate) fn obsolete(stanza: &[u8], is_obsolete: &dyn Fn(&[u8]) -> bool) -> Vec<u8> {
    let mut changed = Vec::with_capacity(stanza.len());
    let mut in_conffiles = false;
    for line in stanza.split_inclusive(|&b| b == b'\n') {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        // ` PATH HASH[ obsolete][ remove-on-upgrade]`, where PATH may have spaces.
        let record = line.strip_prefix(b" ").filter(|_| in_conffiles);
        in_conffiles = record.is_some() || line == b"Conffiles:";
        let (head, flag) = match line.strip_suffix(b" remove-on-upgrade") {
            Some(head) => (head, &b" remove-on-upgrade"[..]),
            None => (line, &b""[..]),
        };
        let path = record.and(head.strip_prefix(b" ")).and_then(|rest| {
            let space = rest.iter().rposition(|&b| b == b' ')?;
            rest.get(..space)
        });
        changed.extend_from_slice(head);
        if !head.ends_with(b" obsolete") && path.is_some_and(is_obsolete) {
            changed.extend_from_slice(b" obsolete");
        }
        changed.extend_from_slice(flag);
        changed.push(b'\n');
    }
    changed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Vec<(String, bool)>, String> {
        let own = |c: Conffile| (String::from_utf8(c.path).unwrap(), c.remove_on_upgrade);
        Ok(Conffile::parse(text.as_bytes())?.into_iter().map(own).collect())
    }

    #[test]
    fn lines_are_read_as_dpkg_reads_them() {
        let text = "/etc/a\n\n  \n/etc/b c \t\nremove-on-upgrade /etc/d\n//./etc/e\n";
        let want = [
            ("/etc/a", false),
            ("/etc/b c", false),
            ("/etc/d", true),
            ("/etc/e", false),
        ];
        assert_eq!(
            parse(text).unwrap(),
            want.map(|(path, remove)| (path.to_string(), remove))
        );
        assert_eq!(parse("").unwrap(), []);
    }

    #[test]
    fn taken_conffiles_become_obsolete() {
        let stanza = "Package: a\nConffiles:\n /etc/a b 00\n /etc/c 11 remove-on-upgrade\n /etc/d 22 obsolete\n\
            Description: x\n /etc/a b 00\n";
        let want = "Package: a\nConffiles:\n /etc/a b 00 obsolete\n /etc/c 11 obsolete remove-on-upgrade\n\
            \u{20}/etc/d 22 obsolete\nDescription: x\n /etc/a b 00\n";
        assert_eq!(
            String::from_utf8(obsolete(stanza.as_bytes(), &|_| true)).unwrap(),
            want
        );
        assert_eq!(
            obsolete(stanza.as_bytes(), &|path| path == b"/etc/a"),
            stanza.as_bytes()
        );
    }

    #[test]
    fn bad_lines_are_refused() {
        for text in [
            "/etc/a",
            "etc/a\n",
            " /etc/a\n",
            "remove-on-upgrade\n",
            "remove-on-upgrade etc\n",
            "x /a\n",
            "/\n",
            "/.\n",
            "/a\0\n",
        ] {
            assert!(parse(text).is_err(), "{text:?}");
        }
        assert!(parse(&format!("/{}\n", "a".repeat(2000))).is_err());
    }
}
