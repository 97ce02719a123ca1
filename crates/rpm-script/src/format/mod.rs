//! Query formats: texts into which a header's tags are filled (rpm(8), "--queryformat"; rpm's lib/headerfmt.c, lib/formats.c).

mod parse;
mod value;

use std::collections::HashMap;
use std::rc::Rc;

use bareroot_rpm::Header;

use parse::{Piece, Reference, Source};
use value::Values;

/// How many bytes a text may become.
const MOST_BYTES: usize = 16 << 20;

/// Why a format cannot be filled in. The words are rpm's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormatError(String);

impl std::fmt::Display for FormatError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "incorrect format: {}", self.0)
    }
}

impl std::error::Error for FormatError {}

fn fail<T>(text: impl Into<String>) -> Result<T, FormatError> {
    Err(FormatError(text.into()))
}

/// A text with the tags of a header filled in.
///
/// # Errors
/// [`FormatError`] for what is no format: a tag that is not known, brackets that are left open, arrays of different sizes.
pub fn format(header: &Header, text: &[u8]) -> Result<Vec<u8>, FormatError> {
    let pieces = parse::parse(text)?;
    let mut filler = Filler {
        header,
        known: HashMap::new(),
        out: Vec::new(),
    };
    for piece in &pieces {
        filler.fill(piece, 0)?;
    }
    Ok(filler.out)
}

struct Filler<'h> {
    header: &'h Header,
    /// Tags that were asked for: an array asks for its tags once for each element.
    known: HashMap<Source, Rc<Values>>,
    out: Vec<u8>,
}

impl Filler<'_> {
    fn values(&mut self, reference: &Reference) -> Rc<Values> {
        let header = self.header;
        let known = self.known.entry(reference.source);
        Rc::clone(known.or_insert_with(|| Rc::new(Values::of(header, reference.source))))
    }

    fn fill(&mut self, piece: &Piece, element: usize) -> Result<(), FormatError> {
        if self.out.len() > MOST_BYTES {
            return fail("the text becomes too large");
        }
        match piece {
            Piece::Text(text) => self.out.extend_from_slice(text),
            Piece::Tag(reference) => self.tag(reference, element),
            Piece::Condition { on, present, missing } => {
                let pieces = match self.values(on).is_empty() {
                    false => present,
                    true => missing,
                };
                for piece in pieces {
                    self.fill(piece, element)?;
                }
            }
            Piece::Array(pieces) => {
                for element in 0..self.count(pieces)? {
                    for piece in pieces {
                        self.fill(piece, element)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// How many elements the tags of an array have.
    fn count(&mut self, pieces: &[Piece]) -> Result<usize, FormatError> {
        let mut count = None;
        for piece in pieces {
            let Piece::Tag(reference) = piece else { continue };
            if reference.just_one || reference.count {
                continue;
            }
            let length = self.values(reference).len();
            if length == 0 {
                continue;
            }
            if count.is_some_and(|count| count != length) {
                return fail("array iterator used with different sized arrays");
            }
            count = Some(length);
        }
        Ok(count.unwrap_or(0))
    }

    fn tag(&mut self, reference: &Reference, element: usize) {
        let values = self.values(reference);
        let text = if reference.count && !values.is_empty() {
            values.len().to_string().into_bytes()
        } else {
            let element = if reference.just_one { 0 } else { element };
            values.formatted(element, reference)
        };
        let out = &mut self.out;
        let missing = reference.width.saturating_sub(text.len());
        if reference.left {
            out.extend_from_slice(&text);
            out.resize(out.len() + missing, b' ');
        } else {
            out.resize(out.len() + missing, b' ');
            out.extend_from_slice(&text);
        }
    }
}

#[cfg(test)]
mod tests;
