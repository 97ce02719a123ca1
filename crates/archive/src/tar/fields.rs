//! The fields of a tar header, judged. Reasons are the end of a sentence about the header.

use tar::Header;

/// The sum of the header's bytes with the checksum itself as spaces; some old writers summed signed bytes.
pub fn checksum(header: &Header) -> Result<(), String> {
    let bytes = header.as_bytes();
    let blanked = bytes[..148].iter().chain(&[b' '; 8]).chain(&bytes[156..]);
    let unsigned: i64 = blanked.clone().map(|byte| i64::from(*byte)).sum();
    let signed: i64 = blanked.map(|byte| i64::from(*byte as i8)).sum();
    match header.cksum() {
        Ok(sum) if i64::from(sum) == unsigned || i64::from(sum) == signed => Ok(()),
        Ok(sum) => Err(format!("its checksum is {unsigned}, but it says {sum}")),
        Err(_) => Err("its checksum is no number".to_owned()),
    }
}

/// The size of the content.
pub fn size(header: &Header) -> Result<u64, String> {
    let field: [u8; 12] = field(header, 124);
    match number(&field) {
        Some(size) => u64::try_from(size).map_err(|_| format!("its size is {size}")),
        None => Err("its size is no number".to_owned()),
    }
}

/// The modification time, before 1970 too.
pub fn mtime(header: &Header) -> Result<i64, String> {
    let field: [u8; 12] = field(header, 136);
    number(&field).ok_or_else(|| "its time is no number".to_owned())
}

/// Permission bits.
pub fn mode(header: &Header) -> Result<u32, String> {
    let field: [u8; 8] = field(header, 100);
    let mode = number(&field).ok_or_else(|| "its mode is no number".to_owned())?;
    // Old writers kept the file's type above the permissions.
    Ok((mode & 0o7777) as u32)
}

/// An owner's number.
pub fn uid(header: &Header) -> Result<u32, String> {
    id(&field::<8>(header, 108), "owner")
}

/// A group's number.
pub fn gid(header: &Header) -> Result<u32, String> {
    id(&field::<8>(header, 116), "group")
}

fn id(field: &[u8], what: &str) -> Result<u32, String> {
    let value = number(field).ok_or_else(|| format!("its {what} is no number"))?;
    // The last number means "none" to chown(2).
    u32::try_from(value)
        .ok()
        .filter(|id| *id != u32::MAX)
        .ok_or_else(|| format!("its {what} is {value}"))
}

/// A device's numbers.
pub fn device(header: &Header) -> Result<(u32, u32), String> {
    match (header.device_major(), header.device_minor()) {
        (Ok(Some(major)), Ok(Some(minor))) => Ok((major, minor)),
        _ => Err("its device numbers are missing".to_owned()),
    }
}

/// A name that no path can be.
pub fn name(name: &[u8]) -> Result<(), String> {
    if name.is_empty() {
        return Err("its name is empty".to_owned());
    }
    match name.iter().find(|byte| matches!(byte, b'\n' | 0)) {
        // dpkg's database is made of lines.
        Some(b'\n') => Err("its name has a line end".to_owned()),
        Some(_) => Err("its name has a NUL".to_owned()),
        None => Ok(()),
    }
}

/// The owner's name, where the header has one.
pub fn owner_name(bytes: Option<&[u8]>) -> Option<Vec<u8>> {
    bytes.filter(|name| !name.is_empty()).map(<[u8]>::to_vec)
}

/// What a type letter means, for people.
pub fn type_words(letter: u8) -> String {
    let words = match letter {
        b'x' => "pax extended header",
        b'g' => "pax global header",
        b'S' => "GNU sparse file",
        b'M' => "GNU multi-volume continuation",
        b'D' => "GNU directory dump",
        b'V' => "GNU volume label",
        b'X' => "Solaris extended header",
        _ => "unknown",
    };
    format!("`{}` ({words})", letter.escape_ascii())
}

fn field<const N: usize>(header: &Header, at: usize) -> [u8; N] {
    let mut field = [0; N];
    field.copy_from_slice(&header.as_bytes()[at..at + N]);
    field
}

/// A number in octal digits, or, where the first bit is set, in GNU's base 256, which is a big-endian two's complement.
fn number(field: &[u8]) -> Option<i64> {
    let (first, rest) = field.split_first()?;
    if first & 0x80 == 0 {
        let digits = field
            .split(|byte| matches!(byte, 0 | b' '))
            .find(|part| !part.is_empty())
            .unwrap_or_default();
        return digits.iter().try_fold(0i64, |value, digit| match digit {
            b'0'..=b'7' => value.checked_mul(8)?.checked_add(i64::from(digit - b'0')),
            _ => None,
        });
    }
    // The mark is the sign bit of a positive number only.
    let start = if first & 0x40 == 0 {
        i128::from(first & 0x7f)
    } else {
        i128::from(*first as i8)
    };
    let value = rest.iter().try_fold(start, |value, byte| {
        let value = value.checked_mul(256)?.checked_add(i128::from(*byte))?;
        i64::try_from(value).is_ok().then_some(value)
    })?;
    i64::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn numbers_in_both_spellings() {
        for (field, value) in [
            (&b"0000644\0"[..], Some(0o644)),
            (b"   644 \0", Some(0o644)),
            (b"\0\0\0\0", Some(0)),
            (b"        ", Some(0)),
            (b"0000648\0", None),
            (b"77777777777\0", Some(0o77_777_777_777)),
            (&[0x80, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0], Some(1 << 32)),
            (&[0xff; 12], Some(-1)),
            (
                &[
                    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0,
                ],
                Some(-256),
            ),
            (&[0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0], None),
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
