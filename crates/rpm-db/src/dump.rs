//! The text in which Berkeley DB's db_dump and db_load, and so `rpmdb_dump` and `rpmdb_load`, carry a database from one
//! machine to another.

use std::fmt::Write as _;

use crate::bdb::ByteOrder;
use crate::contents::{Contents, Record};
use crate::{Backend, Error};

/// How bytes are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// All as hexadecimal digits: db_dump's own choice.
    #[default]
    Bytes,
    /// Printable characters as they are, others as `\xx` (`db_dump -p`).
    Print,
}

/// The text of a database. Of a `Packages` it is what db_dump says of that file; those of other kinds are as the `Packages`
/// that they would be.
pub fn text(contents: &Contents<'_>, form: Form) -> String {
    let mut text = String::from("VERSION=3\n");
    let word = match form {
        Form::Bytes => "bytevalue",
        Form::Print => "print",
    };
    let _ = write!(text, "format={word}\ntype=hash\n");
    let is_bdb = contents.backend == Backend::Bdb;
    let records = contents.stored.len() + usize::from(!is_bdb);
    if records > 0 {
        let _ = writeln!(text, "h_nelem={records}");
    }
    let _ = write!(text, "db_pagesize={}\nHEADER=END\n", contents.page_size);
    if !is_bdb {
        line(&mut text, &contents.order.bytes(0), form);
        line(&mut text, &contents.order.bytes(contents.highest), form);
    }
    for record in &contents.stored {
        line(&mut text, &contents.order.bytes(record.number), form);
        line(&mut text, &record.blob.bytes(), form);
    }
    text.push_str("DATA=END\n");
    text
}

fn line(text: &mut String, bytes: &[u8], form: Form) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let hex = |text: &mut String, byte: u8| {
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from(DIGITS[usize::from(digit)]));
        }
    };
    text.push(' ');
    for byte in bytes {
        match (form, byte) {
            (Form::Print, b'\\') => text.push_str("\\\\"),
            (Form::Print, b' '..=b'~') => text.push(char::from(*byte)),
            (Form::Print, _) => {
                text.push('\\');
                hex(text, *byte);
            }
            (Form::Bytes, _) => hex(text, *byte),
        }
    }
    text.push('\n');
}

/// Reads such a text. `name` is for messages.
///
/// # Errors
/// [`Error::Malformed`] naming the line.
pub fn parse(name: &str, text: &[u8]) -> Result<Contents<'static>, Error> {
    let mut lines = text.split(|byte| *byte == b'\n').zip(1usize..);
    let head = head(name, &mut lines)?;
    let mut pairs: Vec<([u8; 4], Vec<u8>)> = Vec::new();
    loop {
        let Some(key) = item(name, &mut lines, head.form)? else {
            break;
        };
        let (key, number) = key;
        let place = format!("line {number}");
        let key: [u8; 4] = key.as_slice().try_into().map_err(|_| {
            Error::malformed(name, &place, "a key of 4 bytes", format!("{} bytes", key.len()))
        })?;
        let Some((blob, data)) = item(name, &mut lines, head.form)? else {
            return Err(Error::malformed(name, place, "data after the key", "DATA=END"));
        };
        if key == [0; 4] && blob.len() != 4 {
            let place = format!("line {data}");
            let found = format!("{} bytes", blob.len());
            return Err(Error::malformed(
                name,
                place,
                "a number of 4 bytes, for record 0",
                found,
            ));
        }
        pairs.push((key, blob));
    }
    let order = head.order.unwrap_or_else(|| order(&pairs));
    let highest = given(&pairs, order);
    let stored: Vec<Record<'_>> = pairs
        .into_iter()
        .map(|(key, blob)| Record {
            number: order.word(key),
            blob: blob.into(),
        })
        .collect();
    let mut numbers: Vec<u32> = stored.iter().map(|record| record.number).collect();
    numbers.sort_unstable();
    if let Some(pair) = numbers.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(Error::malformed(
            name,
            "the keys",
            "each once",
            format!("{} twice", pair[0]),
        ));
    }
    Ok(Contents {
        backend: Backend::Bdb,
        order,
        page_size: head.page_size,
        highest: numbers.last().copied().unwrap_or_default().max(highest),
        stored,
    })
}

