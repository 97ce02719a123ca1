//! rpm's macros (rpm-macros(7); rpm's rpmio/macro.c), for bodies that are to be expanded, for `rpm.expand` in Lua and for
//! what rpm's own configuration says, such as where its database is.
//!
//! Macros come from a root and are not to be trusted: depth, size and work are limited, and what would run code, `%{lua:}` and
//! `%()`, is the business of a [`Host`], which runs it inside the root or not at all.

mod builtin;
mod define;
mod expand;
mod expression;
mod load;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

pub use load::Files;

/// How deeply macros may expand into each other, as in rpm.
const MOST_DEPTH: usize = 64;

/// How much one expansion may yield, in bytes.
const MOST_BYTES: usize = 4 << 20;

/// How many macros one expansion may go through.
const MOST_STEPS: usize = 200_000;

/// How many bytes of texts, definitions and arguments one expansion may go through, and the files of a root may hold: what is held
/// at one moment, at any depth, is a small multiple of it.
const MOST_HELD: usize = 16 << 20;

/// What a definition or an argument takes beside its bytes: its name, and its places in tables.
const EACH: usize = 512;

/// Why an expansion failed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MacroError {
    /// It has no end: macros that expand into themselves.
    Depth,
    /// It is larger, or more work, than any that is meant well.
    Size,
    /// It is not written as it should be.
    Syntax(String),
    /// `%{error:}` says so.
    Raised,
    /// It holds Lua or a command that failed, or that may not be run here.
    Code,
}

impl std::fmt::Display for MacroError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            MacroError::Depth => {
                "Too many levels of recursion in macro expansion. It is likely caused by recursive macro declaration."
            }
            MacroError::Size => "The expansion of macros is too large",
            MacroError::Syntax(text) => text,
            MacroError::Raised => "A macro ends in an error",
            MacroError::Code => "Code within a macro failed",
        })
    }
}

impl std::error::Error for MacroError {}

/// How much a message matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// `%{echo:}`.
    Notice,
    /// `%{warn:}`, and definitions that are not as they should be.
    Warning,
    /// `%{error:}`.
    Error,
}

impl Level {
    /// What rpm writes before the message.
    pub fn prefix(self) -> &'static str {
        match self {
            Level::Notice => "",
            Level::Warning => "warning: ",
            Level::Error => "error: ",
        }
    }
}

/// What macros need of the place where they are expanded.
pub trait Host {
    /// Runs Lua and gives what it printed; `None` when it failed or may not be run.
    fn lua(&self, code: &[u8], options: &[(Vec<u8>, Vec<u8>)], arguments: &[Vec<u8>]) -> Option<Vec<u8>>;

    /// Runs a command of the shell and gives its output; `None` when it may not be run.
    fn shell(&self, command: &[u8]) -> Option<Vec<u8>>;

    /// Says something to whoever listens.
    fn message(&self, level: Level, text: &[u8]);

    /// A variable of the environment.
    fn variable(&self, _name: &[u8]) -> Option<Vec<u8>> {
        None
    }

    /// A file's bytes.
    fn read(&self, _path: &[u8]) -> Option<Vec<u8>> {
        None
    }

    /// Whether there is something at a path.
    fn exists(&self, _path: &[u8]) -> bool {
        false
    }
}

/// A place where nothing is run and nobody listens: for the configuration of a root, read from outside.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nowhere;

impl Host for Nowhere {
    fn lua(&self, _: &[u8], _: &[(Vec<u8>, Vec<u8>)], _: &[Vec<u8>]) -> Option<Vec<u8>> {
        None
    }

    fn shell(&self, _: &[u8]) -> Option<Vec<u8>> {
        None
    }

    fn message(&self, _: Level, _: &[u8]) {}
}

/// A definition.
#[derive(Clone, Debug)]
struct Entry {
    /// The letters of its options, of a macro that takes arguments.
    options: Option<Rc<[u8]>>,
    body: Rc<[u8]>,
    /// How many macros with arguments it is inside of: it ends with them.
    level: usize,
    /// An argument or option: seen in its own macro only.
    automatic: bool,
}

/// Macros by name; a later definition covers an earlier one until it is undefined.
#[derive(Debug, Default)]
pub struct Macros {
    table: RefCell<HashMap<Vec<u8>, Vec<Entry>>>,
    /// The names of what was defined within macros with arguments, with its level.
    scoped: RefCell<Vec<(Vec<u8>, usize)>>,
    depth: Cell<usize>,
    level: Cell<usize>,
    steps: Cell<usize>,
    /// Bytes of definitions and arguments that were made.
    held: Cell<usize>,
}

