//! The fields of a tar header, judged as dpkg judges them. Reasons are the end of a sentence about the header.

use tar::Header;

/// Checks the sum of the header's bytes, in which the sum itself counts as spaces, and makes the header one that the
/// `tar` crate takes for ustar or GNU wherever dpkg does: dpkg looks at the magic only, not at the version after it.
pub fn settle(header: &mut Header) -> Result<(), String> {
    let field = header.as_old().cksum;
    let bytes = header.as_bytes();
    let blanked = bytes[..148].iter().chain(&[b' '; 8]).chain(&bytes[156..]);
    let sum: u64 = blanked.map(|byte| u64::from(*byte)).sum();
    match octal(&field) {
        Some(said) if said == sum => {}
        Some(said) => return Err(format!("its checksum is {sum}, but it says {said}")),
        None => return Err("its checksum is no number".to_owned()),
    }
    let (magic, version) = header.as_mut_bytes()[257..265].split_at_mut(6);
    match &*magic {
        b"ustar\0" => version.copy_from_slice(b"00"),
        b"ustar " => version.copy_from_slice(b" \0"),
        _ => {}
    }
    Ok(())
}

/// The size of the content.
pub fn size(header: &Header) -> Result<u64, String> {
    let size = number(&header.as_old().size).ok_or("its size is no number")?;
    u64::try_from(size).map_err(|_| format!("its size is {size}"))
}

/// The modification time, before 1970 too.
pub fn mtime(header: &Header) -> Result<i64, String> {
    number(&header.as_old().mtime).ok_or_else(|| "its time is no number".to_owned())
}

/// Permission bits.
pub fn mode(header: &Header) -> Result<u32, String> {
    let mode = number(&header.as_old().mode).ok_or("its mode is no number")?;
    // Old writers kept the file's type above the permissions.
    Ok((mode & 0o7777) as u32)
}

/// An owner's number.
pub fn uid(header: &Header) -> Result<u32, String> {
    id(&header.as_old().uid, "owner")
}

/// A group's number.
pub fn gid(header: &Header) -> Result<u32, String> {
    id(&header.as_old().gid, "group")
}

fn id(field: &[u8], what: &str) -> Result<u32, String> {
    let value = number(field).ok_or_else(|| format!("its {what} is no number"))?;
    // The last number means "none" to chown(2).
    u32::try_from(value)
        .ok()
        .filter(|id| *id != u32::MAX)
        .ok_or_else(|| format!("its {what} is {value}"))
}

/// A device's numbers, major and minor.
pub fn device(header: &Header) -> Result<(u32, u32), String> {
    let (major, minor) = match (header.as_ustar(), header.as_gnu()) {
        (Some(ustar), _) => (&ustar.dev_major, &ustar.dev_minor),
        (_, Some(gnu)) => (&gnu.dev_major, &gnu.dev_minor),
        _ => return Err("its device numbers are missing".to_owned()),
    };
    let part = |field: &[u8], what: &str| {
        number(field)
            .and_then(|value| u32::try_from(value).ok())
            .ok_or_else(|| format!("its {what} device number is none"))
    };
    Ok((part(major, "major")?, part(minor, "minor")?))
}

/// The owner's name, where the header has one.
pub fn owner_name(bytes: Option<&[u8]>) -> Option<Vec<u8>> {
    bytes.filter(|name| !name.is_empty()).map(<[u8]>::to_vec)
}

/// What a type letter means, for people.
pub fn type_words(letter: u8) -> String {
    let words = match letter {
        b'7' => "contiguous file",
        b'x' => "pax extended header",
        b'g' => "pax global header",
        b'S' => "GNU sparse file",
        b'M' => "GNU multi-volume continuation",
        b'D' => "GNU directory dump",
        b'N' => "old GNU long name",
        b'V' => "GNU volume label",
        b'X' => "Solaris extended header",
        b'A' => "Solaris access control list",
        _ => "unknown",
    };
    format!("`{}` ({words})", letter.escape_ascii())
}

/// A number in octal digits, or in GNU's base 256: a big-endian two's complement whose first byte is a mark, 0x80 for
/// positive numbers and 0xff for negative ones.
fn number(field: &[u8]) -> Option<i64> {
    let start = match field.split_first()? {
        (0x80, rest) => (0, rest),
        (0xff, rest) => (-1, rest),
        _ => return octal(field).and_then(|value| i64::try_from(value).ok()),
    };
    let (sign, rest) = start;
    rest.iter().try_fold(sign, |value: i64, byte| {
        value.checked_mul(256)?.checked_add(i64::from(*byte))
    })
}

/// Octal digits, after spaces, ended by spaces and NULs or by the field's end. A field of NULs is zero.
fn octal(field: &[u8]) -> Option<u64> {
    let begin = field.iter().position(|byte| *byte != b' ')?;
    let text = &field[begin..];
    let (digits, rest) = text.split_at(text.iter().take_while(|byte| byte.is_ascii_digit()).count());
    if !rest.iter().all(|byte| matches!(byte, 0 | b' ')) {
        return None;
    }
    digits.iter().try_fold(0u64, |value, digit| match digit {
        b'0'..=b'7' => value.checked_mul(8)?.checked_add(u64::from(digit - b'0')),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn numbers_in_both_spellings() {
        for (field, value) in [
            (&b"0000644\0"[..], Some(0o644)),
            (b"   644 \0", Some(0o644)),
            (b"00000644", Some(0o644)),
            (b"\0\0\0\0", Some(0)),
            (b"        ", None),
            (b"0000648\0", None),
            (b"12\x003456\0", None),
            (b"-0000001", None),
            (b"77777777777\0", Some(0o77_777_777_777)),
            (&[0x80, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0], Some(1 << 32)),
            (
                &[0x80, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
                Some(i64::MAX),
            ),
            (&[0x80, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0], None),
            (&[0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0], None),
            (&[0x81, 0, 0, 0, 0, 0, 0, 0], None),
            (&[0xff; 12], Some(-1)),
            (
                &[
                    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0,
                ],
                Some(-256),
            ),
            (
                &[0xff, 0xff, 0xff, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0],
                Some(i64::MIN),
            ),
            (&[0xff, 0xff, 0xff, 0xff, 0x7f, 0, 0, 0, 0, 0, 0, 0], None),
            (
                &[
                    0xbf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                ],
                None,
            ),
        ] {
            assert_eq!(number(field), value, "{field:?}");
        }
    }
}
