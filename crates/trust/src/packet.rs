//! OpenPGP packets as byte ranges (RFC 9580, section 4.2). What is in them is read only when it is needed.

use std::ops::Range;

pub(crate) const SIGNATURE: u8 = 2;
pub(crate) const SECRET_KEY: u8 = 5;
pub(crate) const PUBLIC_KEY: u8 = 6;
pub(crate) const SECRET_SUBKEY: u8 = 7;
pub(crate) const MARKER: u8 = 10;
pub(crate) const TRUST: u8 = 12;
pub(crate) const USER_ID: u8 = 13;
pub(crate) const PUBLIC_SUBKEY: u8 = 14;
pub(crate) const USER_ATTRIBUTE: u8 = 17;
pub(crate) const PADDING: u8 = 21;

/// One packet: its type, where it begins, and where its body is.
pub(crate) struct Packet {
    pub(crate) tag: u8,
    pub(crate) start: usize,
    pub(crate) body: Range<usize>,
}

/// All packets of `bytes`. Partial and indeterminate lengths are for streamed data and never stand in keyrings or
/// signatures, so they are refused.
pub(crate) fn packets(bytes: &[u8]) -> Result<Vec<Packet>, &'static str> {
    let mut packets = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let packet = packet(bytes, at)?;
        at = packet.body.end;
        packets.push(packet);
    }
    Ok(packets)
}

fn packet(bytes: &[u8], at: usize) -> Result<Packet, &'static str> {
    const CUT: &str = "a truncated packet";
    let byte = |offset: usize| bytes.get(at + offset).copied().ok_or(CUT);
    let number = |offset: usize, width: usize| -> Result<usize, &'static str> {
        (offset..offset + width).try_fold(0usize, |n, o| Ok(n << 8 | usize::from(byte(o)?)))
    };
    let header = byte(0)?;
    let (tag, length, start) = match header >> 6 {
        0b11 => match byte(1)? {
            short @ 0..192 => (header & 0x3f, usize::from(short), 2),
            two @ 192..224 => (
                header & 0x3f,
                (usize::from(two - 192) << 8) + usize::from(byte(2)?) + 192,
                3,
            ),
            255 => (header & 0x3f, number(2, 4)?, 6),
            _ => return Err("a packet of partial length"),
        },
        0b10 => {
            let tag = header >> 2 & 0xf;
            match header & 3 {
                0 => (tag, number(1, 1)?, 2),
                1 => (tag, number(1, 2)?, 3),
                2 => (tag, number(1, 4)?, 5),
                _ => return Err("a packet of indeterminate length"),
            }
        }
        _ => return Err("data that is not an OpenPGP packet"),
    };
    let body = at + start;
    let end = body
        .checked_add(length)
        .filter(|&end| end <= bytes.len())
        .ok_or(CUT)?;
    Ok(Packet {
        tag,
        start: at,
        body: body..end,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_old_and_new() {
        let long = [&[0xc2, 0xc1, 0x00][..], &[7; 448]].concat();
        let cases: &[(&[u8], u8, Range<usize>)] = &[
            (&[0xc2, 1, 9], 2, 2..3),
            (&[0xcd, 0], 13, 2..2),
            (&[0x88, 1, 9], 2, 2..3),
            (&[0x99, 0, 1, 9], 6, 3..4),
            (&[0x9a, 0, 0, 0, 1, 9], 6, 5..6),
            (&[0xd1, 255, 0, 0, 0, 2, 9, 9], 17, 6..8),
            (&long, 2, 3..451),
        ];
        for (bytes, tag, body) in cases {
            let found = packets(bytes).unwrap();
            assert_eq!((found.len(), found[0].tag, &found[0].body), (1, *tag, body));
        }
        assert_eq!(packets(&[0xc2, 1, 9, 0x88, 0, 0xcd, 0]).unwrap().len(), 3);
    }

    #[test]
    fn broken_headers() {
        let cases: &[&[u8]] = &[
            &[0x00],
            &[0x7f, 1],
            &[0xc2],
            &[0xc2, 2, 9],
            &[0xc2, 0xe0, 9],
            &[0x8b, 9],
            &[0x99, 0],
            &[0xc2, 255, 255, 255, 255, 255],
            &[0xc2, 1, 9, 0x20],
        ];
        for bytes in cases {
            assert!(packets(bytes).is_err(), "{bytes:?}");
        }
    }
}
