/// A pattern as fnmatch(3) without flags reads it: `*` and `?` match `/` and a leading dot, a backslash quotes.
///
/// Characters are UTF-8 where pattern and path are, else bytes, as in glibc's UTF-8 locales.
#[derive(Clone, Debug)]
pub(crate) struct Glob(Vec<Token>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Literal(char),
    Any,
    Star,
    Set {
        negated: bool,
        items: Vec<Item>,
    },
    /// A trailing backslash or an unknown class: matches nothing.
    Never,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Item {
    Range(char, char),
    Class(Class),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Alnum,
    Alpha,
    Blank,
    Cntrl,
    Digit,
    Graph,
    Lower,
    Print,
    Punct,
    Space,
    Upper,
    Xdigit,
}

impl Glob {
    pub(crate) fn new(pattern: &str) -> Self {
        let chars: Vec<char> = pattern.chars().collect();
        let mut rest = chars.as_slice();
        let mut tokens = Vec::new();
        while let Some((&first, after)) = rest.split_first() {
            rest = after;
            tokens.push(match first {
                '*' => Token::Star,
                '?' => Token::Any,
                '\\' => match rest.split_first() {
                    Some((&quoted, after)) => {
                        rest = after;
                        Token::Literal(quoted)
                    }
                    None => Token::Never,
                },
                '[' => match set(rest) {
                    Some((token, after)) => {
                        rest = after;
                        token
                    }
                    None => Token::Literal('['),
                },
                other => Token::Literal(other),
            });
        }
        tokens.dedup_by(|a, b| *a == Token::Star && *b == Token::Star);
        Glob(tokens)
    }

    pub(crate) fn matches(&self, path: &[u8]) -> bool {
        let (mut token, mut at) = (0, 0);
        // Where to go on when what follows the last star does not match: the star takes one character more.
        let mut retry: Option<(usize, usize)> = None;
        loop {
            let step = match (self.0.get(token), path.get(at..).filter(|rest| !rest.is_empty())) {
                (Some(Token::Star), _) => {
                    retry = Some((token, at));
                    token += 1;
                    continue;
                }
                (None, None) => return true,
                (Some(token), Some(rest)) => {
                    let (c, length) = first_char(rest);
                    token.matches(c).then_some(length)
                }
                _ => None,
            };
            match (step, retry) {
                (Some(length), _) => {
                    token += 1;
                    at += length;
                }
                (None, Some((star, from))) => {
                    let Some(rest) = path.get(from..).filter(|rest| !rest.is_empty()) else {
                        return false;
                    };
                    let next = from + first_char(rest).1;
                    retry = Some((star, next));
                    token = star + 1;
                    at = next;
                }
                (None, None) => return false,
            }
        }
    }
}

impl Token {
    fn matches(&self, c: Option<char>) -> bool {
        match (self, c) {
            (Token::Any, _) => true,
            (Token::Literal(literal), Some(c)) => *literal == c,
            (Token::Set { negated, items }, Some(c)) => items.iter().any(|item| item.holds(c)) != *negated,
            (Token::Set { negated, .. }, None) => *negated,
            (Token::Literal(_), None) | (Token::Star | Token::Never, _) => false,
        }
    }
}

impl Item {
    fn holds(&self, c: char) -> bool {
        match *self {
            Item::Range(low, high) => (low..=high).contains(&c),
            Item::Class(class) => match class {
                Class::Alnum => c.is_alphanumeric(),
                Class::Alpha => c.is_alphabetic(),
                Class::Blank => matches!(c, ' ' | '\t'),
                Class::Cntrl => c.is_control(),
                Class::Digit => c.is_ascii_digit(),
                Class::Graph => !c.is_control() && !c.is_whitespace(),
                Class::Lower => c.is_lowercase(),
                Class::Print => !c.is_control(),
                Class::Punct => c.is_ascii_punctuation(),
                Class::Space => c.is_whitespace(),
                Class::Upper => c.is_uppercase(),
                Class::Xdigit => c.is_ascii_hexdigit(),
            },
        }
    }
}

/// The first character and its length; a byte that is not UTF-8 is a character that equals no other.
fn first_char(rest: &[u8]) -> (Option<char>, usize) {
    let head = rest.get(..4).unwrap_or(rest);
    let valid = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) => head
            .get(..error.valid_up_to())
            .and_then(|good| std::str::from_utf8(good).ok())
            .unwrap_or(""),
    };
    valid
        .chars()
        .next()
        .map_or((None, 1), |c| (Some(c), c.len_utf8()))
}

