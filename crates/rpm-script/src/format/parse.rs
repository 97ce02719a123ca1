//! The pieces of a format.

use bareroot_rpm::Tag;

use super::value::{Extension, Form, tag_of};
use super::{FormatError, fail};

/// How deeply conditions may be nested.
const MOST_NESTING: usize = 32;

/// As wide as a field may be.
const MOST_WIDTH: usize = 4096;

/// A part of a format.
#[derive(Debug)]
pub(super) enum Piece {
    Text(Vec<u8>),
    Tag(Reference),
    Condition {
        on: Reference,
        present: Vec<Piece>,
        missing: Vec<Piece>,
    },
    /// What is repeated for each element.
    Array(Vec<Piece>),
}

/// Where a tag's values come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Source {
    Tag(Tag),
    Extension(Extension),
}

/// A tag, and how it is to look.
#[derive(Debug)]
pub(super) struct Reference {
    pub(super) source: Source,
    pub(super) name: String,
    pub(super) form: Form,
    pub(super) width: usize,
    /// Whether it stands at the left of its field.
    pub(super) left: bool,
    /// The first element, also where elements are gone through.
    pub(super) just_one: bool,
    /// How many elements there are.
    pub(super) count: bool,
}

/// What ends a list of pieces.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Text,
    Bracket,
    Brace,
}

/// The pieces of a format.
pub(super) fn parse(text: &[u8]) -> Result<Vec<Piece>, FormatError> {
    Parser {
        text,
        at: 0,
        nesting: 0,
    }
    .pieces(End::Text)
}

struct Parser<'t> {
    text: &'t [u8],
    at: usize,
    nesting: usize,
}

fn escaped(byte: u8) -> u8 {
    match byte {
        b'a' => 0x07,
        b'b' => 0x08,
        b'f' => 0x0c,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 0x0b,
        other => other,
    }
}

impl Parser<'_> {
    fn next(&mut self) -> Option<u8> {
        let byte = self.text.get(self.at).copied();
        self.at += usize::from(byte.is_some());
        byte
    }

    fn takes(&mut self, wanted: u8) -> bool {
        let found = self.text.get(self.at) == Some(&wanted);
        self.at += usize::from(found);
        found
    }

    fn pieces(&mut self, end: End) -> Result<Vec<Piece>, FormatError> {
        self.nesting += 1;
        if self.nesting > MOST_NESTING {
            return fail("it is nested too deeply");
        }
        let mut pieces = Vec::new();
        let mut plain = Vec::new();
        loop {
            let byte = self.next();
            let is_end = match (byte, end) {
                (None, End::Text) | (Some(b']'), End::Bracket) | (Some(b'}'), End::Brace) => true,
                (None, End::Bracket) => return fail("] expected at end of array"),
                (None, End::Brace) => return fail("} expected in expression"),
                (Some(b']'), _) => return fail("unexpected ]"),
                (Some(b'}'), _) => return fail("unexpected }"),
                _ => false,
            };
            let piece = match byte {
                _ if is_end => None,
                Some(b'\\') => {
                    plain.extend(self.next().map(escaped));
                    continue;
                }
                Some(b'%') if self.takes(b'%') => {
                    plain.push(b'%');
                    continue;
                }
                Some(b'%') if self.takes(b'|') => Some(self.condition()?),
                Some(b'%') => Some(Piece::Tag(self.tag()?)),
                Some(b'[') => Some(Piece::Array(self.pieces(End::Bracket)?)),
                Some(other) => {
                    plain.push(other);
                    continue;
                }
                None => None,
            };
            if !plain.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut plain)));
            }
            match piece {
                Some(piece) => pieces.push(piece),
                None => {
                    self.nesting -= 1;
                    return Ok(pieces);
                }
            }
        }
    }

    /// The bytes before one of some bytes, which is taken too.
    fn until(&mut self, ends: &[u8], otherwise: &str) -> Result<(Vec<u8>, u8), FormatError> {
        let mut bytes = Vec::new();
        while let Some(byte) = self.next() {
            if ends.contains(&byte) {
                return Ok((bytes, byte));
            }
            bytes.push(byte);
        }
        fail(otherwise)
    }

    fn tag(&mut self) -> Result<Reference, FormatError> {
        let (field, end) = self.until(b"{%", "missing { after %")?;
        if end != b'{' {
            return fail("missing { after %");
        }
        let (left, digits) = match field.as_slice() {
            [b'-', digits @ ..] => (true, digits),
            digits => (false, digits),
        };
        let width = match std::str::from_utf8(digits) {
            Ok("") => Some(0),
            Ok(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.parse().ok(),
            _ => None,
        };
        let Some(width) = width.filter(|width| *width <= MOST_WIDTH) else {
            return fail("invalid field width");
        };
        let (inside, _) = self.until(b"}", "missing } after %{")?;
        let mut name = inside.as_slice();
        let mut just_one = false;
        let mut count = false;
        if let [b'=', rest @ ..] = name {
            (just_one, name) = (true, rest);
        } else if let [b'#', rest @ ..] = name {
            (just_one, count, name) = (true, true, rest);
        }
        if name.is_empty() {
            return fail("empty tag name");
        }
        let (name, form) = match name.iter().position(|byte| *byte == b':') {
            Some(at) => (
                name.get(..at).unwrap_or_default(),
                name.get(at + 1..).unwrap_or_default(),
            ),
            None => (name, b"string".as_slice()),
        };
        let reference = reference(name, form)?;
        Ok(Reference {
            width,
            left,
            just_one: just_one || reference.just_one,
            count: count || reference.count,
            ..reference
        })
    }

    /// `%|TAG?{...}:{...}|`, its beginning taken.
    fn condition(&mut self) -> Result<Piece, FormatError> {
        let (name, _) = self.until(b"?", "? expected in expression")?;
        if !self.takes(b'{') {
            return fail("{ expected after ? in expression");
        }
        let present = self.pieces(End::Brace)?;
        let missing = if self.takes(b':') {
            if !self.takes(b'{') {
                return fail("{ expected after : in expression");
            }
            self.pieces(End::Brace)?
        } else {
            Vec::new()
        };
        if !self.takes(b'|') {
            return fail("| expected at end of expression");
        }
        Ok(Piece::Condition {
            on: reference(&name, b"string")?,
            present,
            missing,
        })
    }
}

fn reference(name: &[u8], form: &[u8]) -> Result<Reference, FormatError> {
    let name = String::from_utf8_lossy(name).into_owned();
    let form = (form != b"arraysize").then(|| Form::of(form));
    let (Some(source), Some(shape)) = (tag_of(&name), form.unwrap_or(Some(Form::Text))) else {
        return fail(format!("unknown tag: \"{name}\""));
    };
    Ok(Reference {
        source,
        name,
        form: shape,
        width: 0,
        left: false,
        just_one: form.is_none(),
        count: form.is_none(),
    })
}
