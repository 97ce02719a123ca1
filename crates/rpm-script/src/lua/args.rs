//! What a function of `posix` or `rpm` is called with, checked as Lua's auxiliary library checks it, and what it answers.

use std::io;

use mlua::{Lua, Value};

/// An error to be raised in the script, with the place of the call before it.
pub(super) struct Raise(pub(super) Vec<u8>);

impl From<mlua::Error> for Raise {
    fn from(error: mlua::Error) -> Self {
        Raise(error.to_string().into_bytes())
    }
}

impl From<&str> for Raise {
    fn from(text: &str) -> Self {
        Raise(text.as_bytes().to_vec())
    }
}

impl From<String> for Raise {
    fn from(text: String) -> Self {
        Raise(text.into_bytes())
    }
}

/// What a function answers.
pub(super) type Answer = Result<Vec<Value>, Raise>;

/// The arguments of a call; they are counted from 1.
pub(super) struct Args<'l> {
    pub(super) lua: &'l Lua,
    pub(super) name: &'static str,
    pub(super) values: Vec<Value>,
}

/// The words of strerror(3).
pub(super) fn words_of(errno: i32) -> String {
    let text = io::Error::from_raw_os_error(errno).to_string();
    match text.rfind(" (os error ") {
        Some(end) => text.get(..end).unwrap_or_default().to_owned(),
        None => text,
    }
}

/// A number as the C functions push it: never an integer.
pub(super) fn number(value: impl Into<f64>) -> Value {
    Value::Number(value.into())
}

/// A number that may not fit exactly, as C converts it.
pub(super) fn large(value: impl TryInto<i128>) -> Value {
    Value::Number(value.try_into().unwrap_or_default() as f64)
}

impl Args<'_> {
    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    pub(super) fn get(&self, place: usize) -> Option<&Value> {
        place.checked_sub(1).and_then(|place| self.values.get(place))
    }

    /// Whether there is no such argument.
    pub(super) fn is_none(&self, place: usize) -> bool {
        self.get(place).is_none()
    }

    pub(super) fn is_none_or_nil(&self, place: usize) -> bool {
        self.get(place).is_none_or(Value::is_nil)
    }

    /// luaL_argerror.
    pub(super) fn bad(&self, place: usize, what: &str) -> Raise {
        format!("bad argument #{place} to '{}' ({what})", self.name).into()
    }

    pub(super) fn wrong_type(&self, place: usize, expected: &str) -> Raise {
        let found = match self.get(place) {
            None => "no value",
            Some(Value::Integer(_) | Value::Number(_)) => "number",
            Some(other) => other.type_name(),
        };
        self.bad(place, &format!("{expected} expected, got {found}"))
    }

    /// The bytes of a string or number, up to a zero byte, which is where C's functions end.
    pub(super) fn string(&self, place: usize) -> Result<Vec<u8>, Raise> {
        let bytes = self.bytes(place)?;
        let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
        Ok(bytes.get(..end).unwrap_or_default().to_vec())
    }

    /// All bytes of a string or number.
    pub(super) fn bytes(&self, place: usize) -> Result<Vec<u8>, Raise> {
        let text = match self.get(place) {
            Some(value @ (Value::String(_) | Value::Integer(_) | Value::Number(_))) => {
                self.lua.coerce_string(value.clone())?
            }
            _ => None,
        };
        match text {
            Some(text) => Ok(text.as_bytes().to_vec()),
            None => Err(self.wrong_type(place, "string")),
        }
    }

    pub(super) fn text_or(&self, place: usize, default: &str) -> Result<Vec<u8>, Raise> {
        match self.is_none_or_nil(place) {
            true => Ok(default.as_bytes().to_vec()),
            false => self.string(place),
        }
    }

    pub(super) fn integer(&self, place: usize) -> Result<i64, Raise> {
        let value = self.get(place).cloned().unwrap_or(Value::Nil);
        if let Some(number) = self.lua.coerce_integer(value.clone())? {
            return Ok(number);
        }
        match self.lua.coerce_number(value)? {
            Some(_) => Err(self.bad(place, "number has no integer representation")),
            None => Err(self.wrong_type(place, "number")),
        }
    }

    pub(super) fn integer_or(&self, place: usize, default: i64) -> Result<i64, Raise> {
        match self.is_none_or_nil(place) {
            true => Ok(default),
            false => self.integer(place),
        }
    }

    /// A number or a string that is one.
    pub(super) fn number(&self, place: usize) -> Option<f64> {
        let value = self.get(place)?.clone();
        self.lua.coerce_number(value).ok().flatten()
    }

    /// The place of a word in a list of choices (luaL_checkoption).
    pub(super) fn choice(&self, place: usize, choices: &[&str]) -> Result<usize, Raise> {
        let word = self.string(place)?;
        choices
            .iter()
            .position(|choice| choice.as_bytes() == word)
            .ok_or_else(|| {
                let word = String::from_utf8_lossy(&word);
                self.bad(place, &format!("invalid option '{word}'"))
            })
    }

    /// One of the fields of something, by its name, or without a name a table of all of them.
    pub(super) fn selection(&self, place: usize, fields: Vec<(&str, Value)>) -> Answer {
        if self.is_none(place) {
            let table = self.lua.create_table()?;
            for (name, value) in fields {
                table.raw_set(name, value)?;
            }
            return Ok(vec![Value::Table(table)]);
        }
        let names: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
        let chosen = self.choice(place, &names)?;
        Ok(fields
            .into_iter()
            .nth(chosen)
            .map(|(_, value)| value)
            .into_iter()
            .collect())
    }

    pub(super) fn text(&self, bytes: impl AsRef<[u8]>) -> Result<Value, Raise> {
        Ok(Value::String(self.lua.create_string(bytes)?))
    }
}
