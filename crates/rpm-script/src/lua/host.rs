//! What the functions of `posix` and `rpm` share in one interpreter.

use std::cell::{Cell, OnceCell, RefCell};
use std::cmp::Ordering;
use std::ffi::OsStr;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;

use bareroot_enter::inside;
use bareroot_rpm::Evr;
use mlua::{Lua, Value};

use super::args::{Answer, Args, Raise, number, words_of};
use super::run_chunk;
use crate::macros::{self, Macros};

/// A function that scripts can call.
pub(super) type Native = fn(&Host, &Args<'_>) -> Answer;

/// The state of one interpreter.
pub(super) struct Host {
    /// Whether this is a process that the script forked.
    pub(super) forked: Cell<bool>,
    /// The last failure.
    pub(super) errno: Cell<i32>,
    /// The version of the rpm that built the package, where it is known.
    built_by: String,
    /// Where macros come from, once one is asked for.
    load: fn() -> Macros,
    macros: OnceCell<Macros>,
    /// What `print` prints while a macro is expanded, which is part of the expansion.
    pub(super) printed: RefCell<Vec<Vec<u8>>>,
    /// Paths for `rpm.next_file`, the next one last.
    pub(super) input: RefCell<Vec<Vec<u8>>>,
}

impl Host {
    pub(super) fn new(built_by: &str, load: fn() -> Macros) -> Self {
        Host {
            forked: Cell::new(false),
            errno: Cell::new(0),
            built_by: built_by.to_owned(),
            load,
            macros: OnceCell::new(),
            printed: RefCell::new(Vec::new()),
            input: RefCell::new(Vec::new()),
        }
    }

    pub(super) fn macros(&self) -> &Macros {
        self.macros.get_or_init(self.load)
    }

    /// nil, words and a number: how a call that failed answers.
    pub(super) fn failed(&self, args: &Args<'_>, info: Option<&[u8]>, errno: i32) -> Answer {
        self.errno.set(errno);
        let words = words_of(errno).into_bytes();
        let text = match info {
            Some(info) => [info, b": ", &words].concat(),
            None => words,
        };
        Ok(vec![Value::Nil, args.text(text)?, number(errno)])
    }

    /// Refuses what would replace or end the process of the scriptlet itself.
    pub(super) fn only_forked(&self, what: &str) -> Result<(), Raise> {
        match self.forked.get() {
            true => Ok(()),
            false => Err(format!("{what} not permitted in this context").into()),
        }
    }

    /// What rpm 4.20 began to discourage, and refuses in packages of rpm 6.
    pub(super) fn check_deprecated(&self, function: &str) -> Result<(), Raise> {
        let since = |version: &str| {
            !self.built_by.is_empty()
                && Evr::parse(&self.built_by).compare(&Evr::parse(version)) != Ordering::Less
        };
        if since("5.99.0") {
            let advice = "is no longer available, use rpm.spawn() or rpm.execute() instead";
            return Err(format!("{function}() {advice}").into());
        }
        if since("4.20.0") {
            say(&format!(
                "warning: {function}(): .fork(), .exec(), .wait() and .redirect2null() are deprecated, use rpm.spawn() or \
                 rpm.execute() instead"
            ));
        }
        Ok(())
    }
}

fn os(bytes: &[u8]) -> &OsStr {
    OsStr::from_bytes(bytes)
}

/// A line on the standard error.
pub(super) fn say(line: &str) {
    let _ = std::io::stderr().write_all(format!("{line}\n").as_bytes());
}

/// Macros may hold Lua and commands of the shell: here, in the root, both can be run.
pub(super) struct Here<'a> {
    pub(super) lua: &'a Lua,
    pub(super) host: &'a Host,
}

impl macros::Host for Here<'_> {
    fn lua(&self, code: &[u8], options: &[(Vec<u8>, Vec<u8>)], arguments: &[Vec<u8>]) -> Option<Vec<u8>> {
        self.host.printed.borrow_mut().push(Vec::new());
        let done = run_macro(self.lua, code, options, arguments);
        let printed = self.host.printed.borrow_mut().pop().unwrap_or_default();
        match done {
            Ok(()) => Some(printed),
            Err(message) => {
                say(&format!("error: {message}"));
                None
            }
        }
    }

    fn shell(&self, command: &[u8]) -> Option<Vec<u8>> {
        let output = std::process::Command::new("/bin/sh")
            .arg("-c")
            .arg(os(command))
            .stderr(std::process::Stdio::inherit())
            .output();
        output.ok().map(|output| output.stdout)
    }

    fn variable(&self, name: &[u8]) -> Option<Vec<u8>> {
        std::env::var_os(os(name)).map(|value| value.as_bytes().to_vec())
    }

    fn read(&self, path: &[u8]) -> Option<Vec<u8>> {
        std::fs::read(os(path)).ok()
    }

    fn exists(&self, path: &[u8]) -> bool {
        std::fs::symlink_metadata(os(path)).is_ok()
    }

    fn message(&self, level: macros::Level, text: &[u8]) {
        say(&format!("{}{}", level.prefix(), String::from_utf8_lossy(text)));
    }
}

/// Runs the code of a macro; what it returns is printed, as rpm does.
fn run_macro(
    lua: &Lua,
    code: &[u8],
    options: &[(Vec<u8>, Vec<u8>)],
    arguments: &[Vec<u8>],
) -> Result<(), String> {
    let failed = |error: mlua::Error| error.to_string();
    let opt = lua.create_table().map_err(failed)?;
    for (name, value) in options {
        let value = lua.create_string(value).map_err(failed)?;
        opt.raw_set(lua.create_string(name).map_err(failed)?, value)
            .map_err(failed)?;
    }
    let arg = lua.create_table().map_err(failed)?;
    for argument in arguments {
        arg.raw_push(lua.create_string(argument).map_err(failed)?)
            .map_err(failed)?;
    }
    let returned = run_chunk(lua, "<lua>", code, opt, arg)?;
    if !returned.is_empty() {
        let print: mlua::Function = lua.named_registry_value(super::PRINT).map_err(failed)?;
        print
            .call::<()>(mlua::MultiValue::from_iter(returned))
            .map_err(failed)?;
    }
    Ok(())
}

/// Ends a process that the script forked.
pub(super) fn exit(host: &Host, args: &Args<'_>) -> Answer {
    host.only_forked("exit")?;
    inside::exit(args.integer_or(1, 0)? as u8)
}
