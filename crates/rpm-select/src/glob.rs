//! Shell patterns, as fnmatch(3) matches them without flags.

/// Whether a text has a character that makes it a pattern.
pub fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

/// Whether a pattern matches a whole text.
pub fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    // Where to go on when what follows the last star does not match.
    let mut back: Option<(usize, usize)> = None;
    while t < text.len() {
        let step = match pattern.get(p) {
            Some('*') => {
                back = Some((p + 1, t));
                p += 1;
                continue;
            }
            Some('?') => Some(p + 1),
            Some('[') => class(&pattern, p, text[t]).unwrap_or((text[t] == '[').then_some(p + 1)),
            Some(character) => (*character == text[t]).then_some(p + 1),
            None => None,
        };
        match (step, back) {
            (Some(next), _) => {
                p = next;
                t += 1;
            }
            (None, Some((after_star, at))) => {
                back = Some((after_star, at + 1));
                p = after_star;
                t = at + 1;
            }
            (None, None) => return false,
        }
    }
    pattern.iter().skip(p).all(|character| *character == '*')
}

/// Matches a bracket expression; `None` where it is not closed, else where it ends if it matches.
fn class(pattern: &[char], open: usize, character: char) -> Option<Option<usize>> {
    let mut at = open + 1;
    let negated = matches!(pattern.get(at), Some('!' | '^'));
    at += usize::from(negated);
    let start = at;
    let mut found = false;
    loop {
        match pattern.get(at)? {
            ']' if at > start => break,
            first => {
                if let (Some('-'), Some(last)) = (pattern.get(at + 1), pattern.get(at + 2))
                    && *last != ']'
                {
                    found |= (*first..=*last).contains(&character);
                    at += 3;
                } else {
                    found |= *first == character;
                    at += 1;
                }
            }
        }
    }
    Some((found != negated).then_some(at + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (pattern, text, wanted) in [
            ("kernel*", "kernel-core", true),
            ("*-devel", "glibc-devel", true),
            ("*-devel", "glibc", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[", "[", true),
            ("a*b*c", "aXXbYYbZc", true),
            ("a*b*c", "aXXbYYbZ", false),
            ("", "", true),
            ("**", "anything", true),
        ] {
            assert_eq!(matches(pattern, text), wanted, "{pattern} {text}");
        }
    }
}
