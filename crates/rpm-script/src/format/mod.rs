//! Query formats: texts into which a header's tags are filled (rpm(8), "--queryformat"; rpm's lib/headerfmt.c, lib/formats.c).

mod parse;
mod value;

use bareroot_rpm::Header;

use parse::{Piece, Reference};
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
    let mut out = Vec::new();
    for piece in &pieces {
        fill(header, piece, 0, &mut out)?;
    }
    Ok(out)
}

fn fill(header: &Header, piece: &Piece, element: usize, out: &mut Vec<u8>) -> Result<(), FormatError> {
    if out.len() > MOST_BYTES {
        return fail("the text becomes too large");
    }
    match piece {
        Piece::Text(text) => out.extend_from_slice(text),
        Piece::Tag(reference) => tag(header, reference, element, out),
        Piece::Condition { on, present, missing } => {
            let pieces = match Values::of(header, on).is_empty() {
                false => present,
                true => missing,
            };
            for piece in pieces {
                fill(header, piece, element, out)?;
            }
        }
        Piece::Array(pieces) => {
            let mut count = None;
            for piece in pieces {
                let Piece::Tag(reference) = piece else { continue };
                if reference.just_one || reference.count {
                    continue;
                }
                let values = Values::of(header, reference);
                if values.is_empty() {
                    continue;
                }
                match count {
                    Some(count) if count != values.len() => {
                        return fail("array iterator used with different sized arrays");
                    }
                    _ => count = Some(values.len()),
                }
            }
            for element in 0..count.unwrap_or(0) {
                for piece in pieces {
                    fill(header, piece, element, out)?;
                }
            }
        }
    }
    Ok(())
}

fn tag(header: &Header, reference: &Reference, element: usize, out: &mut Vec<u8>) {
    let values = Values::of(header, reference);
    let text = if reference.count {
        values.len().to_string().into_bytes()
    } else {
        let element = if reference.just_one { 0 } else { element };
        values.formatted(element, reference)
    };
    let missing = reference.width.saturating_sub(text.len());
    if reference.left {
        out.extend_from_slice(&text);
        out.resize(out.len() + missing, b' ');
    } else {
        out.resize(out.len() + missing, b' ');
        out.extend_from_slice(&text);
    }
}

#[cfg(test)]
mod tests;