/// What record 0 says, else the highest number.
fn given(pairs: &[([u8; 4], Vec<u8>)], order: ByteOrder) -> u32 {
    let zero = pairs.iter().find(|(key, _)| *key == [0; 4]);
    let word = zero.and_then(|(_, blob)| blob.first_chunk::<4>());
    let last = || pairs.iter().map(|(key, _)| order.word(*key)).max();
    word.map(|word| order.word(*word))
        .or_else(last)
        .unwrap_or_default()
}

/// The byte order of the machine that the dump came from. db_dump does not say it, but nobody has so many packages that the
/// wrong one makes the smaller numbers.
fn order(pairs: &[([u8; 4], Vec<u8>)]) -> ByteOrder {
    match given(pairs, ByteOrder::Little) <= given(pairs, ByteOrder::Big) {
        true => ByteOrder::Little,
        false => ByteOrder::Big,
    }
}

struct Head {
    form: Form,
    order: Option<ByteOrder>,
    page_size: u32,
}

fn head<'a>(name: &str, lines: &mut impl Iterator<Item = (&'a [u8], usize)>) -> Result<Head, Error> {
    let mut head = Head {
        form: Form::Bytes,
        order: None,
        page_size: 4096,
    };
    let mut kind = None;
    for (line, number) in lines {
        let line = String::from_utf8_lossy(line);
        let bad = |expected: &str| {
            Error::malformed(
                name,
                format!("line {number}"),
                expected,
                format!("`{}`", shortened(&line)),
            )
        };
        let Some((word, value)) = line.split_once('=') else {
            return Err(bad("a line of a dump's head, WORD=VALUE"));
        };
        match (word, value) {
            ("VERSION", "2" | "3") => {}
            ("VERSION", _) => return Err(bad("VERSION=2 or 3")),
            ("format", "bytevalue") => head.form = Form::Bytes,
            ("format", "print") => head.form = Form::Print,
            ("format", _) => return Err(bad("format=bytevalue or print")),
            ("type", "hash") => kind = Some(()),
            ("type", _) => return Err(bad("type=hash: a dump of Packages")),
            ("db_lorder", "1234") => head.order = Some(ByteOrder::Little),
            ("db_lorder", "4321") => head.order = Some(ByteOrder::Big),
            ("db_lorder", _) => return Err(bad("db_lorder=1234 or 4321")),
            ("db_pagesize", size) => {
                head.page_size = size.parse().map_err(|_| bad("db_pagesize=BYTES"))?;
            }
            ("keys", "1") => {}
            ("keys", _) => return Err(bad("keys=1")),
            ("database", _) => return Err(bad("a database without a name, as rpm has it")),
            ("HEADER", "END") if kind.is_some() => return Ok(head),
            ("HEADER", _) => return Err(bad("type=hash before HEADER=END")),
            // Sizes that a database has by itself.
            _ => {}
        }
    }
    Err(Error::malformed(name, "the end", "HEADER=END", "nothing"))
}

/// A key's or data's line; `None` at the end.
fn item<'a>(
    name: &str,
    lines: &mut impl Iterator<Item = (&'a [u8], usize)>,
    form: Form,
) -> Result<Option<(Vec<u8>, usize)>, Error> {
    let Some((line, number)) = lines.next() else {
        return Err(Error::malformed(name, "the end", "DATA=END", "nothing"));
    };
    let found = || format!("`{}`", shortened(&String::from_utf8_lossy(line)));
    let bad = |expected: &str| Error::malformed(name, format!("line {number}"), expected, found());
    if line == b"DATA=END" {
        return Ok(None);
    }
    let Some(rest) = line.strip_prefix(b" ") else {
        return Err(bad("a blank and an item, or DATA=END"));
    };
    let bytes = match form {
        Form::Bytes => bytes(rest).ok_or_else(|| bad("pairs of hexadecimal digits"))?,
        Form::Print => printed(rest).ok_or_else(|| bad("characters, `\\\\` and `\\xx`"))?,
    };
    Ok(Some((bytes, number)))
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).map(|digit| digit as u8)
}

