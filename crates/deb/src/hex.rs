/// The `N` bytes that `2 N` hexadecimal digits spell; `None` for anything else.
pub(crate) fn decode<const N: usize>(digits: &[u8]) -> Option<[u8; N]> {
    let (pairs, rest) = digits.as_chunks::<2>();
    if pairs.len() != N || !rest.is_empty() {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(bytes)
}

/// What each byte is worth as a digit; 16 for what is none. A table, because every package of an index has a digest.
const WORTH: [u8; 256] = {
    let mut worth = [16; 256];
    let mut digit = 0;
    while digit < 10 {
        worth[b'0' as usize + digit] = digit as u8;
        digit += 1;
    }
    let mut digit = 0;
    while digit < 6 {
        worth[b'a' as usize + digit] = digit as u8 + 10;
        worth[b'A' as usize + digit] = digit as u8 + 10;
        digit += 1;
    }
    worth
};

fn digit(c: u8) -> Option<u8> {
    WORTH.get(usize::from(c)).copied().filter(|&worth| worth < 16)
}
