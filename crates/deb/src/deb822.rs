//! Paragraphs of fields (Debian Policy 5.1, deb822(5)), without a copy of anything.
//!
//! A paragraph ends at an empty line. A line of spaces continues the field before it, as dpkg and apt read it.
//!
//! ```
//! use bareroot_deb::deb822::paragraphs;
//!
//! let mut all = paragraphs("an example", b"Package: hello\nDepends: libc6,\n zlib1g\n\nPackage: other\n");
//! let first = all.next().ok_or("no paragraph")??;
//! assert_eq!(first.text("depends")?, Some("libc6,\n zlib1g"));
//! assert_eq!(all.count(), 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use memchr::memchr;

use crate::Error;

/// The paragraphs of a file; `file` names it in errors.
pub fn paragraphs<'a>(file: &'a str, text: &'a [u8]) -> Paragraphs<'a> {
    Paragraphs {
        file,
        rest: text,
        line: 1,
        comments: false,
    }
}

/// As [`paragraphs`], where a line that starts with `#` is a comment, as in sources.list(5).
pub fn paragraphs_with_comments<'a>(file: &'a str, text: &'a [u8]) -> Paragraphs<'a> {
    Paragraphs {
        file,
        rest: text,
        line: 1,
        comments: true,
    }
}

/// An iterator over paragraphs. After an error there is nothing more.
#[derive(Clone, Debug)]
pub struct Paragraphs<'a> {
    file: &'a str,
    rest: &'a [u8],
    line: usize,
    comments: bool,
}

/// Some fields, in the order in which they stand in the file.
#[derive(Clone, Debug)]
pub struct Paragraph<'a> {
    file: &'a str,
    fields: Vec<Field<'a>>,
}

/// One field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    /// Its name as written.
    pub name: &'a str,
    /// Its value as written: without the blanks before it and the white space after it, and otherwise with its
    /// continuation lines as they are.
    pub value: &'a [u8],
    /// The line of the file, from 1.
    pub line: usize,
}

impl<'a> Iterator for Paragraphs<'a> {
    type Item = Result<Paragraph<'a>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let result = self.paragraph();
        if result.is_err() {
            self.rest = &[];
        }
        result.transpose()
    }
}

impl<'a> Paragraphs<'a> {
    fn paragraph(&mut self) -> Result<Option<Paragraph<'a>>, Error> {
        let mut fields: Vec<Field<'a>> = Vec::new();
        // What is left where the last field's value starts: continuation lines lengthen it.
        let mut value = self.rest;
        while !self.rest.is_empty() {
            let end = memchr(b'\n', self.rest).map_or(self.rest.len(), |end| end + 1);
            let (line, rest) = self.rest.split_at(end);
            let number = self.line;
            let before = self.rest;
            (self.rest, self.line) = (rest, number + 1);
            match line {
                [b'#', ..] if self.comments => {}
                [b'\n'] | [b'\r', b'\n'] | [b'\r'] if fields.is_empty() => {}
                [b'\n'] | [b'\r', b'\n'] | [b'\r'] => break,
                [b' ' | b'\t', ..] => match fields.last_mut() {
                    Some(field) => {
                        let whole = value.split_at(value.len() - rest.len()).0;
                        field.value = whole.trim_ascii_end();
                    }
                    None if line.trim_ascii().is_empty() => {}
                    None => {
                        return Err(self.wrong(number, "a line continues a field, but no field is before it"));
                    }
                },
                _ => {
                    let name = line.split(|&b| b == b':').next().unwrap_or_default();
                    let wrong = || {
                        let line: String = String::from_utf8_lossy(line)
                            .trim_end()
                            .chars()
                            .take(80)
                            .collect();
                        self.wrong(number, format!("`{line}` is not a field"))
                    };
                    if name.is_empty() || name.len() == line.len() || !name.iter().all(u8::is_ascii_graphic) {
                        return Err(wrong());
                    }
                    let name = std::str::from_utf8(name).map_err(|_| wrong())?;
                    let after = before.get(name.len() + 1..).unwrap_or_default();
                    let blanks = after.iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
                    value = after.split_at(blanks).1;
                    let first = value.split_at(value.len().saturating_sub(rest.len())).0;
                    fields.push(Field {
                        name,
                        value: first.trim_ascii_end(),
                        line: number,
                    });
                }
            }
        }
        Ok(if fields.is_empty() {
            None
        } else {
            Some(Paragraph {
                file: self.file,
                fields,
            })
        })
    }

    fn wrong(&self, line: usize, reason: impl Into<String>) -> Error {
        Error::Syntax {
            file: self.file.to_owned(),
            line,
            reason: reason.into(),
        }
    }
}

