/// Lower-case hexadecimal.
pub(crate) fn lower(bytes: &[u8]) -> String {
    let digits = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|b| {
            [
                digits[usize::from(b >> 4)] as char,
                digits[usize::from(b & 15)] as char,
            ]
        })
        .collect()
}

/// Upper-case hexadecimal, as fingerprints and key ids are written.
pub(crate) fn upper(bytes: &[u8]) -> String {
    lower(bytes).to_ascii_uppercase()
}
