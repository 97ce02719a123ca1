//! rpm's embedded Lua: scriptlets whose interpreter is `<lua>` run in the process that asks, which is one inside the root.
//!
//! Functions, their answers and their messages are those of rpm (rpmio/rpmlua.c, rpmio/lposix.c, lib/rpmscript.c). Lua is
//! 5.4, which rpm has used since 4.16; its `debug` library is left out.

mod args;
mod host;
mod posix;
mod rpm;

use std::rc::Rc;

use mlua::{Function, Lua, MultiValue, Table, Value};

use args::Args;
use host::{Host, Native};

use crate::macros::Macros;

/// Names in Lua's registry.
const PRINT: &str = "bareroot.print";
const PCALL: &str = "bareroot.pcall";

/// Where rpm looks for modules of Lua, and for a script that is run first.
const MODULES: &str = "/usr/lib/rpm/lua/?.lua";
const INIT: &str = "/usr/lib/rpm/init.lua";

/// A scriptlet in Lua and what it gets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LuaScriptlet {
    /// What it is called in messages: `%post(name-version-release.arch)`.
    pub(crate) name: String,
    /// Its text.
    pub(crate) body: Vec<u8>,
    /// The numbers that become `arg[2]` and `arg[3]`.
    pub(crate) arguments: Vec<u32>,
    /// Prefixes of a package that can be relocated.
    pub(crate) prefixes: Vec<Vec<u8>>,
}

/// An interpreter with everything that rpm's has.
pub(crate) struct Interpreter {
    lua: Lua,
    host: Rc<Host>,
}

impl Interpreter {
    /// Makes one. `built_by` is the version of the rpm that built the package, `load` finds the macros once a script asks
    /// for them, `input` are the paths for `rpm.next_file`; without them there is no such function.
    pub(crate) fn new(
        built_by: &str,
        load: fn() -> Macros,
        input: Option<Vec<Vec<u8>>>,
    ) -> Result<Self, String> {
        let (lua, host) = (Lua::new(), Rc::new(Host::new(built_by, load)));
        let with_input = input.is_some();
        let mut input = input.unwrap_or_default();
        input.reverse();
        host.input.replace(input);
        furnish(&lua, &host, with_input).map_err(|error| error.to_string())?;
        Ok(Interpreter { lua, host })
    }

    /// Expands macros in a text, with Lua and shell commands in it run here.
    pub(crate) fn expand(&self, text: &[u8]) -> Result<Vec<u8>, String> {
        let here = host::Here {
            lua: &self.lua,
            host: &self.host,
        };
        let expanded = self.host.macros().expand(text, &here);
        expanded.map_err(|error| error.to_string())
    }

    /// Runs a scriptlet; the error is the line that rpm would print.
    pub(crate) fn run(&self, scriptlet: &LuaScriptlet) -> Result<(), String> {
        let failed = |error: mlua::Error| error.to_string();
        let lua = &self.lua;
        let arg = lua.create_table().map_err(failed)?;
        arg.raw_push("<lua>").map_err(failed)?;
        for number in &scriptlet.arguments {
            arg.raw_push(i64::from(*number)).map_err(failed)?;
        }
        if !scriptlet.prefixes.is_empty() {
            let prefixes = lua.create_table().map_err(failed)?;
            for prefix in &scriptlet.prefixes {
                let prefix = lua.create_string(prefix).map_err(failed)?;
                prefixes.raw_push(prefix).map_err(failed)?;
            }
            lua.globals()
                .raw_set("RPM_INSTALL_PREFIX", prefixes)
                .map_err(failed)?;
        }
        let opt = lua.create_table().map_err(failed)?;
        run_chunk(lua, &scriptlet.name, &scriptlet.body, opt, arg).map(drop)
    }

    /// Runs the root's own script for the beginning, where it has one.
    pub(crate) fn init(&self) {
        if let Ok(code) = std::fs::read(INIT)
            && let Ok(table) = self.lua.create_table()
            && let Err(message) = run_chunk(&self.lua, &format!("@{INIT}"), &code, table.clone(), table)
        {
            host::say(&format!("error: {message}"));
        }
    }
}

/// Gives an interpreter the tables that rpm's has.
fn furnish(lua: &Lua, host: &Rc<Host>, with_input: bool) -> mlua::Result<()> {
    let functions = lua.create_table()?;
    for (table, list) in [
        ("posix", posix::FUNCTIONS),
        ("rpm", rpm::FUNCTIONS),
        ("own", rpm::PRIVATE),
    ] {
        let made = lua.create_table()?;
        for (name, function) in list {
            made.raw_set(*name, native(lua, host, name, *function)?)?;
        }
        functions.raw_set(table, made)?;
    }
    let (print, pcall): (Function, Function) = lua
        .load(include_str!("prelude.lua"))
        .set_name("=prelude")
        .call((functions, MODULES, with_input))?;
    lua.set_named_registry_value(PRINT, print)?;
    lua.set_named_registry_value(PCALL, pcall)
}

/// A function of ours as one of Lua's, which answers whether it went well before anything else.
fn native(lua: &Lua, host: &Rc<Host>, name: &'static str, function: Native) -> mlua::Result<Function> {
    let host = Rc::clone(host);
    lua.create_function(move |lua, values: MultiValue| {
        let args = Args {
            lua,
            name,
            values: values.into_iter().collect(),
        };
        let mut answer = MultiValue::new();
        match function(&host, &args) {
            Ok(values) => {
                answer.push_back(Value::Boolean(true));
                answer.extend(values);
            }
            Err(raised) => {
                answer.push_back(Value::Boolean(false));
                answer.push_back(Value::String(lua.create_string(raised.0)?));
            }
        }
        Ok(answer)
    })
}

/// Runs code with the two tables that rpm gives each script; what it returns, or the line that rpm would print.
fn run_chunk(lua: &Lua, name: &str, code: &[u8], opt: Table, arg: Table) -> Result<Vec<Value>, String> {
    const LOCALS: &[u8] = b"local opt, arg = ...;";
    let failed = |error: &mlua::Error| format!("lua script failed: {error}");
    let function = lua
        .load([LOCALS, code].concat())
        .set_name(name)
        .into_function()
        .map_err(|error| match error {
            mlua::Error::SyntaxError { message, .. } => format!("invalid syntax in lua script: {message}"),
            other => failed(&other),
        })?;
    let pcall: Function = lua.named_registry_value(PCALL).map_err(|error| failed(&error))?;
    let pid = rustix::process::getpid();
    let result = pcall.call::<MultiValue>((function, opt, arg));
    if rustix::process::getpid() != pid {
        host::say("warning: runaway fork() in Lua script");
        bareroot_enter::inside::exit(1);
    }
    let mut values = result.map_err(|error| failed(&error))?;
    match values.pop_front() {
        Some(Value::Boolean(true)) => Ok(values.into_iter().collect()),
        _ => {
            let error = values.pop_front().unwrap_or(Value::Nil);
            let message = match lua.coerce_string(error.clone()) {
                Ok(Some(text)) => text.to_string_lossy(),
                // Lua's own memory or panics of ours, which its pcall passes on as an object.
                _ => match error {
                    Value::Error(error) => error.to_string(),
                    _ => "(null)".to_owned(),
                },
            };
            Err(format!("lua script failed: {message}"))
        }
    }
}
