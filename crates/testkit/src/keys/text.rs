/// The bytes that a clear-signed message's signature is over: lines without trailing white space, joined by CR LF.
pub(super) fn canonical(text: &[u8]) -> Vec<u8> {
    lines(text).collect::<Vec<_>>().join(&b"\r\n"[..])
}

fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    text.split(|&b| b == b'\n').map(|line| {
        let end = line
            .iter()
            .rposition(|b| !matches!(b, b' ' | b'\t' | b'\r'))
            .map_or(0, |last| last + 1);
        &line[..end]
    })
}

/// A clear-signed message: the text, dashes escaped, and an armored block for each of these runs of signature packets.
pub fn clear_signed(text: &[u8], blocks: &[Vec<u8>]) -> Vec<u8> {
    let mut out = b"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n".to_vec();
    for line in lines(text) {
        if line.starts_with(b"-") {
            out.extend_from_slice(b"- ");
        }
        out.extend_from_slice(line);
        out.push(b'\n');
    }
    for block in blocks {
        out.extend_from_slice(armor("SIGNATURE", block).as_bytes());
    }
    out
}

/// An armored block: `label` is `SIGNATURE`, `PUBLIC KEY BLOCK` or whatever else.
pub fn armor(label: &str, bytes: &[u8]) -> String {
    let mut out = format!("-----BEGIN PGP {label}-----\n\n");
    for line in bytes.chunks(48) {
        for group in line.chunks(3) {
            let bits = group
                .iter()
                .chain([0, 0].iter())
                .take(3)
                .fold(0u32, |bits, b| bits << 8 | u32::from(*b));
            for place in 0..4 {
                let value = (bits >> (18 - 6 * place) & 63) as u8;
                out.push(match value {
                    _ if place > group.len() => '=',
                    0..26 => (b'A' + value) as char,
                    26..52 => (b'a' + value - 26) as char,
                    52..62 => (b'0' + value - 52) as char,
                    62 => '+',
                    _ => '/',
                });
            }
        }
        out.push('\n');
    }
    out + &format!("-----END PGP {label}-----\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64() {
        let text = |bytes: &[u8]| armor("X", bytes).lines().nth(2).unwrap().to_owned();
        assert_eq!(text(b"f"), "Zg==");
        assert_eq!(text(b"fo"), "Zm8=");
        assert_eq!(text(b"foobar"), "Zm9vYmFy");
        assert_eq!(text(&[0xff, 0xff, 0xfe]), "///+");
    }

    #[test]
    fn canonical_text() {
        assert_eq!(canonical(b"a \n-b\t\n\nc\r\n"), b"a\r\n-b\r\n\r\nc");
        assert_eq!(
            clear_signed(b"a\n-b\n", &[]),
            b"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\na\n- -b\n"
        );
    }
}