impl Macros {
    /// No macros but those that are built in.
    pub fn new() -> Macros {
        Macros::default()
    }

    /// A text with its macros expanded. What is no macro stays as it is.
    ///
    /// # Errors
    /// See [`MacroError`].
    pub fn expand(&self, text: &[u8], host: &dyn Host) -> Result<Vec<u8>, MacroError> {
        self.outermost(|| {
            let mut out = Vec::new();
            expand::Expansion::new(self, host).text(text, &mut out)?;
            Ok(out)
        })
    }

    /// Expands a macro with the arguments given, which are taken as they are.
    ///
    /// # Errors
    /// [`MacroError::Syntax`] where there is no such macro; else as for [`expand`](Self::expand).
    pub fn call(&self, name: &[u8], arguments: Vec<Vec<u8>>, host: &dyn Host) -> Result<Vec<u8>, MacroError> {
        self.outermost(|| {
            let mut out = Vec::new();
            expand::Expansion::new(self, host).call(name, arguments, &mut out)?;
            Ok(out)
        })
    }

    /// Defines a macro: `name[(options)] body`, as after `%define`.
    ///
    /// # Errors
    /// [`MacroError::Syntax`].
    pub fn define(&self, text: &[u8], host: &dyn Host) -> Result<(), MacroError> {
        self.outermost(|| {
            expand::Expansion::new(self, host).define(text, self.level.get(), define::Body::AsIs)?;
            Ok(())
        })
    }

    /// Defines a macro without arguments, whose body is taken as it is.
    pub fn set(&self, name: &[u8], body: &[u8]) {
        self.push(
            name,
            Entry {
                options: None,
                body: body.into(),
                level: 0,
                automatic: false,
            },
        );
    }

    /// Takes the last definition of a name away.
    pub fn undefine(&self, name: &[u8]) {
        let mut table = self.table.borrow_mut();
        if let Some(entries) = table.get_mut(name) {
            entries.pop();
            if entries.is_empty() {
                table.remove(name);
            }
        }
    }

    /// Whether there is such a macro, and if so whether it takes arguments.
    pub fn is_defined(&self, name: &[u8]) -> Option<bool> {
        match self.get(name) {
            Some(entry) => Some(entry.options.is_some()),
            None => builtin::is(name).then_some(true),
        }
    }

    fn get(&self, name: &[u8]) -> Option<Entry> {
        self.table.borrow().get(name)?.last().cloned()
    }

    fn push(&self, name: &[u8], entry: Entry) {
        if entry.level > 0 {
            self.scoped.borrow_mut().push((name.to_vec(), entry.level));
        }
        let mut table = self.table.borrow_mut();
        table.entry(name.to_vec()).or_default().push(entry);
    }

    /// Ends a level: what was defined in it is gone.
    fn leave(&self, level: usize) {
        let mut scoped = self.scoped.borrow_mut();
        while let Some((name, _)) = scoped.pop_if(|(_, defined)| *defined >= level) {
            let mut table = self.table.borrow_mut();
            let Some(entries) = table.get_mut(&name) else {
                continue;
            };
            entries.pop_if(|entry| entry.level >= level);
            if entries.is_empty() {
                table.remove(&name);
            }
        }
    }

    /// Counts one macro that is gone through.
    fn step(&self) -> Result<(), MacroError> {
        let steps = self.steps.get() + 1;
        self.steps.set(steps);
        match steps > MOST_STEPS {
            true => Err(MacroError::Size),
            false => Ok(()),
        }
    }

    /// Counts the bytes of a text, a definition or an argument.
    fn hold(&self, bytes: usize) -> Result<(), MacroError> {
        let held = self.held.get().saturating_add(bytes);
        self.held.set(held);
        match held > MOST_HELD {
            true => Err(MacroError::Size),
            false => Ok(()),
        }
    }

    /// Work is counted from the outermost expansion on, also across Lua.
    fn outermost<T>(&self, work: impl FnOnce() -> Result<T, MacroError>) -> Result<T, MacroError> {
        if self.depth.get() == 0 {
            self.steps.set(0);
            self.held.set(0);
        }
        work()
    }
}

#[cfg(test)]
mod tests;