fn bytes(digits: &[u8]) -> Option<Vec<u8>> {
    let (pairs, rest) = digits.as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs
        .iter()
        .map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?))
        .collect()
}

fn printed(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    loop {
        rest = match rest {
            [] => return Some(bytes),
            [b'\\', b'\\', rest @ ..] => {
                bytes.push(b'\\');
                rest
            }
            [b'\\', high, low, rest @ ..] => {
                bytes.push(digit(*high)? << 4 | digit(*low)?);
                rest
            }
            [b'\\', ..] => return None,
            [byte, rest @ ..] => {
                bytes.push(*byte);
                rest
            }
        };
    }
}

fn shortened(line: &str) -> String {
    match line.char_indices().nth(40) {
        Some((end, _)) => format!("{}...", line.get(..end).unwrap_or_default()),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contents(order: ByteOrder) -> Contents<'static> {
        let record = |number, blob: &[u8]| Record {
            number,
            blob: blob.to_vec().into(),
        };
        Contents {
            backend: Backend::Bdb,
            order,
            page_size: 4096,
            stored: vec![
                record(0, &order.bytes(9)),
                record(7, b"a\\b \x00\xffz"),
                record(2, b"x"),
            ],
            highest: 9,
        }
    }

    /// As db_dump writes them.
    #[test]
    fn both_forms_are_db_dumps() {
        let little = contents(ByteOrder::Little);
        let tail = |text: String| text.split_once("HEADER=END\n").unwrap().1.to_owned();
        assert_eq!(
            tail(text(&little, Form::Bytes)),
            " 00000000\n 09000000\n 07000000\n 615c622000ff7a\n 02000000\n 78\nDATA=END\n"
        );
        assert_eq!(
            tail(text(&little, Form::Print)),
            " \\00\\00\\00\\00\n \\09\\00\\00\\00\n \\07\\00\\00\\00\n a\\\\b \\00\\ffz\n \\02\\00\\00\\00\n x\nDATA=END\n"
        );
    }

    #[test]
    fn a_dump_is_read_back() {
        for order in [ByteOrder::Little, ByteOrder::Big] {
            for form in [Form::Bytes, Form::Print] {
                let contents = contents(order);
                assert_eq!(parse("dump", text(&contents, form).as_bytes()).unwrap(), contents);
            }
        }
    }

    #[test]
    fn damage_is_named_by_its_line() {
        let head = "VERSION=3\nformat=bytevalue\ntype=hash\nHEADER=END\n";
        let cases = [
            (
                "",
                "line 1: expected a line of a dump's head, WORD=VALUE; found ``",
            ),
            (
                "VERSION=1\n",
                "line 1: expected VERSION=2 or 3; found `VERSION=1`",
            ),
            (
                "VERSION=3\ntype=btree\n",
                "line 2: expected type=hash: a dump of Packages; found `type=btree`",
            ),
            (
                "VERSION=3\nHEADER=END\n",
                "line 2: expected type=hash before HEADER=END; found `HEADER=END`",
            ),
            (
                "{head} 0",
                "line 5: expected pairs of hexadecimal digits; found ` 0`",
            ),
            ("{head} 00", "line 5: expected a key of 4 bytes; found 1 bytes"),
            (
                "{head} 01000000\nDATA=END\n",
                "line 5: expected data after the key; found DATA=END",
            ),
            (
                "{head} 01000000\n 00\n",
                "line 7: expected a blank and an item, or DATA=END; found ``",
            ),
            (
                "{head} 01000000\n 00",
                "the end: expected DATA=END; found nothing",
            ),
            (
                "{head} 01000000\n 00\n 01000000\n 00\nDATA=END\n",
                "the keys: expected each once; found 1 twice",
            ),
        ];
        for (text, message) in cases {
            let text = text.replace("{head}", head);
            let error = parse("d", text.as_bytes()).unwrap_err().to_string();
            assert_eq!(error, format!("d: {message}"), "{text}");
        }
    }
}
