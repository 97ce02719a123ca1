//! The table `rpm` (rpm's rpmio/rpmlua.c). What is plain Lua is in the prelude.

use std::cmp::Ordering;
use std::ffi::OsString;
use std::fs::OpenOptions;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::process::ExitStatusExt as _;
use std::process::Command;

use bareroot_rpm::rpmvercmp;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mlua::Value;

use super::args::{Answer, Args, Raise, number, words_of};
use super::host::{Here, Host, Native, exit};
use crate::{glob, words};

/// All functions of it, by name.
pub(super) const FUNCTIONS: &[(&str, Native)] = &[
    ("b64decode", b64decode),
    ("b64encode", b64encode),
    ("define", define),
    ("execute", execute),
    ("expand", expand),
    ("glob", glob_paths),
    ("interactive", interactive),
    ("isdefined", isdefined),
    ("load", load),
    ("spawn", spawn),
    ("splitargs", splitargs),
    ("undefine", undefine),
    ("unsplitargs", unsplitargs),
    ("vercmp", vercmp),
];

/// What the prelude alone uses.
pub(super) const PRIVATE: &[(&str, Native)] = &[
    ("emit", emit),
    ("exit", exit),
    ("next_file", next_file),
    ("call_macro", call_macro),
    ("version", version),
    ("compare", compare),
];

/// What stands in a line of base64 where the caller does not say.
const LINE: usize = 64;

fn b64encode(_: &Host, args: &Args<'_>) -> Answer {
    let bytes = args.bytes(1)?;
    let length = match args.len() {
        2 => args.integer(2)?,
        _ => -1,
    };
    if bytes.is_empty() {
        return Ok(args.values.last().cloned().into_iter().collect());
    }
    let mut text = STANDARD.encode(bytes);
    let length = usize::try_from(length).unwrap_or(LINE);
    if length > 0 {
        // Lines are whole groups of four.
        let length = (length / 4 * 4).max(4);
        text = text
            .as_bytes()
            .chunks(length)
            .map(|line| format!("{}\n", String::from_utf8_lossy(line)))
            .collect();
    }
    Ok(vec![args.text(text)?])
}

fn b64decode(_: &Host, args: &Args<'_>) -> Answer {
    let text: Vec<u8> = args
        .string(1)?
        .into_iter()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    Ok(vec![match STANDARD.decode(text) {
        Ok(bytes) => args.text(bytes)?,
        Err(_) => Value::Nil,
    }])
}

fn expand(host: &Host, args: &Args<'_>) -> Answer {
    let text = args.string(1)?;
    let here = Here { lua: args.lua, host };
    match host.macros().expand(&text, &here) {
        Ok(text) => Ok(vec![args.text(text)?]),
        Err(_) => Err("error expanding macro".into()),
    }
}

/// Expands a macro that takes arguments, with the arguments of a table.
fn call_macro(host: &Host, args: &Args<'_>) -> Answer {
    let name = args.string(1)?;
    let mut arguments = Vec::new();
    for place in 2..=args.len() {
        arguments.push(args.string(place)?);
    }
    let here = Here { lua: args.lua, host };
    match host.macros().call(&name, arguments, &here) {
        Ok(text) => Ok(vec![args.text(text)?]),
        Err(_) => Err("error expanding macro".into()),
    }
}

fn define(host: &Host, args: &Args<'_>) -> Answer {
    let text = args.string(1)?;
    let here = Here { lua: args.lua, host };
    match host.macros().define(&text, &here) {
        Ok(()) => Ok(Vec::new()),
        Err(_) => Err("error defining macro".into()),
    }
}

fn undefine(host: &Host, args: &Args<'_>) -> Answer {
    host.macros().undefine(&args.string(1)?);
    Ok(Vec::new())
}

fn isdefined(host: &Host, args: &Args<'_>) -> Answer {
    let found = host.macros().is_defined(&args.string(1)?);
    Ok(vec![
        Value::Boolean(found.is_some()),
        Value::Boolean(found == Some(true)),
    ])
}

