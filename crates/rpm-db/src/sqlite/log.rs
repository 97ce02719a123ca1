//! Sqlite's write-ahead log (sqlite's "Database File Format", section 4): what was committed and is not yet in the file.

use std::borrow::Cow;

use crate::Error;

const HEAD: usize = 32;
const FRAME_HEAD: usize = 24;

/// The file with what its log has committed.
///
/// A log that is not whole is used as far as its checksums go, as sqlite does.
pub fn merged<'a>(name: &str, bytes: &'a [u8], log: Option<&[u8]>) -> Result<Cow<'a, [u8]>, Error> {
    let Some(log) = log.filter(|log| !log.is_empty()) else {
        return Ok(Cow::Borrowed(bytes));
    };
    let mut file = bytes.to_vec();
    apply(name, &mut file, log)?;
    Ok(Cow::Owned(file))
}

/// A file that is complete without a log, ready to be read without one.
pub fn alone(file: Cow<'_, [u8]>) -> Vec<u8> {
    let mut file = file.into_owned();
    // Versions of the format for writing and reading: 2 asks for a log.
    for at in [18, 19] {
        if let Some(version) = file.get_mut(at)
            && *version == 2
        {
            *version = 1;
        }
    }
    file
}

fn apply(name: &str, file: &mut Vec<u8>, log: &[u8]) -> Result<(), Error> {
    let name = format!("{name}-wal");
    let bad = |what: &str, expected: String, found: String| Error::malformed(&name, what, expected, found);
    // The checksum's byte order; everything else has the highest byte first.
    let little = match be(log, 0) {
        0x377f_0682 => true,
        0x377f_0683 => false,
        other => {
            return Err(bad(
                "byte 0",
                "0x377f0682 or 0x377f0683".into(),
                format!("{other:#x}"),
            ));
        }
    };
    if be(log, 4) != 3_007_000 {
        return Err(bad(
            "the version at byte 4",
            "3007000".into(),
            be(log, 4).to_string(),
        ));
    }
    let size = be(log, 8) as usize;
    let own = match file.get(16..18) {
        Some([0, 1]) => 65_536,
        Some([high, low]) => usize::from(*high) << 8 | usize::from(*low),
        _ => 0,
    };
    if !size.is_power_of_two() || !(512..=65_536).contains(&size) || (size != own && !file.is_empty()) {
        return Err(bad(
            "the size of a page at byte 8",
            format!("{own}, the file's"),
            size.to_string(),
        ));
    }
    let mut sum = checksum(log.get(..24).unwrap_or_default(), (0, 0), little);
    if sum != (be(log, 24), be(log, 28)) {
        // A head that was not written whole: nothing was committed.
        return Ok(());
    }
    let salt = log.get(16..24).unwrap_or_default();
    let frames = log
        .get(HEAD..)
        .unwrap_or_default()
        .chunks_exact(FRAME_HEAD + size);
    let most = file.len() / size + frames.len();
    let (mut pending, mut committed) = (Vec::new(), Vec::new());
    let mut length = None;
    for frame in frames {
        let (head, page) = frame.split_at(FRAME_HEAD);
        sum = checksum(
            page,
            checksum(head.get(..8).unwrap_or_default(), sum, little),
            little,
        );
        if head.get(8..16) != Some(salt) || sum != (be(head, 16), be(head, 20)) {
            break;
        }
        pending.push((be(head, 0) as usize, page));
        if be(head, 4) != 0 {
            committed.append(&mut pending);
            length = Some(be(head, 4) as usize);
        }
    }
    let Some(length) = length else {
        return Ok(());
    };
    if length > most {
        let expected = format!("at most {most} pages, which there are");
        return Err(bad(
            "the database's size after the last commit",
            expected,
            length.to_string(),
        ));
    }
    file.resize(length * size, 0);
    for (number, page) in committed {
        // A page beyond the end was cut off by a later commit.
        let start = number.checked_sub(1).and_then(|place| place.checked_mul(size));
        if let Some(place) = start.and_then(|start| file.get_mut(start..start.saturating_add(size))) {
            place.copy_from_slice(page);
        }
    }
    Ok(())
}

fn checksum(bytes: &[u8], (mut first, mut second): (u32, u32), little: bool) -> (u32, u32) {
    let word = |word: &[u8; 4]| match little {
        true => u32::from_le_bytes(*word),
        false => u32::from_be_bytes(*word),
    };
    let (words, _) = bytes.as_chunks::<4>();
    for pair in words.chunks_exact(2) {
        first = first.wrapping_add(word(&pair[0])).wrapping_add(second);
        second = second.wrapping_add(word(&pair[1])).wrapping_add(first);
    }
    (first, second)
}

fn be(bytes: &[u8], at: usize) -> u32 {
    let word = bytes.get(at..).and_then(|rest| rest.first_chunk::<4>());
    u32::from_be_bytes(word.copied().unwrap_or_default())
}
