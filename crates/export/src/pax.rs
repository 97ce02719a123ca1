//! Headers as GNU tar writes them with `--format=pax`: a ustar header, and before it, where that cannot hold everything,
//! an extended header with the rest as records.

use std::io::Write as _;

use tar::{EntryType, Header};

/// Bytes of a header, and what everything in an archive is a multiple of.
pub(crate) const BLOCK: u64 = 512;
/// The fields for a name and for a link's text.
const NAME: usize = 100;
/// The largest number of seven octal digits: owner, group, device.
const SEVEN_DIGITS: u64 = 0o7_777_777;
/// The largest number of eleven octal digits: size, time.
const ELEVEN_DIGITS: u64 = 0o77_777_777_777;

/// What a header says.
#[derive(Clone, Debug)]
pub(crate) struct Member<'a> {
    /// `./usr/bin/sh`; a directory's ends in a slash.
    pub name: &'a [u8],
    pub kind: EntryType,
    /// Permission bits with setuid, setgid and sticky.
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    /// Bytes of content that follow.
    pub size: u64,
    /// Seconds since 1970 and nanoseconds.
    pub mtime: (i64, u32),
    /// A symbolic link's text, or the name of the member that a hard link is the same file as.
    pub link: &'a [u8],
    /// Major and minor number of a device.
    pub device: Option<(u32, u32)>,
    /// Extended attributes, in order.
    pub xattrs: &'a [(Vec<u8>, Vec<u8>)],
    /// The modification time of the extended header itself.
    pub header_mtime: i64,
}

impl Member<'_> {
    /// The header, after its extended header where it needs one.
    pub(crate) fn headers(&self) -> Vec<u8> {
        let records = self.records();
        let mut bytes = Vec::with_capacity(3 * BLOCK as usize);
        if !records.is_empty() {
            let header = Fields {
                name: &extended_name(self.name),
                kind: EntryType::XHeader,
                mode: 0o644,
                uid: 0,
                gid: 0,
                size: records.len() as u64,
                // What the field cannot hold is not worth a record.
                mtime: u64::try_from(self.header_mtime).unwrap_or(0).min(ELEVEN_DIGITS),
                link: b"",
                device: None,
            };
            bytes.extend_from_slice(&header.block());
            bytes.extend_from_slice(&records);
            bytes.resize(bytes.len().next_multiple_of(BLOCK as usize), 0);
        }
        let (seconds, _) = self.mtime;
        let header = Fields {
            name: self.name,
            kind: self.kind,
            mode: self.mode,
            uid: small(self.uid.into(), SEVEN_DIGITS),
            gid: small(self.gid.into(), SEVEN_DIGITS),
            size: small(self.size, ELEVEN_DIGITS),
            mtime: u64::try_from(seconds).map_or(0, |seconds| small(seconds, ELEVEN_DIGITS)),
            link: self.link,
            device: Some(self.device.unwrap_or_default()),
        };
        bytes.extend_from_slice(&header.block());
        bytes
    }

    /// What the header has no room for.
    fn records(&self) -> Vec<u8> {
        let mut records = Vec::new();
        if self.link.len() > NAME {
            record(&mut records, b"linkpath", self.link);
        }
        // What is not ASCII is a record, for there its encoding is defined. GNU tar does so for names, not for links.
        if self.name.len() > NAME || !self.name.is_ascii() {
            record(&mut records, b"path", self.name);
        }
        for (keyword, id) in [(b"uid", self.uid), (b"gid", self.gid)] {
            if u64::from(id) > SEVEN_DIGITS {
                record(&mut records, keyword, id.to_string().as_bytes());
            }
        }
        if self.size > ELEVEN_DIGITS {
            record(&mut records, b"size", self.size.to_string().as_bytes());
        }
        let (seconds, nanoseconds) = self.mtime;
        if nanoseconds != 0 || u64::try_from(seconds).map_or(true, |seconds| seconds > ELEVEN_DIGITS) {
            record(&mut records, b"mtime", decimal(seconds, nanoseconds).as_bytes());
        }
        for (name, value) in self.xattrs {
            record(&mut records, &xattr_keyword(name), value);
        }
        records
    }
}

/// A number that its field can hold; else 0, and a record has it.
fn small(number: u64, largest: u64) -> u64 {
    if number > largest { 0 } else { number }
}

/// `LENGTH KEYWORD=VALUE\n`, where the length counts itself.
fn record(records: &mut Vec<u8>, keyword: &[u8], value: &[u8]) {
    let rest = keyword.len() + value.len() + 3;
    let mut length = rest;
    while length != rest + length.to_string().len() {
        length = rest + length.to_string().len();
    }
    records.extend_from_slice(length.to_string().as_bytes());
    records.push(b' ');
    records.extend_from_slice(keyword);
    records.push(b'=');
    records.extend_from_slice(value);
    records.push(b'\n');
}

