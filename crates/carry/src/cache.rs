//! `/etc/ld.so.cache`: where ldconfig(8) has found libraries (glibc's sysdeps/generic/dl-cache.h).
//!
//! There are two formats. Before glibc 2.32 the one with `ld.so-1.7.0` came first, with the other one after it in the same
//! file; since then `glibc-ld.so.cache1.1` stands alone.

use std::cmp::Ordering;

const OLD: &[u8] = b"ld.so-1.7.0\0";
const NEW: &[u8] = b"glibc-ld.so.cache1.1";
/// The new format's header, with what is reserved in it.
const HEADER: usize = 48;
/// One entry of the new format.
const ENTRY: usize = 24;
/// One entry of the old format.
const OLD_ENTRY: usize = 12;
/// How many libraries a cache may list: fifty times what a large system has.
const MOST: usize = 1 << 18;

/// A library in a cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The name by which it is asked for, its DT_SONAME.
    pub name: Vec<u8>,
    /// Its path.
    pub path: Vec<u8>,
    /// Its type and ABI (FLAG_ELF_LIBC6 and those of the machine).
    pub flags: i32,
}

/// Why a file is no cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is no cache of libraries, or a broken one")]
pub struct Malformed;

/// Reads a cache of either format and byte order, in the order of its entries.
///
/// # Errors
/// [`Malformed`].
pub fn read(bytes: &[u8]) -> Result<Vec<Entry>, Malformed> {
    if bytes.starts_with(NEW) {
        return read_new(bytes);
    }
    if !bytes.starts_with(OLD) {
        return Err(Malformed);
    }
    let (count, big_endian) = count(bytes, OLD.len(), OLD_ENTRY)?;
    let end = OLD.len() + 4 + count * OLD_ENTRY;
    // The new format begins at the next multiple of eight, with strings for both.
    let aligned = end.next_multiple_of(8);
    match bytes.get(aligned..) {
        Some(rest) if rest.starts_with(NEW) => read_new(rest),
        _ => {
            let strings = bytes.get(end..).ok_or(Malformed)?;
            let start = OLD.len() + 4;
            (0..count)
                .map(|number| entry(bytes, start + number * OLD_ENTRY, strings, big_endian))
                .collect()
        }
    }
}

fn read_new(bytes: &[u8]) -> Result<Vec<Entry>, Malformed> {
    let (count, big_endian) = count(bytes, NEW.len(), ENTRY)?;
    // Offsets of strings count from the header's first byte.
    (0..count)
        .map(|number| entry(bytes, HEADER + number * ENTRY, bytes, big_endian))
        .collect()
}

/// How many entries there are, and in which byte order: the one in which they fit into the file.
fn count(bytes: &[u8], at: usize, size: usize) -> Result<(usize, bool), Malformed> {
    for big_endian in [false, true] {
        let count = usize::try_from(number(bytes, at, big_endian)?).map_err(|_| Malformed)?;
        if count <= MOST && count * size <= bytes.len() {
            return Ok((count, big_endian));
        }
    }
    Err(Malformed)
}

fn number(bytes: &[u8], at: usize, big_endian: bool) -> Result<u32, Malformed> {
    let four = bytes
        .get(at..)
        .and_then(|rest| rest.first_chunk::<4>())
        .ok_or(Malformed)?;
    Ok(if big_endian {
        u32::from_be_bytes(*four)
    } else {
        u32::from_le_bytes(*four)
    })
}

fn entry(bytes: &[u8], at: usize, strings: &[u8], big_endian: bool) -> Result<Entry, Malformed> {
    let text = |at: usize| -> Result<Vec<u8>, Malformed> {
        let offset = usize::try_from(number(bytes, at, big_endian)?).map_err(|_| Malformed)?;
        let rest = strings.get(offset..).ok_or(Malformed)?;
        let end = memchr::memchr(0, rest)
            .filter(|end| *end <= 4096)
            .ok_or(Malformed)?;
        Ok(rest.get(..end).ok_or(Malformed)?.to_vec())
    };
    Ok(Entry {
        flags: i32::from_ne_bytes(number(bytes, at, big_endian)?.to_ne_bytes()),
        name: text(at + 4)?,
        path: text(at + 8)?,
    })
}

