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

#[cfg(test)]
mod tests {
    use super::*;

    const ARMOR: &str = "-----BEGIN PGP SIGNATURE-----\n\nZm9v\n-----END PGP SIGNATURE-----\n";

    fn framed(text: &str) -> Result<Framed, Error> {
        split("it", text.as_bytes())
    }

    fn message(text: &str) -> String {
        format!("-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n{text}{ARMOR}")
    }

    #[test]
    fn texts_and_what_their_signatures_cover() {
        for (text, clear, canonical) in [
            ("", "", ""),
            ("\n", "\n", ""),
            ("a\n", "a\n", "a"),
            ("a\n\nb\n\n", "a\n\nb\n\n", "a\r\n\r\nb\r\n"),
            ("a \t \nb\r\n", "a\nb\n", "a\r\nb"),
            (
                "- -----BEGIN PGP SIGNATURE-----\n- a\n- - b\n",
                "-----BEGIN PGP SIGNATURE-----\na\n- b\n",
                "-----BEGIN PGP SIGNATURE-----\r\na\r\n- b",
            ),
            (" - a\n \n", " - a\n\n", " - a\r\n"),
            (
                "From me\n\u{fc}\u{b}\n",
                "From me\n\u{fc}\u{b}\n",
                "From me\r\n\u{fc}\u{b}",
            ),
        ] {
            let found = framed(&message(text)).unwrap();
            assert_eq!(String::from_utf8_lossy(&found.text), clear);
            assert_eq!(String::from_utf8_lossy(&found.canonical()), canonical);
            assert_eq!(found.signatures, [b"foo"]);
        }
    }

    #[test]
    fn frames_that_apt_takes() {
        let message = message("a\nb\n");
        for text in [
            message.clone(),
            message.replace('\n', "\r\n"),
            message.replace("Hash: SHA512\n", ""),
            message.replace("Hash: SHA512\n", "Hash: SHA256, SHA512\nHash: SHA3-256\n"),
            message.replace("\n\na", "\n \t\na"),
            message.trim_end().to_owned(),
            format!("{message}\n \n"),
            format!("{message}\n{ARMOR}"),
        ] {
            assert_eq!(framed(&text).unwrap().text, b"a\nb\n", "{text}");
        }
    }

    #[test]
    fn frames_that_nobody_should_take() {
        let message = message("a\nb\n");
        let outside = |text: String| {
            assert!(
                matches!(framed(&text), Err(Error::OutsideText { .. })),
                "{text}: {:?}",
                framed(&text)
            );
        };
        outside(format!("\n{message}"));
        outside(format!("Origin: evil\n\n{message}"));
        outside(format!("{message}Origin: evil\n"));
        outside(message.replace(ARMOR, &format!("{ARMOR}x\n{ARMOR}")));

        let broken = |text: String| {
            assert!(
                matches!(framed(&text), Err(Error::Malformed { .. })),
                "{text}: {:?}",
                framed(&text)
            );
        };
        broken(format!("{message}{message}"));
        broken(message.replace("Hash: SHA512\n", "Comment: x\n"));
        broken(message.replace("Hash: SHA512\n", "NotDashEscaped: yes\n"));
        broken(message.replace("Hash: SHA512\n", "Hash: SHA512\rOrigin: evil\n"));
        broken(message.replace("Hash: SHA512\n\n", "Hash: SHA512\n"));
        broken(message.replace("\na\n", "\n-a\n"));
        broken(message.replace("\na\n", "\n-\n"));
        broken(message.replace("\na\n", "\n- \n"));
        broken(message.replace("\na\n", "\n-----BEGIN PGP SIGNED MESSAGE-----\n"));
        broken(message.replace("\na\n", "\na\rOrigin: evil\n"));
        broken(message.replace("\na\n", "\n\ra\n"));
        broken(message.replace("\na\n", "\na\0\n"));
        broken(message.replace("-----END PGP SIGNATURE-----\n", ""));
        broken(message.replace("Zm9v", "Zm9v="));
        broken(message.replace("\n\nZm9v", "\nOrigin evil\n\nZm9v"));
        broken(message.replace("PGP SIGNATURE", "PGP MESSAGE"));
        broken(format!(
            "{message}-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nZm9v\n-----END PGP PUBLIC KEY BLOCK-----\n"
        ));
        broken("-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n".to_owned());

        let unsigned = |text: &str| assert!(matches!(framed(text), Err(Error::NoSignature { .. })), "{text}");
        unsigned("");
        unsigned("Origin: Debian\n");
        unsigned("-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\na\nb\n");
        unsigned(ARMOR);
    }
}