/// A time as a decimal number, as exact as it is: `1.5`, and `-1.5` for a second and a half before 1970.
fn decimal(seconds: i64, nanoseconds: u32) -> String {
    if nanoseconds == 0 {
        return seconds.to_string();
    }
    let total = i128::from(seconds) * 1_000_000_000 + i128::from(nanoseconds);
    let sign = if total < 0 { "-" } else { "" };
    let total = total.unsigned_abs();
    let (whole, fraction) = (total / 1_000_000_000, total % 1_000_000_000);
    let digits = format!("{fraction:09}");
    format!("{sign}{whole}.{}", digits.trim_end_matches('0'))
}

/// `SCHILY.xattr.NAME`. A keyword ends at the first `=`, so that one in a name is written as GNU tar writes it.
fn xattr_keyword(name: &[u8]) -> Vec<u8> {
    let mut keyword = b"SCHILY.xattr.".to_vec();
    for &byte in name {
        match byte {
            b'=' => keyword.extend_from_slice(b"%3D"),
            b'%' => keyword.extend_from_slice(b"%25"),
            byte => keyword.push(byte),
        }
    }
    keyword
}

/// `DIRECTORY/PaxHeaders/NAME`, which tools that know no pax make of an extended header.
fn extended_name(name: &[u8]) -> Vec<u8> {
    let trimmed = name.strip_suffix(b"/").unwrap_or(name);
    let (directory, last) = match trimmed.iter().rposition(|&byte| byte == b'/') {
        Some(slash) => (
            trimmed.get(..slash).unwrap_or_default(),
            trimmed.get(slash + 1..).unwrap_or_default(),
        ),
        None => (&b"."[..], trimmed),
    };
    [directory, b"/PaxHeaders/", last].concat()
}

/// The fields of a ustar header, each small enough.
struct Fields<'a> {
    name: &'a [u8],
    kind: EntryType,
    mode: u32,
    uid: u64,
    gid: u64,
    size: u64,
    mtime: u64,
    link: &'a [u8],
    device: Option<(u32, u32)>,
}

impl Fields<'_> {
    fn block(&self) -> [u8; BLOCK as usize] {
        let mut header = Header::new_ustar();
        header.set_entry_type(self.kind);
        header.set_mode(self.mode);
        header.set_uid(self.uid);
        header.set_gid(self.gid);
        header.set_size(self.size);
        header.set_mtime(self.mtime);
        if let Some(ustar) = header.as_ustar_mut() {
            cut(&mut ustar.name, self.name);
            cut(&mut ustar.linkname, self.link);
            if let Some((major, minor)) = self.device {
                ustar.set_device_major(major);
                ustar.set_device_minor(minor);
            }
        }
        sum(&mut header);
        *header.as_bytes()
    }
}

/// As much as the field has room for.
fn cut(field: &mut [u8], bytes: &[u8]) {
    let length = bytes.len().min(field.len());
    if let (Some(to), Some(from)) = (field.get_mut(..length), bytes.get(..length)) {
        to.copy_from_slice(from);
    }
}

/// The checksum as every tar but the `tar` crate writes it: six digits, NUL, space.
fn sum(header: &mut Header) {
    header.set_cksum();
    let sum: u32 = {
        let old = header.as_old_mut();
        old.cksum = *b"        ";
        header.as_bytes().iter().map(|&byte| u32::from(byte)).sum()
    };
    let field = &mut header.as_old_mut().cksum;
    // Six digits hold 512 times 255.
    let _ = write!(&mut field[..], "{sum:06o}\0 ");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_count_themselves() {
        let mut records = Vec::new();
        record(&mut records, b"a", b"b");
        assert_eq!(records, b"6 a=b\n");
        for (value, length) in [(4, 9), (5, 11), (93, 99), (94, 101), (992, 999), (993, 1001)] {
            records.clear();
            record(&mut records, b"k", &vec![b'v'; value]);
            let said: usize = std::str::from_utf8(records.split(|&b| b == b' ').next().unwrap())
                .unwrap()
                .parse()
                .unwrap();
            assert_eq!((said, records.len()), (records.len(), said));
            assert_eq!(said, length, "{value}");
        }
    }

    #[test]
    fn times_as_decimals() {
        for (time, words) in [
            ((1, 500_000_000), "1.5"),
            ((-2, 500_000_000), "-1.5"),
            ((-1, 999_999_999), "-0.000000001"),
            ((0, 1), "0.000000001"),
            ((-5, 0), "-5"),
            ((1_795_657_304, 725_038_361), "1795657304.725038361"),
        ] {
            assert_eq!(decimal(time.0, time.1), words);
        }
    }

    #[test]
    fn names_of_extended_headers() {
        for (name, expected) in [
            (&b"./"[..], &b"./PaxHeaders/."[..]),
            (b"./a", b"./PaxHeaders/a"),
            (b"./a/b/", b"./a/PaxHeaders/b"),
        ] {
            assert_eq!(extended_name(name), expected);
        }
    }
}
