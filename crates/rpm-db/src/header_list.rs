//! rpm's list of headers (`rpmdb --exportdb` and `--importdb`): each with its magic, one after another, whatever the
//! kind of database.

use bareroot_rpm::MAGIC as HEADER_MAGIC;

use crate::Error;
use crate::contents::Contents;

/// The list of a database's headers, by their numbers.
pub fn bytes(contents: &Contents<'_>) -> Vec<u8> {
    let records = contents.records();
    let size = records
        .iter()
        .map(|record| HEADER_MAGIC.len() + record.blob.len())
        .sum();
    let mut list = Vec::with_capacity(size);
    for record in records {
        list.extend_from_slice(&HEADER_MAGIC);
        record.blob.append_to(&mut list);
    }
    list
}

/// The headers of a list, without their magics. `name` is for messages.
///
/// # Errors
/// [`Error::Malformed`] naming header and byte.
pub fn parse<'a>(name: &str, list: &'a [u8]) -> Result<Vec<&'a [u8]>, Error> {
    let mut headers = Vec::new();
    let mut at = 0;
    while at < list.len() {
        let bad = |expected: String, found: String| {
            Error::malformed(
                name,
                format!("header {} at byte {at}", headers.len() + 1),
                expected,
                found,
            )
        };
        let rest = list.get(at..).unwrap_or_default();
        let Some(body) = rest.strip_prefix(&HEADER_MAGIC) else {
            let found = rest.get(..8).unwrap_or(rest);
            return Err(bad(format!("{HEADER_MAGIC:02x?}"), format!("{found:02x?}")));
        };
        let word = |at: usize| {
            body.get(at..)
                .and_then(|rest| rest.first_chunk::<4>())
                .map(|word| u32::from_be_bytes(*word))
        };
        let (Some(entries), Some(data)) = (word(0), word(4)) else {
            return Err(bad(
                "two lengths of 4 bytes".into(),
                format!("{} bytes", body.len()),
            ));
        };
        let size = 8 + 16 * u64::from(entries) + u64::from(data);
        let header = usize::try_from(size).ok().and_then(|size| body.get(..size));
        let Some(header) = header else {
            return Err(bad(
                format!("{size} bytes, by its lengths"),
                body.len().to_string(),
            ));
        };
        headers.push(header);
        at += HEADER_MAGIC.len() + header.len();
    }
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_list_is_named_by_its_byte() {
        let mut list = HEADER_MAGIC.to_vec();
        list.extend_from_slice(&[0, 0, 0, 0, 0, 0, 0, 3]);
        list.extend_from_slice(b"abc");
        assert_eq!(parse("l", &list).unwrap(), [list.get(8..).unwrap()]);
        assert_eq!(parse("l", b"").unwrap(), [&[0u8; 0]; 0]);
        let error = |list: &[u8]| parse("l", list).unwrap_err().to_string();
        let expected = "l: header 1 at byte 0: expected 11 bytes, by its lengths; found 10";
        assert_eq!(error(list.get(..18).unwrap()), expected);
        let twice = [list.as_slice(), b"x"].concat();
        assert!(
            error(&twice).starts_with("l: header 2 at byte 19: expected [8e, ad,"),
            "{}",
            error(&twice)
        );
        let huge = [HEADER_MAGIC.as_slice(), &[0xff; 8]].concat();
        assert!(
            error(&huge).contains("expected 73014444023 bytes"),
            "{}",
            error(&huge)
        );
    }
}