fn load(host: &Host, args: &Args<'_>) -> Answer {
    let path = args.string(1)?;
    let here = Here { lua: args.lua, host };
    let loaded = std::fs::read(std::ffi::OsStr::from_bytes(&path))
        .is_ok_and(|text| host.macros().load_text(&text, &here).is_ok());
    Ok(vec![number(if loaded { 0 } else { -1 })])
}

fn interactive(_: &Host, _: &Args<'_>) -> Answer {
    Err("not a tty".into())
}

/// How a command ended: 0, or nil, what it was and its number.
fn ended(args: &Args<'_>, command: &mut Command) -> Answer {
    let failed =
        |what: &str, number_of: i32| -> Answer { Ok(vec![Value::Nil, args.text(what)?, number(number_of)]) };
    match command.status() {
        Err(error) => {
            let errno = error.raw_os_error().unwrap_or_default();
            failed(&words_of(errno), errno)
        }
        Ok(status) => match (status.code(), status.signal()) {
            (Some(0), _) => Ok(vec![number(0)]),
            (Some(code), _) => failed("exit code", code),
            (None, signal) => failed("exit signal", signal.unwrap_or_default()),
        },
    }
}

fn os(bytes: Vec<u8>) -> OsString {
    OsString::from_vec(bytes)
}

fn execute(_: &Host, args: &Args<'_>) -> Answer {
    let mut command = Command::new(os(args.string(1)?));
    for place in 2..=args.len() {
        command.arg(os(args.string(place)?));
    }
    ended(args, &mut command)
}

fn spawn(_: &Host, args: &Args<'_>) -> Answer {
    let words = strings(args, 1)?;
    let mut words = words.into_iter().map(os);
    let mut command = Command::new(words.next().ok_or("command not supplied")?);
    command.args(words);
    if let Some(Value::Table(directives)) = args.get(2) {
        for pair in directives.pairs::<Value, Value>() {
            let (key, value) = pair?;
            let pair = Args {
                lua: args.lua,
                name: args.name,
                values: vec![key, value],
            };
            let (key, path) = (pair.string(1)?, os(pair.string(2)?));
            let opened = match key.as_slice() {
                b"stdin" => OpenOptions::new().read(true).open(&path),
                b"stdout" | b"stderr" => OpenOptions::new().append(true).create(true).open(&path),
                _ => {
                    let key = String::from_utf8_lossy(&key);
                    return Err(format!("invalid spawn directive: {key}").into());
                }
            };
            let file = match opened {
                Ok(file) => file,
                Err(error) => {
                    let errno = error.raw_os_error().unwrap_or_default();
                    return Ok(vec![Value::Nil, args.text(words_of(errno))?, number(errno)]);
                }
            };
            match key.as_slice() {
                b"stdin" => command.stdin(file),
                b"stdout" => command.stdout(file),
                _ => command.stderr(file),
            };
        }
    }
    ended(args, &mut command)
}

/// The strings of a table.
fn strings(args: &Args<'_>, place: usize) -> Result<Vec<Vec<u8>>, Raise> {
    let Some(Value::Table(table)) = args.get(place) else {
        return Err(args.wrong_type(place, "table"));
    };
    let mut strings = Vec::new();
    for value in table.sequence_values::<Value>() {
        let one = Args {
            lua: args.lua,
            name: args.name,
            values: vec![value?],
        };
        strings.push(one.string(1)?);
    }
    Ok(strings)
}

fn list(args: &Args<'_>, strings: impl IntoIterator<Item = Vec<u8>>) -> Answer {
    let table = args.lua.create_table()?;
    for string in strings {
        table.raw_push(args.text(string)?)?;
    }
    Ok(vec![Value::Table(table)])
}

fn splitargs(_: &Host, args: &Args<'_>) -> Answer {
    list(args, words::split(&args.string(1)?))
}

fn unsplitargs(_: &Host, args: &Args<'_>) -> Answer {
    Ok(vec![args.text(words::unsplit(&strings(args, 1)?))?])
}

/// A pattern that nothing matches stands for itself.
fn glob_paths(_: &Host, args: &Args<'_>) -> Answer {
    list(args, glob::paths(&args.string(1)?))
}

