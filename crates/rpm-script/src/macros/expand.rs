//! The expansion itself.

use super::define::{Body, is_blank, is_end, shown};
use super::{EACH, Entry, Host, Level, MOST_BYTES, MOST_DEPTH, MacroError, Macros, builtin, expression};
use crate::words;

/// The state of an expansion at some depth.
pub(super) struct Expansion<'a> {
    pub(super) macros: &'a Macros,
    pub(super) host: &'a dyn Host,
    depth: usize,
    pub(super) level: usize,
}

/// The place of the byte that closes what is open at a place; escaped bytes do not count.
pub(super) fn matching(text: &[u8], open_at: usize, close: u8) -> Option<usize> {
    let open = *text.get(open_at)?;
    let mut level = 0_usize;
    let mut at = open_at;
    while let Some(&byte) = text.get(at) {
        if byte == b'\\' {
            at += 2;
            continue;
        }
        if byte == close {
            level = level.saturating_sub(1);
            if level == 0 {
                return Some(at);
            }
        } else if byte == open {
            level += 1;
        }
        at += 1;
    }
    None
}

/// A macro's call, as it stands in the text.
struct Call<'t> {
    name: &'t [u8],
    negate: bool,
    /// Whether only its being there is asked for.
    exists: bool,
    /// What follows a colon.
    value: Option<&'t [u8]>,
    /// Words after the name: to the end of the line, or to the closing brace.
    words: Option<&'t [u8]>,
    /// Where the text goes on after the name or the closing brace, and after the words.
    end: usize,
    end_of_words: usize,
}

fn part(text: &[u8], from: usize, to: usize) -> &[u8] {
    text.get(from..to).unwrap_or_default()
}

impl<'a> Expansion<'a> {
    pub(super) fn new(macros: &'a Macros, host: &'a dyn Host) -> Self {
        Expansion {
            macros,
            host,
            depth: macros.depth.get(),
            level: macros.level.get(),
        }
    }

    /// Expands a text in the place where it stands.
    pub(super) fn text(&mut self, text: &[u8], out: &mut Vec<u8>) -> Result<(), MacroError> {
        self.deeper(|state| state.pieces(text, out))
    }

