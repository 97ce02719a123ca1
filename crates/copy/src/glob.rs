//! Globs for paths of the source: `*` and `?` cross no slash, `**` does.

use crate::error::Error;

/// A glob, anchored at the source. It is run as a set of states, byte by byte, so that no pattern takes longer than its
/// length times the path's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob {
    tokens: Vec<Token>,
    directories_only: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Literal(char),
    /// A byte that is part of no UTF-8 character.
    Byte(u8),
    /// `?`
    Any,
    /// `*`
    Star,
    /// `**`
    Stars,
    /// `**/`: any number of whole components, none too.
    Components,
    /// `[a-z]`, `[!a]`
    Set {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
}

/// What a glob says to a path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Match {
    /// It matches the path.
    pub whole: bool,
    /// It can match something below the path.
    pub below: bool,
}

impl Glob {
    /// Reads a glob. A slash before it changes nothing; one behind it lets it match directories alone.
    ///
    /// # Errors
    /// [`Error::Glob`] for an empty one, and for `..`, which no path of a source has.
    pub fn new(text: &[u8]) -> Result<Self, Error> {
        let wrong = |reason| Error::Glob {
            glob: String::from_utf8_lossy(text).into_owned(),
            reason,
        };
        let mut pattern = text;
        while let Some(rest) = pattern.strip_prefix(b"/") {
            pattern = rest;
        }
        let directories_only = pattern.ends_with(b"/");
        while let Some(rest) = pattern.strip_suffix(b"/") {
            pattern = rest;
        }
        if pattern.is_empty() {
            return Err(wrong("it names nothing below the source"));
        }
        if pattern
            .split(|&byte| byte == b'/')
            .any(|part| matches!(part, b"" | b"." | b".."))
        {
            return Err(wrong("a part of it is empty, `.` or `..`"));
        }
        let tokens = tokens(pattern).map_err(wrong)?;
        Ok(Glob {
            tokens,
            directories_only,
        })
    }

    /// Holds it against a path relative to the source, without a slash before it.
    pub(crate) fn matches(&self, path: &[u8], is_directory: bool) -> Match {
        let mut states = States::begin(&self.tokens);
        let mut rest = path;
        while let Some((character, length)) = first(rest) {
            states.step(character);
            rest = rest.get(length..).unwrap_or_default();
            if states.is_dead() {
                return Match::default();
            }
        }
        let whole = states.is_whole() && (is_directory || !self.directories_only);
        states.step(Char::Text('/'));
        Match {
            whole,
            below: !states.is_dead(),
        }
    }
}

/// A character of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Char {
    Text(char),
    Byte(u8),
}

/// The first character and its length in bytes; a byte that is no UTF-8 stands for itself.
fn first(bytes: &[u8]) -> Option<(Char, usize)> {
    let &lead = bytes.first()?;
    let length = match lead {
        0..=0x7f => return Some((Char::Text(char::from(lead)), 1)),
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => return Some((Char::Byte(lead), 1)),
    };
    let text = bytes
        .get(..length)
        .and_then(|bytes| std::str::from_utf8(bytes).ok());
    match text.and_then(|text| text.chars().next()) {
        Some(character) => Some((Char::Text(character), length)),
        None => Some((Char::Byte(lead), 1)),
    }
}

fn tokens(pattern: &[u8]) -> Result<Vec<Token>, &'static str> {
    let mut tokens = Vec::new();
    let mut rest = pattern;
    while let Some((character, length)) = first(rest) {
        let begins_component = rest.len() == pattern.len()
            || matches!(tokens.last(), Some(Token::Literal('/') | Token::Components));
        rest = rest.get(length..).unwrap_or_default();
        let token = match character {
            Char::Text('*') => {
                let mut double = false;
                while let Some(after) = rest.strip_prefix(b"*") {
                    (rest, double) = (after, true);
                }
                match (double, rest.strip_prefix(b"/")) {
                    (true, Some(after)) if begins_component => {
                        rest = after;
                        Token::Components
                    }
                    (true, _) => Token::Stars,
                    (false, _) => Token::Star,
                }
            }
            Char::Text('?') => Token::Any,
            Char::Text('\\') => {
                let (quoted, length) = first(rest).ok_or("it ends in a backslash")?;
                rest = rest.get(length..).unwrap_or_default();
                plain(quoted)
            }
            Char::Text('[') => match set(rest) {
                Some((token, after)) => {
                    rest = after;
                    token
                }
                None => return Err("a `[` has no `]`"),
            },
            other => plain(other),
        };
        tokens.push(token);
    }
    Ok(tokens)
}