/// Epoch, version and release; those that are missing are `None`.
type Parts = [Option<Vec<u8>>; 3];

/// The parts of `[epoch:]version[-release]`; nothing of an empty text.
fn parts(text: &[u8]) -> Option<Parts> {
    if text.is_empty() {
        return None;
    }
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (epoch, rest) = match text.get(digits) {
        Some(b':') => (text.get(..digits), text.get(digits + 1..).unwrap_or_default()),
        _ => (None, text),
    };
    let (version, release) = match rest.iter().rposition(|byte| *byte == b'-') {
        Some(at) => (rest.get(..at).unwrap_or_default(), rest.get(at + 1..)),
        None => (rest, None),
    };
    // As rpm has it, an empty epoch is 0.
    let epoch = epoch.map(|epoch| {
        if epoch.is_empty() {
            b"0".to_vec()
        } else {
            epoch.to_vec()
        }
    });
    Some([epoch, Some(version.to_vec()), release.map(<[u8]>::to_vec)])
}

/// rpmverCmp: what has a release is newer than what has none.
fn order(one: &Parts, other: &Parts) -> Ordering {
    let zero = Some(b"0".to_vec());
    let part = |parts: &Parts, place: usize| match (place, parts.get(place).cloned().flatten()) {
        (0, None) => zero.clone(),
        (_, part) => part,
    };
    (0..3)
        .map(|place| match (part(one, place), part(other, place)) {
            (Some(one), Some(other)) => {
                rpmvercmp(&String::from_utf8_lossy(&one), &String::from_utf8_lossy(&other))
            }
            (one, other) => one.is_some().cmp(&other.is_some()),
        })
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

fn vercmp(_: &Host, args: &Args<'_>) -> Answer {
    let (one, other) = (args.string(1)?, args.string(2)?);
    let one = parts(&one).ok_or_else(|| args.bad(1, "invalid version "))?;
    let other = parts(&other).ok_or_else(|| args.bad(2, "invalid version "))?;
    Ok(vec![Value::Integer(order(&one, &other) as i64)])
}

/// The parts of a version, nil where one is missing; nothing of what is no version.
fn version(_: &Host, args: &Args<'_>) -> Answer {
    let Some(parts) = parts(&args.string(1)?) else {
        return Ok(Vec::new());
    };
    parts
        .into_iter()
        .map(|part| part.map_or(Ok(Value::Nil), |part| args.text(part)))
        .collect()
}

/// How two versions compare, each given by its three parts.
fn compare(_: &Host, args: &Args<'_>) -> Answer {
    let part = |place: usize| match args.is_none_or_nil(place) {
        true => Ok(None),
        false => args.string(place).map(Some),
    };
    let one = [part(1)?, part(2)?, part(3)?];
    let other = [part(4)?, part(5)?, part(6)?];
    Ok(vec![Value::Integer(order(&one, &other) as i64)])
}

/// Takes what is printed while a macro is expanded; false when it is to be printed for good.
fn emit(host: &Host, args: &Args<'_>) -> Answer {
    let text = args.bytes(1)?;
    let mut printed = host.printed.borrow_mut();
    let taken = printed.last_mut().map(|last| last.extend(text)).is_some();
    Ok(vec![Value::Boolean(taken)])
}

fn next_file(host: &Host, args: &Args<'_>) -> Answer {
    let next = host.input.borrow_mut().pop();
    Ok(vec![match next {
        Some(path) => args.text(path)?,
        None => Value::Nil,
    }])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_as_rpmver_does() {
        for (one, other, expected) in [
            ("1.0-1", "1.0-2", -1),
            ("1.0", "1.0-1", -1),
            ("0:1", "1", 0),
            ("1:1", "2", 1),
            ("1.0~rc1", "1.0", -1),
            (":1", "0:1", 0),
            ("a:1", "a:1", 0),
        ] {
            let order = order(&parts(one.as_bytes()).unwrap(), &parts(other.as_bytes()).unwrap());
            assert_eq!(order as i64, expected, "{one} {other}");
        }
        assert!(parts(b"").is_none());
    }
}
