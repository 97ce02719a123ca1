//! The macros that are built in.

use super::define::shown;
use super::expand::Expansion;
use super::{Level, MacroError, expression};
use crate::words;

/// Their names, sorted: those of rpm 4.20.
const NAMES: &[&str] = &[
    "P",
    "S",
    "basename",
    "define",
    "dirname",
    "dnl",
    "dump",
    "echo",
    "error",
    "exists",
    "expand",
    "expr",
    "getconfdir",
    "getenv",
    "getncpus",
    "global",
    "gsub",
    "len",
    "load",
    "lower",
    "lua",
    "macrobody",
    "quote",
    "rep",
    "reverse",
    "shescape",
    "shrink",
    "sub",
    "suffix",
    "trace",
    "u2p",
    "uncompress",
    "undefine",
    "upper",
    "url2path",
    "verbose",
    "warn",
];

/// Those that stand alone.
const WITHOUT_ARGUMENT: &[&str] = &["dump", "getconfdir", "getncpus", "trace", "verbose"];

/// Whether a macro is built in.
pub(super) fn is(name: &[u8]) -> bool {
    std::str::from_utf8(name).is_ok_and(|name| NAMES.binary_search(&name).is_ok())
}

fn last_of(text: &[u8], byte: u8) -> Option<(&[u8], &[u8])> {
    let at = text.iter().rposition(|found| *found == byte)?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// The path of a URL: what follows the host; a text that is no URL is a path.
fn path_of(url: &[u8]) -> &[u8] {
    let path = match url.windows(3).position(|three| three == b"://") {
        Some(at) if url.iter().take(at).all(u8::is_ascii_alphanumeric) => {
            let rest = url.get(at + 3..).unwrap_or_default();
            let slash = rest.iter().position(|byte| *byte == b'/').unwrap_or(rest.len());
            rest.get(slash..).unwrap_or_default()
        }
        _ => url,
    };
    if path.is_empty() { b"/" } else { path }
}

/// A word for the shell.
fn shell_escaped(text: &[u8]) -> Vec<u8> {
    let mut escaped = vec![b'\''];
    for byte in text {
        match byte {
            b'\'' => escaped.extend_from_slice(b"'\\''"),
            other => escaped.push(*other),
        }
    }
    escaped.push(b'\'');
    escaped
}

fn shrunk(text: &[u8]) -> Vec<u8> {
    let words: Vec<&[u8]> = text
        .split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty())
        .collect();
    words.join(&b' ')
}

/// Runs one of them. `value` is what stands after the colon, or the words.
pub(super) fn run(
    state: &mut Expansion<'_>,
    name: &[u8],
    value: Option<&[u8]>,
    negate: bool,
    out: &mut Vec<u8>,
) -> Result<(), MacroError> {
    let name = shown(name);
    let raw = match value {
        Some(value) => value,
        None if WITHOUT_ARGUMENT.contains(&name.as_str()) => b"",
        None => return Err(MacroError::Syntax(format!("%{name}: argument expected"))),
    };
    match name.as_str() {
        "lua" => return state.lua(raw, out),
        "expr" => {
            let value = expression::evaluate(raw, state)?;
            out.extend(value);
            return Ok(());
        }
        "dnl" | "dump" | "trace" => return Ok(()),
        "verbose" => {
            if value.is_none() {
                out.push(b'0');
            }
            return Ok(());
        }
        "gsub" | "sub" | "rep" if value.is_some() => return in_lua(state, &name, raw, out),
        _ => {}
    }
    let value = state.expanded(raw)?;
    match name.as_str() {
        "basename" => out.extend(last_of(&value, b'/').map_or(value.as_slice(), |(_, base)| base)),
        "dirname" => out.extend(last_of(&value, b'/').map_or(value.as_slice(), |(directory, _)| directory)),
        "suffix" => out.extend(last_of(&value, b'.').map_or(b"".as_slice(), |(_, suffix)| suffix)),
        "shrink" => out.extend(shrunk(&value)),
        "quote" => {
            out.push(words::QUOTE);
            out.extend(value);
            out.push(words::QUOTE);
        }
        "shescape" => out.extend(shell_escaped(&value)),
        "upper" => out.extend(value.to_ascii_uppercase()),
        "lower" => out.extend(value.to_ascii_lowercase()),
        "len" => out.extend(value.len().to_string().bytes()),
        "reverse" => out.extend(value.iter().rev()),
        "url2path" | "u2p" => out.extend(path_of(&value)),
        "expand" => state.text(&value, out)?,
        "uncompress" => out.extend([b"/usr/lib/rpm/rpmuncompress ", value.as_slice()].concat()),
        "S" => state.text(&[b"%SOURCE", value.as_slice()].concat(), out)?,
        "P" => state.text(&[b"%PATCH", value.as_slice()].concat(), out)?,
        "getenv" => out.extend(state.host.variable(&value).unwrap_or_default()),
        "getconfdir" => out.extend(b"/usr/lib/rpm"),
        "getncpus" => {
            let number = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
            out.extend(number.to_string().bytes());
        }
        "exists" => out.push(b'0' + u8::from(state.host.exists(&value))),
        "macrobody" => match state.macros.get(&value) {
            Some(entry) => out.extend(entry.body.iter()),
            None => return Err(MacroError::Syntax(format!("no such macro: '{}'", shown(&value)))),
        },
        "load" => {
            let text = state.host.read(&value);
            let loaded = text.is_some_and(|text| state.macros.load_text(&text, state.host).is_ok());
            if !loaded && !negate {
                let text = format!("failed to load macro file {}", shown(&value));
                return Err(MacroError::Syntax(text));
            }
        }
        "echo" => state.say(Level::Notice, &value),
        "warn" => state.say(Level::Warning, &value),
        "error" => {
            state.say(Level::Error, &value);
            return Err(MacroError::Raised);
        }
        _ => {}
    }
    Ok(())
}

/// Functions of Lua's strings as macros (rpm 4.19).
fn in_lua(state: &mut Expansion<'_>, name: &str, raw: &[u8], out: &mut Vec<u8>) -> Result<(), MacroError> {
    let words = words::split(&state.expanded(raw)?);
    let mut code = format!("print((string.{name}(").into_bytes();
    for (place, word) in words.iter().enumerate() {
        if place > 0 {
            code.push(b',');
        }
        // A string of escapes alone holds no code.
        code.push(b'"');
        for byte in word {
            code.extend(format!("\\{byte:03}").bytes());
        }
        code.push(b'"');
    }
    code.extend(b")))");
    state.lua(&code, out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_are_sorted() {
        assert!(NAMES.is_sorted());
        assert!(WITHOUT_ARGUMENT.iter().all(|name| is(name.as_bytes())));
        assert!(!is(b"nope"));
    }
}
