//! `%define`, `%global` and `%undefine`: names, options and bodies.

use std::rc::Rc;

use super::expand::{Expansion, matching};
use super::{EACH, Entry, Level, MacroError, builtin};

/// What is done to a body when it is defined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Body {
    /// `%define`.
    AsIs,
    /// `%global`.
    Expanded,
}

impl Body {
    fn word(self) -> &'static str {
        match self {
            Body::AsIs => "%define",
            Body::Expanded => "%global",
        }
    }
}

pub(super) fn is_end(byte: u8) -> bool {
    byte == b'\n' || byte == b'\r'
}

pub(super) fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

pub(super) fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn syntax<T>(text: String) -> Result<T, MacroError> {
    Err(MacroError::Syntax(text))
}

fn tail(text: &[u8], at: usize) -> &[u8] {
    text.get(at..).unwrap_or_default()
}

fn count(text: &[u8], wanted: impl Fn(u8) -> bool) -> usize {
    text.iter().take_while(|byte| wanted(**byte)).count()
}

/// The name at the beginning, after blanks, and where it ends.
fn name(text: &[u8]) -> (&[u8], usize) {
    let blanks = count(text, is_blank);
    let length = count(tail(text, blanks), is_name);
    let end = blanks + length;
    (text.get(blanks..end).unwrap_or_default(), end)
}

fn check_name(name: &[u8], word: &str) -> Result<(), MacroError> {
    let begins = name
        .first()
        .is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_');
    if !begins {
        return syntax(format!("Macro %{} has illegal name ({word})", shown(name)));
    }
    match builtin::is(name) {
        true => syntax(format!("Macro %{} is a built-in ({word})", shown(name))),
        false => Ok(()),
    }
}

/// A body that goes on to the end of its line, or as long as something in it is open; and where it ends.
fn free_body(text: &[u8]) -> Option<(Vec<u8>, usize)> {
    let (mut braces, mut parentheses) = (0_usize, 0_usize);
    let mut body = Vec::new();
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        if braces == 0 && parentheses == 0 && is_end(byte) {
            break;
        }
        let next = text.get(at + 1).copied();
        match (byte, next) {
            // A backslash goes, what it stands before stays.
            (b'\\', Some(_)) => at += 1,
            (b'%', Some(open @ (b'{' | b'(' | b'%'))) => {
                body.push(byte);
                at += 1;
                match open {
                    b'{' => braces += 1,
                    b'(' => parentheses += 1,
                    _ => {}
                }
            }
            (b'{', _) if braces > 0 => braces += 1,
            (b'}', _) => braces = braces.saturating_sub(1),
            (b'(', _) if parentheses > 0 => parentheses += 1,
            (b')', _) => parentheses = parentheses.saturating_sub(1),
            _ => {}
        }
        body.extend(text.get(at));
        at += 1;
    }
    if braces > 0 || parentheses > 0 {
        return None;
    }
    while body.last().is_some_and(|byte| is_blank(*byte) || is_end(*byte)) {
        body.pop();
    }
    Some((body, at))
}

impl Expansion<'_> {
    /// Takes in a definition; gives where the text goes on.
    pub(super) fn define(&mut self, text: &[u8], level: usize, what: Body) -> Result<usize, MacroError> {
        let (name, mut at) = name(text);
        let mut options: Option<Rc<[u8]>> = None;
        if text.get(at) == Some(&b'(') {
            let rest = tail(text, at + 1);
            let Some(length) = rest.iter().position(|byte| *byte == b')') else {
                return syntax(format!("Macro %{} has unterminated opts", shown(name)));
            };
            options = rest.get(..length).map(Into::into);
            at += length + 2;
        }
        let before_body = tail(text, at);
        at += count(before_body, is_blank);
        let (mut body, end) = match text.get(at) {
            Some(b'{') => match matching(text, at, b'}') {
                Some(close) => (text.get(at + 1..close).unwrap_or_default().to_vec(), close + 1),
                None => return syntax(format!("Macro %{} has unterminated body", shown(name))),
            },
            _ => match free_body(tail(text, at)) {
                Some((body, length)) => (body, at + length),
                None => return syntax(format!("Macro %{} has unterminated body", shown(name))),
            },
        };
        let end = end + count(tail(text, end), is_end);
        check_name(name, what.word())?;
        if body.is_empty() {
            return syntax(format!("Macro %{} has empty body", shown(name)));
        }
        let spaced = match before_body {
            [first, ..] if is_blank(*first) => true,
            [b'\\', second, ..] => is_end(*second),
            _ => false,
        };
        if !spaced {
            let text = format!("Macro %{} needs whitespace before body", shown(name));
            self.host.message(Level::Warning, text.as_bytes());
        }
        if what == Body::Expanded {
            let mut expanded = Vec::new();
            self.inner(&body, &mut expanded)?;
            body = expanded;
        }
        self.macros.hold(name.len() + body.len() + EACH)?;
        self.macros.push(
            name,
            Entry {
                options,
                body: body.into(),
                level,
                automatic: false,
            },
        );
        Ok(end)
    }

    /// Takes a definition away; gives where the text goes on.
    pub(super) fn undefine(&mut self, text: &[u8]) -> Result<usize, MacroError> {
        let (name, at) = name(text);
        check_name(name, "%undefine")?;
        self.macros.undefine(name);
        Ok(at + count(tail(text, at), is_end))
    }
}