    /// Does something one level deeper: texts in texts, and parentheses in expressions.
    pub(super) fn deeper<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, MacroError>,
    ) -> Result<T, MacroError> {
        if self.depth >= MOST_DEPTH {
            return Err(MacroError::Depth);
        }
        self.depth += 1;
        let done = work(self);
        self.depth -= 1;
        done
    }

    /// Expands a text that is an argument, so that an error in it is one of the whole.
    pub(super) fn inner(&mut self, text: &[u8], out: &mut Vec<u8>) -> Result<(), MacroError> {
        self.text(text, out)
    }

    pub(super) fn expanded(&mut self, text: &[u8]) -> Result<Vec<u8>, MacroError> {
        let mut out = Vec::new();
        self.inner(text, &mut out)?;
        Ok(out)
    }

    fn pieces(&mut self, text: &[u8], out: &mut Vec<u8>) -> Result<(), MacroError> {
        self.macros.hold(text.len())?;
        let mut at = 0;
        while let Some(&byte) = text.get(at) {
            if out.len() > MOST_BYTES {
                return Err(MacroError::Size);
            }
            at += 1;
            let next = text.get(at).copied();
            match (byte, next) {
                (b'%', Some(b'%')) => {
                    at += 1;
                    out.push(b'%');
                }
                (b'%', Some(next)) => at = self.one(text, at, next, out)?,
                _ => out.push(byte),
            }
        }
        Ok(())
    }

    /// Expands what follows a percent sign; gives where the text goes on.
    fn one(&mut self, text: &[u8], at: usize, next: u8, out: &mut Vec<u8>) -> Result<usize, MacroError> {
        self.macros.step()?;
        let close = match next {
            b'(' => b')',
            b'[' => b']',
            b'{' => b'}',
            _ => {
                let call = bare_call(text, at);
                return self.named(text, at, call, out);
            }
        };
        let Some(end) = matching(text, at, close) else {
            let text = format!(
                "Unterminated {}: {}",
                char::from(next),
                shown(part(text, at, text.len()))
            );
            return Err(MacroError::Syntax(text));
        };
        let inside = part(text, at + 1, end);
        match next {
            b'(' => self.shell(inside, out)?,
            b'[' => {
                let value = expression::evaluate(inside, self)?;
                self.macros.hold(value.len())?;
                out.extend_from_slice(&value);
            }
            _ => {
                let call = braced_call(inside, end + 1);
                return self.named(text, at, call, out);
            }
        }
        Ok(end + 1)
    }

    fn shell(&mut self, command: &[u8], out: &mut Vec<u8>) -> Result<(), MacroError> {
        let command = self.expanded(command)?;
        let output = self.host.shell(&command).ok_or(MacroError::Code)?;
        if output.len() > MOST_BYTES {
            return Err(MacroError::Size);
        }
        self.macros.hold(output.len())?;
        let length = output.len() - output.iter().rev().take_while(|byte| is_end(**byte)).count();
        out.extend_from_slice(part(&output, 0, length));
        Ok(())
    }

    fn named(
        &mut self,
        text: &[u8],
        at: usize,
        call: Call<'_>,
        out: &mut Vec<u8>,
    ) -> Result<usize, MacroError> {
        if call.name.is_empty() {
            out.push(b'%');
            return Ok(at);
        }
        // Automatic macros are those of the innermost level alone.
        let entry = self
            .macros
            .get(call.name)
            .filter(|entry| !entry.automatic || entry.level >= self.level);
        if call.name.first() == Some(&b'-') || call.exists {
            let is_builtin = entry.is_none() && call.name.first() != Some(&b'-') && builtin::is(call.name);
            let is_there = entry.is_some() || is_builtin;
            if is_there != call.negate {
                match (call.value, entry) {
                    (Some(value), _) => self.text(value, out)?,
                    (None, Some(entry)) => self.body(&entry, out)?,
                    (None, None) => {}
                }
            }
            return Ok(call.end);
        }
        if entry.is_none() && builtin::is(call.name) {
            return self.builtin(text, &call, out);
        }
        let Some(entry) = entry else {
            // What is no macro stays.
            out.push(b'%');
            return Ok(at);
        };
        if entry.options.is_none() {
            self.body(&entry, out)?;
            return Ok(call.end);
        }
        let (arguments, end) = match (call.value, call.words) {
            (Some(value), _) => (vec![self.expanded(value)?], call.end),
            (None, Some(words)) => {
                let words = self.expanded(words)?;
                // Each word is a text of its own, however short.
                let most = words.iter().filter(|byte| byte.is_ascii_whitespace()).count() + 1;
                self.macros.hold(most.saturating_mul(EACH / 4))?;
                (words::split(&words), call.end_of_words)
            }
            (None, None) => (Vec::new(), call.end),
        };
        self.with_arguments(call.name, &entry, arguments, out)?;
        Ok(end)
    }

    /// What a macro stands for. Arguments and options are expanded already.
    fn body(&mut self, entry: &Entry, out: &mut Vec<u8>) -> Result<(), MacroError> {
        match entry.automatic {
            true => {
                self.macros.hold(entry.body.len())?;
                out.extend_from_slice(&entry.body);
                Ok(())
            }
            false => self.text(&entry.body, out),
        }
    }

    /// Expands a macro by its name, with arguments that are not looked at.
    pub(super) fn call(
        &mut self,
        name: &[u8],
        arguments: Vec<Vec<u8>>,
        out: &mut Vec<u8>,
    ) -> Result<(), MacroError> {
        let Some(entry) = self.macros.get(name) else {
            return Err(MacroError::Syntax(format!("no such macro: '{}'", shown(name))));
        };
        match entry.options {
            Some(_) => self.with_arguments(name, &entry, arguments, out),
            None => self.text(&entry.body, out),
        }
    }

    fn with_arguments(
        &mut self,
        name: &[u8],
        entry: &Entry,
        arguments: Vec<Vec<u8>>,
        out: &mut Vec<u8>,
    ) -> Result<(), MacroError> {
        let options = entry.options.clone().unwrap_or_default();
        let (given, rest) = options_of(name, &options, &arguments)?;
        // Each argument becomes part of several macros.
        let bytes: usize = arguments.iter().map(|argument| argument.len() + 1).sum();
        let each = arguments.len().saturating_mul(EACH);
        self.macros.hold(bytes.saturating_mul(4).saturating_add(each))?;
        self.level += 1;
        let level = self.level;
        let define = |name: &[u8], body: &[u8]| {
            self.macros.push(
                name,
                Entry {
                    options: None,
                    body: body.into(),
                    level,
                    automatic: true,
                },
            );
        };
        define(b"0", name);
        define(b"**", &words::unsplit(&arguments));
        for (letter, value) in &given {
            let option = [b'-', *letter];
            match value {
                Some(value) => {
                    define(&option, &[&option, b" ".as_slice(), value].concat());
                    define(&[b'-', *letter, b'*'], value);
                }
                None => define(&option, &option),
            }
        }
        define(b"#", rest.len().to_string().as_bytes());
        for (place, argument) in rest.iter().enumerate() {
            define((place + 1).to_string().as_bytes(), argument);
        }
        define(b"*", &words::unsplit(&rest));
        let outer = (self.macros.level.get(), self.macros.depth.get());
        let done = self.text(&entry.body, out);
        self.macros.level.set(outer.0);
        self.macros.depth.set(outer.1);
        self.macros.leave(level);
        self.level -= 1;
        done
    }

    /// The options and arguments of the macro that this stands in, as Lua gets them.
    fn for_lua(&self) -> (Vec<Named>, Vec<Vec<u8>>) {
        if self.level == 0 {
            return (Vec::new(), Vec::new());
        }
        let own = |name: &[u8]| {
            self.macros
                .get(name)
                .filter(|entry| entry.automatic && entry.level >= self.level)
                .map(|entry| entry.body.to_vec())
        };
        let options = (b'!'..=b'~')
            .filter(|letter| own(&[b'-', *letter]).is_some())
            .map(|letter| (vec![letter], own(&[b'-', letter, b'*']).unwrap_or_default()))
            .collect();
        let arguments = (1_usize..)
            .map_while(|place| own(place.to_string().as_bytes()))
            .collect();
        (options, arguments)
    }

    /// Runs Lua, from which macros can be expanded at this depth again.
    pub(super) fn lua(&mut self, code: &[u8], out: &mut Vec<u8>) -> Result<(), MacroError> {
        let (options, arguments) = self.for_lua();
        let outer = (self.macros.level.get(), self.macros.depth.get());
        self.macros.level.set(self.level);
        self.macros.depth.set(self.depth);
        let printed = self.host.lua(code, &options, &arguments);
        self.macros.level.set(outer.0);
        self.macros.depth.set(outer.1);
        out.extend(printed.ok_or(MacroError::Code)?);
        Ok(())
    }

    fn builtin(&mut self, text: &[u8], call: &Call<'_>, out: &mut Vec<u8>) -> Result<usize, MacroError> {
        let rest = part(text, call.end, text.len());
        let braced = call
            .value
            .or(call.words.filter(|_| call.end_of_words == call.end));
        match call.name {
            b"define" | b"global" | b"undefine" => {
                let text = braced.unwrap_or(rest);
                let length = match call.name {
                    b"define" => self.define(text, self.level, Body::AsIs)?,
                    b"global" => self.define(text, 0, Body::Expanded)?,
                    _ => self.undefine(text)?,
                };
                return Ok(match braced {
                    Some(_) => call.end,
                    None => call.end + length,
                });
            }
            b"dnl" if braced.is_none() => {
                let length = rest.iter().take_while(|byte| **byte != b'\n').count();
                let newline = usize::from(length < rest.len());
                return Ok(call.end + length + newline);
            }
            _ => {}
        }
        let (value, end) = match (call.value, call.words) {
            (Some(value), _) => (Some(value), call.end),
            (None, Some(words)) => (Some(words.trim_ascii_start()), call.end_of_words),
            (None, None) => (None, call.end),
        };
        let before = out.len();
        builtin::run(self, call.name, value, call.negate, out)?;
        self.macros.hold(out.len().saturating_sub(before))?;
        Ok(end)
    }

    pub(super) fn say(&self, level: Level, text: &[u8]) {
        self.host.message(level, text);
    }
}

