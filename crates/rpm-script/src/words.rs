//! Words of a macro's arguments, quoted with the byte that `%{quote:}` puts around them (rpm's rpmio/macro.c, splitQuoted).

/// ASCII's unit separator.
pub(crate) const QUOTE: u8 = 0x1f;

/// The words of a text. Blanks within quotes belong to the word, and a quoted word may be empty.
pub(crate) fn split(text: &[u8]) -> Vec<Vec<u8>> {
    let mut words = Vec::new();
    let (mut word, mut begun, mut quoted) = (Vec::new(), false, false);
    for &byte in text {
        match byte {
            QUOTE => {
                quoted = !quoted;
                begun = true;
            }
            b' ' | b'\t' if !quoted => {
                if begun {
                    words.push(std::mem::take(&mut word));
                }
                begun = false;
            }
            _ => {
                word.push(byte);
                begun = true;
            }
        }
    }
    if begun {
        words.push(word);
    }
    words
}

/// The words as one text, from which [`split`] makes the same words.
pub(crate) fn unsplit(words: &[Vec<u8>]) -> Vec<u8> {
    let quoted: Vec<Vec<u8>> = words
        .iter()
        .map(
            |word| match word.is_empty() || word.iter().any(|byte| b" \t".contains(byte)) {
                true => [&[QUOTE], word.as_slice(), &[QUOTE]].concat(),
                false => word.clone(),
            },
        )
        .collect();
    quoted.join(&b' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_back() {
        for words in [vec!["a", "b c", "", "d\te"], vec![], vec!["x"]] {
            let words: Vec<Vec<u8>> = words.iter().map(|word| word.as_bytes().to_vec()).collect();
            assert_eq!(split(&unsplit(&words)), words);
        }
        assert_eq!(split(b"  a \t b  "), [b"a".to_vec(), b"b".to_vec()]);
        assert_eq!(split(b"a\x1f b\x1fc d"), [b"a bc".to_vec(), b"d".to_vec()]);
    }
}