/// Writes a cache in the new format, as the loader searches it: by bisection, so the order is part of it.
pub fn write(entries: &[Entry], big_endian: bool) -> Vec<u8> {
    let mut sorted: Vec<&Entry> = entries.iter().collect();
    sorted.sort_by(|a, b| compare(&b.name, &a.name).then_with(|| b.flags.cmp(&a.flags)));
    let put = |out: &mut Vec<u8>, number: u32| {
        out.extend(if big_endian {
            number.to_be_bytes()
        } else {
            number.to_le_bytes()
        });
    };
    let small = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let mut strings = Vec::new();
    let first = HEADER + sorted.len() * ENTRY;
    let mut rows = Vec::new();
    for entry in sorted.iter() {
        put(&mut rows, u32::from_ne_bytes(entry.flags.to_ne_bytes()));
        for text in [&entry.name, &entry.path] {
            put(&mut rows, small(first + strings.len()));
            strings.extend_from_slice(text);
            strings.push(0);
        }
        // The kernel's version and the capabilities that it needs: none.
        rows.extend_from_slice(&[0; 12]);
    }
    let mut out = NEW.to_vec();
    put(&mut out, small(sorted.len()));
    put(&mut out, small(strings.len()));
    // cache_file_new_flags_endian_little and _big.
    out.extend_from_slice(&[if big_endian { 3 } else { 2 }, 0, 0, 0]);
    out.resize(HEADER, 0);
    out.extend(rows);
    out.extend(strings);
    out
}

/// The order of names: numbers in them count as numbers (_dl_cache_libcmp).
fn compare(mut one: &[u8], mut other: &[u8]) -> Ordering {
    while let Some((a, a_rest)) = one.split_first() {
        let b = other.first().copied().unwrap_or(0);
        match (a.is_ascii_digit(), b.is_ascii_digit()) {
            (true, true) => {
                let (x, x_rest) = leading(one);
                let (y, y_rest) = leading(other);
                if x != y {
                    return x.cmp(&y);
                }
                (one, other) = (x_rest, y_rest);
            }
            (true, false) => return Ordering::Greater,
            (false, true) => return Ordering::Less,
            (false, false) if *a != b => return a.cmp(&b),
            (false, false) => {
                one = a_rest;
                other = other.get(1..).unwrap_or_default();
            }
        }
    }
    if other.is_empty() {
        Ordering::Equal
    } else {
        Ordering::Less
    }
}

fn leading(text: &[u8]) -> (u64, &[u8]) {
    let end = text
        .iter()
        .position(|byte| !byte.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    let value = digits.iter().fold(0_u64, |value, digit| {
        value.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'))
    });
    (value, rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries() -> Vec<Entry> {
        ["libz.so.1", "libc.so.6", "libfoo.so.10", "libfoo.so.9", "a"]
            .map(|name| Entry {
                name: name.into(),
                path: format!("/opt/{name}").into(),
                flags: 0x0303,
            })
            .to_vec()
    }

    #[test]
    fn what_is_written_is_read_in_both_byte_orders() {
        for big_endian in [false, true] {
            let read = read(&write(&entries(), big_endian)).unwrap();
            let names: Vec<_> = read
                .iter()
                .map(|entry| String::from_utf8_lossy(&entry.name).into_owned())
                .collect();
            assert_eq!(
                names,
                ["libz.so.1", "libfoo.so.10", "libfoo.so.9", "libc.so.6", "a"]
            );
            assert!(
                read.iter()
                    .all(|entry| entry.flags == 0x0303 && entry.path.starts_with(b"/opt/"))
            );
        }
        assert_eq!(read(&write(&[], false)), Ok(Vec::new()));
    }

    #[test]
    fn the_old_format_alone_and_with_the_new_one_after_it() {
        let mut old = OLD.to_vec();
        old.extend(1_u32.to_le_bytes());
        for number in [3_u32, 0, 10] {
            old.extend(number.to_le_bytes());
        }
        old.extend(b"libc.so.6\0/lib/libc.so.6\0");
        let read_old = read(&old).unwrap();
        assert_eq!(read_old.len(), 1);
        assert_eq!(read_old[0].path, b"/lib/libc.so.6");
        let mut both = OLD.to_vec();
        both.extend(0_u32.to_le_bytes());
        both.extend(write(&entries(), false));
        assert_eq!(read(&both).unwrap().len(), 5);
    }

    #[test]
    fn what_is_none() {
        let whole = write(&entries(), false);
        for length in 0..whole.len() {
            assert_eq!(read(&whole[..length]), Err(Malformed), "{length}");
        }
        let mut many = whole.clone();
        many[20..24].copy_from_slice(&[0xff; 4]);
        assert_eq!(read(&many), Err(Malformed));
    }

    #[test]
    fn names_compare_as_the_loader_compares_them() {
        for (one, other, order) in [
            ("libfoo.so.10", "libfoo.so.9", Ordering::Greater),
            ("libfoo.so.1", "libfoo.so.1", Ordering::Equal),
            ("libfoo.so", "libfoo.so.1", Ordering::Less),
            ("lib1", "liba", Ordering::Greater),
        ] {
            assert_eq!(compare(one.as_bytes(), other.as_bytes()), order, "{one} {other}");
        }
    }
}
