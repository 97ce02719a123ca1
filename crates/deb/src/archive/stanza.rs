//! One stanza of a control file or of dpkg's status file, read by dpkg's own rules.
//!
//! They are stricter than deb822's in general, and keep more: what dpkg copies from a package into its database it
//! copies to the byte, so values stay raw here (the first line's leading and the whole value's trailing space aside).

/// A field: its name as written, its value with continuation lines.
pub(crate) type Field<'a> = (&'a str, &'a [u8]);

/// A stanza's fields in order and its raw text, without the blank line that ends it.
#[derive(Debug)]
pub(crate) struct Stanza<'a> {
    pub(crate) fields: Vec<Field<'a>>,
    pub(crate) text: &'a [u8],
}

impl<'a> Stanza<'a> {
    /// A field's value by its name in any case.
    pub(crate) fn get(&self, name: &str) -> Option<&'a [u8]> {
        self.fields
            .iter()
            .find(|(have, _)| have.eq_ignore_ascii_case(name))
            .map(|(_, value)| *value)
    }
}

/// What C's `isspace` holds for space; Rust's own ASCII whitespace lacks the vertical tab.
fn is_space(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == 0x0b
}

/// Takes the first stanza off `text`; `None` when only empty lines are left.
pub(crate) fn next<'a>(text: &mut &'a [u8]) -> Result<Option<Stanza<'a>>, String> {
    let start = text.iter().position(|&b| b != b'\n').unwrap_or(text.len());
    let whole = text.get(start..).unwrap_or_default();
    let mut rest = whole;
    let mut fields: Vec<Field<'a>> = Vec::new();
    while !rest.is_empty() && rest.first() != Some(&b'\n') {
        let (name, value, after) = field(rest)?;
        if fields.iter().any(|(have, _)| have.eq_ignore_ascii_case(name)) {
            return Err(format!("the field `{name}` is there twice"));
        }
        fields.push((name, value));
        rest = after;
    }
    *text = rest;
    let used = whole.len() - rest.len();
    Ok((!fields.is_empty()).then(|| Stanza {
        fields,
        text: whole.get(..used).unwrap_or_default(),
    }))
}

/// The field at the start of `text`, and what follows its last line.
fn field(text: &[u8]) -> Result<(&str, &[u8], &[u8]), String> {
    let end = text
        .iter()
        .position(|&b| b == b':' || is_space(b))
        .unwrap_or(text.len());
    let (name, after) = text.split_at(end);
    let name = std::str::from_utf8(name)
        .ok()
        .filter(|n| n.bytes().all(|b| b.is_ascii_graphic()))
        .ok_or("a field's name has a character that is not allowed there")?;
    if name.is_empty() {
        return Err("a line starts with a space or a colon where a field's name should be".into());
    }
    if name.starts_with('-') {
        return Err(format!("the field name `{name}` starts with a hyphen"));
    }
    let blank = |text: &[u8]| {
        text.iter()
            .position(|&b| b == b'\n' || !is_space(b))
            .unwrap_or(text.len())
    };
    let after = after.get(blank(after)..).and_then(|t| t.strip_prefix(b":"));
    let after = after.ok_or_else(|| format!("no colon follows the field name `{name}`"))?;
    let value = after.get(blank(after)..).unwrap_or_default();
    let mut length = 0;
    loop {
        let line = value.get(length..).unwrap_or_default();
        let Some(newline) = line.iter().position(|&b| b == b'\n') else {
            return Err(format!(
                "the text ends within the field `{name}`: the last newline is missing"
            ));
        };
        let (content, rest) = line.split_at(newline);
        if let Some(bad) = content.iter().find(|&&b| b == 0 || b == 0x1a) {
            return Err(format!("the field `{name}` has the control character {bad:#04x}"));
        }
        if length > 0 && content.iter().all(|&b| is_space(b)) {
            return Err(format!("the field `{name}` has a blank line in its value"));
        }
        length += newline + 1;
        // A line that starts with space continues the value; any other ends it.
        if !rest.get(1).is_some_and(|&b| b != b'\n' && is_space(b)) {
            let (value, after) = value.split_at(length);
            let kept = value
                .iter()
                .rposition(|&b| !is_space(b))
                .map_or(0, |last| last + 1);
            return Ok((name, value.get(..kept).unwrap_or_default(), after));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<Vec<(String, String)>>, String> {
        let mut rest = text.as_bytes();
        let mut all = Vec::new();
        while let Some(stanza) = next(&mut rest)? {
            let own =
                |(name, value): &Field<'_>| (name.to_string(), String::from_utf8_lossy(value).into_owned());
            all.push(stanza.fields.iter().map(own).collect());
        }
        Ok(all)
    }

    #[test]
    fn values_stay_raw() {
        let got = read(
            "\n\nPackage:  a \nDescription: first \n  second \t\n .\n third  \nX:\n y\n\n\nPackage :b\n",
        )
        .unwrap();
        let want = [
            vec![
                ("Package", "a"),
                ("Description", "first \n  second \t\n .\n third"),
                ("X", "\n y"),
            ],
            vec![("Package", "b")],
        ];
        let want: Vec<Vec<(String, String)>> = want
            .into_iter()
            .map(|s| s.into_iter().map(|(n, v)| (n.into(), v.into())).collect())
            .collect();
        assert_eq!(got, want);
        assert!(read("").unwrap().is_empty());
        assert!(read("\n\n").unwrap().is_empty());
        assert_eq!(read("A1:\n").unwrap(), [[("A1".to_string(), String::new())]]);
    }

    #[test]
    fn what_dpkg_refuses_is_refused() {
        for (text, part) in [
            ("Package: a", "newline is missing"),
            ("Package", "no colon"),
            ("Package\n", "no colon"),
            (": a\n", "starts with a space"),
            (" a: b\n", "starts with a space"),
            ("-a: b\n", "hyphen"),
            ("Aa: b\naa: c\n", "twice"),
            ("Aa: b\n \n c\n", "blank line"),
            ("Aa: b\n \n", "blank line"),
            ("Aa: b\0c\n", "control character"),
            ("A\u{e9}: b\n", "not allowed"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(part), "{text:?}: {error}");
        }
    }

    #[test]
    fn the_raw_text_is_whole() {
        let mut rest: &[u8] = b"\nA1: b\n c\n\nB1: d\n";
        assert_eq!(next(&mut rest).unwrap().unwrap().text, b"A1: b\n c\n");
        assert_eq!(next(&mut rest).unwrap().unwrap().text, b"B1: d\n");
        assert!(next(&mut rest).unwrap().is_none());
    }
}
