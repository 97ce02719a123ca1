//! What of a scriptlet runs inside the root as a function of bareroot's own: Lua itself, and what is done to a body before an
//! interpreter of the root gets it.

use std::ffi::OsString;
use std::io::{Read as _, Write as _};
use std::os::fd::RawFd;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::OpenOptionsExt as _;

use bareroot_enter::{Builtin, inside};
use bareroot_rpm::{Header, blob};

use crate::format;
use crate::lua::{Interpreter, LuaScriptlet};
use crate::macros::{Files, Macros, Nowhere};

/// The name of the built-in program that runs scriptlets.
pub const PROGRAM: &str = "rpm-scriptlet";

/// The built-in programs of this room, for [`Warden::start_with`](bareroot_enter::Warden::start_with).
pub static BUILTINS: &[Builtin] = &[(PROGRAM, main)];

/// The descriptor from which the program reads the scriptlet's body.
pub const BODY: RawFd = 3;

/// The descriptor of the package's header, as rpm's database has it, where the body is to be filled in from it.
pub const HEADER: RawFd = 4;

/// The descriptor of the paths that set a file trigger off, a line each.
pub const INPUT: RawFd = 5;

/// Flags of a scriptlet: its body is expanded, and filled in from the header.
pub const EXPAND: u32 = 1;
/// See [`EXPAND`].
pub const QUERY_FORMAT: u32 = 2;

/// What the program is told to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// What the scriptlet is called in messages: `%post(name-version-release.arch)`.
    pub name: String,
    /// What is done to the body first: [`EXPAND`], [`QUERY_FORMAT`].
    pub flags: u32,
    /// What is done then.
    pub action: Action,
}

/// What is done with a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// It is run as Lua.
    Lua {
        /// Numbers that it gets.
        arguments: Vec<u32>,
        /// Whether there is [`INPUT`].
        input: bool,
        /// The prefixes of a package that can be relocated.
        prefixes: Vec<Vec<u8>>,
        /// The version of the rpm that built the package.
        built_by: String,
    },
    /// It is written to a file of mode 0700, for an interpreter.
    Write(Vec<u8>),
}

impl Task {
    /// The program's arguments.
    pub fn arguments(&self) -> Vec<OsString> {
        let mut words: Vec<OsString> = vec![self.name.clone().into(), self.flags.to_string().into()];
        match &self.action {
            Action::Write(path) => {
                words.push("write".into());
                words.push(OsString::from_vec(path.clone()));
            }
            Action::Lua {
                arguments,
                input,
                prefixes,
                built_by,
            } => {
                words.push(if *input { "lua-with-input" } else { "lua" }.into());
                words.push(built_by.into());
                words.push(arguments.len().to_string().into());
                words.extend(arguments.iter().map(|number| number.to_string().into()));
                words.extend(prefixes.iter().map(|prefix| OsString::from_vec(prefix.clone())));
            }
        }
        words
    }

    /// The task that the program's arguments mean.
    fn from_arguments(words: Vec<OsString>) -> Option<Task> {
        let mut words = words.into_iter();
        let name = words.next()?.into_string().ok()?;
        let number = |word: OsString| word.to_str()?.parse::<u32>().ok();
        let flags = number(words.next()?)?;
        let action = match words.next()?.to_str()? {
            "write" => Action::Write(words.next()?.into_vec()),
            lua @ ("lua" | "lua-with-input") => {
                let built_by = words.next()?.into_string().ok()?;
                let count = number(words.next()?)?;
                Action::Lua {
                    arguments: (0..count).map(|_| number(words.next()?)).collect::<Option<_>>()?,
                    input: lua == "lua-with-input",
                    prefixes: words.map(OsString::into_vec).collect(),
                    built_by,
                }
            }
            _ => return None,
        };
        Some(Task { name, flags, action })
    }
}