fn flags(text: &[u8]) -> (usize, bool, bool) {
    let length = text.iter().take_while(|byte| b"!?".contains(byte)).count();
    let marks = part(text, 0, length);
    let negations = marks.iter().filter(|byte| **byte == b'!').count();
    (length, negations % 2 == 1, marks.contains(&b'?'))
}

/// `%name`, whose words go to the end of the line.
fn bare_call(text: &[u8], at: usize) -> Call<'_> {
    let rest = part(text, at, text.len());
    let (marks, negate, exists) = flags(rest);
    let mut length = usize::from(rest.get(marks) == Some(&b'-'));
    let named = part(rest, marks + length, rest.len());
    length += named
        .iter()
        .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_')
        .count();
    length += match part(rest, marks + length, rest.len()) {
        [b'*', b'*', ..] => 2,
        [b'*' | b'#', ..] => 1,
        _ => 0,
    };
    let end = at + marks + length;
    let after = part(text, end, text.len());
    let words = after.first().is_some_and(|byte| is_blank(*byte)).then(|| {
        let length = after.iter().take_while(|byte| **byte != b'\n').count();
        part(after, 0, length)
    });
    Call {
        name: part(rest, marks, marks + length),
        negate,
        exists,
        value: None,
        // The end of the line belongs to the call, unless it is escaped.
        end_of_words: match words {
            Some(words) => end + words.len() + usize::from(words.last() == Some(&b'\\')),
            None => end,
        },
        words,
        end,
    }
}

