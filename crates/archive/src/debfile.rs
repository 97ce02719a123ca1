//! The outer container of a .deb file (deb(5)): an ar archive whose members are `debian-binary`, `control.tar` and
//! `data.tar`, in this order.
//!
//! The sixty bytes of an ar header are read here and not by the `ar` crate: only offsets are wanted, and the crate
//! allocates what a hostile header declares.

use std::io::{Read, Seek, SeekFrom};

use crate::{Compression, Error};

/// Where the two archives of a .deb file are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DebLayout {
    /// `control.tar`.
    pub control: Member,
    /// `data.tar`.
    pub data: Member,
}

/// A member of the container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its first byte in the file.
    pub offset: u64,
    /// Its length in bytes; the file has them all.
    pub size: u64,
    /// How it is compressed, by its name.
    pub compression: Compression,
}

const MAGIC: &[u8; 8] = b"!<arch>\n";
const HEADER: u64 = 60;

/// `2.0` and its line end take four bytes; a member that is much longer is none.
const VERSION_LIMIT: u64 = 64;

/// Members whose name begins with an underscore may stand before `data.tar` and are passed over (deb(5)); a few, not
/// thousands.
const EXTRA_LIMIT: usize = 16;

/// Finds the two archives in a .deb file of `length` bytes.
///
/// Members after `data.tar` are ignored, as deb(5) has it.
///
/// # Errors
/// [`Error::NotADeb`] for whatever is no .deb of format 2, [`Error::Truncated`] when a member is longer than the file,
/// [`Error::Read`].
pub fn deb_members(mut file: impl Read + Seek, length: u64) -> Result<DebLayout, Error> {
    let mut magic = [0; 8];
    fill(&mut file, &mut magic, "the ar magic")?;
    if &magic != MAGIC {
        return Err(not(format!(
            "it does not begin with `!<arch>`, but with `{}`",
            magic.escape_ascii()
        )));
    }
    let mut at = MAGIC.len() as u64;
    let first = header(&mut file, at, length)?;
    if first.name != "debian-binary" {
        return Err(not(format!(
            "its first member is `{}` instead of `debian-binary`",
            first.name
        )));
    }
    version(&mut file, &first)?;
    at = first.end()?;
    let control = next(&mut file, &mut at, length)?;
    let control = match control.name.strip_prefix("control.tar") {
        // dpkg-deb(1): control.tar can be plain, gz, xz or zst.
        Some(extension) if ["", ".gz", ".xz", ".zst"].contains(&extension) => control.member(extension)?,
        _ => {
            return Err(not(format!(
                "`control.tar` is missing: there is `{}` in its place",
                control.name
            )));
        }
    };
    let data = next(&mut file, &mut at, length)?;
    let data = match data.name.strip_prefix("data.tar") {
        Some(extension) => data.member(extension)?,
        None => {
            return Err(not(format!(
                "`data.tar` is missing: there is `{}` in its place",
                data.name
            )));
        }
    };
    Ok(DebLayout { control, data })
}

/// A header and where its content is.
struct Header {
    name: String,
    offset: u64,
    size: u64,
}

impl Header {
    /// Where the next header begins: members are padded to an even offset.
    fn end(&self) -> Result<u64, Error> {
        let end = self
            .offset
            .checked_add(self.size)
            .and_then(|end| end.checked_add(self.size & 1));
        end.ok_or_else(|| not(format!("member `{}` is impossibly long", self.name)))
    }

    fn member(&self, extension: &str) -> Result<Member, Error> {
        let compression = Compression::from_extension(extension)
            .ok_or_else(|| not(format!("`{}` is compressed in an unknown way", self.name)))?;
        Ok(Member {
            offset: self.offset,
            size: self.size,
            compression,
        })
    }
}

/// The next member that is not passed over.
fn next(file: &mut (impl Read + Seek), at: &mut u64, length: u64) -> Result<Header, Error> {
    for _ in 0..=EXTRA_LIMIT {
        file.seek(SeekFrom::Start(*at)).map_err(Error::Read)?;
        let header = header(file, *at, length)?;
        *at = header.end()?;
        if !header.name.starts_with('_') {
            return Ok(header);
        }
    }
    Err(not(format!(
        "more than {EXTRA_LIMIT} members stand before its archives"
    )))
}