fn plain(character: Char) -> Token {
    match character {
        Char::Text(character) => Token::Literal(character),
        Char::Byte(byte) => Token::Byte(byte),
    }
}

/// What follows a `[`, and what follows its `]`.
fn set(text: &[u8]) -> Option<(Token, &[u8])> {
    let (negated, mut rest) = match text.first()? {
        b'!' | b'^' => (true, text.get(1..)?),
        _ => (false, text),
    };
    let mut ranges = Vec::new();
    loop {
        let (Char::Text(mut from), length) = first(rest)? else {
            return None;
        };
        rest = rest.get(length..)?;
        match from {
            // The first is a member.
            ']' if !ranges.is_empty() => return Some((Token::Set { negated, ranges }, rest)),
            '\\' => {
                let (Char::Text(quoted), length) = first(rest)? else {
                    return None;
                };
                from = quoted;
                rest = rest.get(length..)?;
            }
            _ => {}
        }
        let mut to = from;
        if let Some(after) = rest.strip_prefix(b"-").filter(|after| !after.starts_with(b"]")) {
            let (Char::Text(end), length) = first(after)? else {
                return None;
            };
            to = end;
            rest = after.get(length..)?;
        }
        ranges.push((from, to));
    }
}

/// Where in a glob one can be: before a token, or inside of a [`Token::Components`].
struct States<'t> {
    tokens: &'t [Token],
    before: Vec<bool>,
    inside: Vec<bool>,
    /// Those of the step before, and memory for the next.
    were_before: Vec<bool>,
    were_inside: Vec<bool>,
}

impl<'t> States<'t> {
    fn begin(tokens: &'t [Token]) -> Self {
        let none = vec![false; tokens.len() + 1];
        let mut states = States {
            tokens,
            before: none.clone(),
            inside: none.clone(),
            were_before: none.clone(),
            were_inside: none,
        };
        states.enter(0);
        states
    }

    /// Gets before a token, and past all that may match nothing.
    fn enter(&mut self, mut at: usize) {
        loop {
            if let Some(state) = self.before.get_mut(at) {
                *state = true;
            }
            match self.tokens.get(at) {
                Some(Token::Star | Token::Stars | Token::Components) => at += 1,
                _ => return,
            }
        }
    }

    fn step(&mut self, character: Char) {
        std::mem::swap(&mut self.before, &mut self.were_before);
        std::mem::swap(&mut self.inside, &mut self.were_inside);
        self.before.fill(false);
        self.inside.fill(false);
        for (at, token) in self.tokens.iter().enumerate() {
            let is_before = self.were_before.get(at).copied().unwrap_or_default();
            let is_inside = self.were_inside.get(at).copied().unwrap_or_default();
            if !is_before && !is_inside {
                continue;
            }
            let is_slash = character == Char::Text('/');
            match token {
                // A component is not empty, so that a slash alone is none.
                Token::Components if is_slash && is_inside => self.enter(at),
                Token::Components if !is_slash => {
                    if let Some(state) = self.inside.get_mut(at) {
                        *state = true;
                    }
                }
                Token::Stars => self.enter(at),
                Token::Star if !is_slash => self.enter(at),
                token if is_before && token.matches(character) => self.enter(at + 1),
                _ => {}
            }
        }
    }

    fn is_whole(&self) -> bool {
        self.before.last().copied().unwrap_or_default()
    }

    fn is_dead(&self) -> bool {
        !self.before.contains(&true) && !self.inside.contains(&true)
    }
}

impl Token {
    fn matches(&self, character: Char) -> bool {
        match (self, character) {
            (Token::Literal(literal), Char::Text(character)) => *literal == character,
            (Token::Byte(literal), Char::Byte(byte)) => *literal == byte,
            (Token::Any, character) => character != Char::Text('/'),
            (Token::Set { negated, ranges }, Char::Text(character)) => {
                let is_in = ranges.iter().any(|(from, to)| (*from..=*to).contains(&character));
                character != '/' && is_in != *negated
            }
            (Token::Set { negated, .. }, Char::Byte(_)) => *negated,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, PartialEq, Eq)]
    enum Got {
        Whole,
        Below,
        None,
    }

