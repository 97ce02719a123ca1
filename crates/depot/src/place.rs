//! Places in a text.

/// The line of a byte's offset, from 1.
pub fn line(text: &str, offset: usize) -> usize {
    let before = text.as_bytes().get(..offset).unwrap_or(text.as_bytes());
    before.iter().filter(|byte| **byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    #[test]
    fn lines_are_counted_from_one() {
        for (offset, wanted) in [(0, 1), (1, 1), (2, 2), (3, 3), (99, 3)] {
            assert_eq!(super::line("a\n\nb", offset), wanted, "{offset}");
        }
    }
}