/// A bracket expression after its `[`, and what follows it; `None` when it has no end.
fn set(pattern: &[char]) -> Option<(Token, &[char])> {
    let (negated, mut rest) = match pattern.split_first() {
        Some(('!' | '^', after)) => (true, after),
        _ => (false, pattern),
    };
    let mut items = Vec::new();
    let mut known = true;
    let mut first = true;
    loop {
        let (&c, after) = rest.split_first()?;
        rest = after;
        let low = match c {
            ']' if !first => break,
            '[' => match named(rest) {
                Some((Named::Class(class), after)) => {
                    rest = after;
                    first = false;
                    match class {
                        Some(class) => items.push(Item::Class(class)),
                        None => known = false,
                    }
                    continue;
                }
                Some((Named::Char(c), after)) => {
                    rest = after;
                    c
                }
                None => '[',
            },
            '\\' => {
                let (&quoted, after) = rest.split_first()?;
                rest = after;
                quoted
            }
            c => c,
        };
        first = false;
        let high = match rest {
            ['-', end, after @ ..] if *end != ']' => match (end, after) {
                ('\\', [quoted, after @ ..]) => {
                    rest = after;
                    *quoted
                }
                ('[', _) => match named(after) {
                    Some((Named::Char(c), after)) => {
                        rest = after;
                        c
                    }
                    _ => {
                        rest = after;
                        '['
                    }
                },
                _ => {
                    rest = after;
                    *end
                }
            },
            _ => low,
        };
        items.push(Item::Range(low, high));
    }
    let token = if known {
        Token::Set { negated, items }
    } else {
        Token::Never
    };
    Some((token, rest))
}

enum Named {
    /// `[:alpha:]`; `None` for a class that does not exist.
    Class(Option<Class>),
    /// `[=a=]` or `[.a.]`.
    Char(char),
}

/// A class, equivalence or collating symbol inside a bracket expression, after its own `[`.
fn named(pattern: &[char]) -> Option<(Named, &[char])> {
    match pattern {
        [':', name @ ..] => {
            let end = name.windows(2).position(|pair| pair == [':', ']'])?;
            let word: String = name.get(..end)?.iter().collect();
            // Not a name at all: `[[:x]` is a plain set.
            if !word.chars().all(|c| c.is_ascii_lowercase()) {
                return None;
            }
            let class = match word.as_str() {
                "alnum" => Some(Class::Alnum),
                "alpha" => Some(Class::Alpha),
                "blank" => Some(Class::Blank),
                "cntrl" => Some(Class::Cntrl),
                "digit" => Some(Class::Digit),
                "graph" => Some(Class::Graph),
                "lower" => Some(Class::Lower),
                "print" => Some(Class::Print),
                "punct" => Some(Class::Punct),
                "space" => Some(Class::Space),
                "upper" => Some(Class::Upper),
                "xdigit" => Some(Class::Xdigit),
                _ => None,
            };
            Some((Named::Class(class), name.get(end + 2..)?))
        }
        ['=', c, '=', ']', after @ ..] | ['.', c, '.', ']', after @ ..] => Some((Named::Char(*c), after)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_fnmatch() {
        for (pattern, path, expected) in [
            ("/usr/share/doc/*", "/usr/share/doc/a/b", true),
            ("/usr/share/doc/*", "/usr/share/doc", false),
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
            ("/a?c", "/abc", true),
            ("/a?c", "/a/c", true),
            ("/a?c", "/aéc", true),
            ("/a?c", "/ac", false),
            ("*.so.*", "/lib/libx.so.1", true),
            ("*a*b*c*", "/xaybzc", true),
            ("*a*b*c*", "/xcba", false),
            ("**/x", "/a/x", true),
            ("/[a-c]x", "/bx", true),
            ("/[!a-c]x", "/bx", false),
            ("/[^a-c]x", "/dx", true),
            ("/[]x]", "/]", true),
            ("/[a-]", "/-", true),
            ("/[[:digit:]]*", "/7up", true),
            ("/[[:nosuch:]]", "/n", false),
            ("/[[=a=]b]", "/a", true),
            ("/[[.-.]]", "/-", true),
            ("/[abc", "/[abc", true),
            (r"/a\*b", "/a*b", true),
            (r"/a\*b", "/axb", false),
            (r"/[\]]", "/]", true),
            (r"/a\", r"/a\", false),
            ("/.*", "/.x", true),
        ] {
            assert_eq!(
                Glob::new(pattern).matches(path.as_bytes()),
                expected,
                "{pattern} {path}"
            );
        }
        assert!(Glob::new("/a?b").matches(b"/a\xffb"));
        assert!(Glob::new("/a*b").matches(b"/a\xff\xfeb"));
        assert!(!Glob::new("/a[a-z]b").matches(b"/a\xffb"));
    }

    #[test]
    fn many_stars_end() {
        let glob = Glob::new(&"*a".repeat(200));
        assert!(!glob.matches("a".repeat(199).as_bytes()));
        assert!(glob.matches("a".repeat(400).as_bytes()));
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig { cases: 20_000, ..Default::default() })]
        #[test]
        fn as_the_c_librarys(pattern in "[ab/*?!^\\[\\]\\\\.-]{0,9}", path in "[ab/\\[\\]\\\\.!-]{0,6}") {
            proptest::prop_assert_eq!(Glob::new(&pattern).matches(path.as_bytes()), crate::sys::fnmatch(&pattern, &path));
        }
    }
}