fn header(file: &mut impl Read, at: u64, length: u64) -> Result<Header, Error> {
    let mut bytes = [0; HEADER as usize];
    fill(file, &mut bytes, "the header of a member")?;
    let (name, rest) = bytes.split_at(16);
    if rest[42..] != *b"`\n" {
        return Err(not(format!("the member header at byte {at} lacks its end mark")));
    }
    let digits = rest[32..42].trim_ascii_end();
    let size = Some(digits)
        .filter(|digits| !digits.is_empty() && digits.iter().all(u8::is_ascii_digit))
        .and_then(|digits| std::str::from_utf8(digits).ok()?.parse::<u64>().ok())
        .ok_or_else(|| {
            not(format!(
                "the size in the member header at byte {at} is `{}`",
                digits.escape_ascii()
            ))
        })?;
    // ar pads names with spaces, and some of its writers end them with a slash.
    let name = name.trim_ascii_end();
    let name = name.strip_suffix(b"/").unwrap_or(name).escape_ascii().to_string();
    let offset = at + HEADER;
    if offset.checked_add(size).is_none_or(|end| end > length) {
        return Err(Error::Truncated {
            within: format!("member `{name}`, which says it has {size} bytes"),
        });
    }
    Ok(Header { name, offset, size })
}

fn version(file: &mut impl Read, member: &Header) -> Result<(), Error> {
    if member.size > VERSION_LIMIT {
        return Err(not(format!("`debian-binary` has {} bytes", member.size)));
    }
    let mut text = vec![0; member.size as usize];
    fill(file, &mut text, "`debian-binary`")?;
    let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let minor = line.strip_prefix(b"2.").unwrap_or_default();
    if !text.contains(&b'\n') || minor.is_empty() || !minor.iter().all(u8::is_ascii_digit) {
        return Err(not(format!(
            "its format is `{}`; 2.0 is what is known",
            line.escape_ascii()
        )));
    }
    Ok(())
}

fn fill(file: &mut impl Read, buffer: &mut [u8], within: &str) -> Result<(), Error> {
    file.read_exact(buffer).map_err(|error| match error.kind() {
        std::io::ErrorKind::UnexpectedEof => Error::Truncated {
            within: within.to_owned(),
        },
        _ => Error::Read(error),
    })
}

fn not(reason: String) -> Error {
    Error::NotADeb { reason }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn deb(members: &[(&str, &[u8])]) -> Vec<u8> {
        let mut file = MAGIC.to_vec();
        for (name, content) in members {
            file.extend(
                format!(
                    "{name:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n",
                    0,
                    0,
                    0,
                    100644,
                    content.len()
                )
                .bytes(),
            );
            file.extend_from_slice(content);
            if content.len() % 2 == 1 {
                file.push(b'\n');
            }
        }
        file
    }

    fn read(file: &[u8]) -> Result<DebLayout, Error> {
        deb_members(Cursor::new(file), file.len() as u64)
    }

    #[test]
    fn the_archives_are_found() {
        let file = deb(&[
            ("debian-binary/", b"2.0\n"),
            ("_extra", b"odd"),
            ("control.tar.zst", b"CTL"),
            ("_more", b""),
            ("data.tar.bz2", b"DATA"),
            ("_after", b"x"),
        ]);
        let layout = read(&file).unwrap();
        let content = |member: Member| &file[member.offset as usize..][..member.size as usize];
        assert_eq!(
            (content(layout.control), layout.control.compression),
            (&b"CTL"[..], Compression::Zstd)
        );
        assert_eq!(
            (content(layout.data), layout.data.compression),
            (&b"DATA"[..], Compression::Bzip2)
        );
    }

    #[test]
    fn what_is_no_deb_says_why() {
        let version = ("debian-binary", &b"2.0\n"[..]);
        for (members, words) in [
            (vec![("control.tar", &b""[..])], "first member"),
            (vec![("debian-binary", b"3.0\n")], "its format is `3.0`"),
            (vec![("debian-binary", b"2.0")], "its format"),
            (vec![version, ("data.tar", b"")], "`control.tar` is missing"),
            (
                vec![version, ("control.tar.bz2", b"")],
                "`control.tar` is missing",
            ),
            (
                vec![version, ("control.tar", b""), ("control.tar", b"")],
                "`data.tar` is missing",
            ),
            (
                vec![version, ("control.tar", b""), ("data.tar.7z", b"")],
                "unknown way",
            ),
            (vec![version, ("control.tar", b"")], "truncated"),
        ] {
            let error = read(&deb(&members)).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
        assert!(
            read(b"PK\x03\x04 not at all")
                .unwrap_err()
                .to_string()
                .contains("!<arch>")
        );
    }

    #[test]
    fn sizes_beyond_the_file_are_truncation() {
        let mut file = deb(&[
            ("debian-binary", b"2.0\n"),
            ("control.tar", b"c"),
            ("data.tar", b"12"),
        ]);
        file.truncate(file.len() - 1);
        assert!(matches!(read(&file), Err(Error::Truncated { .. })));
        let text = String::from_utf8(file)
            .unwrap()
            .replacen("4         `", "9999999999`", 1);
        assert!(matches!(read(text.as_bytes()), Err(Error::Truncated { .. })));
    }
}
