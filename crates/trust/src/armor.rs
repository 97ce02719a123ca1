//! ASCII armor (RFC 9580, section 6), read line by line and without leniency inside a block.

use std::fmt;

/// One block: what it says it is, and its bytes.
pub(crate) struct Block {
    pub(crate) label: String,
    pub(crate) bytes: Vec<u8>,
}

/// Lines that are not part of any block: harmless round keys that the user chose, refused round signatures.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outside {
    Skip,
    Refuse,
}

#[derive(Debug)]
pub(crate) enum Error {
    /// Text outside the blocks, at this line (from 0).
    Outside(usize),
    /// Something else is wrong at this line (from 0).
    Broken(usize, &'static str),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Outside(line) => write!(f, "text outside the armor at line {}", line + 1),
            Error::Broken(line, what) => write!(f, "{what} at line {}", line + 1),
        }
    }
}

/// A line without its trailing white space, which transports add and take away.
pub(crate) fn trim_end(line: &[u8]) -> &[u8] {
    let end = line
        .iter()
        .rposition(|b| !matches!(b, b' ' | b'\t' | b'\r'))
        .map_or(0, |last| last + 1);
    line.get(..end).unwrap_or_default()
}

/// The lines of a text; a final newline does not begin another line.
pub(crate) fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split_inclusive(|&b| b == b'\n')
        .map(|line| line.strip_suffix(b"\n").unwrap_or(line))
}

fn label<'l>(line: &'l [u8], word: &str) -> Option<&'l str> {
    let line = std::str::from_utf8(trim_end(line)).ok()?;
    line.strip_prefix("-----")?
        .strip_prefix(word)?
        .strip_prefix(" PGP ")?
        .strip_suffix("-----")
}

/// All blocks of a text. The line numbers of errors count from `first`.
pub(crate) fn blocks<'t>(
    lines: impl Iterator<Item = &'t [u8]>,
    first: usize,
    outside: Outside,
) -> Result<Vec<Block>, Error> {
    let mut blocks = Vec::new();
    let mut lines = lines
        .enumerate()
        .map(|(number, line)| (first.saturating_add(number), trim_end(line)));
    while let Some((number, line)) = lines.next() {
        match label(line, "BEGIN") {
            Some(label) => blocks.push(block(label, number, &mut lines)?),
            None if line.is_empty() || outside == Outside::Skip => {}
            None => return Err(Error::Outside(number)),
        }
    }
    Ok(blocks)
}

fn block<'t>(
    begin: &str,
    mut at: usize,
    lines: &mut impl Iterator<Item = (usize, &'t [u8])>,
) -> Result<Block, Error> {
    loop {
        let (number, line) = lines
            .next()
            .ok_or(Error::Broken(at, "armor that ends in its headers"))?;
        at = number;
        if line.is_empty() {
            break;
        }
        let key = line.split(|&b| b == b':').next().unwrap_or_default();
        let is_header = key.len() < line.len()
            && !key.is_empty()
            && key.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-');
        if !is_header {
            return Err(Error::Broken(at, "an armor header that is none"));
        }
    }
    let mut decoder = Base64::default();
    let mut checksum = None;
    loop {
        let (number, line) = lines.next().ok_or(Error::Broken(at, "armor without an end"))?;
        at = number;
        if let Some(end) = label(line, "END") {
            if end != begin {
                return Err(Error::Broken(at, "an armor end of another kind"));
            }
            break;
        }
        if checksum.is_some() {
            return Err(Error::Broken(at, "data after the armor's checksum"));
        }
        match line.strip_prefix(b"=") {
            Some(text) if text.len() == 4 => {
                let mut sum = Base64::default();
                checksum = sum.push(text).and_then(|()| sum.finish());
                if checksum.as_ref().is_none_or(|sum| sum.len() != 3) {
                    return Err(Error::Broken(at, "a malformed armor checksum"));
                }
            }
            _ => decoder
                .push(line)
                .ok_or(Error::Broken(at, "armor that is not base64"))?,
        }
    }
    let bytes = decoder.finish().ok_or(Error::Broken(at, "truncated base64"))?;
    if bytes.is_empty() {
        return Err(Error::Broken(at, "empty armor"));
    }
    if checksum.is_some_and(|sum| sum != crc24(&bytes)) {
        return Err(Error::Broken(at, "a wrong armor checksum"));
    }
    Ok(Block {
        label: begin.to_owned(),
        bytes,
    })
}

/// Strict base64: no character outside the alphabet, padding only at the very end, no stray bits in it.
#[derive(Default)]
struct Base64 {
    out: Vec<u8>,
    bits: u32,
    pending: u8,
    padding: u8,
}

impl Base64 {
    fn push(&mut self, text: &[u8]) -> Option<()> {
        self.out.reserve(text.len() / 4 * 3);
        for &byte in text {
            let value = match byte {
                b'A'..=b'Z' => byte - b'A',
                b'a'..=b'z' => byte - b'a' + 26,
                b'0'..=b'9' => byte - b'0' + 52,
                b'+' => 62,
                b'/' => 63,
                b'=' => {
                    self.padding = self.padding.checked_add(1)?;
                    continue;
                }
                _ => return None,
            };
            if self.padding > 0 {
                return None;
            }
            self.bits = self.bits << 6 | u32::from(value);
            self.pending += 1;
            if self.pending == 4 {
                self.out.extend_from_slice(&self.bits.to_be_bytes()[1..]);
                (self.bits, self.pending) = (0, 0);
            }
        }
        Some(())
    }