impl<'a> Paragraph<'a> {
    /// The fields in their order.
    pub fn fields(&self) -> impl ExactSizeIterator<Item = Field<'a>> {
        self.fields.iter().copied()
    }

    /// The line of its first field.
    pub fn line(&self) -> usize {
        self.fields.first().map_or(1, |field| field.line)
    }

    /// The field with this name, in any case of letters; the last one where there are several, as apt has it.
    pub fn get(&self, name: &str) -> Option<Field<'a>> {
        self.fields
            .iter()
            .rev()
            .find(|field| field.name.eq_ignore_ascii_case(name))
            .copied()
    }

    /// The value of [`get`](Paragraph::get) as text.
    ///
    /// # Errors
    ///
    /// [`Error::Syntax`] when it is not UTF-8.
    pub fn text(&self, name: &str) -> Result<Option<&'a str>, Error> {
        let Some(field) = self.get(name) else {
            return Ok(None);
        };
        match std::str::from_utf8(field.value) {
            Ok(text) => Ok(Some(text)),
            Err(_) => Err(self.wrong(field.line, format!("the field `{}` is not UTF-8", field.name))),
        }
    }

    /// An error about a line of this paragraph's file.
    pub(crate) fn wrong(&self, line: usize, reason: impl Into<String>) -> Error {
        Error::Syntax {
            file: self.file.to_owned(),
            line,
            reason: reason.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8]) -> Vec<Vec<(String, String, usize)>> {
        let own = |field: Field<'_>| {
            (
                field.name.to_owned(),
                String::from_utf8_lossy(field.value).into_owned(),
                field.line,
            )
        };
        paragraphs_with_comments("test", text)
            .map(|p| p.unwrap().fields().map(own).collect())
            .collect()
    }

    #[test]
    fn fields_and_paragraphs() {
        let text = b"\n\n# comment\nA: 1\nB:\t two \n three\n .\n\n\nC:\n x\n# inside\n y\n";
        let field = |name: &str, value: &str, line| (name.to_owned(), value.to_owned(), line);
        assert_eq!(
            read(text),
            [
                vec![field("A", "1", 4), field("B", "two \n three\n .", 5)],
                vec![field("C", "\n x\n# inside\n y", 10)]
            ]
        );
        assert_eq!(
            read(b"A: 1\r\nB: 2\r\n\r\nC: 3"),
            [
                vec![field("A", "1", 1), field("B", "2", 2)],
                vec![field("C", "3", 4)]
            ]
        );
        assert!(read(b"").is_empty());
        assert!(read(b"\n \n\n").is_empty());
        assert_eq!(read(b"A:"), [vec![field("A", "", 1)]]);
        assert_eq!(read(b"A:\n \n b"), [vec![field("A", "\n \n b", 1)]]);
    }

    #[test]
    fn what_is_no_field() {
        for (text, line) in [
            (&b"A: 1\nnonsense\n"[..], 2),
            (b": 1", 1),
            (b" x", 1),
            (b"A b: c", 1),
            (b"\n\n\xff: 1", 3),
        ] {
            let mut all = paragraphs("the file", text);
            let error = all.next().unwrap().unwrap_err().to_string();
            assert!(
                error.contains("the file") && error.contains(&format!("line {line}")),
                "{error}"
            );
            assert!(all.next().is_none());
        }
    }

    #[test]
    fn names_in_any_case_and_the_last_one_wins() {
        let paragraph = paragraphs("f", b"Size: 1\nSIZE: 2\nBad: \xff\n")
            .next()
            .unwrap()
            .unwrap();
        assert_eq!(paragraph.text("size").unwrap(), Some("2"));
        assert_eq!(paragraph.text("other").unwrap(), None);
        assert!(
            paragraph
                .text("bad")
                .unwrap_err()
                .to_string()
                .contains("`Bad` is not UTF-8")
        );
    }
}
