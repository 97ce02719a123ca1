//! The word that was probably meant.

/// The candidate that takes the fewest edits to get to; the first of equals.
pub fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    candidates.min_by_key(|candidate| distance(word, candidate))
}

/// Levenshtein's distance: insertions, deletions and substitutions of characters.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, character) in from.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (cell, other) in row.iter_mut().skip(1).zip(&to) {
            let substituted = diagonal + usize::from(character != *other);
            diagonal = *cell;
            left = substituted.min(*cell + 1).min(left + 1);
            *cell = left;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        for (from, to, wanted) in [
            ("", "", 0),
            ("", "abc", 3),
            ("abc", "", 3),
            ("variant", "variant", 0),
            ("varaint", "variant", 2),
            ("kitten", "sitting", 3),
            ("mirror", "mirrors", 1),
        ] {
            assert_eq!(distance(from, to), wanted, "{from} {to}");
        }
    }

    #[test]
    fn the_nearest_is_found() {
        let known = ["include", "exclude", "recommends"];
        assert_eq!(nearest("inclde", known.into_iter()), Some("include"));
        assert_eq!(nearest("recomends", known.into_iter()), Some("recommends"));
        assert_eq!(nearest("x", std::iter::empty()), None);
    }
}