/// The built-in program: 0 when everything went well; else 1, with what went wrong on the standard error.
fn main(words: Vec<OsString>) -> u8 {
    let done = Task::from_arguments(words)
        .ok_or_else(|| "the task of a scriptlet has an unknown form".to_owned())
        .and_then(run);
    match done {
        Ok(()) => 0,
        Err(message) => {
            let _ = std::io::stderr().write_all(format!("error: {message}\n").as_bytes());
            1
        }
    }
}

fn run(task: Task) -> Result<(), String> {
    let mut body = read(BODY)?;
    let (built_by, input) = match &task.action {
        Action::Lua { built_by, input, .. } => (built_by.as_str(), *input),
        Action::Write(_) => ("", false),
    };
    let input = match input {
        true => Some(lines(&read(INPUT)?)),
        false => None,
    };
    let is_lua = matches!(task.action, Action::Lua { .. });
    if is_lua || task.flags & EXPAND != 0 {
        let interpreter = Interpreter::new(built_by, macros_here, input)?;
        interpreter.init();
        if task.flags & EXPAND != 0 {
            body = interpreter.expand(&body)?;
        }
        body = fill_in(task.flags, body)?;
        if let Action::Lua {
            arguments, prefixes, ..
        } = task.action
        {
            return interpreter.run(&LuaScriptlet {
                name: task.name,
                body,
                arguments,
                prefixes,
            });
        }
    } else {
        body = fill_in(task.flags, body)?;
    }
    match &task.action {
        Action::Write(path) => write(path, &body),
        Action::Lua { .. } => Ok(()),
    }
}

/// Fills in the header's tags, where that is asked for.
fn fill_in(flags: u32, body: Vec<u8>) -> Result<Vec<u8>, String> {
    if flags & QUERY_FORMAT == 0 {
        return Ok(body);
    }
    let bytes = read(HEADER)?;
    let header: Header = blob::parse("header", &bytes).map_err(|error| error.to_string())?;
    format::format(&header, &body).map_err(|error| error.to_string())
}

fn read(number: RawFd) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    inside::descriptor(number)
        .and_then(|fd| std::fs::File::from(fd).read_to_end(&mut bytes))
        .map_err(|error| format!("what the scriptlet gets cannot be read: {error}"))?;
    Ok(bytes)
}

fn write(path: &[u8], body: &[u8]) -> Result<(), String> {
    let path = std::ffi::OsStr::from_bytes(path);
    let failed =
        |error: std::io::Error| format!("Couldn't create temporary file {}: {error}", path.display());
    if let Some(parent) = std::path::Path::new(path).parent() {
        std::fs::create_dir_all(parent).map_err(failed)?;
    }
    std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o700)
        .open(path)
        .and_then(|mut file| file.write_all(body))
        .map_err(failed)
}

fn lines(text: &[u8]) -> Vec<Vec<u8>> {
    text.split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(<[u8]>::to_vec)
        .collect()
}

/// Files as this process sees them, which is in the root.
struct Here;

impl Files for Here {
    fn read(&self, path: &str) -> Option<Vec<u8>> {
        std::fs::read(path).ok()
    }

    fn list(&self, directory: &str) -> Vec<String> {
        let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
        entries
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect()
    }
}

fn macros_here() -> Macros {
    let machine = rustix::system::uname().machine().to_string_lossy().into_owned();
    Macros::load(&Here, &machine, &Nowhere)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_and_back() {
        for action in [
            Action::Write(b"/dev/x".to_vec()),
            Action::Lua {
                arguments: vec![1, 2],
                input: true,
                prefixes: vec![b"/opt".to_vec()],
                built_by: "4.18.0".to_owned(),
            },
            Action::Lua {
                arguments: Vec::new(),
                input: false,
                prefixes: Vec::new(),
                built_by: String::new(),
            },
        ] {
            let task = Task {
                name: "%post(a-1-1.noarch)".to_owned(),
                flags: 3,
                action,
            };
            assert_eq!(Task::from_arguments(task.arguments()), Some(task));
        }
        assert_eq!(Task::from_arguments(vec!["a".into(), "b".into()]), None);
    }
}