/// `%{name...}`.
fn braced_call(inside: &[u8], end: usize) -> Call<'_> {
    let (marks, negate, exists) = flags(inside);
    let rest = part(inside, marks, inside.len());
    let length = rest.iter().take_while(|byte| !b" :}".contains(byte)).count();
    let after = part(rest, length + 1, rest.len());
    let (value, words) = match rest.get(length) {
        Some(b':') => (Some(after), None),
        Some(b' ') => (None, Some(after)),
        _ => (None, None),
    };
    Call {
        name: part(rest, 0, length),
        negate,
        exists,
        value,
        words,
        end,
        end_of_words: end,
    }
}

/// An option and its value, as Lua gets them.
type Named = (Vec<u8>, Vec<u8>);

/// Options with their values, where they have one, as getopt(3) finds them, and the words that are none.
type Given = Vec<(u8, Option<Vec<u8>>)>;

fn options_of(name: &[u8], options: &[u8], words: &[Vec<u8>]) -> Result<(Given, Vec<Vec<u8>>), MacroError> {
    // A dash alone: nothing is an option.
    if options == b"-" {
        return Ok((Vec::new(), words.to_vec()));
    }
    let (mut given, mut rest) = (Vec::new(), Vec::new());
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let mut letters = match word.as_slice() {
            b"--" => {
                rest.extend(words.cloned());
                break;
            }
            [b'-', letters @ ..] if !letters.is_empty() => letters,
            _ => {
                rest.push(word.clone());
                continue;
            }
        };
        while let [letter, others @ ..] = letters {
            letters = others;
            let unknown = || {
                let (letter, name, options) = (char::from(*letter), shown(name), shown(options));
                MacroError::Syntax(format!("Unknown option {letter} in {name}({options})"))
            };
            let known = options.iter().position(|option| option == letter);
            let place = known.filter(|_| *letter != b':').ok_or_else(unknown)?;
            if options.get(place + 1) != Some(&b':') {
                given.push((*letter, None));
                continue;
            }
            let value = match others {
                [] => words.next().cloned().ok_or_else(unknown)?,
                _ => others.to_vec(),
            };
            given.push((*letter, Some(value)));
            break;
        }
    }
    Ok((given, rest))
}
