//! The framing of clear-signed files (RFC 9580, section 7), as strictly as apt reads it: nothing before, nothing
//! after, `Hash` headers only. What is outside the signed part could otherwise be taken for signed.

use crate::Error;
use crate::armor::{self, Outside};

const BEGIN: &[u8] = b"-----BEGIN PGP SIGNED MESSAGE-----";
const SIGNATURE: &[u8] = b"-----BEGIN PGP SIGNATURE-----";

/// A clear-signed file taken apart.
#[derive(Debug)]
pub(crate) struct Framed {
    /// What was signed: without dash escapes and trailing white space, every line ended by one newline.
    pub(crate) text: Vec<u8>,
    /// The signature packets of each armored block.
    pub(crate) signatures: Vec<Vec<u8>>,
}

impl Framed {
    /// The bytes that the signatures cover: lines joined by CR LF, and no line end after the last.
    pub(crate) fn canonical(&self) -> Vec<u8> {
        let text = self.text.strip_suffix(b"\n").unwrap_or(&self.text);
        let mut out = Vec::with_capacity(text.len() + text.len() / 32);
        for (number, line) in text.split(|&b| b == b'\n').enumerate() {
            if number > 0 {
                out.extend_from_slice(b"\r\n");
            }
            out.extend_from_slice(line);
        }
        out
    }
}

/// Whether the file claims to be clear-signed.
pub(crate) fn is_framed(file: &[u8]) -> bool {
    armor::lines(file)
        .next()
        .is_some_and(|line| armor::trim_end(line) == BEGIN)
}

/// Takes a clear-signed file apart.
pub(crate) fn split(name: &str, file: &[u8]) -> Result<Framed, Error> {
    let malformed = |line: usize, what: &str| Error::Malformed {
        name: name.to_owned(),
        reason: format!("{what} at line {line}"),
    };
    if !is_framed(file) {
        return Err(
            match armor::lines(file).position(|line| armor::trim_end(line) == BEGIN) {
                Some(_) => Error::OutsideText {
                    name: name.to_owned(),
                    line: 1,
                },
                None => Error::NoSignature {
                    name: name.to_owned(),
                },
            },
        );
    }
    let mut lines = armor::lines(file)
        .map(armor::trim_end)
        .enumerate()
        .map(|(at, line)| (at + 1, line));
    lines.next();
    loop {
        match lines.next() {
            Some((_, [])) => break,
            Some((_, line)) if is_hash_header(line) => {}
            Some((number, _)) => return Err(malformed(number, "a header other than `Hash`")),
            None => return Err(malformed(1, "a clear-signed message that ends in its headers")),
        }
    }
    let mut text = Vec::with_capacity(file.len());
    let first = loop {
        let Some((number, line)) = lines.next() else {
            return Err(Error::NoSignature {
                name: name.to_owned(),
            });
        };
        if line == SIGNATURE {
            break number - 1;
        }
        // A carriage return amid a line ends a line for some readers and for others not; a NUL ends the text for
        // some. Neither stands in any index.
        if line.iter().any(|b| matches!(b, b'\r' | 0)) {
            return Err(malformed(number, "a control character"));
        }
        match line {
            [b'-', b' ', rest @ ..] => text.extend_from_slice(rest),
            [b'-', ..] => return Err(malformed(number, "a dash that is not escaped")),
            _ => text.extend_from_slice(line),
        }
        text.push(b'\n');
    };
    let blocks =
        armor::blocks(armor::lines(file).skip(first), first, Outside::Refuse).map_err(|e| match e {
            armor::Error::Outside(line) => Error::OutsideText {
                name: name.to_owned(),
                line: line + 1,
            },
            broken => Error::Malformed {
                name: name.to_owned(),
                reason: broken.to_string(),
            },
        })?;
    if let Some(other) = blocks.iter().find(|block| block.label != "SIGNATURE") {
        let reason = format!("an armored {} after the signed text", other.label.to_lowercase());
        return Err(Error::Malformed {
            name: name.to_owned(),
            reason,
        });
    }
    Ok(Framed {
        text,
        signatures: blocks.into_iter().map(|block| block.bytes).collect(),
    })
}

fn is_hash_header(line: &[u8]) -> bool {
    line.strip_prefix(b"Hash:").is_some_and(|value| {
        value
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b' ' | b',' | b'-'))
    })
}