    fn finish(mut self) -> Option<Vec<u8>> {
        match (self.pending, self.padding) {
            (0, 0) => {}
            (2, 2) if self.bits & 0xf == 0 => self.out.push((self.bits >> 4) as u8),
            (3, 1) if self.bits & 0x3 == 0 => {
                self.out
                    .extend_from_slice(&((self.bits >> 2) as u16).to_be_bytes());
            }
            _ => return None,
        }
        Some(self.out)
    }
}

/// RFC 9580, section 6.1.1: not a protection, it tells a damaged transfer from a wrong signature.
fn crc24(bytes: &[u8]) -> [u8; 3] {
    let mut crc: u32 = 0xb7_04ce;
    for &byte in bytes {
        crc ^= u32::from(byte) << 16;
        for _ in 0..8 {
            crc <<= 1;
            if crc & 0x100_0000 != 0 {
                crc ^= 0x186_4cfb;
            }
        }
    }
    let [_, high, middle, low] = crc.to_be_bytes();
    [high, middle, low]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(text: &str) -> Option<Vec<u8>> {
        let mut decoder = Base64::default();
        decoder.push(text.as_bytes())?;
        decoder.finish()
    }

    #[test]
    fn base64_is_strict() {
        for (text, bytes) in [
            ("", ""),
            ("Zg==", "f"),
            ("Zm8=", "fo"),
            ("Zm9v", "foo"),
            ("Zm9vYg==", "foob"),
        ] {
            assert_eq!(decode(text).as_deref(), Some(bytes.as_bytes()), "{text}");
        }
        for text in [
            "Z", "Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "Z=g=", "Zm9v=", "Zm 9", "Zm9v====", "Zg==Zg==",
            "Zm9-",
        ] {
            assert_eq!(decode(text), None, "{text}");
        }
    }

    #[test]
    fn the_checksum_of_the_standard() {
        assert_eq!(crc24(b""), [0xb7, 0x04, 0xce]);
        assert_eq!(crc24(b"123456789"), [0x21, 0xcf, 0x02]);
    }

    fn all(text: &str, outside: Outside) -> Result<Vec<Vec<u8>>, Error> {
        Ok(blocks(lines(text.as_bytes()), 0, outside)?
            .into_iter()
            .map(|b| b.bytes)
            .collect())
    }

    #[test]
    fn blocks_and_what_is_round_them() {
        let one = "-----BEGIN PGP SIGNATURE-----\nVersion: 1\n\nZm9v\n-----END PGP SIGNATURE-----\n";
        let sum = "-----BEGIN PGP SIGNATURE-----\r\n\r\nMTIz\r\nNDU2\r\nNzg5\r\n=Ic8C\r\n-----END PGP SIGNATURE-----\r\n";
        assert_eq!(all(one, Outside::Refuse).unwrap(), [b"foo"]);
        assert_eq!(
            all(&format!("{one}\n{sum}"), Outside::Refuse).unwrap(),
            [&b"foo"[..], b"123456789"]
        );
        assert_eq!(all(&format!("a key\n{one}"), Outside::Skip).unwrap(), [b"foo"]);
        assert!(matches!(
            all(&format!("\na key\n{one}"), Outside::Refuse),
            Err(Error::Outside(1))
        ));
        assert!(matches!(
            all(&format!("{one}x"), Outside::Refuse),
            Err(Error::Outside(5))
        ));
    }

    #[test]
    fn broken_blocks() {
        let sum = "-----BEGIN PGP SIGNATURE-----\n\nMTIzNDU2Nzg5\n=Ic8C\n-----END PGP SIGNATURE-----\n";
        all(sum, Outside::Refuse).unwrap();
        for (from, to) in [
            ("=Ic8C", "=Ic8D"),
            ("=Ic8C", "=Ic8"),
            ("=Ic8C", "=Ic8C\n=Ic8C"),
            ("=Ic8C", "=Ic8C\nMTIz"),
            ("MTIzNDU2Nzg5\n=Ic8C\n", ""),
            ("Nzg5", "Nzg"),
            ("\n\n", "\n"),
            ("\n\n", "\nno header\n\n"),
            ("\n\n", "\n: x\n\n"),
            ("END PGP SIGNATURE", "END PGP MESSAGE"),
            ("-----END PGP SIGNATURE-----\n", ""),
            ("-----END PGP SIGNATURE-----\n", "-----END PGP SIGNATURE----\n"),
            ("\n\nMTIzNDU2Nzg5\n=Ic8C\n-----END PGP SIGNATURE-----\n", "\n"),
        ] {
            let text = sum.replacen(from, to, 1);
            assert!(
                matches!(all(&text, Outside::Refuse), Err(Error::Broken(..))),
                "{text}"
            );
        }
    }
}