    fn matches(glob: &[u8], path: &[u8]) -> Got {
        got(&Glob::new(glob).unwrap(), path, true)
    }

    fn got(glob: &Glob, path: &[u8], is_directory: bool) -> Got {
        match glob.matches(path, is_directory) {
            Match { whole: true, .. } => Got::Whole,
            Match { below: true, .. } => Got::Below,
            _ => Got::None,
        }
    }

    #[test]
    fn what_matches() {
        use Got::{Below, None, Whole};
        for (glob, path, expected) in [
            (&b"/var/cache"[..], &b"var/cache"[..], Whole),
            (b"var/cache", b"var/cache", Whole),
            (b"/var/cache", b"var", Below),
            (b"/var/cache", b"var/cach", None),
            (b"/var/cache", b"var/cache/apt", None),
            (b"/var/cache", b"srv/var/cache", None),
            (b"/home/*", b"home/alice", Whole),
            (b"/home/*", b"home", Below),
            (b"/home/*", b"home/alice/x", None),
            (b"/home/*/x", b"home/alice", Below),
            (b"/home/**", b"home/alice/x", Whole),
            (b"/home/**", b"home", Below),
            (b"*.pyc", b"a.pyc", Whole),
            (b"*.pyc", b"d/a.pyc", None),
            (b"**/*.pyc", b"a.pyc", Whole),
            (b"**/*.pyc", b"d/e/a.pyc", Whole),
            (b"**/*.pyc", b"d/e/a.py", Below),
            (b"a/**/b", b"a/b", Whole),
            (b"a/**/b", b"a/x/y/b", Whole),
            (b"a/**/b", b"a/xb", Below),
            (b"a/**/b", b"axb", None),
            (b"a**b", b"a/x/b", Whole),
            (b"a?c", b"abc", Whole),
            (b"a?c", b"a\xc3\xa4c", Whole),
            (b"a?c", b"a\xffc", Whole),
            (b"a?c", b"a/c", None),
            (b"a[b-d]e", b"ace", Whole),
            (b"a[!b-d]e", b"ace", None),
            (b"a[!b]e", b"a\xffe", Whole),
            (b"a[!b]e", b"a/e", None),
            (b"a[]x]e", b"a]e", Whole),
            (b"a[a-]e", b"a-e", Whole),
            (b"a\\*", b"a*", Whole),
            (b"a\\*", b"ab", None),
            (b"\xff*", b"\xffx", Whole),
        ] {
            assert_eq!(
                matches(glob, path),
                expected,
                "{} {}",
                glob.escape_ascii(),
                path.escape_ascii()
            );
        }
    }

    #[test]
    fn a_slash_at_the_end_is_for_directories() {
        let glob = Glob::new(b"/tmp/").unwrap();
        assert_eq!(got(&glob, b"tmp", true), Got::Whole);
        assert_eq!(got(&glob, b"tmp", false), Got::None);
        let both = Glob::new(b"/home/**").unwrap().matches(b"home/a", true);
        assert!(both.whole && both.below);
    }

    #[test]
    fn what_is_no_glob() {
        for text in [
            &b""[..],
            b"/",
            b"a//b",
            b"../a",
            b"a/./b",
            b"a\\",
            b"a[b",
            b"a[\xff]",
        ] {
            assert!(Glob::new(text).is_err(), "{}", text.escape_ascii());
        }
    }

    #[test]
    fn no_pattern_takes_for_ever() {
        let glob = [b"*a".repeat(200), b"**/*b".to_vec()].concat();
        assert_eq!(matches(&glob, &b"a".repeat(4000)), Got::Below);
    }

    proptest! {
        #[test]
        fn what_is_quoted_matches_itself(path in "[^/\0]{1,8}(/[^/\0]{1,8}){0,3}") {
            prop_assume!(!path.split('/').any(|part| part == "." || part == ".."));
            let quoted: String = path.chars().flat_map(|c| if "*?[\\".contains(c) { vec!['\\', c] } else { vec![c] }).collect();
            let glob = Glob::new(quoted.as_bytes()).unwrap();
            prop_assert!(glob.matches(path.as_bytes(), false).whole);
        }

        #[test]
        fn no_bytes_make_it_panic(glob: Vec<u8>, path: Vec<u8>) {
            if let Ok(glob) = Glob::new(&glob) {
                glob.matches(&path, false);
            }
        }
    }
}
